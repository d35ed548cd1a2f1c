"""Events of others that stand here and are tried again: brought back from their bytes, and what became of them.

One rule: what is tried again is proved again. What does not prove is set aside with its rule, and nothing else suffers.
"""

from typing import Any

from sqlalchemy import select, update

from node.db import table_of
from node.exchange.arrivals import Arrival
from node.exchange.model import AS_THEY_CAME, ChannelRow, EventRow, EventState, StatementRow
from node.work import Work
from protocol.errors import EnvelopeError
from protocol.verify import prove


def stored(work: Work, *which: Any) -> list[Arrival]:
    """The events of others that fit, as they came, in the state in which they stand."""
    event, statement = table_of(EventRow).c, table_of(StatementRow).c
    rows = work.session.execute(
        select(event.frm, event.ep, event.ord, event.state, event.raw, statement.line)
        .join_from(table_of(EventRow), table_of(StatementRow), event.statement == statement.hash)
        .where(*which)
        .order_by(*AS_THEY_CAME)
    ).all()
    found = []
    for row in rows:
        try:
            verified = prove(row.raw, row.line, work.know.ring)
        except EnvelopeError as wrong:
            rewrite(work, row.frm, row.ep, row.ord, EventState.QUARANTINED, wrong.rule, wrong.reason)
        else:
            found.append(Arrival(verified, row.ord, EventState(row.state)))
    return found


def restate(work: Work, one: Arrival) -> None:
    """Write down what became of one that had stood here, and have its sender told."""
    rewrite(work, one.event.frm, one.event.ep, one.seq, one.state, one.rule, one.reason)


def rewrite(work: Work, frm: str, ep: str, number: int, state: EventState, rule: str, reason: str) -> None:
    """The same of one that is named by its number."""
    event, channel = table_of(EventRow), table_of(ChannelRow)
    work.session.execute(
        update(event)
        .where(event.c.frm == frm, event.c.ep == ep, event.c.ord == number)
        .values(state=state, rule=rule, reason=reason)
    )
    work.session.execute(
        update(channel).where(channel.c.frm == frm, channel.c.ep == ep).values(changes=channel.c.changes + 1)
    )
