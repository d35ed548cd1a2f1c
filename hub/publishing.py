"""公布: the city signs documents and puts them where every hub and node can read the newest.

One rule: a document is signed once, when it is published; what is passed on later, or again after a broker has
lost it, are the same bytes. Publishing twice changes nothing.
"""

from collections.abc import Mapping
from datetime import date, datetime
from hashlib import sha256

from sqlalchemy import func, select
from sqlmodel import Session

from node.bus import Bus, Mail
from node.catalogue.model import DocumentRow
from node.catalogue.replica import adopt, attached, learn_roster
from node.db import insert_ignore, table_of
from node.errors import Forbidden
from node.ids import uuid7
from node.work import Knowledge, Work
from protocol import subjects
from protocol.bundles import BUNDLE_KEY
from protocol.catalogue import (
    CALENDAR_KEY,
    DEED_KEY,
    EDITION_KEY,
    ITEM_KEY,
    Edition,
    document,
    document_hash,
)
from protocol.certificates import Certificate
from protocol.dsse import sha256 as name_of
from protocol.envelope import parcel, sign, write_event
from protocol.keys import Keys
from protocol.messages import PUBLISHED

_KINDS = {
    ITEM_KEY: "catalogue.item",
    DEED_KEY: "catalogue.deed",
    BUNDLE_KEY: "catalogue.bundle",
    CALENDAR_KEY: "catalogue.calendar",
}
CHUNK = 500


def signed_document(
    kind: str, key: str, number: int, doc: bytes, keys: Keys, certificate: Certificate, now: datetime
) -> bytes:
    """A published document as a parcel of its own: one statement over one event without recipients.

    A later generation of our certificate goes with it: a reader may know only an earlier one.
    """
    raw = write_event(
        id=uuid7(now),
        kind=kind,
        frm=certificate.place,
        ep="published",
        to=(),
        iat=now,
        cat=number,
        cls="public",
        body={"key": key, "number": number, "doc": doc.decode()},
    )
    return parcel(sign([name_of(raw)], keys, certificate, now).line, [raw], attached(certificate))


def publish_edition(
    work: Work, number: int, issued: date, documents: Mapping[str, bytes], approvers: tuple[str, str]
) -> Edition:
    """A new edition made of these documents by key, in force here at once and everywhere as soon as it arrives.

    Forbidden unless this node may publish, the number is newer than the edition in force, and two different people
    approve (目录发布须两人: 主管部门与法制审核).
    """
    if "catalogue.edition" not in work.know.certificate.may:
        raise Forbidden("只有市级节点可以公布目录")
    if number <= work.know.edition:
        raise Forbidden(f"第 {work.know.edition} 版已公布，新版须更大")
    if not all(approvers) or approvers[0] == approvers[1]:
        raise Forbidden("公布目录须两位不同的人批准")
    edition = Edition.of(number, issued, documents)
    here = _known(work.session, edition)
    rows = [
        _row(work, _kind_of(key), key, number, doc)
        for key, doc in documents.items()
        if edition.documents[key] not in here
    ]
    rows.append(_row(work, "catalogue.edition", EDITION_KEY, number, document(edition)))
    insert_ignore(work.session, DocumentRow, rows)
    adopt(work)
    return edition


def publish_places(work: Work, documents: Mapping[str, tuple[int, bytes]]) -> int:
    """Publish the roster's documents by code, each with its version; how many were new."""
    rows = [
        _row(work, "roster.place", f"place-{code}", number, doc) for code, (number, doc) in documents.items()
    ]
    new = insert_ignore(work.session, DocumentRow, rows)
    if new:
        learn_roster(work)
    return new


def _known(session: Session, edition: Edition) -> set[str]:
    table = table_of(DocumentRow).c
    names = list(edition.documents.values())
    found: set[str] = set()
    for at in range(0, len(names), CHUNK):
        found |= set(
            session.execute(select(table.hash).where(table.hash.in_(names[at : at + CHUNK]))).scalars()
        )
    return found


def _kind_of(key: str) -> str:
    return next(kind for start, kind in _KINDS.items() if key.startswith(start))


def _row(work: Work, kind: str, key: str, number: int, doc: bytes) -> dict[str, object]:
    know = work.know
    return {
        "hash": document_hash(doc),
        "key": key,
        "kind": kind,
        "number": number,
        "doc": doc,
        "parcel": signed_document(kind, key, number, doc, know.keys, know.certificate, work.now),
    }


def _subject(know: Knowledge, kind: str, key: str) -> str:
    if kind == "roster.place":
        return subjects.directory(key.removeprefix("place-"))
    return subjects.catalogue(know.roster.city.code, key)


async def broadcast(session_rows: list[tuple[str, str, bytes]], know: Knowledge, bus: Bus) -> int:
    """Hand documents (kind, key, parcel) to the hub's CAT stream; how many it stored."""
    mails = [
        Mail(_subject(know, kind, key), data, sha256(data).hexdigest()[:32])
        for kind, key, data in session_rows
    ]
    stored = await bus.publish(mails)
    return sum(stored)


def current_documents(session: Session, since: int = 0) -> list[tuple[str, str, bytes]]:
    """(kind, key, parcel) of the newest document under each key, editions last, so that they come to a whole."""
    table = table_of(DocumentRow).c
    rows = session.execute(
        select(table.kind, table.key, table.parcel, table.number)
        .where(table.kind.in_(PUBLISHED))
        .order_by(table.number)
    )
    newest = {(row.kind, row.key): row for row in rows}
    ordered = sorted(newest.values(), key=lambda row: (row.kind == "catalogue.edition", row.key))
    return [(row.kind, row.key, row.parcel) for row in ordered if row.number > since]


def documents_total(session: Session) -> int:
    """How many documents are here; they are only ever added."""
    return session.execute(select(func.count()).select_from(table_of(DocumentRow))).scalar() or 0


def newest_number(session: Session) -> int:
    """The highest number of an edition that is here, in force or not; 0 without one."""
    table = table_of(DocumentRow).c
    query = select(func.max(table.number)).where(table.kind == "catalogue.edition")
    return session.execute(query).scalar() or 0
