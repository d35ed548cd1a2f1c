"""How far every act got: the "zero silent failure" list, the line, and the quarantine."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, or_, select
from sqlmodel import Session

from node.db import table_of
from node.exchange.model import (
    AS_THEY_CAME,
    EventRow,
    EventState,
    OutboxRow,
    OutState,
    PeerRow,
    QuarantineRow,
)

PAGE = 50


def unfinished(session: Session, limit: int = PAGE, place: str = "") -> Sequence[Row[Any]]:
    """Acts that a reader has not applied yet, oldest first."""
    table = table_of(OutboxRow)
    query = select(table).where(table.c.done_at.is_(None))
    if place:
        query = query.where(table.c.place == place)
    return session.execute(query.order_by(table.c.stored_at, table.c.ord, table.c.place).limit(limit)).all()


def finished(session: Session, limit: int = PAGE) -> Sequence[Row[Any]]:
    """The acts applied last."""
    table = table_of(OutboxRow)
    return session.execute(
        select(table)
        .where(table.c.done_at.is_not(None))
        .order_by(table.c.done_at.desc(), table.c.ord.desc(), table.c.place)
        .limit(limit)
    ).all()


def reach_counts(session: Session) -> dict[str, int]:
    """How many acts are at each stage short of applied, by `OutState`."""
    out = table_of(OutboxRow).c
    rows = session.execute(
        select(out.state, func.count()).where(out.done_at.is_(None)).group_by(out.state)
    ).all()
    found = dict.fromkeys((str(one) for one in OutState if one is not OutState.APPLIED), 0)
    return found | dict(rows)


def oldest_unfinished(session: Session) -> datetime | None:
    """Since when the oldest act waits that a reader has not applied."""
    out = table_of(OutboxRow).c
    return session.execute(select(func.min(out.stored_at)).where(out.done_at.is_(None))).scalar()


def unheard(session: Session, before: datetime) -> tuple[int, datetime | None]:
    """How many acts of before that moment a reader's node has not said to have, and since when the oldest waits."""
    out = table_of(OutboxRow).c
    waits = out.done_at.is_(None), out.state.in_((OutState.STORED, OutState.SENT)), out.stored_at <= before
    count, oldest = session.execute(
        select(func.count(out.ord.distinct()), func.min(out.stored_at)).where(*waits)
    ).one()
    return count, oldest


def aside(session: Session, limit: int = PAGE) -> Sequence[Row[Any]]:
    """Genuine events that wait or stand in quarantine here."""
    event = table_of(EventRow).c
    return session.execute(
        select(
            event.frm,
            event.ep,
            event.ord,
            event.kind,
            event.case_no,
            event.n,
            event.state,
            event.rule,
            event.reason,
            event.at,
        )
        .where(event.state.in_((EventState.WAITING, EventState.QUARANTINED)))
        .order_by(event.at.desc(), *AS_THEY_CAME)
        .limit(limit)
    ).all()


def unbelievable(session: Session, limit: int = PAGE) -> Sequence[Row[Any]]:
    """Messages that were not genuine, the latest first."""
    table = table_of(QuarantineRow).c
    return session.execute(
        select(
            table.sha,
            table.source,
            table.subject,
            table.rule,
            table.reason,
            table.times,
            table.first_at,
            table.last_at,
            table.told,
        )
        .order_by(table.last_at.desc(), table.sha)
        .limit(limit)
    ).all()


def aside_counts(session: Session) -> dict[str, int]:
    """How many events wait, how many are in quarantine, how many messages could not be believed."""
    event, raw = table_of(EventRow).c, table_of(QuarantineRow)
    rows = session.execute(
        select(event.state, func.count())
        .where(or_(event.state == EventState.WAITING, event.state == EventState.QUARANTINED))
        .group_by(event.state)
    ).all()
    found = {str(EventState.WAITING): 0, str(EventState.QUARANTINED): 0} | dict(rows)
    found["unbelievable"] = session.execute(select(func.count()).select_from(raw)).scalar() or 0
    return found


def peers(session: Session) -> Sequence[Row[Any]]:
    """Everyone we exchange with: when last heard, which edition they hold, what they refused of ours."""
    table = table_of(PeerRow)
    return session.execute(select(table).order_by(table.c.place)).all()


def events_total(session: Session) -> int:
    """How many events this node holds, its own and others'."""
    return session.execute(select(func.count()).select_from(table_of(EventRow))).scalar() or 0
