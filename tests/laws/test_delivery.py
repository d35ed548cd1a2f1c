"""The law of delivery: whatever the line does to the mail, once it has come everywhere everybody has the same rows.

Asked in three ways. One reader is given the same signed mail in any order, with losses and repeats, and then all of it
once more. A whole city acts while lines are cut, answers get lost, mail is lost, doubled and shuffled, nodes die and a
hub's disk is wiped; then all is mended. And one reader's database is set back to older copies, while its receipts,
those of a life it has forgotten too, come in any order and again.
"""

import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from node.bus import Mail
from node.bus.memory import MemoryBus, MemoryHub
from node.capabilities import EVERY_TIER
from node.cases import actions
from node.config import NodeConfig
from node.db import Database, Workers, table_of
from node.errors import NodeError
from node.exchange.arrivals import Incoming
from node.exchange.outbox import outstanding
from node.figures.model import DailyReportRow
from node.figures.report import declare
from node.node import Node
from node.tables import TABLES
from protocol import subjects
from protocol.places import Code
from protocol.subjects import MAIL
from tests.agreement import agree
from tests.attack.rogue import receipts_between
from tests.databases import Databases
from tests.federation import AGENT, CHIEF, CLERK, REVIEWER, Federation, form, officer
from tests.handled import CITY, COUNTY, TOWNSHIP, VILLAGE, Desk, small_city

pytestmark = pytest.mark.asyncio(loop_scope="module")
LOCAL, UP = "SZS-052", "SZS-001"
"""One item that the township decides, one that it reports up."""
PAPER = "农村宅基地和建房(规划许可)申请表"
DEFECT = [{"material": PAPER, "problem": "看不清"}]
LINE = (VILLAGE, TOWNSHIP, COUNTY, CITY)
LAW = settings(suppress_health_check=list(HealthCheck), deadline=None)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city(databases: Databases) -> AsyncIterator[Federation]:
    found = await small_city(databases, LOCAL, UP)
    yield found
    await found.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def before(city: Federation) -> dict[str, str]:
    """A copy of everybody's database from before the first case."""
    return {place: city.snapshot(place) for place in LINE}


# One reader, and mail in any order


async def eventful(desk: Desk) -> None:
    """Cases that end in every way, with submissions, a hand-over, a late authorisation and reports said anew."""
    granted = await desk.reviewed(LOCAL)
    await desk.at(TOWNSHIP, actions.decide, CHIEF, granted, "granted", "")
    await desk.at(VILLAGE, actions.deliver, AGENT, granted, "代办员送达", "王小明")
    sent_up = await desk.accepted(UP)
    await desk.sent_up(sent_up)
    for place in (VILLAGE, TOWNSHIP, COUNTY):
        await desk.at(place, declare, desk.today)
    corrected = await desk.filed(LOCAL)
    await desk.at(TOWNSHIP, actions.take, CLERK, corrected)
    await desk.at(TOWNSHIP, actions.return_for_correction, CLERK, corrected, DEFECT)
    await desk.at(VILLAGE, actions.supplement, AGENT, corrected, [PAPER], "补上")
    withdrawn = await desk.accepted(LOCAL)
    await desk.at(VILLAGE, actions.withdraw, AGENT, withdrawn, "不办了")
    await desk.heard()
    await desk.city.authorise(COUNTY, "second")
    second = officer("second", *CHIEF.roles)
    await desk.at(COUNTY, actions.review, REVIEWER, sent_up, "同意", "齐全")
    await desk.at(COUNTY, actions.decide, second, sent_up, "refused", "不符合规划，可在六十日内申请复议")
    await desk.at(TOWNSHIP, actions.refuse_acceptance, CLERK, corrected, "不需要", "不需要申请")
    for place in (VILLAGE, TOWNSHIP, COUNTY):
        await desk.at(place, declare, desk.today)
    desk.acted = "all"
    await desk.heard()


class Mailbox:
    """All that was said to the city, and how to read it from the beginning."""

    def __init__(self, city: Federation, databases: Databases, start: str) -> None:
        stored = [one.mail for one in city.hubs[Code(CITY)]._stored[MAIL].values()]
        self.mail = [
            Incoming(one.subject, one.data) for one in stored if subjects.parse_mail(one.subject).dst == CITY
        ]
        self.city, self.databases, self.start = city, databases, start
        self.workers = Workers(writers=1, readers=1)
        self.expected: dict[str, list[Any]] = {}

    def portions(self, came: list[tuple[int, bool]]) -> list[list[int]]:
        """Letters as they came, cut after each that ends a portion."""
        found: list[list[int]] = [[]]
        for number, ends in came:
            found[-1].append(number % len(self.mail))
            if ends:
                found.append([])
        return [part for part in found if part]

    def shuffled(self, seed: int) -> list[int]:
        """Every letter once, in an order of the seed's."""
        return random.Random(seed).sample(range(len(self.mail)), len(self.mail))

    async def read(self, *portions: Iterable[int]) -> dict[str, list[Any]]:
        """Every row of a reader who was given these portions of the mail, by table."""
        url, place = self.databases.copy(self.start), Code(CITY)
        with Database(url, self.workers) as db:
            bus = MemoryBus(self.city.hubs[place], place)
            node = Node(
                NodeConfig(place, Path(), url), self.city[CITY].know, db, bus, EVERY_TIER, self.city.clock
            )
            for part in portions:
                await node.take_in([self.mail[at] for at in part])
            found = node.read(every_row)
        self.databases.drop(url)
        return found


BY_ARRIVAL = {"channels": {"changes"}, "certificates": {"id"}, "statements": {"id"}}
"""Columns that tell when or how often something came, not what."""


def every_row(session: Any) -> dict[str, list[Any]]:
    """The whole database, table by table, each in an order of its own."""
    found = {}
    for model in TABLES:
        table = table_of(model)
        columns = [one for one in table.c if one.name not in BY_ARRIVAL.get(table.name, ())]
        found[table.name] = sorted(tuple(map(repr, row)) for row in session.execute(select(*columns)))
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mailbox(city: Federation, databases: Databases, before: dict[str, str]) -> AsyncIterator[Mailbox]:
    """An eventful day while the city's own line is down, with everything sent twice in different parcels."""
    city.line(CITY).away = True
    await eventful(Desk(city))
    await city.later(20)
    made = Mailbox(city, databases, before[CITY])
    made.expected = await in_order(made)
    yield made
    made.workers.close()


@settings(LAW, max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 999), st.booleans()), max_size=150), st.integers())
async def test_any_order_loss_and_repetition_ends_in_the_same_rows(
    mailbox: Mailbox, came: list[tuple[int, bool]], seed: int
) -> None:
    found = await mailbox.read(*mailbox.portions(came), mailbox.shuffled(seed))
    for name, rows in mailbox.expected.items():
        assert found[name] == rows, name


async def in_order(mailbox: Mailbox) -> dict[str, list[Any]]:
    """What the reader has when each message comes once, one by one, in the order it was sent."""
    rows = await mailbox.read(*([at] for at in range(len(mailbox.mail))))
    assert len(rows["cases"]) == 4
    assert not [row for row in rows["events"] if "'waiting'" in row or "'quarantined'" in row]
    assert rows["quarantine"] == []
    return rows


# A whole city, and everything that can happen to its lines


class Trouble:
    """A city that acts while its lines are bad: each method is one thing that may happen, chosen by a number."""

    def __init__(self, city: Federation, before: dict[str, str]) -> None:
        self.city = city
        self.cases: list[str] = []
        self._mend()
        for place in LINE:
            city.restart(place, before[place])
        for code in city.hubs:
            self._new_disk(city.hubs[code], code)

    def _new_disk(self, hub: MemoryHub, code: str) -> None:
        hub.wipe()
        hub.ensure(subjects.readers(self.city.roster, Code(code)))

    def _mend(self) -> None:
        for bus in self.city.buses.values():
            bus.away = bus.deaf = False

    def _place(self, at: int) -> str:
        return LINE[at % len(LINE)]

    def _hub(self, at: int) -> MemoryHub:
        return list(self.city.hubs.values())[at % len(self.city.hubs)]

    # What people do

    async def file(self, at: int) -> None:
        self.cases.append(await self.city[VILLAGE].do(actions.file_case, AGENT, form((LOCAL, UP)[at % 2])))

    async def act(self, at: int) -> None:
        """Somebody tries something with some case; the lifecycle says whether he may."""
        tries = [
            (TOWNSHIP, actions.accept, (CLERK,), ()),
            (TOWNSHIP, actions.accept, (CLERK,), ()),
            (TOWNSHIP, actions.review, (REVIEWER,), ("同意", "齐全")),
            (TOWNSHIP, actions.decide, (CHIEF,), ("granted", "")),
            (TOWNSHIP, actions.forward, (CHIEF,), (COUNTY, "报请决定")),
            (COUNTY, actions.take, (CLERK,), ()),
            (COUNTY, actions.refuse_handover, (CLERK,), ("材料没有随件",)),
            (COUNTY, actions.review, (REVIEWER,), ("同意", "齐全")),
            (COUNTY, actions.decide, (CHIEF,), ("refused", "不符合规划，可在六十日内申请复议")),
            (TOWNSHIP, actions.return_for_correction, (CLERK,), (DEFECT,)),
            (VILLAGE, actions.supplement, (AGENT,), ([PAPER], "补上")),
            (VILLAGE, actions.withdraw, (AGENT,), ("不办了",)),
            (VILLAGE, actions.deliver, (AGENT,), ("代办员送达", "王小明")),
        ]
        place, action, who, words = tries[at % len(tries)]
        for no in self.cases[at // len(tries) % 3 :: 3]:
            with suppress(NodeError):
                await self.city[place].do(action, *who, no, *words)

    async def declare(self, at: int) -> None:
        node = self.city[self._place(at)]
        await node.do(declare, self.city.now.date())

    # What nodes and hubs do

    async def send(self, at: int) -> None:
        await self.city[self._place(at)].drain()

    async def take(self, at: int) -> None:
        node = self.city[self._place(at)]
        if node.bus.connected:
            await node.take(0)

    async def tell(self, at: int) -> None:
        await self.city[self._place(at)].tell(hello=bool(at // len(LINE) % 2))

    async def relay(self, _at: int) -> None:
        await self.city._relay()

    async def wait(self, at: int) -> None:
        self.city.now += timedelta(seconds=(1, 20, 4000)[at % 3])
        for hub in self.city.hubs.values():
            hub.forget()

    async def settle(self, _at: int) -> None:
        await self.city.settle()

    # What goes wrong

    async def cut(self, at: int) -> None:
        bus = self.city.line(self._place(at))
        bus.away = not bus.away

    async def deafen(self, at: int) -> None:
        """The hub hears, and its answers are lost: what was stored is thought not to be."""
        bus = self.city.line(self._place(at))
        bus.deaf = not bus.deaf

    async def die(self, at: int) -> None:
        self.city.restart(self._place(at))

    async def wipe(self, at: int) -> None:
        code = list(self.city.hubs)[at % len(self.city.hubs)]
        self._new_disk(self.city.hubs[code], code)

    async def garble(self, at: int) -> None:
        """Of the mail a hub holds, some is lost, some comes twice, and all in another order."""
        hub, dice = self._hub(at), random.Random(at)
        mail = [one.mail for one in hub._stored[MAIL].values()]
        mail = [one for one in mail for _ in range(dice.choice((0, 1, 1, 2)))]
        dice.shuffle(mail)
        for sequence in list(hub._stored[MAIL]):
            hub._drop(MAIL, sequence)
        for one in mail:
            hub.store(Mail(one.subject, one.data, uuid4().hex))

    async def heal(self) -> None:
        """Every line up, everybody says hello, and time enough for everything to be sent again."""
        self._mend()
        for _ in range(8):
            for place in LINE:
                await self.city[place].tell(hello=True)
            await self.city.later(4000)
            if not any(self.city[place].read(outstanding) for place in LINE):
                return


HAPPENINGS: tuple[Callable[[Trouble, int], Any], ...] = (
    *(Trouble.file, Trouble.act, Trouble.act, Trouble.act, Trouble.act, Trouble.declare),
    *(Trouble.send, Trouble.take, Trouble.tell, Trouble.relay, Trouble.wait, Trouble.settle),
    *(Trouble.cut, Trouble.deafen, Trouble.die, Trouble.wipe, Trouble.garble),
)


@settings(LAW, max_examples=8)
@given(st.lists(st.tuples(st.sampled_from(HAPPENINGS), st.integers(0, 400)), min_size=10, max_size=60))
async def test_whatever_happens_to_the_lines_everybody_ends_with_the_same(
    city: Federation, before: dict[str, str], happened: list[tuple[Callable[[Trouble, int], Any], int]]
) -> None:
    trouble = Trouble(city, before)
    await trouble.file(0)
    await trouble.file(1)
    for happens, at in happened:
        await happens(trouble, at)
    await trouble.heal()
    agree(city, LINE)
    assert city[CITY].read(reports) == city[COUNTY].read(reports) | own_reports(city)


# A reader that is set back


class SetBack(Trouble):
    """The city's own node, which only reads, is set back now and then; its word goes astray, and comes again."""

    def __init__(self, city: Federation, before: dict[str, str]) -> None:
        super().__init__(city, before)
        self.copy = before[CITY]
        self.said: list[tuple[str, bytes]] = []

    async def keep(self, _at: int) -> None:
        self.copy = self.city.snapshot(CITY)

    async def set_back(self, at: int) -> None:
        """Maybe newer mail lies in its box already, and is read before it says anything."""
        self.city.restart(CITY, self.copy)
        self.city.now += timedelta(minutes=1)
        if at % 2:
            await self.file(at)
            await self.read(at)

    async def read(self, _at: int) -> None:
        for place in LINE[:-1]:
            await self.city[place].drain()
        await self.city._relay()
        await self.city[CITY].take(0)

    async def speak(self, at: int) -> None:
        """What it says lies ready, to be heard at once, later or never."""
        await self.city[CITY].tell(hello=bool(at % 2))
        for place in LINE[:-1]:
            self.said += [(place, one) for one in receipts_between(self.city, CITY, place)]
        self._new_disk(self.city.hubs[Code(CITY)], CITY)
        self.city.now += timedelta(seconds=1)

    async def hear(self, at: int) -> None:
        """Any word it ever said comes to whom it was for, maybe not for the first time."""
        if self.said:
            place, word = self.said[-1 - at % len(self.said)]
            subject = subjects.mail(subjects.Lane.RCPT, place, CITY)
            await self.city[place].take_in([Incoming(subject, word)])

    async def end(self) -> None:
        """One last hello, after which all that it ever said comes once more; then time enough."""
        self._mend()
        await self.speak(1)
        for at in range(len(self.said)):
            await self.hear(at)
        for _ in range(4):
            await self.city.later(4000)


READERS_LIFE: tuple[Callable[[SetBack, int], Any], ...] = (
    *(SetBack.file, SetBack.read, SetBack.speak, SetBack.hear, SetBack.hear),
    *(SetBack.keep, SetBack.set_back, SetBack.wait, SetBack.settle),
)


@settings(LAW, max_examples=25)
@given(st.lists(st.tuples(st.sampled_from(READERS_LIFE), st.integers(0, 400)), max_size=30))
async def test_a_reader_set_back_at_any_time_ends_with_everything(
    city: Federation, before: dict[str, str], happened: list[tuple[Callable[[SetBack, int], Any], int]]
) -> None:
    life = SetBack(city, before)
    for begins in (life.file, life.read, life.speak, life.hear):
        await begins(0)
    for happens, at in happened:
        await happens(life, at)
    await life.end()
    agree(city, LINE)


def reports(session: Any) -> dict[tuple[str, str], str]:
    """The report that counts, by place and day."""
    return {(row.place, str(row.day)): row.hash for row in session.execute(select(table_of(DailyReportRow)))}


def own_reports(city: Federation) -> dict[tuple[str, str], str]:
    """What the city itself declared, and told nobody."""
    return {key: name for key, name in city[CITY].read(reports).items() if key[0] == CITY}
