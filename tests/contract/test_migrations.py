"""The tables of a database are the same whichever way it came to have them, and match the code."""

import shutil
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Connection, inspect, text

from node import schema
from node.db import Database
from tests.databases import Databases

pytestmark = pytest.mark.every_database


def shape(connection: Connection) -> dict[str, object]:
    """All that makes the schema: tables, keys, indexes, triggers; order of definition left out."""
    look = inspect(connection)
    found: dict[str, object] = {}
    for table in look.get_table_names():
        found[table] = {
            "columns": {
                c["name"]: (str(c["type"]), c["nullable"], c["default"]) for c in look.get_columns(table)
            },
            "key": look.get_pk_constraint(table)["constrained_columns"],
            "foreign": sorted(
                (k["name"] or "", str(k["constrained_columns"]), k["referred_table"])
                for k in look.get_foreign_keys(table)
            ),
            "unique": sorted(
                (k["name"] or "", str(k["column_names"])) for k in look.get_unique_constraints(table)
            ),
            "checks": sorted(str(k["sqltext"]) for k in look.get_check_constraints(table)),
        }
    if connection.dialect.name == "sqlite":
        query = "SELECT name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL"
    else:
        query = (
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' "
            "UNION ALL SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"
        )
    found["rest"] = {name: " ".join(sql.split()) for name, sql in connection.execute(text(query))}
    return found


def migrated(database: Database, package: str = "node") -> None:
    with database.reshape() as connection:
        command.upgrade(schema.config_of(package, connection), "head")


def test_migrations_give_what_the_tables_say(empty_url: str) -> None:
    with Database(empty_url) as database:
        migrated(database)
        with database.reshape() as connection:
            command.check(schema.config_of("node", connection))


def test_a_new_database_is_the_same_as_a_migrated_one(empty_url: str, databases: Databases) -> None:
    fresh_url = databases.empty()
    with Database(empty_url) as other, Database(fresh_url) as database:
        migrated(other)
        database.upgrade()
        with database.reshape() as new, other.reshape() as old:
            assert shape(new) == shape(old)
            assert (
                schema.revision_of(new, "node") == schema.revision_of(old, "node") == schema.head_of("node")
            )
    databases.drop(fresh_url)


def test_migrations_go_back_to_nothing(empty_url: str) -> None:
    with Database(empty_url) as database:
        migrated(database)
        with database.reshape() as connection:
            command.downgrade(schema.config_of("node", connection), "base")
            assert inspect(connection).get_table_names() == [schema.version_table("node")]
        migrated(database)


def test_upgrade_may_be_repeated_and_mends_an_older_database(empty_url: str) -> None:
    with Database(empty_url) as database:
        migrated(database)
        with database.reshape() as connection:
            command.downgrade(schema.config_of("node", connection), "-1")
        for _ in range(2):
            database.upgrade()
        assert database.read(
            lambda session: schema.revision_of(session.connection(), "node")
        ) == schema.head_of("node")


def test_a_migration_that_leaves_orphans_is_undone(tmp_path: Path, sqlite_template: Path) -> None:
    shutil.copy(sqlite_template, tmp_path / "node.db")
    orphan = (
        "INSERT INTO login_sessions (token_hash, user_id, created, seen, expires, csrf, address) "
        "VALUES ('x', 7, '2026', '2026', '2026', '', '')"
    )
    with Database(f"sqlite:///{tmp_path / 'node.db'}") as database:
        with pytest.raises(RuntimeError, match="refer to nothing"), database.reshape() as connection:
            connection.exec_driver_sql(orphan)
        assert database.read(lambda session: session.scalar(text("SELECT count(*) FROM login_sessions"))) == 0
