"""The replica of a case as this node sees it: the fold of its steps, one row.

One rule: only `steps.py` writes these rows, so that the row always equals the fold.
"""

from dataclasses import fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, Row, text
from sqlmodel import Field, SQLModel

from node.db import Instant
from protocol.lifecycle import Case, State


class CaseRow(SQLModel, table=True):
    """`protocol.lifecycle.Case`, column by column, with what lists need beside it."""

    __tablename__ = "cases"
    no: str = Field(primary_key=True, max_length=50)
    item: str = Field(max_length=50)
    origin: str = Field(max_length=12)
    state: str = Field(max_length=16)
    n: int
    head: str = Field(max_length=64)
    holder: str = Field(max_length=12)
    speaker: str = Field(max_length=12)
    target: str = Field(max_length=12)
    resume: str = Field(max_length=16)
    edition: int
    filed_on: date
    materials: int
    agent: bool
    accepted_on: date | None = None
    due: date | None = None
    statutory_due: date | None = None
    provisional: bool
    two_person: bool
    corrections: int
    reviewer: str = Field(max_length=40)
    outcome: str = Field(max_length=8)
    decided_by: str = Field(max_length=40)
    decided_on: date | None = None
    closed_on: date | None = None
    delivered_on: date | None = None
    county: str = Field(max_length=12)
    """The origin's hub, for boards."""
    township: str = Field(max_length=12)
    """The origin's township, or the origin itself where the line has none."""
    changed_at: datetime = Field(sa_column=Column(Instant, nullable=False))

    __table_args__ = (
        Index("cases_speaker", "speaker", "state", "due", "no"),
        Index("cases_changed", "changed_at", "no"),
        Index("cases_origin", "origin", "state", "no"),
        Index(
            "cases_open",
            "due",
            "holder",
            sqlite_where=text("closed_on IS NULL"),
            postgresql_where=text("closed_on IS NULL"),
        ),
    )


class SubmissionRow(SQLModel, table=True):
    """提交 (补正, 撤回申请) for a case, until whoever has the turn answers it by a step."""

    __tablename__ = "submissions"
    hash: str = Field(primary_key=True, max_length=64)
    no: str = Field(max_length=50, index=True)
    kind: str = Field(max_length=64)
    frm: str = Field(max_length=12)
    on: date
    answered: str = Field(default="", max_length=64)
    """Kind of the step that answered it, or `too_late`."""
    at: datetime = Field(sa_column=Column(Instant, nullable=False))


class DraftRow(SQLModel, table=True):
    """暂存: a form being filled in; kept on every error until it is filed or thrown away."""

    __tablename__ = "drafts"
    id: str = Field(primary_key=True, max_length=36)
    officer: int = Field(index=True)
    item: str = Field(default="", max_length=50)
    content: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    changed_at: datetime = Field(sa_column=Column(Instant, nullable=False))


FOLD = tuple(one.name for one in fields(Case))


def to_case(row: Row[Any]) -> Case:
    """The fold in a row of `cases`."""
    values = {name: getattr(row, name) for name in FOLD}
    values["state"], values["resume"] = State(row.state), State(row.resume)
    return Case(**values)


def to_values(case: Case) -> dict[str, Any]:
    """The columns of the fold."""
    return {name: getattr(case, name) for name in FOLD}
