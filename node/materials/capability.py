"""Materials as a capability of every tier."""

import asyncio
import logging
from typing import TYPE_CHECKING

from node.bus import Delivery
from node.capability import Capability
from node.loops import forever
from node.materials import retention
from node.materials.collect import materials_of
from node.materials.routes import router
from protocol.subjects import Lane

if TYPE_CHECKING:
    from node.node import Node

log = logging.getLogger(__name__)


def take(node: "Node", delivery: Delivery) -> None:
    """One message of the blob lane; never waits."""
    materials_of(node).lane.take(delivery)


async def carry(node: "Node") -> None:
    """Fetch and send blobs, slower than the line can."""
    part = materials_of(node)

    async def step() -> bool:
        before = part.lane.sent_bytes
        moved = await part.lane.step()
        if sent := part.lane.sent_bytes - before:
            await asyncio.sleep(sent / part.rules.rate_bytes_s)
        return bool(moved)

    await forever("materials", step, part.lane.wake, node.config.pace.materials_poll_s)


async def sweep(node: "Node") -> None:
    """Delete now and then what has been kept long enough."""
    while True:
        try:
            await retention.sweep(materials_of(node))
        except Exception:
            log.exception("sweeping the materials failed")
        await asyncio.sleep(60 * node.config.pace.housekeeping_s)


MATERIALS = Capability(
    name="materials",
    routers=(router,),
    loops=(carry, sweep),
    lanes={Lane.BLOB: take},
    takes={"/api/uploads/": 1 << 30},  # bounded by what was announced, and that by the node's rules
)
