"""The frame around every page: where we are, who is here, how the line stands, what may be trusted.

One rule: whatever is true of every page stands in `Page`; whatever is true of one stands in its view.
"""

from dataclasses import dataclass, field
from datetime import date, datetime

from node.pages.render import Pages
from node.pages.views.common import Tone
from protocol.places import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The officer at the desk (经办人)."""

    name: str
    """姓名."""
    role: str
    """代办员, 窗口人员, 首席代表 …"""
    staff_no: str = ""
    """工号."""
    window: str = ""
    """窗口 3 号."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NavLink:
    """One link of the main navigation."""

    label: str
    """Two to four characters."""
    href: str
    """Where it goes."""
    icon: str
    """Name of its icon, for the phone's bar."""
    count: int = 0
    """Shown as a badge when not zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The state of the line to the parent's hub (线路), on every page."""

    peer: str
    """平罗县."""
    connected: bool
    """Whether the line stands."""
    since: datetime | None = None
    """Since when it is cut."""
    words: str = ""
    """Said instead of "… 已连" while connected, e.g. 361 / 366 节点在线 at a hub."""
    waiting: int = 0
    """Acts waiting to be sent (待发送)."""
    live_href: str = ""
    """Fragment to ask for, e.g. /live/line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """The certificate (证书) of this node."""

    sha256: str
    """Hexadecimal."""
    until: date
    """Last valid day."""
    expiring: bool = False
    """Whether it ends within 30 days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Covering:
    """As of when, covering whom (数据口径): under every page that shows figures."""

    as_of: datetime
    """The moment the figures were read."""
    words: str
    """覆盖 13 个乡镇中的 12 个；陶乐镇 27 小时未报."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What the last act did (提示), once."""

    text: str
    """已受理。受理通知书已生成，侯家梁村将收到告知."""
    tone: Tone = Tone.GOOD
    """GOOD, CALM, WARN or ALARM."""
    href: str = ""
    """A next step."""
    label: str = ""
    """Its words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What every page needs besides its view."""

    pages: Pages
    """Draws it."""
    place: Place
    """This node."""
    centre: str
    """What its sign says: 黄渠桥镇便民服务中心."""
    now: datetime
    """Aware; read once per request."""
    desk: Desk | None = None
    """Who is logged in; None on the login page."""
    nav: tuple[NavLink, ...] = ()
    """Main navigation, the most used first; a phone shows four and folds the rest."""
    path: str = "/"
    """The path asked for; marks the current link."""
    line: Line | None = None
    """None when this node has no parent line to watch."""
    edition: str = ""
    """Catalogue edition held: 第 12 版."""
    certificate: Certificate | None = None
    """This node's own."""
    csrf: str = ""
    """The session-bound token; goes into every form."""
    covering: Covering | None = None
    """Set on pages with figures."""
    notice: Notice | None = None
    """Set once after an act."""
    large: bool = False
    """Large type (大字), from the cookie `ld-large`."""
    extra: dict[str, str] = field(default_factory=dict)
    """Room for a deployment's own words, e.g. the support line."""

    def is_current(self, href: str) -> bool:
        """Whether `href` is the link of this page: the longest navigation link that starts its path."""
        matching = [
            link.href
            for link in self.nav
            if self.path == link.href
            or (link.href != "/" and self.path.startswith(link.href.rstrip("/") + "/"))
        ]
        return bool(matching) and href == max(matching, key=len)

    def is_beyond(self, shown: int) -> bool:
        """Whether the link of this page is folded away on a wide screen, where `shown` links stand side by side."""
        return any(self.is_current(link.href) for link in self.nav[shown:])
