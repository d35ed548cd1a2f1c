"""What the hand-over inbox shows."""

from dataclasses import dataclass
from datetime import datetime

from node.pages.views.cases import Action
from node.pages.views.common import Cursor, Limit, Tab, Tag


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverRow:
    """One hand-over (移交) to take, refuse, or wait for."""

    no: str
    """Case number."""
    item: str
    """事项名称."""
    origin: str
    """From whom."""
    to: str
    """To whom."""
    reason: str
    """Why: 县级审核确认；目录第 12 版."""
    sent_at: datetime
    """When it was signed over."""
    limit: Limit
    """Time left to take it."""
    state: Tag
    """待接收, 在途, 已拒收 …"""
    materials: str = ""
    """5 份，其中容缺 1 份."""
    actions: tuple[Action, ...] = ()
    """接收, 拒收（说明理由）."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverView:
    """The hand-over inbox (移交接收)."""

    tabs: tuple[Tab, ...]
    """待接收, 已移出待接收, 被拒收."""
    rows: tuple[HandoverRow, ...]
    """By time left."""
    cursor: Cursor
    """Where the next page is."""
    empty: str = "没有待接收的移交"
    """What to say when there is none."""
    live_href: str = ""
    """Fragment to ask for every 2 s."""
