"""What moves a clock, ends a case early or takes two persons: acts beside the straight way from filing to delivery.

One rule: 延期 and 作废 are proposed by one and approved by another who is authorised to; the step names both.
"""

from typing import Any

from sqlalchemy import Row

from node import proposals
from node.accounts.officer import Officer
from node.cases import clocks
from node.cases.saying import authorisation_for, must, needed, note, permitted, say, speak
from node.cases.steps import Cases
from node.catalogue.frozen import item_by_hash
from node.errors import BadForm, Conflict, Unavailable
from node.work import Work
from protocol import clockwork
from protocol.catalogue import SpecialProcedure
from protocol.errors import LedgerError
from protocol.ledger import open_suspensions
from protocol.lifecycle import TRANSITIONS, Case
from protocol.messages import Act, Extended, Resumed, Suspended
from protocol.modes import mode_of

EXTEND, VOID = "case.extended", "case.voided"
TERMINATIONS = ("申请人逾期未补正", "申请人死亡或主体资格终止", "法律法规规定的其他终止情形")


def special_procedures(work: Work, case: Case) -> tuple[SpecialProcedure, ...]:
    """The special procedures of the version frozen in the case that stop its clock."""
    item = item_by_hash(work, case.item, case.item_hash)
    return tuple(one for one in item.special_procedures if one.suspends_clock) if item else ()


def suspend(work: Work, officer: Officer, no: str, kind: str, basis: str = "", why: str = "") -> None:
    """启动特别程序: the clock stands still; the basis is the item's own unless another is named."""
    case = _clocked(work, no)
    found = next((one for one in special_procedures(work, case) if one.name == kind), None)
    if found is None:
        raise BadForm(kind="请选择本事项载明、不计入时限的特别程序")
    words = basis.strip() or found.exclusion_basis
    body = {
        "special": kind,
        "basis": needed(words, "basis", "请写明依据"),
        "max_days": found.max_days,
        "why": why,
    }
    _move(work, officer, no, "case.suspended", body, Suspended)


def resume(work: Work, officer: Officer, no: str, kind: str, result: str) -> None:
    """恢复计时: the special procedure of this kind has ended, with what result."""
    text = needed(result, "result", "请写明特别程序的结果")
    _move(
        work,
        officer,
        no,
        "case.resumed",
        {"special": kind},
        Resumed,
        note(officer, f"特别程序结束：{kind}", text),
    )


def open_kinds(case: Case) -> list[str]:
    """The special procedures that run."""
    return [one.kind for one in open_suspensions(case.clock)] if case.clock else []


def propose_extension(work: Work, officer: Officer, no: str, days: int, why: str) -> str:
    """延期, first person: the proposal; refused at once where the law would refuse it anyway."""
    must(officer, EXTEND)
    case = _clocked(work, no)
    longest = mode_of(case.mode).extension
    if not 1 <= days <= longest.value:
        raise BadForm(days=f"延期 1 至 {longest.value} 个工作日")
    text = needed(why, "why", "请写明延期的理由，将告知申请人")
    _offered(work, case, EXTEND)
    if case.clock is not None and case.clock.extension is not None:
        raise Conflict(f"已于 {case.clock.extension.on} 延期过一次，不能再延")
    last = case.statutory_due or case.due
    if last is not None and work.today > last:
        raise Conflict(f"时限已于 {last} 届满，不能再延期")
    return proposals.propose(work, officer, EXTEND, no, {"days": days, "why": text})


def approve_extension(work: Work, officer: Officer, row: Row[Any]) -> None:
    """延期, second person: the head of the organ (of the government for joint handling), authorised to."""
    must(officer, "second")
    case = _clocked(work, row.no)
    body = {
        "by": row.by,
        "days": int(row.content["days"]),
        "why": row.content["why"],
        "approver": officer.staff_no,
        "authorisation": authorisation_for(work, case, EXTEND, officer.staff_no),
    }
    cases = Cases(work)
    speak(work, cases, row.no, EXTEND, {**body, **_days_after(work, case, EXTEND, Extended, body)})
    cases.store()


def propose_void(work: Work, officer: Officer, no: str, why: str) -> str:
    """作废, first person: recorded by mistake, before any decision."""
    must(officer, VOID)
    case = Cases(work).need(no)
    text = needed(why, "why", "请写明作废的原因（录入错误等）")
    _offered(work, case, VOID)
    return proposals.propose(work, officer, VOID, no, {"why": text[:500]})


def approve_void(work: Work, officer: Officer, row: Row[Any]) -> None:
    """作废, second person."""
    must(officer, "second")
    cases = Cases(work)
    case = cases.need(row.no)
    body = {
        "by": row.by,
        "why": row.content["why"],
        "approver": officer.staff_no,
        "authorisation": authorisation_for(work, case, VOID, officer.staff_no),
    }
    speak(work, cases, row.no, VOID, body)
    cases.store()


def terminate(work: Work, officer: Officer, no: str, ground: str, text: str = "") -> None:
    """终止: the applicant never answered or is no more."""
    if ground not in TERMINATIONS:
        raise BadForm(ground="请选择终止的情形：" + "、".join(TERMINATIONS))
    case = Cases(work).need(no)
    if ground == TERMINATIONS[0] and (case.reply_by is None or work.today <= case.reply_by):
        raise Conflict(f"补正期限到 {case.reply_by}，尚未届满" if case.reply_by else "本件没有告知过补正")
    say(work, officer, no, "case.terminated", {"why": ground}, note(officer, "终止", text or ground))


def _clocked(work: Work, no: str) -> Case:
    case = Cases(work).need(no)
    if case.clock is None:
        raise Conflict("尚未受理，没有在计时")
    return case


def _offered(work: Work, case: Case, kind: str) -> None:
    if case.speaker != work.me or kind not in TRANSITIONS[case.state]:
        raise Conflict(f"“{case.state.label}”的办件现在不能在本节点办理这一步")


def _move(
    work: Work,
    officer: Officer,
    no: str,
    kind: str,
    body: dict[str, Any],
    model: type[Act],
    private: dict[str, Any] | None = None,
) -> None:
    """A step that moves the clock, with the days after it."""
    must(officer, kind)
    case = _clocked(work, no)
    full = {"by": officer.staff_no, **body}
    permitted(work, case, kind, full)
    say(work, officer, no, kind, {**body, **_days_after(work, case, kind, model, full)}, private)


def _days_after(work: Work, case: Case, kind: str, model: type[Act], body: dict[str, Any]) -> dict[str, Any]:
    """The days by the ledger that this step will leave; Conflict if the ledger refuses it."""
    try:
        after = clockwork.moved(case.clock, kind, model.model_validate({"on": work.today, **body}))
    except LedgerError as wrong:
        raise Conflict(str(wrong)) from None
    if after is None:
        raise Unavailable("本件没有时限账")
    return clocks.days(work, case, after)
