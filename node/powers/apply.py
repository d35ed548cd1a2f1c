"""What others' authorisations do here: they are kept, and the steps that waited for them try again."""

from collections.abc import Sequence

from node.cases.apply import revive
from node.cases.permits import Early
from node.db import table_of
from node.exchange.arrivals import Arrival
from node.exchange.model import EventRow, EventState
from node.exchange.waiting import restate, stored
from node.fees.standing import reconsider
from node.powers import views
from node.powers.actions import KIND, keep, refusal, tell_newcomers
from node.work import Work
from protocol.errors import EnvelopeError
from protocol.messages import AuthorisationUpdate, read_body
from protocol.powers import may_sign


def apply_updates(work: Work, arrivals: Sequence[Arrival]) -> None:
    """Keep what was signed by the place itself or by one above it; set the rest aside."""
    for one in arrivals:
        _judge(work, one)
    if any(one.state == EventState.APPLIED for one in arrivals):
        revive(work)
        work.at_the_end(reconsider)


def after_edition(work: Work) -> None:
    """Judge again what has waited for a newer roster; whoever joins later is told of what is in force."""
    event = table_of(EventRow).c
    waiting = stored(work, event.state == EventState.WAITING, event.kind == KIND)
    apply_updates(work, waiting)
    for one in waiting:
        if one.state != EventState.WAITING:
            restate(work, one)
    tell_newcomers(work)


def _judge(work: Work, one: Arrival) -> None:
    one.state, one.rule, one.reason = EventState.APPLIED, "", ""
    try:
        body = read_body(AuthorisationUpdate, one.event.body)
        reason = _objection(work, one.event.frm, body)
    except EnvelopeError as wrong:
        one.quarantine(wrong.rule, wrong.reason)
    except Early as early:
        one.wait(str(early))
    else:
        if reason:
            one.quarantine("L-8", reason)
        else:
            keep(work, body, one.event.frm)


def _objection(work: Work, signer: str, body: AuthorisationUpdate) -> str:
    """Why it does not hold, "" if it does; Early if a newer roster must say whether its signer may."""
    for place in (signer, body.place):
        if signer != body.place and place not in work.know.roster:
            raise Early(f"等待名册里的 {place}")
    if not may_sign(signer, body.place, work.know.roster):
        return f"{signer} 不能给 {body.place} 的人员授权"
    if not body.id.startswith(f"SQ{body.place}-"):
        return f"授权编号 {body.id} 不是 {body.place} 的"
    known = views.authorisation(work.session, body.id)
    if body.version > (known.version if known else 0) + MOST_AHEAD:
        return f"授权 {body.id} 的版本 {body.version} 跳号"
    if known is not None and (known.place, known.person, known.items) != (
        body.place,
        body.person,
        body.items,
    ):
        return f"授权 {body.id} 已给 {known.place} 的 {known.person}，不能改给别人或改事项"
    if known is not None and known.revoked_on is not None and body.revoked_on != known.revoked_on:
        return f"授权 {body.id} 已于 {known.revoked_on} 撤销，不能恢复"
    return refusal(body)


MOST_AHEAD = 20
"""How far a version may run ahead of those that are here: others sign some, and theirs may still be on the way. A number
beyond counting would leave none for the place above to take the authorisation back with."""

HANDLERS = {KIND: apply_updates}
