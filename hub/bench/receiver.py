"""What the receiving side does: the city takes in, verifies, applies and receipts; and its bounds, each alone.

One rule: a bound is made of the same calls on the same events as the whole, with the rest left out.
"""

import asyncio
import time
from pathlib import Path

from sqlalchemy import func, select
from sqlmodel import Session

from hub.bench.meter import Meter, Spent
from hub.bench.sender import read_pieces
from hub.bench.stage import Desk, online, opened
from node.db import table_of
from node.exchange.arrivals import Incoming, examine, portions
from node.exchange.model import ChannelRow
from node.exchange.views import aside_counts
from node.loops import Wake
from node.node import FETCH, Node
from protocol import subjects
from protocol.dsse import sha256
from protocol.envelope import cut, read_event
from protocol.verify import open_statement

QUIET_S = 4.0
"""After so long without mail, nothing more is coming."""


def applied(session: Session) -> int:
    """How many events have come and are applied, without a gap."""
    return int(session.execute(select(func.coalesce(func.sum(table_of(ChannelRow).c.upto), 0))).scalar_one())


async def drain(desk: Desk, events: int) -> Spent:
    """All that waits at the hub: fetched, verified, applied, acknowledged, receipted."""
    with opened(desk) as node:
        all_in = node.read(applied) + events
        async with online(node):
            with Meter() as meter:
                while node.read(applied) < all_in:
                    await node.take(5.0)
                await node.tell()
            return meter.spent(events)


async def carry_in(desk: Desk, events: int) -> Spent:
    """The node with all its loops until `events` are applied, and a little longer for the last receipt."""
    with opened(desk) as node:
        node.receipt_wake = seen = _Seen(node)
        all_in = node.read(applied) + events
        with Meter() as meter:
            async with node.running():
                await seen.until(all_in)
                await asyncio.sleep(2 * node.config.pace.receipt_s)
        spent = meter.spent(events)
        return Spent(events, spent.began, seen.when(all_in), spent.cpu_s)


async def watch(desk: Desk) -> list[tuple[float, int]]:
    """The node with all its loops until nothing more comes: when how many events were applied."""
    with opened(desk) as node:
        node.receipt_wake = seen = _Seen(node)
        async with node.running():
            await seen.until(1)
            while await seen.more(QUIET_S):
                pass
        return seen.times


class _Seen(Wake):
    """A bell that notes when it rings, which is after each commit of the inbox, and how much is applied then."""

    def __init__(self, node: Node) -> None:
        super().__init__()
        self.times: list[tuple[float, int]] = []
        self._node = node
        self._rung = asyncio.Event()

    def ring(self) -> None:
        super().ring()
        at = time.monotonic()
        self.times.append((at, self._node.read(applied)))
        self._rung.set()

    def when(self, events: int) -> float:
        """When so many were applied."""
        return next(at for at, count in self.times if count >= events)

    async def until(self, events: int) -> None:
        """Wait until so many are applied."""
        while not self.times or self.times[-1][1] < events:
            await self._rung.wait()
            self._rung.clear()

    async def more(self, within_s: float) -> bool:
        """Whether anything came in the next so many seconds."""
        self._rung.clear()
        try:
            async with asyncio.timeout(within_s):
                await self._rung.wait()
        except TimeoutError:
            return False
        return True


async def verify_only(desk: Desk, letters: Path) -> Spent:
    """Signatures of statements, and the hashes of the events under them: nothing is decoded."""
    with opened(desk) as node:
        parcels, count = read_pieces(letters), 0
        with Meter() as meter:
            for one in parcels:
                lines = cut(one)
                statement, _ = open_statement(lines.statement, node.know.ring)
                named = frozenset(statement.events)
                count += sum(sha256(line) in named for line in lines.events)
        return meter.spent(count)


async def decode_only(desk: Desk, letters: Path) -> Spent:
    """Event lines read and checked in form: nothing is verified."""
    with opened(desk) as node:
        lines = [line for one in read_pieces(letters) for line in cut(one).events]
        assert node.know.place
        with Meter() as meter:
            for line in lines:
                read_event(line)
        return meter.spent(len(lines))


async def apply_only(desk: Desk, letters: Path) -> Spent:
    """The inbox on events already opened, in the portions in which they come: nothing is fetched or verified."""
    with opened(desk) as node:
        source = next(place.code for place in node.know.roster if place.code != node.place)
        subject = subjects.mail(subjects.Lane.SUP, node.place, source)
        incoming = [Incoming(subject, one) for one in read_pieces(letters)]
        batches = [examine(part, node.know, node.clock()) for part in portions(incoming)]
        count = sum(len(one.arrivals) for one in batches)
        with Meter() as meter:
            for batch in batches:
                await node.do(node.inbox.take_in, batch)
        assert not any(node.read(aside_counts).values())
        return meter.spent(count)


async def fetch_only(desk: Desk, count: int) -> Spent:
    """Messages fetched up to 500 at once and acknowledged by the bus alone."""
    with opened(desk) as node:
        async with online(node):
            got = 0
            with Meter() as meter:
                while got < count:
                    deliveries = await node.bus.fetch("MAIL", FETCH, 5.0)
                    await node.bus.ack(deliveries)
                    got += len(deliveries)
            return meter.spent(got)
