"""How the places below a hub stand: in hand, due, overdue, on time, last heard, what they owe, which edition.

One rule: every number belongs to the place that held the case or took the step, and is summed over what lies below
it in the roster; what has not been heard is shown as not heard, never as zero or as well.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlmodel import Session

from node.exchange import reach
from node.exchange import views as exchange
from node.exchange.reach import Waiting
from node.figures import views as figures
from node.work import Knowledge, civil_date
from protocol.places import Place
from protocol.roster import Roster

SILENT_S = 26 * 3600
"""Every node declares each finished day, so a day and two hours without a word is silence."""
DAYS = 10
"""Length of the row of daily filings."""


class Contact(StrEnum):
    """What is known of the line to a place."""

    HERE = "here"
    """It is this node."""
    HEARD = "heard"
    OWING = "owing"
    """It has not confirmed what was sent to it in time."""
    SILENT = "silent"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Standing:
    """One place with everything below it."""

    place: Place
    open: int
    due: int
    overdue: int
    filed_today: int
    on_time: int
    late: int
    trend: tuple[int, ...]
    contact: Contact
    heard_at: datetime | None
    waiting: int
    """Acts of this node that the place has not confirmed."""
    waiting_since: datetime | None
    edition: int
    below: int
    """Sites below it."""
    quiet: int
    """How many of these have been silent, or never heard."""
    alone: bool = False
    """Whether only what the place holds itself is counted."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything read for a board at one moment."""

    roster: Roster
    me: str
    now: datetime
    connected: bool
    edition: int
    open: Mapping[str, figures.Open]
    month: Mapping[str, Any]
    filed: Mapping[tuple[str, date], int]
    heard: Mapping[str, datetime]
    owed: Mapping[str, Waiting]
    held: Mapping[str, int]

    @property
    def today(self) -> date:
        """The civil day of the board."""
        return civil_date(self.now)


def look(session: Session, know: Knowledge, now: datetime, *, connected: bool) -> Seen:
    """Read what a board shows: a handful of short queries over cubes and partial indexes."""
    today = civil_date(now)
    calendar = know.catalogue.calendar if know.catalogue else None
    soon = calendar.add(today, 1).day if calendar else today
    days = figures.daily(
        session, today - timedelta(days=DAYS - 1), today
    )  # civil days of a chart, no legal time
    return Seen(
        roster=know.roster,
        me=know.place,
        now=now,
        connected=connected,
        edition=know.edition,
        open=figures.open_by_holder(session, today, soon),
        month={row.place: row for row in figures.by_place(session, today.replace(day=1), today)},
        filed={(row.place, row.day): row.filed for row in days},
        heard=reach.heard(session),
        owed=reach.waiting(session),
        held={row.place: row.edition for row in exchange.peers(session)},
    )


def contact(seen: Seen, place: str) -> Contact:
    """What is known of the line to one place, worst first."""
    if place == seen.me:
        return Contact.HERE
    owed, heard = seen.owed.get(place), seen.heard.get(place)
    if heard is None:
        return Contact.NEVER
    if owed is not None and (seen.now - owed.since).total_seconds() > reach.LATE_S:
        return Contact.OWING
    return Contact.SILENT if (seen.now - heard).total_seconds() > SILENT_S else Contact.HEARD


def standing(seen: Seen, place: Place, *, alone: bool = False) -> Standing:
    """How `place` stands with everything below it; `alone`: what it holds itself."""
    sites = [place] if alone else list(seen.roster.subtree(place.code))
    codes = [site.code for site in sites]
    held = [seen.open[code] for code in codes if code in seen.open]
    month = [seen.month[code] for code in codes if code in seen.month]
    days = [seen.today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    filed = Counter({day: sum(seen.filed.get((code, day), 0) for code in codes) for day in days})
    owed = seen.owed.get(place.code)
    below = [code for code in codes if code != place.code]
    return Standing(
        place=place,
        open=sum(one.in_hand for one in held),
        due=sum(one.due_soon for one in held),
        overdue=sum(one.overdue for one in held),
        filed_today=filed[seen.today],
        on_time=sum(row.ontime for row in month),
        late=sum(row.late for row in month),
        trend=tuple(filed[day] for day in days),
        contact=contact(seen, place.code),
        heard_at=seen.heard.get(place.code),
        waiting=owed.acts if owed else 0,
        waiting_since=owed.since if owed else None,
        edition=seen.edition if place.code == seen.me else seen.held.get(place.code, 0),
        below=len(below),
        quiet=sum(contact(seen, code) in (Contact.SILENT, Contact.NEVER) for code in below),
        alone=alone,
    )


def standings(seen: Seen, at: str) -> list[Standing]:
    """The children of `at` with what is below them, the most overdue first; then what `at` holds itself."""
    found = [standing(seen, child) for child in seen.roster.children(at)]
    found.sort(key=lambda one: (-one.overdue, -one.due, -one.open))
    return [*found, standing(seen, seen.roster[at], alone=True)]


def total(found: Iterable[Standing]) -> Counter[str]:
    """The sums over some standings."""
    sums: Counter[str] = Counter()
    for one in found:
        for name in ("open", "due", "overdue", "filed_today", "on_time", "late"):
            sums[name] += getattr(one, name)
    return sums


def covering(seen: Seen, at: str) -> tuple[int, int, list[tuple[Place, datetime | None]]]:
    """(sites heard within the day, sites in all, the silent ones with when they were last heard, longest first)."""
    sites = [place for place in seen.roster.subtree(at) if place.code != seen.me]
    quiet = [place for place in sites if contact(seen, place.code) in (Contact.SILENT, Contact.NEVER)]
    silent = sorted(
        ((place, seen.heard.get(place.code)) for place in quiet),
        key=lambda one: one[1].timestamp() if one[1] else 0.0,
    )
    return len(sites) - len(silent), len(sites), silent


def urgent(session: Session, roster: Roster, me: str, at: str) -> Sequence[Any]:
    """The most urgent cases from below `at`."""
    within = None if at == me else [place.code for place in roster.subtree(at)]
    return figures.most_urgent(session, within)
