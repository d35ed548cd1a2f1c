"""The audit log only grows, and whoever changes it is found."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from node import audit
from node.db import Database

pytestmark = pytest.mark.every_database
NOW = datetime(2026, 3, 2, 1, 0, 0, 5, tzinfo=UTC)


@pytest.fixture
def db(database: Database) -> Database:
    """Five lines."""

    def fill(session) -> None:
        for n in range(5):
            at = NOW + timedelta(minutes=n)
            audit.record(session, "li.na", "view", f"case:{n}", "核对身份", now=at, address="10.0.0.7")

    database.write_now(fill)
    return database


def tamper(db: Database, statement: str) -> None:
    """Change rows as one who owns the database file can: past the triggers."""
    with db.reshape() as connection:
        if db.dialect == "sqlite":
            for verb in ("update", "delete"):
                connection.exec_driver_sql(f"DROP TRIGGER audit_entries_no_{verb}")
        else:
            connection.exec_driver_sql("DROP TRIGGER audit_entries_no_change ON audit_entries")
        connection.exec_driver_sql(statement)


def test_an_untouched_log_is_whole(db: Database) -> None:
    report = db.read(audit.verify_chain)
    assert (report.rows, report.broken_at, report.why) == (5, None, "")
    assert db.read(audit.head) == (5, report.head)


def test_an_empty_log_is_whole(database: Database) -> None:
    assert database.read(audit.verify_chain) == audit.ChainReport(0, audit.START)


@pytest.mark.parametrize("statement", ["UPDATE audit_entries SET who = 'x'", "DELETE FROM audit_entries"])
def test_the_database_refuses_to_change_it(db: Database, statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        db.write_now(lambda session: session.execute(text(statement)) and None)
    assert db.read(audit.verify_chain).rows == 5


@pytest.mark.parametrize(
    ("statement", "broken_at", "why"),
    [
        ("UPDATE audit_entries SET who = 'wang' WHERE n = 3", 3, "改动"),
        ("UPDATE audit_entries SET reason = '' WHERE n = 1", 1, "改动"),
        ("DELETE FROM audit_entries WHERE n = 2", 2, "缺少"),
        ("UPDATE audit_entries SET hash = before WHERE n = 4", 4, "改动"),
    ],
)
def test_a_change_past_the_database_is_found(db: Database, statement: str, broken_at: int, why: str) -> None:
    tamper(db, statement)
    report = db.read(audit.verify_chain)
    assert report.broken_at == broken_at
    assert why in report.why


def test_a_cut_end_and_a_rewritten_log_are_found_by_a_head_carried_away(db: Database) -> None:
    known = db.read(audit.head)
    tamper(db, "DELETE FROM audit_entries WHERE n >= 4")
    assert db.read(audit.verify_chain).broken_at is None
    assert "末尾缺失" in db.read(lambda session: audit.verify_chain(session, known=known)).why
    for n in (4, 5):
        db.write_now(lambda session, n=n: audit.record(session, "x", "view", f"{n}", now=NOW) and None)
    assert "摘要不符" in db.read(lambda session: audit.verify_chain(session, known=known)).why


def test_a_refused_act_leaves_no_line(db: Database) -> None:
    def act(session) -> None:
        audit.record(session, "li.na", "view", "case:9", now=NOW)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        db.write_now(act)
    assert db.read(audit.head)[0] == 5


async def test_lines_written_at_once_stand_in_one_chain(db: Database) -> None:
    import asyncio

    await asyncio.gather(
        *(
            db.write(lambda session, n=n: audit.record(session, "li.na", "view", f"{n}", now=NOW) and None)
            for n in range(50)
        )
    )
    report = db.read(audit.verify_chain)
    assert (report.rows, report.broken_at) == (55, None)
