"""发现: what supervision will want to know of a case, noted where it is seen, once.

One rule: a finding accuses nobody and stops nothing; it is a row with its rule (AB01 to AB22, DOMAIN 8.3) and the
facts from which anybody can judge again. Cards are made from these rows elsewhere.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import Row, delete, select
from sqlmodel import Session

from node.cases.model import FindingRow
from node.db import insert_ignore, table_of
from node.work import Work, civil_date
from protocol import ledger as clock
from protocol.ledger import Clock, Light, Thresholds
from protocol.lifecycle import Case, Step
from protocol.messages import CaseAccepted, CaseFiled, Suspended
from protocol.modes import mode_of

Finding = dict[str, Any]

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "AB01": "超期", "AB02": "环节超时", "AB03": "违规补正", "AB04": "重复（多头）告知", "AB05": "两头受理",
        "AB06": "体外循环", "AB07": "明进暗不进", "AB08": "增设环节（材料）", "AB09": "违规收费", "AB10": "越权",
        "AB11": "应受理不受理", "AB12": "未说明理由", "AB13": "滥用特别程序", "AB14": "超时上报", "AB15": "超时反馈",
        "AB16": "延期不合规", "AB17": "虚报瞒报", "AB18": "用章异常", "AB19": "作废异常", "AB20": "办件清零异常",
        "AB21": "评价异常", "AB22": "代办违规",
    }
)  # fmt: skip
"""异常 by rule (DOMAIN 8.3)."""
REFUSED = {
    "case.returned": "AB03",
    "case.not_accepted": "AB11",
    "case.sent_back": "AB11",
    "case.extended": "AB16",
    "case.suspended": "AB13",
    "case.granted": "AB10",
    "case.refused": "AB10",
    "case.voided": "AB19",
}
"""What it means that another node tried a step which nobody may take so."""


def note(
    work: Work, rule: str, no: str, about: str, *, place: str, person: str = "", **facts: Any
) -> Finding:
    """The row of a finding; `keep` writes it."""
    return {
        "rule": rule,
        "no": no,
        "about": about[:100],
        "place": place,
        "person": person[:40],
        "facts": {name: str(value) for name, value in facts.items() if value not in (None, "")},
        "on": work.today,
        "at": work.now,
    }


def keep(work: Work, found: Sequence[Finding]) -> None:
    """Write findings that are not here yet."""
    insert_ignore(work.session, FindingRow, found)


def drop(work: Work, rule: str, no: str, about: str) -> None:
    """Take back a finding whose ground has fallen away: what came since shows that it never was one."""
    table = table_of(FindingRow)
    known = (table.c.rule == rule, table.c.no == no, table.c.about == about[:100])
    work.session.execute(delete(table).where(*known))


def of_case(session: Session, no: str) -> Sequence[Row[Any]]:
    """The findings about a case, the oldest first."""
    table = table_of(FindingRow)
    return session.execute(
        select(table).where(table.c.no == no).order_by(table.c.at, table.c.rule, table.c.about)
    ).all()


def latest(session: Session, rule: str = "", limit: int = 100) -> Sequence[Row[Any]]:
    """The newest findings here, of one rule or of all."""
    table = table_of(FindingRow)
    query = select(table).order_by(table.c.at.desc(), table.c.no, table.c.rule, table.c.about).limit(limit)
    return session.execute(query.where(table.c.rule == rule) if rule else query).all()


def seen(work: Work, before: Case | None, after: Case, step: Step) -> list[Finding]:
    """What one applied step shows, beside what it does."""
    found = []
    body, who = step.body, {"place": step.frm, "person": step.body.by}
    if isinstance(body, CaseFiled) and body.again:
        found.append(note(work, "AB05", step.no, "again", **who, item=body.item))
    if isinstance(body, CaseAccepted) and body.deemed:
        found.append(
            note(work, "AB03", step.no, "deemed", **who, accepted=body.on, notice_by=after.notice_by)
        )
    elif body.on != civil_date(step.at):
        found += _backdated(work, step)
    if before is not None and step.kind == "case.forwarded":
        found += _late_report(work, before, step)
    if isinstance(body, Suspended):
        found += _odd_suspension(work, after, step, body)
    return found


def _backdated(work: Work, step: Step) -> list[Finding]:
    calendar = work.know.catalogue.calendar if work.know.catalogue else None
    signed = civil_date(step.at)
    if calendar is None or calendar.between(step.body.on, signed) <= work.know.rules.backdated_workdays:
        return []
    return [
        note(
            work, "AB17", step.no, f"step {step.n}", place=step.frm, person=step.body.by, on=step.body.on,
            signed=signed,
        )
    ]  # fmt: skip


def _late_report(work: Work, case: Case, step: Step) -> list[Finding]:
    last = case.part_due
    if mode_of(case.mode).report_up is None or last is None or step.body.on <= last:
        return []
    return [
        note(
            work,
            "AB14",
            step.no,
            f"step {step.n}",
            place=step.frm,
            person=step.body.by,
            due=last,
            on=step.body.on,
        )
    ]


def _odd_suspension(work: Work, case: Case, step: Step, body: Suspended) -> list[Finding]:
    """More than one of a kind, or begun when hardly anything of the limit is left."""
    assert case.clock is not None
    who = {"place": step.frm, "person": body.by, "kind": body.special}
    found = []
    if sum(one.kind == body.special for one in case.clock.suspensions) > 1:
        found.append(note(work, "AB13", step.no, f"again {step.n}", **who))
    calendar = work.know.catalogue.calendar if work.know.catalogue else None
    if calendar is not None:
        running = clock.Ledger(case.clock.accepted, case.clock.promised, case.clock.statutory)
        near = Thresholds(notice_days=0, notice_percent=work.know.rules.special_notice_percent, short_days=0)
        if clock.light(running, calendar, body.on, Clock.SHOWN, near) is not Light.OK:
            found.append(note(work, "AB13", step.no, f"late {step.n}", **who, due=case.due))
    return found
