"""The streams of a hub: made, kept as the roster says, and made again whenever the broker has lost them.

Its rule: the roster is the only source. `ensure` may be called at any moment and any number of times; it
leaves two streams and exactly the consumers of `subjects.readers`. Mail of a place that has not connected
yet waits in its consumer; mail of a place that left the roster stays stranded until it is too old, and is
counted. Nobody but the hub's own node can do any of this.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from node.bus.line import Line
from protocol.places import Code
from protocol.roster import Roster
from protocol.subjects import CAT, MAIL, STREAM_SUBJECTS, Reader, Stream, consumer, readers

log = logging.getLogger(__name__)

_NS: Final = 1_000_000_000
_AT_ONCE: Final = 32
_CHECK_S: Final = 300.0
_RETRY_S: Final = 1.0
_RETRY_MAX_S: Final = 60.0
_NO_STREAM: Final = 10059
_NO_CONSUMER: Final = 10014


class StreamError(Exception):
    """The server refuses what a hub needs; carries its words."""


class HubSilent(Exception):
    """The server did not answer; what was begun is finished by the next `ensure`."""


@dataclass(frozen=True, slots=True)
class Depth:
    """How much lies in a hub's MAIL: in all, for each consumer, and for nobody."""

    total: int
    waiting: dict[str, int]

    @property
    def stranded(self) -> int:
        """Mail that no consumer of this hub will take."""
        return max(0, self.total - sum(self.waiting.values()))


class Streams:
    """The streams and consumers of `hub`, kept over the line of its own node.

    `replicas` is 3 in a cluster of three, else 1.
    """

    def __init__(self, line: Line, roster: Roster, hub: Code, *, replicas: int = 1) -> None:
        self._line = line
        self._hub = hub
        self._replicas = replicas
        self._readers = readers(roster, hub)
        self._turn = asyncio.Lock()

    async def adopt(self, roster: Roster) -> frozenset[Stream]:
        """Keep to a new roster from now on; as `ensure`."""
        self._readers = readers(roster, self._hub)
        return await self.ensure()

    async def ensure(self) -> frozenset[Stream]:
        """Have everything as the roster says; the streams that had to be made anew, so are empty.

        HubSilent if the server does not answer, StreamError if it refuses.
        """
        async with self._turn:
            fresh = {stream for stream in (MAIL, CAT) if await self._stream(stream)}
            for stream in (MAIL, CAT):
                await self._consumers(stream)
            return frozenset(fresh)

    async def run(self, fresh: Callable[[frozenset[Stream]], Awaitable[None]]) -> None:
        """Ensure at each connection and now and then; tell `fresh` which streams came up empty."""
        retry_s = _RETRY_S
        while True:
            while not self._line.connected:
                await self._line.changed.wait()
            try:
                made = await self.ensure()
                if made:
                    await fresh(made)
                pause_s, retry_s = _CHECK_S, _RETRY_S
            except HubSilent:
                pause_s = _RETRY_S
            except StreamError:
                log.exception("streams of %s", self._hub)
                pause_s, retry_s = retry_s, min(retry_s * 2, _RETRY_MAX_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._line.changed.wait()

    async def rearm(self, children: Collection[Code]) -> list[Code]:
        """Have the catalogue consumers of these deliver everything again, by making them anew; which were.

        Not of a child that has not read all yet: it would begin again and again, and never come to the end.
        """
        async with self._turn:
            found = await self._listed(CAT)
            ours = {one.name: one for one in self._readers if one.stream == CAT}
            idle = [
                child
                for child in children
                if consumer(child) in ours and not _left(found.get(consumer(child), {}))
            ]
            await self._remove(CAT, map(consumer, idle))
            await self._make([ours[consumer(child)] for child in idle])
        return idle

    async def depth(self) -> Depth:
        """What lies in MAIL now."""
        total = (await self._api(f"STREAM.INFO.{MAIL}"))["state"]["messages"]
        found = await self._listed(MAIL)
        return Depth(total, {name: _left(one) for name, one in found.items()})

    async def _stream(self, stream: Stream) -> bool:
        """Have the stream with our settings; whether it was not there."""
        config = _settings(stream, self._replicas)
        info = await self._api(f"STREAM.INFO.{stream}", allowed=_NO_STREAM)
        if "error" in info:
            await self._api(f"STREAM.CREATE.{stream}", config)
            return True
        if any(info["config"].get(name) != value for name, value in config.items()):
            await self._api(f"STREAM.UPDATE.{stream}", config)
        return False

    async def _consumers(self, stream: Stream) -> None:
        """Have exactly our consumers; one whose filters changed is made anew, so it misses nothing.

        Removal comes first: on a work queue two filters may not overlap for a moment.
        """
        wanted = {reader.name: reader for reader in self._readers if reader.stream == stream}
        found = await self._listed(stream)
        kept = {
            name for name, info in found.items() if name in wanted and _filters(info) == wanted[name].filters
        }
        await self._remove(stream, found.keys() - kept)
        await self._make([reader for name, reader in wanted.items() if name not in kept])

    async def _listed(self, stream: Stream) -> dict[str, Any]:
        """Every consumer of the stream by name, as the server describes it."""
        found: dict[str, Any] = {}
        while True:
            page = await self._api(f"CONSUMER.LIST.{stream}", {"offset": len(found)})
            found |= {info["name"]: info for info in page["consumers"]}
            if len(found) >= page["total"] or not page["consumers"]:
                return found

    async def _remove(self, stream: Stream, names: Iterable[str]) -> None:
        # The answer to an earlier attempt may have been lost: what is gone is as we want it.
        gone = [(f"CONSUMER.DELETE.{stream}.{name}", None) for name in sorted(names)]
        await self._each(gone, allowed=_NO_CONSUMER)

    async def _make(self, wanted: Iterable[Reader]) -> None:
        await self._each(
            [(f"CONSUMER.CREATE.{reader.stream}.{reader.name}", _consumer(reader)) for reader in wanted]
        )

    async def _each(self, requests: Sequence[tuple[str, object]], *, allowed: int = 0) -> None:
        """Many requests, some at a time."""
        for start in range(0, len(requests), _AT_ONCE):
            part = requests[start : start + _AT_ONCE]
            await asyncio.gather(*(self._api(*request, allowed=allowed) for request in part))

    async def _api(self, operation: str, body: object = None, *, allowed: int = 0) -> dict[str, Any]:
        """The server's answer; an error is raised unless it has the `allowed` code."""
        answer = await self._line.ask_json(f"$JS.API.{operation}", body)
        if not isinstance(answer, dict):
            raise HubSilent(operation)
        error = answer.get("error")
        if error and error.get("err_code") != allowed:
            if error.get("code") == 503:  # no leader for the moment
                raise HubSilent(operation)
            raise StreamError(f"{operation}: {error.get('description')}")
        return answer


def _left(found: Mapping[str, Any]) -> int:
    """How many messages a consumer has not acknowledged, as the server describes it."""
    return int(found.get("num_pending", 0)) + int(found.get("num_ack_pending", 0))


def _settings(stream: Stream, replicas: int) -> dict[str, Any]:
    """MAIL: each message once, gone when acknowledged. CAT: the last of each subject, kept for ever."""
    common = {
        "name": stream,
        "subjects": list(STREAM_SUBJECTS[stream]),
        "storage": "file",
        "num_replicas": replicas,
        "duplicate_window": 120 * _NS,
    }
    if stream == MAIL:
        return common | {"retention": "workqueue", "max_age": 90 * 86400 * _NS}
    limits = {"max_msgs_per_subject": 1, "max_bytes": 1 << 30, "discard": "new"}
    return common | {"retention": "limits", "allow_direct": False} | limits


def _consumer(reader: Reader) -> dict[str, Any]:
    config = {
        "name": reader.name,
        "durable_name": reader.name,
        "ack_policy": "explicit",
        "ack_wait": 300 * _NS,  # a full fetch on the slowest line; after a cut the reader rewinds itself
        "deliver_policy": "all",
        "max_ack_pending": 1000,
        "filter_subjects": list(reader.filters),
    }
    return {"stream_name": reader.stream, "config": config}


def _filters(info: dict[str, Any]) -> tuple[str, ...]:
    config = info["config"]
    return tuple(config.get("filter_subjects") or [config.get("filter_subject", "")])
