"""Taking in what the city publishes, and adopting an edition once it is whole.

One rule: an edition counts only when every document it names is here; until then the one before stays in
force. Documents are named by their content, so any order and any repetition of deliveries ends the same.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import select, update
from sqlmodel import Session

from node.catalogue.model import DocumentRow
from node.db import insert_ignore, table_of
from node.exchange.arrivals import Batch
from node.exchange.aside import Unbelievable, set_aside
from node.exchange.model import CertificateRow, PeerRow
from node.library import Library
from node.work import Knowledge, Work
from protocol import strict
from protocol.catalogue import Catalogue, Edition, document_hash
from protocol.certificates import Certificate
from protocol.editions import open_catalogue, read_edition
from protocol.envelope import Event, parcel
from protocol.errors import EnvelopeError, ProtocolError, RosterError
from protocol.places import Code, Place, Tier, code
from protocol.roster import Roster
from protocol.strict import is_number

CHUNK = 500
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Published:
    """A document in the event that publishes it."""

    key: str
    number: int
    doc: bytes


def read_published(event: Event) -> Published:
    """The document of a `catalogue.*` or `roster.place` event; EnvelopeError P-14 if its skeleton is not one."""
    key, number, doc = event.body.get("key"), event.body.get("number"), event.body.get("doc")
    if type(key) is not str or type(doc) is not str or type(number) is not int:
        raise EnvelopeError("P-14", "公布的文件缺 key、number 或 doc")
    if not 0 < len(key) <= 64 or not is_number(number, 0):
        raise EnvelopeError("P-14", "公布的文件的 key 或 number 有误")
    try:
        strict.loads(doc.encode())
    except EnvelopeError as wrong:
        raise EnvelopeError("P-14", f"公布的文件 {key[:40]} 的内容{wrong.reason}"[:200]) from None
    return Published(key, number, doc.encode())


def check_place(found: Published, publisher: Certificate) -> None:
    """EnvelopeError P-14 unless the document is one about a place; P-11 unless its publisher may speak of that place."""
    try:
        doc = orjson.loads(found.doc)
        place = Place(
            code(doc["code"]), doc["name"], Tier(doc["tier"]), doc["parent"] and code(doc["parent"])
        )
        lines = doc["certificates"]
        whole = type(doc["hub"]) is bool and type(lines) is list
        whole = whole and all(type(one) is str for one in [place.name, *lines])
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise EnvelopeError("P-14", f"名册文件有误：{wrong!r}"[:200]) from None
    if not whole or found.key != f"place-{place.code}":
        raise EnvelopeError("P-14", f"名册文件 {found.key[:40]} 的内容有误")
    if not publisher.covers(place.code):
        raise EnvelopeError("P-11", f"{place.code} 不在 {publisher.place} 的管辖范围内")


def take_documents(work: Work, batch: Batch) -> bool:
    """Store what is new; learn a new roster; adopt the newest whole edition. Whether an edition was adopted."""
    _keep_certificates(work, batch)
    barred = [Unbelievable(one.event.raw, one.event.frm, "", one.rule, one.reason) for one in batch.barred]
    set_aside(work, [*batch.unbelievable, *barred])
    rows = []
    for one in batch.arrivals:
        try:
            found = read_published(one.event)
            if one.event.kind == "roster.place":
                check_place(found, one.verified.certificate)
        except EnvelopeError as wrong:
            set_aside(work, [Unbelievable(one.event.raw, one.event.frm, "", wrong.rule, wrong.reason)])
            continue
        rows.append(
            {
                "hash": document_hash(found.doc),
                "key": found.key,
                "kind": one.event.kind,
                "number": found.number,
                "doc": found.doc,
                "parcel": parcel(
                    one.verified.statement.line, [one.event.raw], attached(one.verified.certificate)
                ),
            }
        )
    insert_ignore(work.session, DocumentRow, rows)
    if any(row["kind"] == "roster.place" for row in rows):
        learn_roster(work)
    return adopt(work)


def attached(certificate: Certificate) -> list[bytes]:
    """What must travel with a document so that whoever knows only an earlier generation can open it."""
    return [certificate.line] if certificate.generation > 1 else []


def _keep_certificates(work: Work, batch: Batch) -> None:
    rows = [{"fingerprint": one.fingerprint, "place": one.place, "line": one.line} for one in batch.admitted]
    insert_ignore(work.session, CertificateRow, rows)


def adopt(work: Work) -> bool:
    """Put the newest whole edition in force, if it is newer than ours."""
    row = newest_edition(work.session, work.know)
    if row is None or row.edition <= work.know.edition:
        return False
    work.learn(catalogue=row)
    return True


def newest_edition(session: Session, know: Knowledge) -> Catalogue | None:
    """The catalogue of the newest edition all of whose documents are here; None if there is none."""
    table = table_of(DocumentRow).c
    editions = session.execute(
        select(table.doc).where(table.kind == "catalogue.edition").order_by(table.number.desc()).limit(5)
    ).scalars()
    for raw in editions:
        found = opened(session, know, raw)
        if found is not None:
            return found
    return None


def opened(session: Session, know: Knowledge, raw: bytes) -> Catalogue | None:
    """The catalogue of this edition document; None while a document it names is missing, or if it is none."""
    try:
        edition = read_edition(raw)
        if edition.hash not in know.library.catalogues:
            documents = _documents(session, edition)
            if documents is None:
                return None
            know.library.catalogues[edition.hash] = open_catalogue(edition, documents)
    except (ProtocolError, ValueError):
        return None
    return know.library.catalogues[edition.hash]


def _documents(session: Session, edition: Edition) -> dict[str, bytes] | None:
    """The edition's documents by key; None while one is missing."""
    table = table_of(DocumentRow).c
    wanted = list(dict.fromkeys(edition.documents.values()))
    found: dict[str, bytes] = {}
    for at in range(0, len(wanted), CHUNK):
        rows = session.execute(select(table.hash, table.doc).where(table.hash.in_(wanted[at : at + CHUNK])))
        found |= {row.hash: row.doc for row in rows}
    if len(found) < len(wanted):
        return None
    return {key: found[name] for key, name in edition.documents.items()}


def missing(session: Session, know: Knowledge) -> tuple[int, int]:
    """(newest edition number heard of, how many of its documents are not here)."""
    table = table_of(DocumentRow).c
    raw = session.execute(
        select(table.doc).where(table.kind == "catalogue.edition").order_by(table.number.desc()).limit(1)
    ).scalar()
    if raw is None:
        return know.edition, 0
    edition = read_edition(raw)
    wanted = set(edition.documents.values())
    here = set(session.execute(select(table.hash).where(table.kind != "roster.place")).scalars())
    return edition.number, len(wanted - here)


def learn_roster(work: Work) -> None:
    """Rebuild the roster from the newest document of each place, and trust the certificates that concern us."""
    documents = {doc["code"]: doc for doc in map(orjson.loads, _newest_places(work.session))}
    if not documents:
        return  # nothing believable has come yet: what the certificates tell must do
    try:
        roster = build_roster(work.know.library, documents.values())
    except RosterError as wrong:
        log.info("the roster does not form a tree yet: %s", wrong)
        return  # a place may come before the one above it; until all are here the roster we know stays
    work.learn(roster=roster)
    for place in roster.subtree(roster.city.code):  # issuers before the issued
        if roster.is_under(place.code, work.me) or roster.is_under(work.me, place.code):
            _trust(work, documents[place.code])
    _renew(work)


def _renew(work: Work) -> None:
    """Sign with the next generation of our certificate from now on, and attach it until readers know it."""
    newest, own = work.know.ring.current(work.me), work.know.certificate
    if newest is None or newest.generation <= own.generation or newest.key != own.key:
        return
    work.learn(certificate=newest)
    work.session.execute(update(table_of(PeerRow)).values(knows_us=False))


def build_roster(library: Library, documents: Iterable[dict[str, Any]]) -> Roster:
    """The roster of these place documents."""
    places, hubs = [], []
    for doc in documents:
        parent = doc["parent"]
        places.append(
            Place(Code(doc["code"]), doc["name"], Tier(doc["tier"]), Code(parent) if parent else None)
        )
        if doc["hub"]:
            hubs.append(Code(doc["code"]))
    return library.roster(places, hubs)


def _newest_places(session: Session) -> Sequence[bytes]:
    table = table_of(DocumentRow).c
    rows = session.execute(
        select(table.key, table.doc)
        .where(table.kind == "roster.place")
        .order_by(table.key, table.number, table.hash)
    )
    return list({row.key: row.doc for row in rows}.values())


def meet(work: Work, code: str) -> Certificate | None:
    """The certificate of a place anywhere in the roster that we have business with, its issuers trusted first."""
    found = work.know.ring.current(code)
    if found is None and code in work.know.roster:
        documents = {doc["code"]: doc for doc in map(orjson.loads, _newest_places(work.session))}
        for place in reversed(work.know.roster.line(code)):
            _trust(work, documents.get(place.code, {}))
        found = work.know.ring.current(code)
    return found


def _trust(work: Work, doc: dict[str, Any]) -> None:
    """Trust the certificates of a place above or below us: nobody else's mail concerns us."""
    for line in doc.get("certificates", ()):
        try:
            one = work.know.ring.admit(line.encode())
        except EnvelopeError as wrong:
            set_aside(work, [Unbelievable(line.encode(), "", f"dir {doc['code']}", wrong.rule, wrong.reason)])
            return
        row = {"fingerprint": one.fingerprint, "place": one.place, "line": one.line}
        insert_ignore(work.session, CertificateRow, [row])
