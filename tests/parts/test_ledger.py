"""The clock of a case: what may be written into it, and what it then says."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.calendar_source import official_calendar
from protocol.errors import LedgerError
from protocol.ledger import (
    Clock,
    Extension,
    Ledger,
    Light,
    Owner,
    Suspension,
    Thresholds,
    due,
    dues,
    extend,
    hand,
    ledger_document,
    light,
    open_suspensions,
    read_ledger,
    recomputed,
    remaining,
    resume,
    stop,
    suspend,
)
from protocol.limits import LONGEST_EXTENSION, Limit, Unit
from protocol.places import Code
from protocol.shares import OfficeHours, civil_day, part_due, received_on, shares, working_minutes
from protocol.workdays import make_calendar

CALENDAR = official_calendar("640200000000")
HOURS = OfficeHours()
START = date(2025, 3, 3)
LICENCE = Ledger(START, promised=Limit(5), statutory=Limit(20))
TOWN, COUNTY, VILLAGE = Code("640221100000"), Code("640221000000"), Code("640221100201")


def march(day: int) -> date:
    return date(2025, 3, day)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """An instant of March 2025, civil time in China."""
    return datetime(2025, 3, 1, 0, 0, tzinfo=UTC) + timedelta(days=day - 1, hours=hour - 8, minutes=minute)


def extension(on: date, n: int = 10) -> Extension:
    return Extension(Limit(n), on, "局长", "情况复杂")


def test_promised_and_statutory_side_by_side() -> None:
    both = dues(LICENCE, CALENDAR, START)
    assert (both.promised.day, both.statutory and both.statutory.day) == (march(10), march(31))
    assert both.shown is both.promised
    assert due(LICENCE, CALENDAR, START) == both.promised
    assert remaining(LICENCE, CALENDAR, START) == 5
    assert remaining(LICENCE, CALENDAR, START, Clock.STATUTORY) == 20
    assert light(LICENCE, CALENDAR, march(11)) is Light.OVER
    assert light(LICENCE, CALENDAR, march(11), Clock.STATUTORY) is Light.OK


def test_the_stricter_limit_is_shown_even_if_it_is_the_law() -> None:
    ledger = Ledger(START, promised=Limit(10), statutory=Limit(10, Unit.DAY))
    both = dues(ledger, CALENDAR, START)
    assert both.shown is both.statutory
    assert remaining(ledger, CALENDAR, START) == 10


def test_no_statutory_limit() -> None:
    ledger = Ledger(START, promised=Limit(5))
    assert dues(ledger, CALENDAR, START).statutory is None
    with pytest.raises(LedgerError):
        remaining(ledger, CALENDAR, START, Clock.STATUTORY)


def test_done_the_same_day() -> None:
    ledger = Ledger(START, promised=Limit(0))
    assert due(ledger, CALENDAR, START).day == START
    assert light(ledger, CALENDAR, START) is Light.DUE
    assert light(ledger, CALENDAR, march(4)) is Light.OVER
    saturday = Ledger(march(8), promised=Limit(0))
    assert due(saturday, CALENDAR, march(8)).day == march(10)


def test_a_suspension_stops_the_clock_and_resuming_moves_the_day() -> None:
    ledger = suspend(replace(LICENCE, promised=Limit(20)), "专家评审", "行政许可法第四十五条", march(10))
    assert light(ledger, CALENDAR, march(14)) is Light.STOPPED
    assert remaining(ledger, CALENDAR, march(10)) == remaining(ledger, CALENDAR, march(17)) == 15
    ledger = resume(ledger, "专家评审", march(17))
    assert due(ledger, CALENDAR, march(18)).day == date(2025, 4, 8)
    assert light(ledger, CALENDAR, march(18)) is Light.OK
    assert remaining(ledger, CALENDAR, march(18)) == 14


def test_overlapping_suspensions_are_a_union() -> None:
    ledger = suspend(replace(LICENCE, promised=Limit(20)), "听证", "45", march(10))
    ledger = suspend(ledger, "检测", "45", march(13))
    assert [each.kind for each in open_suspensions(ledger)] == ["听证", "检测"]
    ledger = resume(resume(ledger, "听证", march(17)), "检测", march(20))
    assert due(ledger, CALENDAR, march(21)).day == date(2025, 4, 11)


def test_a_suspension_begun_too_late_excuses_nothing() -> None:
    ledger = suspend(LICENCE, "检测", "45", march(11))
    assert light(ledger, CALENDAR, march(12)) is Light.OVER
    assert due(ledger, CALENDAR, march(28)).day == march(10)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: suspend(suspend(LICENCE, "检测", "45", march(4)), "检测", "45", march(5)),
        lambda: suspend(LICENCE, "检测", "45", date(2025, 2, 28)),
        lambda: suspend(LICENCE, "检测", "", march(4)),
        lambda: suspend(stop(LICENCE, march(5)), "检测", "45", march(6)),
        lambda: resume(LICENCE, "检测", march(5)),
        lambda: resume(suspend(LICENCE, "检测", "45", march(5)), "检测", march(4)),
        lambda: stop(stop(LICENCE, march(5)), march(6)),
        lambda: stop(LICENCE, date(2025, 2, 28)),
        lambda: extend(LICENCE, CALENDAR, extension(date(2025, 4, 1))),
        lambda: extend(extend(LICENCE, CALENDAR, extension(march(5))), CALENDAR, extension(march(6))),
        lambda: extend(LICENCE, CALENDAR, extension(march(5), 11), LONGEST_EXTENSION),
        lambda: extend(LICENCE, CALENDAR, extension(march(5), 0)),
        lambda: extend(LICENCE, CALENDAR, replace(extension(march(5)), approver="")),
        lambda: hand(hand(LICENCE, Owner.LOCAL, TOWN, at(4, 9)), Owner.UPPER, COUNTY, at(3, 9)),
        lambda: hand(LICENCE, Owner.LOCAL, TOWN, datetime(2025, 3, 4, 9)),  # noqa: DTZ001
        lambda: Limit(-1),
        lambda: Limit(100_000),
    ],
)
def test_what_the_law_does_not_know_is_refused(wrong: object) -> None:
    assert callable(wrong)
    with pytest.raises(LedgerError):
        wrong()


def test_one_extension_moves_both_limits() -> None:
    longer = extend(LICENCE, CALENDAR, extension(march(10)), LONGEST_EXTENSION)
    both = dues(longer, CALENDAR, march(11))
    assert (both.promised.day, both.statutory and both.statutory.day) == (march(24), date(2025, 4, 15))


def test_an_extension_does_not_mend_a_broken_promise() -> None:
    longer = extend(LICENCE, CALENDAR, extension(march(20)))
    both = dues(longer, CALENDAR, march(21))
    assert (both.promised.day, both.statutory and both.statutory.day) == (march(10), date(2025, 4, 15))


def test_an_extension_in_another_unit_follows_the_limit() -> None:
    ledger = Ledger(START, promised=Limit(30, Unit.DAY))
    assert due(ledger, CALENDAR, START).day == date(2025, 4, 2)
    longer = extend(ledger, CALENDAR, extension(march(10), 5))
    assert due(longer, CALENDAR, START).day == CALENDAR.add(date(2025, 4, 2), 5).day
    paused = suspend(longer, "检测", "45", date(2025, 4, 7))
    assert (
        due(resume(paused, "检测", date(2025, 4, 8)), CALENDAR, START).day
        == CALENDAR.add(date(2025, 4, 2), 6).day
    )


def test_lights_near_the_end() -> None:
    twenty = Ledger(START, promised=Limit(20))
    left = {light(twenty, CALENDAR, CALENDAR.add(START, n).day): n for n in range(18)}
    assert left == {Light.OK: 17}
    assert light(twenty, CALENDAR, CALENDAR.add(START, 18).day) is Light.DUE
    two = Ledger(START, promised=Limit(2))
    assert [light(two, CALENDAR, march(day)) for day in (3, 4, 5, 6)] == [
        Light.OK,
        Light.DUE,
        Light.DUE,
        Light.OVER,
    ]
    strict = Thresholds(notice_days=3, notice_percent=50)
    assert light(twenty, CALENDAR, CALENDAR.add(START, 10).day, thresholds=strict) is Light.DUE
    months = Ledger(START, promised=Limit(3, Unit.MONTH))
    assert light(months, CALENDAR, date(2025, 5, 20)) is Light.OK
    assert light(months, CALENDAR, date(2025, 5, 26)) is Light.DUE


def test_a_decided_case_keeps_what_it_was() -> None:
    good, late = stop(LICENCE, march(10)), stop(LICENCE, march(11))
    for day in (march(10), march(28), date(2026, 1, 1)):
        assert light(good, CALENDAR, day) is Light.OK
        assert remaining(good, CALENDAR, day) == 0
        assert light(late, CALENDAR, max(day, march(11))) is Light.OVER
    assert remaining(late, CALENDAR, march(28)) == -1
    assert recomputed(late, CALENDAR, CALENDAR, march(28)) is None


def test_a_new_calendar_recomputes_open_cases() -> None:
    ledger = Ledger(date(2026, 12, 21), promised=Limit(10))
    assert due(ledger, CALENDAR, date(2026, 12, 21)).provisional
    newer = make_calendar(
        "640200000000",
        CALENDAR.published_from,
        date(2027, 12, 31),
        CALENDAR.off | {date(2027, 1, 1)},
        CALENDAR.work | {date(2027, 1, 3)},
    )
    moved = recomputed(ledger, CALENDAR, newer, date(2026, 12, 21))
    assert moved is not None
    assert (moved[0].shown.provisional, moved[1].shown.provisional) == (True, False)
    assert moved[1].shown.day < moved[0].shown.day
    assert recomputed(ledger, newer, newer, date(2026, 12, 21)) is None


def test_on_the_wire_and_back() -> None:
    ledger = suspend(LICENCE, "听证", "45", march(4), "利害关系人申请")
    ledger = suspend(resume(ledger, "听证", march(6)), "检测", "45", march(7))
    ledger = hand(extend(ledger, CALENDAR, extension(march(7))), Owner.LOCAL, TOWN, at(3, 9))
    ledger = hand(ledger, Owner.UPPER, COUNTY, at(5, 9))
    for each in (
        ledger,
        stop(ledger, march(12)),
        Ledger(START, Limit(0)),
        Ledger(START, Limit(3, Unit.MONTH)),
    ):
        assert read_ledger(orjson.loads(orjson.dumps(ledger_document(each)))) == each


@pytest.mark.parametrize(
    "change",
    [
        {"accepted": "2025-02-30"},
        {"accepted": "9999-12-31"},
        {"accepted": 20250303},
        {"promised": {"value": "20", "unit": "工作日"}},
        {"promised": {"value": 20, "unit": "小时"}},
        {"promised": {"value": 10**9, "unit": "月"}},
        {"suspensions": [{"kind": "检测"}]},
        {"suspensions": 5},
        {"extension": {}},
        {"stretches": [{"owner": "local", "place": "6402", "at": "2025-03-03T09:00:00+08:00"}]},
        {"stretches": [{"owner": "local", "place": TOWN, "at": "2025-03-03T09:00:00"}]},
        {"stretches": [{"owner": "nobody", "place": TOWN, "at": "2025-03-03T09:00:00+08:00"}]},
    ],
)
def test_a_wrong_ledger_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(LedgerError):
        read_ledger(ledger_document(LICENCE) | change)
    with pytest.raises(LedgerError):
        read_ledger({})


def test_out_of_hours_is_the_next_working_day() -> None:
    friday_noon, friday_evening, saturday = at(7, 12, 30), at(7, 17), at(8, 10)
    assert received_on(at(7, 7), CALENDAR, HOURS) == march(7)
    assert received_on(friday_noon, CALENDAR, HOURS) == march(7)
    assert received_on(friday_evening, CALENDAR, HOURS) == march(10)
    assert received_on(saturday, CALENDAR, HOURS) == march(10)
    assert received_on(saturday, CALENDAR, HOURS, roll=False) == march(8)
    assert civil_day(datetime(2025, 3, 7, 16, 30, tzinfo=UTC)) == march(8)


def test_whose_time_it_was() -> None:
    ledger = hand(LICENCE, Owner.LOCAL, VILLAGE, at(3, 9))
    ledger = hand(ledger, Owner.TRANSIT, VILLAGE, at(3, 16))
    ledger = hand(ledger, Owner.LOCAL, TOWN, at(4, 10))
    ledger = hand(ledger, Owner.LOCAL, TOWN, at(4, 11))
    ledger = hand(ledger, Owner.UPPER, COUNTY, at(6, 17))
    found = shares(ledger, CALENDAR, at(10, 9), HOURS)
    assert [(each.owner, each.place, each.minutes, each.workdays) for each in found] == [
        (Owner.LOCAL, VILLAGE, 360, 0),
        (Owner.TRANSIT, VILLAGE, 120, 1),
        (Owner.LOCAL, TOWN, 360 + 420 + 420, 2),
        (Owner.UPPER, COUNTY, 420, 2),
    ]
    assert sum(each.minutes for each in found) == working_minutes(at(3, 9), at(10, 9), CALENDAR, HOURS)


def test_the_local_and_the_upper_part_have_days_of_their_own() -> None:
    ledger = hand(LICENCE, Owner.LOCAL, TOWN, at(3, 9))
    ledger = hand(ledger, Owner.UPPER, COUNTY, at(5, 9))
    assert part_due(ledger, Owner.UPPER, Limit(5), CALENDAR, march(6)) == CALENDAR.add(march(5), 5)
    back = hand(ledger, Owner.LOCAL, TOWN, at(12, 9))
    local = part_due(back, Owner.LOCAL, Limit(3), CALENDAR, march(12))
    assert local == CALENDAR.add(march(12), 1)
    assert part_due(back, Owner.APPLICANT, Limit(3), CALENDAR, march(12)) is None


moments = st.lists(
    st.tuples(st.integers(0, 60 * 24 * 40), st.sampled_from(Owner), st.sampled_from((TOWN, COUNTY))),
    max_size=8,
)
spans = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 10)), max_size=3)


@settings(deadline=None, max_examples=60)
@given(moments, spans, st.integers(0, 60 * 24 * 50))
def test_shares_sum_to_the_elapsed_time(
    changes: list[tuple[int, Owner, Code]], paused: list[tuple[int, int]], until: int
) -> None:
    begin = at(1, 9)
    ledger = Ledger(march(2), Limit(20))
    for s, length in paused:
        first = march(2) + timedelta(days=s)
        gap = Suspension(f"{len(ledger.suspensions)}", "45", first, first + timedelta(days=length))
        ledger = replace(ledger, suspensions=(*ledger.suspensions, gap))
    for minute, owner, place in sorted(changes, key=lambda change: change[0]):
        ledger = hand(ledger, owner, place, begin + timedelta(minutes=minute))
    if not ledger.stretches:
        return
    start, end = ledger.stretches[0].at, max(begin + timedelta(minutes=until), ledger.stretches[0].at)
    found = shares(ledger, CALENDAR, end, HOURS)
    assert sum(each.minutes for each in found) == working_minutes(start, end, CALENDAR, HOURS)
    assert sum(each.workdays for each in found) == CALENDAR.between(civil_day(start), civil_day(end))
    assert all(0 <= each.counted <= each.workdays and each.minutes >= 0 for each in found)
    last = civil_day(end)
    left = remaining(ledger, CALENDAR, last)
    if civil_day(start) <= ledger.accepted <= last and left >= 0:
        assert sum(each.counted for each in found) == 20 - left


def test_office_minutes_walk() -> None:
    minute = at(7, 8)
    walked = 0
    for _ in range(60 * 24 * 4):
        following = minute + timedelta(minutes=1)
        walked += working_minutes(minute, following, CALENDAR, HOURS)
        minute = following
    assert walked == working_minutes(at(7, 8), at(11, 8), CALENDAR, HOURS) == 2 * HOURS.minutes
