"""The documents of joint handling (D15 to D17): the notice to all, each department's opinion, minutes of meetings.

One rule: an opinion is issued by whoever gave it, notice and minutes by the lead; each opinion and each meeting of the
case's last joint handling has a sheet of its own. A corrected opinion keeps its number; a further joint handling of the
same case has new ones.
"""

from collections.abc import Sequence

from node.documents.sheet import Content, Kind, Subject, day
from protocol.envelope import Event
from protocol.joint_acts import Part

MOST = 9
"""Opinions, and meetings, of one joint handling that have a sheet."""


def _round(s: Subject) -> int:
    """The last joint handling, as the step that opened it is numbered; 0 if there was none."""
    return s.case.joint.n if s.case.joint else 0


def _said(s: Subject, kind: str) -> list[Event]:
    """What was said under a kind in the last joint handling, in order."""
    return [one for one in s.events if one.kind == kind and one.body.get("joint") == _round(s)]


def _assists(s: Subject) -> Sequence[Part]:
    return s.case.joint.assists if s.case.joint else ()


def _who(s: Subject, part: Part) -> str:
    return f"{s.names(part.place)}{part.department_name}"


def _notice(s: Subject) -> Content:
    joint = s.case.joint
    assert joint is not None
    return Content(
        to="、".join(_who(s, part) for part in _assists(s)),
        paragraphs=(
            (
                f"“{s.item_name}”（申请人 {s.person('name')}）已统一受理，列入“{joint.terms.name}”联合审批。"
                "申请表和材料随本通知一次共享，各环节同步开始，请在各自期限内答复。"
            ),
            (
                "答复为同意、不同意（附理由）、同意但需转报三者之一；不说明理由的不同意按视为同意记录，"
                "逾期不答复的记为超时默许，缺席会议或踏勘的记为缺席默认，并记录责任人。"
            ),
        ),
        facts=[
            ("牵头单位", f"{s.names(joint.by)}（{joint.terms.lead_name}）"),
            ("通知日期", day(joint.opened_on)),
            ("联办期限", day(joint.terms.until)),
            ("共享材料", "、".join(str(one) for one in s.private.get("materials", ()))),
        ],
        head=("环节", "部门", "单位", "工作日", "答复期限"),
        rows=[
            (part.name, part.department_name, s.names(part.place), str(part.workdays), day(part.due))
            for part in _assists(s)
        ],
    )


def _part(s: Subject, at: int) -> Part | None:
    """The assist of the opinion that stands at a place of the list."""
    assists = _assists(s)
    return assists[at] if at < len(assists) else None


def _opinion(s: Subject, at: int) -> Event | None:
    """The opinion that counts for a part: the highest version."""
    part = _part(s, at)
    said = [one for one in _said(s, "joint.opinion") if part and one.body.get("part") == part.key]
    return max(said, key=lambda one: int(one.body.get("version", 1)), default=None)


def _answered(s: Subject, at: int) -> Content:
    part, event, joint = _part(s, at), _opinion(s, at), s.case.joint
    assert part is not None
    assert event is not None
    assert joint is not None
    said = event.body
    text = s.note(f"{part.department_name}协办意见")
    return Content(
        to=s.names(joint.by),
        paragraphs=(
            f"你单位牵头的“{s.item_name}”联合审批，经{part.name}，答复如下。",
            f"意见：{said.get('opinion', '')}",
            *((f"理由：{text}",) if text else ()),
            *((f"转报：{said['report_to']}",) if said.get("report_to") else ()),
        ),
        facts=[
            ("答复部门", _who(s, part)),
            ("答复日期", day(said.get("on"))),
            ("答复期限", day(part.due)),
            ("经办人工号", str(said.get("by", ""))),
            ("事件编号", event.hash[:16]),
        ],
    )


def _meeting(s: Subject, at: int) -> Event | None:
    held = _said(s, "joint.minutes")
    return held[at] if at < len(held) else None


def _minutes(s: Subject, at: int) -> Content:
    event = _meeting(s, at)
    assert event is not None
    said = event.body
    parts = {part.key: _who(s, part) for part in _assists(s)}
    meeting = str(said.get("meeting", ""))
    notes = [one for one in s.private.get("notes", ()) if one.get("what") == f"{meeting}纪要"]
    same = [one for one in _said(s, "joint.minutes") if one.body.get("meeting") == meeting]
    text = str(notes[same.index(event)].get("text", "")) if len(notes) == len(same) else ""
    away = "、".join(parts.get(str(key), str(key)) for key in said.get("absent", ()))
    return Content(
        to="、".join(parts.values()),
        paragraphs=(
            f"“{s.item_name}”{meeting}纪要如下。",
            "议定事项：",
            *(f"{at}. {line}" for at, line in enumerate(text.splitlines(), 1)),
        ),
        facts=[
            ("日期", day(said.get("held_on"))),
            ("到会", "、".join(parts.get(str(key), str(key)) for key in said.get("present", ())) or "无"),
            ("缺席", away or "无"),
            ("记录人工号", str(said.get("by", ""))),
        ],
        seal="中心章",
    )


def opinion_id(at: int) -> str:
    """The kind of the opinion of the assist at a place of the list."""
    return f"D16-{at + 1}"


def minutes_id(at: int) -> str:
    """The kind of the minutes of a joint handling's meetings, in order."""
    return f"D17-{at + 1}"


def _opinion_kind(at: int) -> Kind:
    return Kind(
        opinion_id(at), "协办意见回复单", "协", ("joint.opinion",), lambda s: _answered(s, at),
        only=lambda s: _opinion(s, at) is not None,
        detail=lambda s: part.department_name if (part := _part(s, at)) else "",
        source=lambda s: _opinion(s, at),
        which=_round,
    )  # fmt: skip


def _minutes_kind(at: int) -> Kind:
    return Kind(
        minutes_id(at), "联审会议纪要", "纪", ("joint.minutes",), lambda s: _minutes(s, at),
        only=lambda s: _meeting(s, at) is not None,
        detail=lambda s: day(event.body.get("held_on")) if (event := _meeting(s, at)) else "",
        source=lambda s: _meeting(s, at),
        which=_round,
    )  # fmt: skip


JOINT_KINDS: tuple[Kind, ...] = (
    Kind("D15", "联合审批办理通知单（抄告单）", "联", ("case.joint_opened",), _notice, at_once=True),
    *(_opinion_kind(at) for at in range(MOST)),
    *(_minutes_kind(at) for at in range(MOST)),
)
