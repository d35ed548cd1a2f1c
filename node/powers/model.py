"""Rows of powers: authorisations as they were signed, and the register of seals (用章登记)."""

from datetime import date, datetime

from sqlalchemy import Column, Index
from sqlmodel import Field, SQLModel

from node.db import Instant


class AuthorisationRow(SQLModel, table=True):
    """One version of an authorisation, ours or another place's; the highest version of an id counts."""

    __tablename__ = "authorisations"
    id: str = Field(primary_key=True, max_length=60)
    version: int = Field(primary_key=True)
    place: str = Field(max_length=12)
    person: str = Field(max_length=40)
    since: date
    until: date
    revoked_on: date | None = None
    signer: str = Field(max_length=12)
    doc: str
    """The signed body as JSON."""
    at: datetime = Field(sa_column=Column(Instant, nullable=False))

    __table_args__ = (Index("authorisations_person", "place", "person"),)


class SealRow(SQLModel, table=True):
    """A seal of this place: its kind, its version, and in whose custody it is."""

    __tablename__ = "seals"
    id: str = Field(primary_key=True, max_length=60)
    kind: str = Field(max_length=20)
    name: str = Field(max_length=100)
    version: int
    keeper: str = Field(max_length=40)
    since: date
    retired_on: date | None = None


class CustodyRow(SQLModel, table=True):
    """A change of custody (交接): from whom to whom, with a third person as witness."""

    __tablename__ = "seal_custody"
    id: int | None = Field(default=None, primary_key=True)
    seal: str = Field(max_length=60, index=True)
    giver: str = Field(default="", max_length=40)
    """"" for the first keeper."""
    taker: str = Field(max_length=40)
    witness: str = Field(max_length=40)
    why: str = Field(default="", max_length=500)
    at: datetime = Field(sa_column=Column(Instant, nullable=False))


class SealUseRow(SQLModel, table=True):
    """One use of a seal, or a use that was refused and why."""

    __tablename__ = "seal_uses"
    id: int | None = Field(default=None, primary_key=True)
    seal: str = Field(max_length=60, index=True)
    no: str = Field(max_length=50, index=True)
    """The case."""
    document: str = Field(max_length=100)
    copies: int
    person: str = Field(max_length=40)
    refused: str = Field(default="", max_length=500)
    at: datetime = Field(sa_column=Column(Instant, nullable=False))
