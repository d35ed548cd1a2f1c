"""What a station's words about agency do elsewhere: believed from the station alone, judged where that can be.

One rule: what is judged is the same in every order. A word that overtook the step or the bill it speaks of waits; it is
held against its sender only when nothing that may still come can make it true.
"""

from collections.abc import Sequence

from node.agency.actions import RULE, late
from node.agency.entrusted import Moment, refusal, said
from node.cases import findings
from node.cases.permits import Early
from node.cases.steps import Cases
from node.db import table_of
from node.exchange.arrivals import Arrival
from node.exchange.model import EventRow, EventState
from node.exchange.waiting import restate, stored
from node.fees import views as fees
from node.work import Work
from protocol.agency import (
    AGENCY,
    FETCHES,
    AgencyAct,
    Finished,
    Marked,
    MoneyHeld,
    PapersHandedOver,
    Resumed,
    Stopped,
)
from protocol.case import Case, Step
from protocol.envelope import Event
from protocol.errors import EnvelopeError
from protocol.lifecycle import ENDINGS
from protocol.messages import CaseDelivered, read_body

REFUSED = "G-1"
HERE = "agency"


def apply_agency(work: Work, arrivals: Sequence[Arrival]) -> None:
    """Keep what a station, or for an attribute a holder, says of a case; set the rest aside."""
    for one in arrivals:
        one.state, one.rule, one.reason = _judged(work, one.event)
        if one.state is EventState.WAITING:
            work.at_the_end(revive)


def revive(work: Work) -> None:
    """Judge again what has waited for its case, for a holder or for a bill."""
    event = table_of(EventRow).c
    for one in stored(work, event.state == EventState.WAITING, event.kind.in_(list(AGENCY))):
        one.state, one.rule, one.reason = _judged(work, one.event)
        if one.state is not EventState.WAITING:
            restate(work, one)


def _judged(work: Work, event: Event) -> tuple[EventState, str, str]:
    """What becomes of a word: (state, rule, reason)."""
    try:
        body = read_body(AGENCY[event.kind], event.body)
        case = Cases(work).get(body.no)
        reason = _refusal(work, case, event.frm, body)
    except EnvelopeError as wrong:
        return EventState.QUARANTINED, wrong.rule, wrong.reason
    except Early as early:
        return EventState.WAITING, "", str(early)
    if reason:
        about = f"{event.kind} {event.hash[:16]}"
        found = findings.note(work, RULE, body.no, about, place=event.frm, person=body.by, why=reason)
        findings.keep(work, [found])
        return EventState.QUARANTINED, REFUSED, reason
    if isinstance(body, Stopped | Resumed | Finished):
        _look_again(work, body.no)
    if case is not None and isinstance(body, PapersHandedOver):
        findings.keep(work, late(work, case, body.on, body.by))
    return EventState.APPLIED, "", ""


def _refusal(work: Work, case: Case | None, frm: str, body: AgencyAct) -> str:
    """Why this may not be said; "" if it may. Early while that cannot be known."""
    stranger = f"{frm} 不是办件 {body.no} 的代办站"
    if frm != body.no[:12] and not isinstance(body, Marked):
        return stranger
    if isinstance(body, Marked) and body.mark == "绿色通道" and not body.person:
        return "绿色通道须指定专人"
    if case is None:
        raise Early(f"等待办件 {body.no}")
    if frm != case.origin and frm not in case.holders:
        if case.over:
            return stranger
        raise Early(f"等待 {frm} 签收本件")
    if isinstance(body, MoneyHeld):
        bill = fees.bill_of(work.session, body.bill)
        if bill is None:
            raise Early(f"等待缴款通知书 {body.bill}")
        if bill.no != body.no or bill.amount != body.amount:
            return f"代收的金额与缴款通知书 {body.bill} 不符"
    return ""


def moved(work: Work, _before: Case | None, _after: Case, _step: Step) -> None:
    """A step of a case may be what a word waited for: looked at once, when all steps that came are stored."""
    work.at_the_end(revive)


def delivered(work: Work, _before: Case | None, after: Case, _step: Step) -> None:
    """A result fetched by an agent who was not entrusted with it is a finding wherever the entrustment can be read."""
    _look_again(work, after.no)


def _look_again(work: Work, no: str) -> None:
    """Once, when all that came is stored: what the station said before the delivery may come after it."""
    work.kept.setdefault(HERE, set()).add(no)
    work.at_the_end(_judge_deliveries)


def _judge_deliveries(work: Work) -> None:
    for no in sorted(work.kept.pop(HERE, ())):
        case = Cases(work).get(no)
        found = said(work.session, no, ("case.delivered",))
        if case is not None and case.agent and found:
            findings.drop(work, RULE, no, "delivered")
            findings.keep(work, _misdelivered(work, no, *found[0]))


def _misdelivered(work: Work, no: str, at: Moment, event: Event) -> list[findings.Finding]:
    body = read_body(CaseDelivered, event.body)
    if body.way != "代办员送达":
        return []
    reason = refusal(work.session, work.know, no, FETCHES, body.on, at)
    if not reason:
        return []
    return [findings.note(work, RULE, no, "delivered", place=event.frm, person=body.by, why=reason)]


HANDLERS = dict.fromkeys(AGENCY, apply_agency)
FOLLOWS = {"case.delivered": delivered, **dict.fromkeys(("case.filed", "case.taken", *ENDINGS), moved)}
