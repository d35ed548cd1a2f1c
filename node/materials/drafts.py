"""What is being collected (暂存材料): files of a draft, until the case goes out with them.

One rule: a file belongs to the officer who took it and to one draft; nobody else sees or files it. Its key waits
sealed to this node and goes, with the filing, into the sealed part of the step. Plain functions over one transaction;
what is done to files on the disk is done by `collect.py` around them.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, func, insert, select, update
from sqlmodel import Session

from node import audit
from node.accounts.officer import Officer
from node.cases.dossier import dossier
from node.db import table_of
from node.errors import BadForm, Conflict, NotFound
from node.materials import index
from node.materials.index import FileEntry
from node.materials.kinds import too_large
from node.materials.model import BlobRow, BlobState, UploadRow, UploadState
from node.materials.rules import MaterialRules
from node.work import Work
from protocol.catalogue import Item
from protocol.dsse import b64, unb64
from protocol.sealed import open_sealed, seal

TOKEN = re.compile(r"[A-Za-z0-9_-]{8,64}")
_uploads, _blobs = table_of(UploadRow), table_of(BlobRow)
_UNDONE = (UploadState.COMING, UploadState.CHECKING)


@dataclass(frozen=True, slots=True)
class Start:
    """What a browser says of a file before its bytes."""

    draft: str
    material: str
    name: str
    size: int
    token: str
    """Its own name for it (Idempotency-Key)."""


def start(work: Work, rules: MaterialRules, officer: Officer, form: Start) -> Row[Any]:
    """The row of an upload, new or begun before under the same token; BadForm if it cannot be taken at all."""
    known = work.session.execute(
        select(_uploads).where(_uploads.c.officer == officer.staff_no, _uploads.c.token == form.token)
    ).first()
    if known is not None:
        if (known.draft, known.material, known.size) != (form.draft, form.material.strip(), form.size):
            raise Conflict("同一个上传编号已用于另一个文件")
        return known
    _check(form, rules)
    _room(work, rules, officer, form.draft)
    return _insert(
        work,
        officer,
        form.draft,
        form.token,
        {"material": form.material.strip(), "name": plain_name(form.name), "size": form.size},
    )


def _check(form: Start, rules: MaterialRules) -> None:
    errors = {}
    if not TOKEN.fullmatch(form.token):
        errors["key"] = "请提供 8 至 64 位的上传编号（Idempotency-Key）"
    if not TOKEN.fullmatch(form.draft):
        errors["draft"] = "没有这份草稿"
    if not 1 <= len(form.material.strip()) <= 500:
        errors["material"] = "请选择这是哪一份材料"
    if form.size < 1:
        errors["size"] = "文件是空的，请重新选择"
    elif form.size > rules.upload_max:
        errors["size"] = too_large(form.size, rules.upload_max)
    if errors:
        raise BadForm(errors)


def _room(work: Work, rules: MaterialRules, officer: Officer, draft: str) -> None:
    here = (
        select(func.count())
        .select_from(_uploads)
        .where(*_mine(officer, draft), _uploads.c.state != UploadState.REFUSED)
    )
    if (work.session.execute(here).scalar() or 0) >= rules.files_max:
        raise BadForm(material=f"一件最多收 {rules.files_max} 份文件，请合并后再传")


def _insert(work: Work, officer: Officer, draft: str, token: str, more: dict[str, Any]) -> Row[Any]:
    name = uuid4().hex
    row = {
        "id": name,
        "officer": officer.staff_no,
        "draft": draft,
        "token": token,
        "state": UploadState.COMING,
        "reason": "",
        "sha256": "",
        "kind": "",
        "blob_size": 0,
        "pages": 0,
        "sealed": None,
        "source": "",
        "consent": "",
        "applicant": "",
        "created_at": work.now,
        "changed_at": work.now,
        **more,
    }
    work.session.execute(insert(_uploads).values(row))
    return find(work.session, officer, name)


def plain_name(name: str) -> str:
    """A file's name as it may be shown: no folders, no control or direction characters, at most 100."""
    last = re.split(r"[/\\]", name)[-1]
    kept = "".join(one for one in last if unicodedata.category(one)[0] not in "CZ" or one == " ")
    return kept.strip(" .")[:100]


def _mine(officer: Officer, draft: str) -> tuple[Any, ...]:
    return (_uploads.c.officer == officer.staff_no, _uploads.c.draft == draft)


def find(session: Session, officer: Officer, name: str) -> Row[Any]:
    """One upload of this officer; NotFound for anybody else's."""
    row = session.execute(
        select(_uploads).where(_uploads.c.id == name, _uploads.c.officer == officer.staff_no)
    ).first()
    if row is None:
        raise NotFound("没有这个上传")
    return row


def find_ready(session: Session, officer: Officer, name: str) -> Row[Any]:
    """One upload of this officer that is kept here; NotFound, or Conflict while it is not ready."""
    row = find(session, officer, name)
    if row.state != UploadState.READY:
        raise Conflict("这份文件还没有收好，或已随办件报送")
    return row


def open_ready(work: Work, officer: Officer, name: str, address: str) -> tuple[Row[Any], bytes]:
    """A collected file with its key; one taken from an earlier case leaves a line in the audit log (查看并留痕)."""
    row = find_ready(work.session, officer, name)
    if row.source:
        what = f"{row.source}/{row.sha256[:16]} {row.material}"[:200]
        audit.record(
            work.session,
            officer.login,
            "material.view",
            what,
            "核对复用的材料",
            now=work.now,
            address=address,
        )
    return row, key_of(work.know, row)


def listed(session: Session, staff_no: str, draft: str) -> Sequence[Row[Any]]:
    """The files of a draft, in the order they were begun."""
    return session.execute(
        select(_uploads)
        .where(_uploads.c.officer == staff_no, _uploads.c.draft == draft)
        .order_by(_uploads.c.created_at, _uploads.c.id)
    ).all()


def checking(work: Work, name: str) -> None:
    """Every byte is here; it is being looked at."""
    _change(work, name, state=UploadState.CHECKING)


def refuse(work: Work, name: str, reason: str) -> None:
    """It cannot be taken in."""
    _change(work, name, state=UploadState.REFUSED, reason=reason)


def ready(work: Work, name: str, kind: str, blob: tuple[str, int], key: bytes, pages: int = 0) -> None:
    """It is kept: enciphered, named by its hash, its key sealed to this node."""
    sha, size = blob
    _change(
        work, name, state=UploadState.READY, reason="", kind=kind, sha256=sha, blob_size=size, pages=pages,
        sealed=_seal(work, name, key),
    )  # fmt: skip


def _change(work: Work, name: str, **values: Any) -> None:
    work.session.execute(update(_uploads).where(_uploads.c.id == name).values(changed_at=work.now, **values))


def _seal(work: Work, name: str, key: bytes) -> dict[str, Any]:
    return seal({"key": b64(key)}, [work.know.certificate], _bound(name))


def key_of(know: Any, row: Row[Any]) -> bytes:
    """The key of a file that waits in a draft."""
    return unb64(str(open_sealed(row.sealed, know.place, know.keys.seal, _bound(row.id))["key"]))


def _bound(name: str) -> bytes:
    return f"liandong-upload-v1|{name}".encode()


def remove(work: Work, officer: Officer, name: str) -> str:
    """Take a file out of its draft; the hash of its blob if nothing else needs it, else ""."""
    row = find(work.session, officer, name)
    if row.state == UploadState.FILED:
        raise Conflict("已随办件报送，不能移除")
    work.session.execute(_uploads.delete().where(_uploads.c.id == name))
    return row.sha256 if row.sha256 and not needed(work.session, row.sha256) else ""


def needed(session: Session, sha: str) -> bool:
    """Whether a case or another file of a draft still has this blob."""
    by_case = select(_blobs.c.sha256).where(_blobs.c.sha256 == sha, _blobs.c.state != BlobState.GONE)
    by_draft = select(_uploads.c.id).where(_uploads.c.sha256 == sha, _uploads.c.state != UploadState.FILED)
    return any(session.execute(one.limit(1)).first() is not None for one in (by_case, by_draft))


def share(work: Work, rules: MaterialRules, officer: Officer, name: str, material: str) -> Row[Any]:
    """Let a file of the draft stand for another material too (材料共享): handed in once, used twice."""
    row = find(work.session, officer, name)
    if row.state != UploadState.READY:
        raise Conflict("这份材料还没有收好")
    return _copy(work, rules, officer, row.draft, material, row.name, row.size, key_of(work.know, row), {
        "kind": row.kind, "sha256": row.sha256, "blob_size": row.blob_size, "pages": row.pages,
        "source": row.source, "consent": row.consent, "applicant": row.applicant,
    })  # fmt: skip


def _copy(
    work: Work, rules: MaterialRules, officer: Officer, draft: str, material: str, name: str, size: int,
    key: bytes, more: dict[str, Any],
) -> Row[Any]:  # fmt: skip
    """One more file of the draft with bytes that are here already; the same one if it is there."""
    token = f"{more['sha256'][:24]}-{sum(material.encode()):x}-{draft}"[:64]
    form = Start(draft, material, name, size, token)
    _check(form, rules)
    for one in listed(work.session, officer.staff_no, draft):
        if (one.sha256, one.material) == (more["sha256"], material.strip()):
            return one
    _room(work, rules, officer, draft)
    made = _insert(
        work, officer, draft, token,
        {"material": material.strip(), "name": name, "size": size, "state": UploadState.READY, **more},
    )  # fmt: skip
    _change(work, made.id, sealed=_seal(work, made.id, key))
    return find(work.session, officer, made.id)


@dataclass(frozen=True, slots=True)
class Again:
    """What is to be used again: a file of an earlier case, and how the applicant agreed."""

    no: str
    sha256: str
    consent: str


def reuse(
    work: Work, rules: MaterialRules, officer: Officer, draft: str, material: str, again: Again
) -> Row[Any]:
    """Use a file of an earlier case of the same applicant again (材料复用), with his recorded consent."""
    if not 2 <= len(again.consent.strip()) <= 200:
        raise BadForm(consent="请记录申请人同意再次使用（如“本人当面同意”）")
    private = dossier(work.session, work.know, again.no)
    entry = next((one for one in index.entries(private) if one.sha256 == again.sha256), None)
    applicant = index.applicant_mark(work.know, private)
    blob = work.session.execute(select(_blobs).where(_blobs.c.sha256 == again.sha256)).first()
    if entry is None or not applicant:
        raise NotFound("没有这份材料，或它不在本节点办过的办件里")
    if blob is None or blob.state != BlobState.HERE:
        raise Conflict("这份材料已按期限删除或尚未到达，请重新收取")
    audit.record(
        work.session,
        officer.login,
        "material.reuse",
        f"{again.no}/{again.sha256[:16]}",
        again.consent,
        now=work.now,
    )
    return _copy(
        work, rules, officer, draft, material, entry.name, entry.size, entry.secret,
        {
            "kind": entry.kind, "sha256": entry.sha256, "blob_size": entry.size, "pages": entry.pages,
            "source": again.no, "consent": again.consent.strip(), "applicant": applicant,
        },
    )  # fmt: skip


def collected(work: Work, staff_no: str, draft: str) -> list[str]:
    """The materials for which a draft has files, ready or still on their way."""
    rows = listed(work.session, staff_no, draft) if draft else ()
    states = (UploadState.READY, *_UNDONE)
    return list(dict.fromkeys(row.material for row in rows if row.state in states))


def faults(work: Work, staff_no: str, draft: str, item: Item | None, applicant: str) -> dict[str, str]:
    """What keeps the files of a draft from going out with a case of this applicant."""
    rows = listed(work.session, staff_no, draft) if draft else ()
    if undone := [row for row in rows if row.state in _UNDONE]:
        return {
            "files": f"还有 {len(undone)} 份文件没有传完（{undone[0].material}），请等它传完或移除后再报送"
        }
    known = {*(one.name for one in item.materials), item.application_form} if item else set()
    for row in rows:
        if row.state == UploadState.READY and item is not None and row.material not in known:
            return {"files": f"“{row.material}”不在本事项的材料清单里，请移除"}
        if row.state == UploadState.READY and row.applicant and row.applicant != applicant:
            return {"files": f"“{row.material}”取自另一位申请人的办件，不能用于本件"}
    return {}


def claim(work: Work, staff_no: str, draft: str, no: str, applicant: str) -> list[dict[str, Any]]:
    """The entries for the sealed part of a step of case `no`; the files belong to the case from now on."""
    rows = (
        [row for row in listed(work.session, staff_no, draft) if row.state == UploadState.READY]
        if draft
        else []
    )
    found = []
    for row in rows:
        entry: dict[str, Any] = {
            "material": row.material,
            "sha256": row.sha256,
            "size": row.blob_size,
            "kind": row.kind,
            "key": b64(key_of(work.know, row)),
            "name": row.name,
            "by": staff_no,
            "on": work.today.isoformat(),
        }
        if row.pages:
            entry["pages"] = row.pages
        if row.source:
            entry["again"] = {"no": row.source, "consent": row.consent}
        found.append(entry)
    index.add(work, no, [FileEntry.model_validate(one) for one in found], applicant, BlobState.HERE)
    if rows:
        names = [row.id for row in rows]
        work.session.execute(
            update(_uploads)
            .where(_uploads.c.id.in_(names))
            .values(state=UploadState.FILED, sealed=None, changed_at=work.now)
        )
    return found
