"""发件箱: what was committed here goes out, signed, and again, until its reader's receipt covers it.

1. `Work.send` laid the act and one row per reader in the transaction of the change itself.
2. `drain` takes what is due, signs up to 64 events with one signature, packs one parcel per reader, lane and
   statement, publishes them pipelined, and only then writes down that they were sent.
3. A row is done when its reader's signed receipt says applied; the broker's word is only a reason to wait.
4. Without a receipt it goes again, later each time; a hello from the reader makes it due at once.
A crash between publish and record costs a repeat, which the reader drops.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from hashlib import sha256
from typing import Any

from sqlalchemy import Row, and_, bindparam, case, func, insert, select, update
from sqlmodel import Session

from node.bus import Bus, Mail
from node.config import Pace
from node.db import Database, insert_ignore, table_of
from node.exchange import setback
from node.exchange.model import EventRow, OutboxRow, OutState, PeerRow, StatementRow
from node.work import Knowledge, Work, new_peer
from protocol import subjects
from protocol.envelope import MAX_EVENTS, MAX_PARCEL, Statement, parcel, sign
from protocol.receipts import Channel, Receipt, ranges

BATCH = 2048


@dataclass(slots=True)
class _Packed:
    mail: Mail
    rows: list[Row[Any]]


@dataclass(slots=True)
class Due:
    """What one round of the outbox sends, and the statements it signed for it."""

    packed: list[_Packed]
    signed: list[tuple[Statement, list[tuple[str, int]]]]
    """New statements with (epoch, number) of the own events under each."""


async def drain(db: Database, bus: Bus, know: Knowledge, pace: Pace, now: datetime) -> int:
    """Send one batch of what is due; how many rows went out."""
    due = db.read(lambda session: gather(session, know, now))
    if not due.packed and not due.signed:
        return 0
    stored = await bus.publish([one.mail for one in due.packed])
    await db.write(lambda session: record(session, know, due, stored, pace, now))
    return sum(len(one.rows) for one, ok in zip(due.packed, stored, strict=True) if ok)


async def sign_waiting(db: Database, know: Knowledge, now: datetime) -> None:
    """Sign every own act that is not signed yet, without sending: to carry it by hand, or to prove it."""
    while rows := db.read(lambda session: session.execute(_unsigned(), {"me": know.place}).all()):
        due = Due([], _sign_new(rows, know, now))
        await db.write(partial(record, know=know, due=due, stored=(), pace=Pace(), now=now))


def gather(session: Session, know: Knowledge, now: datetime) -> Due:
    """Sign and pack the rows that are due, oldest first."""
    rows = session.execute(_due_rows(), {"me": know.place, "now": now}).all()
    unsigned = session.execute(_unsigned(), {"me": know.place}).all()
    if not rows and not unsigned:
        return Due([], [])
    lines: dict[str, bytes] = {}
    signed = _sign_new([*rows, *unsigned], know, now)
    made_for = {own: made for made, owns in signed for own in owns}
    lines |= {made.hash: made.line for made, _ in signed}
    lines |= _statement_lines(session, {row.statement for row in rows if row.statement})
    strangers = _strangers(session, {row.place for row in rows})
    groups: dict[tuple[str, str, str], list[Row[Any]]] = defaultdict(list)
    for row in rows:
        name = row.statement or made_for[row.ep, row.ord].hash
        groups[row.place, row.lane, name].append(row)
    packed: list[_Packed] = []
    for (place, lane, name), members in groups.items():
        chain = [one.line for one in know.ring.chain(know.place)] if place in strangers else []
        packed += _pack(know.place, place, lane, lines[name], members, chain)
    return Due(packed, signed)


@cache  # asked every few seconds by every node, and putting it together costs more than its answer
def _due_rows() -> Any:
    """What `me` has to send `now`."""
    event, out = table_of(EventRow).c, table_of(OutboxRow).c
    joined = and_(event.frm == bindparam("me"), event.ep == out.ep, event.ord == out.ord)
    return (
        select(
            out.place, out.ep, out.seq, out.ord, out.lane, out.tries, out.state, event.hash, event.statement, event.raw
        )
        .join_from(table_of(OutboxRow), table_of(EventRow), joined)
        .where(out.done_at.is_(None), out.next_try <= bindparam("now"))
        .order_by(out.next_try, out.ord)
        .limit(BATCH)
    )  # fmt: skip


@cache
def _unsigned() -> Any:
    """Events of `me` nobody has signed yet, those without readers too: every act can be proved later."""
    event = table_of(EventRow).c
    return (
        select(event.ep, event.ord, event.hash, event.statement)
        .where(event.frm == bindparam("me"), event.statement == "")
        .order_by(event.ord)
        .limit(BATCH)
    )


def _sign_new(
    rows: Sequence[Row[Any]], know: Knowledge, now: datetime
) -> list[tuple[Statement, list[tuple[str, int]]]]:
    """Statements over the events of `rows` that have none yet, at most 64 each, in order."""
    fresh = {(row.ep, row.ord): row.hash for row in rows if not row.statement}
    owns = sorted(fresh, key=lambda own: own[1])
    found = []
    for at in range(0, len(owns), MAX_EVENTS):
        part = owns[at : at + MAX_EVENTS]
        found.append((sign([fresh[own] for own in part], know.keys, know.certificate, now), part))
    return found


def _statement_lines(session: Session, hashes: set[str]) -> dict[str, bytes]:
    table = table_of(StatementRow).c
    rows = session.execute(select(table.hash, table.line).where(table.hash.in_(hashes))) if hashes else ()
    return {row.hash: row.line for row in rows}


def _strangers(session: Session, places: set[str]) -> set[str]:
    """Readers that may not have our certificates yet."""
    peer = table_of(PeerRow).c
    known = session.execute(select(peer.place).where(peer.place.in_(places), peer.knows_us)).scalars()
    return places - set(known)


def _pack(
    me: str, place: str, lane: str, statement: bytes, rows: list[Row[Any]], chain: list[bytes]
) -> Iterable[_Packed]:
    """Parcels of at most 256 KiB."""
    part: list[Row[Any]] = []
    size = head = sum(len(line) + 1 for line in (*chain, statement))
    for row in sorted(rows, key=lambda one: one.ord):
        if part and size + len(row.raw) + 1 > MAX_PARCEL:
            yield _packed(me, place, lane, statement, part, chain)
            part, size = [], head
        part.append(row)
        size += len(row.raw) + 1
    if part:
        yield _packed(me, place, lane, statement, part, chain)


def _packed(
    me: str, place: str, lane: str, statement: bytes, rows: list[Row[Any]], chain: list[bytes]
) -> _Packed:
    name = f"{place}|{lane}|{rows[0].seq}|{rows[0].tries}".encode()
    data = parcel(statement, [row.raw for row in rows], chain)
    subject = subjects.mail(subjects.Lane(lane), place, me)
    return _Packed(Mail(subject, data, sha256(statement + name).hexdigest()[:32]), rows)


def record(
    session: Session, know: Knowledge, due: Due, stored: Sequence[bool], pace: Pace, now: datetime
) -> None:
    """Write down the new statements and which parcels the hub has stored, a run of numbers at a time."""
    if due.signed:
        insert_ignore(
            session, StatementRow, [{"hash": made.hash, "line": made.line} for made, _ in due.signed]
        )
        session.execute(_signed_by(know.place), _signed_runs(due))
    sent = [one for one, ok in zip(due.packed, stored, strict=True) if ok]
    if sent:
        session.execute(_sent_at(now), _sent_runs(sent, pace, now))


def _signed_by(me: str) -> Any:
    event = table_of(EventRow)
    return (
        update(event)
        .where(
            event.c.frm == me,
            event.c.ep == bindparam("e"),
            event.c.ord.between(bindparam("first"), bindparam("last")),
            event.c.statement == "",
        )
        .values(statement=bindparam("s"))
    )


def _signed_runs(due: Due) -> list[dict[str, Any]]:
    numbers: dict[tuple[str, str], list[int]] = defaultdict(list)
    for made, owns in due.signed:
        for ep, number in owns:
            numbers[made.hash, ep].append(number)
    return [
        {"s": name, "e": ep, "first": first, "last": last}
        for (name, ep), found in numbers.items()
        for first, last in ranges(found)
    ]


def _sent_at(now: datetime) -> Any:
    out = table_of(OutboxRow)
    return (
        update(out)
        .where(
            out.c.place == bindparam("p"),
            out.c.ep == bindparam("e"),
            out.c.seq.between(bindparam("first"), bindparam("last")),
            out.c.done_at.is_(None),
        )
        .values(tries=bindparam("t"), next_try=bindparam("next"), state=bindparam("st"), sent_at=now)
    )


def _sent_runs(sent: Sequence[_Packed], pace: Pace, now: datetime) -> list[dict[str, Any]]:
    numbers: dict[tuple[str, str, int, str], list[int]] = defaultdict(list)
    for one in sent:
        for row in one.rows:
            numbers[row.place, row.ep, row.tries, row.state].append(row.seq)
    return [
        {
            "p": place,
            "e": ep,
            "first": first,
            "last": last,
            "t": tries + 1,
            "next": now + _pause(tries, pace),
            "st": OutState.SENT if state == OutState.STORED else state,
        }
        for (place, ep, tries, state), found in numbers.items()
        for first, last in ranges(found)
    ]


def _pause(tries: int, pace: Pace) -> timedelta:
    return timedelta(seconds=min(pace.resend_first_s * 2 ** min(tries, 20), pace.resend_last_s))


def hear(work: Work, receipt: Receipt, pace: Pace) -> None:
    """Close what a reader's receipt covers, note what waits or stands aside there, and hurry what it lacks.

    What an outdated one says of our numbers is true for ever; what it says of how far they got is not.
    """
    outdated = setback.outdated(work, receipt)
    if not outdated:
        _remember(work, receipt)
    setback.contradicted(work, receipt)
    for channel in receipt.channels:
        if not setback.knows_more(work, receipt.frm, channel) and not outdated:
            setback.lost(work, receipt, channel)
            _settle(work, receipt, channel, pace)
    if receipt.hello and setback.reopen(work, receipt):
        _hurry(work, receipt.frm)


def _remember(work: Work, receipt: Receipt) -> None:
    """What the reader's word says of the reader."""
    peer = table_of(PeerRow)
    rows: dict[str, Any] = {"heard_at": work.now, "receipt_at": work.now, "edition": receipt.edition}
    if not setback.ahead(work, receipt):
        newer = peer.c.receipt_iat < receipt.at
        rows["receipt_iat"] = case((newer, receipt.at), else_=peer.c.receipt_iat)
    if receipt.channels or receipt.hello:
        rows["knows_us"] = bool(receipt.channels)
    if any(one.rule == "P-3" for one in receipt.refused):
        rows["knows_us"] = False  # our chain goes with the next parcel again
    if receipt.refused:
        rows["refusal"] = f"{receipt.refused[0].rule} {receipt.refused[0].reason}"
    said = update(peer).where(peer.c.place == receipt.frm).values(**rows)
    if not work.session.connection().execute(said).rowcount:
        work.session.execute(insert(peer).values(new_peer(receipt.frm, 0)))
        work.session.execute(said)


def _settle(work: Work, receipt: Receipt, channel: Channel, pace: Pace) -> None:
    """Write the reader's word about one channel into the sender's list."""
    out = table_of(OutboxRow)
    here = and_(
        out.c.place == receipt.frm,
        out.c.ep == channel.ep,
        out.c.done_at.is_(None),
        out.c.rule != setback.CONTRADICTED,
    )
    quarantined = ((one.seq, one.seq) for one in channel.quarantined)
    aside = sorted([*channel.missing, *channel.waiting, *quarantined])
    for first, last in _between(aside, channel.upto):
        work.session.execute(
            update(out)
            .where(here, out.c.seq.between(first, last))
            .values(state=OutState.APPLIED, done_at=work.now, rule="", reason=""),
        )
    later = work.now + timedelta(seconds=pace.resend_last_s)
    for first, last in channel.waiting:
        work.session.execute(
            update(out)
            .where(here, out.c.seq.between(first, last))
            .values(state=OutState.RECEIVED, next_try=later, rule="", reason=""),
        )
    for one in channel.quarantined:
        work.session.execute(
            update(out)
            .where(here, out.c.seq == one.seq)
            .values(state=OutState.QUARANTINED, next_try=later, rule=one.rule, reason=one.reason),
        )
    for first, last in channel.missing:
        settled = work.now - timedelta(seconds=min(5.0, pace.resend_first_s / 2))
        work.session.execute(
            update(out)
            .where(here, out.c.seq.between(first, last), out.c.sent_at < settled)
            .values(next_try=work.now),
        )
        work.wake_outbox()


def _between(aside: list[tuple[int, int]], upto: int) -> Iterable[tuple[int, int]]:
    """The parts of 1..upto that no range of `aside` covers."""
    at = 1
    for first, last in aside:
        if first > at:
            yield at, min(first - 1, upto)
        at = max(at, last + 1)
    if at <= upto:
        yield at, upto


def _hurry(work: Work, place: str) -> None:
    out = table_of(OutboxRow)
    work.session.execute(
        update(out)
        .where(
            out.c.place == place,
            out.c.done_at.is_(None),
            out.c.state.in_((OutState.SENT, OutState.STORED)),
        )
        .values(next_try=work.now, tries=1),
    )
    work.wake_outbox()


def outstanding(session: Session) -> int:
    """How many acts have not been applied by a reader yet."""
    return session.execute(select(func.count()).where(table_of(OutboxRow).c.done_at.is_(None))).scalar() or 0
