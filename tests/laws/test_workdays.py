"""Working days against a walker that counts day by day from the official notices."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import chinese_calendar
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.calendar_source import official_calendar, read_regional, regional_file
from protocol.errors import CalendarError
from protocol.limits import (
    Limit,
    Unit,
    deemed_accepted,
    delivery_due,
    last_day,
    merged,
    notice_due,
    surely_longer,
)
from protocol.workdays import Calendar, RegionalDay, calendar_document, make_calendar, read_calendar

ROOT = Path(__file__).parents[2]
VECTORS = json.loads((ROOT / "tests" / "vectors" / "domain.json").read_bytes())["working_days"]
REGIONAL = (ROOT / "data" / "regional-holidays-640000.csv").read_bytes()
EID = {date(2020, 5, 25), date(2020, 5, 26), date(2020, 7, 30), date(2020, 7, 31)} | {
    date(2021, 5, 13), date(2021, 5, 14), date(2021, 7, 19), date(2021, 7, 20)
}  # fmt: skip
FIRST, LAST = date(2004, 1, 1), date(2026, 12, 31)
DAY = timedelta(days=1)

NATIONAL = official_calendar("110100000000")
NINGXIA = official_calendar("640200000000", REGIONAL)


def days(first: date, last: date) -> list[date]:
    return [first + DAY * offset for offset in range((last - first).days + 1)]


def _official(day: date) -> bool:
    if FIRST <= day <= LAST:
        return bool(chinese_calendar.is_workday(day))
    fixed = {(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)}
    return day.weekday() < 5 and (day.month, day.day) not in fixed


WORKED = {day for day in days(date(1989, 1, 1), date(2045, 12, 31)) if _official(day)}


def works_nationally(day: date) -> bool:
    return day in WORKED


def works_in_ningxia(day: date) -> bool:
    return day in WORKED and day not in EID


CALENDARS: list[tuple[Calendar, Callable[[date], bool]]] = [
    (NATIONAL, works_nationally),
    (NINGXIA, works_in_ningxia),
]


@pytest.mark.parametrize(("calendar", "works"), CALENDARS)
def test_every_published_day_and_every_limit_that_starts_on_it(
    calendar: Calendar, works: Callable[[date], bool]
) -> None:
    all_days = days(FIRST, LAST)
    worked = [day for day in all_days if works(day)]
    behind = 0
    for day in all_days:
        assert calendar.is_workday(day) == works(day)
        behind += works(day)
        assert calendar.between(FIRST - DAY, day) == behind
        for n in (1, 5, 20, 45):
            if behind + n <= len(worked):
                due = calendar.add(day, n)
                assert (due.day, due.provisional) == (worked[behind + n - 1], False)
        if behind > 20:
            assert calendar.add(day, -20).day == worked[behind - 20 - works(day)]


def test_the_known_number_of_working_days_a_year() -> None:
    counted = {y: NATIONAL.between(date(y - 1, 12, 31), date(y, 12, 31)) for y in (2013, 2024, 2025, 2026)}
    assert counted == {2013: 250, 2024: 251, 2025: 248, 2026: 248}
    assert [NINGXIA.between(date(y - 1, 12, 31), date(y, 12, 31)) for y in (2020, 2021)] == [
        NATIONAL.between(date(y - 1, 12, 31), date(y, 12, 31)) - 4 for y in (2020, 2021)
    ]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['kind']}-{list(vector.values())[1]}")
def test_the_vectors(vector: dict[str, object]) -> None:
    day = {
        name: date.fromisoformat(str(value))
        for name, value in vector.items()
        if isinstance(value, str) and value[:2] == "20"
    }
    n = vector.get("working_days")
    assert n is None or isinstance(n, int)
    match vector["kind"], n:
        case "due", int(n):
            assert NATIONAL.add(day["accept"], n).day == NINGXIA.add(day["accept"], n).day == day["due"]
        case "elapsed", int(n):
            assert NATIONAL.between(day["from"], day["to"]) == n
        case "due_with_pause", int(n):
            pauses = vector["pauses"]
            assert isinstance(pauses, list)
            gaps = merged((date.fromisoformat(a), date.fromisoformat(b)) for a, b in pauses)
            assert last_day(day["accept"], Limit(n), NATIONAL, gaps).day == day["due"]
        case "extension", int(n):
            more = vector["extended_by"]
            assert isinstance(more, int)
            assert last_day(day["accept"], Limit(n), NATIONAL).day == day["due_before"]
            assert last_day(day["accept"], Limit(n + more), NATIONAL).day == day["due_after"]
        case "correction_deadline", None:
            received, last = day["received"], notice_due(day["received"], NATIONAL).day
            assert last == day["notify_by"]
            assert deemed_accepted(received, None, NATIONAL, last) is None
            assert deemed_accepted(received, None, NATIONAL, last + DAY) == day["deemed_accepted_on"]
            assert deemed_accepted(received, last, NATIONAL, last + DAY) is None
            assert deemed_accepted(received, last + DAY, NATIONAL, last + DAY * 2) == received
        case "due_regional", int(n):
            assert NATIONAL.add(day["accept"], n).day == day["due_national"]
            assert NINGXIA.add(day["accept"], n).day == day["due_ningxia"]
        case _:
            raise AssertionError(vector)


any_day = st.dates(date(1999, 1, 1), date(2035, 12, 31))
any_calendar = st.sampled_from(CALENDARS)


@given(any_calendar, any_day, st.integers(-80, 80))
def test_add_lands_where_walking_lands(
    pair: tuple[Calendar, Callable[[date], bool]], start: date, n: int
) -> None:
    calendar, works = pair
    at, left = start, abs(n)
    while left:
        at += DAY if n > 0 else -DAY
        left -= works(at)
    due = calendar.add(start, n)
    assert due.day == at
    assert due.provisional == (min(start, at) < FIRST or max(start, at) > LAST)


@given(any_calendar, any_day, any_day)
def test_between_counts_what_walking_counts(
    pair: tuple[Calendar, Callable[[date], bool]], a: date, b: date
) -> None:
    calendar, works = pair
    low, high = min(a, b), max(a, b)
    walked = sum(map(works, days(low + DAY, high)))
    assert calendar.between(low, high) == walked
    assert calendar.between(high, low) == -walked


@given(any_day, any_day, any_day, st.integers(1, 60))
def test_between_adds_up_and_undoes_add(a: date, b: date, c: date, n: int) -> None:
    assert NINGXIA.between(a, b) + NINGXIA.between(b, c) == NINGXIA.between(a, c)
    due = NINGXIA.add(a, n).day
    assert NINGXIA.is_workday(due)
    assert NINGXIA.between(a, due) == n
    assert NINGXIA.on_or_after(due).day == due


gaps_strategy = st.lists(st.tuples(st.integers(-5, 60), st.integers(0, 30)), max_size=4)


@given(any_day, st.integers(1, 45), gaps_strategy)
def test_pauses_take_out_exactly_their_days(start: date, n: int, offsets: list[tuple[int, int]]) -> None:
    raw = [(start + DAY * s, start + DAY * (s + length)) for s, length in offsets]
    at, left, over = start, n, False
    while left:
        at += DAY
        left -= works_in_ningxia(at) and not any(s < at <= e for s, e in raw)
    over = at > LAST or start < FIRST
    due = last_day(start, Limit(n), NINGXIA, merged(raw))
    assert due.day == at
    assert due.provisional or not over


@given(any_day, st.integers(1, 120), gaps_strategy)
def test_natural_days_run_through_holidays_and_end_on_a_working_day(
    start: date, n: int, offsets: list[tuple[int, int]]
) -> None:
    raw = [(start + DAY * s, start + DAY * (s + length)) for s, length in offsets]

    def paused(day: date) -> bool:
        return any(s < day <= e for s, e in raw)

    at, left = start, n
    while left:
        at += DAY
        left -= not paused(at)
    while paused(at) or not works_in_ningxia(at):
        at += DAY
    assert last_day(start, Limit(n, Unit.DAY), NINGXIA, merged(raw)).day == at


@pytest.mark.parametrize(
    ("start", "months", "due"),
    [
        ("2025-01-31", 1, "2025-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2025-03-31", 6, "2025-09-30"),
        ("2025-11-15", 3, "2026-02-24"),  # 15 Feb 2026 opens the Spring Festival
        ("2025-05-31", 0, "2025-06-03"),  # a Saturday, then the Dragon Boat holiday
    ],
)
def test_months_end_on_their_corresponding_day(start: str, months: int, due: str) -> None:
    limit = Limit(months, Unit.MONTH)
    assert last_day(date.fromisoformat(start), limit, NATIONAL).day == date.fromisoformat(due)


def test_limits_past_the_last_published_day_are_provisional_never_an_error() -> None:
    assert not NATIONAL.add(date(2026, 12, 30), 1).provisional
    assert NATIONAL.add(date(2026, 12, 31), 1).provisional
    assert NATIONAL.add(date(2026, 12, 31), 1).day == date(2027, 1, 4)
    assert last_day(date(2026, 12, 1), Limit(60, Unit.DAY), NATIONAL).provisional
    assert NATIONAL.add(date(2200, 1, 1), 20).provisional
    assert NATIONAL.add(date(1949, 10, 1), 20).provisional
    with pytest.raises(CalendarError):
        NATIONAL.add(date(9999, 12, 30), 20)
    assert delivery_due(date(2025, 9, 30), NATIONAL).day == date(2025, 10, 21)


@given(st.integers(1, 60), st.integers(1, 60), st.sampled_from(Unit), st.sampled_from(Unit), any_day)
def test_surely_longer_is_sure(a: int, b: int, unit_a: Unit, unit_b: Unit, start: date) -> None:
    one, other = Limit(a, unit_a), Limit(b, unit_b)
    if surely_longer(one, other):
        assert last_day(start, one, NINGXIA).day >= last_day(start, other, NINGXIA).day


def test_a_calendar_is_a_document() -> None:
    for calendar in (NATIONAL, NINGXIA):
        body = orjson.loads(orjson.dumps(calendar_document(calendar)))
        back = read_calendar(body)
        assert back == calendar
        assert back.add(date(2025, 1, 20), 20).day == date(2025, 2, 21)
    assert NATIONAL.version != NINGXIA.version
    assert official_calendar("640200000000", REGIONAL).version == NINGXIA.version
    assert NINGXIA.regional_through == date(2021, 12, 31)


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"region": "6402"},
        {"from": "2030-01-01"},
        {"through": 20261231},
        {"from": "0001-01-01"},
        {"off": ["2025-01-04"]},
        {"off": ["2027-01-01"]},
        {"work": ["2025-01-06"]},
        {"work": "2025-01-04"},
        {"regional": [{"day": "2025-03-31"}]},
        {"regional": [{"day": "2025-03-31", "name": "开斋节"}] * 2},
        {"regional": [{"day": "2025-03-31", "name": "开斋节", "works": 1}]},
        {"fixed": ["02-30"]},
        {"version": ""},
    ],
)
def test_a_wrong_calendar_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(CalendarError):
        read_calendar(calendar_document(NATIONAL) | change)


def test_the_region_wins_over_the_nation() -> None:
    sunday, monday = date(2025, 1, 26), date(2025, 1, 27)
    assert NATIONAL.is_workday(sunday)
    own = make_calendar(
        "640200000000",
        FIRST,
        LAST,
        NATIONAL.off,
        NATIONAL.work,
        regional=[RegionalDay(sunday, "开斋节"), RegionalDay(date(2025, 1, 25), "调休", works=True)],
    )
    assert not own.is_workday(sunday)
    assert own.is_workday(date(2025, 1, 25))
    assert own.is_workday(monday) == NATIONAL.is_workday(monday)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("region,date\n", 1),
        ("region,date,name\n6400,2025-03-31,开斋节\n", 2),
        ("region,date,name\n\n640000000000,2025-3-31,开斋节\n", 3),
        ("region,date,name\n640000000000,2025-03-31,\n", 2),
        ("region,date,name\n640000000000,2025-03-31,开斋节,x\n", 2),
        ("region,date,name,works\n640000000000,2025-03-31,开斋节,yes\n", 2),
        ("region,date,name\n" + "640000000000,2025-03-31,开斋节\n" * 2, 3),
    ],
)
def test_a_wrong_regional_file_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(CalendarError, match=f"第 {line} 行"):
        list(read_regional(text.encode(), "640200000000"))
    with pytest.raises(CalendarError, match=r"第 2 行.*UTF-8"):
        list(read_regional("region,date,name\n开".encode("gbk"), "640200000000"))


def test_which_regions_a_row_is_for() -> None:
    text = "region,date,name\n640000000000,2025-03-31,省\n640200000000,2025-04-01,市\n640221000000,2025-04-02,县\n".encode()
    names = {
        region: [extra.name for extra in read_regional(text, region)]
        for region in ("640200000000", "640221100201", "110000000000")
    }
    assert names == {"640200000000": ["省", "市"], "640221100201": ["省", "市", "县"], "110000000000": []}
    assert regional_file(ROOT / "data", "640200000000") is not None
    assert regional_file(ROOT / "data", "110000000000") is None


def test_neighbouring_days_differ_by_at_most_one() -> None:
    for a, b in pairwise(days(date(2026, 12, 20), date(2027, 1, 20))):
        assert NATIONAL.between(a, b) == NATIONAL.is_workday(b)
