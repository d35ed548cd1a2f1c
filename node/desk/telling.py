"""The signed story of a case, in words: what each step said, what it did to the clock, how it is proved.

One rule: what changed the case stands in the order of its chain; what was said about it (submissions, joint
handling, money) stands where it was said.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any

from node.cases.dossier import open_private
from node.desk import show
from node.desk.frame import Desk
from node.exchange.model import EventState
from node.node import Node
from node.pages.views.cases import Proof, Step
from node.pages.views.line import Reach
from protocol.envelope import Event, read_event
from protocol.lifecycle import VERBS

_MERELY_COPIED = frozenset(("joint.notice",))
"""Their sealed part is the dossier as others have told it already."""


def story(desk: Desk, rows: Sequence[Any], reaches: Sequence[Any]) -> tuple[Step, ...]:
    """Everything said about a case, each with its proof and, for our own, how far it got."""
    by_ord: dict[int, list[Reach]] = {}
    for number, one in show.reaches(desk.node, reaches):
        by_ord.setdefault(number, []).append(one)
    said = [(row, read_event(row.raw)) for row in rows]
    return tuple(_step(desk, row, event, by_ord.get(row.ord, [])) for row, event in _in_order(said))


def _in_order(said: list[tuple[Any, Event]]) -> list[tuple[Any, Event]]:
    """The chain as it is; beside it, after the last step signed before it, what changed nothing."""
    steps = sorted((one for one in said if one[0].n), key=lambda one: one[0].n)

    def place(one: tuple[Any, Event]) -> tuple[int, bool, Any]:
        at = show.said_at(one[1])
        if one[0].n:
            return one[0].n, False, at
        return max((row.n for row, event in steps if show.said_at(event) <= at), default=0), True, at

    return sorted(said, key=place)


def _step(desk: Desk, row: Any, event: Event, reaches: list[Reach]) -> Step:
    place = desk.node.know.roster.get(event.frm)
    private = open_private(event, desk.node.know)
    return Step(
        n=row.n or 0,
        word=place.tier.word if place else "",
        place=place.name if place else event.frm,
        what=VERBS.get(event.kind, event.kind),
        at=show.said_at(event),
        who=show.person(str(event.body.get("by", ""))),
        text=_said(desk.node, event, private or {}),
        sealed=event.enc is not None and private is None,
        proof=_proof(desk.node, row),
        reach=tuple(reaches) if event.frm == desk.node.place else (),
        clock=_clock(event),
    )


def _said(node: Node, event: Event, private: Mapping[str, Any]) -> str:
    parts = [str(event.body["why"])] if event.body.get("why") else []
    parts += _openly(node, event)
    if event.kind not in _MERELY_COPIED:
        defects = private.get("defects", ())
        told = () if defects else private.get("notes", ())
        parts += [
            f"{note.get('name') or show.person(str(note.get('by', '')))}：{note.get('text', '')}"
            for note in told
            if note.get("text")
        ]
        parts += [f"{one.get('material', '')}：{one.get('problem', '')}" for one in defects]
    return "；".join(dict.fromkeys(part for part in parts if part.strip("：")))


def _openly(node: Node, event: Event) -> list[str]:
    """What the open part says, for those who read no more."""
    words = OPENLY.get(event.kind)
    said = words(event.body) if words else []
    if event.kind in ("case.forwarded", "case.redirected"):
        said.append(f"去向：{show.place_name(node, str(event.body.get('to', '')))}")
    return [one for one in said if one]


def _asked(body: Mapping[str, Any]) -> list[str]:
    parts = [str(one["department_name"]) for one in body.get("parts", ()) if one.get("assists", True)]
    return [f"{body.get('name', '')}：{'、'.join(parts)}"]


def _met(body: Mapping[str, Any]) -> list[str]:
    away = "、".join(str(one) for one in body.get("absent", ()))
    return [f"{body.get('meeting', '')}，{f'缺席：{away}' if away else '全部到会'}"]


OPENLY: Mapping[str, Callable[[Mapping[str, Any]], list[str]]] = MappingProxyType(
    {
        "case.suspended": lambda body: [f"{body.get('special', '')}，依据：{body.get('basis', '')}"],
        "case.resumed": lambda body: [f"{body.get('special', '')}结束"],
        "case.joint_opened": _asked,
        "joint.notice": _asked,
        "joint.opinion": lambda body: [f"{body.get('part', '')}：{body.get('opinion', '')}"],
        "joint.promise": lambda body: [f"{body['part']}：{body['handler']} 于 {body['by_day']} 前答复"],
        "joint.minutes": _met,
        "case.joint_closed": lambda body: [f"{one['part']}：{one['outcome']}" for one in body["answers"]],
        "case.reviewed": lambda body: [str(body.get("opinion", ""))],
        "case.delivered": lambda body: [str(body.get("way", ""))],
    }
)
"""By kind, from its open part."""


def _clock(event: Event) -> str:
    if event.kind == "case.suspended":
        return "计时中止"
    if event.body.get("due"):
        day = date.fromisoformat(str(event.body["due"]))
        return f"计时：承诺办结日 {day.year}年{day.month}月{day.day}日"
    return {"case.returned": "等申请人补正", "case.corrected": "重新收件"}.get(event.kind, "")


def _proof(node: Node, row: Any) -> Proof:
    signer = node.know.ring.current(row.frm)
    name = f"{signer.name} · 第 {signer.generation} 代证书" if signer else row.frm
    if row.state == EventState.QUARANTINED:
        return Proof(state="failed", words=f"隔离：{row.rule} {row.reason}", event=row.hash, signer=name)
    if row.state == EventState.WAITING:
        return Proof(state="pending", words=f"等待：{row.reason}", event=row.hash, signer=name)
    if row.frm == node.place:
        words = "本站签署" if row.statement else "待签封"
        return Proof(state="local" if row.statement else "pending", words=words, event=row.hash, signer=name)
    return Proof(state="verified", words="签名已验", event=row.hash, signer=name)
