"""Which files a case has, and whether they are here (材料目录).

A step's skeleton says how many files its sealed part names; `note` remembers the case in the transaction of the
step, which costs the inbox one row, and `list_noted` opens the sealed parts later, off the hot path.
One rule: an entry is another node's word about bytes to come; it is checked before a row is made of it.
"""

import hmac
import logging
from collections.abc import Sequence
from datetime import date
from functools import cache
from hashlib import sha256
from typing import Annotated, Any, Literal

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Row, delete, func, select, update
from sqlmodel import Session

from node.cases.dossier import PAPERS, dossier, open_private
from node.db import insert_ignore, table_of
from node.exchange.model import COUNTING, EventRow, EventState
from node.materials.model import BlobRow, BlobState, CaseFileRow, NotedCaseRow, SentFileRow
from node.work import Knowledge, Work
from protocol.blobs import KEY_BYTES, MAX_BLOB
from protocol.dsse import unb64
from protocol.envelope import Event, read_event
from protocol.errors import EnvelopeError
from protocol.sealed import is_party

log = logging.getLogger(__name__)

IDENTITY = ("身份证", "户口簿", "护照", "通行证", "居住证", "驾驶证", "残疾人证", "出生医学证明")
"""Words in the name of a material that make it a picture of an identity paper."""
_MOST = 200
"""Files of one case that are listed; honest nodes stay far below."""


class FileEntry(BaseModel):
    """One file as a sealed part names it."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    material: Annotated[str, Field(min_length=1, max_length=500)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=1, le=MAX_BLOB)]
    kind: Literal["image/jpeg", "image/png", "application/pdf"]
    key: Annotated[str, Field(max_length=64)]
    name: Annotated[str, Field(max_length=100)] = ""
    pages: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Of a PDF; 0 where whoever took it in did not say."""
    by: Annotated[str, Field(max_length=40)] = ""
    on: str = ""
    again: dict[str, str] | None = None
    """Used again from an earlier case: `no` and the recorded `consent`."""

    @property
    def secret(self) -> bytes:
        """The key."""
        return unb64(self.key)


def entries(private: dict[str, Any] | None) -> list[FileEntry]:
    """The files a sealed part names; what is not right in form is left out."""
    found: list[FileEntry] = []
    listed = (private or {}).get("files")
    for one in listed[:_MOST] if isinstance(listed, list) else ():
        try:
            entry = FileEntry.model_validate(one)
            if len(entry.secret) != KEY_BYTES:
                raise ValueError("key")  # noqa: TRY301
        except (ValidationError, ValueError, EnvelopeError):
            log.warning("a file entry is not right in form and was left out")
            continue
        found.append(entry)
    return found


def is_identity(material: str) -> bool:
    """Whether a material is a picture of an identity paper."""
    return any(word in material for word in IDENTITY)


def applicant_mark(know: Knowledge, private: dict[str, Any] | None) -> str:
    """A keyed hash of the applicant's number; "" without one. Only this node can make it."""
    person = (private or {}).get("applicant")
    if not isinstance(person, dict) or not person.get("id_no"):
        return ""
    return mark(know, str(person.get("id_type", "")), str(person["id_no"]))


def mark(know: Knowledge, id_type: str, id_no: str) -> str:
    """The mark of this number."""
    key = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"liandong-applicant-v1").derive(
        know.keys.seal.private_bytes_raw()
    )
    return hmac.new(key, f"{id_type}|{id_no.strip().upper()}".encode(), sha256).hexdigest()


def note(work: Work, event: Event, no: str) -> None:
    """Remember that what was said, by us or sealed to us, names files."""
    if event.body.get("files") and event.enc is not None and is_party(event.enc, work.me):
        insert_ignore(work.session, NotedCaseRow, [{"no": no}])


def any_noted(session: Session) -> bool:
    """Whether a case waits to be listed."""
    return session.connection().execute(_one_noted()).first() is not None


@cache  # asked every few seconds by every node, and putting it together costs more than its answer
def _one_noted() -> Any:
    return select(table_of(NotedCaseRow).c.no).limit(1)


def list_noted(work: Work) -> list[str]:
    """List the files of the cases remembered, those that came and those that we gave away; the cases."""
    table = table_of(NotedCaseRow)
    numbers = list(work.session.execute(select(table.c.no).limit(50)).scalars())
    for no in numbers:
        private = dossier(work.session, work.know, no)
        add(work, no, entries(private), applicant_mark(work.know, private), BlobState.COMING)
        _add_sent(work, no)
    work.session.execute(delete(table).where(table.c.no.in_(numbers)))
    return numbers


def _add_sent(work: Work, no: str) -> None:
    """List what our acts about a case gave to whom."""
    event = table_of(EventRow).c
    rows = work.session.execute(
        select(event.ord, event.raw).where(
            event.case_no == no, event.frm == work.me, event.state == EventState.MINE
        )
    )
    found = []
    for row in rows:
        said = read_event(row.raw)
        if not said.body.get("files") or said.enc is None:
            continue
        names = {one.sha256 for one in entries(open_private(said, work.know))}
        places = [place for place, _ in said.to if is_party(said.enc, place)]
        key = {"ep": said.ep, "ord": row.ord, "no": no, "asked_at": work.now}
        found += [{"place": place, "sha256": name, **key} for place in places for name in sorted(names)]
    insert_ignore(work.session, SentFileRow, found)


def add(
    work: Work, no: str, files: Sequence[FileEntry], applicant: str, state: BlobState, on: date | None = None
) -> None:
    """List the files of a case; blobs not known yet are in `state`."""
    rows = [
        {
            "no": no,
            "sha256": one.sha256,
            "material": one.material,
            "kind": one.kind,
            "applicant": applicant,
            "identity": is_identity(one.material),
            "on": on or work.today,
        }
        for one in files
    ]
    insert_ignore(work.session, CaseFileRow, rows)
    fresh = [
        {"sha256": one.sha256, "size": one.size, "state": state, "at": work.now, "why": ""} for one in files
    ]
    insert_ignore(work.session, BlobRow, fresh)


def coming(session: Session, limit: int = 1000) -> Sequence[Row[Any]]:
    """(sha256, size, no) of blobs wanted here, the newest first."""
    blob, file = table_of(BlobRow).c, table_of(CaseFileRow).c
    return session.execute(
        select(blob.sha256, blob.size, func.max(file.no).label("no"))
        .join_from(table_of(BlobRow), table_of(CaseFileRow), file.sha256 == blob.sha256)
        .where(blob.state == BlobState.COMING)
        .group_by(blob.sha256, blob.size, blob.at)
        .order_by(blob.at.desc(), blob.sha256)
        .limit(limit)
    ).all()


def arrived(work: Work, name: str) -> None:
    """A blob is here."""
    table = table_of(BlobRow)
    work.session.execute(
        update(table).where(table.c.sha256 == name).values(state=BlobState.HERE, at=work.now)
    )


def sources(session: Session, me: str, no: str) -> list[str]:
    """Who may have a case's blobs, without us: who spoke for it, the latest first; then who told us of it beside its
    steps, the first first (an assist outside the case's line hears only the lead's notice); at last its origin.
    """
    event = table_of(EventRow).c
    last, first = func.max(event.n), func.min(event.at)
    rows = session.execute(
        select(event.frm)
        .where(event.case_no == no, event.kind.in_(PAPERS), event.state == EventState.APPLIED)
        .group_by(event.frm)
        .order_by(last.desc().nulls_last(), first, event.frm)
    )
    found = [str(row.frm) for row in rows]
    return [place for place in dict.fromkeys([*found, no[:12]]) if place != me]


def may_have(session: Session, no: str, name: str, place: str) -> bool:
    """Whether `place` was given the key: a counted event of the case that may hand over files and names some is sealed to it."""
    file, event = table_of(CaseFileRow).c, table_of(EventRow).c
    if session.execute(select(file.no).where(file.no == no, file.sha256 == name).limit(1)).first() is None:
        return False
    rows = session.execute(
        select(event.raw).where(
            event.case_no == no,
            event.kind.in_(PAPERS),
            event.state.in_(COUNTING),
        )
    ).scalars()
    for raw in rows:
        said = read_event(raw)
        if said.body.get("files") and said.enc is not None and is_party(said.enc, place):
            return True
    return False
