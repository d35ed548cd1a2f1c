"""What came, opened: parcels into verified events, receipts, and what cannot be believed.

Pure work, no database: it may run beside the loop. What is not genuine is set aside whole; a genuine event that
its sender had no power to say keeps its number and goes to no handler.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from node.exchange.aside import Unbelievable
from node.exchange.model import EventState
from node.work import Knowledge
from protocol import receipts, subjects
from protocol.certificates import Certificate
from protocol.envelope import Event, Statement
from protocol.errors import EnvelopeError, ProtocolError
from protocol.receipts import Receipt
from protocol.verify import Refused, Verified, open_parcel

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Arrival:
    """A verified event on its way into this node; a handler may leave it waiting or set it aside."""

    verified: Verified
    seq: int
    state: EventState = EventState.APPLIED
    rule: str = ""
    reason: str = ""
    event: Event = field(init=False)
    """The event, known to be genuine."""

    def __post_init__(self) -> None:
        self.event = self.verified.event

    @property
    def statement(self) -> Statement:
        """What signs it."""
        return self.verified.statement

    def wait(self, reason: str) -> None:
        """Leave it in its lane until something else has come."""
        self.state, self.rule, self.reason = EventState.WAITING, "", reason

    def quarantine(self, rule: str, reason: str) -> None:
        """Set it aside with the rule it broke; its sender will be told."""
        self.state, self.rule, self.reason = EventState.QUARANTINED, rule, reason


@dataclass(frozen=True, slots=True)
class Barred:
    """A genuine event that its sender had no power to say, or not to us: it takes its number and goes to no handler."""

    event: Event
    statement: Statement
    seq: int
    rule: str
    reason: str
    state: EventState = EventState.QUARANTINED


Entry = Arrival | Barred
"""What takes a number in its sender's channel to us."""


@dataclass(slots=True)
class Batch:
    """What some deliveries held, opened."""

    arrivals: list[Arrival] = field(default_factory=list)
    barred: list[Barred] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    unbelievable: list[Unbelievable] = field(default_factory=list)
    admitted: list[Certificate] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message as it came, by whatever road; `subject` is "" when it came without one (file, HTTPS)."""

    subject: str
    data: bytes


PORTION = 512 * 1024
"""Bytes of mail applied in one transaction: some 700 steps of cases, a tenth of a second of writing."""


def portions(incoming: Iterable[Incoming]) -> Iterator[list[Incoming]]:
    """What came, in its order, in portions of about `PORTION`: an officer's act never waits for a whole backlog."""
    part: list[Incoming] = []
    size = 0
    for one in incoming:
        if part and size + len(one.data) > PORTION:
            yield part
            part, size = [], 0
        part.append(one)
        size += len(one.data)
    if part:
        yield part


def examine(incoming: Iterable[Incoming], know: Knowledge, now: datetime) -> Batch:
    """Open what came: arrivals with their quarantined siblings, receipts, and what cannot be believed."""
    batch = Batch()
    known = {one.fingerprint for one in know.ring}
    for one in incoming:
        source, lane = "", subjects.Lane.CASE
        try:
            if one.subject:
                lane, _, source = subjects.parse_mail(one.subject)
            if lane is subjects.Lane.RCPT:
                batch.receipts.append(receipts.read(one.data, know.ring, know.place, source or None))
            else:
                _open(batch, one, source, know, now)
            continue
        except EnvelopeError as wrong:
            rule, reason = wrong.rule, str(wrong)
        except (ProtocolError, ValueError) as wrong:
            rule, reason = "P-0", str(wrong)
        except Exception as defect:
            log.exception("a message from %s cannot be opened", source or "a file")
            rule, reason = "N-1", f"本节点打开时出错：{type(defect).__name__}"
        answered = lane is not subjects.Lane.RCPT
        batch.unbelievable.append(Unbelievable(one.data, source, one.subject, rule, reason, answered))
    new = [one for one in know.ring if one.fingerprint not in known]
    batch.admitted = list({one.fingerprint: one for one in (*batch.admitted, *new)}.values())
    return batch


def _open(batch: Batch, one: Incoming, source: str, know: Knowledge, now: datetime) -> None:
    opened = open_parcel(one.data, know.ring, know.place, now, source or None)
    for verified in opened.verified:
        batch.arrivals.append(Arrival(verified, verified.event.seq_for(know.place) or 0))
    batch.admitted += opened.attached
    for refused in opened.refused:
        barred = _barred(refused, opened.statement, know.place)
        if barred is not None:
            batch.barred.append(barred)
        else:
            batch.unbelievable.append(
                Unbelievable(refused.line, opened.statement.frm, one.subject, refused.rule, refused.reason)
            )


BARRED = frozenset(("P-10", "P-11", "P-12"))
"""Rules whose breach does not put in doubt who spoke, nor under which number."""


def _barred(refused: Refused, statement: Statement, me: str) -> Barred | None:
    """The refused event as an entry of its sender's channel to us, if it has a number there."""
    event = refused.event
    if event is None or refused.rule not in BARRED or event.frm != statement.frm:
        return None
    seq = event.seq_for(me)
    return None if seq is None else Barred(event, statement, seq, refused.rule, refused.reason)


def beyond_us(one: Incoming, defect: Exception) -> Unbelievable:
    """A message that shows up a defect of ours."""
    lane, source = subjects.Lane.CASE, ""
    with suppress(ValueError):
        lane, _, source = subjects.parse_mail(one.subject)
    reason = f"本节点存入时出错：{type(defect).__name__}"
    answered = lane is not subjects.Lane.RCPT
    return Unbelievable(one.data, source, one.subject, "N-1", reason, answered)
