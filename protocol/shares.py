"""Whose time it was (分段计时): every working minute of a case belongs to one node, to transit, or to the applicant.

One rule: shares are differences of one running count at the instants where the case changed hands, so
their sum is the elapsed time, exactly, whatever the hours, holidays and clocks were.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from protocol.errors import LedgerError
from protocol.ledger import Ledger, Owner, pauses
from protocol.limits import Limit, Pauses, last_day, merged
from protocol.places import Code
from protocol.workdays import Calendar, Due

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")
"""Civil time of every limit; without summer time since 1991."""


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """上班时间: spans of minutes of the day, in order, not touching midnight."""

    spans: tuple[tuple[int, int], ...] = ((9 * 60, 12 * 60), (13 * 60, 17 * 60))

    @property
    def minutes(self) -> int:
        """How long a working day is."""
        return sum(end - start for start, end in self.spans)

    def until(self, minute: int) -> int:
        """Minutes worked on a working day before this minute of the day."""
        return sum(max(min(minute, end) - start, 0) for start, end in self.spans)


@dataclass(frozen=True, slots=True)
class Share:
    """What one owner at one place took: working minutes; working days; and those that count for the limit."""

    owner: Owner
    place: Code
    minutes: int
    workdays: int
    counted: int


def civil_day(at: datetime) -> date:
    """The civil date in China of an aware instant; LedgerError for a naive one."""
    if at.tzinfo is None:
        raise LedgerError(f"时刻须带时区：{at.isoformat()}")
    return at.astimezone(CHINA).date()


def received_on(at: datetime, calendar: Calendar, hours: OfficeHours, *, roll: bool = True) -> date:
    """The day a submission counts as received: after closing, or on a day off, the next working day.

    Before opening and at noon it is the same day. With `roll` false (online rules that say so): the civil
    day itself.
    """
    day = civil_day(at)
    if not roll or (calendar.is_workday(day) and _minute(at) < hours.spans[-1][1]):
        return day
    return calendar.add(day, 1).day


def working_minutes(a: datetime, b: datetime, calendar: Calendar, hours: OfficeHours) -> int:
    """Office minutes from instant `a` to instant `b`; additive over any instant between them."""
    eve_a, eve_b = _eve(civil_day(a)), _eve(civil_day(b))
    whole = calendar.between(eve_a, eve_b) * hours.minutes
    return whole + _into(b, calendar, hours) - _into(a, calendar, hours)


def shares(ledger: Ledger, calendar: Calendar, until: datetime, hours: OfficeHours) -> tuple[Share, ...]:
    """The shares from the first stretch to `until`, one for each owner and place, in order of appearance.

    A working day belongs to whoever held the case when it ended. `counted` leaves out suspended days and
    days up to acceptance. Stretches that begin after `until` have nothing yet.
    """
    gaps = pauses(ledger, civil_day(until))
    found: dict[tuple[Owner, Code], Share] = {}
    for at, stretch in enumerate(ledger.stretches):
        follows = ledger.stretches[at + 1].at if at + 1 < len(ledger.stretches) else until
        start, end = min(stretch.at, until), min(follows, until)
        key = (stretch.owner, stretch.place)
        before = found.get(key, Share(*key, 0, 0, 0))
        a, b = civil_day(start), civil_day(end)
        found[key] = Share(
            *key,
            before.minutes + working_minutes(start, end, calendar, hours),
            before.workdays + calendar.between(a, b),
            before.counted + _counted(max(a, ledger.accepted), b, gaps, calendar),
        )
    return tuple(found.values())


def part_due(ledger: Ledger, owner: Owner, limit: Limit, calendar: Calendar, today: date) -> Due | None:
    """The last day of an owner's own limit (the local or the upper part of a case reported up).

    Day 0 is the day the case first came into these hands, but not before acceptance; days in other hands
    and suspended days are not counted. None if it never did.
    """
    mine = [civil_day(stretch.at) for stretch in ledger.stretches if stretch.owner is owner]
    if not mine:
        return None
    ends = [civil_day(stretch.at) for stretch in ledger.stretches[1:]]
    ends.append(max(today, civil_day(ledger.stretches[-1].at)))
    away = [
        (civil_day(stretch.at), end)
        for stretch, end in zip(ledger.stretches, ends, strict=True)
        if stretch.owner is not owner
    ]
    return last_day(max(mine[0], ledger.accepted), limit, calendar, merged([*pauses(ledger, today), *away]))


def _counted(a: date, b: date, gaps: Pauses, calendar: Calendar) -> int:
    if b <= a:
        return 0
    return calendar.between(a, b) - sum(
        calendar.between(max(s, a), min(e, b)) for s, e in gaps if s < b and e > a
    )


def _into(at: datetime, calendar: Calendar, hours: OfficeHours) -> int:
    return hours.until(_minute(at)) if calendar.is_workday(civil_day(at)) else 0


def _minute(at: datetime) -> int:
    local = at.astimezone(CHINA)
    return local.hour * 60 + local.minute


def _eve(day: date) -> date:
    return date.fromordinal(day.toordinal() - 1)
