"""收件箱: what comes in is verified, freed of repeats and applied in one transaction, then acknowledged.

1. `examine` opens parcels and receipts: pure work, no database. What is not genuine is set aside whole.
2. `Inbox.take_in` drops what is here already, lets the handlers apply the rest in batches, stores every event
   with its state and the channels with their gaps, all in one transaction.
3. Only after that commit are the deliveries acknowledged. A crash before it brings them again.
An event that cannot be applied is a *fact*: a row with its rule and reason, told to the sender in the next
receipt. It blocks its own case and nothing else.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import insert, select, update

from node.config import Pace
from node.db import insert_all, insert_ignore, table_of, upsert
from node.exchange import outbox
from node.exchange.model import (
    CertificateRow,
    ChannelRow,
    EventRow,
    EventState,
    QuarantineRow,
    StatementRow,
)
from node.work import Knowledge, Work
from protocol import receipts, subjects
from protocol.certificates import Certificate
from protocol.envelope import Event
from protocol.errors import EnvelopeError, ProtocolError
from protocol.receipts import Receipt
from protocol.verify import Verified, open_parcel

log = logging.getLogger(__name__)

KEEP_RAW = 64 * 1024
"""How much of an unbelievable message is kept."""


@dataclass(slots=True)
class Arrival:
    """A verified event on its way into this node; a handler may leave it waiting or set it aside."""

    verified: Verified
    seq: int
    state: EventState = EventState.APPLIED
    rule: str = ""
    reason: str = ""

    @property
    def event(self) -> Event:
        """The event, known to be genuine."""
        return self.verified.event

    def wait(self, reason: str) -> None:
        """Leave it in its lane until something else has come."""
        self.state, self.rule, self.reason = EventState.WAITING, "", reason

    def quarantine(self, rule: str, reason: str) -> None:
        """Set it aside with the rule it broke; its sender will be told."""
        self.state, self.rule, self.reason = EventState.QUARANTINED, rule, reason


Handler = Callable[[Work, Sequence[Arrival]], None]
"""Applies verified events of its kinds, in the order they came; never raises for a bad one."""


@dataclass(slots=True)
class Unbelievable:
    """Bytes that are not genuine, with whom the transport named."""

    raw: bytes
    source: str
    subject: str
    rule: str
    reason: str


@dataclass(slots=True)
class Batch:
    """What some deliveries held, opened."""

    arrivals: list[Arrival] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    unbelievable: list[Unbelievable] = field(default_factory=list)
    admitted: list[Certificate] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message as it came, by whatever road; `subject` is "" when it came without one (file, HTTPS)."""

    subject: str
    data: bytes


CHUNK = 500
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
        source = ""
        try:
            lane = subjects.Lane.CASE
            if one.subject:
                lane, _, source = subjects.parse_mail(one.subject)
            if lane is subjects.Lane.RCPT:
                batch.receipts.append(receipts.read(one.data, know.ring, know.place, source or None))
            else:
                _open(batch, one, source, know, now)
        except (ProtocolError, ValueError) as wrong:
            rule = wrong.rule if isinstance(wrong, EnvelopeError) else "P-0"
            batch.unbelievable.append(Unbelievable(one.data, source, one.subject, rule, str(wrong)))
    batch.admitted = [one for one in know.ring if one.fingerprint not in known]
    return batch


def _open(batch: Batch, one: Incoming, source: str, know: Knowledge, now: datetime) -> None:
    opened = open_parcel(one.data, know.ring, know.place, now, source or None)
    for verified in opened.verified:
        batch.arrivals.append(Arrival(verified, verified.event.seq_for(know.place) or 0))
    for refused in opened.refused:
        batch.unbelievable.append(
            Unbelievable(refused.line, opened.statement.frm, one.subject, refused.rule, refused.reason)
        )


class Inbox:
    """Applies batches with the handlers of a node's capabilities."""

    def __init__(self, handlers: Mapping[str, Handler], pace: Pace) -> None:
        self._handlers = handlers
        self._pace = pace

    def take_in(self, work: Work, batch: Batch) -> None:
        """Apply a batch inside one transaction; see the module's steps."""
        for admitted in batch.admitted:
            row = {"fingerprint": admitted.fingerprint, "place": admitted.place, "line": admitted.line}
            insert_ignore(work.session, CertificateRow, [row])
        for receipt in batch.receipts:
            outbox.hear(work, receipt, self._pace)
        if batch.unbelievable:
            set_aside(work, batch.unbelievable)
        if batch.arrivals:
            self._apply(work, batch.arrivals)

    def _apply(self, work: Work, arrivals: list[Arrival]) -> None:
        channels = _Channels(work, arrivals)
        fresh = channels.without_repeats()
        for handler, group in self._grouped(fresh):
            self._handle(work, handler, group)
        statements = {one.verified.statement.hash: one.verified.statement.line for one in fresh}
        insert_ignore(
            work.session, StatementRow, [{"hash": name, "line": line} for name, line in statements.items()]
        )
        insert_all(work.session, EventRow, [_row(one, work.now) for one in fresh])
        channels.store(fresh)

    def _grouped(self, arrivals: list[Arrival]) -> Iterable[tuple[Handler, list[Arrival]]]:
        groups: dict[Handler, list[Arrival]] = {}
        for one in arrivals:
            handler = self._handlers.get(one.event.kind)
            if handler is None:
                one.quarantine("P-14", f"本节点不办理 {one.event.kind}")
            else:
                groups.setdefault(handler, []).append(one)
        return groups.items()

    def _handle(self, work: Work, handler: Handler, group: list[Arrival]) -> None:
        """All at once; if a defect of ours shows up, one by one, so that only the culprit stands aside."""
        try:
            with work.session.begin_nested():
                handler(work, group)
        except Exception:
            log.exception("a handler failed on %d events; trying one by one", len(group))
            for one in group:
                self._handle_alone(work, handler, one)

    def _handle_alone(self, work: Work, handler: Handler, one: Arrival) -> None:
        one.state, one.rule, one.reason = EventState.APPLIED, "", ""
        try:
            with work.session.begin_nested():
                handler(work, [one])
        except Exception as defect:
            log.exception("event %s of %s cannot be applied", one.event.id, one.event.frm)
            one.quarantine("N-1", f"本节点处理出错：{type(defect).__name__}")


def _row(one: Arrival, now: datetime) -> dict[str, Any]:
    event = one.event
    return {
        "frm": event.frm,
        "ep": event.ep,
        "ord": one.seq,
        "hash": event.hash,
        "kind": event.kind,
        "case_no": event.case.no if event.case else _text(event.body.get("no")),
        "n": event.case.n if event.case else None,
        "cat": event.cat,
        "statement": one.verified.statement.hash,
        "state": one.state,
        "rule": one.rule,
        "reason": one.reason,
        "raw": event.raw,
        "at": now,
    }


def _text(value: object) -> str | None:
    return value[:50] if isinstance(value, str) else None


class _Channels:
    """The channels a batch touches: which numbers are here, which are new, where the gaps are."""

    def __init__(self, work: Work, arrivals: list[Arrival]) -> None:
        self._work = work
        self._arrivals = arrivals
        self._numbers: dict[tuple[str, str], list[int]] = defaultdict(list)
        for one in arrivals:
            self._numbers[one.event.frm, one.event.ep].append(one.seq)
        self._known = self._channels()

    def _channels(self) -> dict[tuple[str, str], tuple[int, int]]:
        """(upto, highest) of what is known of these senders."""
        channel = table_of(ChannelRow).c
        columns = (channel.frm, channel.ep, channel.upto, channel.highest)
        senders = sorted({frm for frm, _ in self._numbers})
        found: dict[tuple[str, str], tuple[int, int]] = {}
        for at in range(0, len(senders), CHUNK):
            query = select(*columns).where(channel.frm.in_(senders[at : at + CHUNK]))
            found |= {(row.frm, row.ep): (row.upto, row.highest) for row in self._work.session.execute(query)}
        return found

    def without_repeats(self) -> list[Arrival]:
        """The arrivals that are not here yet; a second meaning for a number is set aside, the first stands."""
        here: dict[tuple[str, str, int], str] = {}
        for (frm, ep), numbers in self._numbers.items():
            _, highest = self._known.get((frm, ep), (0, 0))
            if min(numbers) <= highest:  # above it nothing of this channel can be here
                here |= {(frm, ep, number): name for number, name in self._stored(frm, ep, numbers)}
        fresh: list[Arrival] = []
        for one in self._arrivals:
            key = (one.event.frm, one.event.ep, one.seq)
            if key not in here:
                here[key] = one.event.hash
                fresh.append(one)
            elif here[key] != one.event.hash:
                set_aside(self._work, [_conflict(one)])
        return fresh

    def _stored(self, frm: str, ep: str, numbers: list[int]) -> Iterable[tuple[int, str]]:
        event = table_of(EventRow).c
        query = select(event.ord, event.hash).where(
            event.frm == frm, event.ep == ep, event.ord.between(min(numbers), max(numbers))
        )
        return [(row.ord, row.hash) for row in self._work.session.execute(query)]

    def store(self, fresh: list[Arrival]) -> None:
        """Move each channel's contiguous end, and mark it for a receipt (repeats too: the sender missed ours)."""
        came: dict[tuple[str, str], set[int]] = defaultdict(set)
        for one in fresh:
            came[one.event.frm, one.event.ep].add(one.seq)
        rows = []
        for frm, ep in self._numbers:
            upto, highest = self._known.get((frm, ep), (0, 0))
            numbers = came[frm, ep]
            if highest > upto:
                numbers = self._above(frm, ep, upto)
            while upto + 1 in numbers:
                upto += 1
            rows.append(
                {
                    "frm": frm,
                    "ep": ep,
                    "upto": upto,
                    "highest": max(highest, *self._numbers[frm, ep]),
                    "changes": 1,
                    "last_at": self._work.now,
                }
            )
        upsert(
            self._work.session,
            ChannelRow,
            rows,
            ["frm", "ep"],
            ["upto", "highest", "last_at"],
            add=["changes"],
        )

    def _above(self, frm: str, ep: str, upto: int) -> set[int]:
        event = table_of(EventRow).c
        found = self._work.session.execute(
            select(event.ord).where(event.frm == frm, event.ep == ep, event.ord > upto)
        ).scalars()
        return set(found)


def _conflict(one: Arrival) -> Unbelievable:
    reason = f"第 {one.seq} 号已有另一个事件（对方的数据库可能被回退）"
    return Unbelievable(one.event.raw, one.event.frm, "", "P-15", reason)


def set_aside(work: Work, found: Sequence[Unbelievable]) -> None:
    """Keep what cannot be believed, once, with how often and when it came."""
    quarantine = table_of(QuarantineRow)
    for one in found:
        name = sha256(one.raw).hexdigest()
        again = work.session.connection().execute(
            update(quarantine)
            .where(quarantine.c.sha == name)
            .values(times=quarantine.c.times + 1, last_at=work.now, told=False)
        )
        if not again.rowcount:
            work.session.execute(
                insert(quarantine).values(
                    sha=name,
                    source=one.source,
                    subject=one.subject[:200],
                    rule=one.rule,
                    reason=one.reason[:500],
                    raw=one.raw[:KEEP_RAW],
                    times=1,
                    first_at=work.now,
                    last_at=work.now,
                    told=False,
                )
            )
