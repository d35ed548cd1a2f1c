"""The bus (总线): how bytes travel between a node and its hub (枢纽). The port; two implementations keep it.

Its rule: a bad line is a wait, never an exception. What could not be handed to the hub is answered with
False, what could not be read is an empty list, and the caller's database still holds everything. An
implementation promises, and tests/contract/test_bus.py checks:

- `publish` says True only for mail the hub has stored, and keeps the order of one call while the line holds;
- mail above MAX_BYTES, or on a subject that is not ours, is answered False and holds up no other;
- mail with a `msg_id` the hub already has is stored once, and True;
- what was delivered and not acknowledged is delivered again, at the latest when the line is back;
- what was acknowledged is not, unless the line broke before the hub heard it: readers drop repeats.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from protocol.subjects import Stream

__all__ = ["MAX_BYTES", "MAX_LINGER_S", "Bus", "Delivery", "Flip", "Mail"]

MAX_BYTES = 512 * 1024
"""A hub takes no more in one piece: twice the largest parcel."""

MAX_LINGER_S = 5.0
"""A fetch never waits longer than this for the first message."""


@dataclass(frozen=True, slots=True)
class Mail:
    """Bytes to hand to the hub. `msg_id` names them: the hub drops a repeat for two minutes."""

    subject: str
    data: bytes
    msg_id: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """Bytes from the hub, to be acknowledged once they are safe in our database.

    `sent` is when the hub stored them, by its clock; `ref` is how to acknowledge.
    """

    subject: str
    data: bytes
    sent: datetime | None
    ref: str
    msg_id: str = ""


class Flip:
    """A change that many may wait for: `wait()` returns at the next `fire()`, for everyone waiting."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def fire(self) -> None:
        """Wake all who wait now."""
        fired, self._next = self._next, asyncio.Event()
        fired.set()

    async def wait(self) -> None:
        """Return at the next change; look at the state first, then wait."""
        await self._next.wait()


class Bus(Protocol):
    """One node's line to one hub."""

    @property
    def connected(self) -> bool:
        """Whether the hub answers now."""

    @property
    def changed(self) -> Flip:
        """Fires whenever `connected` flips."""

    @property
    def trouble(self) -> str | None:
        """The last problem in one short sentence for people; None when all is well."""

    async def connect(self) -> None:
        """Begin to keep the line up, for ever and in the background; returns at once."""

    async def close(self) -> None:
        """Give the line up for good."""

    async def publish(self, mails: Sequence[Mail]) -> list[bool]:
        """For each mail whether the hub has stored it; given up together when the hub falls silent."""

    async def fetch(self, stream: Stream, batch: int, wait_s: float) -> list[Delivery]:
        """Up to `batch` of what waits for us on `stream`, in order.

        As soon as anything is there it returns with what is there; if nothing comes, or the line is
        down, it returns empty after `wait_s` (at most MAX_LINGER_S).
        """

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Tell the hub that these are safe with us; what a cut line swallows comes again."""

    async def rewind(self, stream: Stream, *, everything: bool = False) -> bool:
        """Have all that is not acknowledged delivered again at once, in order; whether the hub did.

        With `everything`, all that the stream still holds for us: for CAT, the whole catalogue anew.
        """

    async def backlog(self, stream: Stream) -> int | None:
        """How many wait for us on `stream`, those being worked on included; None if unknown."""
