"""What a station's words about agency do elsewhere: believed from the station alone, judged where that can be."""

from collections.abc import Sequence

from node.agency.actions import RULE, late
from node.agency.entrusted import refusal
from node.cases import findings
from node.cases.steps import Cases
from node.exchange.arrivals import Arrival
from node.fees import views as fees
from node.work import Work
from protocol.agency import AGENCY, FETCHES, AgencyAct, Marked, MoneyHeld, PapersHandedOver
from protocol.case import Case, Step
from protocol.errors import EnvelopeError
from protocol.messages import CaseDelivered, read_body

REFUSED = "G-1"


def apply_agency(work: Work, arrivals: Sequence[Arrival]) -> None:
    """Keep what a station, or for an attribute the holder, says of a case; set the rest aside."""
    for one in arrivals:
        try:
            body = read_body(AGENCY[one.event.kind], one.event.body)
        except EnvelopeError as wrong:
            one.quarantine(wrong.rule, wrong.reason)
            continue
        case = Cases(work).get(body.no)
        if reason := _refusal(work, case, one.event.frm, body):
            one.quarantine(REFUSED, reason)
            found = findings.note(
                work,
                RULE,
                body.no,
                f"{one.event.kind} {reason}",
                place=one.event.frm,
                person=body.by,
                why=reason,
            )
            findings.keep(work, [found])
        elif case is not None and isinstance(body, PapersHandedOver):
            findings.keep(work, late(work, case, body.on, body.by))


def _refusal(work: Work, case: Case | None, frm: str, body: AgencyAct) -> str:
    if frm != body.no[:12] and not (isinstance(body, Marked) and case is not None and case.holder == frm):
        return f"{frm} 不是办件 {body.no} 的代办站"
    if isinstance(body, MoneyHeld):
        bill = fees.bill_of(work.session, body.bill)
        if bill is not None and (bill.no != body.no or bill.amount != body.amount):
            return f"代收的金额与缴款通知书 {body.bill} 不符"
    if isinstance(body, Marked) and body.mark == "绿色通道" and not body.person:
        return "绿色通道须指定专人"
    return ""


def delivered(work: Work, _before: Case | None, after: Case, step: Step) -> None:
    """A result fetched by an agent who was not entrusted with it is a finding wherever the entrustment can be read."""
    body = step.body
    if not after.agent or not isinstance(body, CaseDelivered) or body.way != "代办员送达":
        return
    if reason := refusal(work.session, work.know, after.no, FETCHES, body.on):
        found = findings.note(work, RULE, after.no, "delivered", place=step.frm, person=body.by, why=reason)
        findings.keep(work, [found])


HANDLERS = dict.fromkeys(AGENCY, apply_agency)
FOLLOWS = {"case.delivered": delivered}
