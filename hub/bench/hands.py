"""Hands (帮手): other processes that do one thing at a time for a benchmark and say what it took them.

One rule: what is handed over is a coroutine function of a module and plain arguments; a hand keeps nothing between
two orders but the memory it has grown.
"""

import asyncio
import multiprocessing
import traceback
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar, cast

from hub.bench.meter import rss_mib

P = ParamSpec("P")
T = TypeVar("T")


class HandFailed(Exception):
    """What was asked of another process raised; carries its traceback."""


class Hand:
    """One more process, for the length of an `async with`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._pipe, theirs = multiprocessing.Pipe()
        # Not forked: a copy of this process would begin with its memory and its threads' locks.
        self._child = multiprocessing.get_context("spawn").Process(
            target=_work, args=(theirs,), name=name, daemon=True
        )

    @property
    def pid(self) -> int | None:
        """Its process."""
        return self._child.pid

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._child.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._pipe.send(None)
            await asyncio.to_thread(self._child.join, 10)
        if self._child.is_alive():
            self._child.terminate()
            await asyncio.to_thread(self._child.join)
        self._pipe.close()

    async def do(self, act: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """The answer of `act` run over there; HandFailed if it raised."""
        self._pipe.send((act, args, kwargs))
        failed, answer = await asyncio.to_thread(self._pipe.recv)
        if failed:
            raise HandFailed(f"{self.name}: {answer}")
        return cast("T", answer)


def _work(pipe: Connection) -> None:
    """The life of a hand: with the event loop that `liandong serve` uses."""
    import uvloop

    uvloop.run(_serve(pipe))


async def _serve(pipe: Connection) -> None:
    """One order after the other; ends when whoever gives them does, even in the middle of one."""
    order = await asyncio.to_thread(_next, pipe)
    while order is not None:
        doing = asyncio.ensure_future(_answer(*order))
        coming = asyncio.ensure_future(asyncio.to_thread(_next, pipe))
        await asyncio.wait({doing, coming}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            doing.cancel()
            await asyncio.wait({doing})
            return
        pipe.send(doing.result())
        order = await coming


async def _answer(act: Callable[..., Awaitable[Any]], args: Any, kwargs: Any) -> tuple[bool, Any]:
    """Whether it failed, and its answer or its traceback."""
    try:
        return False, await act(*args, **kwargs)
    except Exception:  # noqa: BLE001 - whoever asked gets it
        return True, traceback.format_exc()


def _next(pipe: Connection) -> Any:
    try:
        return pipe.recv()
    except EOFError:
        return None


async def memory() -> float:
    """MiB in use over there."""
    return rss_mib()
