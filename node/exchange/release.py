"""What an administrator may do about the exchange: try again what stands aside, carry mail by hand."""

from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Row, select
from sqlmodel import Session

from node import audit
from node.accounts.officer import Officer
from node.db import table_of
from node.errors import Conflict, NotFound
from node.exchange.arrivals import BARRED
from node.exchange.inbox import Inbox
from node.exchange.model import EventRow, EventState, OutboxRow, StatementRow
from node.exchange.waiting import restate, stored
from node.work import Knowledge, Work
from protocol.envelope import parcel


def release(work: Work, inbox: Inbox, officer: Officer, frm: str, ep: str, number: int) -> Row[Any]:
    """放行重试: try an event in quarantine again, as if it came now; its (state, rule, reason) after that.

    Conflict where that could change nothing: whom his certificate does not entitle, nobody here can.
    """
    event = table_of(EventRow).c
    here = (event.frm == frm, event.ep == ep, event.ord == number)
    rule = select(event.rule).where(*here, event.state == EventState.QUARANTINED)
    broken = work.session.execute(rule).scalar()
    if broken is None:
        raise NotFound("隔离区里没有这一条")
    if broken in BARRED:
        raise Conflict(f"{frm} 的证书无权说这一条，放行也不能办理；换发证书后由对方重发，收到后自动办理")
    for one in stored(work, *here):
        one.state, one.rule, one.reason = EventState.APPLIED, "", ""
        inbox.apply(work, [one])
        restate(work, one)
    found = work.session.execute(select(event.state, event.rule, event.reason).where(*here)).one()
    what = f"{frm}/{number} {broken} → {found.state} {found.rule}".strip()
    audit.record(work.session, officer.login, "quarantine.release", what, now=work.now)
    return found


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
