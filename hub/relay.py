"""The relay (驿站): carries mail hop by hop between a hub and its upper hub, and the catalogue down.

The rule: pull from one, publish to the other under the same message id, acknowledge only what the other
has stored. One message of a subject is on the way at a time, subjects go side by side, so the order of a
subject is kept; a repeat after a cut is dropped by the id, or by the reader's inbox. The relay looks at
subjects only: the bytes are closed to it.

What a hub refuses while its line is up is held back with all of its subject and tried again later, so it
delays nothing else. What comes from below with a source that is not below was put there by a trick; it
goes no further.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum

from node.bus import MAX_LINGER_S, Bus, Delivery, Mail
from protocol.subjects import CAT, MAIL, Permissions, Stream

log = logging.getLogger(__name__)

_BATCH = 256
HOLD_S = 5.0
_AFTER_BUG_S = 1.0


class Again(Enum):
    """What is to be delivered again: what is not acknowledged, or all the stream holds."""

    OPEN = 1
    ALL = 2


class Carrier:
    """One direction of one stream, with its counters for the line page."""

    def __init__(
        self,
        source: Bus,
        target: Bus,
        stream: Stream,
        *,
        allowed: Permissions | None = None,
        hold_s: float = HOLD_S,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.carried = 0
        self.dropped = 0
        """Refused here, because the source cannot be genuine."""
        self.last_at: datetime | None = None
        self._source = source
        self._target = target
        self._stream = stream
        self._allowed = allowed
        self._hold_s = hold_s
        self._now = now
        self._held: set[str] = set()
        self._retry_at = 0.0
        self._again: Again | None = None

    @property
    def held(self) -> int:
        """How many subjects the other hub refuses at the moment."""
        return len(self._held)

    def allow(self, allowed: Permissions) -> None:
        """Let these sources through from now on."""
        self._allowed = allowed

    def repeat(self, what: Again) -> None:
        """Begin again, as soon as the source can be reached: with what is open, or with all it has."""
        if self._again is not Again.ALL:
            self._again = what

    async def waiting(self) -> int | None:
        """How many messages are still to be carried; None if the hub cannot be asked."""
        return await self._source.backlog(self._stream)

    async def once(self, wait_s: float) -> int:
        """Carry one batch, waiting `wait_s` for its first message; how many the other hub has stored."""
        if not await self._rewound(wait_s):
            return 0
        lanes = await self._sorted(await self._source.fetch(self._stream, _BATCH, wait_s))
        carried = 0
        while lanes and self._target.connected:
            done = await self._step(lanes)
            carried += len(done)
            lanes = [lane for lane in lanes if lane]
        if lanes:
            self.repeat(Again.OPEN)
        if carried:
            self.carried += carried
            self.last_at = self._now()
        return carried

    async def run(self) -> None:
        """Carry for ever; mail is fetched only while it can be handed on."""
        while True:
            while not self._target.connected:
                await self._target.changed.wait()
            try:
                await self.once(MAX_LINGER_S)
            except Exception:
                log.exception("relay of %s", self._stream)
                await asyncio.sleep(_AFTER_BUG_S)

    async def _sorted(self, deliveries: list[Delivery]) -> list[deque[Delivery]]:
        """A batch as one lane for each subject; without what is held back or goes no further."""
        lanes: dict[str, deque[Delivery]] = {}
        false: list[Delivery] = []
        for delivery in deliveries:
            if self._allowed is not None and not self._allowed.may_publish(delivery.subject):
                false.append(delivery)
            elif delivery.subject not in self._held:
                lanes.setdefault(delivery.subject, deque()).append(delivery)
        if false:
            log.warning("relay dropped %d with a foreign source, first %s", len(false), false[0].subject)
            self.dropped += len(false)
            await self._source.ack(false)
        return list(lanes.values())

    async def _step(self, lanes: list[deque[Delivery]]) -> list[Delivery]:
        """Hand on the head of every lane; those stored, acknowledged and gone from their lanes."""
        heads = [lane[0] for lane in lanes]
        stored = await self._target.publish([Mail(head.subject, head.data, head.msg_id) for head in heads])
        done = []
        for lane, ok in zip(lanes, stored, strict=True):
            if ok:
                done.append(lane.popleft())
            elif self._target.connected:
                self._hold(lane)
        await self._source.ack(done)
        return done

    def _hold(self, lane: deque[Delivery]) -> None:
        """Leave this subject alone for a while; unacknowledged, so nothing of it is lost."""
        self._held.add(lane[0].subject)
        self._retry_at = asyncio.get_running_loop().time() + self._hold_s
        lane.clear()

    async def _rewound(self, wait_s: float) -> bool:
        """Do what `repeat` asks before anything else is fetched, or the order would break; False: not yet."""
        if self._held and asyncio.get_running_loop().time() >= self._retry_at:
            self._held.clear()
            self.repeat(Again.OPEN)
        if self._again is None:
            return True
        if await self._source.rewind(self._stream, everything=self._again is Again.ALL):
            self._again = None
            return True
        await asyncio.sleep(min(wait_s, _AFTER_BUG_S))
        return False


class Relay:
    """The relay of one hub.

    `lower`: its own hub, reading consumer `subjects.UP`. `upper`: the upper hub, reading its own consumers.
    `allowed`: what it may write there (`subjects.relay_permissions`).
    """

    def __init__(
        self,
        lower: Bus,
        upper: Bus,
        allowed: Permissions,
        *,
        hold_s: float = HOLD_S,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.up = Carrier(lower, upper, MAIL, allowed=allowed, hold_s=hold_s, now=now)
        self.down = Carrier(upper, lower, MAIL, hold_s=hold_s, now=now)
        self.catalogue = Carrier(upper, lower, CAT, hold_s=hold_s, now=now)

    async def run(self) -> None:
        """Carry in all directions, for ever."""
        async with asyncio.TaskGroup() as tasks:
            for carrier in (self.up, self.down, self.catalogue):
                tasks.create_task(carrier.run())

    async def drain(self) -> int:
        """Carry all there is now, without waiting; how many."""
        total = 0
        while moved := sum([await carrier.once(0) for carrier in (self.up, self.down, self.catalogue)]):
            total += moved
        return total

    def allow(self, allowed: Permissions) -> None:
        """The roster has changed: from now on these may speak upwards."""
        self.up.allow(allowed)

    async def refill(self) -> None:
        """Have the whole catalogue come down again, for a hub that lost its own; at once or when it can."""
        self.catalogue.repeat(Again.ALL)
