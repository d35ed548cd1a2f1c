"""Reading the figures: sums over the cubes, open and overdue from the cases, declared beside recomputed.

One rule: every answer can say as of when it was read and which places it covers; nothing is guessed for the rest.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Integer, Row, func, select
from sqlmodel import Session

from node.cases.model import CaseRow
from node.db import table_of
from node.exchange.model import ChannelRow
from node.figures.model import MEASURES, DailyReportRow, DayPlaceRow, MonthItemRow, MonthTierRow
from protocol.lifecycle import STOPPED


@dataclass(frozen=True, slots=True)
class Open:
    """Cases in hand at one place, by the promised working days."""

    holder: str
    in_hand: int
    due_soon: int
    """Due today or on the next working day."""
    overdue: int


def open_by_holder(session: Session, today: date, soon: date) -> dict[str, Open]:
    """In hand, near due and overdue for each holder whose cases this node hears; a stopped clock is never late."""
    case = table_of(CaseRow).c
    running = case.state.not_in([str(one) for one in STOPPED]) & (case.outcome == "")
    rows = session.execute(
        select(
            case.holder,
            func.count(),
            func.sum(((case.due >= today) & (case.due <= soon) & running).cast(Integer)),
            func.sum(((case.due < today) & running).cast(Integer)),
        )
        .where(case.closed_on.is_(None))
        .group_by(case.holder)
    ).all()
    return {row[0]: Open(row[0], row[1], row[2] or 0, row[3] or 0) for row in rows}


def by_item(session: Session, months: Sequence[str]) -> Sequence[Row[Any]]:
    """Measures by county and item over these months (2026-11)."""
    return _summed(session, MonthItemRow, ("county", "item"), months)


def by_county(session: Session, months: Sequence[str]) -> Sequence[Row[Any]]:
    """Measures by county."""
    return _summed(session, MonthItemRow, ("county",), months)


def by_tier(session: Session, months: Sequence[str]) -> Sequence[Row[Any]]:
    """Measures by the tier that acted."""
    return _summed(session, MonthTierRow, ("tier",), months)


def by_place(session: Session, first: date, last: date) -> Sequence[Row[Any]]:
    """Measures by the place that acted, over these days."""
    table = table_of(DayPlaceRow)
    sums = [func.sum(table.c[name]).label(name) for name in MEASURES]
    return session.execute(
        select(table.c.place, *sums).where(table.c.day.between(first, last)).group_by(table.c.place)
    ).all()


def by_month_and_tier(session: Session, months: Sequence[str]) -> Sequence[Row[Any]]:
    """Measures by month and the tier that acted."""
    return _summed(session, MonthTierRow, ("month", "tier"), months)


def daily(session: Session, first: date, last: date) -> Sequence[Row[Any]]:
    """How many cases each place filed on each of these days: (day, place, filed)."""
    table = table_of(DayPlaceRow).c
    return session.execute(
        select(table.day, table.place, table.filed).where(table.day.between(first, last), table.filed > 0)
    ).all()


def most_urgent(session: Session, within: Sequence[str] | None = None, limit: int = 8) -> Sequence[Row[Any]]:
    """Open cases whose clock runs, by promised day; `within`: only those that came from these places."""
    table = table_of(CaseRow)
    case = table.c
    query = select(table).where(
        case.closed_on.is_(None),
        case.due.is_not(None),
        case.outcome == "",
        case.state.not_in([str(one) for one in STOPPED]),
    )
    if within is not None:
        query = query.where(case.origin.in_(list(within)))
    return session.execute(query.order_by(case.due, case.no).limit(limit)).all()


def _summed(session: Session, model: Any, keys: tuple[str, ...], months: Iterable[str]) -> Sequence[Row[Any]]:
    table = table_of(model)
    sums = [func.sum(table.c[name]).label(name) for name in MEASURES]
    named = [table.c[key] for key in keys]
    return session.execute(
        select(*named, *sums).where(table.c.month.in_(list(months))).group_by(*named).order_by(*named)
    ).all()


@dataclass(frozen=True, slots=True)
class Compared:
    """One place, one day: what it declared beside what we counted from its signed steps."""

    place: str
    declared: dict[str, int] | None
    """None: it has not reported this day."""
    recomputed: dict[str, int]

    @property
    def differs(self) -> bool:
        """Whether the two do not agree."""
        return self.declared is not None and self.declared != self.recomputed


def compared(session: Session, day: date, places: Iterable[str]) -> list[Compared]:
    """Declared beside recomputed for each place on this day; neither is ever corrected by the other."""
    report, tally = table_of(DailyReportRow), table_of(DayPlaceRow)
    said = {row.place: row.totals for row in session.execute(select(report).where(report.c.day == day))}
    counted = {row.place: row for row in session.execute(select(tally).where(tally.c.day == day))}
    return [Compared(place, _total(said.get(place)), _counts(counted.get(place))) for place in places]


@dataclass(slots=True)
class Agreement:
    """One place over some days: declared and recomputed over the days it has reported, and what lies beside them."""

    reports: int = 0
    accepted: tuple[int, int] = (0, 0)
    """受理: declared, recomputed."""
    closed: tuple[int, int] = (0, 0)
    """办结: declared, recomputed."""
    beside: int = 0
    """Accepted or closed by our count on finished days for which no report has come."""


_CLOSING = ("granted", "refused", "not_accepted", "withdrawn")
"""The steps that end a case and that a daily report counts."""


def agreement(session: Session, first: date, last: date) -> dict[str, Agreement]:
    """Declared beside recomputed by place; days without a report are counted apart, never as zero."""
    report, tally = table_of(DailyReportRow), table_of(DayPlaceRow)
    found: dict[str, Agreement] = defaultdict(Agreement)
    columns = [tally.c.day, tally.c.place, tally.c.accepted, *(tally.c[name] for name in _CLOSING)]
    counted = {
        (row.place, row.day): (row.accepted, sum(getattr(row, name) for name in _CLOSING))
        for row in session.execute(select(*columns).where(tally.c.day.between(first, last)))
    }
    said = session.execute(
        select(report.c.place, report.c.day, report.c.totals).where(report.c.day.between(first, last))
    )
    for row in said:
        one, (accepted, closed) = found[row.place], counted.pop((row.place, row.day), (0, 0))
        steps = row.totals.values()
        one.reports += 1
        told = sum(counts.get("accepted", 0) for counts in steps)
        ended = sum(counts.get(name, 0) for counts in steps for name in _CLOSING)
        one.accepted = (one.accepted[0] + told, one.accepted[1] + accepted)
        one.closed = (one.closed[0] + ended, one.closed[1] + closed)
    for (place, _), (accepted, closed) in counted.items():
        found[place].beside += accepted + closed
    return dict(found)


def reported(session: Session, day: date) -> set[str]:
    """Who has declared this day."""
    report = table_of(DailyReportRow).c
    return set(session.execute(select(report.place).where(report.day == day)).scalars())


_DECLARED = (
    "filed",
    "taken",
    "accepted",
    "not_accepted",
    "returned",
    "forwarded",
    "granted",
    "refused",
    "withdrawn",
    "delivered",
)


def _total(by_item: dict[str, dict[str, int]] | None) -> dict[str, int] | None:
    if by_item is None:
        return None
    found = {name: sum(counts.get(name, 0) for counts in by_item.values()) for name in _DECLARED}
    return {name: count for name, count in found.items() if count}


def _counts(row: Any) -> dict[str, int]:
    return {} if row is None else {name: getattr(row, name) for name in _DECLARED if getattr(row, name)}


def last_heard(session: Session) -> dict[str, datetime]:
    """When anything last came from each place."""
    channel = table_of(ChannelRow).c
    rows = session.execute(select(channel.frm, func.max(channel.last_at)).group_by(channel.frm)).all()
    return {row[0]: row[1] for row in rows if row[1] is not None}
