"""The cubes: marginal sums, the same for any order of delivery because each step adds what it says itself.

Measures are counts of steps by the step's own date; `early`, `ontime` and `late` count closings against the
promised day; `open and overdue` is never a counter, it is an index over the cases.
"""

from datetime import date, datetime

from sqlalchemy import JSON, BigInteger, Column
from sqlmodel import Field, SQLModel

from node.db import Instant

MEASURES = (
    "filed",
    "taken",
    "accepted",
    "not_accepted",
    "returned",
    "forwarded",
    "granted",
    "refused",
    "closed",
    "early",
    "ontime",
    "late",
    "withdrawn",
    "delivered",
)


class Measures(SQLModel):
    """One count per measure."""

    filed: int = 0
    taken: int = 0
    accepted: int = 0
    not_accepted: int = 0
    returned: int = 0
    forwarded: int = 0
    granted: int = 0
    refused: int = 0
    closed: int = 0
    early: int = 0
    ontime: int = 0
    late: int = 0
    withdrawn: int = 0
    delivered: int = 0


class DayPlaceRow(Measures, table=True):
    """By civil day and the place that acted."""

    __tablename__ = "tally_day_place"
    day: date = Field(primary_key=True)
    place: str = Field(primary_key=True, max_length=12)


class MonthItemRow(Measures, table=True):
    """By month, county and item."""

    __tablename__ = "tally_month_item"
    month: str = Field(primary_key=True, max_length=7)
    county: str = Field(primary_key=True, max_length=12)
    item: str = Field(primary_key=True, max_length=50)


class MonthTierRow(Measures, table=True):
    """By month, county and the tier that acted."""

    __tablename__ = "tally_month_tier"
    month: str = Field(primary_key=True, max_length=7)
    county: str = Field(primary_key=True, max_length=12)
    tier: int = Field(primary_key=True)


class DailyReportRow(SQLModel, table=True):
    """日报 as a node declared it; never overwritten by what we recompute."""

    __tablename__ = "daily_reports"
    place: str = Field(primary_key=True, max_length=12)
    day: date = Field(primary_key=True)
    edition: int = Field(sa_column=Column(BigInteger, nullable=False))
    events: int = Field(sa_column=Column(BigInteger, nullable=False))
    totals: dict[str, dict[str, int]] = Field(sa_column=Column(JSON, nullable=False))
    hash: str = Field(max_length=64)
    at: datetime = Field(sa_column=Column(Instant, nullable=False))
    """When it was declared, by the sender's clock."""
