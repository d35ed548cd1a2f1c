"""回执: telling each sender, signed and cumulatively, what of its mail has been applied here.

One rule: a receipt is computed from the database when it is written, never remembered, so that it is true
after any crash. At most about one a second per sender; on a fresh line, a hello to every peer.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Any

from sqlalchemy import bindparam, or_, select, update
from sqlmodel import Session

from node.bus import Bus, Mail
from node.db import Database, table_of
from node.exchange.model import ChannelRow, EventRow, EventState, PeerRow, QuarantineRow
from node.work import Knowledge
from protocol import receipts, subjects
from protocol.places import Code
from protocol.receipts import (
    MAX_CHANNELS,
    Channel,
    Quarantined,
    Range,
    Receipt,
    RefusedParcel,
    gaps,
    ranges,
)

BATCH = 512


@dataclass(slots=True)
class _Due:
    receipt: Receipt
    changes: dict[str, int]
    """By epoch: how many changes of the channel this receipt tells."""
    told: list[str]
    """Names of the refused parcels it speaks of."""


async def tell(db: Database, bus: Bus, know: Knowledge, now: datetime, *, hello: bool = False) -> int:
    """Send the receipts that are due (with `hello`, one to every peer); how many the hub stored."""
    due = db.read(lambda session: gather(session, know, now, hello=hello))
    if not due:
        return 0
    stored = await bus.publish([_mail(one.receipt, know, now) for one in due])
    sent = [one for one, ok in zip(due, stored, strict=True) if ok]
    if sent:
        await db.write(lambda session: _record(session, sent))
    return len(sent)


def gather(session: Session, know: Knowledge, now: datetime, *, hello: bool) -> list[_Due]:
    """The receipts to write now."""
    rows = session.execute(_channels(every=hello)).all()
    by_peer: dict[str, list[Channel]] = defaultdict(list)
    changes: dict[str, dict[str, int]] = defaultdict(dict)
    for row in rows:
        changes[row.frm][row.ep] = row.changes
        by_peer[row.frm].append(_channel(session, row.frm, row.ep, row.upto, row.highest))
    refused = _refused(session, know, every=hello)
    names = set(by_peer) | set(refused)
    if hello:
        names |= set(session.execute(select(table_of(PeerRow).c.place)).scalars())
        names |= {place.code for place in know.roster.ancestors(know.place)}
    return [
        _Due(
            Receipt(
                frm=know.place,
                to=Code(name),
                at=now.isoformat(),
                hello=hello,
                edition=know.edition,
                channels=tuple(by_peer[name][-MAX_CHANNELS:]),
                refused=tuple(refused.get(name, ())),
            ),
            changes[name],
            [one.parcel for one in refused.get(name, ())],
        )
        for name in sorted(names)
        if name in know.roster and name != know.place
    ]


@cache  # asked every few seconds by every node, and putting it together costs more than its answer
def _channels(*, every: bool) -> Any:
    """Every channel, or those of which a receipt is due."""
    channel = table_of(ChannelRow).c
    found = select(channel.frm, channel.ep, channel.upto, channel.highest, channel.changes)
    return found if every else found.where(channel.changes > 0).limit(BATCH)


def _channel(session: Session, frm: str, ep: str, upto: int, highest: int) -> Channel:
    event = table_of(EventRow).c
    here = (event.frm == frm, event.ep == ep)
    missing: tuple[Range, ...] = ()
    if highest > upto:
        present = session.execute(select(event.ord).where(*here, event.ord > upto).order_by(event.ord))
        missing = gaps(present.scalars(), upto + 1, highest)
    aside = session.execute(
        select(event.ord, event.state, event.rule, event.reason).where(
            *here, event.state.in_((EventState.WAITING, EventState.QUARANTINED))
        )
    ).all()
    return Channel(
        ep=ep,
        upto=max(upto, highest),
        missing=missing,
        waiting=ranges(row.ord for row in aside if row.state == EventState.WAITING),
        quarantined=tuple(
            Quarantined(row.ord, row.rule, row.reason)
            for row in sorted(aside, key=lambda row: row.ord)
            if row.state == EventState.QUARANTINED
        ),
    )


def _refused(session: Session, know: Knowledge, *, every: bool) -> dict[str, list[RefusedParcel]]:
    """What was refused and not told yet; with `every`, also each number that came with a second meaning.

    A receipt may be lost. A refused parcel is then missed and comes again; a second meaning is not missed.
    """
    found: dict[str, list[RefusedParcel]] = defaultdict(list)
    for row in session.execute(_refusals(every=every), {"me": know.place}):
        found[row.source].append(RefusedParcel(row.sha, row.rule, row.reason))
    return found


@cache
def _refusals(*, every: bool) -> Any:
    quarantine = table_of(QuarantineRow).c
    untold = quarantine.told.is_(False)
    return (
        select(quarantine.sha, quarantine.source, quarantine.rule, quarantine.reason)
        .where(
            or_(untold, quarantine.rule == "P-15") if every else untold,
            quarantine.source != "",
            quarantine.source != bindparam("me"),
        )
        .order_by(quarantine.told, quarantine.last_at.desc(), quarantine.sha)
        .limit(50)
    )


def _mail(receipt: Receipt, know: Knowledge, now: datetime) -> Mail:
    chain = know.ring.chain(know.place) if receipt.hello or receipt.refused else ()
    data = receipts.write(receipt, know.keys, know.certificate, now, chain)
    subject = subjects.mail(subjects.Lane.RCPT, receipt.to, know.place)
    return Mail(subject, data, sha256(data).hexdigest()[:32])


def _record(session: Session, sent: Sequence[_Due]) -> None:
    """What was told is not due any more, unless more has come since."""
    channel, quarantine = table_of(ChannelRow), table_of(QuarantineRow)
    for one in sent:
        for ep, changes in one.changes.items():
            session.execute(
                update(channel)
                .where(channel.c.frm == one.receipt.to, channel.c.ep == ep, channel.c.changes == changes)
                .values(changes=0)
            )
        if one.told:
            session.execute(update(quarantine).where(quarantine.c.sha.in_(one.told)).values(told=True))
