"""What an officer does to a case. Each is one transaction: a signed step, or a refusal in the user's words.

Whether the step is allowed now is the lifecycle's word (`protocol/lifecycle.py`); whether this place may do it,
the catalogue's and the authorisations'; whether this person may, the table `ROLES` in `saying`. All are asked on
every road in. What moves clocks or takes two persons is in `courses`.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from node.accounts.officer import Officer
from node.agency.entrusted import must_be_entrusted
from node.cases import clocks, duties, filing, prints, submissions
from node.cases.dossier import dossier, unreadable
from node.cases.model import CaseRow
from node.cases.permits import correctable
from node.cases.saying import (
    ROLES,
    authorisation_for,
    item_of,
    may,
    must,
    needed,
    note,
    permitted,
    say,
    speak,
)
from node.cases.steps import Cases
from node.db import table_of
from node.errors import BadForm, Conflict
from node.materials import drafts, index
from node.work import Work
from protocol import routing
from protocol.agency import FETCHES
from protocol.errors import RoutingError
from protocol.items import names_nothing
from protocol.lifecycle import Case, State
from protocol.messages import SUBMISSIONS
from protocol.modes import mode_of
from protocol.places import Place
from protocol.subjects import Lane

__all__ = ["ROLES", "may", "permitted"]

NOT_ACCEPTED = ("不需要申请", "不属于本机关职权", "依法不得申请")
SENT_BACK = ("补正后仍不齐全", "补正后仍不符合法定形式", "申请人要求退回材料")
"""The grounds the law knows; missing papers are never one of the first."""
SUPPLIABLE = frozenset((State.ACCEPTED, State.SPECIAL, State.JOINT, State.DECIDING, State.FORWARDED))
"""Where what was accepted as missing (容缺) may still be handed in."""


def file_case(work: Work, officer: Officer, form: filing.Filing) -> str:
    """登记: the new case's number; BadForm with every faulty field."""
    must(officer, "case.filed")
    return filing.file_case(work, officer.staff_no, officer.name, form)


def take(work: Work, officer: Officer, no: str) -> None:
    """签收: become the holder of a case handed to us."""
    case = Cases(work).need(no)
    say(work, officer, no, "case.taken", taking(work, case))


def _readable(work: Work, case: Case) -> None:
    """Conflict if the papers handed over to us cannot be opened: then the case goes back, it is not taken blind."""
    if case.target == work.me and unreadable(work.session, work.know, case.no, case.n):
        raise Conflict("随件移交的密封件打不开（可能被改动，或出自别的办件），请退回移交并写明原因")


def taking(work: Work, case: Case) -> dict[str, Any]:
    """What a taking says beside who: the day of receipt, or of a running case the days of our own part."""
    _readable(work, case)
    if case.clock is not None:
        return clocks.days(work, case, case.clock)
    if case.received_on is not None or case.state is State.BOUNCED:
        return {}
    row = table_of(CaseRow).c
    arrived = work.session.execute(select(row.changed_at).where(row.no == case.no)).scalar()
    return clocks.receipt(work, arrived or work.now)


def refuse_handover(work: Work, officer: Officer, no: str, why: str) -> None:
    """退回移交: back to whom it came from, with the reason."""
    say(work, officer, no, "case.handover_refused", {"why": needed(why, "why", "请写明退回的理由")})


def accept(
    work: Work,
    officer: Officer,
    no: str,
    pending: Sequence[str] = (),
    follow_up: date | None = None,
    leader: str = "",
) -> None:
    """受理: take it if it is still to be taken, and start the clock; after five silent days as of the receipt.

    `pending` names what may follow (容缺) by `follow_up`; `leader` who is in charge of an urgent case.
    """
    must(officer, "case.accepted")
    cases = Cases(work)
    case = cases.need(no)
    if case.state is State.FILED and case.target == work.me:
        speak(work, cases, no, "case.taken", {"by": officer.staff_no, **taking(work, case)})
        case = cases.need(no)
    item = item_of(work, case)
    if pending and follow_up is not None and follow_up <= work.today:
        raise BadForm(follow_up="补齐日期须在今天之后")
    body = {
        "by": officer.staff_no,
        **clocks.acceptance(work, case, item, deemed=overdue(work, case)),
        "pending": tuple(pending),
        "follow_up": (follow_up or clocks.follow_up_by(work)) if pending else None,
        "leader": leader.strip() or (officer.staff_no if mode_of(item.seed_kind).leader else ""),
    }
    private = prints.seen_again(work, case)
    speak(work, cases, no, "case.accepted", body, private)
    cases.store()


def overdue(work: Work, case: Case) -> bool:
    """Whether the time to tell defects has passed."""
    return case.notice_by is not None and work.today > case.notice_by


def refuse_acceptance(
    work: Work, officer: Officer, no: str, reasons: str, ground: str = "", body: str = ""
) -> None:
    """不予受理, in writing, on one of the law's grounds, with the reason; names the right body where it is another's."""
    errors = {}
    if ground not in NOT_ACCEPTED:
        errors["ground"] = "请选择不予受理的情形：" + "、".join(NOT_ACCEPTED) + "（材料不齐应一次性告知补正）"
    if ground == "不属于本机关职权" and not body.strip():
        errors["body"] = "请写明应向哪个机关申请"
    if errors:
        raise BadForm(errors)
    text = needed(reasons, "reasons", "不予受理须书面说明理由")
    words = {"ground": ground, "body": body.strip()[:500]}
    say(work, officer, no, "case.not_accepted", words, note(officer, "不予受理", text))


def send_back(work: Work, officer: Officer, no: str, ground: str, reasons: str) -> None:
    """退件, after the one correction or at the applicant's wish, with the reason and where to appeal."""
    if ground not in SENT_BACK:
        raise BadForm(ground="请选择退件的情形：" + "、".join(SENT_BACK))
    text = needed(reasons, "reasons", "退件须说明理由，并告知可向政务服务中心业务科申诉")
    say(work, officer, no, "case.sent_back", {"ground": ground}, note(officer, "退件", text))


def return_for_correction(work: Work, officer: Officer, no: str, defects: list[dict[str, str]]) -> None:
    """一次性告知补正: every defect at once, each with what is required."""
    named = [one for one in defects if one.get("material", "").strip() and one.get("problem", "").strip()]
    if not named:
        raise BadForm({"defects": "请逐条写明需要补正的材料和要求"})
    for one in named:
        if names_nothing(one["material"].strip()) or names_nothing(one["problem"].strip()):
            raise BadForm(defects="补正要求须具体到每份材料，不得写“其他材料”“相关材料”等")
    private = {
        "defects": named,
        **note(officer, "一次性告知补正", "；".join(one["problem"] for one in named)),
    }
    body = {
        "defects": len(named),
        "materials": tuple(dict.fromkeys(one["material"].strip() for one in named)),
        "reply_by": clocks.reply_by(work),
    }
    say(work, officer, no, "case.returned", body, private)


def supplement(
    work: Work,
    officer: Officer,
    no: str,
    materials: list[str],
    note: str,
    absent: Mapping[str, str] | None = None,
) -> None:
    """补正提交 by the origin, with the files collected under the case's number; the holder answers by a signed step.

    `absent` names what was asked for and cannot be given, each with the reason; the holder decides on it (容缺).
    """
    must_be_entrusted(work, no, ("交件",))
    materials = list(dict.fromkeys([*materials, *drafts.collected(work, officer.staff_no, no)]))
    reasons = [{"material": name, "why": why.strip()[:500]} for name, why in (absent or {}).items()]
    if not materials and not note.strip() and not reasons:
        raise BadForm({"materials": "请写明补正了哪些材料"})
    private: dict[str, Any] = {
        "supplement": {"materials": materials, "note": note.strip(), "absent": reasons}
    }
    if files := _collected(work, officer, no):
        private["files"] = files
    listed = correctable(item_of(work, Cases(work).need(no)))
    named = tuple(one for one in materials if one in listed)
    _submit(work, officer, no, "case.supplement_sent", private, named)


def _collected(work: Work, officer: Officer, no: str) -> list[dict[str, Any]]:
    """The files collected under a case's number, for its next sealed part."""
    applicant = index.applicant_mark(work.know, dossier(work.session, work.know, no))
    case = Cases(work).need(no)
    if faults := drafts.faults(work, officer.staff_no, no, item_of(work, case), applicant):
        raise BadForm(faults)
    return drafts.claim(work, officer.staff_no, no, no, applicant)


def withdraw(work: Work, officer: Officer, no: str, why: str) -> None:
    """撤回 for the applicant: at once where we have the turn, else asked of whoever has it."""
    text = needed(why, "why", "请写明撤回的原因（申请人意愿）")
    case = Cases(work).need(no)
    if case.speaker == work.me and case.origin == work.me:
        say(work, officer, no, "case.withdrawn", {}, note(officer, "撤回", text))
        return
    _submit(work, officer, no, "case.withdrawal_asked", note(officer, "申请撤回", text))


def forward(work: Work, officer: Officer, no: str, to: str, why: str) -> None:
    """转办 / 上报 to the place the catalogue names, with the reason and the whole dossier."""
    text = needed(why, "why", "请写明移交的理由")
    case = Cases(work).need(no)
    allowed = {place.code for place in next_holders(work, case)}
    if to not in allowed:
        raise BadForm({"to": "目录没有把本事项交给该地办理，请选择列出的去向"})
    say(work, officer, no, "case.forwarded", {"to": to, "why": text}, dossier(work.session, work.know, no))


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
    said = note(officer, f"审查意见：{opinion}", needed(text, "text", "请填写审查意见"))
    say(work, officer, no, "case.reviewed", {"opinion": opinion}, said)


def remand(work: Work, officer: Officer, no: str, why: str) -> None:
    """退回重审 by the decider."""
    say(work, officer, no, "case.remanded", {}, note(officer, "退回重审", needed(why, "why", "请写明理由")))


def decide(
    work: Work,
    officer: Officer,
    no: str,
    outcome: str,
    text: str,
    result: str = "",
    minutes: str = "",
    *,
    produce: bool = False,
) -> None:
    """准予 / 不予 by the second person, under an authorisation, and 办结: the result goes back to the origin.

    `produce`: the certificate is still to be made (制证); `close` ends the case then.
    """
    if outcome not in ("granted", "refused"):
        raise BadForm({"outcome": "请选择准予或不予"})
    if outcome == "refused":
        text = needed(text, "text", "不予许可须说明理由，并告知复议、诉讼的途径")
    kind = f"case.{outcome}"
    must(officer, kind)
    cases = Cases(work)
    case = cases.need(no)
    granted = outcome == "granted"
    body = {
        "by": officer.staff_no,
        "reasons": not granted,
        "authorisation": authorisation_for(work, case, kind, officer.staff_no),
        "minutes": minutes.strip()[:100],
        "deliver_by": clocks.deliver_by(work) if granted else None,
    }
    private = {
        **note(officer, "准予" if granted else "不予", text),
        "decision": {"outcome": outcome, "text": text},
    }
    speak(work, cases, no, kind, body, private)
    if granted and produce:
        speak(work, cases, no, "case.producing", {"by": officer.staff_no})
    else:
        _close(work, cases, officer, no, result)
    cases.store()


def close(work: Work, officer: Officer, no: str, result: str = "") -> None:
    """办结: the certificate or document is made; it waits at the origin to be delivered."""
    must(officer, "case.closed")
    cases = Cases(work)
    _close(work, cases, officer, no, result)
    cases.store()


def _close(work: Work, cases: Cases, officer: Officer, no: str, result: str) -> None:
    case = cases.need(no)
    name = result.strip() or item_of(work, case).result.name
    body = {
        "by": officer.staff_no,
        "result": name if case.outcome == "granted" else "不予决定书",
        "tell_by": clocks.tell_by(work, case),
    }
    speak(work, cases, no, "case.closed", body)


def deliver(work: Work, officer: Officer, no: str, way: str, receiver: str) -> None:
    """送达 by the origin: how, and who signed for it."""
    if way == "代办员送达":
        must_be_entrusted(work, no, FETCHES)
    body = {"way": needed(way, "way", "请选择送达方式")}
    private = {"delivery": {"way": way, "receiver": needed(receiver, "receiver", "请填写签收人")}}
    say(work, officer, no, "case.delivered", body, private)


def archive(work: Work, officer: Officer, no: str) -> None:
    """归档: nothing follows."""
    say(work, officer, no, "case.archived", {})


def _submit(
    work: Work,
    officer: Officer,
    no: str,
    kind: str,
    private: Mapping[str, Any],
    materials: tuple[str, ...] = (),
) -> None:
    must(officer, kind)
    case = Cases(work).need(no)
    if case.origin != work.me:
        raise Conflict("只有受理起点可以提交")
    awaited = case.state is State.CORRECTING or (case.pending and case.state in SUPPLIABLE)
    if case.outcome or case.closed_on or (kind == "case.supplement_sent" and not awaited):
        word = "补正" if kind == "case.supplement_sent" else "撤回"
        raise Conflict(f"“{case.state.label}”的办件不能{word}")
    body = SUBMISSIONS[kind].model_validate(
        {"on": work.today, "by": officer.staff_no, "no": no, "materials": materials}
    )
    parties = [place for place in (case.holder, case.target) if place]
    readers: dict[str, Lane] = {
        place.code: Lane.CASE if place.code in parties else Lane.SUP
        for place in routing.hearers(work.know.roster, case.origin, *parties)
    }
    event = work.send(kind, body.model_dump(mode="json"), readers, private=private, parties=parties)
    index.note(work, event, no)
    submissions.keep(work, event, body)
    duties.attend(work, [no])
