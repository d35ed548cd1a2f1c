"""The audit log (审计): who did what, when and why; append-only, each row carries the hash of the one before.

One rule: rows are only added, in the transaction of the act they tell of. The database refuses to change
or delete them; whoever gets around that breaks the chain, and whoever cuts off its end is found by the
head that the daily report carries away.

Reading personal data in the clear (查看并留痕) is an act too, with its reason.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import desc, insert, select
from sqlmodel import Field, Session, SQLModel

from node.rows import Instant, table_of

START = "0" * 64
"""What the first row carries as the hash before it."""


class AuditEntry(SQLModel, table=True):
    """One act. `n` counts from 1 without gaps; `hash` is the SHA-256 of everything else in the row."""

    __tablename__ = "audit_entries"

    n: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_type=Instant, index=True)
    who: str = Field(max_length=40, index=True)
    act: str = Field(max_length=40)
    what: str = Field(max_length=200, index=True)
    reason: str = Field(max_length=500)
    address: str = Field(max_length=45)
    before: str = Field(max_length=64)
    hash: str = Field(max_length=64)

    def digest(self) -> str:
        """The hash this row must carry."""
        at = self.at.astimezone(UTC).isoformat(timespec="microseconds")
        told = [self.n, at, self.who, self.act, self.what, self.reason, self.address, self.before]
        line = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(line.encode()).hexdigest()


APPEND_ONLY = {
    "sqlite": tuple(
        f"CREATE TRIGGER audit_entries_no_{verb} BEFORE {verb.upper()} ON audit_entries "
        "BEGIN SELECT RAISE(ABORT, 'audit_entries is append-only'); END"
        for verb in ("update", "delete")
    ),
    "postgresql": (
        (
            "CREATE OR REPLACE FUNCTION audit_entries_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'audit_entries is append-only'; END $$"
        ),
        (
            "CREATE TRIGGER audit_entries_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_entries_refuse()"
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What `verify_chain` found: rows read, hash of the last good one, and the first bad row if any."""

    rows: int
    head: str
    broken_at: int | None = None
    why: str = ""


def record(
    session: Session, who: str, act: str, what: str, reason: str = "", *, now: datetime, address: str = ""
) -> AuditEntry:
    """Add one row: `who` (login, `token:…` or `system`) did `act` (e.g. `login`, `view`) to `what`."""
    n, before = head(session)
    entry = AuditEntry(
        n=n + 1,
        at=now,
        who=who,
        act=act,
        what=what[:200],
        reason=reason[:500],
        address=address,
        before=before,
        hash="",
    )
    entry.hash = entry.digest()
    session.connection().execute(insert(table_of(AuditEntry)), entry.model_dump())
    return entry


def head(session: Session) -> tuple[int, str]:
    """Number and hash of the last row: what the daily report (日报) carries away."""
    table = table_of(AuditEntry)
    last = session.connection().execute(select(table.c.n, table.c.hash).order_by(desc(table.c.n)).limit(1))
    row = last.first()
    return (row.n, row.hash) if row else (0, START)


def verify_chain(session: Session, *, known: tuple[int, str] | None = None) -> ChainReport:
    """Whether every row is whole and follows the one before; `known` is a head that was carried away."""
    table = table_of(AuditEntry)
    before, rows = START, 0
    every = select(table).order_by(table.c.n).execution_options(yield_per=1000)
    with session.connection().execute(every) as found:
        for row in found.mappings():
            entry = AuditEntry(**row)
            why = _fault(entry, rows + 1, before)
            if not why and known and known[0] == entry.n and known[1] != entry.hash:
                why = "与已上报的摘要不符"
            if why:
                return ChainReport(rows, before, rows + 1, why)
            before, rows = entry.hash, rows + 1
    if known and known[0] > rows:
        return ChainReport(rows, before, rows + 1, f"末尾缺失：曾上报至第 {known[0]} 条")
    return ChainReport(rows, before)


def _fault(entry: AuditEntry, n: int, before: str) -> str:
    if entry.n != n:
        return f"缺少第 {n} 条"
    if entry.before != before:
        return "与前一条不衔接"
    if entry.hash != entry.digest():
        return "内容被改动"
    return ""
