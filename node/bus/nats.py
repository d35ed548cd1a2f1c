"""The bus over JetStream: publishes in a window, reads its own durable consumers, never awaits one by one.

Its rule: one reply box for many requests. A publish is counted by its own acknowledgement (PubAck), a
fetch is one request for many, acknowledgements leave together and only the last is waited for. The hub
has made the consumers; this side may create, change or delete nothing.
"""

import asyncio
import json
import ssl
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from nats.aio.msg import Msg

from node.bus import MAX_BYTES, MAX_LINGER_S, Delivery, Flip, Mail
from node.bus.line import Box, Credentials, Line, Pace
from protocol.subjects import CAT, MAIL, Stream, consumer, inbox

MAX_IN_FLIGHT = 256
MAX_IN_FLIGHT_BYTES = 512 * 1024
"""Enough for 100 Mbit/s and 40 ms, and no more than half a minute of a village's slowest line."""
MAX_FETCH_BYTES = MAX_BYTES * 3 // 2
"""Above one largest mail with its headers; little enough that a slow line is not full for minutes."""
MSG_ID = "Nats-Msg-Id"
_SHORT_S = 0.01
_SILENT_S = 15.0
NO_MAILBOX = "枢纽尚未为本节点建立信箱"


class NatsBus:
    """The `Bus` of one place at one hub.

    `reader` is the name of the durable consumers to read; default those of the place itself.
    """

    def __init__(
        self,
        place: str,
        urls: Sequence[str],
        credentials: Credentials | None,
        *,
        reader: str | None = None,
        tls: ssl.SSLContext | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.line = Line(urls, credentials, inbox(place), tls=tls, pace=pace)
        name = reader or consumer(place)
        self._pulls: dict[Stream, _Pull] = {stream: _Pull(self.line, stream, name) for stream in (MAIL, CAT)}

    @property
    def connected(self) -> bool:
        """See Bus."""
        return self.line.connected

    @property
    def changed(self) -> Flip:
        """See Bus."""
        return self.line.changed

    @property
    def trouble(self) -> str | None:
        """See Bus."""
        return self.line.trouble

    async def connect(self) -> None:
        """See Bus."""
        self.line.start()

    async def close(self) -> None:
        """See Bus."""
        await self.line.close()

    async def publish(self, mails: Sequence[Mail]) -> list[bool]:
        """See Bus."""
        if not self.line.connected:
            return [False] * len(mails)
        return await _Window(self.line, mails).run()

    async def fetch(self, stream: Stream, batch: int, wait_s: float) -> list[Delivery]:
        """See Bus."""
        return await self._pulls[stream].fetch(batch, min(wait_s, MAX_LINGER_S))

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        """See Bus. The hub handles them in order, so its answer to the last speaks for all."""
        for delivery in deliveries[:-1]:
            if not await self.line.send(delivery.ref, b""):
                return
        if deliveries:
            await self.line.ask(deliveries[-1].ref)

    async def rewind(self, stream: Stream, *, everything: bool = False) -> bool:
        """See Bus."""
        return await self._pulls[stream].rewind(everything=everything)

    async def backlog(self, stream: Stream) -> int | None:
        """See Bus."""
        return await self._pulls[stream].backlog()


class _Window(Box):
    """One publish of many: at most so many unacknowledged at a time, one deadline for all.

    Each acknowledgement puts the deadline off: a slow line is used to its end, a silent one is given up.
    """

    def __init__(self, line: Line, mails: Sequence[Mail]) -> None:
        super().__init__()
        self._line = line
        self._mails = mails
        self._stored = [False] * len(mails)
        self._waiting: dict[str, int] = {}
        self._bytes = 0

    async def run(self) -> list[bool]:
        name = self._line.open_box(self)
        try:
            for i, mail in enumerate(self._mails):
                if not await self._room(mail):
                    return self._stored
                await self._send(i, mail, self._line.reply_to(name, i))
            while self._waiting and not self.is_cut and await self._progress():
                pass
        finally:
            self._line.close_box(name)
        return self._stored

    async def _room(self, mail: Mail) -> bool:
        """Wait until the window has room for `mail`; False after a silence or a cut."""
        while self._waiting and (
            len(self._waiting) >= MAX_IN_FLIGHT or self._bytes + len(mail.data) > MAX_IN_FLIGHT_BYTES
        ):
            if self.is_cut or not await self._progress():
                return False
        return not self.is_cut

    async def _progress(self) -> bool:
        return await self.wait(asyncio.get_running_loop().time() + self._line.pace.publish_s)

    async def _send(self, i: int, mail: Mail, reply: str) -> None:
        self._waiting[str(i)] = i
        self._bytes += len(mail.data)
        headers = {MSG_ID: mail.msg_id} if mail.msg_id else None
        if not await self._line.send(mail.subject, mail.data, reply, headers):
            self._settle(str(i))

    def _settle(self, token: str) -> int | None:
        """The place of a mail that is waited for no more; None if it was not waited for."""
        i = self._waiting.pop(token, None)
        if i is not None:
            self._bytes -= len(self._mails[i].data)
            self.wake()
        return i

    def take(self, token: str, msg: Msg) -> None:
        i = self._settle(token)
        if i is not None:
            self._stored[i] = _is_stored(msg)

    def refused(self, subject: str) -> None:
        for token, i in list(self._waiting.items()):
            if self._mails[i].subject.lower() == subject:
                self._settle(token)


def _is_stored(msg: Msg) -> bool:
    """Whether a reply to a publish is the acknowledgement of a stream, and no error."""
    if not msg.data:
        return False
    try:
        ack = json.loads(msg.data)
    except ValueError:
        return False
    return isinstance(ack, dict) and "error" not in ack and isinstance(ack.get("seq"), int)


class _Pull(Box):
    """The reading of one durable consumer: what has arrived, and requests for more."""

    def __init__(self, line: Line, stream: Stream, name: str) -> None:
        super().__init__()
        self._line = line
        self._stream = stream
        self._name = name
        self._box = line.open_box(self)
        line.readers[stream] = self
        self._lock = asyncio.Lock()
        self._arrived: list[Delivery] = []
        self._session = 0
        self._request = 0
        self._left = 0
        """How many more the open request may bring; 0 if none is open."""
        self._heard_at = 0.0
        self._ended: str | None = None

    async def fetch(self, batch: int, wait_s: float) -> list[Delivery]:
        """One at a time. On a slow line a request may bring its mail over several fetches."""
        async with self._lock:
            until = asyncio.get_running_loop().time() + wait_s
            if not await self._line.until_connected(until):
                return []
            await self._begin()
            if not self._arrived and self._is_coming():
                while self._left and not self._arrived and not self.is_cut and await self.wait(until):
                    pass
            elif not self._arrived:
                await self._pull(batch, wait_s)
                while self._is_refused() and await self._pause(until):
                    await self._pull(batch, until - asyncio.get_running_loop().time())
            got, self._arrived = self._arrived[:batch], self._arrived[batch:]
            return got

    def _is_coming(self) -> bool:
        """Whether an earlier request is still bringing mail; a silent one is given up."""
        return self._left > 0 and asyncio.get_running_loop().time() - self._heard_at < _SILENT_S

    async def _begin(self) -> None:
        """After a new connection: forget what came by the old one and have it delivered again."""
        if self._session == self._line.session:
            return
        self._session = self._line.session
        self.is_cut = False
        self._left = 0
        self._arrived.clear()
        info = await self._info()
        if info is not None and info["num_ack_pending"]:
            await self._reset(0)

    async def _pull(self, batch: int, wait_s: float) -> None:
        """One request for what is there, or else for the first to come within `wait_s`.

        Both flags together do that in one round trip: the server sends what it has, at once or as soon
        as there is something, and closes with 404; with nothing until the end, 408.
        """
        self._request += 1
        self._ended = None
        request: dict[str, object] = {"batch": batch, "no_wait": True, "max_bytes": MAX_FETCH_BYTES}
        if wait_s > _SHORT_S:
            request["expires"] = int(wait_s * 1e9)
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{self._name}"
        reply = self._line.reply_to(self._box, self._request)
        self._heard_at = asyncio.get_running_loop().time()
        if await self._line.send(subject, json.dumps(request).encode(), reply):
            self._left = batch
        until = self._heard_at + wait_s + self._line.pace.reply_s
        while self._left and not self.is_cut and await self.wait(until):
            pass

    def _is_refused(self) -> bool:
        """Whether the last request ended because the hub has no such consumer, or no leader for it yet."""
        refused = not self._arrived and self._ended not in (None, "404", "408")
        if refused:
            self._line.trouble = NO_MAILBOX
        elif self._line.trouble == NO_MAILBOX:
            self._line.trouble = None
        return refused

    async def _pause(self, until: float) -> bool:
        """A second between refused requests; False when `until` or a change of the line comes first."""
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0), asyncio.timeout_at(until):
                await self._line.changed.wait()
            return False
        return asyncio.get_running_loop().time() < until

    def take(self, token: str, msg: Msg) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        if not token:
            self._arrived.append(_delivery(msg))
            self._left = max(0, self._left - 1)
        elif token == str(self._request):
            self._ended = (msg.headers or {}).get("Status", "?")
            self._left = 0
        self.wake()

    async def rewind(self, *, everything: bool) -> bool:
        async with self._lock:
            self._arrived.clear()
            self._left = 0
            return await self._reset(1 if everything else 0)

    async def _reset(self, sequence: int) -> bool:
        """Move the consumer back to `sequence`; 0: to the first that is not acknowledged.

        The server leaves a reset of a consumer it does not have unanswered, so ask for that first.
        """
        if await self._info() is None:
            return False
        subject = f"$JS.API.CONSUMER.RESET.{self._stream}.{self._name}"
        answer = await self._line.ask_json(subject, {"seq": sequence} if sequence else None)
        return isinstance(answer, dict) and "error" not in answer

    async def _info(self) -> dict[str, Any] | None:
        """What the server says of our consumer; None if it has none or does not answer."""
        answer = await self._line.ask_json(f"$JS.API.CONSUMER.INFO.{self._stream}.{self._name}")
        return answer if isinstance(answer, dict) and "error" not in answer else None

    async def backlog(self) -> int | None:
        info = await self._info()
        return None if info is None else int(info["num_pending"]) + int(info["num_ack_pending"])


def _delivery(msg: Msg) -> Delivery:
    """The delivery in a message; its time is in the acknowledgement subject, in nanoseconds."""
    tokens = msg.reply.split(".")
    nanos = int(tokens[7] if len(tokens) == 9 else tokens[9])
    sent = datetime.fromtimestamp(nanos / 1e9, UTC)
    return Delivery(msg.subject, msg.data, sent, msg.reply, (msg.headers or {}).get(MSG_ID, ""))
