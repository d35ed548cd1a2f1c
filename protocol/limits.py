"""Periods of time in the law (时限): how long they are, and on which day they end.

One rule: the first day is never counted (民法典 201), and a period never ends on a day that is not worked
(203). Pauses are intervals (s, e]: the days s < d <= e are not counted. Nothing here knows a case.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from protocol.errors import LedgerError
from protocol.workdays import Calendar, Due

CORRECTION_WORKDAYS = 5
"""To tell all defects at once, else the case is accepted from the day of receipt (32 条一款四项)."""
DELIVERY_WORKDAYS = 10
"""To issue and deliver after a grant (44 条)."""
LOWER_REVIEW_WORKDAYS = 20
"""For the lower tier's review before the upper tier decides (43 条)."""


LONGEST = 3650
"""No limit is longer, in any unit; keeps every date that comes from outside inside the calendar."""


class Unit(StrEnum):
    """时限单位."""

    WORKDAY = "工作日"
    DAY = "自然日"
    MONTH = "月"


@dataclass(frozen=True, slots=True)
class Limit:
    """A period of time by law or promise (时限); value 0 is the same day (即办) whatever the unit."""

    value: Annotated[int, Field(ge=0, le=LONGEST)]
    unit: Unit = Unit.WORKDAY

    def __post_init__(self) -> None:
        if not 0 <= self.value <= LONGEST:
            raise LedgerError(f"时限应在 0 到 {LONGEST} 之间：{self.value}")

    def __str__(self) -> str:
        if self.value == 0:
            return "即办"
        return f"{self.value}{'个' if self.unit is not Unit.DAY else ''}{self.unit}"


DEFAULT_LIMIT = Limit(20)
"""One organ, no limit of its own (42 条一款; for other matters by local rule)."""
DEFAULT_JOINT_LIMIT = Limit(45)
"""Several organs together (42 条二款)."""
LONGEST_EXTENSION = Limit(10)
"""By the head of the organ (42 条一款); 15 for joint cases by the government (42 条二款)."""
LONGEST_JOINT_EXTENSION = Limit(15)

Pauses = Sequence[tuple[date, date]]
"""Merged intervals (s, e] in order, as `merged` gives them."""


def surely_longer(a: Limit, b: Limit) -> bool:
    """Whether `a` ends after `b` on every calendar; limits in different units are often not comparable.

    n working days take at least n days, and no run of holidays stretches them beyond 2n + 14.
    """
    if a.unit is b.unit:
        return a.value > b.value
    shortest = a.value * (28 if a.unit is Unit.MONTH else 1)
    longest = {Unit.WORKDAY: 2 * b.value + 14, Unit.DAY: b.value, Unit.MONTH: 31 * b.value}[b.unit]
    return shortest > longest


def notice_due(received: date, calendar: Calendar) -> Due:
    """The last day to tell an applicant all defects at once, counted from the day the materials came in.

    Source: 行政许可法 32 条一款四项. Each corrected set starts a new count.
    """
    return calendar.add(received, CORRECTION_WORKDAYS)


def deemed_accepted(received: date, told_on: date | None, calendar: Calendar, today: date) -> date | None:
    """The day of receipt if nobody spoke in time, else None: a late notice does not undo acceptance."""
    last = notice_due(received, calendar).day
    return received if (told_on or today) > last else None


def delivery_due(granted: date, calendar: Calendar) -> Due:
    """The last day to issue and deliver what was granted. Source: 行政许可法 44 条."""
    return calendar.add(granted, DELIVERY_WORKDAYS)


def merged(gaps: Iterable[tuple[date, date]]) -> list[tuple[date, date]]:
    """Pauses in order, overlaps and neighbours joined, empty ones dropped: a union, not a sum."""
    joined: list[tuple[date, date]] = []
    for s, e in sorted(gaps):
        if joined and s <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], e))
        elif e > s:
            joined.append((s, e))
    return joined


def last_day(start: date, limit: Limit, calendar: Calendar, gaps: Pauses = ()) -> Due:
    """The last day of `limit` from day 0 `start`, with the pauses `gaps` (merged, in order) taken out.

    Working days: the n-th counted day. Natural days and months: the day itself, months ending with the
    month where it is shorter (民法典 202); then the next day that is worked and not paused (203).
    """
    if limit.unit is Unit.WORKDAY:
        found = calendar.add(start, limit.value)
        if limit.value and not gaps:
            return found
        end, provisional = found.day, found.provisional
        for s, e in gaps:
            skipped = calendar.between(max(s, start), e) if s < end else 0
            if skipped > 0:
                found = calendar.add(end, skipped)
                end, provisional = found.day, provisional or found.provisional
    else:
        end, provisional = _natural(start, limit, gaps), False
    while not calendar.is_workday(end) or any(s < end <= e for s, e in gaps):
        end = date.fromordinal(end.toordinal() + 1)
    return Due(end, provisional or not calendar.is_published(end))


def _natural(start: date, limit: Limit, gaps: Pauses) -> date:
    end = (
        start.toordinal() + limit.value
        if limit.unit is Unit.DAY
        else _months_on(start, limit.value).toordinal()
    )
    for s, e in gaps:
        if s.toordinal() < end:
            end += max(e.toordinal() - max(s, start).toordinal(), 0)
    return date.fromordinal(end)


def _months_on(start: date, months: int) -> date:
    """The corresponding day, or the last of a month that has none (民法典 202)."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    next_year, next_month = divmod(year * 12 + month + 1, 12)
    days = date(next_year, next_month + 1, 1).toordinal() - date(year, month + 1, 1).toordinal()
    return date(year, month + 1, min(start.day, days))
