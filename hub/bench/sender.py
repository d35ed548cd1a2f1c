"""What the sending side does: a county's window files and decides real cases, its outbox carries them out.

One rule: everything goes through the node's own doors (`Node.do`, `Node.drain`, `Node.take`, `Node.running`); what a
bound or a simpler receiver needs besides, is made here from the same events.
"""

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from sqlalchemy import func, select

from hub.bench.meter import Meter, Spent
from hub.bench.stage import Desk, online, opened
from hub.demo.city import officer_at
from node.bus import Mail
from node.cases import actions
from node.cases.filing import Filing
from node.db import table_of
from node.exchange.model import EventRow, OutboxRow
from node.exchange.outbox import outstanding
from node.loops import Wake
from node.node import Node
from protocol import subjects
from protocol.catalogue import Item
from protocol.dsse import sha256
from protocol.envelope import MAX_EVENTS, parcel, sign
from protocol.errors import RoutingError
from protocol.identity import mod_11_2
from protocol.places import Code
from protocol.routing import check_filing, route

STEPS_OF_A_CASE = 8
"""filed, taken, accepted, reviewed, granted, closed, delivered, archived."""
WINDOWS = 32
"""Cases worked on at the same time."""
KIB = b"x" * 1024


async def file_acts(desk: Desk, events: int, slices: int) -> list[Spent]:
    """File and decide as many cases as give `events` steps, with the line down; what each slice took."""
    cases = -(-events // STEPS_OF_A_CASE)
    with opened(desk) as node:
        items = _ours(node)
        found = []
        for part in _cut(cases, slices):
            with Meter() as meter:
                for at in range(part.start, part.stop, WINDOWS):
                    numbers = range(at, min(at + WINDOWS, part.stop))
                    await asyncio.gather(*(_case(node, items[one % len(items)], one) for one in numbers))
            found.append(meter.spent(len(part) * STEPS_OF_A_CASE))
        return found


def _cut(count: int, slices: int) -> Iterator[range]:
    """0..count in so many parts."""
    edges = [count * at // slices for at in range(slices + 1)]
    return (range(first, last) for first, last in pairwise(edges) if last > first)


def _ours(node: Node) -> list[Item]:
    """The items that this place's own window takes in and decides."""
    assert node.know.catalogue is not None
    found = []
    for item in node.know.catalogue:
        try:
            check_filing(item, node.know.roster[node.place], by_agent=False)
            way = route(node.know.catalogue, node.know.roster, item.id, node.place, node.clock().date())
        except RoutingError:
            continue
        if way.receives.code == way.decides.code == node.place:
            found.append(item)
    return found


async def _case(node: Node, item: Item, nth: int) -> None:
    """One case from filing to the archive, as the window's officers do it."""
    clerk, reviewer, chief = (officer_at(node, login) for login in ("clerk", "reviewer", "chief"))
    no = await node.do(actions.file_case, clerk, form(item, nth))
    await node.do(actions.accept, clerk, no)
    await node.do(actions.review, reviewer, no, "同意", "材料齐全，符合条件")
    await node.do(actions.decide, chief, no, "granted", "")
    await node.do(actions.deliver, clerk, no, "窗口领取", "申请人")
    await node.do(actions.archive, clerk, no)


def form(item: Item, nth: int) -> Filing:
    """The papers of the nth resident, filed at the window."""
    needed = tuple(one.name for one in item.materials if one.need == "必要")
    materials = needed or tuple(one.name for one in item.materials[:1])
    digits = f"640221{1940 + nth % 60}0301{nth % 1000:03d}"
    return Filing(
        item=item.id,
        name="王小明",
        id_no=digits + mod_11_2(digits),
        phone=f"138{nth:08d}",
        address="平罗县城关镇",
        materials=materials,
    )


async def send(desk: Desk) -> Spent:
    """Outbox, signature, parcels, hub, record: all that waits, sent; nobody answers meanwhile."""
    with opened(desk) as node:
        async with online(node):
            with Meter() as meter:
                sent = await node.drain()
            return meter.spent(sent)


async def hear(desk: Desk) -> Spent:
    """Take the receipts until every act is known to be applied."""
    with opened(desk) as node:
        waiting = node.read(outstanding)
        async with online(node):
            with Meter() as meter:
                while node.read(outstanding):
                    await node.take(1.0)
            return meter.spent(waiting)


async def carry_out(desk: Desk) -> Spent:
    """The node with all its loops, from a backlog until the last receipt is here."""
    with opened(desk) as node:
        waiting = node.read(outstanding)
        node.receipt_wake = heard = _Heard()
        with Meter() as meter:
            async with node.running():
                while node.read(outstanding):
                    await heard.next()
        return meter.spent(waiting)


class _Heard(Wake):
    """A bell that one more may listen to: it rings when something was taken in."""

    def __init__(self) -> None:
        super().__init__()
        self._rung = asyncio.Event()

    def ring(self) -> None:
        super().ring()
        self._rung.set()

    async def next(self) -> None:
        """Until it has rung since the last time."""
        await self._rung.wait()
        self._rung.clear()


async def act_now_and_then(desk: Desk, acts: int, pause_s: float) -> list[tuple[int, float]]:
    """Real filings one by one on a quiet line: (number of the last event, when it was committed)."""
    out = table_of(OutboxRow).c
    found = []
    with opened(desk) as node:
        items, clerk = _ours(node), officer_at(node, "clerk")
        async with node.running():
            while node.read(outstanding) or not node.bus.connected:
                await asyncio.sleep(pause_s)
            for at in range(acts):
                await asyncio.sleep(pause_s)
                await node.do(actions.file_case, clerk, form(items[at % len(items)], at))
                committed = time.monotonic()
                found.append(
                    (
                        node.db.read(lambda session: session.execute(select(func.max(out.seq))).scalar_one()),
                        committed,
                    )
                )
            while node.read(outstanding):
                await asyncio.sleep(pause_s)
    return found


async def write_letters(desk: Desk, events: int, per_statement: int, into: Path) -> int:
    """The first events as parcels in a file, so many under one signature; how many bytes the parcels have."""
    with opened(desk) as node:
        parcels = list(_parcels(node, events, per_statement))
    write_pieces(into, parcels)
    return sum(map(len, parcels))


def _parcels(node: Node, events: int, per_statement: int) -> Iterator[bytes]:
    know, lines = node.know, _lines(node, events)
    for at in range(0, len(lines), per_statement):
        part = lines[at : at + per_statement]
        made = sign([sha256(raw) for raw in part], know.keys, know.certificate, node.clock())
        yield parcel(made.line, part)


def _lines(node: Node, events: int) -> list[bytes]:
    event = table_of(EventRow).c
    query = (
        select(event.raw)
        .where(event.frm == node.place, event.n.is_not(None))
        .order_by(event.ord)
        .limit(events)
    )
    return node.db.read(lambda session: list(session.execute(query).scalars()))


def write_pieces(path: Path, pieces: Sequence[bytes]) -> None:
    """Byte strings, each after its length."""
    path.write_bytes(b"".join(len(one).to_bytes(4, "big") + one for one in pieces))


def read_pieces(path: Path) -> list[bytes]:
    """What `write_pieces` wrote."""
    raw, at, found = path.read_bytes(), 0, []
    while at < len(raw):
        end = at + 4 + int.from_bytes(raw[at : at + 4], "big")
        found.append(raw[at + 4 : end])
        at = end
    return found


async def sign_only(desk: Desk, events: int) -> Spent:
    """Statements over 64 events each, and nothing else."""
    with opened(desk) as node:
        names = [sha256(raw) for raw in _lines(node, events)]
        with Meter() as meter:
            for at in range(0, len(names), MAX_EVENTS):
                sign(names[at : at + MAX_EVENTS], node.know.keys, node.know.certificate, node.clock())
        return meter.spent(len(names))


async def publish_kib(desk: Desk, reader: Code, count: int) -> Spent:
    """Single messages of 1 KiB, handed to the hub by the bus alone."""
    return await _publish(desk, reader, [KIB] * count)


async def publish_letters(desk: Desk, reader: Code, letters: Path) -> Spent:
    """Parcels from a file, handed to the hub by the bus alone."""
    return await _publish(desk, reader, read_pieces(letters))


async def _publish(desk: Desk, reader: Code, pieces: list[bytes]) -> Spent:
    with opened(desk) as node:
        subject = subjects.mail(subjects.Lane.SUP, reader, node.place)
        mails = [Mail(subject, one, os.urandom(16).hex()) for one in pieces]
        async with online(node):
            with Meter() as meter:
                stored = await node.bus.publish(mails)
            if not all(stored):
                raise RuntimeError(f"the hub stored {sum(stored)} of {len(mails)}: {node.bus.trouble}")
            return meter.spent(len(mails))
