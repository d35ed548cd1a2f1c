"""Numbering and printing documents: a number is given once, per body, kind and year, and never again."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlmodel import Session

from node import audit
from node.accounts.officer import Officer
from node.cases.dossier import dossier, events_of
from node.cases.model import to_case
from node.cases.views import one as case_row
from node.db import table_of
from node.documents.kinds import KINDS, Content, Kind, Subject
from node.documents.model import DocumentIssueRow
from node.errors import NotFound
from node.work import Knowledge, Work


def subject_of(session: Session, know: Knowledge, no: str) -> Subject:
    """What the documents of a case are drawn from; NotFound if this node is no party to it."""
    case = to_case(case_row(session, no))
    private = dossier(session, know, no)
    if private is None:
        raise NotFound("本节点不是本件的办理方，不能出具文书")

    def name(code: str) -> str:
        place = know.roster.get(code) if code else None
        return place.name if place else code

    steps = {event.kind: event for event in events_of(session, no)}
    item = know.catalogue.get(case.item) if know.catalogue else None
    return Subject(case, item, private, steps, name)


def offered(subject: Subject) -> list[Kind]:
    """The documents that apply to the case as it stands."""
    return [
        kind
        for kind in KINDS.values()
        if any(step in subject.steps for step in kind.after) and kind.only(subject)
    ]


def content(subject: Subject, kind: Kind) -> Content:
    """What the sheet says."""
    return kind.draw(subject)


def issued(session: Session, no: str) -> dict[str, Row[Any]]:
    """The documents of a case that have a number, by kind."""
    table = table_of(DocumentIssueRow)
    return {row.kind: row for row in session.execute(select(table).where(table.c.case_no == no))}


def print_document(work: Work, officer: Officer, no: str, kind_id: str) -> int:
    """Give the document its number if it has none, count the print; how often it had been printed before.

    NotFound if the document does not apply to the case.
    """
    kind = KINDS.get(kind_id)
    subject = subject_of(work.session, work.know, no)
    if kind is None or kind not in offered(subject):
        raise NotFound("本件现在没有这份文书")
    table = table_of(DocumentIssueRow)
    known = issued(work.session, no).get(kind_id)
    if known is None:
        _register(work, officer, no, kind)
    before = known.prints if known else 0
    work.session.execute(
        update(table)
        .where(table.c.case_no == no, table.c.kind == kind_id)
        .values(prints=before + 1, printed_at=work.now)
    )
    audit.record(
        work.session, officer.login, "document.print", f"{no} {kind_id}", f"第 {before + 1} 次", now=work.now
    )
    return before


def _register(work: Work, officer: Officer, no: str, kind: Kind) -> None:
    table = table_of(DocumentIssueRow)
    year = work.today.year
    last = work.session.execute(
        select(func.max(table.c.serial)).where(table.c.kind == kind.id, table.c.year == year)
    ).scalar()
    serial = (last or 0) + 1
    work.session.execute(
        insert(table).values(
            case_no=no,
            kind=kind.id,
            number=number(work.know, kind, year, serial),
            year=year,
            serial=serial,
            made_on=work.today,
            made_at=work.now,
            by=officer.staff_no,
            prints=0,
        )
    )


def number(know: Knowledge, kind: Kind, year: int, serial: int) -> str:
    """地区简称 + 机关 + 文种字〔年〕顺序号: 平黄受字〔2025〕00012号."""
    line: Sequence[Any] = know.roster.line(know.place)
    short = "".join(place.name[0] for place in reversed(line[:2]))
    return f"{short}{kind.word}字〔{year}〕{serial:05d}号"


def lookup_code(first_hash: str) -> str:
    """查询码: six digits for the applicant, made from the filing's hash: the same wherever the slip is printed."""
    return f"{int(first_hash[:12], 16) % 1_000_000:06d}"
