"""Fixtures that every folder of tests may use."""

from tests.databases import (
    addresses,
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
    "addresses",
    "database",
    "database_url",
    "empty_url",
    "postgres",
    "postgres_template",
    "sqlite_database",
    "sqlite_template",
    "workers",
]
