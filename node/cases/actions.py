"""What an officer does to a case. Each is one transaction: a signed step, or a refusal in the user's words.

Whether the step is allowed now is the lifecycle's word (`protocol/lifecycle.py`); whether this place may do it,
the catalogue's; whether this person may, the table `ROLES` here. All three are asked on every road in.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from node.accounts.officer import Officer
from node.accounts.roles import Role
from node.cases import filing
from node.cases.apply import permit
from node.cases.dossier import dossier
from node.cases.steps import Cases
from node.errors import BadForm, Conflict, Forbidden, RoleMissing, Unavailable
from node.materials import drafts, index
from node.work import Work
from protocol import ledger as clock
from protocol import routing
from protocol.catalogue import Item
from protocol.errors import EnvelopeError, RoutingError
from protocol.ledger import Ledger
from protocol.lifecycle import Case, State, Step
from protocol.messages import STEPS, SUBMISSIONS, read_body
from protocol.places import Place
from protocol.subjects import Lane

PUBLIC_SERVICE = "20"
"""公共服务 and above among the item types of GB/T 39046-2020 A.1; below it stand the powers."""

_DESK = frozenset((Role.AGENT, Role.CLERK, Role.REVIEWER, Role.CHIEF_REPRESENTATIVE))
_WINDOW = frozenset((Role.CLERK, Role.REVIEWER, Role.CHIEF_REPRESENTATIVE))
ROLES: Mapping[str, frozenset[Role]] = MappingProxyType(
    {
        "case.filed": _DESK,
        "case.taken": _DESK,
        "case.handover_refused": _WINDOW | {Role.AGENT},
        "case.forwarded": _DESK,
        "case.accepted": _DESK,
        "case.not_accepted": _WINDOW,
        "case.returned": _DESK,
        "case.reviewed": frozenset((Role.AGENT, Role.REVIEWER, Role.CHIEF_REPRESENTATIVE)),
        "case.remanded": frozenset((Role.CHIEF_REPRESENTATIVE,)),
        "case.granted": frozenset((Role.AGENT, Role.CHIEF_REPRESENTATIVE)),
        "case.refused": frozenset((Role.AGENT, Role.CHIEF_REPRESENTATIVE)),
        "case.closed": _DESK,
        "case.delivered": _DESK,
        "case.archived": _WINDOW,
        "case.withdrawn": _DESK,
        "case.supplement_sent": _DESK,
        "case.withdrawal_asked": _DESK,
    },
)


def may(officer: Officer, kind: str) -> bool:
    """Whether one of the officer's roles allows this act."""
    return bool(ROLES.get(kind, frozenset()) & officer.roles)


def _must(officer: Officer, kind: str) -> None:
    if not may(officer, kind):
        raise RoleMissing("您的岗位不能办理这一步")


def file_case(work: Work, officer: Officer, form: filing.Filing) -> str:
    """登记: the new case's number; BadForm with every faulty field."""
    _must(officer, "case.filed")
    return filing.file_case(work, officer.staff_no, officer.name, form)


def take(work: Work, officer: Officer, no: str) -> None:
    """签收: become the holder of a case handed to us."""
    _say(work, officer, no, "case.taken", {})


def refuse_handover(work: Work, officer: Officer, no: str, why: str) -> None:
    """退回移交: back to whom it came from, with the reason."""
    _say(work, officer, no, "case.handover_refused", {"why": _needed(why, "why", "请写明退回的理由")})


def accept(work: Work, officer: Officer, no: str) -> None:
    """受理: take it if it is still to be taken, and start the clock."""
    _must(officer, "case.accepted")
    cases = Cases(work)
    case = cases.need(no)
    if case.state is State.FILED and case.target == work.me:
        cases.say(no, "case.taken", {"by": officer.staff_no})
    item = _item(work, case)
    cases.say(no, "case.accepted", {"by": officer.staff_no, **_clock(work, item)})
    cases.store()


def _clock(work: Work, item: Item) -> dict[str, Any]:
    """The clock facts of an acceptance today."""
    facts = Ledger(work.today, item.promised_limit, item.statutory_limit)
    calendar = work.catalogue().calendar
    if calendar is None:
        raise Unavailable("目录里还没有工作日历，不能计算时限")
    due = clock.dues(facts, calendar, work.today)
    return {
        "due": due.shown.day.isoformat(),
        "statutory_due": due.statutory.day.isoformat() if due.statutory else None,
        "provisional": due.shown.provisional,
        "calendar": calendar.version,
        "clock": clock.ledger_document(facts),
        "two_person": needs_two(item),
        "version": item.version,
    }


def needs_two(item: Item) -> bool:
    """Whether reviewer and decider must differ (一审一核): every power; a public service may be one person's."""
    return item.item_type.code < PUBLIC_SERVICE


def refuse_acceptance(work: Work, officer: Officer, no: str, reasons: str) -> None:
    """不予受理, in writing, with the reason; tells the right body."""
    text = _needed(reasons, "reasons", "不予受理须书面说明理由")
    _say(work, officer, no, "case.not_accepted", {}, _note(officer, "不予受理", text))


def return_for_correction(work: Work, officer: Officer, no: str, defects: list[dict[str, str]]) -> None:
    """一次性告知补正: every defect at once, each with what is required."""
    named = [one for one in defects if one.get("material", "").strip() and one.get("problem", "").strip()]
    if not named:
        raise BadForm({"defects": "请逐条写明需要补正的材料和要求"})
    private = {
        "defects": named,
        **_note(officer, "一次性告知补正", "；".join(one["problem"] for one in named)),
    }
    _say(work, officer, no, "case.returned", {"defects": len(named)}, private)


def supplement(work: Work, officer: Officer, no: str, materials: list[str], note: str) -> None:
    """补正提交 by the origin, with the files collected under the case's number; the holder answers by a signed step."""
    materials = list(dict.fromkeys([*materials, *drafts.collected(work, officer.staff_no, no)]))
    if not materials and not note.strip():
        raise BadForm({"materials": "请写明补正了哪些材料"})
    private: dict[str, Any] = {"supplement": {"materials": materials, "note": note.strip()}}
    if files := _collected(work, officer, no):
        private["files"] = files
    _submit(work, officer, no, "case.supplement_sent", {State.CORRECTING}, private)


def _collected(work: Work, officer: Officer, no: str) -> list[dict[str, Any]]:
    """The files collected under a case's number, for its next sealed part."""
    applicant = index.applicant_mark(work.know, dossier(work.session, work.know, no))
    case = Cases(work).need(no)
    if faults := drafts.faults(work, officer.staff_no, no, _item(work, case), applicant):
        raise BadForm(faults)
    return drafts.claim(work, officer.staff_no, no, no, applicant)


def withdraw(work: Work, officer: Officer, no: str, why: str) -> None:
    """撤回 for the applicant: at once where we have the turn, else asked of whoever has it."""
    text = _needed(why, "why", "请写明撤回的原因（申请人意愿）")
    case = Cases(work).need(no)
    if case.speaker == work.me and case.origin == work.me:
        _say(work, officer, no, "case.withdrawn", {}, _note(officer, "撤回", text))
        return
    _submit(work, officer, no, "case.withdrawal_asked", None, _note(officer, "申请撤回", text))


def forward(work: Work, officer: Officer, no: str, to: str, why: str) -> None:
    """转办 / 上报 to the place the catalogue names, with the reason and the whole dossier."""
    text = _needed(why, "why", "请写明移交的理由")
    case = Cases(work).need(no)
    allowed = {place.code for place in next_holders(work, case)}
    if to not in allowed:
        raise BadForm({"to": "目录没有把本事项交给该地办理，请选择列出的去向"})
    _say(work, officer, no, "case.forwarded", {"to": to, "why": text}, dossier(work.session, work.know, no))


def next_holders(work: Work, case: Case) -> list[Place]:
    """To whom the catalogue lets this case be handed over now; empty if it is decided here."""
    know = work.know
    if know.catalogue is None:
        return []
    try:
        way = routing.route(
            know.catalogue, know.roster, case.item, case.origin, work.today, accepted=case.accepted_on
        )
    except RoutingError:
        return []
    found = routing.next_holder(way, work.me, reviewed=bool(case.reviewer))
    return [found] if found else []


def review(work: Work, officer: Officer, no: str, opinion: str, text: str) -> None:
    """审查: the first of two persons."""
    if opinion not in ("同意", "不同意"):
        raise BadForm({"opinion": "请选择同意或不同意"})
    note = _note(officer, f"审查意见：{opinion}", _needed(text, "text", "请填写审查意见"))
    _say(work, officer, no, "case.reviewed", {"opinion": opinion}, note)


def remand(work: Work, officer: Officer, no: str, why: str) -> None:
    """退回重审 by the decider."""
    _say(
        work, officer, no, "case.remanded", {}, _note(officer, "退回重审", _needed(why, "why", "请写明理由"))
    )


def decide(work: Work, officer: Officer, no: str, outcome: str, text: str, result: str = "") -> None:
    """准予 / 不予 by the second person, and 办结: the result goes back to the origin."""
    if outcome not in ("granted", "refused"):
        raise BadForm({"outcome": "请选择准予或不予"})
    if outcome == "refused":
        text = _needed(text, "text", "不予许可须说明理由，并告知复议、诉讼的途径")
    kind = f"case.{outcome}"
    _must(officer, kind)
    cases = Cases(work)
    case = cases.need(no)
    body = {"by": officer.staff_no, "reasons": outcome == "refused"}
    _permit(work, case, kind, body)
    word = "准予" if outcome == "granted" else "不予"
    cases.say(no, kind, body, {**_note(officer, word, text), "decision": {"outcome": outcome, "text": text}})
    name = result.strip() or _item(work, case).result.name
    cases.say(
        no, "case.closed", {"by": officer.staff_no, "result": name if outcome == "granted" else "不予决定书"}
    )
    cases.store()


def deliver(work: Work, officer: Officer, no: str, way: str, receiver: str) -> None:
    """送达 by the origin: how, and who signed for it."""
    body = {"way": _needed(way, "way", "请选择送达方式")}
    private = {"delivery": {"way": way, "receiver": _needed(receiver, "receiver", "请填写签收人")}}
    _say(work, officer, no, "case.delivered", body, private)


def archive(work: Work, officer: Officer, no: str) -> None:
    """归档: nothing follows."""
    _say(work, officer, no, "case.archived", {})


def _say(
    work: Work,
    officer: Officer,
    no: str,
    kind: str,
    body: dict[str, Any],
    private: Mapping[str, Any] | None = None,
) -> None:
    _must(officer, kind)
    cases = Cases(work)
    case = cases.need(no)
    full = {"by": officer.staff_no, **body}
    _permit(work, case, kind, full)
    cases.say(no, kind, full, private)
    cases.store()


def _permit(work: Work, case: Case, kind: str, body: dict[str, Any]) -> None:
    act = read_body(STEPS[kind], {"on": work.today, **body})
    try:
        permit(work, case, Step(kind, work.me, case.no, case.n + 1, case.head, "", work.know.edition, act))
    except EnvelopeError as wrong:
        raise Forbidden(wrong.reason) from None


def _submit(
    work: Work,
    officer: Officer,
    no: str,
    kind: str,
    states: set[State] | None,
    private: Mapping[str, Any],
) -> None:
    _must(officer, kind)
    case = Cases(work).need(no)
    if case.origin != work.me:
        raise Conflict("只有受理起点可以提交")
    if case.outcome or case.closed_on or (states is not None and case.state not in states):
        raise Conflict(f"“{case.state.label}”的办件不能{'补正' if states else '撤回'}")
    body = SUBMISSIONS[kind].model_validate({"on": work.today, "by": officer.staff_no, "no": no})
    parties = [place for place in (case.holder, case.target) if place]
    readers: dict[str, Lane] = {
        place.code: Lane.CASE if place.code in parties else Lane.SUP
        for place in routing.hearers(work.know.roster, case.origin, *parties)
    }
    work.send(kind, body.model_dump(mode="json"), readers, private=private, parties=parties)


def _note(officer: Officer, what: str, text: str) -> dict[str, Any]:
    return {"notes": [{"by": officer.staff_no, "name": officer.name, "what": what, "text": text}]}


def _needed(text: str, field: str, message: str) -> str:
    if not text.strip():
        raise BadForm({field: message})
    if len(text) > 2000:
        raise BadForm({field: "最多 2000 字"})
    return text.strip()


def _item(work: Work, case: Case) -> Item:
    item = work.catalogue().get(case.item)
    if item is None:
        raise Conflict(f"目录中没有事项 {case.item}")
    return item
