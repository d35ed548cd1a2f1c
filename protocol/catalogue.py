"""The catalogue (事项目录): items, the deeds that move their power, and the editions that fix both.

One rule: what is published never changes. An item, a deed and a calendar are documents named by the
SHA-256 of their bytes; an edition is a numbered list of such names; a later edition replaces it whole.
`Catalogue` is one edition opened for reading, with everything that routing needs already looked up.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, model_validator

from protocol.bodies import Day, PlaceCode
from protocol.bundles import Bundle
from protocol.errors import CatalogueError
from protocol.limits import Limit
from protocol.places import Tier
from protocol.workdays import Calendar

LICENCE = "01"
"""行政许可 among the item types of GB/T 39046-2020 A.1."""

Word = Annotated[str, Field(min_length=1, max_length=500)]
Text = Annotated[str, Field(max_length=4000)]
Number = Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,50}$")]
"""An official code. Published lengths disagree, so it is text up to 50; it becomes part of a subject."""
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class Named(_Document):
    """A code of some list and its name."""

    code: Word
    name: Word


class Level(_Document):
    """行使层级: a tier (2 province to 6 village) and what this list calls it."""

    code: Tier
    name: Word


class Form(StrEnum):
    """How a power came to, or is shared with, a lower tier (DOMAIN 3)."""

    OWN = "本级行使"
    LOWER_ACCEPT = "法定下级受理"
    EXTEND = "受理延伸"
    ENTRUST = "委托"
    STATION = "派驻"
    GRANT = "赋权下放"


class VillageMode(StrEnum):
    """What the village does: decides, acts for the applicant, helps, or only explains."""

    DECIDES = "直办"
    ACTS = "代办"
    HELPS = "协办"
    TELLS = "告知"


class Status(StrEnum):
    """事项状态."""

    DRAFT = "草稿"
    PENDING = "待审"
    ACTIVE = "在用"
    PAUSED = "暂停"
    CANCELLED = "取消"


class Devolution(_Document):
    """The form in which the power is exercised, and a remark."""

    form: Form
    note: Text = ""


class Windows(_Document):
    """The window that serves the item in a township hall and in a county hall; None where it has none."""

    township: Word | None = None
    county: Word | None = None


class SpecialProcedure(_Document):
    """特别程序: `suspends_clock` only with a basis that excludes its time (行政许可法 45)."""

    name: Word
    max_days: Annotated[int, Field(ge=1)] | None = None
    suspends_clock: bool
    exclusion_basis: Text = ""
    note: Text = ""


class Material(_Document):
    """申请材料: what the applicant brings, where it comes from, whether sharing data replaces it (免提交)."""

    name: Word
    need: Literal["必要", "非必要(符合情形时提供)", "容缺后补"]
    form: Literal["原件", "复印件", "电子件", "原件核验"]
    copies: Annotated[int, Field(ge=0, le=99)] = 1
    source: Word
    share_free: bool = False
    legal_basis: Text = ""


class Fee(_Document):
    """收费: with `charge`, also its name, standard, basis and way of payment."""

    charge: bool
    name: Text = ""
    standard: Text = ""
    basis: Text = ""
    pay: Text = ""


class Result(_Document):
    """办理结果."""

    name: Word
    type: Literal["证照", "批文", "其他"]


class FlowStep(_Document):
    """One stage of 办理流程 and the tier that does it."""

    name: Word
    tier: Tier


class Item(_Document):
    """事项: one implementing body's version of one power, as residents and officers see it."""

    id: Number
    name: Annotated[str, Field(min_length=1, max_length=200)]
    basic_code: Number
    impl_code: Number
    handle_item_code: Number
    version: Annotated[int, Field(ge=1)]
    status: Status = Status.ACTIVE
    item_type: Named
    exercise_levels: Annotated[tuple[Level, ...], Field(min_length=1)]
    decision_level: Level
    devolution: Devolution
    village_mode: VillageMode | None
    proxy_allowed: bool
    department: Named
    joint_departments: tuple[Named, ...] = ()
    window: Windows
    case_kind: Literal["即办件", "承诺件"]
    seed_kind: Literal["即办", "一般承诺", "联合", "特急", "上报", "控制"]
    statutory_limit: Limit | None
    promised_limit: Limit
    special_procedures: tuple[SpecialProcedure, ...] = ()
    legal_basis: Text
    basis_confidence: Literal["A", "B"] = "B"
    service_objects: tuple[Word, ...]
    conditions: tuple[Word, ...]
    materials: tuple[Material, ...]
    fee: Fee
    result: Result
    onsite_visits: Annotated[int, Field(ge=0, le=9)]
    cross_area: Word
    handling_forms: tuple[Word, ...]
    sets: tuple[Word, ...] = ()
    themes: tuple[Word, ...] = ()
    flow: tuple[FlowStep, ...] = ()
    application_form: Text = ""
    decision_route: Literal["窗口", "分管领导", "集体讨论"] | None = None
    """首席代表授权: who decides; None: see `powers.route_of`."""
    remark: Text = ""

    @property
    def is_licence(self) -> bool:
        """行政许可: never decided by a village committee, which is no organ of the state."""
        return self.item_type.code == LICENCE

    @property
    def is_instant(self) -> bool:
        """即办件: done while the applicant waits."""
        return self.case_kind == "即办件"

    @property
    def village_receives(self) -> bool:
        """Whether a village may take in an application at all; with 告知 or no mode it only explains."""
        return self.village_mode in (VillageMode.DECIDES, VillageMode.ACTS, VillageMode.HELPS)


class DeedForm(StrEnum):
    """What a deed does; 收回 takes back, all others give."""

    DEVOLVE = "下放"
    TAKE_ON = "承接"
    RECALL = "收回"
    ENTRUST = "委托"
    STATION = "派驻"
    GRANT = "赋权"


class Power(StrEnum):
    """Which part of the power a deed moves: deciding, or only accepting for the one who decides."""

    DECIDE = "decide"
    ACCEPT = "accept"


class Deed(_Document):
    """A dated act that gives one item's power to lower places, or (收回) takes it back from them.

    In force from `effective` to `until`, both included. `to` names places; or `to_every` all places of
    one tier under `giver` ("townships of the county"). `in_flight`: cases accepted before it stay with
    their decider or move with the deed.
    """

    id: Number
    item: Number
    form: DeedForm
    power: Power = Power.DECIDE
    giver: PlaceCode
    to: tuple[PlaceCode, ...] = ()
    to_every: Tier | None = None
    effective: Day
    until: Day | None = None
    in_flight: Literal["stay", "move"] = "stay"
    source: Word
    approvers: tuple[Word, Word]

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if bool(self.to) == (self.to_every is not None):
            raise ValueError("须写明承接单位，或写明全部某一层级，二者择一")
        if self.until is not None and self.until < self.effective:
            raise ValueError(f"截止日 {self.until} 早于生效日 {self.effective}")
        if self.approvers[0] == self.approvers[1]:
            raise ValueError("须由两位不同的批准人批准（部门、法制）")
        if self.giver in self.to:
            raise ValueError("不能把权力交给自己")
        return self

    def in_force(self, on: date) -> bool:
        """Whether the deed has taken effect and not run out on that day."""
        return self.effective <= on and (self.until is None or on <= self.until)


class Edition(_Document):
    """One published state of the catalogue (目录版本): which document stands under which key.

    `hash` is the SHA-256 of the canonical JSON of the other fields; a changed edition cannot keep it.
    """

    number: Annotated[int, Field(ge=1)]
    issued: Day
    documents: dict[Number, Sha256]
    hash: Sha256

    @classmethod
    def of(cls, number: int, issued: date, documents: Mapping[str, bytes]) -> Self:
        """The edition that consists of these documents, by key."""
        names = {key: document_hash(documents[key]) for key in sorted(documents)}
        return cls(number=number, issued=issued, documents=names, hash=_edition_hash(number, issued, names))

    @model_validator(mode="after")
    def _is_itself(self) -> Self:
        if self.hash != _edition_hash(self.number, self.issued, self.documents):
            raise ValueError("目录版本的哈希与内容不符")
        return self


def _edition_hash(number: int, issued: date, documents: Mapping[str, str]) -> str:
    content = {"number": number, "issued": issued.isoformat(), "documents": documents}
    return sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def document(model: Item | Deed | Edition) -> bytes:
    """The bytes that are published, hashed and never re-serialised."""
    return orjson.dumps(model.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)


def document_hash(raw: bytes) -> str:
    """The name of a document."""
    return sha256(raw).hexdigest()


ITEM_KEY, DEED_KEY, CALENDAR_KEY, EDITION_KEY = "item-", "deed-", "calendar", "edition"
"""Keys of published documents: item-<id>, deed-<id>, calendar, edition."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What routing asks of an item, looked up once: see `protocol.routing`."""

    home: Tier
    """The tier that holds the power where no deed moves it."""
    decision: Tier
    """The lowest tier to which it may go."""
    levels: frozenset[Tier]
    licence: bool
    lower_accept: bool
    deeds: tuple[Deed, ...]
    """Deeds about deciding, the latest effective first; of one day the last id first."""


def _rule(item: Item, deeds: Iterable[Deed]) -> Rule:
    decision = item.decision_level.code
    levels = frozenset(level.code for level in item.exercise_levels)
    deciding = [deed for deed in deeds if deed.power is Power.DECIDE]
    return Rule(
        home=_home(decision, levels),
        decision=decision,
        levels=levels,
        licence=item.is_licence,
        lower_accept=item.devolution.form is Form.LOWER_ACCEPT,
        deeds=tuple(sorted(deciding, key=lambda deed: (deed.effective, deed.id), reverse=True)),
    )


def _home(decision: Tier, levels: frozenset[Tier]) -> Tier:
    """A township or village decides what is not its own only by deed: without one it is the county's."""
    if decision > Tier.COUNTY and Tier.COUNTY in levels:
        return Tier.COUNTY
    if decision is Tier.VILLAGE and Tier.TOWNSHIP in levels:
        return Tier.TOWNSHIP
    return decision


class Catalogue:
    """One edition, open for reading; iterates over its items by id. Immutable."""

    __slots__ = ("_hashes", "_items", "_rules", "bundles", "calendar", "deeds", "edition")

    def __init__(
        self,
        edition: int,
        items: Iterable[Item],
        deeds: Iterable[Deed] = (),
        calendar: Calendar | None = None,
        hashes: Mapping[str, str] | None = None,
        bundles: Iterable[Bundle] = (),
    ) -> None:
        """CatalogueError if an id is there twice or a deed names no item."""
        given = sorted(items, key=lambda item: item.id)
        self.edition = edition
        self.deeds = tuple(sorted(deeds, key=lambda deed: deed.id))
        self.calendar = calendar
        self.bundles = tuple(bundles)
        self._items = {item.id: item for item in given}
        self._hashes = hashes or {item.id: document_hash(document(item)) for item in given}
        if len(self._items) != len(given) or len({deed.id for deed in self.deeds}) != len(self.deeds):
            raise CatalogueError("目录中有重复的事项或权力变更")
        about: dict[str, list[Deed]] = {}
        for deed in self.deeds:
            if deed.item not in self._items:
                raise CatalogueError(f"权力变更 {deed.id} 所指的事项 {deed.item} 不在目录中")
            about.setdefault(deed.item, []).append(deed)
        self._rules = {item.id: _rule(item, about.get(item.id, ())) for item in given}

    def __getitem__(self, item_id: str) -> Item:
        return self._items[item_id]

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._items

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items.values())

    def __len__(self) -> int:
        return len(self._items)

    def get(self, item_id: str) -> Item | None:
        """The item, or None."""
        return self._items.get(item_id)

    def hash_of(self, item_id: str) -> str:
        """The name of the item's document in this edition: what a case freezes; KeyError without one."""
        return self._hashes[item_id]

    def rule(self, item_id: str) -> Rule | None:
        """What routing needs to know of the item; None if there is none."""
        return self._rules.get(item_id)

    def themes(self) -> tuple[str, ...]:
        """Every theme (服务主题), in the order of the items."""
        return tuple(dict.fromkeys(theme for item in self for theme in item.themes))

    def of_theme(self, theme: str) -> tuple[Item, ...]:
        """The items of one theme."""
        return tuple(item for item in self if theme in item.themes)

    def search(self, text: str) -> tuple[Item, ...]:
        """Items in which every word of `text` is found: in the name first, then in codes, theme, department."""
        words = text.casefold().split()
        found = []
        for item in self:
            rest = " ".join((item.id, item.impl_code, item.department.name, *item.themes)).casefold()
            name = item.name.casefold()
            if words and all(word in name or word in rest for word in words):
                at = name.find(words[0])
                found.append((at < 0, max(at, 0), len(name), item.id))
        return tuple(self._items[item_id] for *_, item_id in sorted(found))
