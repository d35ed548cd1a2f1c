"""What the pages of powers show: authorisations, what waits for a second person, seals and their book."""

from dataclasses import dataclass
from datetime import date, datetime

from node.pages.views.cases import Action, Filters
from node.pages.views.common import Fact, Field, FormView, Tab, Tag


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorisationLine:
    """One authorisation (授权)."""

    id: str
    """SQ640221101000-20260302-001."""
    person: str
    """张蕾（S101-01）."""
    place: str
    """Where the person decides."""
    state: Tag
    """生效中, 临时代理, 已到期, 已撤销 …"""
    items: tuple[str, ...]
    """Names of the items; one entry 全部事项 for all."""
    powers: str
    """决定、延期 · 窗口."""
    since: date
    until: date
    approvers: str
    """Who proposed and who approved it."""
    note: str = ""
    """代 罗建平; why it was given or taken back."""
    actions: tuple[Action, ...] = ()
    """Substitution and revocation, for those who may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantView:
    """The form of a new authorisation."""

    form: FormView
    """Everything but the items."""
    scope: Field
    """All items, or those ticked."""
    groups: tuple[Field, ...]
    """The items by department, as checks of the same name."""
    ticked: frozenset[str] = frozenset()
    """Item ids that are ticked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorisationsView:
    """授权."""

    tabs: tuple[Tab, ...]
    filters: Filters
    rows: tuple[AuthorisationLine, ...]
    grant: GrantView | None = None
    """None for those who may not propose."""
    open: bool = False
    """Whether the form is unfolded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalLine:
    """One act that waits for its second person (待批), or what became of it."""

    id: str
    name: str
    """授权, 印章交接, 延期 …"""
    facts: tuple[Fact, ...]
    """What is proposed."""
    by: str
    """Who proposed it."""
    at: datetime
    state: Tag
    """待批, 已批准, 未批准, 已撤回."""
    case: str = ""
    """The case it is about."""
    closed: str = ""
    """Who answered."""
    closed_at: datetime | None = None
    why: str = ""
    """The reason given with the answer."""
    refusal: str = ""
    """Why the reader cannot approve it."""
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalsView:
    """待批."""

    tabs: tuple[Tab, ...]
    rows: tuple[ProposalLine, ...]
    empty: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SealLine:
    """One seal of the register (印章)."""

    id: str
    kind: str
    """审批专用章."""
    name: str
    """As it stands on the seal's register; the program never draws one."""
    version: int
    """第 2 版."""
    keeper: str
    """保管人."""
    since: date
    """In custody since."""
    state: Tag
    """在用, 停用."""
    href: str
    uses: int = 0
    """How often it has been used."""
    last_used: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealsView:
    """印章."""

    rows: tuple[SealLine, ...]
    form: FormView | None = None
    """A new seal, for the head of the centre."""
    open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodyLine:
    """One change of custody (交接)."""

    at: datetime
    giver: str
    taker: str
    witness: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UseLine:
    """One use of a seal (用章), or one that was refused."""

    at: datetime
    no: str
    """The case."""
    document: str
    copies: int
    person: str
    refused: str = ""
    """Why it was refused; it is on the book all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealView:
    """One seal: its custody, its uses, and what the reader may do."""

    seal: SealLine
    uses: tuple[UseLine, ...]
    custody: tuple[CustodyLine, ...]
    actions: tuple[Action, ...] = ()
    waiting: str = ""
    """交接给 李敏，待其本人确认."""
    nothing: str = ""
    """Why the reader can do nothing here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StampingView:
    """用章 on the page of a document."""

    uses: tuple[UseLine, ...]
    """What was stamped so far."""
    actions: tuple[Action, ...] = ()
    """For the keeper."""
    keepers: str = ""
    """For everybody else: who keeps the seals that fit."""
