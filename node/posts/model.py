"""Rows of posts: each with its items and its two persons, and who is away when."""

from datetime import date

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel


class PostRow(SQLModel, table=True):
    """A post (岗位) for a time: person A stands there, person B takes over while A is away."""

    __tablename__ = "posts"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=100)
    """民政救助窗口."""
    items: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    """The items it handles; empty: whatever no other post does."""
    a: str = Field(max_length=40)
    b: str = Field(max_length=40)
    since: date
    until: date


class LeaveRow(SQLModel, table=True):
    """Days on which somebody is away (离岗)."""

    __tablename__ = "post_leaves"
    id: int | None = Field(default=None, primary_key=True)
    person: str = Field(max_length=40, index=True)
    since: date
    until: date
    why: str = Field(default="", max_length=200)
