"""二人制: what takes two persons is written down by the first and done by the second.

One rule: the first can only propose, and whoever approves is somebody else, logged in as himself. What is then said
or signed names both. A capability tells in `Capability.seconds` what its kinds of proposals are (`Second`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Row, func, select, update
from sqlmodel import Field, Session, SQLModel

from node.accounts.officer import Officer
from node.db import Instant, insert_all, table_of
from node.errors import BadForm, Conflict, Forbidden, NodeError, NotFound
from node.ids import uuid7
from node.work import Work

Asked = Callable[[Work, Officer, Row[Any]], object]
"""Something done about a proposal by an officer who did not make it."""


@dataclass(frozen=True, slots=True)
class Second:
    """What the second person needs to know of one kind of proposals, and what his word does."""

    name: str
    """授权, 印章交接, 延期 …"""
    approve: Asked
    told: Callable[[Work, Mapping[str, Any]], Sequence[tuple[str, str]]]
    """What is proposed, as (label, words), from the proposal's content."""
    admits: Asked
    """Raises, with the reason, for an officer who could not approve it."""

    def refusal(self, work: Work, officer: Officer, row: Row[Any]) -> str:
        """Why this officer cannot approve the proposal; "" if he can."""
        if row.by == officer.staff_no:
            return "您本人提出的，须由另一人批准"
        try:
            self.admits(work, officer, row)
        except NodeError as wrong:
            return wrong.detail
        return ""


OWN = "须由另一人批准，不能自己批准自己提出的申请"


class ProposalRow(SQLModel, table=True):
    """One act that waits for its second person, or what became of it."""

    __tablename__ = "proposals"
    id: str = Field(primary_key=True, max_length=36)
    kind: str = Field(max_length=40)
    """The step or message it would make."""
    no: str = Field(default="", max_length=60, index=True)
    """The case, or what else it is about."""
    content: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    by: str = Field(max_length=40)
    by_name: str = Field(default="", max_length=40)
    at: datetime = Field(sa_column=Column(Instant, nullable=False))
    outcome: str = Field(default="", max_length=8)
    """done, refused, withdrawn, or "" while it waits."""
    closed_by: str = Field(default="", max_length=40)
    closed_at: datetime | None = Field(default=None, sa_column=Column(Instant))
    why: str = Field(default="", max_length=500)


def propose(work: Work, officer: Officer, kind: str, no: str, content: dict[str, Any]) -> str:
    """The id of a new proposal; Conflict if the same is waiting already."""
    table = table_of(ProposalRow).c
    same = select(table.id).where(table.kind == kind, table.no == no, table.outcome == "")
    if no and work.session.execute(same).first():
        raise Conflict("同样的申请已提交，正待另一人批准")
    row = {
        "id": str(uuid7(work.now)),
        "kind": kind,
        "no": no,
        "content": content,
        "by": officer.staff_no,
        "by_name": officer.name,
        "at": work.now,
        "outcome": "",
        "closed_by": "",
        "closed_at": None,
        "why": "",
    }
    insert_all(work.session, ProposalRow, [row])
    return str(row["id"])


def open_one(work: Work, id: str) -> Row[Any]:  # noqa: A002
    """A proposal that still waits; NotFound or Conflict, naming who was first, otherwise."""
    table = table_of(ProposalRow)
    row = work.session.execute(select(table).where(table.c.id == id)).first()
    if row is None:
        raise NotFound("没有这项待批的申请")
    if row.outcome:
        raise Conflict(f"已由 {row.closed_by} 处理")
    return row


def second(work: Work, officer: Officer, id: str) -> Row[Any]:  # noqa: A002
    """The proposal, now closed as done by its second person; the caller does what it says in the same transaction.

    Forbidden to the person who made it.
    """
    row = open_one(work, id)
    if row.by == officer.staff_no:
        raise Forbidden(OWN)
    _close(work, officer, row.id, "done", "")
    return row


def refuse(work: Work, officer: Officer, id: str, why: str) -> None:  # noqa: A002
    """Not approved, with the reason; or taken back by whoever made it."""
    row = open_one(work, id)
    if not why.strip():
        raise BadForm(why="请写明理由")
    _close(work, officer, row.id, "withdrawn" if row.by == officer.staff_no else "refused", why.strip())


def _close(work: Work, officer: Officer, id: str, outcome: str, why: str) -> None:  # noqa: A002
    table = table_of(ProposalRow)
    work.session.execute(
        update(table)
        .where(table.c.id == id)
        .values(outcome=outcome, closed_by=officer.staff_no, closed_at=work.now, why=why[:500])
    )


def waiting(session: Session, no: str = "") -> Sequence[Row[Any]]:
    """Proposals that wait, the oldest first; of one case, or all."""
    table = table_of(ProposalRow)
    query = select(table).where(table.c.outcome == "").order_by(table.c.at, table.c.id)
    return session.execute(query.where(table.c.no == no) if no else query.limit(200)).all()


def of_case(session: Session, no: str) -> Sequence[Row[Any]]:
    """Every proposal about a case, and what became of it."""
    table = table_of(ProposalRow)
    return session.execute(select(table).where(table.c.no == no).order_by(table.c.at, table.c.id)).all()


def latest(session: Session, *, over: bool = False, limit: int = 100) -> Sequence[Row[Any]]:
    """Proposals that wait, or with `over` those that were answered; the newest first."""
    table = table_of(ProposalRow)
    ended = table.c.outcome != "" if over else table.c.outcome == ""
    at = table.c.closed_at if over else table.c.at
    return session.execute(select(table).where(ended).order_by(at.desc(), table.c.id).limit(limit)).all()


def counts(session: Session, officer: Officer) -> dict[str, int]:
    """How many proposals of others wait: what the navigation shows beside 待批."""
    table = table_of(ProposalRow)
    query = select(func.count()).where(table.c.outcome == "", table.c.by != officer.staff_no)
    return {"proposals": session.execute(query).scalar() or 0}
