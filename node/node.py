"""One node (节点) of the network: its parts, and the only ways to act on it.

`do` runs an action in one transaction; `read` looks; `run` keeps the loops going until cancelled. Nothing here
asks which tier the node is on: what a county or city can do beyond is in its capabilities. Hundreds of nodes
can live in one process.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy.orm import Session as OrmSession
from sqlmodel import Session

from node.bus import Bus, Delivery
from node.capability import Capability
from node.config import NodeConfig
from node.db import Database
from node.errors import OnRecord
from node.exchange import outbox, receipts
from node.exchange.arrivals import Incoming, beyond_us, examine, portions
from node.exchange.aside import set_aside
from node.exchange.inbox import Handler, Inbox
from node.loops import Wake, forever
from node.work import Follow, Knowledge, Work, utc_now
from node.writer import passing
from protocol.places import Code

log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

FETCH = 500


class Node:
    """The parts of one node. Build it with `node.site.open_node`, or by hand in tests."""

    def __init__(
        self,
        config: NodeConfig,
        know: Knowledge,
        db: Database,
        bus: Bus,
        capabilities: Sequence[Capability],
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.config = config
        self.know = know
        self.db = db
        self.bus = bus
        self.clock = clock
        self.capabilities = tuple(capabilities)
        self.started_at = clock()
        self.line_since = clock()
        self._greeted = False
        """Whether the hub has stored a hello since the line came up, or since one was asked for."""
        self._lanes = [
            (f"mail.{lane}.", taken) for one in self.capabilities for lane, taken in one.lanes.items()
        ]
        self.inbox = Inbox(self._handlers(), config.pace)
        self._follow = self._follows()
        self.outbox_wake = Wake()
        self.receipt_wake = Wake()
        self.parts: dict[str, Any] = {}
        """What capabilities keep while the node runs, by their name."""

    @property
    def place(self) -> Code:
        """The 12-digit code this node speaks for."""
        return self.know.place

    @property
    def name(self) -> str:
        """The place's name."""
        return self.know.roster[self.place].name

    def _handlers(self) -> dict[str, Handler]:
        found: dict[str, Handler] = {}
        for capability in self.capabilities:
            for kind, handler in capability.handlers.items():
                if kind in found:
                    raise ValueError(f"{kind} 有两个处理者（{capability.name}）")
                found[kind] = handler
        return found

    def _follows(self) -> dict[str, list[Follow]]:
        found: dict[str, list[Follow]] = {}
        for capability in self.capabilities:
            for kind, follow in capability.follows.items():
                found.setdefault(kind, []).append(follow)
        return found

    async def do(self, action: Callable[Concatenate[Work, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The answer of `action(work, …)` once its transaction is committed; its refusal, with nothing changed.

        What is refused on record is written down on its own.
        """
        try:
            return await self.db.write(self._job(action, *args, **kwargs))
        except OnRecord as refused:
            await self.db.write(self._job(refused.keep))
            raise

    def do_now(self, action: Callable[Concatenate[Work, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`do` where there is no event loop (command line, set-up)."""
        return self.db.write_now(self._job(action, *args, **kwargs))

    def _job(
        self, action: Callable[Concatenate[Work, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Callable[[Session], T]:
        def job(session: Session | OrmSession) -> T:
            assert isinstance(session, Session)
            work = Work(session, self.know, self.clock(), self.outbox_wake.ring, self._learn, self._follow)
            answer = action(work, *args, **kwargs)
            work.flush()
            return answer

        return job

    def read(self, view: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `view(session, …)` finds: short queries only."""
        return self.db.read(lambda session: view(session, *args, **kwargs))

    def _learn(self, changes: dict[str, Any]) -> None:
        self.know = replace(self.know, **changes)

    def look(self, question: Callable[[Work], T]) -> T:
        """What `question` finds with all that a work knows; it reads, and what it would say is never said."""
        return self.db.read(lambda session: question(Work(session, self.know, self.clock(), lambda: None)))

    async def drain(self) -> int:
        """Send everything that is due now; how many rows went out. For tests and shutdown."""
        total = 0
        while sent := await outbox.drain(self.db, self.bus, self.know, self.config.pace, self.clock()):
            total += sent
        return total

    async def take(self, wait_s: float = 0.0) -> int:
        """Fetch, apply and acknowledge one batch of mail; how many messages it held."""
        deliveries = await self.bus.fetch("MAIL", FETCH, wait_s)
        if not deliveries:
            return 0
        letters = [one for one in deliveries if not self._by_lane(one)]
        if letters:
            await self.take_in([Incoming(one.subject, one.data) for one in letters])
        await self.bus.ack(deliveries)
        return len(deliveries)

    def _by_lane(self, delivery: Delivery) -> bool:
        """Hand mail of a lane that a capability takes itself to that capability; whether it was."""
        for lane, taken in self._lanes:
            if delivery.subject.startswith(lane):
                taken(self, delivery)
                return True
        return False

    async def take_in(self, incoming: Sequence[Incoming]) -> None:
        """Apply messages that came by any road: the bus, HTTPS, or a file carried by hand (摆渡).

        If a defect of ours shows up, one by one: what cannot even be stored is set aside, and the mail goes on.
        """
        for part in portions(incoming):
            try:
                await self._take_part(part)
            except Exception as defect:
                if passing(defect):
                    raise
                log.exception("%d messages cannot be stored together; trying one by one", len(part))
                for one in part:
                    await self._take_alone(one)

    async def _take_part(self, part: Sequence[Incoming]) -> None:
        now = self.clock()
        if sum(len(one.data) for one in part) < 64 * 1024:
            batch = examine(part, self.know, now)
        else:
            batch = await asyncio.to_thread(examine, part, self.know, now)
        await self.do(self.inbox.take_in, batch)
        self.receipt_wake.ring()

    async def _take_alone(self, one: Incoming) -> None:
        try:
            await self._take_part([one])
        except Exception as defect:
            if passing(defect):
                raise
            log.exception("a message on %s cannot be stored", one.subject or "no subject")
            await self.do(set_aside, [beyond_us(one, defect)])

    async def react(self) -> None:
        """Let every capability do what a new edition or a new roster asks of it."""
        for capability in self.capabilities:
            if capability.on_edition is not None:
                await self.do(capability.on_edition)

    async def tell(self, *, hello: bool = False) -> int:
        """Send the receipts that are due; with `hello`, one to every peer; how many the hub stored."""
        self._greeted = self._greeted and not hello
        stored = await receipts.tell(self.db, self.bus, self.know, self.clock(), hello=hello)
        self._greeted = self._greeted or (hello and stored > 0)
        return stored

    async def run(self) -> None:
        """Keep the line up and the loops going until cancelled; one that dies takes the node down loudly."""
        await self.bus.connect()
        pace = self.config.pace
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watch_line())
                group.create_task(forever("outbox", self._outbox_step, self.outbox_wake, pace.outbox_poll_s))
                group.create_task(forever("inbox", self._inbox_step, Wake(), 0.0))
                group.create_task(self._receipt_loop())
                for capability in self.capabilities:
                    for loop in capability.loops:
                        group.create_task(loop(self))
        finally:
            await self.bus.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Node"]:
        """`run` in the background for the length of the block."""
        task = asyncio.create_task(self.run())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _outbox_step(self) -> bool:
        if not self.bus.connected:
            return False
        return bool(await outbox.drain(self.db, self.bus, self.know, self.config.pace, self.clock()))

    async def _inbox_step(self) -> bool:
        if not self.bus.connected:
            await asyncio.sleep(0.2)
            return True
        await self.take(self.config.pace.fetch_s)
        return True

    async def _receipt_loop(self) -> None:
        async def step() -> bool:
            if self.bus.connected and await self.tell():
                await asyncio.sleep(self.config.pace.receipt_s)
            return False

        await forever("receipts", step, self.receipt_wake, self.config.pace.outbox_poll_s)

    async def _watch_line(self) -> None:
        """On each fresh line: say hello until the hub has stored it, and let the outbox look at once."""
        was = False
        while True:
            now = self.bus.connected
            if now != was:
                was, self.line_since, self._greeted = now, self.clock(), False
                log.info("%s line %s", self.place, "up" if now else "down")
                if now:
                    self.outbox_wake.ring()
            if now and not self._greeted:
                try:
                    await self.tell(hello=True)
                except Exception:
                    log.exception("hello failed")
            waiting = asyncio.ensure_future(self.bus.changed.wait())
            try:
                if self.bus.connected == was:
                    await asyncio.wait([waiting], timeout=5.0)
            finally:
                waiting.cancel()
