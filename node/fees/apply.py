"""What others' words about money do here: kept, judged as our own would be, set aside with a finding if refused."""

from collections.abc import Sequence

from node.exchange.arrivals import Arrival
from node.fees import standing
from node.fees.standing import Heard
from node.work import Work
from protocol.case import Case, Step
from protocol.errors import EnvelopeError
from protocol.fees import FEES
from protocol.lifecycle import ENDINGS
from protocol.messages import read_body


def apply_money(work: Work, arrivals: Sequence[Arrival]) -> None:
    """Bills, payments and refunds: all are kept and judged together; what cannot be judged yet waits."""
    kept: list[Arrival] = []
    bills: dict[str, None] = {}
    for one in arrivals:
        try:
            body = read_body(FEES[one.event.kind], one.event.body)
        except EnvelopeError as wrong:
            one.quarantine(wrong.rule, wrong.reason)
            continue
        standing.keep(work, Heard(one.event.hash, one.event.kind, one.event.frm, one.event.cat, body))
        bills[body.bill] = None
        kept.append(one)
    for number in bills:
        standing.fold(work, number)
    for one in kept:
        one.state, one.rule, one.reason = standing.stands(work, one.event.hash)


def reconsider(work: Work, _before: Case | None, _after: Case, _step: Step) -> None:
    """A step of a case may be what its bills waited for: looked at once, when all steps that came are stored."""
    work.at_the_end(standing.reconsider)


HANDLERS = dict.fromkeys(FEES, apply_money)
FOLLOWS = dict.fromkeys(("case.filed", "case.taken", "case.accepted", *ENDINGS), reconsider)
