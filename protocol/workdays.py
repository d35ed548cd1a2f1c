"""Working days (工作日): arithmetic over a calendar that is data, versioned, regional and published.

One rule: day 0 is never counted (民法典 201), so everything here counts days d with a < d <= b. Past the
last published day a date is still answered, Monday to Friday less the holidays fixed by date, and marked
provisional; it is recomputed when the State Council's notice (国务院办公厅放假通知) is published.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from typing import Any

import orjson

from protocol.errors import CalendarError
from protocol.strict import is_version_1

FIXED_HOLIDAYS = ((1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3))
"""Holidays fixed by month and day in 全国年节及纪念日放假办法 (2024): what is known of any future year."""

_INDEX_AHEAD_YEARS = 5
_LONGEST_YEARS = 150


@dataclass(frozen=True, slots=True)
class Due:
    """A day by which something is to be done; `provisional` if it lies outside the published calendar."""

    day: date
    provisional: bool


@dataclass(frozen=True, slots=True)
class RegionalDay:
    """A day that one region adds to the national notice: off, or (`works`) a make-up workday (调休)."""

    day: date
    name: str
    works: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Calendar:
    """One region's working days from `published_from` to `published_through`, both inclusive.

    `off`: national days off that fall on Monday to Friday. `work`: Saturdays and Sundays worked instead.
    `regional`: what the region adds; it wins over the national notice, and its notices are known up to
    `regional_through` (None: none is known). CalendarError if the data contradict themselves.
    """

    version: str
    region: str
    published_from: date
    published_through: date
    off: frozenset[date]
    work: frozenset[date]
    regional: tuple[RegionalDay, ...] = ()
    regional_through: date | None = None
    fixed: tuple[tuple[int, int], ...] = FIXED_HOLIDAYS
    _index: "_Index" = field(init=False, compare=False)

    def __post_init__(self) -> None:
        _check(self)
        object.__setattr__(self, "_index", _Index(self))

    def __repr__(self) -> str:
        return f"Calendar({self.version}, {self.region}, through {self.published_through})"

    def is_published(self, day: date) -> bool:
        """Whether the national notice that covers `day` is part of this calendar."""
        return self.published_from <= day <= self.published_through

    def is_workday(self, day: date) -> bool:
        """Whether offices work on `day`; outside the published days by weekday and fixed holidays."""
        return self._index.works(day.toordinal())

    def add(self, day: date, n: int) -> Due:
        """The n-th working day after `day` (before it, if n < 0); `day` itself for n = 0, working or not.

        The second 20 of 行政许可法 42: accepted on day 0, decided by `add(day, 20)`. CalendarError only
        where the answer lies outside the years 1 to 9999.
        """
        found = date.fromordinal(self._index.nth(day.toordinal(), n))
        early, late = (day, found) if n >= 0 else (found, day)
        return Due(found, early < self.published_from or late > self.published_through)

    def between(self, a: date, b: date) -> int:
        """How many working days d lie in a < d <= b; the same number, negative, if b is before a."""
        return self._index.count(a.toordinal(), b.toordinal())

    def on_or_after(self, day: date) -> Due:
        """`day` if it is worked, else the next working day (民法典 203)."""
        return Due(day, not self.is_published(day)) if self.is_workday(day) else self.add(day, 1)


class _Index:
    """Every working day of the published years and a few more, as ordinals: a look-up is one bisection.

    Days outside walk the rule one by one; nothing is filled in later, so the index can be shared.
    """

    __slots__ = ("_days", "_exact", "_first", "_fixed", "_last", "_published")

    def __init__(self, calendar: Calendar) -> None:
        self._exact = dict.fromkeys((day.toordinal() for day in calendar.off), False)
        self._exact |= dict.fromkeys((day.toordinal() for day in calendar.work), True)
        self._exact |= {extra.day.toordinal(): extra.works for extra in calendar.regional}
        self._fixed = frozenset(calendar.fixed)
        through = calendar.published_through
        start = calendar.published_from.toordinal()
        ahead = min(through.year + _INDEX_AHEAD_YEARS, date.max.year)
        self._published = range(start, through.toordinal() + 1)
        self._first, self._last = start, date(ahead, 12, 31).toordinal()
        self._days = [ordinal for ordinal in range(self._first, self._last + 1) if self.works(ordinal)]

    def works(self, ordinal: int) -> bool:
        known = self._exact.get(ordinal)
        if known is not None:
            return known
        if (ordinal - 1) % 7 >= 5:  # ordinal 1 was a Monday
            return False
        # The notice says it all: a fixed holiday on a Sunday frees the Monday and no other day.
        if ordinal in self._published:
            return True
        day = date.fromordinal(ordinal)
        return (day.month, day.day) not in self._fixed

    def count(self, a: int, b: int) -> int:
        if b < a:
            return -self.count(b, a)
        inside_a, inside_b = max(a, self._first - 1), min(b, self._last)
        if inside_a >= inside_b:
            return sum(map(self.works, range(a + 1, b + 1)))
        inside = bisect_right(self._days, inside_b) - bisect_right(self._days, inside_a)
        before = sum(map(self.works, range(a + 1, inside_a + 1)))
        return before + inside + sum(map(self.works, range(inside_b + 1, b + 1)))

    def nth(self, start: int, n: int) -> int:
        if n == 0:
            return start
        if self._first - 1 <= start <= self._last + 1:
            at = bisect_right(self._days, start) + n - 1 if n > 0 else bisect_left(self._days, start) + n
            if 0 <= at < len(self._days):
                return self._days[at]
        return self._walk(start, n)

    def _walk(self, start: int, n: int) -> int:
        step, left, at = (1, n, start) if n > 0 else (-1, -n, start)
        while left:
            at += step
            if not 1 <= at <= date.max.toordinal():
                raise CalendarError(f"第 {n} 个工作日超出公元 1 至 9999 年")
            left -= self.works(at)
        return at


def _check(calendar: Calendar) -> None:
    if not calendar.version:
        raise CalendarError("工作日历没有版本号")
    if not (len(calendar.region) == 12 and calendar.region.isascii() and calendar.region.isdigit()):
        raise CalendarError(f"工作日历的地区应为 12 位代码：{calendar.region!r}")
    if calendar.published_through < calendar.published_from:
        raise CalendarError(f"公布截止日 {calendar.published_through} 早于起始日 {calendar.published_from}")
    if calendar.published_through.year - calendar.published_from.year > _LONGEST_YEARS:
        raise CalendarError(f"工作日历不得长于 {_LONGEST_YEARS} 年")
    _check_days(calendar)


def _check_days(calendar: Calendar) -> None:
    for day in sorted(calendar.off):
        if not calendar.is_published(day) or day.weekday() >= 5:
            raise CalendarError(f"放假日 {day} 不在公布期内，或本来就是周末")
    for day in sorted(calendar.work):
        if not calendar.is_published(day) or day.weekday() < 5:
            raise CalendarError(f"调休上班日 {day} 不在公布期内，或本来就是工作日")
    days = [extra.day for extra in calendar.regional]
    if len(set(days)) != len(days):
        raise CalendarError("地方放假日有重复的日期")
    for month, day_of_month in calendar.fixed:
        _date(f"2024-{month:02}-{day_of_month:02}", "fixed")


def make_calendar(
    region: str,
    published_from: date,
    published_through: date,
    off: Iterable[date],
    work: Iterable[date],
    *,
    regional: Iterable[RegionalDay] = (),
    regional_through: date | None = None,
    fixed: Iterable[tuple[int, int]] = FIXED_HOLIDAYS,
) -> Calendar:
    """A calendar whose version names its content: last published year, then eight hex of its SHA-256.

    Days off that are weekends anyway, and make-up days that are weekdays anyway, are dropped.
    """
    calendar = Calendar(
        version="draft",
        region=region,
        published_from=published_from,
        published_through=published_through,
        off=frozenset(day for day in off if day.weekday() < 5),
        work=frozenset(day for day in work if day.weekday() >= 5),
        regional=tuple(sorted(regional, key=lambda extra: extra.day)),
        regional_through=regional_through,
        fixed=tuple(sorted(fixed)),
    )
    content = {name: value for name, value in calendar_document(calendar).items() if name != "version"}
    digest = sha256(orjson.dumps(content)).hexdigest()[:8]
    object.__setattr__(
        calendar, "version", f"{published_through.year}-{digest}"
    )  # not shared with anyone yet
    return calendar


def calendar_document(calendar: Calendar) -> dict[str, Any]:
    """The JSON body that the city publishes; `read_calendar` reads it back to an equal calendar."""
    through = calendar.regional_through
    return {
        "v": 1,
        "version": calendar.version,
        "region": calendar.region,
        "from": calendar.published_from.isoformat(),
        "through": calendar.published_through.isoformat(),
        "off": [day.isoformat() for day in sorted(calendar.off)],
        "work": [day.isoformat() for day in sorted(calendar.work)],
        "regional": [
            {"day": extra.day.isoformat(), "name": extra.name, "works": extra.works}
            for extra in calendar.regional
        ],
        "regional_through": through.isoformat() if through else None,
        "fixed": [f"{month:02}-{day:02}" for month, day in calendar.fixed],
    }


def read_calendar(body: Mapping[str, Any]) -> Calendar:
    """The calendar of a published body; CalendarError names the field that is wrong."""
    if not is_version_1(body):
        raise CalendarError(f"工作日历的格式版本应为 1，却是 {body.get('v')!r}")
    through = body.get("regional_through")
    return Calendar(
        version=_text(body, "version"),
        region=_text(body, "region"),
        published_from=_date(body.get("from"), "from"),
        published_through=_date(body.get("through"), "through"),
        off=frozenset(_date(day, "off") for day in _list(body, "off")),
        work=frozenset(_date(day, "work") for day in _list(body, "work")),
        regional=tuple(_regional_days(body)),
        regional_through=None if through is None else _date(through, "regional_through"),
        fixed=tuple(_fixed_days(body)),
    )


def _regional_days(body: Mapping[str, Any]) -> Iterator[RegionalDay]:
    for entry in _list(body, "regional"):
        if not isinstance(entry, dict) or not isinstance(entry.get("works", False), bool):
            raise CalendarError(f"工作日历的 regional 有一项不合格：{entry!r}")
        yield RegionalDay(
            _date(entry.get("day"), "regional"), _text(entry, "name"), entry.get("works", False)
        )


def _fixed_days(body: Mapping[str, Any]) -> Iterator[tuple[int, int]]:
    for entry in _list(body, "fixed"):
        day = _date(f"2024-{entry}", "fixed")
        yield day.month, day.day


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise CalendarError(f"工作日历缺少 {name}")
    return value


def _list(body: Mapping[str, Any], name: str) -> list[Any]:
    value = body.get(name)
    if not isinstance(value, list):
        raise CalendarError(f"工作日历的 {name} 应为列表")
    return value


def _date(value: Any, name: str) -> date:
    try:
        day = date.fromisoformat(value)
    except (TypeError, ValueError):
        day = None
    if day is None or day.isoformat() != value:  # Python reads "20260302" too
        raise CalendarError(f"工作日历的 {name} 里有一个不是日期：{value!r}")
    return day
