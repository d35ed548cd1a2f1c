"""Who stands at which post on a day. A function of posts and leaves: nobody has to hand anything over."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlmodel import Session

from node.db import table_of
from node.posts.model import LeaveRow, PostRow


@dataclass(frozen=True, slots=True)
class Stand:
    """One post on one day."""

    id: int
    name: str
    items: tuple[str, ...]
    """Empty: whatever no other post handles."""
    a: str
    b: str
    since: date
    until: date
    person: str
    """Who stands there; "" when both are away."""
    back: date | None = None
    """The last day on which A is away; None while A stands there himself."""

    @property
    def stands(self) -> str:
        """A角, B角 or 无人在岗."""
        return "无人在岗" if not self.person else "A角" if self.person == self.a else "B角"


def stands(session: Session, on: date) -> tuple[Stand, ...]:
    """Every post of that day, by name."""
    table, away = table_of(PostRow).c, leaves(session, on)
    rows = session.execute(
        select(table_of(PostRow)).where(table.since <= on, table.until >= on).order_by(table.name, table.id)
    )
    return tuple(
        Stand(
            row.id, row.name, tuple(row.items), row.a, row.b, row.since, row.until,
            next((one for one in (row.a, row.b) if one not in away), ""), away.get(row.a),
        )
        for row in rows
    )  # fmt: skip


def leaves(session: Session, on: date) -> Mapping[str, date]:
    """Who is away on that day, and until when."""
    table = table_of(LeaveRow).c
    query = select(table.person, table.until).where(table.since <= on, table.until >= on)
    return {row.person: row.until for row in session.execute(query.order_by(table.until))}


def stand_for(found: Iterable[Stand], item: str) -> Stand | None:
    """The post that handles an item: the one that names it, else the one for all others; None without either."""
    every = list(found)
    named = next((one for one in every if item in one.items), None)
    return named or next((one for one in every if not one.items), None)


def posts_from(session: Session, on: date) -> Sequence[PostRow]:
    """Posts of that day and of later ones."""
    table = table_of(PostRow).c
    query = select(PostRow).where(table.until >= on).order_by(table.name, table.since)
    return list(session.scalars(query))


def leaves_from(session: Session, on: date) -> Sequence[LeaveRow]:
    """Leaves of that day and of later ones."""
    table = table_of(LeaveRow).c
    return list(session.scalars(select(LeaveRow).where(table.until >= on).order_by(table.since, table.id)))
