"""The life of a case (办件): states, steps, and whose turn it is. All of it is in this file.

Two rules. Everything that changes the state of a case stands in `TRANSITIONS`. And at any moment exactly
one node has the turn (`speaker`): the addressee while a case is handed over, the origin once it is closed and
waits to be delivered, the holder (承办单位) at every other time. Everyone else keeps a replica and asks by
submissions. So two nodes can never write the same step, whatever the line does.

`advance` refuses before anything changes. Source of states and guards: docs/law.md, DOMAIN 4.3.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Any

from protocol.errors import TransitionRefused
from protocol.messages import (
    Act,
    CaseAccepted,
    CaseDecided,
    CaseFiled,
    ClockMoved,
    HandedOver,
)


class State(StrEnum):
    """Where a case stands; the value travels and is stored, `label` is for people."""

    FILED = "filed"
    BOUNCED = "bounced"
    RECEIVED = "received"
    CORRECTING = "correcting"
    NOT_ACCEPTED = "not_accepted"
    ACCEPTED = "accepted"
    SPECIAL = "special"
    JOINT = "joint"
    FORWARDED = "forwarded"
    DECIDING = "deciding"
    GRANTED = "granted"
    REFUSED = "refused"
    CLOSED = "closed"
    DELIVERED = "delivered"
    ARCHIVED = "archived"
    WITHDRAWN = "withdrawn"
    TERMINATED = "terminated"
    VOIDED = "voided"

    @property
    def label(self) -> str:
        """The Chinese word on screens and documents."""
        return LABELS[self]


LABELS: Mapping[State, str] = MappingProxyType(
    {
        State.FILED: "待签收",
        State.BOUNCED: "移交被退回",
        State.RECEIVED: "已收件",
        State.CORRECTING: "待补正",
        State.NOT_ACCEPTED: "不予受理",
        State.ACCEPTED: "审查中",
        State.SPECIAL: "特别程序中",
        State.JOINT: "联办中",
        State.FORWARDED: "已转出待签收",
        State.DECIDING: "待审签",
        State.GRANTED: "准予",
        State.REFUSED: "不予许可",
        State.CLOSED: "已办结待送达",
        State.DELIVERED: "已送达",
        State.ARCHIVED: "已归档",
        State.WITHDRAWN: "已撤回",
        State.TERMINATED: "已终止",
        State.VOIDED: "已作废",
    },
)
OVER = frozenset(
    (
        State.NOT_ACCEPTED,
        State.CLOSED,
        State.DELIVERED,
        State.ARCHIVED,
        State.WITHDRAWN,
        State.TERMINATED,
        State.VOIDED,
    )
)
"""States in which nobody works on the case any more: it counts as closed (办结)."""
IN_TRANSIT = frozenset((State.FILED, State.FORWARDED))
STOPPED = frozenset((State.CORRECTING, State.SPECIAL))
"""States in which the case's clock does not run."""


class Turn(Enum):
    """Who may write the next step."""

    HOLDER = "承办单位"
    TARGET = "移交的接收方"
    ORIGIN = "受理起点"
    NOBODY = "无"


@dataclass(frozen=True, slots=True)
class Case:
    """The fold of a case's steps: what every replica agrees on."""

    no: str
    item: str
    origin: str
    state: State
    n: int
    head: str
    """SHA-256 of step n; the next step names it as `prev`."""
    holder: str
    speaker: str
    target: str
    """To whom the case is being handed over; "" when it is not in transit."""
    resume: State
    """The state a taken hand-over goes back to."""
    edition: int
    """Catalogue edition under which the last hand-over was made."""
    filed_on: date
    materials: int = 0
    agent: bool = False
    accepted_on: date | None = None
    due: date | None = None
    statutory_due: date | None = None
    provisional: bool = False
    two_person: bool = True
    corrections: int = 0
    reviewer: str = ""
    outcome: str = ""
    """granted, refused or ""."""
    decided_by: str = ""
    decided_on: date | None = None
    closed_on: date | None = None
    delivered_on: date | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step about to be applied: its place in the chain, who says it, under which edition, and its body."""

    kind: str
    frm: str
    no: str
    n: int
    prev: str
    hash: str
    edition: int
    body: Act


Guard = Callable[[Case, Step], str | None]
"""A reason to refuse in the user's words, or None."""


def _two_persons(case: Case, step: Step) -> str | None:
    if case.two_person and not case.reviewer:
        return "须先由审查人提出审查意见（一审一核）"
    if case.two_person and case.reviewer == step.body.by:
        return f"审查人与决定人不得为同一人（{step.body.by}）"
    return None


def _reasons(_case: Case, step: Step) -> str | None:
    assert isinstance(step.body, CaseDecided)
    return None if step.body.reasons else "不予许可须说明理由并告知救济途径（行政许可法第三十八条）"


def _once(case: Case, _step: Step) -> str | None:
    return "补正只能一次性告知，本件已告知过（行政许可法第三十二条）" if case.corrections else None


def _elsewhere(case: Case, step: Step) -> str | None:
    assert isinstance(step.body, HandedOver)
    if step.body.to == step.frm:
        return "不能移交给自己"
    if step.edition < case.edition:
        return f"移交须依据不早于第 {case.edition} 版的目录，本次为第 {step.edition} 版"
    return None


def _newer(case: Case, step: Step) -> str | None:
    if step.edition <= case.edition:
        return f"转办须依据比第 {case.edition} 版更新的目录"
    return _elsewhere(case, step)


def _clocked(_case: Case, step: Step) -> str | None:
    assert isinstance(step.body, CaseAccepted)
    if step.body.due is not None and step.body.due < step.body.on:
        return f"承诺办结日 {step.body.due} 早于受理日 {step.body.on}"
    return None


@dataclass(frozen=True, slots=True)
class Move:
    """One row of the table: where the step leads (None: where the case came from), who is next, what must hold."""

    to: State | None
    turn: Turn = Turn.HOLDER
    guards: tuple[Guard, ...] = ()


_HAND_OVER = Move(State.FORWARDED, Turn.TARGET, (_elsewhere,))
_ADDRESSEE = {
    "case.taken": Move(None),
    "case.handover_refused": Move(State.BOUNCED),
    "case.redirected": Move(None, Turn.TARGET, (_newer,)),
}
_WITHDRAW = Move(State.WITHDRAWN, Turn.NOBODY)
_VOID = Move(State.VOIDED, Turn.NOBODY)
_GRANT = Move(State.GRANTED, guards=(_two_persons,))
_REFUSE = Move(State.REFUSED, guards=(_two_persons, _reasons))
_UNDECIDED = {
    "case.forwarded": _HAND_OVER,
    "case.withdrawn": _WITHDRAW,
    "case.voided": _VOID,
    "case.terminated": Move(State.TERMINATED, Turn.NOBODY),
}

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
            "case.accepted": Move(State.ACCEPTED, guards=(_clocked,)),
            "case.not_accepted": Move(State.NOT_ACCEPTED, Turn.NOBODY),
            "case.returned": Move(State.CORRECTING, guards=(_once,)),
        },
        State.CORRECTING: {**_UNDECIDED, "case.corrected": Move(State.RECEIVED)},
        State.ACCEPTED: {
            **_UNDECIDED,
            "case.reviewed": Move(State.DECIDING),
            "case.suspended": Move(State.SPECIAL),
            "case.joint_opened": Move(State.JOINT),
            "case.extended": Move(State.ACCEPTED),
            "case.granted": _GRANT,
            "case.refused": _REFUSE,
        },
        State.SPECIAL: {
            "case.resumed": Move(State.ACCEPTED),
            "case.withdrawn": _WITHDRAW,
            "case.voided": _VOID,
            "case.terminated": Move(State.TERMINATED, Turn.NOBODY),
        },
        State.JOINT: {
            "case.joint_closed": Move(State.ACCEPTED),
            "case.extended": Move(State.JOINT),
            "case.withdrawn": _WITHDRAW,
            "case.voided": _VOID,
            "case.terminated": Move(State.TERMINATED, Turn.NOBODY),
        },
        State.DECIDING: {
            **_UNDECIDED,
            "case.remanded": Move(State.ACCEPTED),
            "case.extended": Move(State.DECIDING),
            "case.granted": _GRANT,
            "case.refused": _REFUSE,
        },
        State.GRANTED: {"case.closed": Move(State.CLOSED, Turn.ORIGIN)},
        State.REFUSED: {"case.closed": Move(State.CLOSED, Turn.ORIGIN)},
        State.CLOSED: {"case.delivered": Move(State.DELIVERED, Turn.HOLDER)},
        State.DELIVERED: {"case.archived": Move(State.ARCHIVED, Turn.NOBODY)},
        State.NOT_ACCEPTED: {},
        State.WITHDRAWN: {},
        State.TERMINATED: {},
        State.VOIDED: {},
        State.ARCHIVED: {},
    },
)


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
        agent=body.agent,
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
    return _settle(case, move, step)


def _settle(case: Case, move: Move, step: Step) -> Case:
    """The case after a move that is allowed: facts, state, turn and chain in one go."""
    note = FACTS.get(step.kind)
    facts = note(case, step) if note else {}
    holder = str(facts.get("holder", case.holder))
    target = step.body.to if isinstance(step.body, HandedOver) else ""
    state = move.to
    if state is None:
        state = case.resume if step.kind == "case.taken" else case.state
    speaker = {Turn.HOLDER: holder, Turn.TARGET: target, Turn.ORIGIN: case.origin, Turn.NOBODY: ""}[move.turn]
    return replace(
        case,
        **{**facts, "state": state, "n": step.n, "head": step.hash, "target": target, "speaker": speaker},
    )


def _accepted(_case: Case, step: Step) -> dict[str, Any]:
    assert isinstance(step.body, CaseAccepted)
    names = ("due", "statutory_due", "provisional", "two_person")
    return {"accepted_on": step.body.on, **{name: getattr(step.body, name) for name in names}}


def _forwarded(case: Case, step: Step) -> dict[str, Any]:
    return {"edition": step.edition, "resume": State.ACCEPTED if case.accepted_on else State.RECEIVED}


def _decided(_case: Case, step: Step) -> dict[str, Any]:
    return {
        "outcome": step.kind.removeprefix("case."),
        "decided_by": step.body.by,
        "decided_on": step.body.on,
    }


def _clock_moved(case: Case, step: Step) -> dict[str, Any]:
    assert isinstance(step.body, ClockMoved)
    return {"due": step.body.due or case.due, "statutory_due": step.body.statutory_due or case.statutory_due}


def _closed(_case: Case, step: Step) -> dict[str, Any]:
    return {"closed_on": step.body.on}


FACTS: Mapping[str, Callable[[Case, Step], dict[str, Any]]] = MappingProxyType(
    {
        "case.taken": lambda _case, step: {"holder": step.frm},
        "case.forwarded": _forwarded,
        "case.redirected": lambda _case, step: {"edition": step.edition},
        "case.accepted": _accepted,
        "case.returned": lambda case, _step: {"corrections": case.corrections + 1},
        "case.suspended": _clock_moved,
        "case.resumed": _clock_moved,
        "case.extended": _clock_moved,
        "case.joint_opened": _clock_moved,
        "case.joint_closed": _clock_moved,
        "case.reviewed": lambda _case, step: {"reviewer": step.body.by},
        "case.remanded": lambda _case, _step: {"reviewer": ""},
        "case.granted": _decided,
        "case.refused": _decided,
        "case.closed": _closed,
        "case.not_accepted": _closed,
        "case.withdrawn": _closed,
        "case.terminated": _closed,
        "case.voided": _closed,
        "case.delivered": lambda _case, step: {"delivered_on": step.body.on},
    },
)
"""What each step adds to the case beside its state."""

VERBS: Mapping[str, str] = MappingProxyType(
    {
        "case.filed": "登记",
        "case.taken": "签收",
        "case.handover_refused": "退回移交",
        "case.redirected": "转办",
        "case.forwarded": "上报（转办）",
        "case.accepted": "受理",
        "case.not_accepted": "不予受理",
        "case.returned": "一次性告知补正",
        "case.corrected": "补正收件",
        "case.suspended": "启动特别程序",
        "case.resumed": "恢复计时",
        "case.extended": "延期",
        "case.joint_opened": "发起联办",
        "case.joint_closed": "联办结束",
        "case.reviewed": "审查",
        "case.remanded": "退回重审",
        "case.granted": "准予",
        "case.refused": "不予许可",
        "case.closed": "办结",
        "case.delivered": "送达",
        "case.archived": "归档",
        "case.withdrawn": "撤回",
        "case.terminated": "终止",
        "case.voided": "作废",
        "case.supplement_sent": "提交补正",
        "case.withdrawal_asked": "申请撤回",
    },
)


def diagram() -> str:
    """The table as a Mermaid state diagram; docs/lifecycle.md holds exactly this."""
    lines = ["stateDiagram-v2", "    [*] --> filed: 登记"]
    for state, moves in TRANSITIONS.items():
        for kind, move in moves.items():
            targets = [move.to] if move.to else [State.RECEIVED, State.ACCEPTED]
            if kind == "case.redirected":
                targets = [state]
            lines += [f"    {state} --> {target}: {VERBS[kind]}" for target in targets]
    lines += [f'    state "{state.label}" as {state}' for state in State]
    return "\n".join(lines) + "\n"
