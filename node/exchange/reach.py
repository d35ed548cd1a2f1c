"""How far our own acts got, act by act and reader by reader (零无声失败), and what each reader still owes us."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, tuple_
from sqlmodel import Session

from node.cases.model import CaseRow
from node.db import table_of
from node.exchange.model import ChannelRow, EventRow, EventState, OutboxRow, PeerRow, QuarantineRow
from node.materials.model import SentFileRow
from protocol.envelope import Event, read_event

LATE_S = 900
"""After a quarter of an hour without a receipt an act is late: the line's fault, never the clerk's."""


@dataclass(frozen=True, slots=True)
class Act:
    """One own act with a row for each reader, in the order it names them."""

    ord: int
    at: datetime
    event: Event
    readers: Sequence[Row[Any]]


@dataclass(frozen=True, slots=True)
class Waiting:
    """What one reader has not confirmed."""

    place: str
    acts: int
    since: datetime


def unfinished(session: Session, me: str, after: int = 0, limit: int = 30) -> list[Act]:
    """Acts that some reader has not applied, or whose files have not come to it; the oldest first, above `after`."""
    out, sent = table_of(OutboxRow).c, table_of(SentFileRow).c
    waiting = select(out.ep, out.ord).where(out.done_at.is_(None), out.ord > after)
    on_the_way = select(sent.ep, sent.ord).where(sent.reached_at.is_(None), sent.ord > after)
    numbers = session.execute(waiting.union(on_the_way).order_by("ord").limit(limit)).all()
    event = table_of(EventRow).c
    rows = session.execute(
        select(event.ord, event.at, event.raw)
        .where(event.frm == me, tuple_(event.ep, event.ord).in_([tuple(one) for one in numbers]))
        .order_by(event.ord)
    ).all()
    return _acts(session, rows)


def latest(session: Session, me: str, before: int = 0, limit: int = 30) -> list[Act]:
    """Every act of ours, the newest first, numbered below `before`."""
    event = table_of(EventRow).c
    query = select(event.ord, event.at, event.raw).where(event.frm == me, event.state == EventState.MINE)
    if before:
        query = query.where(event.ord < before)
    return _acts(session, session.execute(query.order_by(event.ord.desc()).limit(limit)).all())


def _acts(session: Session, rows: Iterable[Row[Any]]) -> list[Act]:
    """Each event names its readers with their numbers, which is the key of their rows."""
    told = [(row.ord, row.at, read_event(row.raw)) for row in rows]
    keys = [(place, event.ep, seq) for _, _, event in told for place, seq in event.to]
    found: dict[tuple[str, str, int], Row[Any]] = {}
    table = table_of(OutboxRow)
    for at in range(0, len(keys), 300):
        part = tuple_(table.c.place, table.c.ep, table.c.seq).in_(keys[at : at + 300])
        found |= {(row.place, row.ep, row.seq): row for row in session.execute(select(table).where(part))}
    return [
        Act(
            number,
            at,
            event,
            [found[key] for place, seq in event.to if (key := (place, event.ep, seq)) in found],
        )
        for number, at, event in told
    ]


def items_of(session: Session, numbers: Iterable[str]) -> dict[str, str]:
    """The item of each of these cases."""
    case = table_of(CaseRow).c
    rows = session.execute(select(case.no, case.item).where(case.no.in_(sorted(numbers))))
    return {row.no: row.item for row in rows}


def waiting(session: Session) -> dict[str, Waiting]:
    """By reader: how many acts it has not confirmed, and since when the oldest waits."""
    out = table_of(OutboxRow).c
    rows = session.execute(
        select(out.place, func.count(), func.min(out.stored_at))
        .where(out.done_at.is_(None))
        .group_by(out.place)
    )
    return {row[0]: Waiting(row[0], row[1], row[2]) for row in rows}


def heard(session: Session) -> dict[str, datetime]:
    """When anything genuine last came from each place: mail or receipt."""
    channel, peer = table_of(ChannelRow).c, table_of(PeerRow).c
    mail = session.execute(select(channel.frm, func.max(channel.last_at)).group_by(channel.frm)).all()
    said = session.execute(select(peer.place, peer.heard_at)).all()
    found: dict[str, datetime] = {}
    for place, at in (*mail, *said):
        if at is not None and (place not in found or found[place] < at):
            found[place] = at
    return found


def gaps(session: Session) -> tuple[int, int]:
    """(senders with numbers missing in their channel to us, numbers missing at most)."""
    channel = table_of(ChannelRow).c
    row = session.execute(
        select(func.count(), func.sum(channel.highest - channel.upto)).where(channel.highest > channel.upto)
    ).one()
    return row[0] or 0, row[1] or 0


def refused_bytes(session: Session, sha: str) -> bytes | None:
    """The message in quarantine under this name, as far as it was kept."""
    table = table_of(QuarantineRow).c
    return session.execute(select(table.raw).where(table.sha == sha)).scalar()
