"""Cases as pages show them: rows and events in, view models out. Words are chosen here and nowhere else."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from node.cases.dossier import masked
from node.desk.frame import Desk
from node.exchange.model import OutState
from node.materials import reached
from node.node import Node
from node.pages.views.cases import CaseRow, PersonalField
from node.pages.views.common import Limit, Stop, StopState, Tag, Tone
from node.pages.views.line import Reach, Stage
from node.work import civil_date
from protocol.catalogue import Catalogue, Item
from protocol.envelope import Event
from protocol.identity import mask_name
from protocol.lifecycle import IN_TRANSIT, OVER, STOPPED, VERBS, State
from protocol.workdays import Calendar

_STAGES = {
    OutState.STORED: Stage.STORED,
    OutState.SENT: Stage.SENT,
    OutState.RECEIVED: Stage.RECEIVED,
    OutState.APPLIED: Stage.APPLIED,
    OutState.QUARANTINED: Stage.QUARANTINED,
}
_TONES = {
    State.BOUNCED: Tone.ALARM,
    State.CORRECTING: Tone.WARN,
    State.CLOSED: Tone.GOOD,
    State.DELIVERED: Tone.GOOD,
    State.REFUSED: Tone.WARN,
    State.NOT_ACCEPTED: Tone.WARN,
    State.FILED: Tone.CALM,
    State.FORWARDED: Tone.CALM,
}


def place_name(node: Node, code: str) -> str:
    """The name of a place, or its code where the roster does not have it."""
    place = node.know.roster.get(code) if code else None
    return place.name if place else code


def person(by: str, names: Mapping[str, str] = MappingProxyType({})) -> str:
    """Who did something: 系统 where nobody did, by name where it is known, else the staff number."""
    return "系统" if by == "system" else names.get(by, by)


def item_of(node: Node, item_id: str) -> Item | None:
    """The item in the edition in force."""
    return node.know.catalogue.get(item_id) if node.know.catalogue else None


def item_name(node: Node, item_id: str) -> str:
    """Its name, or its number while this node has no catalogue."""
    item = item_of(node, item_id)
    return item.name if item else item_id


def departments(node: Node) -> dict[str, str]:
    """The departments that items and bundles name, by code."""
    known: dict[str, str] = {}
    for item in node.know.catalogue or ():
        known |= {one.code: one.name for one in (item.department, *item.joint_departments)}
    for bundle in node.know.catalogue.bundles if node.know.catalogue else ():
        known |= {step.department.code: step.department.name for step in bundle.steps}
    return known


def state_tag(row: Any) -> Tag:
    """The state's word with its tone."""
    state = State(row.state)
    words = "不予许可，待送达" if state is State.CLOSED and row.outcome == "refused" else state.label
    return Tag(text=words, tone=_TONES.get(state, Tone.PLAIN))


def limit_of(row: Any, calendar: Calendar | None, today: date) -> Limit:
    """The light of a case: promised working days left, stopped, closed in time or late."""
    state = State(row.state)
    if row.decided_on and row.due:
        return Limit.closed("按期办结" if row.decided_on <= row.due else "逾期办结")
    if state in OVER:
        return Limit.closed(state.label)
    if state in STOPPED:
        return Limit.stopped("待补正" if state is State.CORRECTING else "特别程序")
    if row.due is None or calendar is None:
        return Limit.unknown("尚未起算" if state in IN_TRANSIT or not row.accepted_on else "无时限")
    left = calendar.between(today, row.due) if row.due >= today else -max(1, calendar.between(row.due, today))
    return Limit.running(left, due=row.due, statutory_due=row.statutory_due, provisional=row.provisional)


def calendar_of(catalogue: Catalogue | None) -> Calendar | None:
    """The calendar of the edition in force."""
    return catalogue.calendar if catalogue else None


def stops(node: Node, row: Any, events: Sequence[Event] = ()) -> tuple[Stop, ...]:
    """The rail: the line of the origin from below, each stop with what was last done there."""
    if row.origin not in node.know.roster:
        return ()
    last: dict[str, Event] = {event.frm: event for event in events if event.case}
    found = []
    for place in node.know.roster.line(row.origin):
        event = last.get(place.code)
        acted = event is not None or place.code in (row.origin, row.holder)
        state, note = StopState.DONE if acted else StopState.AHEAD, ""
        if row.target == place.code:
            state, note = StopState.MOVING, "已移交，待签收"
        elif row.speaker == place.code:
            state = StopState.NOW
        elif not acted:
            note = "跟踪进度，不见个人信息"
        found.append(
            Stop(
                word=place.tier.word,
                name=place.name,
                state=state,
                what=VERBS.get(event.kind, "") if event else "",
                when=said_at(event) if event else None,
                who=person(str(event.body.get("by", ""))) if event else "",
                note=note,
                mark="签名已验" if event else "",
            )
        )
    return tuple(found)


def said_at(event: Event) -> datetime:
    """The signer's clock."""
    return datetime.fromisoformat(event.iat)


def case_row(desk: Desk, row: Any, applicant: str = "", waiting: bool = False) -> CaseRow:
    """One case of a list."""
    node = desk.node
    today = civil_date(desk.now)
    return CaseRow(
        no=row.no,
        item=item_name(node, row.item),
        applicant=applicant,
        origin=place_name(node, row.origin),
        state=state_tag(row),
        limit=limit_of(row, calendar_of(node.know.catalogue), today),
        holder=place_name(node, row.holder),
        stops=stops(node, row),
        verb="办理" if row.speaker == node.place else "查看",
        mark="待发送" if waiting else "",
        moved_at=row.changed_at,
    )


def reach(node: Node, row: Any, files: Mapping[reached.Key, reached.Progress]) -> Reach:
    """How far one of our acts got with one reader, and its files with it."""
    given = files.get((row.place, row.ep, row.ord))
    at = row.done_at or row.sent_at or row.stored_at
    reason = f"{row.rule} {row.reason}".strip()
    if row.state == OutState.RECEIVED and not reason:
        reason = "对方已收，等前面的步骤"
    return Reach(
        place=place_name(node, row.place),
        stage=_STAGES[OutState(row.state)],
        at=at,
        reason=reason,
        files=given.words if given else "",
        lacking=given is not None and given.arrived < given.total,
    )


def reaches(node: Node, rows: Iterable[Any]) -> list[tuple[int, Reach]]:
    """The same for many rows, each with the number of its act."""
    found = list(rows)
    files = node.read(reached.of_acts, [(row.ep, row.ord) for row in found])
    return [(row.ord, reach(node, row, files)) for row in found]


def personal(private: dict[str, Any] | None, *, shown: bool) -> tuple[PersonalField, ...]:
    """Name, number, telephone, address: masked, and whole only when `shown`."""
    if not private or not isinstance(private.get("applicant"), dict):
        return ()
    whole, covered = private["applicant"], masked(private)["applicant"]
    labels = (("name", "申请人"), ("id_no", "证件号码"), ("phone", "联系电话"), ("address", "地址"))
    return tuple(
        PersonalField(
            label=label,
            masked=str(covered.get(key, "")) or ("已填写，未显示" if whole.get(key) else "—"),
            shown=str(whole.get(key, "")) if shown else "",
        )
        for key, label in labels
    )


def applicant_of(private: dict[str, Any] | None) -> str:
    """The applicant's masked name; a dash for those who are not party to the case."""
    if not private or not isinstance(private.get("applicant"), dict):
        return "—"
    return mask_name(str(private["applicant"].get("name", "")))


def mode(item: Item) -> str:
    """承诺件 · 上报."""
    return f"{item.case_kind} · {item.seed_kind}"
