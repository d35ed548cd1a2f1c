"""Looking at full-course agency: projects and their cases."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select
from sqlmodel import Session

from node.agency.model import ProjectCaseRow, ProjectRow
from node.db import table_of
from node.errors import NotFound


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
