"""Materials (材料) of a case: the list, its files as small pictures, and how far they have come."""

from dataclasses import dataclass
from datetime import date

from node.pages.views.common import Field, Tag


@dataclass(frozen=True, slots=True, kw_only=True)
class FileView:
    """One file of a material."""

    id: str
    """Its own name on the page."""
    title: str
    """居民户口簿（2）."""
    kind: str
    """photo, pdf, or identity: opened for a stated reason only."""
    words: str
    """PDF 3 页; empty for a picture."""
    href: str
    """Where it opens; empty while it may not, or is not here."""
    thumb: str
    """Its small picture; empty where there is none to show."""
    state: Tag
    """已到, 传送中 40%, 已按期限删除."""
    parts: int = 1
    """In how many pieces it travels."""
    have: int = 0
    """How many of them are here."""
    coming: bool = False
    """Whether it is on its way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """One material (材料) of the case."""

    name: str
    """材料名称."""
    need: str
    """必要, 非必要, 容缺后补."""
    form: str
    """原件, 复印件, 原件核验 …"""
    state: Tag
    """已收, 缺, 容缺 …"""
    note: str = ""
    """份数, where it came from, what is wrong with it."""
    files: tuple[FileView, ...] = ()
    """Its files, if this node handles the case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Files we gave to one party of the case, by its signed word."""

    place: str
    """黄渠桥镇."""
    words: str
    """材料已到 2 / 5 份."""
    lacking: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """The materials of a case."""

    materials: tuple[Material, ...]
    """One for each line of the item's list."""
    arrived: int = 0
    """Files that are here."""
    total: int = 0
    """Files in all."""
    sent: tuple[Sent, ...] = ()
    """Who was given files by us, and how many have come to him."""

    @property
    def coming(self) -> bool:
        """Whether some are still on their way, to us or from us."""
        return self.arrived < self.total or any(one.lacking for one in self.sent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reusable:
    """A file the same applicant handed in before (材料复用)."""

    material: str
    no: str
    """The earlier case."""
    sha256: str
    on: date
    """When it was handed in."""
    words: str = ""
    """PDF, or empty for a photo."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One thing a correction notice asks for, or that was left to follow (容缺)."""

    material: Material
    problem: str = ""
    """What is wrong with it and what is required."""
    ticked: bool = False
    why: str = ""
    """Why it cannot be given."""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionView:
    """提交补正: exactly what was asked for."""

    no: str
    item: str
    title: str
    """需要补正的材料，共 2 项."""
    action: str
    asked: tuple[Asked, ...]
    fields: tuple[Field, ...]
    """A note."""
    reply_by: date | None = None
    sent: bool = False
    """Whether a supplement waits for the holder already."""
    reusable: tuple[Reusable, ...] = ()
    consents: tuple[str, ...] = ()
    """How an applicant may agree."""
    errors: tuple[tuple[str, str], ...] = ()
