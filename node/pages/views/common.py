"""The small parts every page is made of: lights, stops, tags, fields, tabs, figures."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Light(StrEnum):
    """The limit light (时限灯): shape, word and colour say the same thing three times."""

    OK = "ok"
    DUE = "due"
    OVER = "over"
    STOP = "stop"
    DONE = "done"
    NONE = "none"


class Tone(StrEnum):
    """How much a tag or note asks for attention."""

    PLAIN = "plain"
    CALM = "calm"
    GOOD = "good"
    WARN = "warn"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One running limit (时限) as the officer reads it. Use the constructors; they hold the wording."""

    light: Light
    """Which lamp is lit."""
    words: str
    """What stands beside the lamp, e.g. 还剩 5 个工作日."""
    due: date | None = None
    """承诺办结日; None before acceptance or while the clock stands still."""
    statutory_due: date | None = None
    """法定办结日, shown below the promised one (WD-18)."""
    provisional: bool = False
    """Whether the calendar ends before the due date, so that it may still move."""
    basis: str = ""
    """How the date was found: 承诺 10 个工作日，自受理次日起算."""

    @classmethod
    def running(
        cls,
        workdays_left: int,
        *,
        due: date,
        near: int = 1,
        statutory_due: date | None = None,
        provisional: bool = False,
        basis: str = "",
    ) -> "Limit":
        """A running clock: negative `workdays_left` is overdue; at most `near` left is due soon."""
        if workdays_left < 0:
            light, words = Light.OVER, f"超期 {-workdays_left} 个工作日"
        elif workdays_left == 0:
            light, words = Light.DUE, "今日到期"
        else:
            light = Light.DUE if workdays_left <= near else Light.OK
            words = f"还剩 {workdays_left} 个工作日"
        return cls(
            light=light,
            words=words,
            due=due,
            statutory_due=statutory_due,
            provisional=provisional,
            basis=basis,
        )

    @classmethod
    def stopped(cls, reason: str, basis: str = "") -> "Limit":
        """A clock that stands still: 计时中止 · 待补正."""
        return cls(light=Light.STOP, words=f"计时中止 · {reason}", basis=basis)

    @classmethod
    def closed(cls, words: str = "按期办结") -> "Limit":
        """A clock that has ended."""
        return cls(light=Light.DONE, words=words)

    @classmethod
    def unknown(cls, words: str = "尚未起算") -> "Limit":
        """No clock yet: drafts, cases still in transit, items without a limit."""
        return cls(light=Light.NONE, words=words)


class StopState(StrEnum):
    """Where the case stands at one stop of the rail (四级轨)."""

    DONE = "done"
    NOW = "now"
    MOVING = "moving"
    AHEAD = "ahead"
    BACK = "back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One stop of the rail; a city that skips a tier simply has fewer of them."""

    word: str
    """村, 镇, 县 or 市."""
    name: str
    """The place or the body that acts there: 黄渠桥镇, 平罗县民政局."""
    state: StopState
    """Passed, here, on the way, still ahead, or sent back from here."""
    what: str = ""
    """What was or will be done: 已申报, 待受理, 审核确认."""
    when: datetime | None = None
    """When it was done."""
    who: str = ""
    """Who did it."""
    note: str = ""
    """One line more: 须于今日 17:30 前受理."""
    mark: str = ""
    """签名已验, 待回执 …: how sure we are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A small framed word."""

    text: str
    """The word."""
    tone: Tone = Tone.PLAIN
    """How loud."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One row of a definition list."""

    label: str
    """What it is."""
    value: str
    """The value, as people write it."""
    number: bool = False
    """Whether to set it in figures that line up."""
    href: str = ""
    """Where the value leads, if anywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One choice of a select, radio group or filter."""

    value: str
    """What the form sends."""
    label: str
    """What people read."""
    hint: str = ""
    """A quiet second line."""
    disabled: bool = False
    """Shown, but cannot be chosen; the hint says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a form with its value, hint and error. The draft always comes back in `value`."""

    name: str
    """The form key; also the anchor of its error (#f-name)."""
    label: str
    """What is asked."""
    kind: str = "text"
    """text, textarea, select, radio, checks, checkbox, date, tel, search, password, number, file, hidden."""
    value: str = ""
    """What was entered; for `checks` the chosen values joined with commas."""
    hint: str = ""
    """How to fill it, before any error."""
    error: str = ""
    """What is wrong and what to do; empty when fine."""
    required: bool = False
    """Whether it must be filled (marked 选填 when not)."""
    choices: tuple[Choice, ...] = ()
    """For select, radio and checks."""
    suggest: tuple[Choice, ...] = ()
    """Offered while a text is typed, e.g. staff numbers with their names; anything else may be typed too."""
    autocomplete: str = "off"
    """The browser's autocomplete token."""
    inputmode: str = ""
    """numeric, tel … for the phone keyboard."""
    maxlength: int = 0
    """0 = no limit."""
    rows: int = 3
    """Height of a textarea."""
    half: bool = False
    """Two such fields share a row on a wide screen."""
    number: bool = False
    """Set in figures that line up (ID numbers, codes)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormView:
    """A whole form: where it goes, its fields, its button."""

    action: str
    """URL it is posted to."""
    fields: tuple[Field, ...]
    """In order."""
    submit: str
    """What the button says: a verb."""
    error: str = ""
    """An error of the whole form, above the fields."""
    carried: tuple[tuple[str, str], ...] = ()
    """Hidden name/value pairs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One tab of a list, with its count."""

    label: str
    """全部, 待受理 …"""
    href: str
    """The list it shows; works without script."""
    count: int | None = None
    """How many; None when not counted (never an exact count over a large table)."""
    current: bool = False
    """Whether this one is open."""
    tone: Tone = Tone.PLAIN
    """ALARM makes the count cinnabar when it is not zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Keyset paging (翻页): opaque links, no page numbers."""

    newer: str = ""
    """URL of the page before, or empty."""
    older: str = ""
    """URL of the page after, or empty."""
    words: str = ""
    """What is shown: 第 1–50 件，按承诺办结日排序."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """One figure of the strip."""

    label: str
    """What is counted."""
    value: str
    """Already formatted: 18,642 or 无数据."""
    unit: str = ""
    """件, %, 个工作日."""
    detail: str = ""
    """One quiet line below: its formula's name, or a comparison that is known."""
    tone: Tone = Tone.PLAIN
    """WARN or ALARM colours the figure."""
    href: str = ""
    """The list behind the figure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far long work has got (进度); the page asks again every two seconds until done."""

    words: str
    """正在导出证据文件：第 3 步，共 5 步."""
    done: int
    """Parts done."""
    total: int
    """Parts in all; 0 when unknown."""
    live_href: str = ""
    """Where to ask again; empty when finished."""
    error: str = ""
    """Why it stopped, and what to do."""
