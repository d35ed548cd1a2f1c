"""Looking at materials (查看并留痕): only at a party to the case, only by those who work on it, and never unseen.

One rule: the key comes from the case's sealed parts, so where those cannot be opened there is nothing to show, and
every material that is opened leaves a line in the audit log.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy import Row, select
from sqlmodel import Session

from node import audit
from node.accounts.officer import Officer
from node.accounts.roles import AT_WORK
from node.audit import AuditEntry
from node.cases import views as case_views
from node.cases.dossier import dossier
from node.db import table_of
from node.errors import BadForm, Conflict, Forbidden, NotFound, RoleMissing
from node.materials import index
from node.materials.index import FileEntry
from node.materials.kinds import JPEG, PDF, PNG, IntakeRefused
from node.materials.model import BlobRow, BlobState
from node.work import CIVIL, Knowledge, Work
from protocol.errors import SealError

if TYPE_CHECKING:
    from node.materials.collect import Materials

SUFFIX = {JPEG: "jpg", PNG: "png", PDF: "pdf"}
STATES = {"here": "已到", "coming": "传送中", "gone": "已按期限删除"}
_blobs = table_of(BlobRow)


@dataclass(frozen=True, slots=True)
class Shown:
    """One file of a case as a list shows it."""

    entry: FileEntry
    state: BlobState
    have: int
    """Bytes of the blob that are here."""
    since: datetime
    why: str

    @property
    def label(self) -> str:
        """已到, 传送中 with its share, or 已按期限删除."""
        if self.state is BlobState.COMING and self.have:
            return f"传送中 {100 * self.have // self.entry.size}%"
        return STATES[self.state]


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a case, with how many of them are here."""

    files: tuple[Shown, ...]

    @property
    def arrived(self) -> int:
        """How many have come, those deleted since included."""
        return sum(one.state is not BlobState.COMING for one in self.files)


def allowed(officer: Officer) -> None:
    """RoleMissing unless the officer works on cases."""
    if not officer.roles & AT_WORK:
        raise RoleMissing("只有办理业务的人员可以查看材料")


def entries(session: Session, know: Knowledge, no: str) -> list[FileEntry]:
    """The files of a case by its sealed parts; Forbidden where they are not sealed to us, NotFound for no case at all."""
    private = dossier(session, know, no)
    if private is None:
        case_views.one(session, no)
        raise Forbidden("材料只在承办本件的单位可看，本节点不是本件的当事方")
    return list({(one.sha256, one.material): one for one in index.entries(private)}.values())


def listing(part: "Materials", session: Session, no: str) -> Listing:
    """Every file of a case and whether it is here."""
    found = entries(session, part.node.know, no)
    rows = _rows(session, [one.sha256 for one in found])
    return Listing(tuple(_shown(part, one, rows.get(one.sha256)) for one in found))


def _rows(session: Session, names: Sequence[str]) -> dict[str, Row[Any]]:
    found = session.execute(select(_blobs).where(_blobs.c.sha256.in_(names)))
    return {row.sha256: row for row in found}


def _shown(part: "Materials", entry: FileEntry, row: Row[Any] | None) -> Shown:
    state = BlobState(row.state) if row else BlobState.COMING
    fetch = part.lane.of(entry.sha256)
    have = entry.size if state is BlobState.HERE else fetch.assembly.have if fetch else 0
    return Shown(entry, state, have, row.at if row else part.node.clock(), row.why if row else "")


def open_material(work: Work, officer: Officer, no: str, sha: str, why: str, address: str) -> FileEntry:
    """The entry of a material about to be shown, its line in the audit log written; NotFound, Forbidden, Conflict.

    BadForm for a picture of an identity paper without a reason (查看并留痕).
    """
    allowed(officer)
    entry = _entry(work.session, work.know, no, sha)
    if index.is_identity(entry.material) and not why.strip():
        raise BadForm(why="查看证件照片须写明事由")
    audit.record(
        work.session, officer.login, "material.view", f"{no}/{sha[:16]} {entry.material}"[:200],
        why.strip()[:500] or "办理本件", now=work.now, address=address,
    )  # fmt: skip
    return entry


def open_small(work: Work, officer: Officer, no: str, sha: str, address: str) -> FileEntry:
    """The entry of a material whose small picture is shown: one line a day for each officer and case.

    NotFound for an identity paper: a face is known in a small picture too.
    """
    allowed(officer)
    entry = _entry(work.session, work.know, no, sha)
    if index.is_identity(entry.material):
        raise NotFound("证件照片没有缩略图，须写明事由后查看")
    table = table_of(AuditEntry).c
    morning = datetime.combine(work.today, datetime.min.time(), CIVIL)
    seen = select(table.n).where(
        table.what == no, table.who == officer.login, table.act == "material.glance", table.at >= morning
    )
    if work.session.execute(seen.limit(1)).first() is None:
        audit.record(work.session, officer.login, "material.glance", no, now=work.now, address=address)
    return entry


def _entry(session: Session, know: Knowledge, no: str, sha: str) -> FileEntry:
    found = [one for one in entries(session, know, no) if one.sha256 == sha]
    if not found:
        raise NotFound("本件没有这份材料")
    entry = next((one for one in found if index.is_identity(one.material)), found[0])
    row = _rows(session, [sha]).get(sha)
    if row is None or row.state == BlobState.COMING:
        raise Conflict("这份材料还在传送中，到齐后可看")
    if row.state == BlobState.GONE:
        raise Conflict(f"这份材料已于 {row.at.astimezone(CIVIL):%Y-%m-%d} 删除：{row.why}")
    return entry


def plain(part: "Materials", sha: str, key: bytes) -> Iterator[bytes]:
    """The bytes of a material, opened segment by segment; the first one before anything is promised."""
    try:
        segments = part.store.plain(sha, key)
        first = next(segments)
    except FileNotFoundError:
        raise Conflict("材料文件不在本机，请管理员检查磁盘") from None
    except SealError as wrong:
        raise Conflict(str(wrong)) from None

    def rest() -> Iterator[bytes]:
        yield first
        yield from segments

    return rest()


async def small(part: "Materials", kind: str, sha: str, key: bytes) -> bytes:
    """The small picture of a material, drawn at its first use; NotFound for what has none."""
    if kind == PDF:
        raise NotFound("PDF 没有缩略图")
    found = await asyncio.to_thread(part.store.thumb, sha, key)
    if found is not None:
        return found
    whole = await asyncio.to_thread(lambda: b"".join(plain(part, sha, key)))
    try:
        drawn = await part.workshop.thumb(whole)
    except IntakeRefused as refused:
        raise NotFound(str(refused)) from None
    await asyncio.to_thread(part.store.keep_thumb, sha, key, drawn)
    return drawn


def href(no: str, entry: FileEntry) -> str:
    """Where a material is opened."""
    return f"/api/cases/{quote(no)}/materials/{entry.sha256}"


def thumb_href(no: str, entry: FileEntry) -> str:
    """Where its small picture is; "" for a PDF and for identity papers."""
    return "" if entry.kind == PDF or index.is_identity(entry.material) else f"{href(no, entry)}/thumb"


def file_name(entry: FileEntry, no: str, number: int) -> str:
    """The name a browser saves a material under: case number, number and material, nothing a stranger chose."""
    kept = "".join(one for one in entry.material if one.isalnum() or one in "-_（）")[:40]
    return f"{no}-{number:02d}-{kept or '材料'}.{SUFFIX[entry.kind]}"
