"""The clock of a case (时限账): facts in, days out. Source: 行政许可法 32, 42-45, 82; 民法典 201-203.

One rule: the ledger stores facts (accepted on, limits, pauses, one extension, in whose hands) and no
result; due dates, lights and shares are computed from it and a calendar, so a new calendar or a later
fact changes them all alike. The node that owns the clock computes; what travels in a step is shown.

The day of acceptance is not counted; a pause (s, e] takes the days s < d <= e out of the count; limits
in natural days and months end on a working day; 即办 is a limit of 0 and ends the same day.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from protocol.errors import LedgerError
from protocol.limits import Limit, Pauses, Unit, last_day, merged
from protocol.places import Code, is_code
from protocol.workdays import Calendar, Due


class Owner(StrEnum):
    """In whose hands the time runs."""

    LOCAL = "local"
    UPPER = "upper"
    TRANSIT = "transit"
    APPLICANT = "applicant"


class Clock(StrEnum):
    """Which of the two limits: the promised (承诺), the statutory (法定), or the stricter, which is shown."""

    SHOWN = "shown"
    PROMISED = "promised"
    STATUTORY = "statutory"


class Light(StrEnum):
    """限时灯: 正常, 临期, 超期, 停表."""

    OK = "ok"
    DUE = "due"
    OVER = "over"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Suspension:
    """特别程序 that stops the clock: days d with start < d <= end are not counted; open while `end` is None."""

    kind: str
    basis: str
    start: date
    end: date | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Extension:
    """延期: once, before the limit passes, by a named approver, with a reason told to the applicant."""

    by: Limit
    on: date
    approver: str
    reason: str
    basis: str = "《行政许可法》第四十二条"


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `at` (aware) the case is in these hands, until the next stretch begins."""

    owner: Owner
    place: Code
    at: datetime


@dataclass(frozen=True, slots=True)
class Ledger:
    """The facts of one case's clock; every change makes a new ledger."""

    accepted: date
    promised: Limit
    statutory: Limit | None = None
    suspensions: tuple[Suspension, ...] = ()
    extension: Extension | None = None
    stretches: tuple[Stretch, ...] = ()
    stopped: date | None = None
    """The day of the decision, or of another end; nothing runs after it."""


@dataclass(frozen=True, slots=True)
class Dues:
    """Both limits side by side; `shown` is the stricter, the one the applicant is told."""

    promised: Due
    statutory: Due | None
    shown: Due


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a light turns to `due`: the last days, the last percent, and half time for short limits."""

    notice_days: int = 1
    notice_percent: int = 10
    short_days: int = 2


# What may be written


def suspend(ledger: Ledger, kind: str, basis: str, on: date, reason: str = "") -> Ledger:
    """The ledger with an open suspension from `on`.

    LedgerError: the clock has stopped, `on` lies before acceptance, no legal basis, or this kind is open.
    """
    _running(ledger, on)
    if not kind or not basis:
        raise LedgerError("停表须写明特别程序的种类和依据")
    if any(open_one.kind == kind for open_one in open_suspensions(ledger)):
        raise LedgerError(f"特别程序“{kind}”正在进行，不能再次启动")
    return replace(ledger, suspensions=(*ledger.suspensions, Suspension(kind, basis, on, reason=reason)))


def resume(ledger: Ledger, kind: str, on: date) -> Ledger:
    """The ledger with the open suspension of `kind` ended on `on`; that day is the last not counted."""
    _running(ledger, on)
    for at, suspension in enumerate(ledger.suspensions):
        if suspension.kind == kind and suspension.end is None:
            if on < suspension.start:
                raise LedgerError(f"特别程序“{kind}”始于 {suspension.start}，不能止于 {on}")
            ended = replace(suspension, end=on)
            return replace(
                ledger, suspensions=(*ledger.suspensions[:at], ended, *ledger.suspensions[at + 1 :])
            )
    raise LedgerError(f"特别程序“{kind}”没有在进行")


def extend(ledger: Ledger, calendar: Calendar, extension: Extension, at_most: Limit | None = None) -> Ledger:
    """The ledger with its one extension; both limits move, but a promise already broken stays broken.

    LedgerError: extended before, the limit has passed, nothing added, more than `at_most` (same unit),
    no approver or no reason.
    """
    _running(ledger, extension.on)
    if ledger.extension is not None:
        raise LedgerError(f"已于 {ledger.extension.on} 延期过一次，不能再延")
    if extension.by.value == 0 or not extension.approver or not extension.reason:
        raise LedgerError("延期须写明天数、批准人和理由")
    if at_most and extension.by.unit is at_most.unit and extension.by.value > at_most.value:
        raise LedgerError(f"最多延期 {at_most}，不能延期 {extension.by}")
    both = dues(ledger, calendar, extension.on)
    last = (both.statutory or both.promised).day
    if extension.on > last:
        raise LedgerError(f"时限已于 {last} 届满，不能再延期")
    return replace(ledger, extension=extension)


def hand(ledger: Ledger, owner: Owner, place: Code, at: datetime) -> Ledger:
    """The ledger with the case in other hands from `at`; LedgerError if naive or before the last change."""
    if at.tzinfo is None:
        raise LedgerError(f"时刻须带时区：{at.isoformat()}")
    if ledger.stretches:
        last = ledger.stretches[-1]
        if at < last.at:
            raise LedgerError(f"时段不能倒退：{at.isoformat()} 早于 {last.at.isoformat()}")
        if (last.owner, last.place) == (owner, place):
            return ledger
    return replace(ledger, stretches=(*ledger.stretches, Stretch(owner, place, at)))


def stop(ledger: Ledger, on: date) -> Ledger:
    """The ledger with its clock stopped for good on `on`: decided, withdrawn or terminated."""
    _running(ledger, on)
    return replace(ledger, stopped=on)


def _running(ledger: Ledger, on: date) -> None:
    if ledger.stopped is not None:
        raise LedgerError(f"计时已于 {ledger.stopped} 结束")
    if on < ledger.accepted:
        raise LedgerError(f"{on} 早于受理日 {ledger.accepted}")


# What it means


def open_suspensions(ledger: Ledger) -> tuple[Suspension, ...]:
    """Those that run now; at most one of each kind."""
    return tuple(suspension for suspension in ledger.suspensions if suspension.end is None)


def pauses(ledger: Ledger, today: date) -> Pauses:
    """The days not counted, overlaps merged; an open suspension is taken to end today, or when all stopped."""
    now = _now(ledger, today)
    return merged((each.start, each.end or max(now, each.start)) for each in ledger.suspensions)


def dues(ledger: Ledger, calendar: Calendar, today: date) -> Dues:
    """The last day of the promised and of the statutory limit.

    While a suspension is open these are the days that would hold if it ended `today`.
    """
    return _dues(ledger, calendar, pauses(ledger, today))


def _dues(ledger: Ledger, calendar: Calendar, gaps: Pauses) -> Dues:
    promised = _last_day(ledger, ledger.promised, gaps, calendar)
    if ledger.statutory is None:
        return Dues(promised, None, promised)
    statutory = _last_day(ledger, ledger.statutory, gaps, calendar)
    return Dues(promised, statutory, statutory if statutory.day < promised.day else promised)


def due(ledger: Ledger, calendar: Calendar, today: date) -> Due:
    """The last day of the stricter limit, the one told to the applicant."""
    return dues(ledger, calendar, today).shown


def remaining(ledger: Ledger, calendar: Calendar, today: date, clock: Clock = Clock.SHOWN) -> int:
    """Days left after `today`, 0 on the last day, negative when late; frozen by a suspension or the decision.

    Working days for limits in working days, else natural days.
    """
    gaps = pauses(ledger, today)
    limit, end = _chosen(ledger, calendar, gaps, clock)
    return _left(limit, _now(ledger, today), end.day, gaps, calendar)


def light(
    ledger: Ledger,
    calendar: Calendar,
    today: date,
    clock: Clock = Clock.SHOWN,
    thresholds: Thresholds = Thresholds(),
) -> Light:
    """OVER past the limit, STOPPED while suspended, DUE near the end, else OK.

    A case that was decided keeps OVER if it was late, else OK. A suspension begun after the limit passed
    changes nothing.
    """
    gaps = pauses(ledger, today)
    limit, end = _chosen(ledger, calendar, gaps, clock)
    now = _now(ledger, today)
    if now > end.day:
        return Light.OVER
    if ledger.stopped is not None:
        return Light.OK
    if open_suspensions(ledger):
        return Light.STOPPED
    left = _left(limit, now, end.day, gaps, calendar)
    return Light.DUE if _near(left, _whole(ledger, limit), thresholds) else Light.OK


def recomputed(ledger: Ledger, old: Calendar, new: Calendar, today: date) -> tuple[Dues, Dues] | None:
    """Old and new due dates where a new calendar moves them; None if nothing moves or the clock has stopped."""
    if ledger.stopped is not None:
        return None
    before, after = dues(ledger, old, today), dues(ledger, new, today)
    return (before, after) if before != after else None


def _last_day(ledger: Ledger, limit: Limit, gaps: Pauses, calendar: Calendar) -> Due:
    """With the extension, where it came in time for this limit."""
    end = last_day(ledger.accepted, limit, calendar, gaps)
    extension = ledger.extension
    if extension is None or extension.on > end.day:
        return end
    if extension.by.unit is limit.unit:
        return last_day(ledger.accepted, Limit(limit.value + extension.by.value, limit.unit), calendar, gaps)
    longer = last_day(end.day, extension.by, calendar, [(max(s, end.day), e) for s, e in gaps if e > end.day])
    return Due(longer.day, longer.provisional or end.provisional)


def _chosen(ledger: Ledger, calendar: Calendar, gaps: Pauses, clock: Clock) -> tuple[Limit, Due]:
    both = _dues(ledger, calendar, gaps)
    strict = both.statutory is not None and both.shown is both.statutory
    if clock is Clock.STATUTORY or (clock is Clock.SHOWN and strict):
        if ledger.statutory is None or both.statutory is None:
            raise LedgerError("本事项没有法定时限")
        return ledger.statutory, both.statutory
    return ledger.promised, both.promised


def _left(limit: Limit, now: date, end: date, gaps: Pauses, calendar: Calendar) -> int:
    def days(a: date, b: date) -> int:
        return calendar.between(a, b) if limit.unit is Unit.WORKDAY else b.toordinal() - a.toordinal()

    if now >= end:
        return days(now, end)
    return days(now, end) - sum(days(max(s, now), min(e, end)) for s, e in gaps if s < end and e > now)


def _whole(ledger: Ledger, limit: Limit) -> int:
    """The whole limit in days, the extension included where it has the same unit; a month is 30 days."""
    more = ledger.extension.by.value if ledger.extension and ledger.extension.by.unit is limit.unit else 0
    return (limit.value + more) * (30 if limit.unit is Unit.MONTH else 1)


def _near(left: int, whole: int, thresholds: Thresholds) -> bool:
    if whole <= thresholds.short_days:
        return left * 2 <= whole
    return left <= thresholds.notice_days or left * 100 <= whole * thresholds.notice_percent


def _now(ledger: Ledger, today: date) -> date:
    return today if ledger.stopped is None else min(today, ledger.stopped)


# On the wire


def ledger_document(ledger: Ledger) -> dict[str, Any]:
    """The ledger as the JSON that travels in a step; `read_ledger` reads it back to an equal ledger."""
    extension = ledger.extension
    return {
        "accepted": ledger.accepted.isoformat(),
        "promised": _limit_document(ledger.promised),
        "statutory": _limit_document(ledger.statutory) if ledger.statutory else None,
        "suspensions": [
            {
                "kind": each.kind,
                "basis": each.basis,
                "start": each.start.isoformat(),
                "end": each.end.isoformat() if each.end else None,
                "reason": each.reason,
            }
            for each in ledger.suspensions
        ],
        "extension": None
        if extension is None
        else {
            "by": _limit_document(extension.by),
            "on": extension.on.isoformat(),
            "approver": extension.approver,
            "reason": extension.reason,
            "basis": extension.basis,
        },
        "stretches": [
            {"owner": each.owner.value, "place": each.place, "at": each.at.isoformat()}
            for each in ledger.stretches
        ],
        "stopped": ledger.stopped.isoformat() if ledger.stopped else None,
    }


def read_ledger(body: Mapping[str, Any]) -> Ledger:
    """The ledger of a step's JSON; LedgerError if it is none."""
    try:
        return _read(body)
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        raise LedgerError(f"时限账的写法不对：{type(wrong).__name__} {wrong}") from None


def _read(body: Mapping[str, Any]) -> Ledger:
    extension = body["extension"]
    return Ledger(
        accepted=_day(body["accepted"]),
        promised=_limit(body["promised"]),
        statutory=_limit(body["statutory"]) if body["statutory"] else None,
        suspensions=tuple(
            Suspension(
                _word(each["kind"]),
                _word(each["basis"]),
                _day(each["start"]),
                _day(each["end"]) if each["end"] else None,
                each["reason"],
            )
            for each in body["suspensions"]
        ),
        extension=None
        if extension is None
        else Extension(
            _limit(extension["by"]),
            _day(extension["on"]),
            _word(extension["approver"]),
            _word(extension["reason"]),
            _word(extension["basis"]),
        ),
        stretches=tuple(_stretch(each) for each in body["stretches"]),
        stopped=_day(body["stopped"]) if body["stopped"] else None,
    )


def _limit_document(limit: Limit) -> dict[str, Any]:
    return {"value": limit.value, "unit": limit.unit.value}


def _limit(body: Mapping[str, Any]) -> Limit:
    value = body["value"]
    if type(value) is not int:
        raise TypeError(f"{value!r}")
    return Limit(value, Unit(body["unit"]))


def _stretch(body: Mapping[str, Any]) -> Stretch:
    at = datetime.fromisoformat(body["at"])
    if at.tzinfo is None or not is_code(body["place"]):
        raise ValueError(f"{body!r}")
    return Stretch(Owner(body["owner"]), Code(body["place"]), at)


def _day(text: str) -> date:
    day = date.fromisoformat(text)
    if not 1949 <= day.year <= 2999:
        raise ValueError(text)
    return day


def _word(text: Any) -> str:
    if not isinstance(text, str) or not text:
        raise TypeError(f"{text!r}")
    return text
