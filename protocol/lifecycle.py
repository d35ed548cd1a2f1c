"""The life of a case (办件): which step leads where, and whose turn it is then. All of it is in this file.

Two rules. Everything that changes the state of a case stands in `TRANSITIONS`. And at any moment exactly
one node has the turn (`speaker`): the addressee while a case is handed over, the origin once it is closed and
waits to be delivered, the holder (承办单位) at every other time. Everyone else keeps a replica and asks by
submissions. So two nodes can never write the same step, whatever the line does.

`advance` refuses before anything changes. The nouns are in `case`, what must hold beside the table in `guards`,
what a step does to the clock in `clockwork`. Source of states and guards: docs/law.md, DOMAIN 4.3.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from protocol import clockwork, guards, joint
from protocol.case import IN_TRANSIT, OVER, STOPPED, Case, State, Step, Turn
from protocol.errors import LedgerError, TransitionRefused
from protocol.guards import Guard
from protocol.messages import (
    CaseAccepted,
    CaseClosed,
    CaseCorrected,
    CaseDecided,
    CaseFiled,
    CaseReturned,
    CaseSupplied,
    CaseTaken,
    Clocked,
    HandedOver,
    JointClosed,
    JointOpened,
)
from protocol.modes import mode_of
from protocol.terms import LABELS, VERBS

__all__ = [
    "ENDINGS", "IN_TRANSIT", "LABELS", "OVER", "STOPPED", "TRANSITIONS", "VERBS",
    "Case", "Guard", "Move", "State", "Step", "Turn", "advance", "begin", "diagram",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Move:
    """One row of the table: where the step leads (None: where the case came from), who is next, what must hold."""

    to: State | None
    turn: Turn = Turn.HOLDER
    guards: tuple[Guard, ...] = ()
    stays: Callable[[Case], bool] | None = None
    """The state does not change while this holds of the case after the step."""


_HAND_OVER = Move(State.FORWARDED, Turn.TARGET, (guards.elsewhere,))
_ADDRESSEE = {
    "case.taken": Move(None),
    "case.handover_refused": Move(State.BOUNCED),
    "case.redirected": Move(None, Turn.TARGET, (guards.newer,)),
}
_WITHDRAW = Move(State.WITHDRAWN, Turn.NOBODY)
_VOID = Move(State.VOIDED, Turn.NOBODY, (guards.voidable,))
_TERMINATE = Move(State.TERMINATED, Turn.NOBODY)
_GRANT = Move(State.GRANTED, guards=(guards.two_persons, guards.authorised, guards.supplied, guards.agreed))
_REFUSE = Move(State.REFUSED, guards=(guards.two_persons, guards.authorised, guards.reasons))
_SEND_BACK = Move(State.SENT_BACK, Turn.NOBODY, (guards.still_lacking,))
_SUSPEND = Move(State.SPECIAL, guards=(guards.clocked, guards.suspendable))
_CLOSE = Move(State.CLOSED, Turn.ORIGIN)
_ENDS = {"case.withdrawn": _WITHDRAW, "case.voided": _VOID, "case.terminated": _TERMINATE}
_UNDECIDED = {"case.forwarded": _HAND_OVER, **_ENDS}


def _running(state: State) -> dict[str, Move]:
    """What may happen in any state of an accepted case without leaving it."""
    return {
        "case.supplied": Move(state, guards=(guards.pending,)),
        "case.reckoned": Move(state, guards=(guards.clocked,)),
    }


def _extendable(state: State) -> dict[str, Move]:
    return {"case.extended": Move(state, guards=(guards.clocked, guards.extendable))}


TRANSITIONS: Mapping[State, Mapping[str, Move]] = MappingProxyType(
    {
        State.FILED: _ADDRESSEE,
        State.FORWARDED: _ADDRESSEE,
        State.BOUNCED: {
            "case.forwarded": _HAND_OVER,
            "case.taken": Move(None),
            "case.withdrawn": _WITHDRAW,
            "case.voided": _VOID,
        },
        State.RECEIVED: {
            **_UNDECIDED,
            "case.accepted": Move(State.ACCEPTED, guards=(guards.accepted_rightly,)),
            "case.not_accepted": Move(State.NOT_ACCEPTED, Turn.NOBODY, (guards.in_time, guards.refusable)),
            "case.sent_back": _SEND_BACK,
            "case.returned": Move(State.CORRECTING, guards=(guards.once, guards.in_time)),
        },
        State.CORRECTING: {
            **_UNDECIDED,
            "case.corrected": Move(State.RECEIVED),
            "case.sent_back": _SEND_BACK,
        },
        State.ACCEPTED: {
            **_UNDECIDED,
            **_running(State.ACCEPTED),
            **_extendable(State.ACCEPTED),
            "case.reviewed": Move(State.DECIDING),
            "case.suspended": _SUSPEND,
            "case.joint_opened": Move(State.JOINT, guards=(guards.clocked, guards.joint_rightly)),
            "case.granted": _GRANT,
            "case.refused": _REFUSE,
        },
        State.SPECIAL: {
            **_ENDS,
            **_running(State.SPECIAL),
            "case.suspended": _SUSPEND,
            "case.resumed": Move(
                State.ACCEPTED,
                guards=(guards.clocked,),
                stays=lambda case: clockwork.still_suspended(case.clock),
            ),
        },
        State.JOINT: {
            **_ENDS,
            **_running(State.JOINT),
            **_extendable(State.JOINT),
            "case.joint_closed": Move(State.ACCEPTED, guards=(guards.joint_answered,)),
        },
        State.DECIDING: {
            **_UNDECIDED,
            **_running(State.DECIDING),
            **_extendable(State.DECIDING),
            "case.remanded": Move(State.ACCEPTED),
            "case.granted": _GRANT,
            "case.refused": _REFUSE,
        },
        State.GRANTED: {"case.producing": Move(State.PRODUCING), "case.closed": _CLOSE},
        State.REFUSED: {"case.closed": _CLOSE},
        State.PRODUCING: {"case.closed": _CLOSE},
        State.CLOSED: {"case.delivered": Move(State.DELIVERED, Turn.HOLDER)},
        State.DELIVERED: {"case.archived": Move(State.ARCHIVED, Turn.NOBODY)},
        State.NOT_ACCEPTED: {},
        State.SENT_BACK: {},
        State.WITHDRAWN: {},
        State.TERMINATED: {},
        State.VOIDED: {},
        State.ARCHIVED: {},
    },
)

ENDINGS = frozenset(
    kind
    for state, moves in TRANSITIONS.items()
    for kind, move in moves.items()
    if move.to in OVER and state not in OVER
)
"""Steps after which nobody works on the case any more."""


def begin(step: Step) -> Case:
    """The case its first step (登记) makes; TransitionRefused if the step cannot be a first one."""
    body = step.body
    if not isinstance(body, CaseFiled) or step.n != 1 or step.prev:
        raise TransitionRefused(f"办件 {step.no} 的第一步应是登记，不是 {step.kind}")
    if step.no[:12] != step.frm:
        raise TransitionRefused(f"办件号 {step.no} 不是 {step.frm} 编的")
    return Case(
        no=step.no,
        item=body.item,
        origin=step.frm,
        state=State.FILED,
        n=1,
        head=step.hash,
        holder=step.frm,
        speaker=body.to,
        target=body.to,
        resume=State.RECEIVED,
        edition=step.edition,
        filed_on=body.on,
        materials=body.materials,
        missing=body.missing,
        agent=body.agent,
        hands=_hands((), step, step.frm, step.frm),
    )


def advance(case: Case, step: Step) -> Case:
    """The case after `step`; TransitionRefused, with the case unchanged, if the table or a guard says no."""
    if step.n != case.n + 1 or step.prev != case.head:
        raise TransitionRefused(f"办件 {case.no} 第 {step.n} 步接不上第 {case.n} 步")
    move = TRANSITIONS[case.state].get(step.kind)
    if move is None:
        raise TransitionRefused(f"“{case.state.label}”的办件不能 {VERBS.get(step.kind, step.kind)}")
    if step.frm != case.speaker:
        raise TransitionRefused(
            f"现在应由 {case.speaker} 办理，{step.frm} 不能 {VERBS.get(step.kind, step.kind)}"
        )
    for guard in move.guards:
        if reason := guard(case, step):
            raise TransitionRefused(reason)
    try:
        return _settle(case, move, step)
    except LedgerError as wrong:
        raise TransitionRefused(str(wrong)) from None


def _settle(case: Case, move: Move, step: Step) -> Case:
    """The case after a move that is allowed: facts, clock, state, turn and chain in one go."""
    note = FACTS.get(step.kind)
    facts = {**_days(step), **(note(case, step) if note else {})}
    holder = str(facts.get("holder", case.holder))
    target = step.body.to if isinstance(step.body, HandedOver) else ""
    state = move.to
    if state is None:
        state = case.resume if step.kind == "case.taken" else case.state
    speaker = {Turn.HOLDER: holder, Turn.TARGET: target, Turn.ORIGIN: case.origin, Turn.NOBODY: ""}[move.turn]
    facts |= {"clock": clockwork.moved(case.clock, step.kind, step.body)}
    facts |= {"hands": _hands(case.hands, step, holder, case.origin)}
    facts |= {"state": state, "n": step.n, "head": step.hash, "target": target, "speaker": speaker}
    after = case._replace(**facts)
    return after._replace(state=case.state) if move.stays and move.stays(after) else after


def _hands(hands: clockwork.Hands, step: Step, holder: str, origin: str) -> clockwork.Hands:
    return clockwork.passed(
        hands, step.kind, step.body, frm=step.frm, holder=holder, origin=origin, at=step.at
    )


def _days(step: Step) -> dict[str, Any]:
    """The days a step tells anew: always all of them."""
    body = step.body
    if not isinstance(body, Clocked) or body.due is None:
        return {}
    names = ("due", "statutory_due", "provisional", "calendar", "part_due")
    return {name: getattr(body, name) for name in names}


def _taken(case: Case, step: Step) -> dict[str, Any]:
    assert isinstance(step.body, CaseTaken)
    found: dict[str, Any] = {"holder": step.frm}
    if case.received_on is None:
        found |= {"received_on": step.body.received_on, "notice_by": step.body.notice_by}
    return found


def _accepted(_case: Case, step: Step) -> dict[str, Any]:
    body = step.body
    assert isinstance(body, CaseAccepted)
    names = ("item_hash", "mode", "route", "two_person", "pending", "follow_up")
    reviewed = mode_of(body.mode).accepting_reviews and not body.deemed
    return {
        "accepted_on": body.on,
        "reviewer": body.by if reviewed else "",
        **{name: getattr(body, name) for name in names},
    }


def _forwarded(case: Case, step: Step) -> dict[str, Any]:
    return {"edition": step.edition, "resume": State.ACCEPTED if case.accepted_on else State.RECEIVED}


def _returned(case: Case, step: Step) -> dict[str, Any]:
    assert isinstance(step.body, CaseReturned)
    return {"corrections": case.corrections + 1, "reply_by": step.body.reply_by}


def _corrected(case: Case, step: Step) -> dict[str, Any]:
    body = step.body
    assert isinstance(body, CaseCorrected)
    return {
        "missing": tuple(name for name in case.missing if name not in body.materials),
        "reply_by": None,
        "received_on": body.received_on or case.received_on,
        "notice_by": body.notice_by,
    }


def _supplied(case: Case, step: Step) -> dict[str, Any]:
    assert isinstance(step.body, CaseSupplied)
    left = tuple(name for name in case.pending if name not in step.body.materials)
    missing = tuple(name for name in case.missing if name not in step.body.materials)
    return {"pending": left, "missing": missing, "follow_up": case.follow_up if left else None}


def _decided(_case: Case, step: Step) -> dict[str, Any]:
    assert isinstance(step.body, CaseDecided)
    return {
        "outcome": step.kind.removeprefix("case."),
        "decided_by": step.body.by,
        "decided_on": step.body.on,
        "deliver_by": step.body.deliver_by,
    }


def _closed(_case: Case, step: Step) -> dict[str, Any]:
    told = step.body.tell_by if isinstance(step.body, CaseClosed) else None
    return {"closed_on": step.body.on, "tell_by": told}


def _joint_opened(_case: Case, step: Step) -> dict[str, Any]:
    assert isinstance(step.body, JointOpened)
    return {"joint": joint.begun(step.n, step.frm, step.body)}


def _joint_closed(case: Case, step: Step) -> dict[str, Any]:
    assert isinstance(step.body, JointClosed)
    assert case.joint is not None
    return {"joint": joint.ended(case.joint, step.body)}


FACTS: Mapping[str, Callable[[Case, Step], dict[str, Any]]] = MappingProxyType(
    {
        "case.taken": _taken,
        "case.forwarded": _forwarded,
        "case.redirected": lambda _case, step: {"edition": step.edition},
        "case.accepted": _accepted,
        "case.returned": _returned,
        "case.corrected": _corrected,
        "case.supplied": _supplied,
        "case.joint_opened": _joint_opened,
        "case.joint_closed": _joint_closed,
        "case.reviewed": lambda _case, step: {"reviewer": step.body.by},
        "case.remanded": lambda _case, _step: {"reviewer": ""},
        "case.granted": _decided,
        "case.refused": _decided,
        "case.closed": _closed,
        "case.not_accepted": _closed,
        "case.sent_back": _closed,
        "case.withdrawn": _closed,
        "case.terminated": _closed,
        "case.voided": _closed,
        "case.delivered": lambda _case, step: {"delivered_on": step.body.on},
    },
)
"""What each step adds to the case beside its state, its days and its clock."""


def diagram() -> str:
    """The table as a Mermaid state diagram; docs/lifecycle.md holds exactly this."""
    lines = ["stateDiagram-v2", "    [*] --> filed: 登记"]
    for state, moves in TRANSITIONS.items():
        for kind, move in moves.items():
            lines += [f"    {state} --> {target}: {VERBS[kind]}" for target in _targets(state, kind, move)]
    lines += [f'    state "{state.label}" as {state}' for state in State]
    return "\n".join(lines) + "\n"


def _targets(state: State, kind: str, move: Move) -> list[State]:
    """Where a move may lead from there. What is taken for the first time has not been accepted yet."""
    if move.to is not None:
        return [move.to, state] if move.stays else [move.to]
    if kind == "case.redirected":
        return [state]
    return [State.RECEIVED] if state is State.FILED else [State.RECEIVED, State.ACCEPTED]
