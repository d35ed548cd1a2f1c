"""Fixtures that every folder of tests may use, and the kind of database that tests run on."""

import pytest

from tests.databases import (
    KINDS,
    database,
    database_url,
    databases,
    empty_url,
    postgres,
    postgres_template,
    sqlite_template,
    workers,
)

__all__ = [
    "database",
    "database_url",
    "databases",
    "empty_url",
    "postgres",
    "postgres_template",
    "sqlite_template",
    "workers",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database", choices=KINDS, default=KINDS[0], help="what the nodes of tests keep their rows in"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests run on the kind asked for; those marked `every_database`, on each."""
    if "databases" in metafunc.fixturenames and metafunc.definition.get_closest_marker("every_database"):
        metafunc.parametrize("databases", KINDS, indirect=True, scope="session")
