"""汇总: a hub's sums by child, item, tier and month; what was declared beside what was recomputed.

One rule: two figures of the same thing stand side by side with their difference; neither overwrites the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlmodel import Session

from hub.boards.standing import Contact, Seen, Standing, contact, look, standings
from node.errors import BadRequest
from node.exchange import reach
from node.exchange import views as exchange
from node.figures import views as figures
from node.figures.views import Agreement
from node.work import Knowledge
from protocol.places import Place, Tier
from protocol.roster import Roster

MONTHS = 6


@dataclass(frozen=True, slots=True)
class Period:
    """Whole months, the last perhaps unfinished: "2026-11" or "2026"."""

    name: str
    months: tuple[str, ...]
    first: date
    last: date


def period(asked: str, today: date) -> Period:
    """The period asked for, this month by default, never beyond today; BadRequest if it is none."""
    text = asked or f"{today:%Y-%m}"
    try:
        first = date(int(text[:4]), int(text[5:7]) if len(text) > 4 else 1, 1)
    except ValueError:
        raise BadRequest(f"期间应写作 2026-11 或 2026，不是“{asked[:20]}”") from None
    if text not in (f"{first:%Y-%m}", f"{first:%Y}") or first > today:
        raise BadRequest(f"期间应写作 2026-11 或 2026，且不晚于今天，不是“{asked[:20]}”")
    end = date(first.year, 12, 31) if len(text) == 4 else following(first) - timedelta(days=1)
    months, at = [], first
    while at <= min(end, today):
        months.append(f"{at:%Y-%m}")
        at = following(at)
    return Period(text, tuple(months), first, min(end, today))


def following(month: date) -> date:
    """The first day of the next month."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def recent(today: date, count: int = MONTHS) -> tuple[str, ...]:
    """The last months, the oldest first, this one included."""
    found, at = [], today.replace(day=1)
    for _ in range(count):
        found.append(f"{at:%Y-%m}")
        at = (at - timedelta(days=1)).replace(day=1)
    return tuple(reversed(found))


@dataclass(frozen=True, slots=True)
class Sum:
    """Counts of steps over a period, of one child, item, tier or of all."""

    key: str
    name: str
    filed: int = 0
    accepted: int = 0
    closed: int = 0
    on_time: int = 0
    late: int = 0


@dataclass(frozen=True, slots=True)
class Check:
    """Declared beside recomputed for one child with everything below it."""

    place: Place
    agreement: Agreement
    missing: int
    """Sites that have not declared the last finished day."""
    sites: int


@dataclass(frozen=True, slots=True)
class Sums:
    """Everything of the page, read at one moment."""

    seen: Seen
    period: Period
    all: Sum
    rows: Sequence[Standing]
    children: Sequence[Sum]
    items: Sequence[Sum]
    tiers: Sequence[Sum]
    months: Sequence[tuple[str, dict[int, Sum]]]
    checks: Sequence[Check]
    townships: Sequence[tuple[str, Sequence[tuple[Place, Sum, Contact]]]]
    health: dict[str, int]


def _sum(key: str, name: str, rows: Sequence[Any]) -> Sum:
    return Sum(
        key,
        name,
        filed=sum(row.filed for row in rows),
        accepted=sum(row.accepted for row in rows),
        closed=sum(row.closed for row in rows),
        on_time=sum(row.ontime for row in rows),
        late=sum(row.late for row in rows),
    )


def gather(session: Session, know: Knowledge, seen: Seen, when: Period) -> Sums:
    """Read the sums; seconds for a year of a large city, so not on the event loop."""
    roster, me = know.roster, know.place
    places = {row.place: row for row in figures.by_place(session, when.first, when.last)}

    def under(place: Place, *, alone: bool = False) -> Sum:
        sites = [place] if alone else roster.subtree(place.code)
        return _sum(place.code, place.name, [places[one.code] for one in sites if one.code in places])

    children = roster.children(me)
    return Sums(
        seen=seen,
        period=when,
        all=under(roster[me]),
        rows=standings(seen, me),
        children=[*(under(place) for place in children), under(roster[me], alone=True)],
        items=_items(session, know, when),
        tiers=_tiers(session, when),
        months=_months(session, seen.today),
        checks=_checks(session, roster, seen, when),
        townships=[
            (group.name, [(place, under(place), contact(seen, place.code)) for place in members])
            for group, members in _groups(roster, me)
        ],
        health=_health(session, know, seen),
    )


def _groups(roster: Roster, me: str) -> Sequence[tuple[Place, Sequence[Place]]]:
    """The places two below, by the one between; where there are none, the places below."""
    groups = [(child, roster.children(child.code)) for child in roster.children(me)]
    deep = [(child, below) for child, below in groups if below]
    return deep or [(roster[me], roster.children(me))]


def _items(session: Session, know: Knowledge, when: Period) -> list[Sum]:
    rows: dict[str, list[Any]] = {}
    for row in figures.by_item(session, when.months):
        rows.setdefault(row.item, []).append(row)
    catalogue = know.catalogue
    found = []
    for item_id, counted in rows.items():
        item = catalogue.get(item_id) if catalogue else None
        found.append(_sum(item_id, item.name if item else item_id, counted))
    return sorted(found, key=lambda one: (-one.filed, -one.accepted, one.key))


def _tiers(session: Session, when: Period) -> list[Sum]:
    return [
        _sum(str(row.tier), Tier(row.tier).word, [row])
        for row in sorted(figures.by_tier(session, when.months), key=lambda row: -row.tier)
        if row.tier
    ]


def _months(session: Session, today: date) -> list[tuple[str, dict[int, Sum]]]:
    months = recent(today)
    found: dict[str, dict[int, Sum]] = {month: {} for month in months}
    for row in figures.by_month_and_tier(session, months):
        if row.tier:
            found[row.month][row.tier] = _sum(str(row.tier), Tier(row.tier).word, [row])
    return [(month, found[month]) for month in months]


def _checks(session: Session, roster: Roster, seen: Seen, when: Period) -> list[Check]:
    """Only finished days: today has not been declared by anybody yet."""
    yesterday = seen.today - timedelta(days=1)
    last = min(when.last, yesterday)
    found = figures.agreement(session, when.first, last) if when.first <= last else {}
    told = figures.reported(session, last)
    checks = []
    for place, sites in _parts(roster, seen.me):
        one = Agreement()
        for site in sites:
            if site.code in found:
                _add(one, found[site.code])
        missing = sum(site.code not in told for site in sites)
        checks.append(Check(place, one, missing, len(sites)))
    return checks


def _parts(roster: Roster, me: str) -> list[tuple[Place, Sequence[Place]]]:
    below: list[tuple[Place, Sequence[Place]]] = [
        (child, roster.subtree(child.code)) for child in roster.children(me)
    ]
    return [*below, (roster[me], [roster[me]])]


def _add(one: Agreement, more: Agreement) -> None:
    one.reports += more.reports
    one.accepted = (one.accepted[0] + more.accepted[0], one.accepted[1] + more.accepted[1])
    one.closed = (one.closed[0] + more.closed[0], one.closed[1] + more.closed[1])
    one.beside += more.beside


def _health(session: Session, know: Knowledge, seen: Seen) -> dict[str, int]:
    aside = exchange.aside_counts(session)
    senders, numbers = reach.gaps(session)
    soon = seen.now + timedelta(hours=30 * 24)
    current = [know.ring.current(place.code) for place in seen.roster.subtree(seen.me)]
    yesterday = figures.reported(session, seen.today - timedelta(days=1))
    sites = {place.code for place in seen.roster.subtree(seen.me)}
    return {
        "reported_yesterday": len(yesterday & sites),
        "sites": len(sites),
        "unbelievable": aside["unbelievable"],
        "quarantined": aside["quarantined"],
        "waiting": aside["waiting"],
        "senders_with_gaps": senders,
        "numbers_missing": numbers,
        "certificates_ending": sum(one is not None and one.not_after < soon for one in current),
    }


def read(session: Session, know: Knowledge, now: Any, asked: str, *, connected: bool) -> Sums:
    """The sums for a period as asked."""
    seen = look(session, know, now, connected=connected)
    return gather(session, know, seen, period(asked, seen.today))
