"""What others' words about money do here: kept, judged as our own would be, set aside with a finding if refused."""

from collections.abc import Sequence

from node.exchange.arrivals import Arrival
from node.fees import standing
from node.fees.standing import Heard
from node.work import Work
from protocol.case import Case, Step
from protocol.errors import EnvelopeError
from protocol.fees import FEES
from protocol.messages import read_body

REFUSED = "F-1"


def apply_money(work: Work, arrivals: Sequence[Arrival]) -> None:
    """Bills, payments and refunds, each kept, and set aside if it does not count."""
    for one in arrivals:
        try:
            body = read_body(FEES[one.event.kind], one.event.body)
        except EnvelopeError as wrong:
            one.quarantine(wrong.rule, wrong.reason)
            continue
        heard = Heard(one.event.hash, one.event.kind, one.event.frm, one.event.cat, body)
        if reason := standing.hear(work, heard):
            one.quarantine(REFUSED, reason)


def reconsider(work: Work, _before: Case | None, _after: Case, _step: Step) -> None:
    """A step of a case may be what its bills waited for: looked at once, when all steps that came are stored."""
    work.at_the_end(standing.reconsider)


HANDLERS = dict.fromkeys(FEES, apply_money)
FOLLOWS = dict.fromkeys(("case.filed", "case.taken", "case.accepted"), reconsider)
