"""A line (线路) to a hub: one nats-py connection after another, for ever, until it is closed.

Its rule: whoever waits on the line learns at once when it breaks, and nothing here waits without an end.
nats-py does the wire, the handshake and the pings; keeping the line up is done here, with a fresh client
for each attempt, because a client that restores itself (nats-py 2.16)

- closes for good on some errors of the server, with unlimited reconnects too;
- waits for its unsent bytes when it closes, which a black hole never takes;
- leaves pending requests and lingering fetches unanswered across a reconnect;
- buffers what is published meanwhile, as if it had been sent.
"""

import asyncio
import base64
import json
import random
import secrets
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import UnexpectedEOF
from nats.protocol.parser import Parser

from node.bus import Flip
from node.bus.nkeys import sign

_HANDSHAKE_STEPS = 3


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a hub knows a client by: the user JWT it was given, and the seed of its key."""

    jwt: str
    seed: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient a line is, in seconds."""

    ping_s: float = 15.0
    """A peer that leaves one ping unanswered until the next is taken for dead: after 15 to 30 s."""
    connect_s: float = 5.0
    retry_s: float = 0.1
    retry_max_s: float = 5.0
    reply_s: float = 5.0
    publish_s: float = 20.0
    """A publish is given up after so long without any acknowledgement."""


class Box:
    """Where the replies to one kind of request arrive; woken by each reply, by refusals and by a cut."""

    def __init__(self) -> None:
        self.is_cut = False
        self._moved = asyncio.Event()

    def take(self, token: str, msg: Msg) -> None:
        """One reply; `token` is what the request added to the box's subject."""
        raise NotImplementedError

    def refused(self, subject: str) -> None:
        """The server refused a publish on `subject` (in lower case)."""

    def wake(self) -> None:
        """Let the waiting look again."""
        self._moved.set()

    async def wait(self, until: float) -> bool:
        """Whether something moved before `until`, in loop time."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await self._moved.wait()
        moved = self._moved.is_set()
        self._moved.clear()
        return moved


class _Ear(Parser):
    """nats-py's parser that counts every byte as a sign of life: on a slow line the pong waits behind them."""

    async def parse(self, data: bytes = b"") -> None:
        """Take in what arrived."""
        self.nc.heard()
        await super().parse(data)


class _Client(Client):
    """nats-py's client that tells of its end, however it ends, and leaves the mending to the line."""

    def __init__(self, line: "Line") -> None:
        super().__init__()
        self._ps = _Ear(self)
        self.lost = asyncio.Event()
        self._line = line

    async def _process_op_err(self, e: Exception) -> None:
        self._line.note(e)
        self.lost.set()

    async def _process_err(self, err_msg: str) -> None:
        if "permissions violation" in err_msg:
            self._line.refused(err_msg.strip("'"))
        else:
            await self._process_op_err(NatsError(err_msg.strip("'")))

    def heard(self) -> None:
        """The peer lives, answered ping or not."""
        self._pings_outstanding = 0

    async def hang_up(self) -> None:
        """Close without waiting for a peer that may never answer."""
        if self._flush_queue is None:  # it never began to connect
            return
        writer = getattr(self._transport, "_io_writer", None)
        if writer is not None:
            writer.transport.abort()
        self._pending.clear()
        self._pending_data_size = 0
        with suppress(OSError, NatsError):
            await self.close()


class Line:
    """One client's line to one hub; `urls` are the servers of the hub, any of which will do."""

    def __init__(
        self,
        urls: Sequence[str],
        credentials: Credentials | None,
        inbox: str,
        *,
        tls: ssl.SSLContext | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.changed = Flip()
        self.trouble: str | None = "尚未接通"
        self.pace = pace or Pace()
        self.session = 0
        """Counts the connections made; what belonged to an earlier one is void."""
        self.readers: dict[str, Box] = {}
        """Who takes what the consumers of a stream deliver."""
        self._urls = list(urls)
        self._credentials = credentials
        self._prefix = inbox
        self._inbox = inbox
        self._tls = tls
        self._client: _Client | None = None
        self._boxes: dict[str, Box] = {}
        self._next_box = 0
        self._closing = False
        self._keeper: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        """Whether the hub answers now."""
        return self._client is not None

    def start(self) -> None:
        """Begin to keep the line up."""
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep(), name=f"line {self._prefix}")

    async def close(self) -> None:
        """Send what is still to be sent, for a second or two at most, and hang up."""
        client = self._client
        if client is not None:
            with suppress(NatsError, OSError):
                await client.flush(timeout=1)  # its ping overtakes what is pending
                await client.flush(timeout=1)
        self._closing = True
        keeper, self._keeper = self._keeper, None
        while keeper is not None and not keeper.done():  # nats-py swallows a cancellation here and there
            keeper.cancel()
            await asyncio.wait([keeper], timeout=0.5)

    async def until_connected(self, until: float) -> bool:
        """Whether the line is up before `until`, in loop time."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                while not self.connected:
                    await self.changed.wait()
        return self.connected

    def open_box(self, box: Box) -> str:
        """The name of `box` on this line, for `reply_to` and `close_box`."""
        self._next_box += 1
        name = str(self._next_box)
        self._boxes[name] = box
        return name

    def close_box(self, name: str) -> None:
        """Let go of a box."""
        self._boxes.pop(name, None)

    def reply_to(self, name: str, token: object) -> str:
        """The subject on which a reply reaches a box's `take` with this token, over this connection only."""
        return f"{self._inbox}.{name}.{token}"

    async def send(
        self, subject: str, payload: bytes, reply: str = "", headers: Mapping[str, str] | None = None
    ) -> bool:
        """Write one message to the line; False if it is down. Says nothing about its arrival."""
        client = self._client
        if client is None:
            return False
        try:
            await client.publish(subject, payload, reply=reply, headers=dict(headers) if headers else None)
        except (NatsError, OSError) as error:
            self.note(error)
            return False
        except RuntimeError:  # uvloop's word for a transport that has closed; why, the reading side will say
            return False
        return True

    async def ask(self, subject: str, payload: bytes = b"", wait_s: float | None = None) -> Msg | None:
        """The reply to one request; None if none came in time or the line broke."""
        box = _Ask(subject)
        name = self.open_box(box)
        until = asyncio.get_running_loop().time() + (self.pace.reply_s if wait_s is None else wait_s)
        try:
            if await self.send(subject, payload, self.reply_to(name, 0)):
                while box.reply is None and not box.is_cut and await box.wait(until):
                    pass
        finally:
            self.close_box(name)
        return box.reply

    async def ask_json(self, subject: str, body: object = None, wait_s: float | None = None) -> Any:
        """The JSON of a reply to a JSON request; None if none came."""
        payload = b"" if body is None else json.dumps(body).encode()
        reply = await self.ask(subject, payload, wait_s)
        return json.loads(reply.data) if reply is not None and reply.data else None

    def note(self, error: Exception) -> None:
        """Remember what went wrong, in words for people; a refusal outlives the hang-up that follows it."""
        hung_up = isinstance(error, ConnectionResetError | BrokenPipeError | UnexpectedEOF)
        if not (hung_up and self.trouble in _REFUSALS):
            self.trouble = _in_words(error)

    def refused(self, message: str) -> None:
        """The server said that this client may not do something."""
        self.trouble = f"枢纽拒绝：{message}"
        subject = message.partition('"')[2].partition('"')[0]
        for box in list(self._boxes.values()):
            box.refused(subject)

    async def _keep(self) -> None:
        """Dial, watch, dial again; a pause that doubles and scatters between failures."""
        pause_s = self.pace.retry_s
        while not self._closing:
            client = _Client(self)
            try:
                async with asyncio.timeout(self.pace.connect_s * _HANDSHAKE_STEPS):
                    await self._dial(client)
                self._set(client)
                pause_s = self.pace.retry_s
                await client.lost.wait()
            except (NatsError, OSError, TimeoutError) as error:
                self.note(error)
            finally:
                self._set(None)
                await client.hang_up()
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311
            pause_s = min(pause_s * 2, self.pace.retry_max_s)

    async def _dial(self, client: _Client) -> None:
        """One attempt at each server; NatsError or OSError if none takes us."""
        options: dict[str, Any] = {
            "allow_reconnect": False,
            "max_reconnect_attempts": 1,
            "reconnect_time_wait": 0.05,
            "connect_timeout": self.pace.connect_s,
            "ping_interval": self.pace.ping_s,
            "max_outstanding_pings": 1,
            "pending_size": 0,  # nothing is kept for a line that is down
        }
        credentials = self._credentials
        if credentials is not None:
            options["user_jwt_cb"] = credentials.jwt.encode
            options["signature_cb"] = lambda nonce: base64.b64encode(sign(credentials.seed, nonce.encode()))
        if self._tls is not None:  # before the first byte, so that nobody can talk us out of it
            options |= {"tls": self._tls, "tls_handshake_first": True}
        name = self._prefix.removeprefix("_INBOX_")
        await client.connect(self._urls, error_cb=self._heard, name=name, **options)
        # New for each connection: a request of the last one finds nobody listening.
        self._inbox = f"{self._prefix}.{secrets.token_hex(8)}"
        await client.subscribe(f"{self._inbox}.>", cb=self._arrived)

    async def _heard(self, error: Exception) -> None:
        self.note(error)

    async def _arrived(self, msg: Msg) -> None:
        """Hand a reply to its box. What a consumer delivers comes under its own subject: see `readers`."""
        if msg.subject.startswith(self._inbox):
            name, _, token = msg.subject[len(self._inbox) + 1 :].partition(".")
            box = self._boxes.get(name)
        else:
            token, box = "", self.readers.get(acknowledges(msg.reply))
        if box is not None:
            box.take(token, msg)

    def _set(self, client: _Client | None) -> None:
        """The line is up with this client, or down."""
        if (client is None) == (self._client is None):
            return
        self._client = client
        if client is not None:
            self.session += 1
            self.trouble = None
        else:
            for box in self._boxes.values():
                box.is_cut = True
                box.wake()
        self.changed.fire()


class _Ask(Box):
    """One request and its reply."""

    def __init__(self, subject: str) -> None:
        super().__init__()
        self.reply: Msg | None = None
        self._subject = subject.lower()

    def take(self, token: str, msg: Msg) -> None:  # noqa: ARG002
        self.reply = msg
        self.wake()

    def refused(self, subject: str) -> None:
        if subject == self._subject:
            self.is_cut = True
            self.wake()


def acknowledges(reply: str) -> str:
    """The stream whose delivery a reply subject acknowledges; empty if it is none.

    $JS.ACK.<stream>.<consumer>.<5 numbers>, or with domain and account hash before the stream.
    """
    tokens = reply.split(".")
    if tokens[:2] != ["$JS", "ACK"] or len(tokens) < 9:
        return ""
    return tokens[2] if len(tokens) == 9 else tokens[4]


_REFUSALS = ("枢纽不认可本节点的凭证", "本节点的凭证已被吊销", "本节点的凭证已过期")
_WORDS = {
    "authorization violation": _REFUSALS[0],
    "revoked": _REFUSALS[1],
    "expired": _REFUSALS[2],
    "stale connection": "枢纽无应答，线路已断",
    "unexpected eof": "枢纽断开了连接",
}


def _in_words(error: Exception) -> str:
    text = str(error) or type(error).__name__
    for mark, words in _WORDS.items():
        if mark in text.lower():
            return words
    if isinstance(error, TimeoutError):
        return "连接枢纽超时"
    return f"连不上枢纽：{text}" if isinstance(error, OSError) else f"线路出错：{text}"
