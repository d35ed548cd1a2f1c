"""Fixtures that every folder of tests may use, and the kind of database that tests run on."""

import pytest

from tests.databases import (
    KINDS,
    database,
    database_url,
    databases,
    empty_url,
    kinds_of,
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
    """Tests run on the kind asked for; those that are marked, on others too or instead."""
    asked = metafunc.config.getoption("--database")
    kinds = kinds_of(metafunc.definition, asked)
    if "databases" in metafunc.fixturenames and kinds != (asked,):
        metafunc.parametrize("databases", kinds, indirect=True, scope="session")
