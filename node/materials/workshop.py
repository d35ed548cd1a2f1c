"""The workshop (检查间): files are looked at in a process of their own, off the event loop, a few at a time.

One rule: a decoder is believed to be breakable. What takes too long, too much memory, or crashes is a refusal.
"""

import asyncio
import json
import sys
from contextlib import suppress
from dataclasses import asdict

from node.materials.kinds import Cleaned, IntakeRefused
from node.materials.rules import MaterialRules

_TOO_MUCH = "文件检查未能完成（过大、过于复杂或已损坏），请重新拍照"


class Workshop:
    """Looks at files for one node."""

    def __init__(self, rules: MaterialRules) -> None:
        self._rules = rules
        self._places = asyncio.Semaphore(rules.checks_at_once)

    async def clean(self, data: bytes) -> Cleaned:
        """What may be kept of a file; IntakeRefused with the reason."""
        return await self._ask("clean", data)

    async def thumb(self, data: bytes) -> bytes:
        """A small picture of a photo we kept; IntakeRefused if it cannot be drawn."""
        return (await self._ask("thumb", data)).thumb

    async def _ask(self, task: str, data: bytes) -> Cleaned:
        async with self._places:
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-I", "-m", "node.materials.child", task, json.dumps(asdict(self._rules)),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
            try:
                async with asyncio.timeout(self._rules.check_s):
                    out, _ = await child.communicate(data)
            except TimeoutError:
                raise IntakeRefused(_TOO_MUCH) from None
            finally:
                if child.returncode is None:
                    with suppress(ProcessLookupError):
                        child.kill()
                    await child.wait()
        return _read(out, child.returncode)


def _read(out: bytes, code: int | None) -> Cleaned:
    line, _, rest = out.partition(b"\n")
    try:
        head = json.loads(line)
    except ValueError:
        raise IntakeRefused(f"{_TOO_MUCH}（{code}）") from None
    if "refused" in head:
        raise IntakeRefused(head["refused"])
    size, thumb = int(head["size"]), int(head["thumb"])
    if len(rest) != size + thumb:
        raise IntakeRefused(_TOO_MUCH)
    return Cleaned(str(head["kind"]), rest[:size], rest[size:], int(head.get("pages", 0)))
