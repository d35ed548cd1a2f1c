"""Writing many rows at once, the same on SQLite and PostgreSQL, and the column type for instants.

One rule: rows given together have the same keys, and name every column that has no default in the
database; defaults of the Python class are not applied.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import DateTime, Dialect, Enum, Index, String, Table, TypeDecorator, text
from sqlalchemy.types import TypeEngine
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


def partial_index(name: str, *columns: str, where: str) -> Index:
    """An index of the rows for which the condition `where` holds.

    It is said for SQLite here and for PostgreSQL in `node.schema`: to say it for both would load both dialects.
    """
    return Index(name, *columns, sqlite_where=text(where))


def insert_all(session: Session, table: type[SQLModel] | Table, rows: Rows) -> None:
    """Insert `rows`; a broken unique key is an error."""
    _write(session, table, rows)


def insert_ignore(session: Session, table: type[SQLModel] | Table, rows: Rows) -> int:
    """Insert those of `rows` that break no unique key; how many were new."""
    return _write(session, table, rows, _Conflict())


def upsert(
    session: Session,
    table: type[SQLModel] | Table,
    rows: Rows,
    keys: Iterable[str],
    update: Iterable[str] = (),
    *,
    add: Iterable[str] = (),
) -> None:
    """Insert `rows`; where `keys` (a unique key) exist, set the columns `update` and add to the columns `add`.

    A key that comes twice counts as two rows, one after the other.
    """
    _write(session, table, rows, _Conflict(tuple(keys), tuple(update), tuple(add)))


@dataclass(frozen=True, slots=True)
class _Conflict:
    """What becomes of a row whose key exists: nothing, unless columns to set or to add to are named."""

    keys: tuple[str, ...] = ()
    update: tuple[str, ...] = ()
    add: tuple[str, ...] = ()

    def clause(self, table: str, quote: Callable[[str], str]) -> str:
        on = f" ({', '.join(map(quote, self.keys))})" if self.keys else ""
        changes = [f"{quote(name)} = excluded.{quote(name)}" for name in self.update]
        changes += [f"{quote(name)} = {table}.{quote(name)} + excluded.{quote(name)}" for name in self.add]
        return f" ON CONFLICT{on} DO " + (f"UPDATE SET {', '.join(changes)}" if changes else "NOTHING")

    def merged(self, rows: Rows) -> Rows:
        """`rows` with each key once, as if those that repeat it had come after."""
        found: dict[tuple[Any, ...], Mapping[str, Any]] = {}
        for row in rows:
            key = tuple(row[name] for name in self.keys)
            old = found.get(key)
            if old is None:
                found[key] = row
            else:
                sums = {name: old[name] + row[name] for name in self.add}
                found[key] = {**old, **{name: row[name] for name in self.update}, **sums}
        return list(found.values())


@dataclass(frozen=True, slots=True)
class _Plan:
    """The SQL for rows of one shape, and what turns each column's values into what the driver takes."""

    sql: str
    columns: tuple[tuple[str, Callable[[Any], Any] | None], ...]

    def values(self, rows: Rows) -> list[list[Any]]:
        """One list for each column."""
        return [
            [row[name] for row in rows] if turn is None else [turn(row[name]) for row in rows]
            for name, turn in self.columns
        ]


def _write(
    session: Session, table: type[SQLModel] | Table, rows: Rows, conflict: _Conflict | None = None
) -> int:
    """Write `rows` by the driver's quickest way; how many were inserted or changed."""
    if not rows:
        return 0
    connection = session.connection()
    plan = _plan(table_of(table), connection.dialect, tuple(rows[0]), conflict)
    if connection.dialect.name == "sqlite":
        values = plan.values(rows)
        return connection.exec_driver_sql(plan.sql, list(zip(*values, strict=True))).rowcount
    if conflict is not None and conflict.keys:
        rows = conflict.merged(rows)  # one statement may not touch a row twice
    return connection.exec_driver_sql(plan.sql, tuple(plan.values(rows))).rowcount


@lru_cache(maxsize=512)
def _plan(table: Table, dialect: Dialect, names: tuple[str, ...], conflict: _Conflict | None) -> _Plan:
    columns = [table.c[name] for name in names]
    quote = dialect.identifier_preparer.quote
    target = dialect.identifier_preparer.format_table(table)
    if dialect.name == "sqlite":
        source = f"VALUES ({', '.join('?' for _ in columns)})"
    else:
        # Arrays in binary: twice the rate of one statement a row, and six times that of one VALUES list.
        arrays = (f"%b::{_element(column.type, dialect)}[]" for column in columns)
        source = f"SELECT * FROM unnest({', '.join(arrays)})"  # noqa: S608 - names of our own columns
    sql = f"INSERT INTO {target} ({', '.join(quote(column.name) for column in columns)}) {source}"
    if conflict is not None:
        sql += conflict.clause(target, quote)
    turns = (column.type.dialect_impl(dialect).bind_processor(dialect) for column in columns)
    return _Plan(sql, tuple(zip(names, turns, strict=True)))


def _element(kind: TypeEngine[Any], dialect: Dialect) -> str:
    """The type of an array's elements; text without its length, because a cast would cut in silence."""
    plain = kind.impl_instance if isinstance(kind, TypeDecorator) else kind
    return "text" if isinstance(plain, String) and not isinstance(plain, Enum) else plain.compile(dialect)
