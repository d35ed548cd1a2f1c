"""A node killed at each step of acting, sending, taking in and receipting: nothing lost, nothing doubled, no list lies.

Nothing is hooked into the program: a mortal bus and a mortal database stand in front of the real ones, and whoever
dies is dropped whole and opened again from its database.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select

from node.bus import Bus, Delivery, Mail
from node.cases import actions
from node.db import Database, table_of
from node.exchange.model import EventRow
from node.node import Node
from protocol.lifecycle import State
from protocol.subjects import Stream
from tests.agreement import agree, cases_of, truthful
from tests.databases import Databases
from tests.federation import AGENT, CLERK, Federation, form
from tests.handled import CITY, COUNTY, TOWNSHIP, VILLAGE, small_city

ITEM = "SZS-052"
"""Decided by the township."""
LINE = (VILLAGE, TOWNSHIP, COUNTY, CITY)


class Killed(BaseException):
    """kill -9: nothing after this line is done, and nothing catches it."""


class Fate:
    """Kills whoever comes to a moment of one kind of work: at each moment every second time, three times in all."""

    def __init__(self, work: str) -> None:
        self.doing = ""
        self.deaths: Counter[str] = Counter()
        self._work = work
        self._times: Counter[str] = Counter()

    def reach(self, moment: str) -> None:
        if self.doing == self._work:
            self._times[moment] += 1
            if self._times[moment] in (1, 3, 5):
                self.deaths[moment] += 1
                raise Killed


class MortalBus:
    """A bus at whose use one may die: before, half way, or after."""

    def __init__(self, bus: Bus, fate: Fate) -> None:
        self._bus = bus
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bus, name)

    async def publish(self, mails: Sequence[Mail]) -> list[bool]:
        self._fate.reach("before publishing")
        half = len(mails) // 2
        stored = await self._bus.publish(mails[:half])
        self._fate.reach("half published")
        stored += await self._bus.publish(mails[half:])
        self._fate.reach("published")
        return stored

    async def fetch(self, stream: Stream, batch: int, wait_s: float) -> list[Delivery]:
        found = await self._bus.fetch(stream, batch, wait_s)
        if found:
            self._fate.reach("fetched")
        return found

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        self._fate.reach("before the ack")
        await self._bus.ack(deliveries)
        self._fate.reach("acknowledged")


class MortalDatabase:
    """A database at whose writing one may die: before, inside the transaction, or after its commit."""

    def __init__(self, db: Database, fate: Fate) -> None:
        self._db = db
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    async def write(self, fn: Callable[[Any], Any]) -> Any:
        def doomed(session: Any) -> Any:
            found = fn(session)
            self._fate.reach("inside the transaction")
            return found

        self._fate.reach("before the transaction")
        found = await self._db.write(doomed)
        self._fate.reach("committed")
        return found


Act = Callable[[Node], Awaitable[Any]]


class MortalCity:
    """A city whose nodes die by fate, and come back from their databases alone."""

    def __init__(self, city: Federation, fate: Fate) -> None:
        self.city = city
        self.fate = fate
        for place in LINE:
            self._reborn(place)

    def _reborn(self, place: str) -> None:
        line = self.city.line(place)
        line.away = True  # what it had been given and not acknowledged is delivered again
        line.away = False
        node = self.city.restart(place)
        node.bus = MortalBus(node.bus, self.fate)  # type: ignore[assignment]
        node.db = MortalDatabase(node.db, self.fate)  # type: ignore[assignment]

    async def go(self, work: str, place: str, act: Act) -> Any:
        """Let a node do one kind of work; if it dies, it is started again, says hello, and has not answered."""
        self.fate.doing = work
        try:
            return await act(self.city[place])
        except Killed:
            self.fate.doing = ""
            self._reborn(place)
            truthful(self.city, LINE)
            await self.city[place].tell(hello=True)
            return None
        finally:
            self.fate.doing = ""

    async def act(self, place: str, happened: Callable[[Node], bool], action: Any, *words: Any) -> None:
        """An officer does something, and looks whether it was done before doing it again."""
        while not happened(self.city[place]):
            await self.go("act", place, lambda node: node.do(action, *words))
        await self.quiet()

    async def quiet(self) -> None:
        """Until nothing moves, whoever dies meanwhile."""
        for _ in range(60):
            moved = deaths = self.fate.deaths.total()
            for place in LINE:
                moved += await self.go("outbox", place, lambda node: node.drain()) or 0
            moved += await self.city._relay()
            for place in LINE:
                moved += await self.go("inbox", place, lambda node: node.take(0)) or 0
                moved += await self.go("receipts", place, lambda node: node.tell()) or 0
            moved += await self.city._relay()
            if moved == deaths == self.fate.deaths.total():
                return
        raise AssertionError("does not come to rest")


def asked(node: Node, no: str) -> bool:
    """Whether the village has asked for its case back."""
    table = table_of(EventRow).c
    rows = node.read(lambda s: s.execute(select(table.kind).where(table.case_no == no)).scalars().all())
    return "case.withdrawal_asked" in rows


WRITING = {"before the transaction", "inside the transaction", "committed"}
SENDING = {"before publishing", "half published", "published"}
STEPS = {
    "act": WRITING,
    "outbox": SENDING | WRITING,
    "inbox": WRITING | {"fetched", "before the ack", "acknowledged"},
    "receipts": SENDING | WRITING,
}
"""What a node does, and each moment at which it may die of it."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(databases: Databases) -> AsyncIterator[Federation]:
    found = await small_city(databases, ITEM)
    yield found
    await found.close()


@pytest.mark.every_database
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("work", STEPS)
async def test_a_node_killed_at_each_step(town: Federation, work: str) -> None:
    """A case is filed, accepted and withdrawn by asking the holder, and everybody dies at each step of the work."""
    fate = Fate(work)
    city = MortalCity(town, fate)
    known = set(town[VILLAGE].read(cases_of))

    def filed(node: Node) -> bool:
        return len(node.read(cases_of)) == len(known) + 1

    await city.act(VILLAGE, filed, actions.file_case, AGENT, form(ITEM))
    (no,) = set(town[VILLAGE].read(cases_of)) - known
    await city.act(
        TOWNSHIP, lambda node: node.read(cases_of)[no].state is State.ACCEPTED, actions.accept, CLERK, no
    )
    await city.act(VILLAGE, lambda node: asked(node, no), actions.withdraw, AGENT, no, "不办了")
    assert town[VILLAGE].read(cases_of)[no].state is State.WITHDRAWN
    assert set(fate.deaths) == STEPS[work]
    await town.later(4000)
    agree(town, LINE)
