"""用章: a register of seals, their custody and every use. The program keeps the book and never draws a seal.

One rule: each use is bound to a case and a document, and is written down even when it is refused; so what refuses
here gives the reason back instead of raising, and the caller tells it after the book is written.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import Row, select, update

from node import audit, proposals
from node.accounts.officer import Officer
from node.accounts.roles import Role
from node.accounts.views import strangers
from node.cases import findings
from node.cases.steps import Cases
from node.db import insert_all, table_of
from node.errors import BadForm, Conflict, NotFound, RoleMissing
from node.powers.model import CustodyRow, SealRow, SealUseRow
from node.work import Work
from protocol.lifecycle import Case

CUSTODY = "seal.custody"

WHEN: Mapping[str, tuple[Callable[[Case], bool], str]] = MappingProxyType(
    {
        "收件专用章": (lambda case: case.received_on is not None or case.n > 0, "尚未收件"),
        "受理专用章": (lambda case: bool(case.accepted_on or case.corrections or case.closed_on), "尚未受理"),
        "审批专用章": (lambda case: bool(case.outcome), "尚未作出决定"),
        "办结专用章": (lambda case: bool(case.outcome and case.closed_on), "尚未办结"),
    },
)
"""Kinds of seals: when a case lets one be used, and why not before."""


def register(work: Work, officer: Officer, kind: str, name: str, keeper: str) -> str:
    """A new seal (or a new version of one of that name) in somebody's custody; its number."""
    if Role.CENTRE_HEAD not in officer.roles:
        raise RoleMissing("印章由中心主任登记")
    errors = {}
    if kind not in WHEN:
        errors["kind"] = "请选择印章种类：" + "、".join(WHEN)
    if not name.strip():
        errors["name"] = "请填写印章名称"
    if not keeper.strip():
        errors["keeper"] = "请填写保管人工号"
    errors |= strangers(work.session, keeper=keeper)
    if errors:
        raise BadForm(errors)
    table = table_of(SealRow)
    same = work.session.execute(select(table).where(table.c.name == name.strip())).all()
    work.session.execute(
        update(table)
        .where(table.c.name == name.strip(), table.c.retired_on.is_(None))
        .values(retired_on=work.today)
    )
    serial = work.serial("seals")
    row = {
        "id": f"YZ{work.me}-{serial:03d}",
        "kind": kind,
        "name": name.strip(),
        "version": len(same) + 1,
        "keeper": keeper.strip(),
        "since": work.today,
        "retired_on": None,
    }
    insert_all(work.session, SealRow, [row])
    _custody(work, str(row["id"]), "", keeper.strip(), officer.staff_no, "启用")
    audit.record(work.session, officer.login, "seal.register", str(row["id"]), name, now=work.now)
    return str(row["id"])


def hand_over(work: Work, officer: Officer, seal: str, taker: str, why: str) -> str:
    """交接, first person: the keeper (or the centre head for an absent one) gives; the taker approves."""
    found = _need(work, seal)
    if officer.staff_no != found.keeper and Role.CENTRE_HEAD not in officer.roles:
        raise RoleMissing(f"{seal} 由 {found.keeper} 保管，须由保管人或中心主任交出")
    if not taker.strip() or taker.strip() == found.keeper:
        raise BadForm(taker="请填写接管人的工号")
    if errors := strangers(work.session, taker=taker):
        raise BadForm(errors)
    content = {"seal": seal, "giver": found.keeper, "taker": taker.strip(), "why": why.strip()[:500]}
    return proposals.propose(work, officer, CUSTODY, seal, content)


def admits(_work: Work, officer: Officer, row: Row[Any]) -> None:
    """Conflict, with the reason, for everybody but the taker himself."""
    if officer.staff_no != row.content["taker"]:
        raise Conflict(f"须由接管人 {row.content['taker']} 本人确认")


def take_over(work: Work, officer: Officer, row: Row[Any]) -> None:
    """交接, second person: who shall keep the seal takes it."""
    content = row.content
    admits(work, officer, row)
    found = _need(work, content["seal"])
    if found.keeper != content["giver"]:
        raise Conflict(f"{found.id} 现由 {found.keeper} 保管")
    table = table_of(SealRow)
    work.session.execute(
        update(table).where(table.c.id == found.id).values(keeper=officer.staff_no, since=work.today)
    )
    _custody(work, found.id, content["giver"], officer.staff_no, row.by, content["why"])


def use(work: Work, officer: Officer, seal: str, no: str, document: str, copies: int = 1) -> str:
    """Why the seal may not be used for this document; "" if it was. Written down either way."""
    if not document.strip() or not 1 <= copies <= 99:
        raise BadForm(document="请写明文书名称和份数（1 至 99）")
    case = Cases(work).get(no)
    refused = _refusal(work, officer, seal, case)
    row = {
        "seal": seal[:60],
        "no": no[:50],
        "document": document.strip()[:100],
        "copies": copies,
        "person": officer.staff_no,
        "refused": refused,
        "at": work.now,
    }
    insert_all(work.session, SealUseRow, [row])
    if refused:
        about = f"{work.now.isoformat()} {officer.staff_no} {seal} {document.strip()}"
        findings.keep(
            work,
            [
                findings.note(
                    work, "AB18", no[:50], about, place=work.me, person=officer.staff_no, why=refused
                )
            ],
        )
    return refused


def _refusal(work: Work, officer: Officer, seal: str, case: Case | None) -> str:
    table = table_of(SealRow)
    found = work.session.execute(select(table).where(table.c.id == seal)).first()
    if found is None:
        return f"没有印章 {seal}"
    if found.retired_on is not None:
        return f"印章 {seal} 已于 {found.retired_on} 停用"
    if found.keeper != officer.staff_no:
        return f"印章由 {found.keeper} 保管，{officer.staff_no} 不能使用"
    if case is None:
        return "没有这件办件"
    if case.holder != work.me:
        holder = work.know.roster.get(case.holder)
        return f"本件由{holder.name if holder else case.holder}承办，不能用本单位的印章"
    fits, why = WHEN[found.kind]
    return "" if fits(case) else f"{why}，不能使用{found.kind}"


def _custody(work: Work, seal: str, giver: str, taker: str, witness: str, why: str) -> None:
    row = {"seal": seal, "giver": giver, "taker": taker, "witness": witness, "why": why, "at": work.now}
    insert_all(work.session, CustodyRow, [row])


def _need(work: Work, seal: str) -> Row[Any]:
    table = table_of(SealRow)
    found = work.session.execute(select(table).where(table.c.id == seal)).first()
    if found is None or found.retired_on is not None:
        raise NotFound(f"没有在用的印章 {seal}")
    return found
