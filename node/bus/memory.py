"""The bus without a network: hubs and lines in one process, for tests and simulations.

Its rule: the promises of `node.bus`, with switches instead of accidents. A `MemoryHub` is one hub's two
streams; a `MemoryBus` one line to it, with `away` for a line that is down and `deaf` for one on which the
hub's answers get lost. No time passes here: repeats are dropped until `forget()`, and what a reader has
not acknowledged comes again when its line comes back, or at `rewind`.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from node.bus import MAX_BYTES, MAX_LINGER_S, Delivery, Flip, Mail
from protocol.subjects import CAT, MAIL, STREAM_SUBJECTS, Permissions, Reader, Stream, consumer, matches


@dataclass(slots=True)
class _Stored:
    sequence: int
    mail: Mail
    at: datetime


@dataclass(slots=True)
class _Cursor:
    """One durable consumer: what waits for it, and what it has been given and not yet acknowledged."""

    filters: tuple[str, ...]
    waiting: dict[int, None] = field(default_factory=dict)
    given: dict[int, None] = field(default_factory=dict)
    arrived: Flip = field(default_factory=Flip)

    def wants(self, subject: str) -> bool:
        return any(matches(pattern, subject) for pattern in self.filters)

    def rewind(self) -> None:
        self.waiting = dict.fromkeys(sorted(self.waiting | self.given))
        self.given = {}


class MemoryHub:
    """A hub's streams MAIL (work queue) and CAT (last per subject), with their consumers."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._exists = False
        self._last = 0
        self._stored: dict[Stream, dict[int, _Stored]] = {MAIL: {}, CAT: {}}
        self._latest: dict[str, int] = {}
        self._seen: dict[Stream, set[str]] = {MAIL: set(), CAT: set()}
        self._cursors: dict[tuple[Stream, str], _Cursor] = {}
        self._routes: dict[str, list[_Cursor]] = {}

    def ensure(self, readers: Iterable[Reader]) -> None:
        """Have the streams and exactly these consumers; what is there already is kept."""
        self._exists = True
        wanted = {(reader.stream, reader.name): reader for reader in readers}
        self._cursors = {key: cursor for key, cursor in self._cursors.items() if key in wanted}
        for key, reader in wanted.items():
            if key not in self._cursors or self._cursors[key].filters != reader.filters:
                self._cursors[key] = self._new(reader)
        self._routes.clear()

    def wipe(self) -> None:
        """Lose everything, streams and consumers too, as a broken disk does."""
        self._exists = False
        for stream in (MAIL, CAT):
            self._stored[stream].clear()
            self._seen[stream].clear()
        self._latest.clear()
        self._cursors.clear()
        self._routes.clear()

    def forget(self) -> None:
        """Let the time pass in which repeats are dropped."""
        for seen in self._seen.values():
            seen.clear()

    def depth(self, stream: Stream) -> int:
        """How many messages the stream holds."""
        return len(self._stored[stream])

    def subjects(self, stream: Stream) -> list[str]:
        """The subjects of all it holds, oldest first."""
        return [stored.mail.subject for stored in self._stored[stream].values()]

    def store(self, mail: Mail) -> bool:
        """Store one message, or know it already; False if no stream takes its subject."""
        stream = next((name for name, heads in STREAM_SUBJECTS.items() if _under(heads, mail.subject)), None)
        if stream is None or not self._exists or len(mail.data) > MAX_BYTES:
            return False
        if mail.msg_id and mail.msg_id in self._seen[stream]:
            return True
        self._seen[stream].add(mail.msg_id)
        self._last += 1
        if stream == CAT:
            self._drop(CAT, self._latest.get(mail.subject, 0))
            self._latest[mail.subject] = self._last
        self._stored[stream][self._last] = _Stored(self._last, mail, self._now())
        for cursor in self._route(stream, mail.subject):
            cursor.waiting[self._last] = None
            cursor.arrived.fire()
        return True

    def cursor(self, stream: Stream, name: str) -> _Cursor | None:
        """The consumer of this name; None if the hub has none."""
        return self._cursors.get((stream, name))

    def give(self, stream: Stream, cursor: _Cursor, batch: int) -> list[_Stored]:
        """The next of what waits; given until acknowledged."""
        chosen = list(cursor.waiting)[:batch]
        for sequence in chosen:
            del cursor.waiting[sequence]
            cursor.given[sequence] = None
        return [self._stored[stream][sequence] for sequence in chosen]

    def settle(self, stream: Stream, cursor: _Cursor, sequence: int) -> None:
        """The reader has it safe; a work queue then lets it go."""
        cursor.given.pop(sequence, None)
        cursor.waiting.pop(sequence, None)
        if stream == MAIL:
            self._drop(MAIL, sequence)

    def refill(self, stream: Stream, cursor: _Cursor) -> None:
        """Have all that the stream still holds for this consumer delivered again."""
        cursor.given.clear()
        cursor.waiting = dict.fromkeys(
            sequence for sequence, stored in self._stored[stream].items() if cursor.wants(stored.mail.subject)
        )

    def _new(self, reader: Reader) -> _Cursor:
        cursor = _Cursor(reader.filters)
        self.refill(reader.stream, cursor)
        return cursor

    def _drop(self, stream: Stream, sequence: int) -> None:
        stored = self._stored[stream].pop(sequence, None)
        for cursor in self._route(stream, stored.mail.subject) if stored else ():
            cursor.waiting.pop(sequence, None)
            cursor.given.pop(sequence, None)

    def _route(self, stream: Stream, subject: str) -> list[_Cursor]:
        if subject not in self._routes:
            self._routes[subject] = [
                cursor for (of, _), cursor in self._cursors.items() if of == stream and cursor.wants(subject)
            ]
        return self._routes[subject]


class MemoryBus:
    """The `Bus` of one place at one `MemoryHub`; refuses what `permissions`, if given, do not allow."""

    def __init__(
        self, hub: MemoryHub, place: str, *, reader: str | None = None, permissions: Permissions | None = None
    ) -> None:
        self.changed = Flip()
        self.trouble: str | None = "尚未接通"
        self.deaf = False
        """The hub hears us, its answers are lost: publishes are stored and answered False."""
        self._hub = hub
        self._name = reader or consumer(place)
        self._permissions = permissions
        self._open = False
        self._away = False

    @property
    def away(self) -> bool:
        """Whether the line is down."""
        return self._away

    @away.setter
    def away(self, value: bool) -> None:
        was = self.connected
        self._away = value
        self._flip(was)

    @property
    def connected(self) -> bool:
        """See Bus."""
        return self._open and not self._away

    async def connect(self) -> None:
        """See Bus."""
        was, self._open = self.connected, True
        self._flip(was)

    async def close(self) -> None:
        """See Bus."""
        was, self._open = self.connected, False
        self._flip(was)

    async def publish(self, mails: Sequence[Mail]) -> list[bool]:
        """See Bus."""
        await asyncio.sleep(0)
        stored = [self.connected and self._may(mail) and self._hub.store(mail) for mail in mails]
        return [False] * len(mails) if self.deaf else stored

    async def fetch(self, stream: Stream, batch: int, wait_s: float) -> list[Delivery]:
        """See Bus."""
        await asyncio.sleep(0)
        with suppress(TimeoutError):
            async with asyncio.timeout(min(wait_s, MAX_LINGER_S)):
                while not (found := self._take(stream, batch)):
                    await self._until_something(stream)
                return found
        return []

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        """See Bus."""
        await asyncio.sleep(0)
        for delivery in deliveries:
            stream: Stream = MAIL if delivery.ref.startswith(MAIL) else CAT
            cursor = self._cursor(stream)
            if cursor is not None and not self.deaf:
                self._hub.settle(stream, cursor, int(delivery.ref.partition(" ")[2]))

    async def rewind(self, stream: Stream, *, everything: bool = False) -> bool:
        """See Bus."""
        cursor = self._cursor(stream)
        if cursor is None:
            return False
        if everything:
            self._hub.refill(stream, cursor)
        else:
            cursor.rewind()
        return True

    async def backlog(self, stream: Stream) -> int | None:
        """See Bus."""
        cursor = self._cursor(stream)
        return None if cursor is None else len(cursor.waiting) + len(cursor.given)

    def _may(self, mail: Mail) -> bool:
        if self._permissions is None or self._permissions.may_publish(mail.subject):
            return True
        self.trouble = f"枢纽拒绝：{mail.subject}"
        return False

    def _cursor(self, stream: Stream) -> _Cursor | None:
        return self._hub.cursor(stream, self._name) if self.connected else None

    def _take(self, stream: Stream, batch: int) -> list[Delivery]:
        cursor = self._cursor(stream)
        if cursor is None:
            return []
        return [
            Delivery(
                stored.mail.subject,
                stored.mail.data,
                stored.at,
                f"{stream} {stored.sequence}",
                stored.mail.msg_id,
            )
            for stored in self._hub.give(stream, cursor, batch)
        ]

    async def _until_something(self, stream: Stream) -> None:
        """Until mail arrives for us, or the line changes."""
        cursor = self._cursor(stream)
        waits = [asyncio.ensure_future(self.changed.wait())]
        if cursor is not None:
            waits.append(asyncio.ensure_future(cursor.arrived.wait()))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _flip(self, was: bool) -> None:
        """Tell of a change; a line that comes back is given again what it did not acknowledge."""
        if self.connected == was:
            return
        self.trouble = None if self.connected else "线路已断"
        for stream in (MAIL, CAT):
            cursor = self._cursor(stream)
            if cursor is not None:
                cursor.rewind()
        self.changed.fire()


def _under(patterns: tuple[str, ...], subject: str) -> bool:
    return any(matches(pattern, subject) for pattern in patterns)
