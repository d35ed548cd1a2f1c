"""The replica of a case as this node sees it: the fold of its steps, one row.

One rule: only `steps.py` writes these rows, so that the row always equals the fold.
"""

from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import JSON, Column, Index, Row
from sqlmodel import Field, SQLModel

from node.db import Instant, partial_index
from protocol.joint import Joint
from protocol.ledger import Owner, Stretch, ledger_document, read_ledger
from protocol.lifecycle import Case, State
from protocol.places import Code


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
    missing: str = "[]"
    agent: bool
    received_on: date | None = None
    notice_by: date | None = None
    reply_by: date | None = None
    accepted_on: date | None = None
    item_hash: str = Field(default="", max_length=64)
    mode: str = Field(default="", max_length=8)
    route: str = Field(default="", max_length=8)
    due: date | None = None
    statutory_due: date | None = None
    provisional: bool
    part_due: date | None = None
    calendar: str = Field(default="", max_length=100)
    clock: str = ""
    """The ledger document (时限账) as JSON; "" before acceptance."""
    hands: str = "[]"
    """Whose time it was since filing, as JSON."""
    pending: str = "[]"
    follow_up: date | None = None
    joint: str = ""
    """The last joint handling as JSON; "" before there was one."""
    two_person: bool
    corrections: int
    reviewer: str = Field(max_length=40)
    outcome: str = Field(max_length=8)
    decided_by: str = Field(max_length=40)
    decided_on: date | None = None
    deliver_by: date | None = None
    tell_by: date | None = None
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
        partial_index("cases_open", "due", "holder", where="closed_on IS NULL"),
    )


class SubmissionRow(SQLModel, table=True):
    """提交 (补正, 撤回申请) for a case, until whoever has the turn answers it by a step."""

    __tablename__ = "submissions"
    hash: str = Field(primary_key=True, max_length=64)
    no: str = Field(max_length=50, index=True)
    kind: str = Field(max_length=64)
    frm: str = Field(max_length=12)
    on: date
    materials: str = "[]"
    """Names of what was handed in, as JSON."""
    answered: str = Field(default="", max_length=64)
    """Kind of the step that answered it, or `too_late`."""
    at: datetime = Field(sa_column=Column(Instant, nullable=False))


class RecountRow(SQLModel, table=True):
    """重算: how a new calendar moved the days of an open case, the old beside the new."""

    __tablename__ = "recounts"
    no: str = Field(primary_key=True, max_length=50)
    calendar: str = Field(primary_key=True, max_length=100)
    """The new one."""
    before: str = Field(max_length=100)
    """The old one."""
    due: date
    due_before: date
    statutory_due: date | None = None
    statutory_before: date | None = None
    at: datetime = Field(sa_column=Column(Instant, nullable=False))


class FindingRow(SQLModel, table=True):
    """发现: something about a case that a rule of supervision speaks of, with its facts; kept once."""

    __tablename__ = "findings"
    rule: str = Field(primary_key=True, max_length=8)
    """AB01 to AB22."""
    no: str = Field(primary_key=True, max_length=50)
    """The case; or what else it is about."""
    about: str = Field(primary_key=True, max_length=100)
    """What tells this finding from another of the same rule and case."""
    place: str = Field(max_length=12)
    person: str = Field(default="", max_length=40)
    facts: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    on: date
    at: datetime = Field(sa_column=Column(Instant, nullable=False))

    __table_args__ = (Index("findings_at", "at"),)


class PrintRow(SQLModel, table=True):
    """指纹: whose case it is, keyed with this database's own secret: it finds a second case, and no person."""

    __tablename__ = "applicant_prints"
    no: str = Field(primary_key=True, max_length=50)
    print: str = Field(max_length=64, index=True)


class DraftRow(SQLModel, table=True):
    """暂存: a form being filled in; kept on every error until it is filed or thrown away."""

    __tablename__ = "drafts"
    id: str = Field(primary_key=True, max_length=36)
    officer: int = Field(index=True)
    item: str = Field(default="", max_length=50)
    content: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    changed_at: datetime = Field(sa_column=Column(Instant, nullable=False))


FOLD = Case._fields
_LISTS = ("missing", "pending")


def to_case(row: Row[Any]) -> Case:
    """The fold in a row of `cases`."""
    values = {name: getattr(row, name) for name in FOLD}
    values["state"], values["resume"] = State(row.state), State(row.resume)
    values["clock"] = read_ledger(orjson.loads(row.clock)) if row.clock else None
    values["hands"] = tuple(
        Stretch(Owner(owner), Code(place), datetime.fromisoformat(at))
        for owner, place, at in orjson.loads(row.hands)
    )
    values["joint"] = Joint.model_validate_json(row.joint) if row.joint else None
    for name in _LISTS:
        values[name] = tuple(orjson.loads(values[name]))
    return Case(**values)


def to_values(case: Case) -> dict[str, Any]:
    """The columns of the fold."""
    values = case._asdict()
    values["clock"] = _text(ledger_document(case.clock)) if case.clock else ""
    values["hands"] = _text([[one.owner, one.place, one.at.isoformat()] for one in case.hands])
    values["joint"] = case.joint.model_dump_json() if case.joint else ""
    for name in _LISTS:
        values[name] = _text(values[name])
    return values


def _text(value: object) -> str:
    return orjson.dumps(value).decode()
