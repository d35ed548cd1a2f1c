"""Looking at cases: named, read-only queries for pages and programs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import Row, and_, func, or_, select
from sqlmodel import Session

from node.cases.model import CaseRow
from node.db import table_of
from node.errors import NotFound
from node.exchange.model import AS_THEY_CAME, EventRow, EventState, OutboxRow
from protocol.lifecycle import IN_TRANSIT, OVER, STOPPED, State

PAGE = 30

BOXES = {
    "todo": "待我办理",
    "incoming": "待签收",
    "correcting": "待补正",
    "working": "审查中",
    "deciding": "待审签",
    "deliver": "待送达",
    "elsewhere": "他处办理中",
    "over": "已办结",
    "all": "全部",
}
"""Boxes of a work queue, by key."""


@dataclass(frozen=True, slots=True)
class Search:
    """What to list: a box, words (number or its end), and where the last page ended."""

    box: str = "todo"
    words: str = ""
    after: str = ""
    limit: int = PAGE
    items: frozenset[str] | None = None
    """Only cases of these items; None: of all."""
    no_items: frozenset[str] = frozenset()
    """No cases of these items."""

    def among(self, items: Iterable[str]) -> "Search":
        """The same for cases of these items alone."""
        return replace(self, items=frozenset(items))

    def without(self, items: Iterable[str]) -> "Search":
        """The same for cases of all other items."""
        return replace(self, no_items=frozenset(items))


def _box(key: str, me: str) -> list[Any]:
    case = table_of(CaseRow).c
    mine = case.speaker == me
    asked = and_(
        case.state == State.CORRECTING, case.origin == me
    )  # the applicant's papers come in where he filed
    found: dict[str, list[Any]] = {
        "todo": [or_(mine, asked), case.state.not_in([*_values(OVER - {State.CLOSED})])],
        "incoming": [mine, case.state.in_(_values(IN_TRANSIT))],
        "correcting": [or_(mine, asked), case.state == State.CORRECTING],
        "working": [
            mine,
            case.state.in_([State.RECEIVED, State.ACCEPTED, State.SPECIAL, State.JOINT, State.BOUNCED]),
        ],
        "deciding": [mine, case.state == State.DECIDING],
        "deliver": [mine, case.state == State.CLOSED],
        "elsewhere": [case.speaker != me, case.closed_on.is_(None)],
        "over": [case.closed_on.is_not(None)],
        "all": [],
    }
    return found.get(key, found["todo"])


def _values(states: frozenset[State]) -> list[str]:
    return [str(one) for one in states]


def find(session: Session, me: str, search: Search) -> Sequence[Row[Any]]:
    """A page of cases: those with the nearest promised day first, without one last."""
    table = table_of(CaseRow)
    case = table.c
    query = select(table).where(*_box(search.box, me))
    if search.items is not None:
        query = query.where(case.item.in_(sorted(search.items)))
    if search.no_items:
        query = query.where(case.item.not_in(sorted(search.no_items)))
    if words := search.words.strip():
        query = query.where(or_(case.no == words, case.no.endswith(words, autoescape=True)))
    far = func.coalesce(case.due, date(9999, 1, 1))
    if search.after:
        at = session.execute(select(far, case.no).where(case.no == search.after)).first()
        if at is not None:
            query = query.where(or_(far > at[0], (far == at[0]) & (case.no > at[1])))
    return session.execute(query.order_by(far, case.no).limit(search.limit)).all()


def counts(session: Session, me: str) -> dict[str, int]:
    """How many cases each box of the work queue holds; "all" and "over" are not counted."""
    case = table_of(CaseRow).c
    found = {}
    for key in BOXES:
        if key not in ("all", "over"):
            query = select(func.count()).select_from(table_of(CaseRow)).where(*_box(key, me))
            found[key] = session.execute(query).scalar() or 0
    open_here = select(func.count()).where(case.speaker == me, case.closed_on.is_(None))
    found["open"] = session.execute(open_here).scalar() or 0
    return found


def late(session: Session, today: date, holder: str | None = None) -> int:
    """Open cases past their promised day, of one holder or of everybody we hear."""
    case = table_of(CaseRow).c
    query = select(func.count()).where(
        case.closed_on.is_(None), case.outcome == "", case.due < today, case.state.not_in(_values(STOPPED))
    )
    if holder:
        query = query.where(case.holder == holder)
    return session.execute(query).scalar() or 0


def one(session: Session, no: str) -> Row[Any]:
    """The row of one case; NotFound if this node has never heard of it."""
    table = table_of(CaseRow)
    row = session.execute(select(table).where(table.c.no == no)).first()
    if row is None:
        raise NotFound(f"没有找到办件 {no}")
    return row


def events(session: Session, no: str) -> Sequence[Row[Any]]:
    """Everything said about a case that is here, whatever its state, in the order of the chain."""
    event = table_of(EventRow).c
    return session.execute(
        select(
            event.frm,
            event.ep,
            event.ord,
            event.hash,
            event.kind,
            event.n,
            event.state,
            event.rule,
            event.reason,
            event.raw,
            event.statement,
            event.at,
        )
        .where(event.case_no == no)
        .order_by(event.n.is_(None), event.n, *AS_THEY_CAME)
    ).all()


def reach(session: Session, no: str) -> Sequence[Row[Any]]:
    """How far each of our acts about a case got, for each reader."""
    out = table_of(OutboxRow).c
    return session.execute(
        select(
            out.ep,
            out.ord,
            out.place,
            out.kind,
            out.state,
            out.rule,
            out.reason,
            out.stored_at,
            out.sent_at,
            out.done_at,
            out.tries,
        )
        .where(out.case_no == no)
        .order_by(out.ord, out.place)
    ).all()


def waiting(session: Session, no: str) -> Sequence[Row[Any]]:
    """Events of a case that stand aside here: waiting or in quarantine."""
    event = table_of(EventRow).c
    return session.execute(
        select(event.frm, event.kind, event.n, event.state, event.rule, event.reason)
        .where(event.state.in_((EventState.WAITING, EventState.QUARANTINED)), event.case_no == no)
        .order_by(event.n.is_(None), event.n, *AS_THEY_CAME)
    ).all()
