"""What a station does as an agent beside the case's own steps. Each is signed and heard by everyone in the line.

One rule: money only for a bill, against a numbered receipt, and into the bank the same day; what an agent tried beyond
that stays on record (AB22) although it is refused.
"""

import re
from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import select

from node import audit
from node.accounts.officer import Officer
from node.accounts.views import strangers
from node.agency import views
from node.agency.entrusted import must_be_entrusted, of_case, refusal
from node.agency.model import ProjectCaseRow, ProjectRow
from node.cases import findings
from node.cases.model import CaseRow
from node.cases.saying import must, needed, note
from node.cases.steps import Cases
from node.db import insert_all, table_of
from node.errors import BadForm, Conflict, Forbidden, NotFound, OnRecord
from node.fees import views as fees
from node.work import Work
from protocol import routing
from protocol.agency import AGENCY, GROUNDS, HAND_IN_WORKDAYS, MARKS, AgencyState
from protocol.fees import UNPAID, yuan
from protocol.lifecycle import Case
from protocol.messages import read_body
from protocol.subjects import Lane

RULE = "AB22"
NUMBER = re.compile(r"[\w〔〕（）()-]{1,60}")
"""What a project's number may be: it stands in addresses."""
MOST = 500
PAYING = ("缴费",)
UNDER_WAY = (AgencyState.ACTING, AgencyState.PAUSED)


def stop(work: Work, officer: Officer, no: str, ground: str, why: str, *, final: bool = False) -> None:
    """中止 (终止) the agency; the case itself goes on with the applicant."""
    case = _ours(work, officer, no, "agency.stopped")
    state = of_case(work.session, no).state
    if state not in UNDER_WAY or (state is AgencyState.PAUSED and not final):
        raise Conflict(f"代办{state.value}，不能再{'终止' if final else '中止'}")
    if ground not in GROUNDS:
        raise BadForm(ground="请选择中止的原因：" + "、".join(GROUNDS))
    said = note(officer, "终止代办" if final else "中止代办", needed(why, "why", "请写明情况"))
    _say(work, officer, case, "agency.stopped", {"ground": ground, "final": final}, said)


def resume(work: Work, officer: Officer, no: str, until: date | None) -> None:
    """续办: entrusted anew by the applicant until that day."""
    case = _ours(work, officer, no, "agency.resumed")
    if of_case(work.session, no).state not in UNDER_WAY:
        raise Conflict("代办已经结束，须重新委托")
    if not wants_renewal(work, no):
        raise Conflict("代办没有中止，委托期限也没有届满，不需要续办")
    if until is None or until < work.today:
        raise BadForm(until="请填写今天或以后的委托截止日期")
    _say(work, officer, case, "agency.resumed", {"until": until.isoformat()})


def wants_renewal(work: Work, no: str) -> bool:
    """Whether the entrustment was stopped or has run out, so that nothing may be done under it."""
    return bool(refusal(work.session, work.know, no, (), work.today))


def finish(work: Work, officer: Officer, no: str) -> None:
    """办结: the case is over, nothing of the applicant's is left here."""
    case = _ours(work, officer, no, "agency.finished")
    standing = of_case(work.session, no)
    if not case.delivered_on and not case.closed_on:
        raise Conflict("办件尚未办结，不能办结代办")
    if standing.held:
        raise Conflict(f"代收的款项尚未缴存（收据 {'、'.join(standing.held)}）")
    if standing.state not in UNDER_WAY:
        raise Conflict("代办已经结束")
    _say(work, officer, case, "agency.finished", {})


def hand_over(work: Work, officer: Officer, no: str, papers: int, receiver: str) -> None:
    """移交材料 on paper to whoever handles the case; late is a finding at once."""
    case = _ours(work, officer, no, "agency.handed_over")
    if case.holder == work.me and not case.target:
        raise Conflict("本件由本站承办，没有材料要移交")
    if not 1 <= papers <= 1000 or not receiver.strip():
        raise BadForm(receiver="请填写材料份数（1 至 1000）和接收人的工号")
    if of_case(work.session, no).handed_on:
        raise Conflict("材料已经移交")
    words = {"to": case.target or case.holder, "papers": papers, "receiver": receiver.strip()}
    _say(work, officer, case, "agency.handed_over", words)
    findings.keep(work, late(work, case, work.today, officer.staff_no))


def mark(work: Work, officer: Officer, no: str, kind: str, person: str = "", at: str = "") -> None:
    """预约, 上门, 延时, 下乡, 绿色通道 as an attribute of a case, by its origin or its holder."""
    must(officer, "agency.marked")
    case = Cases(work).need(no)
    if work.me not in (case.origin, case.holder):
        raise Forbidden("只有受理起点和承办单位可以登记服务方式")
    if kind not in MARKS:
        raise BadForm(mark="请选择服务方式：" + "、".join(MARKS))
    if kind == "绿色通道" and not person.strip():
        raise BadForm(person="绿色通道须指定专人，请填写工号")
    words = {"mark": kind, "person": person.strip(), "at": at.strip()[:500]}
    _say(work, officer, case, "agency.marked", words)


def hold_money(work: Work, officer: Officer, no: str, bill: str, amount_fen: int) -> str:
    """代收 exactly a bill's sum: the number of the receipt; anything else is refused on record."""
    case = _ours(work, officer, no, "agency.money")
    must_be_entrusted(work, no, PAYING)
    row = next((one for one in fees.of_case(work.session, no) if one.bill == bill), None)
    reason = ""
    if row is None:
        reason = f"没有缴款通知书 {bill or '（未填）'}，代办员不得收取任何费用"
    elif row.state not in UNPAID:
        reason = f"通知书 {bill} 现为{row.state}，不得再收"
    elif row.amount_fen != amount_fen:
        reason = f"通知书 {bill} 应缴 {yuan(row.amount_fen)}，不得代收其他金额"
    if reason:
        person, about = officer.staff_no, f"money {bill} {amount_fen}"
        raise OnRecord(reason, partial(_accuse, no=no, about=about, person=person, why=reason))
    if any(one.bill == bill for one in of_case(work.session, no).held.values()):
        raise Conflict(f"通知书 {bill} 的款项已代收")
    receipt = _receipt(work)
    words = {"receipt": receipt, "bill": bill, "amount": amount_fen, "stage": "代收"}
    _say(work, officer, case, "agency.money", words)
    return receipt


def _accuse(work: Work, no: str, about: str, person: str, why: str) -> None:
    found = findings.note(work, RULE, no, about, place=work.me, person=person, why=why)
    findings.keep(work, [found])


def deposit(work: Work, officer: Officer, no: str, receipt: str, reference: str) -> None:
    """缴存: the money of a receipt is in the bank, under the bank's number."""
    case = _ours(work, officer, no, "agency.money")
    held = of_case(work.session, no).held.get(receipt)
    if held is None:
        raise BadForm(receipt=f"没有未缴存的收据 {receipt or '（未填）'}")
    words = {
        "receipt": receipt, "bill": held.bill, "amount": held.amount, "stage": "缴存",
        "reference": needed(reference, "reference", "请填写银行流水号")[:100],
    }  # fmt: skip
    _say(work, officer, case, "agency.money", words)


def _receipt(work: Work) -> str:
    serial = work.serial("receipts", str(work.today.year))
    return f"SJ{work.me}-{work.today.year}-{serial:05d}"


def _ours(work: Work, officer: Officer, no: str, kind: str) -> Case:
    must(officer, kind)
    case = Cases(work).need(no)
    if case.origin != work.me or not case.agent:
        raise Forbidden("本件不是本站代办的")
    return case


def _say(
    work: Work, officer: Officer, case: Case, kind: str, words: Mapping[str, Any],
    private: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    fields = {"on": work.today.isoformat(), "by": officer.staff_no, "no": case.no, **words}
    body = read_body(AGENCY[kind], fields)
    parties = [place for place in dict.fromkeys((case.origin, case.holder, case.target)) if place]
    readers: dict[str, Lane] = {
        place.code: Lane.CASE if place.code in parties else Lane.SUP
        for place in routing.hearers(work.know.roster, case.origin, *parties)
    }
    work.send(kind, body.model_dump(mode="json"), readers, private=private, parties=parties)


# What nobody has done in time


def late(work: Work, case: Case, handed_on: date, person: str = "") -> list[findings.Finding]:
    """The finding that materials came, or have still not come, after three working days; none in time."""
    calendar = work.know.catalogue.calendar if work.know.catalogue else None
    if calendar is None or handed_on <= calendar.add(case.filed_on, HAND_IN_WORKDAYS).day:
        return []
    last = calendar.add(case.filed_on, HAND_IN_WORKDAYS).day
    return [
        findings.note(
            work, RULE, case.no, "materials late", place=case.origin, person=person, due=last,
            why="代办材料未在三个工作日内移交",
        )
    ]  # fmt: skip


def look_after(work: Work) -> None:
    """Materials not handed over in time and money not in the bank the same day, of this station's open cases."""
    table = table_of(CaseRow).c
    rows = work.session.execute(
        select(table.no)
        .where(table.origin == work.me, table.agent, table.closed_on.is_(None), table.filed_on < work.today)
        .order_by(table.filed_on.desc(), table.no)
        .limit(MOST)
    ).scalars()
    for no in list(rows):
        case, standing = Cases(work).need(no), of_case(work.session, no)
        found = []
        away = case.holder != work.me or case.target not in ("", work.me)
        if away and standing.handed_on is None:
            found += late(work, case, work.today)
        found += [
            findings.note(
                work, RULE, no, f"held {one.receipt}", place=work.me, person=one.by, amount_fen=one.amount,
                why="代收款项未当日缴存",
            )
            for one in standing.held.values()
            if one.on < work.today
        ]  # fmt: skip
        findings.keep(work, found)


# Full-course agency


def open_project(
    work: Work, officer: Officer, number: str, name: str, investor: str, person: str, *, green: bool = True
) -> None:
    """全程代办 of an investment project, by one named person."""
    must(officer, "agency.marked")
    wanted = {"number": number, "name": name, "investor": investor, "person": person}
    words = {"number": "项目编号", "name": "项目名称", "investor": "投资者", "person": "代办专人的工号"}
    errors = {key: f"请填写{words[key]}" for key, text in wanted.items() if not text.strip()}
    if errors := errors | strangers(work.session, person=person):
        raise BadForm(errors)
    if not NUMBER.fullmatch(number.strip()):
        raise BadForm(number="项目编号只能用汉字、字母、数字、括号和 -")
    if work.session.get(ProjectRow, number.strip()) is not None:
        raise BadForm(number=f"项目 {number.strip()} 已登记")
    row = {key: text.strip() for key, text in wanted.items()}
    insert_all(work.session, ProjectRow, [{**row, "green": green, "since": work.today, "closed_on": None}])


def add_case(work: Work, officer: Officer, number: str, no: str) -> None:
    """One more case of a project."""
    must(officer, "agency.marked")
    _open_project(work, number)
    if work.session.get(CaseRow, no) is None:
        raise BadForm(no="本站没有这件办件，请填写 25 位办件编号")
    known = work.session.get(ProjectCaseRow, no)
    if known is not None:
        raise BadForm(no=f"这件办件已属于项目 {known.number}")
    insert_all(work.session, ProjectCaseRow, [{"no": no, "number": number, "since": work.today}])


def name_person(work: Work, officer: Officer, number: str, person: str) -> None:
    """换专人: from now on another named person sees the project through; who did it is in the audit log."""
    must(officer, "agency.marked")
    project = _open_project(work, number)
    if not person.strip() or person.strip() == project.person:
        raise BadForm(person="请填写新的代办专人的工号")
    if errors := strangers(work.session, person=person):
        raise BadForm(errors)
    audit.record(
        work.session,
        officer.login,
        "project.person",
        number,
        f"{project.person} → {person.strip()}",
        now=work.now,
    )
    project.person = person.strip()
    work.session.add(project)


def close_project(work: Work, officer: Officer, number: str) -> None:
    """办结: the full-course agency is over; Conflict while a case of it is open."""
    must(officer, "agency.marked")
    project = _open_project(work, number)
    if still := views.open_cases(work.session, number):
        raise Conflict(f"项目还有 {still} 件办件未办结")
    audit.record(work.session, officer.login, "project.closed", number, project.name, now=work.now)
    project.closed_on = work.today
    work.session.add(project)


def _open_project(work: Work, number: str) -> ProjectRow:
    project = work.session.get(ProjectRow, number)
    if project is None or project.closed_on is not None:
        raise NotFound(f"没有在办的项目 {number}")
    return project
