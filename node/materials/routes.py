"""Materials over HTTP: uploads that survive a bad link, the checklist of a draft, and the files of a case.

    POST   /api/uploads                          begin (Idempotency-Key names it), 201 with `id` and `offset`
    PUT    /api/uploads/{id}?offset=N            bytes from N on, as many as the link carries; the body is raw
    GET    /api/uploads/{id}                     where to go on, and what became of it
    GET    /api/uploads/{id}/file                what was collected, and /thumb a small picture of it
    DELETE /api/uploads/{id}
    POST   /api/uploads/{id}/share               let it stand for another material too
    GET    /api/drafts/{draft}/materials         the checklist with the state of each slot
    POST   /api/reusable                         what the same applicant handed in before
    POST   /api/drafts/{draft}/reuse             use it again, with his consent
    GET    /api/cases/{no}/materials             the files of a case, n of m arrived
    GET    /api/cases/{no}/materials/{sha}       one of them, opened on the fly (查看并留痕)
    GET    /api/cases/{no}/materials/{sha}/thumb

A draft's name is the draft's id, or the number of the case that a supplement is collected for.
"""

from datetime import date, datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Row

from node.accounts.guard import address_of, node_of, require
from node.accounts.officer import Officer
from node.accounts.roles import AT_WORK
from node.errors import BadForm
from node.materials import checklist, collect, drafts, reusable, viewing
from node.materials.collect import Materials, materials_of
from node.materials.index import FileEntry
from node.materials.kinds import PDF
from node.materials.model import UploadState

Who = Annotated[Officer, Depends(require(*sorted(AT_WORK)))]

router = APIRouter(prefix="/api", tags=["材料"])

SHOWN_SAFELY = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'; img-src 'self'; style-src 'unsafe-inline'",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""With every material: whatever it is, a browser shows it as what we say it is, and runs nothing."""


class Input(BaseModel):
    """A request body: nothing unknown in it."""

    model_config = ConfigDict(extra="forbid", str_max_length=500)


class UploadStart(Input):
    """A file about to be sent."""

    draft: str
    material: str
    name: str = ""
    size: int


class Sharing(Input):
    """The other material a file stands for."""

    material: str


class Reuse(Input):
    """A file of an earlier case, and how the applicant agreed."""

    material: str
    no: str
    sha256: str
    consent: str


class Applicant(Input):
    """Whose earlier materials are asked for, and for which item."""

    item: str
    id_no: str
    id_type: str = "111"


class UploadAnswer(BaseModel):
    """A file of a draft."""

    id: str
    draft: str
    material: str
    name: str
    size: int
    offset: int
    """Bytes that are here: go on from this one."""
    state: UploadState
    reason: str
    kind: str
    pages: int
    """Of a PDF."""
    source: str
    href: str
    """Where it can be looked at, once it is ready."""
    thumb: str


class SlotAnswer(BaseModel):
    """One line of the checklist."""

    material: str
    need: str
    form: str
    label: str
    required: bool
    tolerable: bool
    state: str
    state_label: str
    files: list[UploadAnswer]


class Checklist(BaseModel):
    """The checklist of a draft; `missing` names what is required and not there."""

    slots: list[SlotAnswer]
    missing: list[str]
    warning: str


class ReusableFile(BaseModel):
    """A file the same applicant handed in before."""

    material: str
    no: str
    sha256: str
    kind: str
    on: date


class FileAnswer(BaseModel):
    """One file of a case."""

    material: str
    name: str
    kind: str
    size: int
    sha256: str
    pages: int
    state: str
    state_label: str
    have: int
    by: str
    on: str
    again: dict[str, str] | None
    since: datetime
    href: str
    thumb: str


class CaseFiles(BaseModel):
    """The files of a case; `arrived` of `total` are here."""

    arrived: int
    total: int
    files: list[FileAnswer]


def _upload(part: Materials, row: Row[Any]) -> UploadAnswer:
    coming = row.state == UploadState.COMING
    href = f"/api/uploads/{row.id}/file" if row.state == UploadState.READY else ""
    return UploadAnswer(
        **{name: getattr(row, name) for name in UploadAnswer.model_fields if hasattr(row, name)},
        offset=part.store.uploaded(row.id) if coming else row.size,
        href=href,
        thumb=f"/api/uploads/{row.id}/thumb" if href and row.kind != PDF else "",
    )


@router.post("/uploads", status_code=201)
async def begin(
    request: Request, who: Who, form: UploadStart, idempotency_key: Annotated[str, Header()]
) -> UploadAnswer:
    """Begin to send a file, or find out how far it got: the same key gives the same upload."""
    part = materials_of(node_of(request))
    start = drafts.Start(form.draft, form.material, form.name, form.size, idempotency_key)
    return _upload(part, await part.node.do(drafts.start, part.rules, who, start))


@router.put("/uploads/{name}")
async def put(request: Request, who: Who, name: str, offset: Annotated[int, Query(ge=0)] = 0) -> UploadAnswer:
    """Bytes from `offset` on. With the last one the file is checked: 422 with the reason if it is refused."""
    part = materials_of(node_of(request))
    return _upload(part, await collect.put(part, who, name, offset, request.stream()))


@router.get("/uploads/{name}")
async def look(request: Request, who: Who, name: str) -> UploadAnswer:
    """Where to go on, and what became of it."""
    part = materials_of(node_of(request))
    return _upload(part, part.node.read(drafts.find, who, name))


@router.get("/uploads/{name}/file", response_class=Response)
async def upload_file(request: Request, who: Who, name: str) -> Response:
    """What was collected, for whoever collected it; one taken from an earlier case leaves a line in the audit log."""
    part = materials_of(node_of(request))
    row, key = await part.node.do(drafts.open_ready, who, name, address_of(request))
    return _streamed(part, row.sha256, key, row.kind, row.name or f"{name}.{viewing.SUFFIX[row.kind]}")


@router.get("/uploads/{name}/thumb", response_class=Response)
async def upload_thumb(request: Request, who: Who, name: str) -> Response:
    """A small picture of a collected photo, for whoever collected it."""
    part = materials_of(node_of(request))
    row = part.node.read(drafts.find_ready, who, name)
    small = await viewing.small(part, row.kind, row.sha256, drafts.key_of(part.node.know, row))
    return Response(small, media_type="image/jpeg", headers=SHOWN_SAFELY)


@router.delete("/uploads/{name}", status_code=204)
async def remove(request: Request, who: Who, name: str) -> None:
    """Take a file out of its draft."""
    await collect.discard(materials_of(node_of(request)), who, name)


@router.post("/uploads/{name}/share", status_code=201)
async def share(request: Request, who: Who, name: str, form: Sharing) -> UploadAnswer:
    """Let a file stand for another material of the draft too."""
    part = materials_of(node_of(request))
    return _upload(part, await part.node.do(drafts.share, part.rules, who, name, form.material))


@router.get("/drafts/{draft}/materials")
async def draft_materials(request: Request, who: Who, draft: str, item: str = "") -> Checklist:
    """The checklist of an item with what the draft has for it; without `item`, what the draft has."""
    part = materials_of(node_of(request))
    rows = part.node.read(drafts.listed, who.staff_no, draft)
    catalogue = part.node.know.catalogue
    known = catalogue.get(item) if catalogue and item else None
    if item and known is None:
        raise BadForm(item="目录中没有这一项")
    if known is None:
        slots = [
            SlotAnswer(material=row.material, need="", form="", label="", required=False, tolerable=False,
                       state="", state_label="", files=[_upload(part, row)])
            for row in rows
        ]  # fmt: skip
        return Checklist(slots=slots, missing=[], warning="")
    found = checklist.checklist(rows, known)
    missing = [one.material for one in found if one.required and one.state in ("missing", "refused")]
    return Checklist(slots=[_slot(part, one) for one in found], missing=missing, warning=warning(missing))


def warning(missing: list[str]) -> str:
    """What is said of required materials that are not there."""
    if not missing:
        return ""
    return f"还缺必要材料：{'、'.join(missing)}。可以补齐后再报送，也可以先报送，由受理机关一次性告知补正或按容缺办理"


def _slot(part: Materials, one: checklist.Slot) -> SlotAnswer:
    return SlotAnswer(
        material=one.material, need=one.need, form=one.form, label=one.label, required=one.required,
        tolerable=one.tolerable, state=one.state, state_label=checklist.STATES[one.state],
        files=[_upload(part, row) for row in one.files],
    )  # fmt: skip


@router.post("/reusable")
async def find_reusable(request: Request, _who: Who, form: Applicant) -> list[ReusableFile]:
    """Files of earlier cases of the same applicant that fit the item's checklist; his number stays out of addresses."""
    part = materials_of(node_of(request))
    found = part.node.read(reusable.find, part.node.know, form.item, form.id_type, form.id_no)
    return [ReusableFile(**dict(row._mapping)) for row in found]  # noqa: SLF001 - SQLAlchemy's public name


@router.post("/drafts/{draft}/reuse", status_code=201)
async def reuse(request: Request, who: Who, draft: str, form: Reuse) -> UploadAnswer:
    """Use a file of an earlier case again; the applicant's consent is recorded."""
    part = materials_of(node_of(request))
    again = drafts.Again(form.no, form.sha256, form.consent)
    return _upload(part, await part.node.do(drafts.reuse, part.rules, who, draft, form.material, again))


@router.get("/cases/{no}/materials")
async def case_files(request: Request, who: Who, no: str) -> CaseFiles:
    """The files of a case and how far they are; 403 at a node that is not a party."""
    part = materials_of(node_of(request))
    viewing.allowed(who)
    found = part.node.read(lambda session: viewing.listing(part, session, no))
    return CaseFiles(
        arrived=found.arrived, total=len(found.files), files=[_file(no, one) for one in found.files]
    )


def _file(no: str, one: viewing.Shown) -> FileAnswer:
    entry = one.entry
    href = viewing.href(no, entry)
    return FileAnswer(
        **entry.model_dump(include=set(FileAnswer.model_fields)),
        state=one.state, state_label=one.label, have=one.have, since=one.since,
        href=href, thumb=viewing.thumb_href(no, entry),
    )  # fmt: skip


@router.get("/cases/{no}/materials/{sha}", response_class=Response)
async def case_file(
    request: Request, who: Who, no: str, sha: str, why: str = "", save: bool = False
) -> Response:
    """One material, opened on the fly. Each view is recorded (查看并留痕); `save` has the browser keep it."""
    part = materials_of(node_of(request))
    entry: FileEntry = await part.node.do(viewing.open_material, who, no, sha, why, address_of(request))
    names = [one.sha256 for one in part.node.read(viewing.entries, part.node.know, no)]
    name = viewing.file_name(entry, no, names.index(sha) + 1)
    return _streamed(part, sha, entry.secret, entry.kind, name, save=save)


def _streamed(
    part: Materials, sha: str, key: bytes, kind: str, name: str, *, save: bool = False
) -> StreamingResponse:
    """A material, opened on the fly; a browser shows a photo, and keeps a PDF or what it was told to."""
    how = "attachment" if save or kind == PDF else "inline"
    plain = f"{sha[:12]}.{viewing.SUFFIX[kind]}"
    disposition = f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"
    return StreamingResponse(
        viewing.plain(part, sha, key),
        media_type=kind,
        headers={**SHOWN_SAFELY, "Content-Disposition": disposition},
    )


@router.get("/cases/{no}/materials/{sha}/thumb", response_class=Response)
async def case_thumb(request: Request, who: Who, no: str, sha: str) -> Response:
    """A small picture of a photo, on which nothing can be read."""
    part = materials_of(node_of(request))
    entry = await part.node.do(viewing.open_small, who, no, sha, address_of(request))
    return Response(
        await viewing.small(part, entry.kind, entry.sha256, entry.secret),
        media_type="image/jpeg",
        headers=SHOWN_SAFELY,
    )
