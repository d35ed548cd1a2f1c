"""What the filing wizard (帮办申报) and its receipt show."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from typing import Any

from node.pages.views.catalogue import ItemCard, ItemView
from node.pages.views.common import Choice, Fact, Field, Stop, Tag
from node.pages.views.line import Reach
from node.pages.views.materials import Material, Reusable


class WizardStep(IntEnum):
    """The four steps."""

    ITEM = 1
    APPLICANT = 2
    MATERIALS = 3
    CHECK = 4

    @property
    def title(self) -> str:
        """选事项, 填信息, 收材料, 核对提交."""
        return ("选事项", "填信息", "收材料", "核对提交")[self.value - 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """An open case of the same applicant and item."""

    no: str
    state: Tag
    filed_on: date | None
    holder: str
    """Who handles it."""
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftLine:
    """A form that was begun and not filed (暂存)."""

    id: str
    item: str
    applicant: str
    """Masked."""
    at: datetime
    """When it was last stored."""
    href: str
    """Where it goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingView:
    """One step of the wizard. Buttons send go=next, back or save; the draft is never lost."""

    step: WizardStep
    """Which step is open."""
    action: str
    """URL the form is posted to."""
    search: str = ""
    """Step 1: what was looked for (name, pinyin initials, code)."""
    search_href: str = "/file"
    """Step 1: URL of the search, a GET with q and theme."""
    themes: tuple[Choice, ...] = ()
    """Step 1: life themes; value = theme key."""
    theme: str = ""
    """Step 1: the open theme."""
    items: tuple[ItemCard, ...] = ()
    """Step 1: what was found; disabled ones say why."""
    chosen: ItemView | None = None
    """The chosen item, for the 八公开 beside the form."""
    drafts: tuple[DraftLine, ...] = ()
    """Step 1: what this officer began and did not file."""
    draft_days: int = 0
    """Step 1: after how many days they are deleted."""
    fields: tuple[Field, ...] = ()
    """Steps 2 and 4: applicant, ID, phone, entrustment; the promise."""
    materials: tuple[Material, ...] = ()
    """Step 3: the checklist; `state` says 已勾 or 缺."""
    ticked: frozenset[str] = frozenset()
    """Step 3: names of the materials that are there."""
    reusable: tuple[Reusable, ...] = ()
    """Step 3: what the same applicant handed in before."""
    consents: tuple[str, ...] = ()
    """Step 3: how an applicant may agree to that."""
    missing: tuple[str, ...] = ()
    """Steps 3 and 4: necessary materials still missing: they become the correction list."""
    facts: tuple[Fact, ...] = ()
    """Step 4: the summary to check."""
    stops: tuple[Stop, ...] = ()
    """Step 4: who will handle it."""
    earlier: tuple[Earlier, ...] = ()
    """Steps 3 and 4: open cases of the same applicant and item (两头受理): supplement one, or say why another."""
    carried: tuple[tuple[str, str], ...] = ()
    """Hidden pairs of the other steps, or the draft's id."""
    by_agent: bool = False
    """Step 2: whether an agent files for somebody, whose entrustment is to be signed."""
    saved_at: datetime | None = None
    """When the draft was last stored."""
    errors: tuple[tuple[str, str], ...] = ()
    """(field name, message), listed above the form with links to the fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrustmentView:
    """代办委托书 to be printed and signed, of a form that is being filled in."""

    content: Any
    """The sheet, as `node.documents.sheet.Content`."""
    back: str
    """Where the form goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptView:
    """The filed page and its slip (收件凭证)."""

    no: str
    """Case number."""
    item: str
    """事项名称."""
    applicant: str
    """Masked."""
    station: str
    """站名."""
    officer: str
    """收件人（工号）."""
    received_at: datetime
    """收件时间."""
    materials: tuple[tuple[str, str], ...]
    """(材料, 件数)."""
    missing: tuple[str, ...]
    """Still to be handed in."""
    promise: str
    """自受理起 20 个工作日."""
    due: date | None
    """承诺办结日, once accepted."""
    lookup_code: str
    """查询码, six digits."""
    lookup_href: str
    """What the QR opens."""
    phone: str
    """咨询电话."""
    complain: str
    """监督电话."""
    reaches: tuple[Reach, ...]
    """How far the filing got."""
    stops: tuple[Stop, ...]
    """Who will handle it."""
    copies: int = 0
    """How often printed before; a second time is marked 补打."""
    live_href: str = ""
    """Fragment with the reaches, every 2 s."""
    pdf_href: str = ""
    """The slip as PDF; empty where that is not installed."""
    next_href: str = "/file"
    """File another."""
