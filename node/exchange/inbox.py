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
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import delete, insert, select, update

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
from node.writer import passing
from protocol import receipts, subjects
from protocol.certificates import Certificate
from protocol.envelope import Event, Statement
from protocol.errors import EnvelopeError, ProtocolError
from protocol.receipts import Receipt
from protocol.verify import Refused, Verified, open_parcel

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


Handler = Callable[[Work, Sequence[Arrival]], None]
"""Applies verified events of its kinds, in the order they came; never raises for a bad one."""


Entry = Arrival | Barred
"""What takes a number in its sender's channel to us."""


@dataclass(slots=True)
class Unbelievable:
    """Bytes that are not genuine, with whom the transport named."""

    raw: bytes
    source: str
    subject: str
    rule: str
    reason: str
    answered: bool = True
    """Whether its source is told. A receipt is never answered, else two strangers would argue for ever."""


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
        if strays := [one for one in batch.arrivals if not one.seq]:
            set_aside(work, [_stray(one) for one in strays])
        entries: list[Entry] = [*(one for one in batch.arrivals if one.seq), *batch.barred]
        if entries:
            self._apply(work, entries)

    def _apply(self, work: Work, entries: list[Entry]) -> None:
        channels = _Channels(work, entries)
        fresh = channels.without_repeats()
        for handler, group in self._grouped([one for one in fresh if isinstance(one, Arrival)]):
            self._handle(work, handler, group)
        statements = {one.statement.hash: one.statement.line for one in fresh}
        insert_ignore(
            work.session, StatementRow, [{"hash": name, "line": line} for name, line in statements.items()]
        )
        insert_all(work.session, EventRow, [_row(one, work.now) for one in fresh])
        channels.store(fresh)

    def _grouped(self, arrivals: list[Arrival]) -> Iterable[tuple[Handler, list[Arrival]]]:
        """By handler; what steps of cases rest on (authorisations) before the steps that came with it."""
        groups: dict[Handler, list[Arrival]] = {}
        for one in sorted(arrivals, key=lambda one: one.event.case is not None):
            handler = self._handlers.get(one.event.kind)
            if handler is None:
                one.quarantine("P-14", f"本节点不办理 {one.event.kind}")
            else:
                groups.setdefault(handler, []).append(one)
        return groups.items()

    def _handle(self, work: Work, handler: Handler, group: list[Arrival]) -> None:
        """All at once; if a defect of ours shows up, one by one, so that only the culprit stands aside.

        What will pass by itself (a lock, a lost connection) is no defect: the whole transaction runs again.
        """
        try:
            with work.attempt():
                handler(work, group)
        except Exception as defect:
            if passing(defect):
                raise
            log.exception("a handler failed on %d events; trying one by one", len(group))
            for one in group:
                self._handle_alone(work, handler, one)

    def _handle_alone(self, work: Work, handler: Handler, one: Arrival) -> None:
        one.state, one.rule, one.reason = EventState.APPLIED, "", ""
        try:
            with work.attempt():
                handler(work, [one])
        except Exception as defect:
            if passing(defect):
                raise
            log.exception("event %s of %s cannot be applied", one.event.id, one.event.frm)
            one.quarantine("N-1", f"本节点处理出错：{type(defect).__name__}")


def _stray(one: Arrival) -> Unbelievable:
    """A document published for everybody has no number in a mailbox; it has a road of its own."""
    return Unbelievable(one.event.raw, one.event.frm, "", "P-12", "公布的文件不经邮箱，另有通道")


def _row(one: Entry, now: datetime) -> dict[str, Any]:
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
        "statement": one.statement.hash,
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

    def __init__(self, work: Work, entries: list[Entry]) -> None:
        self._work = work
        self._entries = entries
        self._numbers: dict[tuple[str, str], list[int]] = defaultdict(list)
        for one in entries:
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

    def without_repeats(self) -> list[Entry]:
        """The entries that are not here yet; a second meaning for a number is set aside, the first stands.

        What was barred and comes again under a certificate that entitles it is as good as new.
        """
        here, barred = self._here()
        fresh: list[Entry] = []
        for one in self._entries:
            key = (one.event.frm, one.event.ep, one.seq)
            if key in barred and here[key] == one.event.hash and isinstance(one, Arrival):
                self._forget(key)
                barred.discard(key)
                fresh.append(one)
            elif key not in here:
                here[key] = one.event.hash
                fresh.append(one)
            elif here[key] != one.event.hash:
                set_aside(self._work, [_conflict(one)])
        return fresh

    def _here(self) -> tuple[dict[tuple[str, str, int], str], set[tuple[str, str, int]]]:
        """The events that are here among the numbers that came, by name; and which of them were barred."""
        here: dict[tuple[str, str, int], str] = {}
        barred: set[tuple[str, str, int]] = set()
        for (frm, ep), numbers in self._numbers.items():
            _, highest = self._known.get((frm, ep), (0, 0))
            if min(numbers) > highest:
                continue  # above it nothing of this channel can be here
            for number, name, rule in self._stored(frm, ep, numbers):
                here[frm, ep, number] = name
                if rule in BARRED:
                    barred.add((frm, ep, number))
        return here, barred

    def _stored(self, frm: str, ep: str, numbers: list[int]) -> Iterator[tuple[int, str, str]]:
        event = table_of(EventRow).c
        for part in _close_together(numbers):
            query = select(event.ord, event.hash, event.rule).where(
                event.frm == frm, event.ep == ep, event.ord.between(part[0], part[-1])
            )
            yield from ((row.ord, row.hash, row.rule) for row in self._work.session.execute(query))

    def _forget(self, key: tuple[str, str, int]) -> None:
        event = table_of(EventRow)
        frm, ep, number = key
        self._work.session.execute(
            delete(event).where(event.c.frm == frm, event.c.ep == ep, event.c.ord == number)
        )

    def store(self, fresh: list[Entry]) -> None:
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


def _close_together(numbers: list[int], apart: int = 1000) -> Iterable[list[int]]:
    """The numbers, sorted, cut wherever two neighbours lie far apart, so that nobody can make us read everything."""
    found: list[int] = []
    for number in sorted(numbers):
        if found and number - found[-1] > apart:
            yield found
            found = []
        found.append(number)
    if found:
        yield found


def beyond_us(one: Incoming, defect: Exception) -> Unbelievable:
    """A message that shows up a defect of ours."""
    lane, source = subjects.Lane.CASE, ""
    with suppress(ValueError):
        lane, _, source = subjects.parse_mail(one.subject)
    reason = f"本节点存入时出错：{type(defect).__name__}"
    answered = lane is not subjects.Lane.RCPT
    return Unbelievable(one.data, source, one.subject, "N-1", reason, answered)


def _conflict(one: Entry) -> Unbelievable:
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
            .values(times=quarantine.c.times + 1, last_at=work.now, told=not one.answered)
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
                    told=not one.answered,
                )
            )
