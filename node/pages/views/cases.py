"""What the case pages show: home, queue, case, hand-overs."""

from dataclasses import dataclass
from datetime import datetime

from node.pages.views.clock import ClockView, FindingLine, JointBrief
from node.pages.views.common import (
    Choice,
    Cursor,
    Fact,
    Field,
    Limit,
    Stop,
    Tab,
    Tag,
    Tone,
)
from node.pages.views.line import Reach
from node.pages.views.materials import Papers
from node.pages.views.stands import StandLine


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """One case (办件) of a list."""

    no: str
    """The 25-character case number."""
    item: str
    """事项名称."""
    applicant: str
    """Masked name."""
    origin: str
    """Where it was filed: 侯家梁村."""
    state: Tag
    """The state's word with its tone."""
    limit: Limit
    """The light."""
    holder: str = ""
    """承办单位, who may act on it now."""
    officer: str = ""
    """经办人 at this node, if any."""
    stops: tuple[Stop, ...] = ()
    """The rail in small."""
    verb: str = "查看"
    """What this officer would do next: 受理, 审核, 查看."""
    mark: str = ""
    """待发送, 在途 …: set when the last step has not arrived yet."""
    moved_at: datetime | None = None
    """When its last step was taken."""
    marks: tuple[str, ...] = ()
    """服务方式: 绿色通道, 上门 …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeCount:
    """One tile of the home page's 待办."""

    label: str
    """待收件, 待补正, 待报送, 上级办理中, 待送达, 待回访."""
    count: int
    """How many."""
    href: str
    """The list behind it."""
    icon: str
    """Name of the icon."""
    detail: str = ""
    """其中 1 件超期."""
    tone: Tone = Tone.PLAIN
    """ALARM when one of them is late, WARN when due soon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeView:
    """The village home (我的待办)."""

    greeting: str
    """上午好，杨志强."""
    counts: tuple[HomeCount, ...]
    """By state, in the order of the work."""
    rows: tuple[CaseRow, ...]
    """The most urgent cases, by due date."""
    waiting: int = 0
    """How many acts wait to be sent (待发送)."""
    waiting_since: datetime | None = None
    """Since when the oldest of them waits."""
    last_sync: datetime | None = None
    """When a receipt last came."""
    themes: tuple[Choice, ...] = ()
    """Life themes (生育 上学 就业 …) for filing; value = link."""
    usual: tuple[Choice, ...] = ()
    """The items filed most here; value = link."""
    drafts: int = 0
    """How many forms this officer began and did not file."""
    can_file: bool = True
    """Whether this officer may file."""
    posts: tuple[StandLine, ...] = ()
    """Who stands where today (AB角)."""
    live_href: str = ""
    """Fragment to ask for every 2 s; empty turns it off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """The filter row of a list; a plain GET form."""

    action: str
    """URL of the list."""
    fields: tuple[Field, ...]
    """Usually a search and two or three selects."""
    active: int = 0
    """How many are set."""
    carried: tuple[tuple[str, str], ...] = ()
    """Hidden pairs to keep, e.g. the open tab."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePeek:
    """The case beside the list (预览)."""

    no: str
    """Case number."""
    item: str
    """事项名称."""
    limit: Limit
    """The light."""
    facts: tuple[Fact, ...]
    """Few, masked."""
    stops: tuple[Stop, ...]
    """The rail."""
    actions: tuple["Action", ...] = ()
    """Shown as links to the case page; at most three."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueView:
    """A list of cases (办件列表)."""

    title: str
    """办件队列, 我的办件, 台账."""
    summary: str
    """在办 41 件，今日到期 2 件，超期 1 件."""
    tabs: tuple[Tab, ...]
    """By state or light."""
    filters: Filters
    """Search and selects."""
    rows: tuple[CaseRow, ...]
    """One page of cases, by due date."""
    cursor: Cursor
    """Where the next page is."""
    peek: CasePeek | None = None
    """The selected case, on wide screens."""
    empty: str = "没有符合条件的办件"
    """What to say when `rows` is empty."""
    can_file: bool = False
    """Whether this officer may file (shows 帮办申报)."""
    export_href: str = ""
    """Ledger export; empty hides it."""
    live_href: str = ""
    """Fragment to ask for every 2 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalField:
    """A personal value: masked by default, shown only after a reason is logged (查看并留痕)."""

    label: str
    """姓名, 身份证号码, 联系电话."""
    masked: str
    """张*, 6402** **** 0043."""
    shown: str = ""
    """The full value, only in the answer to a logged request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """How one step is proved (验签)."""

    state: str
    """verified, local (our own, not yet read back), pending, failed."""
    words: str
    """签名已验, 本站签署, 待核验, 验签失败：证书已撤销."""
    event: str = ""
    """SHA-256 of the event, hexadecimal."""
    signer: str = ""
    """Whose certificate: 黄渠桥镇 · 第 2 代证书."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One signed step (环节) of the case's story."""

    n: int
    """Its number in the case's chain."""
    word: str
    """The tier it was taken at: 村 镇 县 市."""
    place: str
    """Where."""
    what: str
    """What was done: 受理, 一次性告知补正."""
    at: datetime
    """When, by the signer's clock."""
    who: str = ""
    """经办人 and staff number."""
    text: str = ""
    """The opinion or reason, when this node may read it."""
    sealed: bool = False
    """Whether there is a sealed part that this node cannot open."""
    proof: Proof | None = None
    """The signature."""
    reach: tuple[Reach, ...] = ()
    """How far it got, for steps of our own."""
    clock: str = ""
    """What it did to the clock: 计时开始, 计时中止 5 个工作日."""
    document: str = ""
    """The document it made: 受理通知书 平黄受字〔2025〕00012号."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document (文书) of the case."""

    name: str
    """受理通知书."""
    number: str
    """平黄受字〔2025〕00012号."""
    at: datetime
    """When it was made."""
    href: str
    """Its print view."""
    printed: int = 0
    """How often it was printed; a second time is marked 补打."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One act the table allows now (可办操作), as a form."""

    key: str
    """The step's name in the lifecycle."""
    label: str
    """受理, 一次性告知补正, 不予受理 …"""
    action: str
    """URL it is posted to."""
    fields: tuple[Field, ...] = ()
    """What must be said with it."""
    rank: str = "plain"
    """main (one per page), plain, or danger."""
    hint: str = ""
    """What will happen: 打印受理通知书，并告知侯家梁村."""
    who: str = ""
    """Under which power: 首席代表 张蕾 · 授权至 2025年12月31日."""
    refused: str = ""
    """Why this officer cannot do it now; the act is shown, but closed."""
    confirm: str = ""
    """Question before a danger act."""
    shortcut: str = ""
    """One letter."""
    href: str = ""
    """Its own page, instead of a form here."""
    open: bool = False
    """Whether its form is unfolded (after an error it is)."""
    error: str = ""
    """Why it was not done."""
    carried: tuple[tuple[str, str], ...] = ()
    """Hidden pairs: the step number the officer saw, so that a second clerk is told who was first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """One case, whole."""

    no: str
    """Case number."""
    item: str
    """事项名称."""
    item_href: str
    """Its catalogue page."""
    item_version: str
    """The version frozen into the case."""
    kind: str
    """承诺件 · 上报."""
    state: Tag
    """Where it is in the lifecycle."""
    limit: Limit
    """The light, with both due dates."""
    holder: str
    """承办单位; only it speaks for the case."""
    ours: bool
    """Whether this node is the holder."""
    stops: tuple[Stop, ...]
    """The rail."""
    personal: tuple[PersonalField, ...]
    """Masked; shown after a logged request."""
    reveal_action: str
    """URL to post a reason to; empty when this node holds no names."""
    facts: tuple[Fact, ...]
    """Everything public: filed at, entrustment, department, route."""
    papers: Papers
    """材料."""
    steps: tuple[Step, ...]
    """The signed story, newest last."""
    actions: tuple[Action, ...]
    """What may be done now, by this officer here."""
    documents: tuple[Document, ...] = ()
    """文书."""
    evidence_href: str = ""
    """Evidence page of this case."""
    slip_href: str = ""
    """收件凭证."""
    newer: bool = False
    """A step arrived after the officer opened the page: the acts shown may be stale."""
    nothing_to_do: str = ""
    """Said instead of acts: 现由平罗县民政局办理，本站等候结果."""
    reveal_error: str = ""
    """Why the reason was not accepted."""
    clock: ClockView | None = None
    """时限账."""
    joints: tuple[JointBrief, ...] = ()
    """Joint handlings (联办), the newest first."""
    waiting: tuple[str, ...] = ()
    """What waits for a second person: 延期, 作废 …"""
    advice: tuple[Tag, ...] = ()
    """What should be known or done first: 审查意见：不同意（李敏）; 本事项须联合办理，请先发起联办."""
    failure: str = ""
    """Why an act was not done that is not offered any more."""
    findings: tuple[FindingLine, ...] = ()
    """监督发现."""
    live_href: str = ""
    """Fragment (rail, light, story) to ask for every 2 s."""
