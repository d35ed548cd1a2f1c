"""Writing many rows at once, the same on SQLite and PostgreSQL, and the column type for instants.

One rule: rows given together have the same keys, and values are what the columns store; Python-side
column defaults apply only to columns left out of every row.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import DateTime, Dialect, Table, TypeDecorator
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel

Rows = Sequence[Mapping[str, Any]]


class Instant(TypeDecorator[datetime]):
    """A moment: aware on the Python side, UTC in the database; a naive datetime is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"时间必须带时区：{value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def table_of(table: type[SQLModel] | Table) -> Table:
    """The Core table of a SQLModel class, or the table itself."""
    return table if isinstance(table, Table) else cast("Table", table.__table__)  # type: ignore[attr-defined]


def upsert(
    session: Session,
    table: type[SQLModel] | Table,
    rows: Rows,
    keys: Iterable[str],
    update: Iterable[str],
) -> None:
    """Insert `rows`; where `keys` (a unique key or the primary key) exist, set the columns `update`."""
    if not rows:
        return
    core = table_of(table)
    insert = (sqlite if session.get_bind().dialect.name == "sqlite" else postgresql).insert(core)
    statement = insert.on_conflict_do_update(
        index_elements=list(keys), set_={name: insert.excluded[name] for name in update}
    )
    session.connection().execute(statement, cast("list[dict[str, Any]]", rows))


def insert_ignore(session: Session, table: type[SQLModel] | Table, rows: Rows) -> int:
    """Insert those of `rows` that break no unique key; how many were new."""
    if not rows:
        return 0
    core = table_of(table)
    insert = (sqlite if session.get_bind().dialect.name == "sqlite" else postgresql).insert(core)
    result = session.connection().execute(insert.on_conflict_do_nothing(), cast("list[dict[str, Any]]", rows))
    return result.rowcount
