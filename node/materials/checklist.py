"""The materials checklist (材料清单) of an item with what a draft has for each line of it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from node.materials.model import UploadState
from protocol.catalogue import Item


@dataclass(frozen=True, slots=True)
class Slot:
    """One line of the materials checklist and what is there for it."""

    material: str
    need: str
    form: str
    label: str
    """What is done with it: originals are looked at and handed back, copies are made by the station."""
    required: bool
    state: str
    """ready, coming, refused, missing, shared (免提交) or optional."""
    tolerable: bool
    """Whether it may follow later (容缺)."""
    files: tuple[Row[Any], ...]


STATES = {
    "ready": "已收",
    "coming": "上传中",
    "refused": "未收下",
    "missing": "缺",
    "shared": "免提交",
    "optional": "可无",
}


def checklist(rows: Sequence[Row[Any]], item: Item) -> list[Slot]:
    """The checklist of an item with the files collected for it."""
    by_material: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        by_material[row.material].append(row)
    return [
        Slot(
            one.name,
            one.need,
            one.form,
            label_of(one.form),
            one.need == "必要" and not one.share_free,
            _state(by_material[one.name], needed=one.need == "必要", share_free=one.share_free),
            one.need == "容缺后补",
            tuple(by_material[one.name]),
        )
        for one in item.materials
    ]


def label_of(form: str) -> str:
    """How a material is taken: an applicant is never asked for a photocopy."""
    return {
        "原件": "收原件，拍照留存",
        "复印件": "不收复印件：由站点对照原件拍照生成",
        "原件核验": "当面核验原件并交还，拍照留存",
        "电子件": "收电子件",
    }.get(form, form)


def _state(rows: Sequence[Row[Any]], *, needed: bool, share_free: bool) -> str:
    states = {row.state for row in rows}
    if states & {UploadState.READY, UploadState.FILED}:
        return "ready"
    if states & {UploadState.COMING, UploadState.CHECKING}:
        return "coming"
    if UploadState.REFUSED in states:
        return "refused"
    if share_free:
        return "shared"
    return "missing" if needed else "optional"
