"""The register of documents: which number was given to which document of which case, and how often it was printed.

A case may have several of one kind, one after the other: two suspensions, two bills, two joint handlings.

What a document says is not stored: it is drawn each time from the signed steps, so it can never say anything else.
"""

from datetime import date, datetime

from sqlalchemy import Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from node.db import Instant


class DocumentIssueRow(SQLModel, table=True):
    """One document of a case: its number, and its prints; from the second on a print is marked 补打."""

    __tablename__ = "document_issues"
    case_no: str = Field(primary_key=True, max_length=50)
    kind: str = Field(primary_key=True, max_length=8)
    occasion: int = Field(primary_key=True)
    """Which of the case's documents of this kind, see `Kind.occasion`."""
    number: str = Field(max_length=60)
    year: int
    serial: int | None
    """None where the number came with an act."""
    made_on: date
    made_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    by: str = Field(max_length=40)
    prints: int = 0
    printed_at: datetime | None = Field(default=None, sa_column=Column(Instant))

    __table_args__ = (UniqueConstraint("kind", "year", "serial", name="uq_document_issues_serial"),)
