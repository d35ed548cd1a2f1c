"""What the line page shows: how far every act got (零无声失败)."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from node.pages.views.common import Cursor, Fact, Tab, Tag


class Stage(IntEnum):
    """How far one act got towards one reader."""

    STORED = 1
    SENT = 2
    RECEIVED = 3
    APPLIED = 4
    QUARANTINED = 9

    @property
    def words(self) -> str:
        """已存, 已发, 已收, 已办理, 隔离."""
        return {1: "已存", 2: "已发", 3: "已收", 4: "已办理", 9: "隔离"}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """One act's way to one reader."""

    place: str
    """The reader: 黄渠桥镇."""
    stage: Stage
    """How far."""
    at: datetime | None = None
    """When it got there, by the signed receipt (for 已存/已发: our own clock)."""
    reason: str = ""
    """Why quarantined, or what it waits for."""
    files: str = ""
    """Of an act with photos: 材料已到 2 / 5 份, by the reader's signed word; "" of any other."""
    lacking: bool = False
    """Whether some of them have not come."""
    late: bool = False
    """Whether it is past its limit: a card against the line, not against the clerk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act of this node (我方动作) and how far it got to each reader."""

    what: str
    """登记办件, 受理, 日报 …"""
    about: str
    """The case's item and number, or the day of a report."""
    href: str
    """The case, if it has one."""
    at: datetime
    """When it was stored."""
    seq: str
    """Channel and number: 黄渠桥镇 #128."""
    reaches: tuple[Reach, ...]
    """One per reader."""
    by: str = ""
    """Who did it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineState:
    """One line (线路) to another node."""

    peer: str
    """平罗县枢纽."""
    role: str
    """上级枢纽, 下级节点 …"""
    connected: bool
    """Whether it stands now."""
    since: datetime | None = None
    """Since when it stands, or is cut."""
    waiting: int = 0
    """How many acts wait to be sent or confirmed."""
    last_receipt: datetime | None = None
    """When a signed receipt last came."""
    note: str = ""
    """第 7 次重连，下次 14:05:30."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """One message in quarantine (隔离区)."""

    at: datetime
    """When it was set aside."""
    origin: str
    """Who sent it, as far as it can be believed."""
    what: str
    """Kind and number."""
    rule: str
    """Number of the broken rule in docs/protocol.md."""
    reason: str
    """Why, in one sentence."""
    todo: str
    """What a person should do now."""
    href: str = ""
    """Its bytes for inspection."""
    case_href: str = ""
    """The one case it blocks, if any."""
    told: bool = False
    """Whether the sender's receipt already names it."""
    release_action: str = ""
    """Where an administrator has it tried again; empty for everybody else, for what only waits, and where that
    could change nothing."""
    carried: tuple[tuple[str, str], ...] = ()
    """What that form must say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One reader of our acts (对方): what it has not confirmed."""

    place: str
    """黄渠桥镇."""
    waiting: int
    """Acts it has not applied by its signed receipt."""
    since: datetime | None
    """Since when the oldest of them waits."""
    late: bool
    """Whether that is past the limit."""
    last_receipt: datetime | None
    """When its last receipt came."""
    refusal: str = ""
    """What of ours it last refused as not genuine."""
    carry_href: str = ""
    """For an administrator: the file to be carried to it by hand (摆渡)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ferry:
    """Taking a carried file in (摆渡)."""

    action: str
    """URL to post the file to."""
    error: str = ""
    """Why the file could not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FerryFiles:
    """An export (摆渡) that one file does not hold."""

    place: str
    """To whom."""
    files: tuple[tuple[str, str], ...]
    """(第 1 个, URL) each."""
    limit: str
    """Materials in one file at most: 32 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """Node and line state (节点与线路)."""

    lines: tuple[LineState, ...]
    """Upper hubs first."""
    counts: tuple[Tag, ...]
    """已存 2, 已发 3, 已收 0, 已办理 128, 隔离 1."""
    tabs: tuple[Tab, ...]
    """未到达, 全部, 隔离."""
    acts: tuple[Act, ...]
    """Newest first; unfinished ones by default."""
    quarantine: tuple[Quarantined, ...]
    """What this node has set aside."""
    cursor: Cursor
    """Where the next page of acts is."""
    facts: tuple[Fact, ...] = ()
    """The node: address, certificate, database epoch, clock skew."""
    show: str = "acts"
    """acts or quarantine: which list is open."""
    live_href: str = ""
    """Fragment to ask for every 2 s."""
    readers: tuple[Reader, ...] = ()
    """Those above, and whoever owes a receipt."""
    ferry: Ferry | None = None
    """For an administrator."""
