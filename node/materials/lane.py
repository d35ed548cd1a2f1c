"""The blob lane (材料道): a party fetches what it lacks, piece by piece, beside the case's own steps.

1. A step sealed to us names a blob that is not here. We ask one of those who have it for a window of its ranges.
2. Whoever is asked checks that the case's sealed parts were given to the asker, and sends signed pieces, one at a
   time and at a bounded rate, in turn for everybody who asked.
3. When a window is here we ask for the next; it grows on a quick line and shrinks on a slow one. So a hub never
   holds more of a blob than a window, and a step never waits behind more than that.
4. The whole is believed when its hash is right. If it is not, or nobody answers, another source is asked, later
   each time, and at once when the line comes back. Whoever gave us the file is told that it is here (`reached`).

Nothing here is stored but bytes on the disk: asks and pieces may be lost, repeated or come late. One rule: mail of
this lane is taken without waiting and dropped when there is too much; it is always asked for again.
"""

import asyncio
import logging
import os
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from node.bus import Delivery, Mail
from node.loops import Wake
from node.materials import index, reached
from node.materials.assembly import Assembly
from node.materials.reached import Words
from node.materials.rules import MaterialRules
from node.materials.store import Store
from protocol import subjects
from protocol.blobs import (
    ABSENT,
    MAX_PIECE,
    REFUSED,
    Ask,
    Piece,
    Span,
    is_line,
    is_piece,
    read_ask,
    read_piece,
    write_ask,
    write_piece,
)
from protocol.errors import ProtocolError
from protocol.places import Code

if TYPE_CHECKING:
    from node.node import Node

log = logging.getLogger(__name__)

FIRST_WINDOW, LEAST_WINDOW = 128 * 1024, 32 * 1024
LEAST_PIECE = 16 * 1024
QUICK_S, SLOW_S = 1.0, 3.0
"""A window that took less is doubled, one that took more is halved."""
MOST_MAIL, MOST_FROM_ONE = 128, 48
MOST_ANSWERS = 256
MOST_ASKED = 1024 * 1024
"""Bytes one ask may bring, however much it asks for."""
LOOK_AGAIN = timedelta(seconds=60)


@dataclass(slots=True)
class Fetch:
    """One blob on its way here."""

    name: str
    no: str
    assembly: Assembly
    next_try: datetime
    asked: set[str] = field(default_factory=set)
    """Everyone asked so far: pieces of theirs are taken, however late."""
    source: str = ""
    asked_at: datetime | None = None
    """When the window under way was asked for; None while nothing is."""
    until: int = 0
    tries: int = 0
    """Asks without a piece since the last one that brought some."""


@dataclass(slots=True)
class Answer:
    """Ranges still to be sent to one asker."""

    ranges: list[Span]
    piece: int


class Lane:
    """The blob lane of one node."""

    def __init__(self, node: "Node", store: Store, rules: MaterialRules) -> None:
        self._node = node
        self._store = store
        self._rules = rules
        self._mail: deque[tuple[str, bytes]] = deque()
        self._fetches: dict[str, Fetch] = {}
        self._answers: dict[tuple[str, str], Answer] = {}
        self._looked_at: datetime | None = None
        self._line_since = node.line_since
        self.window = min(FIRST_WINDOW, rules.window_max)
        self.wake = Wake()
        self.words = Words(node, self._send)
        self.sent_bytes = 0
        self._turn = asyncio.Lock()
        self.dropped = 0
        """Mail of this lane that was not wanted: unasked, not genuine, or too much."""

    def take(self, delivery: Delivery) -> None:
        """Take one message of the lane; never waits, never raises."""
        try:
            source = subjects.parse_mail(delivery.subject).src
        except ValueError:
            self.dropped += 1
            return
        asked = any(source in one.asked for one in self._fetches.values())
        wanted = asked or not is_piece(delivery.data) or is_line(delivery.data)
        queued = sum(1 for frm, _ in self._mail if frm == source)
        if not wanted or len(self._mail) >= MOST_MAIL or queued >= MOST_FROM_ONE:
            self.dropped += 1
            return
        self._mail.append((source, delivery.data))
        self.wake.ring()

    def look(self) -> None:
        """See at the next step what is wanted, rather than some time later."""
        self._looked_at = None
        self.wake.ring()

    def of(self, name: str) -> Fetch | None:
        """The fetch of a blob, for those who show how far it is."""
        return self._fetches.get(name)

    async def step(self) -> int:
        """Read what came, ask for what is missing, send some of what was asked; how much was done."""
        moved = await self.list_noted()  # before a word about them is read
        for _ in range(min(len(self._mail), MOST_MAIL)):
            await self._read(*self._mail.popleft())
            moved += 1
        if not self._node.bus.connected:
            return moved
        return moved + await self._ask_all() + await self._answer_some() + await self.words.step()

    async def list_noted(self) -> int:
        """List the files of the cases noted; who gave us what is here already is told so."""
        if not self._node.read(index.any_noted):
            return 0
        listed = await self._node.do(index.list_noted)
        self.words.tell(self._node.read(reached.givers_of_cases, self._node.place, listed))
        self._looked_at = None
        return len(listed)

    # what came

    async def _read(self, source: str, raw: bytes) -> None:
        know = self._node.know
        try:
            if is_piece(raw):
                await self._piece(read_piece(raw, know.ring, know.place, source))
            else:
                await self._asked(read_ask(raw, know.ring, know.place, source))
        except (ProtocolError, OSError, ValueError) as wrong:
            self.dropped += 1
            log.warning("%s: blob mail from %s dropped: %s", know.place, source, wrong)

    async def heard(self, source: str, raw: bytes) -> None:
        """Take a word, carried by hand, that a whole file is there. EnvelopeError B-1 to B-4."""
        know = self._node.know
        piece = read_piece(raw, know.ring, know.place, source)
        if piece.whole:
            await self._node.do(reached.reached, piece)

    async def brought(self, source: str, raw: bytes) -> bool:
        """Take a piece that was carried by hand; whether it was of something wanted. EnvelopeError B-1 to B-4."""
        know = self._node.know
        piece = read_piece(raw, know.ring, know.place, source)
        await self.list_noted()
        await self._look(self._node.clock())
        fetch = self._fetches.get(piece.blob)
        if fetch is None or piece.none:
            return False
        fetch.asked.add(piece.frm)
        await self._piece(piece)
        return True

    async def _piece(self, piece: Piece) -> None:
        if piece.whole:
            await self._node.do(reached.reached, piece)
            return
        async with self._turn:
            await self._add(piece)

    async def _add(self, piece: Piece) -> None:
        fetch = self._fetches.get(piece.blob)
        if fetch is None or piece.frm not in fetch.asked:
            self.dropped += 1
            return
        if piece.none:
            if piece.frm == fetch.source and fetch.asked_at is not None:
                self._gave_up(fetch)
            return
        before = fetch.assembly.have
        data = fetch.assembly.add(piece.at, piece.data)
        if not data:
            return
        fetch.tries, fetch.source = 0, piece.frm
        fetch.next_try = self._node.clock() + timedelta(seconds=self._rules.ask_again_first_s)
        try:
            await asyncio.to_thread(self._store.add, fetch.name, before, data)
        except (OSError, ValueError):
            del self._fetches[fetch.name]  # begin again from what is really on the disk
            self._looked_at = None
            raise
        if fetch.assembly.complete:
            await self._complete(fetch)
        elif fetch.asked_at is not None and fetch.assembly.have >= fetch.until:
            self._adapt((self._node.clock() - fetch.asked_at).total_seconds())
            fetch.asked_at, fetch.next_try = None, self._node.clock()

    async def _complete(self, fetch: Fetch) -> None:
        if await asyncio.to_thread(self._store.complete, fetch.name):
            del self._fetches[fetch.name]
            await self._arrived(fetch.name)
            return
        log.warning("%s: %s is not what %s sent", self._node.place, fetch.name[:12], fetch.source)
        fetch.assembly.restart()
        self._gave_up(fetch)

    async def _arrived(self, name: str) -> None:
        await self._node.do(index.arrived, name)
        self.words.tell(self._node.read(reached.givers, self._node.place, name))

    def _gave_up(self, fetch: Fetch) -> None:
        """Nothing here, or nothing right: the next one, at once until all were tried, then later."""
        fetch.tries += 1
        fetch.asked_at = None
        places = self._places(fetch)
        again = places and fetch.tries % len(places) != 0
        fetch.next_try = self._node.clock() if again else self._later(fetch, len(places))

    def _later(self, fetch: Fetch, places: int) -> datetime:
        rounds = fetch.tries // max(1, places)
        pause_s = self._rules.ask_again_first_s * 2 ** min(rounds, 16)
        return self._node.clock() + timedelta(seconds=min(pause_s, self._rules.ask_again_last_s))

    def _adapt(self, took_s: float) -> None:
        if took_s < QUICK_S:
            self.window = min(self.window * 2, self._rules.window_max)
        elif took_s > SLOW_S:
            self.window = max(self.window // 2, LEAST_WINDOW)

    # asking

    async def _ask_all(self) -> int:
        now = self._node.clock()
        if self._line_since != self._node.line_since:
            self._line_since = self._node.line_since
            for fetch in self._fetches.values():
                fetch.next_try, fetch.tries, fetch.asked_at = now, 0, None
        await self._look(now)
        under_way = sum(
            1 for one in self._fetches.values() if one.asked_at is not None and one.next_try > now
        )
        sent = 0
        for fetch in sorted(self._fetches.values(), key=lambda one: one.next_try):
            if fetch.next_try > now or under_way >= self._rules.fetch_at_once:
                break
            if not await self._ask(fetch, now):
                break
            under_way += 1
            sent += 1
        return sent

    async def _look(self, now: datetime) -> None:
        """Bring the fetches up to what the database wants."""
        if self._looked_at is not None and now - self._looked_at < LOOK_AGAIN:
            return
        self._looked_at = now
        wanted = self._node.read(index.coming)
        if wanted and await asyncio.to_thread(self._store.free) < self._rules.free_min:
            log.error("%s: the disk is nearly full, no materials are fetched", self._node.place)
            wanted = []
        names = {row.sha256 for row in wanted}
        self._fetches = {name: one for name, one in self._fetches.items() if name in names}
        for row in wanted:
            if row.sha256 not in self._fetches:
                await self._begin(row.sha256, row.no, row.size, now)

    async def _begin(self, name: str, no: str, size: int, now: datetime) -> None:
        have = self._store.size(name)
        if have is not None:  # another case brought it
            await self._arrived(name)
            return
        come = self._store.come(name)
        if come > size:
            self._store.drop(name)
            come = 0
        fetch = self._fetches[name] = Fetch(name, no, Assembly(size, come), now)
        if fetch.assembly.complete:
            await self._complete(fetch)

    def _places(self, fetch: Fetch) -> list[str]:
        return self._node.read(index.sources, self._node.place, fetch.no)

    async def _ask(self, fetch: Fetch, now: datetime) -> bool:
        places = self._places(fetch)
        if not places:
            fetch.next_try = now + LOOK_AGAIN
            return True
        if fetch.asked_at is not None:  # nothing came of the last one
            fetch.tries += 1
            self.window = max(self.window // 2, LEAST_WINDOW)
        fetch.source = (
            fetch.source if fetch.tries == 0 and fetch.source in places else places[fetch.tries % len(places)]
        )
        ranges = fetch.assembly.missing(self.window)
        piece = max(LEAST_PIECE, min(self.window // 4, MAX_PIECE))
        know = self._node.know
        ask = Ask(know.place, Code(fetch.source), fetch.no, fetch.name, ranges, piece)
        data = write_ask(ask, know.keys, know.certificate, now, know.ring.chain(know.place))
        fetch.asked.add(fetch.source)
        if not await self._send(fetch.source, data):
            return False
        fetch.asked_at, fetch.until = now, ranges[-1][1]
        fetch.next_try = self._later(fetch, len(places))
        return True

    # answering

    async def _asked(self, ask: Ask) -> None:
        none = ""
        if not self._node.read(index.may_have, ask.no, ask.blob, ask.frm):
            none = REFUSED
            log.warning("%s asked for a material of %s without being a party to it", ask.frm, ask.no)
        elif (size := self._store.size(ask.blob)) is None:
            none = ABSENT
        elif ask.ranges[0][0] >= size:
            await self._send_piece(ask.frm, Piece(self._node.place, ask.frm, ask.blob, size, b""))
        else:
            self._answer(ask, size)
        if none:
            await self._send_piece(ask.frm, Piece(self._node.place, ask.frm, ask.blob, 0, b"", none))

    def _answer(self, ask: Ask, size: int) -> None:
        """Queue what was asked, once for each asker and blob, within bounds."""
        room, ranges = MOST_ASKED, []
        for first, end in ask.ranges:
            last = min(end, size, first + room)
            if last > first:
                ranges.append((first, last))
                room -= last - first
        key = (ask.frm, ask.blob)
        self._answers.pop(key, None)
        if ranges and len(self._answers) < MOST_ANSWERS:
            self._answers[key] = Answer(ranges, ask.piece)

    async def _answer_some(self) -> int:
        """One piece for each of those who asked, in turn."""
        sent = 0
        for key in list(self._answers)[:8]:
            answer = self._answers.pop(key)
            (first, end), *rest = answer.ranges
            last = min(end, first + answer.piece)
            place, name = key
            try:
                data = await asyncio.to_thread(self._store.read, name, first, last - first)
            except FileNotFoundError:
                continue
            if not await self._send_piece(place, Piece(self._node.place, Code(place), name, first, data)):
                self._answers.clear()  # the line is cut; whoever still wants it asks again
                return sent
            answer.ranges = [(last, end), *rest] if last < end else rest
            if answer.ranges:
                self._answers[key] = answer
            sent += 1
        return sent

    async def _send_piece(self, to: str, piece: Piece) -> bool:
        know = self._node.know
        self.sent_bytes += len(piece.data)
        return await self._send(to, write_piece(piece, know.keys, know.certificate))

    async def _send(self, to: str, data: bytes) -> bool:
        subject = subjects.mail(subjects.Lane.BLOB, to, self._node.place)
        return (await self._node.bus.publish([Mail(subject, data, os.urandom(16).hex())]))[0]
