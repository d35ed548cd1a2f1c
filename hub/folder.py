"""The output folder of `liandong provision`: whose it is, and how files get into it.

One rule: a file is there whole or not at all, and a secret is never readable by others, not for a moment.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from node.config import ConfigError
from protocol.certificates import Certificate, KeyRing
from protocol.errors import ProtocolError
from protocol.places import Code

PREPARED = frozenset({"network.toml", "tls", "ports.json", "demo-password"})
"""What may lie in the folder before the first run."""


class ProvisionError(ConfigError):
    """What is in the output folder does not belong to this city, or cannot be read."""


def secret(path: Path, content: bytes) -> None:
    """Write a secret, for its owner alone (0600), so that it outlives a power cut."""
    _write(path, content, 0o600, lasting=True)


def plain(path: Path, content: bytes, *, lasting: bool = False) -> bool:
    """Write a file unless it is there with the same content; whether it changed.

    `lasting`: it cannot be made again, so it must outlive a power cut.
    """
    if path.exists() and path.read_bytes() == content:
        return False
    _write(path, content, 0o644, lasting=lasting)
    return True


def _write(path: Path, content: bytes, mode: int, *, lasting: bool) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        if lasting:
            file.flush()
            os.fsync(file.fileno())
    fresh.replace(path)


def check_folder(out: Path, city: Code) -> None:
    """ProvisionError unless `out` is empty, ours, or holds nothing but what an operator prepares for us."""
    anchor = out / "authority" / "root.cert"
    if anchor.exists():
        found = read_root(anchor)
        if found.place != city:
            raise ProvisionError(f"{out} 属于 {found.name}（{found.place}），不是 {city}：请另选输出目录")
    elif out.exists() and (strangers := [one.name for one in out.iterdir() if one.name not in PREPARED]):
        raise ProvisionError(f"{out} 里有别的东西（{strangers[0]} 等）：请另选一个空目录")


def read_root(path: Path) -> Certificate:
    try:
        return KeyRing(path.read_bytes().strip()).root
    except (OSError, ProtocolError) as wrong:
        raise ProvisionError(f"{path} 不可用：{wrong}") from None


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Keep a second run out of the folder; ProvisionError if one is at work."""
    handle = os.open(out, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise ProvisionError(f"另一个 liandong provision 正在写 {out}") from None
    finally:
        os.close(handle)
