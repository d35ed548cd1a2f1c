"""What an administrator may do about the exchange: try again what stands aside, carry mail by hand."""

from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session

from node import audit
from node.accounts.officer import Officer
from node.db import table_of
from node.errors import NotFound
from node.exchange.model import ChannelRow, EventRow, EventState, OutboxRow, StatementRow
from node.work import Knowledge, Work
from protocol.envelope import parcel


def release(work: Work, officer: Officer, frm: str, ep: str, number: int) -> None:
    """Put an event in quarantine back into its lane, to be tried with the next event of its case or edition."""
    event, channel = table_of(EventRow), table_of(ChannelRow)
    found = work.session.connection().execute(
        update(event)
        .where(
            event.c.frm == frm,
            event.c.ep == ep,
            event.c.ord == number,
            event.c.state == EventState.QUARANTINED,
        )
        .values(state=EventState.WAITING, rule="", reason="已放行，等待重试")
    )
    if not found.rowcount:
        raise NotFound("隔离区里没有这一条")
    work.session.execute(
        update(channel).where(channel.c.frm == frm, channel.c.ep == ep).values(changes=channel.c.changes + 1)
    )
    audit.record(work.session, officer.login, "quarantine.release", f"{frm}/{number}", now=work.now)


def carry(session: Session, know: Knowledge, place: str, now: datetime) -> bytes:  # noqa: ARG001
    """Every signed act that `place` has not applied, as parcels one after the other (摆渡)."""
    out, event, statement = table_of(OutboxRow).c, table_of(EventRow).c, table_of(StatementRow).c
    rows: Any = session.execute(
        select(event.statement, statement.line, event.raw)
        .select_from(table_of(OutboxRow))
        .join(table_of(EventRow), (event.frm == know.place) & (event.ep == out.ep) & (event.ord == out.ord))
        .join(table_of(StatementRow), statement.hash == event.statement)
        .where(out.place == place, out.done_at.is_(None))
        .order_by(out.ord)
        .limit(5000)
    ).all()
    chain = [one.line for one in know.ring.chain(know.place)]
    found = [
        parcel(line, [row.raw for row in group], chain)
        for (_, line), group in groupby(rows, key=lambda row: (row.statement, row.line))
    ]
    return b"".join(found)
