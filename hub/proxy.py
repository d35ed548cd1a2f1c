"""A line with a switch: a TCP proxy that can cut, swallow and restore, for drills and the demonstration.

Whole, cut and black hole are the three states a real line has: bytes pass; connections break and none can
be made; or bytes go in and nothing comes out, which nobody notices before a ping stays unanswered.
"""

import asyncio
from contextlib import suppress
from enum import Enum
from typing import Self

_CHUNK = 64 * 1024
_SLOW_CHUNK = 1024
_SLACK_S = 0.25
"""How much a slow line may catch up on after its process was kept waiting."""


class Line(Enum):
    """State of the line."""

    WHOLE = "whole"
    CUT = "cut"
    BLACK_HOLE = "black hole"


class LineSwitch:
    """Forwards `port` of this machine to another address, as the switch allows.

    `bytes_per_s` makes a slow line of it, in each direction of each connection.
    """

    def __init__(self, host: str, port: int, listen_port: int = 0, *, bytes_per_s: int | None = None) -> None:
        self.state = Line.WHOLE
        self._target = (host, port)
        self._listen_port = listen_port
        self._bytes_per_s = bytes_per_s
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._open = asyncio.Event()
        self._open.set()

    @property
    def port(self) -> int:
        """Where to connect instead of to the target."""
        if self._server is None:
            raise RuntimeError("not started")
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Begin to listen on this machine."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._listen_port)

    async def stop(self) -> None:
        """Break everything and stop listening."""
        self.cut()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def cut(self) -> None:
        """Break every connection and take no new one."""
        self.state = Line.CUT
        self._open.set()
        for writer in list(self._writers):
            writer.transport.abort()

    def black_hole(self) -> None:
        """Let nothing through in either direction, and say nothing."""
        self.state = Line.BLACK_HOLE
        self._open.clear()

    def restore(self) -> None:
        """Let everything through again."""
        self.state = Line.WHOLE
        self._open.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            await self._join(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            self._tasks.discard(task)
            writer.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection to the target, both directions, until either side ends."""
        await self._open.wait()
        if self.state == Line.CUT:
            return
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        self._writers.add(far_writer)
        ways = [
            asyncio.create_task(self._copy(reader, far_writer)),
            asyncio.create_task(self._copy(far_reader, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._writers.discard(far_writer)
            far_writer.transport.abort()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        now = asyncio.get_running_loop().time
        due = now()
        with suppress(OSError):
            while chunk := await reader.read(_SLOW_CHUNK if self._bytes_per_s else _CHUNK):
                await self._open.wait()
                if self._bytes_per_s:
                    due = max(due, now() - _SLACK_S) + len(chunk) / self._bytes_per_s
                    await asyncio.sleep(due - now())
                writer.write(chunk)
                await writer.drain()
