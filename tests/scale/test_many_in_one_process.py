"""Hundreds of nodes in one process: what one more node adds is its own, and small; everything else is shared."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from hub.bench.fleet import provision
from node.bus import Delivery
from node.bus.memory import MemoryBus
from node.catalogue.loop import fetch
from node.config import load
from node.library import READERS
from node.node import Node
from node.pages.links import LOGIN
from node.serve import Running
from node.work import Work
from protocol.places import Tier
from protocol.subjects import Stream
from tests.databases import Databases
from tests.federation import Federation, divisions, part_of, real_items

VILLAGES = 18
HANDLES = 5
"""Open files of one node at rest: its site's lock, a reading connection with its log and index, and the file of the
closed writing connection, which SQLite keeps for the next one while the reader has locks."""


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[tuple[list[Node], Running]]:
    """Villages of one township, opened and not running."""
    roster = part_of(divisions(), townships=1, villages=VILLAGES)
    provision(tmp_path, roster)
    running = Running(sites=VILLAGES)
    found = [running.open(load(tmp_path / "sites" / place.code)) for place in roster.of_tier(Tier.VILLAGE)]
    yield found, running
    running.close()


def keep(work: Work) -> None:
    """Something small to write."""
    work.set_meta("kept", "yes")


def open_files() -> list[str]:
    """What this process has open, by name."""
    found = []
    for one in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.append(str(one.readlink()))
    return found


async def test_a_node_at_rest_keeps_one_connection_and_no_thread(
    nodes: tuple[list[Node], Running], tmp_path: Path
) -> None:
    many, _ = nodes
    await asyncio.gather(*(node.do(keep) for node in many))
    assert [node.look(lambda work: work.meta("kept")) for node in many] == ["yes"] * VILLAGES
    held = sum(one.startswith(str(tmp_path)) for one in open_files())
    assert held <= HANDLES * VILLAGES, held
    assert sum(one.name.startswith(("write", "read")) for one in threading.enumerate()) <= 8


async def test_all_nodes_draw_with_one_look(nodes: tuple[list[Node], Running]) -> None:
    many, running = nodes
    apps = [running.web(node).app(node) for node in many]
    assert len({id(app.state.pages) for app in apps}) == 1
    for node, app in zip(many, apps, strict=True):
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url=f"http://127.0.0.1:{node.config.port}"
        ) as browser:
            assert node.name in (await browser.get(LOGIN)).text


async def test_an_edition_for_all_is_in_the_hands_of_a_few_at_once(databases: Databases) -> None:
    """It is megabytes for each of them, and would be hundreds of megabytes for all."""
    city = await Federation(
        part_of(divisions(), townships=1, villages=VILLAGES), databases, publish=False
    ).open()
    villages = [city[place.code] for place in city.roster.of_tier(Tier.VILLAGE)]
    for node in villages:
        city.line(node.place).away = True
    await city.publish(1, *real_items())
    hands = Hands()
    for node in villages:
        city.line(node.place).away = False
        hands.watch(city.line(node.place))
    read = await asyncio.gather(*(fetch(node, 0) for node in villages))
    assert all(node.know.edition == 1 for node in villages)
    assert min(read) > 100
    assert hands.most == READERS
    await city.close()


class Hands:
    """How many lines have given out more than one document that is not acknowledged yet."""

    def __init__(self) -> None:
        self.now: set[MemoryBus] = set()
        self.most = 0

    def watch(self, bus: MemoryBus) -> None:
        """Look at what this line gives out from now on."""
        give, take_back = bus.fetch, bus.ack

        async def given(stream: Stream, batch: int, wait_s: float) -> list[Delivery]:
            found = await give(stream, batch, wait_s)
            if len(found) > 1:
                self.now.add(bus)
                self.most = max(self.most, len(self.now))
            return found

        async def taken_back(deliveries: Sequence[Delivery]) -> None:
            self.now.discard(bus)
            await take_back(deliveries)

        bus.fetch, bus.ack = given, taken_back
