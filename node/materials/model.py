"""What a node keeps about materials; the bytes are in `store.py`, the keys only in sealed parts.

One rule: nothing here opens a material. What must wait with a key (a draft's file) waits sealed to this node.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field, SQLModel

from node.db import Instant, partial_index


class UploadState(StrEnum):
    """How far a file of a draft is."""

    COMING = "coming"
    """Bytes are still to come from the browser."""
    CHECKING = "checking"
    REFUSED = "refused"
    READY = "ready"
    FILED = "filed"
    """It went out with a case."""


class BlobState(StrEnum):
    """Whether a blob is here."""

    HERE = "here"
    COMING = "coming"
    GONE = "gone"
    """Deleted when its time was over; the row stays as a tombstone."""


class UploadRow(SQLModel, table=True):
    """One file of a draft (暂存材料), for one material of the checklist."""

    __tablename__ = "uploads"
    id: str = Field(primary_key=True, max_length=32)
    officer: str = Field(max_length=40)
    """工号: nobody else sees or files it."""
    draft: str = Field(max_length=64)
    """The draft it belongs to, or the number of a case that is being supplemented."""
    token: str = Field(max_length=64)
    """The browser's own name for it: a repeated request finds the same row."""
    material: str = Field(max_length=500)
    name: str = Field(max_length=100)
    size: int
    """Bytes the browser said it has."""
    state: str = Field(max_length=10)
    reason: str = ""
    sha256: str = Field(default="", max_length=64)
    kind: str = Field(default="", max_length=32)
    blob_size: int = 0
    pages: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """Of a PDF."""
    sealed: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    """The key, sealed to this node; gone when it is filed."""
    source: str = Field(default="", max_length=50)
    """Case from which it is used again, with the applicant's consent; "" for a new one."""
    consent: str = Field(default="", max_length=200)
    applicant: str = Field(default="", max_length=64)
    """Mark of the applicant it may be used for; "" for anyone the draft is about."""
    created_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    changed_at: datetime = Field(sa_column=Column(Instant, nullable=False))

    __table_args__ = (
        Index("uploads_token", "officer", "token", unique=True),
        Index("uploads_draft", "officer", "draft"),
        Index("uploads_sha", "sha256"),
    )


class BlobRow(SQLModel, table=True):
    """One blob this node has, wants or had."""

    __tablename__ = "blobs"
    sha256: str = Field(primary_key=True, max_length=64)
    size: int
    state: str = Field(max_length=8)
    at: datetime = Field(sa_column=Column(Instant, nullable=False))
    """When it was first heard of, came, or was deleted."""
    why: str = Field(default="", max_length=200)
    """For a tombstone: the rule under which it was deleted."""

    __table_args__ = (partial_index("blobs_coming", "at", where="state = 'coming'"),)


class CaseFileRow(SQLModel, table=True):
    """One file of a case that this node may open."""

    __tablename__ = "case_files"
    no: str = Field(primary_key=True, max_length=50)
    sha256: str = Field(primary_key=True, max_length=64, index=True)
    material: str = Field(primary_key=True, max_length=500)
    kind: str = Field(max_length=32)
    applicant: str = Field(default="", max_length=64, index=True)
    """Keyed hash of the applicant's number: finds what may be used again, tells nothing to who has not the key."""
    identity: bool = False
    """A picture of an identity paper: deleted sooner."""
    on: date


class NotedCaseRow(SQLModel, table=True):
    """A case whose sealed parts name files that are not listed in `case_files` yet."""

    __tablename__ = "noted_cases"
    no: str = Field(primary_key=True, max_length=50)


class SentFileRow(SQLModel, table=True):
    """One file that an act of ours gave to a party, and whether that party has said that it has the whole of it."""

    __tablename__ = "sent_files"
    place: str = Field(primary_key=True, max_length=12)
    sha256: str = Field(primary_key=True, max_length=64)
    ep: str = Field(primary_key=True, max_length=64)
    ord: int = Field(primary_key=True)
    """With `ep`, the act."""
    no: str = Field(max_length=50, index=True)
    asked_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    """When the act was listed, or the party was last asked whether it has the file."""
    reached_at: datetime | None = Field(default=None, sa_column=Column(Instant))
    """When its signed word came; None until then."""

    __table_args__ = (
        Index("sent_files_act", "ep", "ord"),
        partial_index("sent_files_on_the_way", "ord", where="reached_at IS NULL"),
    )


class WantedRow(SQLModel, table=True):
    """A blob that a place said, in a file carried by hand (摆渡), it still lacks: the next file to it brings it."""

    __tablename__ = "wanted_blobs"
    place: str = Field(primary_key=True, max_length=12)
    sha256: str = Field(primary_key=True, max_length=64)
    no: str = Field(max_length=50)
    """The case by which it may have it."""
    at: int
    """The first byte it lacks."""
    said_at: datetime = Field(sa_column=Column(Instant, nullable=False))
