"""What the catalogue pages show: items, one item's 八公开, who holds which edition."""

from dataclasses import dataclass
from datetime import date, datetime

from node.pages.views.common import Choice, Cursor, Fact, Light, Stop, Tag


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemCard:
    """One item (事项) of a list."""

    key: str
    """Its key in the catalogue, what a form sends."""
    name: str
    """事项名称."""
    department: str
    """民政局."""
    route: str
    """村代办 · 镇受理 · 县决定."""
    promise: str
    """20 个工作日, 即办."""
    statutory: str = ""
    """30 个工作日, or 无法定时限."""
    kind: str = ""
    """承诺件, 即办件."""
    type_name: str = ""
    """行政许可, 行政给付 …"""
    mode: str = ""
    """直办 代办 协办 告知."""
    tags: tuple[Tag, ...] = ()
    """下放, 联办, 不可代办 …"""
    refused: str = ""
    """Why it cannot be filed here: 须申请人本人到公安窗口办理."""
    href: str = ""
    """Its page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueView:
    """The catalogue (事项目录) this node holds."""

    edition: str
    """第 12 版."""
    published: date
    """When the city published it."""
    digest: str
    """Content hash, hexadecimal."""
    search: str
    """What was looked for."""
    selects: tuple[tuple[str, str, str, tuple[Choice, ...]], ...]
    """(name, label, value, choices) of the filters."""
    items: tuple[ItemCard, ...]
    """What was found."""
    total: int
    """Items in the edition."""
    cursor: Cursor
    """Where the next page is."""
    behind: str = ""
    """Said when a newer edition is known but not here yet."""
    holders_href: str = ""
    """Where one sees who below holds which edition; empty where there is nobody below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenMatter:
    """One of the eight things that must be public (八公开)."""

    title: str
    """许可条件 …"""
    lines: tuple[str, ...]
    """Its text; several lines become a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialNeed:
    """One material the item asks for."""

    name: str
    """材料名称."""
    need: str
    """必要, 非必要, 容缺后补."""
    form: str
    """原件核验 …"""
    source: str
    """申请人自备, 政府部门核发 …"""
    free: bool = False
    """Whether the authority fetches it itself (免提交)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemView:
    """One item, with everything that must be public."""

    key: str
    """Its key."""
    name: str
    """事项名称."""
    codes: tuple[Fact, ...]
    """基本编码, 实施编码 …"""
    card: ItemCard
    """The short form."""
    open: tuple[OpenMatter, ...]
    """八公开, in the law's order."""
    materials: tuple[MaterialNeed, ...]
    """申报材料."""
    stops: tuple[Stop, ...]
    """Who receives, reviews, decides: from here."""
    version: str
    """第 3 版 · 2025年1月1日起."""
    deed: str = ""
    """The devolution deed in force here: 赋权下放，平黄放字〔2025〕3号."""
    changes: tuple[tuple[date, str], ...] = ()
    """(effective date, what changed and by which source)."""
    file_href: str = ""
    """File it here; empty when it cannot be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderRow:
    """Which edition one node holds."""

    place: str
    """Its name."""
    word: str
    """Its tier's word."""
    indent: int
    """How deep below this hub."""
    edition: str
    """第 12 版, or 未报."""
    light: Light
    """OK when current, DUE when one behind, OVER when more, NONE when unknown."""
    words: str
    """已是最新, 落后 1 版, 3 天未报."""
    reported: datetime | None
    """When it last said so."""
    line: str = ""
    """在线, 断联 2 小时."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldersView:
    """Who holds which edition (目录到位情况)."""

    edition: str
    """The newest."""
    current: int
    """How many hold it."""
    total: int
    """How many nodes there are."""
    rows: tuple[HolderRow, ...]
    """Those behind first."""
    cursor: Cursor
    """Where the next page is."""
