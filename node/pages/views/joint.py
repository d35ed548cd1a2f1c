"""What the pages of joint handling show: an assist's desk, one part with its forms, batches of yearly inspection."""

from dataclasses import dataclass

from node.pages.views.cases import Action, PersonalField
from node.pages.views.common import Fact, FormView, Limit, Tab, Tag
from node.pages.views.materials import Papers


@dataclass(frozen=True, slots=True, kw_only=True)
class PartLine:
    """One part (环节) in a list."""

    no: str
    """Case number."""
    item: str
    """事项名称."""
    name: str
    """用地和规划审查."""
    department: str
    """自然资源局."""
    lead: str
    """The lead's place."""
    limit: Limit
    """Its own sub-limit."""
    state: Tag
    """待答复, 同意, 超时默许 …"""
    href: str = ""
    """Its page, for those asked."""
    person: str = ""
    """工号 of who answered, promised, or is responsible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLine:
    """One batch of yearly inspection."""

    name: str
    """2026 年度."""
    bundle: str
    """集中联合年检."""
    words: str
    """已结束 3 / 12 件."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedLine:
    """One joint handling that this place leads."""

    no: str
    item: str
    name: str
    words: str
    """已答复 2 / 3 个环节."""
    limit: Limit
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TallyLine:
    """How one department answers."""

    department: str
    due: int
    on_time: str
    """95.00%, or 无数据."""
    silent: int
    absent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JointDeskView:
    """协办事项."""

    department: str
    """Whose desk it is; "" for an account of no department, which sees all and answers none."""
    tabs: tuple[Tab, ...]
    rows: tuple[PartLine, ...]
    led: tuple[LedLine, ...] = ()
    """Open ones led here."""
    tallies: tuple[TallyLine, ...] = ()
    batches: tuple[BatchLine, ...] = ()
    batch_form: FormView | None = None
    results: tuple[tuple[str, str], ...] = ()
    """(case number, what became of it) after a batch was opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One sealed remark this node may read."""

    place: str
    who: str
    what: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JointPartView:
    """One joint handling: for its lead, or for an assist that is asked to answer a part of it."""

    no: str
    item: str
    title: str
    line: PartLine | None
    """The part asked for; None for the lead."""
    facts: tuple[Fact, ...]
    personal: tuple[PersonalField, ...]
    papers: Papers
    parts: tuple[PartLine, ...]
    """Every part of the joint handling."""
    remarks: tuple[Remark, ...]
    actions: tuple[Action, ...]
    nothing: str = ""
    """Why nothing can be done."""
    case_href: str = ""
