"""摆渡: mail that is carried by hand where no line leads: a file out, a file in, through the same inbox.

One rule: a file is the same parcels, receipts and published documents that NATS would have brought, one after the
other; nothing in it is believed because of who carried it, and reading it twice changes nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from node import audit
from node.accounts.officer import Officer
from node.catalogue.loop import take_published
from node.catalogue.model import DocumentRow
from node.db import table_of
from node.errors import BadForm, NotFound
from node.exchange import receipts
from node.exchange.arrivals import Incoming
from node.exchange.model import PeerRow
from node.exchange.outbox import sign_waiting
from node.exchange.release import carry
from node.node import Node
from node.work import Work
from protocol import dsse, strict, subjects
from protocol import receipts as receipt_lines
from protocol.errors import EnvelopeError
from protocol.places import is_code

LARGEST = 64 * 1024 * 1024

_CERTIFICATE, _STATEMENT, _RECEIPT = (
    b'"payloadType":"' + kind.encode() + b'"' for kind in (dsse.CERTIFICATE, dsse.STATEMENT, dsse.RECEIPT)
)


@dataclass(slots=True)
class Brought:
    """What a file held, by road."""

    mail: int = 0
    receipts: int = 0
    documents: int = 0


async def pack(node: Node, officer: Officer, place: str) -> bytes:
    """Everything `place` has not confirmed, a receipt for what it sent us, and the catalogue if it is behind."""
    if place not in node.know.roster or place == node.place:
        raise NotFound(f"名册里没有可以摆渡的站点 {place}")
    await sign_waiting(node.db, node.know, node.clock())
    return await node.do(_pack, officer.login, place)


def _pack(work: Work, login: str, place: str) -> bytes:
    mail = carry(work.session, work.know, place, work.now)
    raw = b"".join([*_documents(work, place), mail, *_receipt(work, place)])
    audit.record(work.session, login, "parcels.carried", place, f"{len(raw)} 字节", now=work.now)
    return raw


def _documents(work: Work, place: str) -> list[bytes]:
    """The parcels of the newest catalogue and roster, if the reader's last receipt named an older edition."""
    peer, document = table_of(PeerRow).c, table_of(DocumentRow).c
    held = work.session.execute(select(peer.edition).where(peer.place == place)).scalar() or 0
    if held >= work.know.edition:
        return []
    rows = work.session.execute(select(document.parcel).order_by(document.kind.desc(), document.number))
    return list(rows.scalars())


def _receipt(work: Work, place: str) -> list[bytes]:
    chain = work.know.ring.chain(work.me)
    due = receipts.gather(work.session, work.know, work.now, hello=True)
    return [
        receipt_lines.write(one.receipt, work.know.keys, work.know.certificate, work.now, chain)
        for one in due
        if one.receipt.to == place
    ]


def messages(raw: bytes) -> Iterator[list[bytes]]:
    """The messages of a file as their lines: certificates, the signed head, the events under it."""
    found: list[bytes] = []
    headed = False
    for line in raw.splitlines():
        certificate = _CERTIFICATE in line
        if headed and (certificate or _STATEMENT in line or _RECEIPT in line):
            yield found
            found, headed = [], False
        found.append(line)
        headed = headed or not certificate
    if headed:
        yield found


async def bring(node: Node, officer: Officer, raw: bytes) -> Brought:
    """Take a carried file in; what it held. BadForm if it is no such file at all."""
    if not 0 < len(raw) <= LARGEST:
        raise BadForm(file=f"文件应在 1 字节到 {LARGEST // 1024 // 1024} MB 之间")
    mail: list[Incoming] = []
    documents: list[Incoming] = []
    brought = Brought()
    for lines in messages(raw):
        data = b"".join(line + b"\n" for line in lines)
        if _RECEIPT in lines[-1]:
            mail.append(Incoming(_subject(node, lines[-1]), data))
            brought.receipts += 1
        elif _published(lines):
            documents.append(Incoming("", data))
        elif any(_STATEMENT in line for line in lines):
            mail.append(Incoming("", data))
            brought.mail += 1
    brought.documents = len(documents)
    if not mail and not documents:
        raise BadForm(file="这不是摆渡文件：里面没有邮包，也没有回执")
    if documents:
        await take_published(node, documents)
    await node.take_in(mail)
    told = f"{brought.mail} 个邮包，{brought.receipts} 份回执，{brought.documents} 份目录文件"
    await node.do(_note, officer.login, told)
    return brought


def _note(work: Work, login: str, told: str) -> None:
    audit.record(work.session, login, "parcels.brought", work.me, told, now=work.now)


def _subject(node: Node, line: bytes) -> str:
    """The subject the receipt would have come under; its sender is checked by its signature."""
    try:
        frm = str(strict.loads(dsse.read(line, dsse.RECEIPT).payload).get("frm", ""))
    except EnvelopeError:
        return ""
    return subjects.mail(subjects.Lane.RCPT, node.place, frm) if is_code(frm) else ""


def _published(lines: list[bytes]) -> bool:
    return any(b'"kind":"catalogue.' in line or b'"kind":"roster.' in line for line in lines[1:])
