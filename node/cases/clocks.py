"""What this node computes of a case's days before it says them: receipt, acceptance, dues, delivery.

One rule: only the place whose turn it is computes, with the calendar it holds; what it found travels in the step
with the calendar's version, and everybody else shows that.
"""

from datetime import date, datetime
from typing import Any

from node.errors import Unavailable
from node.work import Work
from protocol import ledger as clock
from protocol.catalogue import Item
from protocol.errors import RoutingError
from protocol.ledger import Ledger, Owner, ledger_document
from protocol.lifecycle import Case
from protocol.limits import Limit, delivery_due, last_day, notice_due, surely_longer
from protocol.modes import mode_of
from protocol.powers import route_of
from protocol.routing import competent
from protocol.shares import part_due, received_on
from protocol.workdays import Calendar

PUBLIC_SERVICE = "20"
"""公共服务 and above among the item types of GB/T 39046-2020 A.1; below it stand the powers."""


def calendar_of(work: Work) -> Calendar:
    """The calendar of the edition in force; Unavailable if there is none."""
    calendar = work.catalogue().calendar
    if calendar is None:
        raise Unavailable("目录里还没有工作日历，不能计算时限")
    return calendar


def receipt(work: Work, arrived: datetime) -> dict[str, Any]:
    """The legal day of receipt of what arrived then, and the last day to tell defects; nothing without a calendar."""
    catalogue = work.know.catalogue
    if catalogue is None or catalogue.calendar is None:
        return {}
    rules = work.know.rules
    day = received_on(arrived, catalogue.calendar, rules.hours, roll=rules.roll)
    return {"received_on": day, "notice_by": notice_due(day, catalogue.calendar).day}


def whole_limits(item: Item) -> Ledger:
    """The item's limits, a statutory one filled in by the mode where a power has none of its own."""
    statutory, whole = item.statutory_limit, mode_of(item.seed_kind).whole
    if (
        statutory is None
        and item.item_type.code < PUBLIC_SERVICE
        and not surely_longer(item.promised_limit, whole)
    ):
        statutory = whole
    return Ledger(date(2000, 1, 1), item.promised_limit, statutory)


def needs_two(item: Item) -> bool:
    """Whether reviewer and decider must differ (一审一核): every power; a public service may be one person's."""
    return item.item_type.code < PUBLIC_SERVICE


def acceptance(work: Work, case: Case, item: Item, *, deemed: bool) -> dict[str, Any]:
    """The facts of an acceptance: today's, or (视为受理) as of the day of receipt."""
    limits = whole_limits(item)
    on = case.received_on if deemed and case.received_on else work.today
    ledger = Ledger(on, limits.promised, limits.statutory)
    return {
        "on": on,
        "deemed": deemed,
        "clock": ledger_document(ledger),
        "item_hash": work.catalogue().hash_of(item.id),
        "mode": item.seed_kind,
        "route": route_of(item),
        "two_person": needs_two(item),
        "version": item.version,
        **_days(work, case, ledger, item.seed_kind),
    }


def days(work: Work, case: Case, ledger: Ledger) -> dict[str, Any]:
    """The days of an accepted case by this ledger, as a step tells them."""
    return _days(work, case, ledger, case.mode)


def _days(work: Work, case: Case, ledger: Ledger, mode: str) -> dict[str, Any]:
    calendar = calendar_of(work)
    both = clock.dues(ledger, calendar, work.today)
    return {
        "due": both.shown.day,
        "statutory_due": both.statutory.day if both.statutory else None,
        "provisional": both.shown.provisional or bool(both.statutory and both.statutory.provisional),
        "calendar": calendar.version,
        "part_due": _part(work, case, ledger, mode_of(mode).report_up, calendar),
    }


def _part(work: Work, case: Case, ledger: Ledger, limit: Limit | None, calendar: Calendar) -> date | None:
    """The local part's last day where this node reviews and another decides."""
    if limit is None or decided_here(work, case):
        return None
    whole = Ledger(
        ledger.accepted, ledger.promised, ledger.statutory, ledger.suspensions, ledger.extension, case.hands
    )
    found = part_due(whole, Owner.LOCAL, limit, calendar, work.today)
    return found.day if found else None


def decided_here(work: Work, case: Case) -> bool:
    """Whether the catalogue lets this node decide the case."""
    try:
        found = competent(
            work.catalogue(), work.know.roster, case.item, case.origin, work.today, case.accepted_on
        )
    except RoutingError:
        return False
    return found.code == work.me


def reply_by(work: Work) -> date:
    """The last day to answer a correction notice given today."""
    return last_day(work.today, work.know.rules.correction_silence, calendar_of(work)).day


def follow_up_by(work: Work) -> date:
    """By when what was accepted as missing shall come, if nobody says."""
    return last_day(work.today, work.know.rules.follow_up, calendar_of(work)).day


def deliver_by(work: Work) -> date:
    """The last day to deliver what is granted today."""
    return delivery_due(work.today, calendar_of(work)).day


def tell_by(work: Work, case: Case) -> date | None:
    """The last day to pass a reply given today on to the applicant, where the mode has one."""
    limit = mode_of(case.mode).feedback
    return last_day(work.today, limit, calendar_of(work)).day if limit else None
