"""Keeping the replica fresh: read what the hub's CAT stream brings, adopt, then let the capabilities react."""

import asyncio

from node.catalogue.replica import take_documents
from node.exchange.arrivals import Incoming, examine
from node.loops import Wake, forever
from node.node import Node

FETCH = 500
FEW = 50
"""Documents in one batch that are not worth staying for."""

GATHER_S = 1.0
"""What is being published comes a document at a time; each alone would cost a transaction in every node."""


async def take_published(node: Node, incoming: list[Incoming]) -> bool:
    """Take documents in, by whatever road they came; whether a new edition came into force."""
    batch = examine([Incoming("", one.data) for one in incoming], node.know, node.clock())
    roster = node.know.roster
    adopted = await node.do(take_documents, batch)
    learnt = node.know.roster is not roster
    if adopted or (learnt and node.know.edition):  # before the first edition everything waits for it
        await node.react()
    if adopted and node.bus.connected:
        await node.tell(hello=True)  # those above learn which edition we hold
    return adopted


async def fetch(node: Node, wait_s: float) -> int:
    """Wait for a document of the CAT stream, take it, and all that follow it; how many that were.

    An edition comes to all nodes of a process at once, and is megabytes in the hands of each: one is waited for
    together, the rest in turn, so that hundreds of nodes need no more memory at once than a few.
    """
    found = await _batch(node, 1, wait_s)
    if found:
        await asyncio.sleep(min(wait_s, GATHER_S))
        async with node.know.library.turns:
            more = FETCH
            while more >= FEW:
                more = await _batch(node, FETCH, 0.0)
                found += more
    return found


async def _batch(node: Node, most: int, wait_s: float) -> int:
    deliveries = await node.bus.fetch("CAT", most, wait_s)
    if deliveries:
        await take_published(node, [Incoming(one.subject, one.data) for one in deliveries])
        await node.bus.ack(deliveries)
    return len(deliveries)


async def run(node: Node) -> None:
    """Keep the replica fresh while the node runs."""
    if node.know.catalogue is not None:
        await node.react()

    async def step() -> bool:
        if not node.bus.connected:
            return False
        await fetch(node, node.config.pace.fetch_s)
        return True

    await forever("catalogue", step, Wake(), 1.0)
