"""A whole city in one process: every node real, the wire in memory, the clock in your hand.

    city = Federation(part_of(divisions()), databases)
    no = await city[VILLAGE].do(actions.file_case, AGENT, form("SZS-001"))
    await city.settle()              # until nothing moves any more; no sleeping

`settle` sends, relays, applies and receipts until all is quiet. `city.line(VILLAGE).away = True` cuts a line.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import delete

from hub.authority import certify_all, place_document, root
from hub.publishing import broadcast, current_documents, publish_edition, publish_places
from hub.relay import Relay
from node.accounts.officer import Officer
from node.accounts.roles import Role
from node.bus.memory import MemoryBus, MemoryHub
from node.calendar_source import official_calendar
from node.capabilities import EVERY_TIER
from node.cases.filing import Filing
from node.catalogue import loop as catalogue_loop
from node.catalogue.loop import take_published
from node.catalogue.model import DocumentRow
from node.catalogue.replica import adopt
from node.config import NodeConfig, Pace
from node.db import Database, Workers, table_of
from node.exchange.arrivals import Incoming
from node.library import Library
from node.materials.collect import materials_of
from node.node import Node
from node.powers import actions as powers
from node.site import restore_ring
from node.work import Knowledge, Work
from protocol import subjects
from protocol.bundles import BUNDLE_KEY, bundle_document, read_bundles
from protocol.catalogue import CALENDAR_KEY, DEED_KEY, ITEM_KEY, Deed, Item, document
from protocol.certificates import KeyRing
from protocol.divisions import read_divisions
from protocol.items import read_items
from protocol.keys import Keys
from protocol.places import Code, Tier
from protocol.roster import Roster
from protocol.workdays import calendar_document
from tests.databases import Databases

ROOT = Path(__file__).parent.parent
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
"""Monday 2 March 2026, nine in the morning in Shanghai."""


def divisions() -> Roster:
    """The real city."""
    return read_divisions((ROOT / "data/divisions-640200-shizuishan.csv").read_bytes())


def part_of(
    whole: Roster, counties: int = 1, townships: int = 1, villages: int = 1, first: str = "640221000000"
) -> Roster:
    """The city, some counties (`first` first), some townships of each and some villages of each township."""
    chosen = [whole.city]
    every = sorted(whole.of_tier(Tier.COUNTY), key=lambda place: place.code != first)
    for county in every[:counties]:
        chosen.append(county)
        for township in whole.children(county.code)[:townships]:
            chosen += [township, *whole.children(township.code)[:villages]]
    return Roster(chosen)


@cache
def real_items() -> tuple[tuple[Item, ...], tuple[Deed, ...]]:
    """The 109 real items and the deeds that devolve them."""
    found = read_items((ROOT / "data/items.json").read_bytes())
    return found.items, found.deeds


def documents(roster: Roster, items: tuple[Item, ...], deeds: tuple[Deed, ...]) -> dict[str, bytes]:
    """What an edition publishes, by key."""
    import orjson

    calendar = official_calendar("640200000000", (ROOT / "data/regional-holidays-640000.csv").read_bytes())
    found = {f"{ITEM_KEY}{item.id}": document(item) for item in items}
    found |= {f"{DEED_KEY}{deed.id}": document(deed) for deed in deeds if deed.giver in roster}
    bundles = read_bundles((ROOT / "data/bundles.json").read_bytes())
    found |= {f"{BUNDLE_KEY}{one.id}": bundle_document(one) for one in bundles}
    found[CALENDAR_KEY] = orjson.dumps(calendar_document(calendar), option=orjson.OPT_SORT_KEYS)
    return found


def officer(name: str, *roles: Role, place: str = "") -> Officer:
    """Somebody who works here; the staff number is the name."""
    return Officer(
        id=1,
        login=name,
        name=name,
        staff_no=name,
        roles=frozenset(roles or tuple(Role)),
        place=Code(place or "640200000000"),
    )


AGENT = officer("agent", Role.AGENT)
CLERK = officer("clerk", Role.CLERK)
REVIEWER = officer("reviewer", Role.REVIEWER)
CHIEF = officer("chief", Role.CHIEF_REPRESENTATIVE)


def form(item: str, **changes: object) -> Filing:
    """A form filled in rightly by an agent for a resident."""
    materials = tuple(
        one.name for one in next(i for i in real_items()[0] if i.id == item).materials if one.need == "必要"
    )
    filled: dict[str, object] = {
        "item": item,
        "name": "王小明",
        "id_no": "640221197001010010",
        "phone": "13895021234",
        "address": "平罗县",
        "agent": True,
        "entrusted": True,
        "entrust_scope": ("交件", "领件"),
        "entrust_until": "2027-12-31",
        "materials": materials,
        "again": "另一件",
        **changes,
    }
    return Filing(**filled)  # type: ignore[arg-type]


class Federation:
    """Nodes, hubs and relays of one roster, with the city's first edition published."""

    def __init__(
        self,
        roster: Roster,
        databases: Databases,
        *,
        publish: bool = True,
    ) -> None:
        """Each node has a database of its own, which goes with the federation."""
        self.roster = roster
        self.now = START
        self.pace = Pace(resend_first_s=15, resend_last_s=3600)
        self.workers = Workers(writers=1, readers=1)
        self._databases = databases
        self._addresses = {place.code: databases.new() for place in roster}
        self._copies: list[str] = []
        self._sites = TemporaryDirectory(prefix="liandong")
        self._keys = {place.code: Keys.generate() for place in roster}
        root_keys = Keys.generate()
        self.anchor = root(root_keys, roster, START - timedelta(days=1))
        self.certificates = certify_all(roster, self._keys, self.anchor, root_keys, START - timedelta(days=1))
        self.hubs = {code: MemoryHub(self.clock) for code in roster.hubs}
        for code, hub in self.hubs.items():
            hub.ensure(subjects.readers(roster, code))
        self.buses = {
            place.code: MemoryBus(self.hubs[roster.hub_of(place.code).code], place.code) for place in roster
        }
        self.library = Library()
        self.nodes = {place.code: self._node(place.code) for place in roster}
        self.relays: dict[Code, Relay] = {}
        self._make_relays()
        self._publish = publish

    def clock(self) -> datetime:
        return self.now

    def __getitem__(self, code: str) -> Node:
        return self.nodes[Code(code)]

    def line(self, code: str) -> MemoryBus:
        """The line of a node to its hub."""
        return self.buses[Code(code)]

    async def open(self) -> "Federation":
        """Connect everyone and let the first edition arrive."""
        for bus in [*self.buses.values(), *self.relay_buses]:
            await bus.connect()
        city = self[self.roster.city.code]
        places = {
            place.code: (1, place_document(self.roster, place.code, [self.certificates[place.code]]))
            for place in self.roster
        }
        await city.do(publish_places, places)
        for place in self.roster:
            await self.authorise(place.code)
        if self._publish:
            items, deeds = real_items()
            await self.publish(1, items, deeds)
        return self

    async def authorise(self, place: str, *people: str, **changes: object) -> list[str]:
        """Authorise people of a place (its chief, or a village's agents, if none is named); the ids. A village's by its township."""
        above = self.roster[Code(place)].parent
        village = self.roster[Code(place)].tier is Tier.VILLAGE and above is not None
        content = {
            "place": place,
            "items": ["*"],
            "powers": ["决定", "延期", "作废", "减免"],
            "rank": "集体讨论",
            "since": "2026-01-01",
            "until": "2027-12-31",
            **changes,
        }
        node = self[above if village and above else place]
        return [
            await node.do(powers.issue, {**content, "person": one}, ("office", "head"))
            for one in people or (("agent", "agent2") if village else ("chief",))
        ]

    async def publish(self, number: int, items: tuple[Item, ...], deeds: tuple[Deed, ...]) -> None:
        """The city publishes an edition, and it goes as far as the lines carry it now."""
        city = self[self.roster.city.code]
        content = documents(self.roster, items, deeds)
        await city.do(publish_edition, number, self.now.date(), content, ("部门", "法制"))
        await city.react()
        await broadcast(city.read(current_documents), city.know, city.bus)
        await self.settle()

    async def settle(self) -> None:
        """Until nothing moves: every outbox, relay, mailbox and receipt."""
        for _ in range(200):
            moved = 0
            for node in self.nodes.values():
                moved += await node.drain()
            moved += await self._relay()
            for node in self.nodes.values():
                moved += await catalogue_loop.fetch(node, 0)
                moved += await node.take(0)
                moved += await materials_of(node).lane.step()
                if node.bus.connected:
                    moved += await node.tell()
            moved += await self._relay()
            if not moved:
                return
        raise AssertionError("does not settle")

    async def later(self, seconds: float) -> None:
        """Let time pass, then settle."""
        self.now += timedelta(seconds=seconds)
        for hub in self.hubs.values():
            hub.forget()
        await self.settle()

    async def hello(self, code: str) -> None:
        """What a node says when its line comes back."""
        await self[code].tell(hello=True)
        await self.settle()

    async def unaware(self, code: str, of: str) -> None:
        """Make a node one that has not heard of a place yet, as when the document about it is late."""
        known = Roster([place for place in self.roster if place.code != of], self.roster.hubs)

        def forget(work: Work) -> None:
            documents = table_of(DocumentRow)
            work.session.execute(delete(documents).where(documents.c.key == f"place-{of}"))
            work.learn(roster=known)

        await self[code].do(forget)

    async def aware(self, code: str) -> None:
        """Bring a node the documents about all places."""
        published = self[self.roster.city.code].read(current_documents)
        places = [Incoming("", data) for kind, _, data in published if kind == "roster.place"]
        await take_published(self[code], places)
        await self.settle()

    async def close(self) -> None:
        """Let go of databases, files and threads."""
        for node in self.nodes.values():
            node.db.close()
        for url in (*self._addresses.values(), *self._copies):
            self._databases.drop(url)
        self.workers.close()
        self._sites.cleanup()
        await asyncio.sleep(0)

    def restart(self, code: str, copy: str = "") -> Node:
        """The node again, as after a kill: from its database alone, or from a copy that `snapshot` made."""
        place = Code(code)
        self.nodes[place].db.close()
        if copy:
            self._databases.drop(self._addresses[place])
            self._addresses[place] = self._databases.copy(copy)
        made = self.nodes[place] = self._node(place)
        restore_ring(made.db, made.know.ring)
        made.do_now(adopt)
        return made

    def snapshot(self, code: str) -> str:
        """The address of a copy of a node's database, as a backup makes one; it goes with the federation."""
        self._copies.append(self._databases.copy(self._addresses[Code(code)]))
        return self._copies[-1]

    async def _relay(self) -> int:
        return sum([await relay.drain() for relay in self.relays.values()])

    def _make_relays(self) -> None:
        self.relay_buses: list[MemoryBus] = []
        for code in self.roster.hubs:
            upper = subjects.upper_hub(self.roster, code)
            if upper is None:
                continue
            allowed = subjects.relay_permissions(code, self.roster.prefixes(code))
            down = MemoryBus(self.hubs[code], code, reader=subjects.UP)
            above = MemoryBus(self.hubs[upper], code, permissions=allowed)
            self.relay_buses += [down, above]
            self.relays[code] = Relay(down, above, allowed, now=self.clock)

    def _node(self, code: Code) -> Node:
        ring = KeyRing(self.anchor.line)
        for place in reversed(self.roster.line(code)):
            ring.admit(self.certificates[place.code].line)
        know = Knowledge(
            code, self._keys[code], self.certificates[code], ring, self.roster, library=self.library
        )  # type: ignore[arg-type]
        url = self._addresses[code]
        db = Database(url, self.workers)
        db.upgrade()
        config = NodeConfig(code, Path(self._sites.name) / code, url, pace=self.pace)
        return Node(config, know, db, self.buses[code], EVERY_TIER, self.clock)
