"""What a node keeps of the exchange: events, statements, the outbox, channels and the quarantine.

Events stand once, under (sender, epoch, number), so that rows arrive in key order; own events are numbered by
the node's own counter, others' by their sequence in the channel to us.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, Index, LargeBinary
from sqlmodel import Field, SQLModel

from node.db import Instant, partial_index, table_of


class EventState(StrEnum):
    """Where an event stands here."""

    MINE = "mine"
    APPLIED = "applied"
    WAITING = "waiting"
    """Genuine, but an earlier step or a newer catalogue must come first."""
    QUARANTINED = "quarantined"


class OutState(StrEnum):
    """How far an act got on its way to one reader (zero silent failure)."""

    STORED = "stored"
    SENT = "sent"
    RECEIVED = "received"
    """At the reader, waiting in its lane."""
    APPLIED = "applied"
    QUARANTINED = "quarantined"


class MetaRow(SQLModel, table=True):
    """Small facts of this database: its epoch, counters, the edition in force."""

    __tablename__ = "meta"
    key: str = Field(primary_key=True, max_length=64)
    value: str


class EventRow(SQLModel, table=True):
    """An event as it was said, and where it stands here."""

    __tablename__ = "events"
    frm: str = Field(primary_key=True, max_length=12)
    ep: str = Field(primary_key=True, max_length=64)
    ord: int = Field(primary_key=True)
    hash: str = Field(max_length=64)
    kind: str = Field(max_length=64)
    case_no: str | None = Field(default=None, max_length=50)
    n: int | None = None
    cat: int = 0
    statement: str = Field(default="", max_length=64)
    """Hash of the statement that signs it; "" for an own event not signed yet."""
    state: str = Field(max_length=12)
    rule: str = Field(default="", max_length=16)
    reason: str = ""
    raw: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    at: datetime = Field(sa_column=Column(Instant, nullable=False))
    """When it was stored here, by this node's clock."""

    __table_args__ = (
        partial_index("events_case", "case_no", "n", where="case_no IS NOT NULL"),
        partial_index("events_aside", "state", "case_no", where="state IN ('waiting', 'quarantined')"),
        partial_index("events_unsigned", "ord", where="statement = ''"),
    )


COUNTING = (EventState.MINE, EventState.APPLIED)
"""The states of events that count here, our own and others'."""
AS_THEY_CAME = tuple(table_of(EventRow).c[name] for name in ("at", "frm", "ep", "ord"))
"""A total order of events: as they were stored here, those of one moment as each sender said them.

A batch has one moment, and an action may say several things: without the rest PostgreSQL picks an order of its own.
"""


class StatementRow(SQLModel, table=True):
    """A statement line, kept whole: it proves its events."""

    __tablename__ = "statements"
    hash: str = Field(primary_key=True, max_length=64)
    line: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class CertificateRow(SQLModel, table=True):
    """An admitted certificate line, in the order of admission."""

    __tablename__ = "certificates"
    id: int | None = Field(default=None, primary_key=True)
    fingerprint: str = Field(max_length=64, unique=True)
    place: str = Field(max_length=12)
    line: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class PeerRow(SQLModel, table=True):
    """What this node knows of another it sends to: the last number given, when it was last heard."""

    __tablename__ = "peers"
    place: str = Field(primary_key=True, max_length=12)
    last_seq: int = 0
    heard_at: datetime | None = Field(default=None, sa_column=Column(Instant))
    receipt_at: datetime | None = Field(default=None, sa_column=Column(Instant))
    receipt_iat: str = Field(default="", max_length=24)
    """When, by its own clock, it wrote the newest of its receipts heard here."""
    edition: int = 0
    """Catalogue edition it said it holds."""
    knows_us: bool = False
    """It has receipted our channel, so it has our certificate chain."""
    refusal: str = ""
    """What it last refused of ours as not genuine."""


class OutboxRow(SQLModel, table=True):
    """One act on its way to one reader."""

    __tablename__ = "outbox"
    place: str = Field(primary_key=True, max_length=12)
    ep: str = Field(primary_key=True, max_length=64)
    seq: int = Field(primary_key=True)
    ord: int
    """Number of the own event."""
    lane: str = Field(max_length=8)
    kind: str = Field(max_length=64)
    case_no: str | None = Field(default=None, max_length=50)
    state: str = Field(default=OutState.STORED, max_length=12)
    tries: int = 0
    next_try: datetime = Field(sa_column=Column(Instant, nullable=False))
    stored_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    sent_at: datetime | None = Field(default=None, sa_column=Column(Instant))
    done_at: datetime | None = Field(default=None, sa_column=Column(Instant))
    rule: str = Field(default="", max_length=16)
    reason: str = ""

    __table_args__ = (
        partial_index("outbox_due", "next_try", "ord", where="done_at IS NULL"),
        Index("outbox_case", "case_no"),
    )


class ChannelRow(SQLModel, table=True):
    """What has come from one sender in one epoch: everything up to `upto`, and the highest number seen."""

    __tablename__ = "channels"
    frm: str = Field(primary_key=True, max_length=12)
    ep: str = Field(primary_key=True, max_length=64)
    upto: int = 0
    highest: int = 0
    changes: int = 0
    """What the last receipt did not tell yet."""
    last_at: datetime | None = Field(default=None, sa_column=Column(Instant))


class QuarantineRow(SQLModel, table=True):
    """隔离区: bytes that cannot be believed, with the rule they broke. Nothing is ever thrown away silently."""

    __tablename__ = "quarantine"
    sha: str = Field(primary_key=True, max_length=64)
    source: str = Field(default="", max_length=12)
    """Whom the transport named as sender; not proved."""
    subject: str = ""
    rule: str = Field(max_length=16)
    reason: str
    raw: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    times: int = 1
    first_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    last_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    told: bool = False
    """The named sender has been sent the reason."""
