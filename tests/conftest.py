"""Fixtures that every folder of tests may use."""

from tests.databases import (
    database,
    database_url,
    empty_url,
    postgres,
    postgres_template,
    sqlite_database,
    sqlite_template,
    workers,
)

__all__ = [
    "database",
    "database_url",
    "empty_url",
    "postgres",
    "postgres_template",
    "sqlite_database",
    "sqlite_template",
    "workers",
]
