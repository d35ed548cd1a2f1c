"""What the county and city boards show: sums with coverage, declared beside recomputed."""

from dataclasses import dataclass
from datetime import datetime

from node.pages.views.cases import CaseRow
from node.pages.views.common import Fact, Kpi, Tab


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildRow:
    """One child node (下级) on a board."""

    name: str
    """黄渠桥镇."""
    word: str
    """镇."""
    href: str
    """Its cases."""
    open: int
    """在办."""
    due: int
    """临期: at most one working day left."""
    overdue: int
    """超期, by promised working days."""
    on_time: tuple[int, int]
    """(closed on time, closed with a limit) this month; (0, 0) shows 无数据."""
    connected: bool
    """Line state."""
    line_since: datetime | None
    """Since when connected or cut."""
    waiting: int
    """Acts that still have to arrive."""
    edition: str
    """第 12 版."""
    edition_behind: int = 0
    """How many editions behind."""
    trend: tuple[int, ...] = ()
    """Received per day, last days; drawn as a sparkline."""
    below: str = ""
    """13 个村，12 个在线."""
    line_words: str = ""
    """Said instead of 在线: 5 分钟前有消息."""
    quiet: bool = False
    """Whether it has not been heard for a day, so that its figures may be old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The board of one hub (乡镇运行)."""

    title: str
    """平罗县办件运行."""
    kpis: tuple[Kpi, ...]
    """Up to five."""
    children: tuple[ChildRow, ...]
    """Those with overdue cases first."""
    urgent: tuple[CaseRow, ...]
    """The most urgent cases below this hub, without names."""
    cut: tuple[tuple[str, datetime, int], ...] = ()
    """(place, since, waiting) of cut lines."""
    tabs: tuple[Tab, ...] = ()
    """今日, 本月 …"""
    live_href: str = ""
    """Fragment to ask for every 2 s."""
    heading: str = "乡镇"
    """What the rows are."""
    crumbs: tuple[tuple[str, str], ...] = ()
    """(name, URL) of the boards above this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A declared figure beside the recomputed one; neither overwrites the other."""

    declared: int | None
    """From the node's signed daily report (日报); None when none came."""
    recomputed: int
    """From the steps this hub verified itself."""

    @property
    def difference(self) -> int | None:
        """Declared minus recomputed; None without a report."""
        return None if self.declared is None else self.declared - self.recomputed


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredRow:
    """Declared beside recomputed for one place."""

    name: str
    """平罗县."""
    received: Declared
    """受理."""
    closed: Declared
    """办结."""
    note: str = ""
    """Why they may differ: 2 个村的日报未到."""
    href: str = ""
    """The cases behind the difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemSum:
    """One item's sum."""

    name: str
    """事项名称."""
    received: int
    """受理."""
    closed: int
    """办结."""
    overdue: int
    """超期."""
    filed: int = 0
    """登记."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TierSum:
    """What one tier closed."""

    word: str
    """村 镇 县 市."""
    closed: int
    """办结."""
    received: int = 0
    """受理."""
    on_time: tuple[int, int] = (0, 0)
    """(closed on time, closed with a limit)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """One month of the chart."""

    label: str
    """3月."""
    closed: tuple[int, ...]
    """By tier, in the order of `CityBoard.tier_words`."""
    on_time: tuple[int, int]
    """(closed on time, closed with a limit)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CityBoard:
    """The city's sums (全市汇总)."""

    title: str
    """石嘴山市办件汇总."""
    period: str
    """2025年3月1日至3月31日."""
    tabs: tuple[Tab, ...]
    """本月, 上月, 今年."""
    kpis: tuple[Kpi, ...]
    """Up to five."""
    counties: tuple[ChildRow, ...]
    """Sums by county."""
    items: tuple[ItemSum, ...]
    """The items with most cases."""
    tier_words: tuple[str, ...]
    """The tiers this city has, lowest first."""
    tiers: tuple[TierSum, ...]
    """Closed by tier."""
    months: tuple[Month, ...]
    """Last months."""
    declared: tuple[DeclaredRow, ...]
    """Reported beside recomputed, by county."""
    townships: tuple[tuple[str, tuple[tuple[str, tuple[int, int] | None, bool], ...]], ...]
    """(county, ((township, on-time fraction or None when nothing came, stale), …)) for the heat squares."""
    quality: tuple[Fact, ...]
    """Signature failures, gaps, repeats refused, certificates about to end."""
    coverage: str = ""
    """覆盖 361 / 366 个节点；最久未报：陶乐镇 3 天."""
    missing: tuple[str, ...] = ()
    """Who did not report."""
    heading: str = "县区"
    """What the rows are."""
    below: str = "乡镇街道"
    """What the heat squares are."""
    declared_until: str = ""
    """截至昨日: the last day that reports are compared for."""
