"""Rows of joint handling: what is open, whose part it is, and everything that was said.

One rule: `joints` and `joint_parts` are folds of the case's chain and of `joint_said`; only `standing.py` writes them,
and whatever order things came in, they come out the same.
"""

from datetime import date, datetime

from sqlalchemy import Column, Index
from sqlmodel import Field, SQLModel

from node.db import Instant


class JointRow(SQLModel, table=True):
    """A joint handling that this node leads, assists in, or watches over."""

    __tablename__ = "joints"
    no: str = Field(primary_key=True, max_length=50)
    n: int = Field(primary_key=True)
    """The step of the case that opened it."""
    by: str = Field(max_length=12)
    """The lead's place."""
    item: str = Field(max_length=50)
    name: str = Field(max_length=100)
    batch: str = Field(default="", max_length=500)
    opened_on: date
    until: date
    closed_on: date | None = None
    ended: str = Field(default="", max_length=64)
    """Kind of the step that closed it, or that ended the case first; "" while it is open."""
    in_chain: bool
    """Heard with the case's own steps; else only from the lead's notice, by a place outside the case's line."""
    doc: str
    """`protocol.joint.Joint` as JSON."""
    at: datetime = Field(sa_column=Column(Instant, nullable=False))

    __table_args__ = (Index("joints_batch", "batch", "no"),)


class PartRow(SQLModel, table=True):
    """One part of a joint handling that an assist answers."""

    __tablename__ = "joint_parts"
    no: str = Field(primary_key=True, max_length=50)
    n: int = Field(primary_key=True)
    part: str = Field(primary_key=True, max_length=20)
    place: str = Field(max_length=12)
    department: str = Field(max_length=20)
    department_name: str = Field(max_length=100)
    name: str = Field(max_length=100)
    opened_on: date
    due: date
    handler: str = Field(default="", max_length=40)
    """Who was promised to answer."""
    by_day: date | None = None
    """And when."""
    opinion: str = Field(default="", max_length=12)
    """What the opinion that stands counts as; "" before there is one."""
    opinion_hash: str = Field(default="", max_length=64)
    answered_on: date | None = None
    absences: int = 0
    """Meetings and visits it was asked to and did not come to."""
    outcome: str = Field(default="", max_length=12)
    """How it ended, once the joint handling is closed."""
    person: str = Field(default="", max_length=40)
    late: bool = False
    over: bool = False
    """Nothing more is expected of it."""

    __table_args__ = (Index("joint_parts_desk", "place", "over", "department", "due"),)


class SaidRow(SQLModel, table=True):
    """One signed reply, minute or result, ours or another's; which of them count is found each time anew."""

    __tablename__ = "joint_said"
    hash: str = Field(primary_key=True, max_length=64)
    no: str = Field(max_length=50)
    n: int
    kind: str = Field(max_length=20)
    frm: str = Field(max_length=12)
    signed_on: date
    doc: str
    """The body as JSON."""
    at: datetime = Field(sa_column=Column(Instant, nullable=False))

    __table_args__ = (Index("joint_said_of", "no", "n"),)
