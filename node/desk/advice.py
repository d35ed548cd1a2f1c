"""What an officer should know before he chooses an act on a case: said above the buttons of the case page."""

from collections.abc import Mapping, Sequence
from typing import Any

from node.accounts.views import names
from node.cases import submissions
from node.cases.acts import AGREED, opinion_of
from node.desk.frame import Desk
from node.pages.views.cases import Action
from node.pages.views.common import Tag, Tone
from protocol.lifecycle import Case, State


def advice(
    desk: Desk, case: Case, private: Mapping[str, Any] | None, acts_now: Sequence[Action]
) -> tuple[Tag, ...]:
    """A supplement that came too late although in time; in our turn, the reviewer's opinion, then what must come first."""
    late = desk.node.read(submissions.advice, case, desk.node.place)
    if case.speaker != desk.node.place:
        return (Tag(text=late, tone=Tone.WARN),) if late else ()
    found = [Tag(text=late, tone=Tone.WARN)]
    found += [_reviewed(desk, case, private)] if case.state is State.DECIDING and case.reviewer else []
    keys = {one.key for one in acts_now}
    if case.wants_joint and "joint" in keys:
        found.append(_calm("本事项须联合办理：请先发起联办，抄告各协办单位，再审查。"))
    mine = {one.key for one in acts_now if not one.refused}
    if "take" in mine and "return" not in keys and not case.accepted_on and not case.corrections:
        found.append(_calm("材料需要补正的，请先签收，签收后可以一次性告知补正；材料不全不必退回移交。"))
    return tuple(one for one in found if one.text)


def _calm(text: str) -> Tag:
    return Tag(text=text, tone=Tone.CALM)


def _reviewed(desk: Desk, case: Case, private: Mapping[str, Any] | None) -> Tag:
    """审查意见：不同意（李敏）：材料与现场不符; loud where it speaks against the case."""
    opinion = desk.node.read(opinion_of, case.no)
    notes = [
        one for one in (private or {}).get("notes", ()) if str(one.get("what", "")).startswith("审查意见")
    ]
    said: Mapping[str, Any] = notes[-1] if notes else {}
    who = said.get("name") or desk.node.read(names).get(case.reviewer, case.reviewer)
    words = f"审查意见：{opinion}（{who}）" + (f"：{said['text']}" if said.get("text") else "")
    return Tag(text=words if opinion else "", tone=Tone.CALM if opinion == AGREED else Tone.WARN)
