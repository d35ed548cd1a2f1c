"""The stage of the federation benchmark: a real city and its county on disk, one hub server, letters ready to send.

One rule: nothing is made up. Sites come from `Provision`, the catalogue from the real items, the events from officers'
actions; what a round needs is copied from what was made once.
"""

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from hub.demo.city import free_block, seed_powers
from hub.demo.run import edition_documents
from hub.hub import embedded_server
from hub.network import HubAddress, Network
from hub.provision import Provision
from hub.publishing import current_documents, publish_edition
from hub.server import EmbeddedServer
from hub.streams import Streams
from node.bus import Bus
from node.bus.memory import MemoryBus, MemoryHub
from node.bus.nats import NatsBus
from node.capabilities import EVERY_TIER
from node.catalogue.loop import take_published
from node.config import load
from node.credentials import open_bus
from node.exchange.arrivals import Incoming
from node.exchange.outbox import outstanding
from node.node import Node
from node.site import open_node
from node.work import utc_now
from protocol.divisions import read_divisions
from protocol.places import Code
from protocol.roster import Roster
from protocol.subjects import readers

PORT = 18600


@dataclass(frozen=True, slots=True)
class Source:
    """The real input: divisions, items, holidays of the region."""

    divisions: Path
    items: Path
    holidays: Path | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """One side's site and a database of its own for one measurement. Goes to other processes."""

    site: Path
    database: Path


@dataclass(slots=True)
class Stage:
    """A city and one county as its plain client, provisioned, with the first edition adopted on both sides."""

    folder: Path
    server: EmbeddedServer
    sender: Code
    receiver: Code
    copies: int = 0

    def desk(self, code: Code, source: Path | None = None) -> Desk:
        """A fresh copy of a side's database (or of `source`) beside its site."""
        self.copies += 1
        target = self.folder / f"{code}-{self.copies}.db"
        shutil.copyfile(source or self.template(code), target)
        return Desk(self.folder / "sites" / code, target)

    def template(self, code: Code) -> Path:
        """The database of a side as it was before anything was filed."""
        return self.folder / f"{code}.db"


@asynccontextmanager
async def stage(folder: Path, source: Source) -> AsyncIterator[Stage]:
    """Everything made and the hub's server running, for the length of the block."""
    roster = _two(read_divisions(source.divisions.read_bytes()))
    city, county = roster.city.code, roster.children(roster.city.code)[0].code
    port = free_block(PORT, 1)
    network = Network({city: HubAddress((f"nats://127.0.0.1:{port}",), port=port, monitor_port=-1)})
    Provision(roster, folder, network, utc_now()).run()
    config = load(folder / "sites" / city)
    assert config.hub is not None
    async with embedded_server(config.site, config.hub, roster.city.name) as server:
        found = Stage(folder, server, county, city)
        await _first_edition(found, roster, source)
        await _authorise(found, roster)
        await _streams(found, roster)
        yield found


def _two(whole: Roster) -> Roster:
    """The city, and its last county (平罗县 in the real file) as a plain client of the city's hub."""
    city = whole.city
    return Roster([city, whole.children(city.code)[-1]], [city.code])


async def _first_edition(found: Stage, roster: Roster, source: Source) -> None:
    """The first edition in the templates of both sides."""
    documents = edition_documents(roster, source.items, source.holidays)
    sites = found.folder / "sites"
    with opened(Desk(sites / found.receiver, found.template(found.receiver))) as city:
        today = date.today()  # noqa: DTZ011 - the day printed on the edition
        await city.do(publish_edition, 1, today, documents, ("主管部门", "法制审核"))
        letters = [Incoming("", data) for _, _, data in city.read(current_documents)]
    with opened(Desk(sites / found.sender, found.template(found.sender))) as county:
        await take_published(county, letters)
        assert county.know.edition == 1


async def _authorise(found: Stage, roster: Roster) -> None:
    """Whoever decides at the county is authorised, and the city has been told: carried over by hand, with receipts."""
    hub = MemoryHub()
    hub.ensure(readers(roster, found.receiver))
    places = (found.sender, found.receiver)
    desks = [Desk(found.folder / "sites" / place, found.template(place)) for place in places]
    lines = [MemoryBus(hub, place) for place in places]
    with opened(desks[0], lines[0]) as county, opened(desks[1], lines[1]) as city:
        seed_powers({found.sender: county}, roster[found.sender])
        for line in lines:
            await line.connect()
        await county.drain()
        await city.take()
        await city.tell()
        await county.take()
        if county.read(outstanding):
            raise RuntimeError("the authorisation did not arrive")


async def _streams(found: Stage, roster: Roster) -> None:
    """The hub's streams and mailboxes; in production its own node keeps them."""
    with opened(found.desk(found.receiver)) as city:
        assert isinstance(city.bus, NatsBus)
        async with online(city):
            await Streams(city.bus.line, roster, found.receiver).ensure()


@contextmanager
def opened(desk: Desk, bus: Bus | None = None) -> Iterator[Node]:
    """The node of a site on a database of its own; not connected."""
    config = replace(load(desk.site), database=f"sqlite:///{desk.database}")
    assert config.bus is not None
    node = open_node(config, bus or open_bus(config.place, config.bus), EVERY_TIER)
    try:
        yield node
    finally:
        node.db.close()


@asynccontextmanager
async def online(node: Node) -> AsyncIterator[Node]:
    """The node's line up, its loops not running."""
    await node.bus.connect()
    try:
        while not node.bus.connected:
            await node.bus.changed.wait()
        yield node
    finally:
        await node.bus.close()
