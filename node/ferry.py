"""摆渡: mail that is carried by hand where no line leads: a file out, a file in, through the same inbox.

One rule: a file is the same parcels, receipts, published documents, asks and pieces of materials that NATS would have
brought, one after the other; nothing in it is believed because of who carried it, and reading it twice changes nothing.
"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field

from sqlalchemy import select

from node import audit
from node.accounts.officer import Officer
from node.catalogue.loop import take_published
from node.catalogue.model import DocumentRow
from node.db import table_of
from node.errors import BadForm, NotFound
from node.exchange import receipts
from node.exchange.arrivals import Incoming
from node.exchange.carried import ASK, CERTIFICATE, PIECE, RECEIPT, STATEMENT, messages, whole
from node.exchange.model import PeerRow
from node.exchange.outbox import sign_waiting
from node.exchange.release import carry
from node.materials import carried as by_hand
from node.materials.collect import materials_of
from node.materials.rules import MIB
from node.node import Node
from node.work import Work
from protocol import blobs, dsse, strict, subjects
from protocol import receipts as receipt_lines
from protocol.blobs import Ask
from protocol.errors import EnvelopeError
from protocol.places import is_code

LARGEST = 64 * 1024 * 1024
"""Bytes of a file that is taken in."""


@dataclass(slots=True)
class Brought:
    """What a file held, by road."""

    mail: int = 0
    receipts: int = 0
    documents: int = 0
    asks: int = 0
    pieces: int = 0
    """Pieces of materials that were wanted."""
    unwanted: int = 0
    """Pieces that were here already, or whose case is not."""
    arrived: int = 0
    """Words that a whole file is there."""
    refused: int = 0
    """Asks and pieces that are not genuine, or not for us."""

    @property
    def words(self) -> str:
        """3 个邮包，1 份回执 …"""
        counts = (
            (self.mail, "个邮包"), (self.receipts, "份回执"), (self.documents, "份目录文件"), (self.pieces, "段材料"),
            (self.asks, "份对方还缺的材料单"), (self.arrived, "份材料对方已收齐"), (self.unwanted, "段材料用不上（已有，或所属办件还没到：先读入第 1 个文件）"),
            (self.refused, "段材料不是给本站的或被改动，未收"),
        )  # fmt: skip
        return "，".join(f"{count} {what}" for count, what in counts if count)


@dataclass(frozen=True, slots=True)
class Packed:
    """One file of an export."""

    raw: bytes
    part: int
    parts: int


async def pack(node: Node, officer: Officer, place: str, part: int = 1) -> Packed:
    """File `part` of what `place` lacks: mail it has not confirmed, a receipt, the catalogue if it is behind, what we
    lack of its materials, all in the first; then materials, as many as a file holds. NotFound for a place or part
    that there is not.
    """
    if place not in node.know.roster or place == node.place:
        raise NotFound(f"名册里没有可以摆渡的站点 {place}")
    await sign_waiting(node.db, node.know, node.clock())
    part_of = materials_of(node)
    await part_of.lane.list_noted()
    said = [*by_hand.asks(part_of, place), *by_hand.words(part_of, place)]
    mail = node.look(lambda work: _mail(work, place)) + b"".join(said)
    room = node.config.materials.carried_max
    found, parts = by_hand.share(node.read(by_hand.loads, node.know, place), room, part, len(mail))
    if not 1 <= part <= parts:
        raise NotFound(f"这次导出共 {parts} 个文件，没有第 {part} 个")
    pieces = await asyncio.to_thread(lambda: b"".join(by_hand.pieces(materials_of(node), place, found)))
    raw = (mail if part == 1 else b"") + pieces
    await node.do(_note, officer.login, "parcels.carried", place, f"第 {part} / {parts} 个，{len(raw)} 字节")
    return Packed(raw, part, parts)


def file_name(node: Node, place: str, packed: Packed) -> str:
    """From whom, to whom, and which of how many."""
    which = f"-{packed.part}-{packed.parts}" if packed.parts > 1 else ""
    return f"{node.place}-{place}{which}.parcels"


def _mail(work: Work, place: str) -> bytes:
    mail = carry(work.session, work.know, place, work.now)
    return b"".join([*_documents(work, place), mail, *_receipt(work, place)])


def _documents(work: Work, place: str) -> list[bytes]:
    """The parcels of the newest catalogue and roster, if the reader's last receipt named an older edition."""
    peer, document = table_of(PeerRow).c, table_of(DocumentRow).c
    held = work.session.execute(select(peer.edition).where(peer.place == place)).scalar() or 0
    if held >= work.know.edition:
        return []
    rows = work.session.execute(
        select(document.parcel).order_by(document.kind.desc(), document.number, document.key)
    )
    return list(rows.scalars())


def _receipt(work: Work, place: str) -> list[bytes]:
    chain = work.know.ring.chain(work.me)
    due = receipts.gather(work.session, work.know, work.now, hello=True)
    return [
        receipt_lines.write(one.receipt, work.know.keys, work.know.certificate, work.now, chain)
        for one in due
        if one.receipt.to == place
    ]


async def bring(node: Node, officer: Officer, raw: bytes) -> Brought:
    """Take a carried file in; what it held. BadForm if it is no such file at all, or too large."""
    if not raw:
        raise BadForm(file="文件是空的，请重新选择")
    if len(raw) > LARGEST:
        raise too_large(len(raw))
    found = _sorted(node, raw)
    brought = await _take(node, found)
    for place in found.senders - set(found.asks):  # it lacks nothing any more
        await node.do(by_hand.wanted, place, [])
    await node.do(_note, officer.login, "parcels.brought", node.place, brought.words)
    return brought


def too_large(size: int) -> BadForm:
    """The refusal of a file of this size, and what to do instead."""
    words = f"文件 {size / MIB:.1f} MB，超过 {LARGEST // MIB} MB 的上限，没有读入。"
    return BadForm(file=f"{words}请在对方节点重新导出，会自动分成几个文件")


async def take(node: Node, raw: bytes) -> Brought:
    """Take in what the line would have brought; nothing of it is believed because of who brings it."""
    return await _take(node, _sorted(node, raw))


@dataclass(slots=True)
class _Found:
    """What stands in a file, by road; only the asks are checked yet."""

    mail: list[Incoming] = field(default_factory=list)
    documents: list[Incoming] = field(default_factory=list)
    asks: dict[str, list[Ask]] = field(default_factory=lambda: defaultdict(list))
    pieces: list[list[bytes]] = field(default_factory=list)
    senders: set[str] = field(default_factory=set)
    """Whose receipts are in it, as they say."""
    brought: Brought = field(default_factory=Brought)


def _sorted(node: Node, raw: bytes) -> _Found:
    """BadForm if there is nothing to be taken in."""
    found = _Found()
    for lines in messages(raw):
        _sort(node, lines, found)
    brought = found.brought
    if not (found.mail or found.documents or found.pieces or brought.asks or brought.refused):
        raise BadForm(file="这不是摆渡文件：里面没有邮包、回执，也没有材料")
    return found


def _sort(node: Node, lines: list[bytes], found: _Found) -> None:
    head = next((line for line in lines if CERTIFICATE not in line), b"")
    if RECEIPT in head:
        found.senders.add(_from(head, dsse.RECEIPT))
        found.mail.append(Incoming(_subject(node, head), whole(lines)))
        found.brought.receipts += 1
    elif PIECE in head:
        found.pieces.append(lines)
    elif ASK in head:
        _ask(node, lines, head, found)
    elif _published(lines):
        found.documents.append(Incoming("", whole(lines)))
        found.brought.documents += 1
    elif STATEMENT in head:
        found.mail.append(Incoming("", whole(lines)))
        found.brought.mail += 1


def _ask(node: Node, lines: list[bytes], head: bytes, found: _Found) -> None:
    try:
        said = by_hand.ask_of(materials_of(node), whole(lines), _from(head, blobs.ASK))
    except EnvelopeError:
        found.brought.refused += 1
        return
    found.asks[said.frm].append(said)
    found.brought.asks += 1


async def _take(node: Node, found: _Found) -> Brought:
    if found.documents:
        await take_published(node, found.documents)
    await node.take_in(found.mail)
    for place, said in found.asks.items():
        await node.do(by_hand.wanted, place, said)
    for lines in found.pieces:
        await _piece(node, lines, found.brought)
    return found.brought


async def _piece(node: Node, lines: list[bytes], brought: Brought) -> None:
    try:
        data = by_hand.piece_of(lines)
        if blobs.is_line(data):
            await materials_of(node).lane.heard(_from(lines[0], blobs.PIECE), data)
            brought.arrived += 1
        elif await materials_of(node).lane.brought(_from(lines[0], blobs.PIECE), data):
            brought.pieces += 1
        else:
            brought.unwanted += 1
    except EnvelopeError:
        brought.refused += 1


def _note(work: Work, login: str, act: str, place: str, told: str) -> None:
    audit.record(work.session, login, act, place, told, now=work.now)


def _from(line: bytes, kind: str) -> str:
    """Who a signed line says it is from; its signature is checked by whoever reads it."""
    try:
        return str(strict.loads(dsse.read(line, kind).payload).get("frm", ""))
    except EnvelopeError:
        return ""


def _subject(node: Node, line: bytes) -> str:
    """The subject the receipt would have come under; its sender is checked by its signature."""
    frm = _from(line, dsse.RECEIPT)
    return subjects.mail(subjects.Lane.RCPT, node.place, frm) if is_code(frm) else ""


def _published(lines: list[bytes]) -> bool:
    return any(b'"kind":"catalogue.' in line or b'"kind":"roster.' in line for line in lines[1:])
