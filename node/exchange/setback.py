"""What to do when a database was set back to an older copy (回退): ours, or a reader's.

One rule: nothing that somebody still holds may be lost, and nobody's number may mean two things without an
alarm. A reader that was set back says so by its hello, or by any receipt, which name less than we know it had: it
gets the rest again, and is told what we hold of its own. That ours was set back is told by a reader that knows more of
our numbers than we have given (or another meaning of one): we begin a new epoch at once, raise the alarm, and give no
serial number (办件号, 票据号) that may have been given by the acts we forgot.
"""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlmodel import Session

from node.db import table_of
from node.exchange.model import ChannelRow, EventRow, MetaRow, OutboxRow, OutState, PeerRow
from node.work import Work
from protocol.certificates import write_instant
from protocol.receipts import MAX_CHANNELS, Channel, Receipt

log = logging.getLogger(__name__)
ALARM = "set_back"
CONTRADICTED = "P-15"
"""The reader holds another event of ours under the same number."""
CLOCKS_APART = timedelta(minutes=10)
"""By so much the clock of another place may be ahead of ours; what is dated later tells nothing of before and after."""


def alarm(session: Session) -> str:
    """When, and by whose word, this node last learnt that its own database had been set back; "" if never."""
    meta = table_of(MetaRow).c
    return session.execute(select(meta.value).where(meta.key == ALARM)).scalar() or ""


def knows_more(work: Work, reader: str, channel: Channel) -> bool:
    """Whether the reader has numbers of the present epoch that we have not given: then a new epoch has begun."""
    present = channel.ep == work.meta("epoch")
    given = _given(work, reader, channel.ep, present=present)
    forgotten = max(0, channel.upto - given)
    if forgotten or not present:
        _skip(work, channel.ep, forgotten + _contradicted(work, reader, channel.ep))
    if not (present and forgotten):
        return False
    _begin_anew(work, f"{reader} 已收到第 {channel.upto} 号，我们只发到第 {given} 号")
    return True


def _given(work: Work, reader: str, ep: str, *, present: bool) -> int:
    """The last number we know to have given this reader."""
    peer, out = table_of(PeerRow).c, table_of(OutboxRow).c
    last = select(peer.last_seq).where(peer.place == reader)
    if not present:
        last = select(func.max(out.seq)).where(out.place == reader, out.ep == ep)
    return work.session.execute(last).scalar() or 0


def _contradicted(work: Work, reader: str, ep: str) -> int:
    """How many of our numbers mean another event there."""
    out = table_of(OutboxRow).c
    found = select(func.count()).where(out.place == reader, out.ep == ep, out.rule == CONTRADICTED)
    return work.session.execute(found).scalar() or 0


def _skip(work: Work, ep: str, forgotten: int) -> None:
    """Have serial numbers leave out as many as there were acts of that epoch which others hold and we do not."""
    known = f"forgotten:{ep}"
    more = forgotten - int(work.meta(known) or 0)
    if more > 0:
        work.set_meta(known, str(forgotten))
        work.skip_serials(more)


def contradicted(work: Work, receipt: Receipt) -> None:
    """Acts of ours that a reader refused because it holds another event under their number.

    They stand aside in the sender's list whatever the reader's cumulative word says: it speaks of the other event.
    """
    names = [one.parcel for one in receipt.refused if one.rule == CONTRADICTED]
    event, out = table_of(EventRow).c, table_of(OutboxRow)
    if not names:
        return
    found = work.session.execute(
        select(event.ep, event.ord).where(event.frm == work.me, event.hash.in_(names))
    ).all()
    for row in found:
        work.session.execute(
            update(out)
            .where(out.c.place == receipt.frm, out.c.ep == row.ep, out.c.ord == row.ord)
            .values(
                state=OutState.QUARANTINED,
                rule=CONTRADICTED,
                reason="对方在这个号下已有我们的另一个事件（本节点的数据库曾被回退）",
                done_at=None,
                next_try=work.now.replace(year=work.now.year + 100, day=1),
            )
        )
    if any(row.ep == work.meta("epoch") for row in found):
        _begin_anew(work, f"{receipt.frm} 在同一个号下有我们的另一个事件")


def outdated(work: Work, receipt: Receipt) -> bool:
    """Whether this was written before the last hello heard of its writer: what was so then need not be so after it."""
    return receipt.at < (work.meta(_hello(receipt.frm)) or "")


def ahead(work: Work, receipt: Receipt) -> bool:
    """Whether the clock it was dated by cannot be right."""
    return receipt.at > write_instant(work.now + CLOCKS_APART)


def lost(work: Work, receipt: Receipt, channel: Channel) -> None:
    """What a reader calls missing and had before is due again: it was set back, and more has come to it since.

    Only its newest word counts: what an older one calls missing may have come.
    """
    peer, out = table_of(PeerRow).c, table_of(OutboxRow).c
    newest = select(peer.receipt_iat).where(peer.place == receipt.frm)
    if not channel.missing or receipt.at < (work.session.execute(newest).scalar() or ""):
        return
    for first, last in channel.missing:
        _due_again(work, receipt.frm, out.ep == channel.ep, out.seq.between(first, last))


def reopen(work: Work, receipt: Receipt) -> bool:
    """A reader that says hello has what its channels name and no more: what it lost is due again; and it gets a receipt.

    Heeded once for each hello, in the order the reader wrote them, so that an old one sent again stirs nothing; whether
    it was heeded. Those of a clock that was ahead have an order of their own: once it is right, it is heard again.
    """
    said = _hello(receipt.frm, ahead=ahead(work, receipt))
    if (work.meta(said) or "") >= receipt.at:
        return False
    work.set_meta(said, receipt.at)
    heard = {one.ep: one.upto for one in receipt.channels}
    out = table_of(OutboxRow).c
    for ep in _epochs(work.session, receipt.frm):
        if ep not in heard and len(heard) >= MAX_CHANNELS:
            continue  # its word has no room for every epoch
        _due_again(work, receipt.frm, out.ep == ep, out.seq > heard.get(ep, 0))
    channel = table_of(ChannelRow)
    answer = update(channel).where(channel.c.frm == receipt.frm).values(changes=channel.c.changes + 1)
    work.session.execute(answer)
    return True


def _hello(place: str, *, ahead: bool = False) -> str:
    """Meta: when, by its own clock, a place said the last hello that was heeded."""
    return f"hello:{place}:ahead" if ahead else f"hello:{place}"


def _due_again(work: Work, place: str, *which: Any) -> None:
    """Send again, of these rows for a reader, what we thought it had."""
    out = table_of(OutboxRow)
    had = (OutState.APPLIED, OutState.RECEIVED, OutState.QUARANTINED)
    work.session.execute(
        update(out)
        .where(out.c.place == place, out.c.rule != CONTRADICTED, out.c.state.in_(had), *which)
        .values(state=OutState.SENT, done_at=None, rule="", reason="", tries=1, next_try=work.now)
    )


def _epochs(session: Session, place: str) -> Iterator[str]:
    """The epochs in which we have sent to a place, each found by its key."""
    out = table_of(OutboxRow).c
    ep = ""
    while True:
        found = session.execute(
            select(out.ep).where(out.place == place, out.ep > ep).order_by(out.ep).limit(1)
        ).scalar()
        if found is None:
            return
        yield found
        ep = found


def _begin_anew(work: Work, why: str) -> None:
    work.renew_epoch()
    work.set_meta(ALARM, f"{work.now.isoformat(timespec='seconds')} {why}")
    log.error("%s: the database was set back: %s; a new epoch begins", work.me, why)
