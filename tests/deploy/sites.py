"""Provisioned sites on loopback: ports that are free, servers and nodes as operating-system processes."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path

from click.testing import CliRunner

from hub.provision_cli import provision
from hub.server import find_server

COMMAND = Path(sys.executable).with_name("liandong")
PATIENCE_S = 180.0
"""A machine may be busy with a hundred other things; nothing here is waited for longer than it takes."""


def free_ports(count: int) -> list[int]:
    """So many ports nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def provisioned(divisions: str, out: Path, network: str = "") -> Path:
    """The output folder of `liandong provision` for this city, with this network.toml."""
    out.mkdir(exist_ok=True)
    if network:
        (out / "network.toml").write_text(network, encoding="utf-8")
    path = out.parent / f"{out.name}.csv"
    path.write_text(divisions, encoding="utf-8")
    found = CliRunner().invoke(provision, [str(path), "--out", str(out)], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return out


def embedded_hub(code: str, port: int, **more: object) -> str:
    """A section of network.toml: a hub on loopback whose server its node starts."""
    fields = {
        "embedded": True, "urls": [f"nats://127.0.0.1:{port}"], "listen": "127.0.0.1", "port": port, "monitor_port": -1,
        **more,
    }  # fmt: skip
    return f"[hubs.{code}]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in fields.items())


class Program:
    """One of our programs as a process of its own, its output in a file beside the site."""

    def __init__(self, command: Sequence[str | Path], log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                list(map(str, command)), stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def ended(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """kill -9, at once."""
        self._process.kill()
        self._process.wait()

    def stop(self, how: signal.Signals = signal.SIGTERM, patience_s: float = 20) -> int:
        """Ask it to end; its exit code."""
        if self._process.poll() is None:
            self._process.send_signal(how)
        try:
            return self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise


def node(site: Path) -> Program:
    """`liandong serve SITE`."""
    return Program([COMMAND, "-v", "serve", site], site.parent.parent / f"{site.name}.log")


def server(conf: Path) -> Program:
    """`nats-server -c CONF`, as the unit starts it."""
    return Program([find_server(), "-c", conf], conf.with_suffix(".log"))


def server_of(program: Program) -> int:
    """The process of the nats-server that a node embeds."""
    found = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(program.pid)], capture_output=True, text=True, check=True
    )
    return next(int(line.split()[0]) for line in found.stdout.splitlines() if "nats-server" in line)


def kill_process(pid: int) -> None:
    """kill -9 of a process we did not start ourselves, but whose parent we did."""
    os.kill(pid, signal.SIGKILL)


async def until(
    condition: Callable[[], bool | Awaitable[bool]], what: str, patience_s: float = PATIENCE_S
) -> None:
    """Look again and again until it holds; AssertionError that says what did not come."""
    try:
        async with asyncio.timeout(patience_s):
            while True:
                found = condition()
                if found if isinstance(found, bool) else await found:
                    return
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"not in {patience_s:g} s: {what}") from None


async def healthy(monitor_port: int) -> bool:
    """Whether a server says that its streams can be used."""

    def ask() -> bool:
        url = f"http://127.0.0.1:{monitor_port}/healthz?js-enabled-only=true"
        with suppress(OSError), urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
        return False

    return await asyncio.to_thread(ask)


def monitor_port(conf: Path) -> int:
    """The monitoring port in a server's configuration."""
    found = re.search(r'^http: "127\.0\.0\.1:(\d+)"', conf.read_text(), re.MULTILINE)
    assert found
    return int(found[1])
