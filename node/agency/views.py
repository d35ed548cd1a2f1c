"""Looking at agency: projects and their cases, and in which special way cases are served (服务方式)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, func, select
from sqlmodel import Session

from node.agency.model import ProjectCaseRow, ProjectRow
from node.cases.model import CaseRow
from node.db import table_of
from node.errors import NotFound
from node.exchange.model import AS_THEY_CAME, COUNTING, EventRow
from protocol.agency import Marked
from protocol.envelope import read_event


def projects(session: Session) -> Sequence[Row[Any]]:
    """Every project, the newest first."""
    table = table_of(ProjectRow)
    return session.execute(select(table).order_by(table.c.since.desc(), table.c.number).limit(500)).all()


def project(session: Session, number: str) -> Row[Any]:
    """One project; NotFound if there is none of that number."""
    table = table_of(ProjectRow)
    row = session.execute(select(table).where(table.c.number == number.strip())).first()
    if row is None:
        raise NotFound(f"没有项目 {number}")
    return row


def cases_of(session: Session, number: str) -> list[str]:
    """The numbers of a project's cases, in the order they joined."""
    table = table_of(ProjectCaseRow).c
    query = select(table.no).where(table.number == number).order_by(table.since, table.no)
    return list(session.execute(query).scalars())


def project_of(session: Session, no: str) -> Row[Any] | None:
    """The project that a case belongs to, if any."""
    project, case = table_of(ProjectRow), table_of(ProjectCaseRow).c
    query = (
        select(project).join(table_of(ProjectCaseRow), case.number == project.c.number).where(case.no == no)
    )
    return session.execute(query).first()


def rows_of(session: Session, number: str) -> Sequence[Row[Any]]:
    """The cases of a project as they stand: the nearest promised day first, without one last."""
    case, part = table_of(CaseRow), table_of(ProjectCaseRow).c
    query = select(case).join(table_of(ProjectCaseRow), part.no == case.c.no).where(part.number == number)
    return session.execute(
        query.order_by(
            case.c.closed_on.is_not(None), case.c.closed_on, case.c.due.is_(None), case.c.due, case.c.no
        )
    ).all()


def open_cases(session: Session, number: str) -> int:
    """How many cases of a project are not over yet."""
    return sum(row.closed_on is None for row in rows_of(session, number))


def case_counts(session: Session) -> Mapping[str, tuple[int, int]]:
    """(cases, of which closed) by project."""
    case, part = table_of(CaseRow).c, table_of(ProjectCaseRow).c
    query = (
        select(part.number, func.count(), func.count(case.closed_on))
        .join(table_of(CaseRow), case.no == part.no)
        .group_by(part.number)
    )
    return {number: (cases, closed) for number, cases, closed in session.execute(query)}


def marks_of(session: Session, numbers: Iterable[str]) -> Mapping[str, list[Marked]]:
    """The service marks of cases, by case, in the order they were noted; cases without any are left out."""
    event = table_of(EventRow).c
    query = (
        select(event.case_no, event.raw)
        .where(event.case_no.in_(list(numbers)), event.kind == "agency.marked")
        .where(event.state.in_(COUNTING))
        .order_by(*AS_THEY_CAME)
    )
    found: dict[str, list[Marked]] = {}
    for no, raw in session.execute(query):
        found.setdefault(no, []).append(Marked.model_validate(read_event(raw).body))
    return found
