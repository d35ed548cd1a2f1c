"""Loops: do a step when woken, and look anyway now and then.

One rule: a loop never ends because a step failed; it logs, waits a little longer each time, and goes on.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.5
LAST_PAUSE_S = 60.0


class Wake:
    """A bell: `ring` wakes whoever waits, or makes the next wait return at once. Loop-thread only."""

    def __init__(self) -> None:
        self._bell = asyncio.Event()

    def ring(self) -> None:
        """Wake the loop."""
        self._bell.set()

    async def wait(self, timeout_s: float) -> None:
        """Until rung, at most `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._bell.wait()
        except TimeoutError:
            pass
        self._bell.clear()


async def forever(name: str, step: Callable[[], Awaitable[bool]], wake: Wake, poll_s: float) -> None:
    """Run `step` for ever; it answers True if there may be more to do at once."""
    failures = 0
    while True:
        try:
            more = await step()
            failures = 0
        except Exception:
            failures += 1
            pause = min(FIRST_PAUSE_S * 2 ** min(failures, 10), LAST_PAUSE_S) * random.uniform(0.8, 1.2)  # noqa: S311
            log.exception("%s failed (%d in a row), next try in %.1f s", name, failures, pause)
            await asyncio.sleep(pause)
            continue
        if not more:
            await wake.wait(poll_s)
