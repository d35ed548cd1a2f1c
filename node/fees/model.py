"""Rows of fees: everything said about bills, how each bill stands, and which bank lines were taken.

One rule: `fee_bills` is a fold of `fee_said`; only `standing.py` writes either. Money is whole 分.
"""

from datetime import date, datetime

from sqlalchemy import BigInteger, Column, Index
from sqlmodel import Field, SQLModel

from node.db import Instant


class FeeSaidRow(SQLModel, table=True):
    """One signed word about a bill, ours or another's."""

    __tablename__ = "fee_said"
    hash: str = Field(primary_key=True, max_length=64)
    no: str = Field(max_length=50)
    bill: str = Field(max_length=60)
    kind: str = Field(max_length=20)
    frm: str = Field(max_length=12)
    edition: int
    """Of the catalogue it was said under."""
    doc: str
    """The body as JSON."""
    verdict: str = Field(default="", max_length=8)
    """counts, refused, or "" while something is missing here to judge it."""
    why: str = Field(default="", max_length=500)
    at: datetime = Field(sa_column=Column(Instant, nullable=False))

    __table_args__ = (Index("fee_said_case", "no", "verdict"), Index("fee_said_bill", "bill"))


class BillRow(SQLModel, table=True):
    """A bill that counts, and how it stands."""

    __tablename__ = "fee_bills"
    bill: str = Field(primary_key=True, max_length=60)
    no: str = Field(max_length=50, index=True)
    item: str = Field(max_length=50)
    name: str = Field(max_length=500)
    place: str = Field(max_length=12)
    """Whose bill it is."""
    issuer: str = Field(max_length=40)
    full_fen: int = Field(sa_column=Column(BigInteger, nullable=False))
    amount_fen: int = Field(sa_column=Column(BigInteger, nullable=False))
    billed_on: date
    state: str = Field(max_length=8)
    at: datetime = Field(sa_column=Column(Instant, nullable=False))

    __table_args__ = (Index("fee_bills_state", "state", "billed_on"),)


class BankLineRow(SQLModel, table=True):
    """A line of a bank statement that was taken, so that it is taken once."""

    __tablename__ = "fee_bank_lines"
    adapter: str = Field(primary_key=True, max_length=40)
    reference: str = Field(primary_key=True, max_length=100)
    stage: str = Field(primary_key=True, max_length=8)
    bill: str = Field(max_length=60)
    amount_fen: int = Field(sa_column=Column(BigInteger, nullable=False))
    on: date
    by: str = Field(max_length=40)
    at: datetime = Field(sa_column=Column(Instant, nullable=False))
