"""What verified joint messages do here, and what the case's own steps do to joint handlings.

One rule: only an invited assist answers, only for its own part; only the lead invites, appoints, records and closes.
Within the case's line the chain says who leads and who is invited; outside it the lead's notice does, if it comes
from a place in the line of the case.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from node.cases.permits import Early
from node.cases.steps import Cases
from node.db import table_of
from node.exchange.arrivals import Arrival
from node.exchange.model import EventRow, EventState
from node.exchange.waiting import restate, stored
from node.joint import standing
from node.joint.standing import Standing
from node.materials import index
from node.work import Work
from protocol import joint as law
from protocol.case import Case, State, Step
from protocol.envelope import Event
from protocol.errors import EnvelopeError
from protocol.joint import Joint
from protocol.joint_acts import JOINTS, JointAct, JointNotice, JointReply, JointTerms
from protocol.messages import read_body

HERE = "joint"


def apply_joint(work: Work, arrivals: Sequence[Arrival]) -> None:
    """Take what was said in joint handlings; set aside what its sender may not say, with the reason."""
    for one in arrivals:
        _judge(work, one)
        if one.state is EventState.WAITING:
            work.kept.setdefault(HERE, []).append(one)


def revive(work: Work, no: str = "") -> None:
    """Judge again what has waited for the step or the notice it speaks of, in one case or in all.

    Some of it may have come in this very batch, and stand in no table yet.
    """
    for one in work.kept.get(HERE, ()):
        if one.state is EventState.WAITING:
            _judge(work, one)
    event = table_of(EventRow).c
    which = [event.state == EventState.WAITING, event.kind.in_(list(JOINTS))]
    for one in stored(work, *which, *([event.case_no == no] if no else [])):
        _judge(work, one)
        if one.state is not EventState.WAITING:
            restate(work, one)


def _judge(work: Work, one: Arrival) -> None:
    one.state, one.rule, one.reason = EventState.APPLIED, "", ""
    try:
        body = read_body(JOINTS[one.event.kind], one.event.body)
        _may_say(work, one.event, body)
    except EnvelopeError as wrong:
        one.quarantine(wrong.rule, wrong.reason)
    except Early as early:
        one.wait(str(early))
    else:
        _take(work, one.event, body)
        if standing.find(work.session, body.no, body.joint) is None:
            one.wait(f"等待办件 {body.no} 第 {body.joint} 步发起联办")


def _take(work: Work, event: Event, body: JointAct) -> None:
    """Keep it; it is counted as soon as its joint handling is known here."""
    if isinstance(body, JointNotice):
        _notice(work, event, body)
    else:
        standing.keep(work, event, body)
    index.note(work, event, body.no)


def _may_say(work: Work, event: Event, body: JointAct) -> None:
    """EnvelopeError J-1 to J-4 if the sender may not say this; Early if a new roster must come first.

    What else cannot be judged yet is counted later.
    """
    for place in (body.no[:12], event.frm):
        if place not in work.know.roster:
            raise Early(f"等待名册里的 {place}")
    known = standing.find(work.session, body.no, body.joint)
    if known is None:
        _not_otherwise(work, body)
        if isinstance(body, JointNotice):
            _may_invite(work, event, body)
        return
    if isinstance(body, JointReply):
        if reason := law.refused_reply(known.joint, event.frm, body):
            raise EnvelopeError("J-1", reason)
        return
    if event.frm != known.joint.by:
        raise EnvelopeError("J-2", f"联办由 {known.joint.by} 牵头，{event.frm} 不能{SAYS[event.kind]}")
    if isinstance(body, JointNotice) and _terms(body) != known.joint.terms:
        raise EnvelopeError("J-2", "抄告单与发起联办的步骤不符")
    if (
        event.kind in ("joint.visit", "joint.minutes")
        and known.joint.closed_on is not None
        and body.on > known.joint.closed_on
    ):
        raise EnvelopeError("J-3", f"联办已于 {known.joint.closed_on} 结束")


SAYS: Mapping[str, str] = MappingProxyType(
    {
        "joint.notice": "发出抄告",
        "joint.promise": "承诺办理",
        "joint.opinion": "答复协办意见",
        "joint.visit": "约定联合踏勘",
        "joint.minutes": "记录会议纪要",
        "joint.result": "抄告联办结果",
    },
)
"""Of each kind, in words."""


def _not_otherwise(work: Work, body: JointAct) -> None:
    """Where the chain has gone past that step and no joint handling was opened by it, there is none."""
    case = Cases(work).get(body.no)
    if case is not None and case.n >= body.joint:
        raise EnvelopeError("J-4", f"办件 {body.no} 第 {body.joint} 步没有发起联办")


def _may_invite(work: Work, event: Event, body: JointNotice) -> None:
    origin, roster = body.no[:12], work.know.roster
    if not roster.is_under(origin, event.frm):
        raise EnvelopeError("J-2", f"{event.frm} 不在办件 {body.no} 的办理链上，不能发起联办")
    if reason := law.refused_opening(body, body.opened_on, None):
        raise EnvelopeError("J-4", reason)


def _notice(work: Work, event: Event, body: JointNotice) -> None:
    """Outside the case's line the notice opens it here; within, the chain does, and the notice brings the papers."""
    roster = work.know.roster
    if roster.is_under(body.no[:12], work.me):
        return
    if standing.find(work.session, body.no, body.joint) is None:
        joint = Joint(n=body.joint, by=event.frm, opened_on=body.opened_on, terms=_terms(body))
        standing.lay(work, body.no, body.item, joint, in_chain=False)
        revive(work, body.no)


def _terms(body: JointNotice) -> JointTerms:
    return JointTerms(**{name: getattr(body, name) for name in JointTerms.model_fields})


# What the chain does


def opened(work: Work, _before: Case | None, after: Case, _step: Step) -> None:
    """A case is in joint handling: its parts stand on the desks of those invited."""
    assert after.joint is not None
    standing.lay(work, after.no, after.item, after.joint, in_chain=True)
    revive(work, after.no)


def closed(work: Work, _before: Case | None, after: Case, step: Step) -> None:
    """It is closed: each part has its outcome, and those who do not hear the chain are told."""
    assert after.joint is not None
    standing.lay(work, after.no, after.item, after.joint, in_chain=True, ended=step.kind)
    revive(work, after.no)
    _tell(work, after, after.joint, step, "")


def abandoned(work: Work, before: Case | None, after: Case, step: Step) -> None:
    """The case has ended while a joint handling was open."""
    if before is None or before.state is not State.JOINT or after.joint is None:
        return
    standing.lay(work, after.no, after.item, after.joint, in_chain=True, ended=step.kind)
    _tell(work, after, after.joint, step, step.kind)


def _tell(work: Work, case: Case, joint: Joint, step: Step, ended: str) -> None:
    """The lead tells places outside the case's line how it ended."""
    roster = work.know.roster
    outside = [part.place for part in joint.assists if not roster.is_under(case.origin, part.place)]
    if step.frm != work.me or not outside:
        return
    body = {
        "on": step.body.on.isoformat(),
        "by": step.body.by,
        "no": case.no,
        "joint": joint.n,
        "answers": [answer.model_dump(mode="json") for answer in joint.answers],
        "ended": ended,
    }
    work.send("joint.result", body, standing.readers(work, Standing(case.no, case.item, joint, True, ended)))


FOLLOWS: Mapping[str, Callable[[Work, Case | None, Case, Step], None]] = MappingProxyType(
    {
        "case.joint_opened": opened,
        "case.joint_closed": closed,
        "case.withdrawn": abandoned,
        "case.terminated": abandoned,
        "case.voided": abandoned,
    },
)
HANDLERS = dict.fromkeys(JOINTS, apply_joint)
