"""材料 as pages show them: each line of the item's list with its files, small pictures and how far they have come."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from node.accounts.roles import AT_WORK
from node.desk import show
from node.desk.frame import Desk
from node.materials import index, reached, reusable, viewing
from node.materials.checklist import label_of
from node.materials.collect import materials_of
from node.materials.kinds import PDF
from node.materials.model import BlobState
from node.materials.viewing import Shown
from node.pages.views.common import Tag, Tone
from node.pages.views.materials import FileView, Material, Papers, Reusable, Sent
from protocol.blobs import MAX_PIECE
from protocol.catalogue import Item

CONSENTS = ("本人当面同意", "本人书面同意", "本人电话同意，已核对身份")
"""How an applicant may agree that a material of his is used again; recorded in the signed step."""
_TONES = {BlobState.HERE: Tone.GOOD, BlobState.COMING: Tone.CALM, BlobState.GONE: Tone.PLAIN}


def papers(desk: Desk, no: str, item: Item | None, private: dict[str, Any] | None) -> Papers:
    """The item's list with the files of the case; nothing where its sealed parts are not ours to open."""
    if item is None or private is None:
        return Papers(materials=())
    here = set(private.get("materials", ())) | set((private.get("supplement") or {}).get("materials", ()))
    absent = {
        str(one.get("material")): str(one.get("why", ""))
        for one in (private.get("supplement") or {}).get("absent", ())
    }
    part = materials_of(desk.node)
    found = desk.node.read(lambda session: viewing.listing(part, session, no))
    files: dict[str, list[Shown]] = defaultdict(list)
    for one in found.files:
        files[one.entry.material].append(one)
    may_look = bool(desk.who.roles & AT_WORK)
    listed = [(one.name, one.need, label_of(one.form)) for one in item.materials]
    beside = [(name, "", "") for name in files if name not in {one.name for one in item.materials}]
    return Papers(
        materials=tuple(
            Material(
                name=name,
                need=need,
                form=form,
                state=_state(files[name], said=name in here),
                note=_note(name, files[name], absent),
                files=tuple(
                    file_view(no, f"{row}-{at}", name, shown, may_look=may_look)
                    for at, shown in enumerate(files[name], 1)
                ),
            )
            for row, (name, need, form) in enumerate([*listed, *beside], 1)
        ),
        arrived=found.arrived,
        total=len(found.files),
        sent=_sent(desk, no),
    )


def _sent(desk: Desk, no: str) -> tuple[Sent, ...]:
    """How many of the files that we gave away have come, party by party."""
    node = desk.node
    return tuple(
        Sent(place=show.place_name(node, place), words=one.words, lacking=one.arrived < one.total)
        for place, one in node.read(reached.of_case, no).items()
    )


def _state(files: list[Shown], *, said: bool) -> Tag:
    """传送中 while one of them is on its way; 已收 where only paper was taken, too."""
    if not files:
        return Tag(text="已收", tone=Tone.GOOD) if said else Tag(text="未收")
    coming = sum(one.state is BlobState.COMING for one in files)
    if coming:
        return Tag(text=f"已到 {len(files) - coming} / {len(files)} 份", tone=Tone.CALM)
    if all(one.state is BlobState.GONE for one in files):
        return Tag(text=files[0].label)
    return Tag(text="已到" if len(files) == 1 else f"已到 {len(files)} 份", tone=Tone.GOOD)


def _note(name: str, files: list[Shown], absent: Mapping[str, str]) -> str:
    said = [
        f"取自本人以前的办件（{one.entry.again.get('consent', '')}）" for one in files if one.entry.again
    ][:1]
    if name in absent:
        said.append(f"本次未交：{absent[name]}")
    return "；".join(said)


def file_view(no: str, id: str, material: str, file: Shown, *, may_look: bool) -> FileView:  # noqa: A002
    """One file: its small picture, what a click does, or how many of its pieces are here."""
    entry = file.entry
    opens = may_look and file.state is BlobState.HERE
    return FileView(
        id=id,
        title=f"{material}（{id.rpartition('-')[2]}）",
        kind="identity" if index.is_identity(material) else "pdf" if entry.kind == PDF else "photo",
        words=f"PDF {entry.pages} 页" if entry.pages else "PDF" if entry.kind == PDF else "",
        href=viewing.href(no, entry) if opens else "",
        thumb=viewing.thumb_href(no, entry) if opens else "",
        state=Tag(text=file.label, tone=_TONES[file.state]),
        parts=pieces(entry.size),
        have=pieces(entry.size) if file.state is BlobState.HERE else file.have // MAX_PIECE,
        coming=file.state is BlobState.COMING,
    )


def pieces(size: int) -> int:
    """In how many pieces a blob of this size travels at most."""
    return max(1, -(-size // MAX_PIECE))


def reusable_files(
    desk: Desk, item: Item, id_type: str, id_no: str, *, but: str = ""
) -> tuple[Reusable, ...]:
    """What the same applicant handed in before and this item asks for; nothing of case `but`."""
    found = desk.node.read(reusable.find, desk.node.know, item.id, id_type, id_no)
    return tuple(
        Reusable(
            material=row.material,
            no=row.no,
            sha256=row.sha256,
            on=row.on,
            words="PDF" if row.kind == PDF else "",
        )
        for row in found
        if row.no != but
    )
