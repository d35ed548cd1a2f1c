"""An items file (事项清单) read into items and dated deeds, and the checks before anything is published.

One rule: everything wrong is found in one pass and told together, each with item, field and reason. The
file may be incomplete about procedure and forms; what it leaves out is filled in from what it says, so
that an active item passes the gate of eight public facts (八公开).
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from pydantic import ValidationError

from protocol.bundles import tidied
from protocol.catalogue import Deed, DeedForm, FlowStep, Form, Item, Power, Status, VillageMode
from protocol.errors import CatalogueError, Problem
from protocol.limits import surely_longer
from protocol.places import Tier
from protocol.proofs import forbidden_proof, is_village_source
from protocol.roster import Roster

COUNTIES = "devolved_counties_synthetic"
_OWN_FIELDS = frozenset(Item.model_fields) | {COUNTIES}
_UNNAMED = re.compile(r"其[他它].{0,8}(材料|资料|文件|证件|证明)|(有关|相关|所需|要求的)(材料|资料)$")
"""Wording that leaves open what to bring (兜底条款): forbidden."""
_DEED_FORMS = {
    Form.OWN: DeedForm.TAKE_ON,
    Form.LOWER_ACCEPT: DeedForm.TAKE_ON,
    Form.EXTEND: DeedForm.DEVOLVE,
    Form.ENTRUST: DeedForm.ENTRUST,
    Form.STATION: DeedForm.STATION,
    Form.GRANT: DeedForm.GRANT,
}
_COMPLAINTS = {
    "missing": "缺少这一项",
    "string_type": "应为文字",
    "string_too_short": "不能为空",
    "string_too_long": "过长",
    "int_type": "应为整数",
    "bool_type": "应为 true 或 false",
    "enum": "不在允许的值之内",
    "literal_error": "不在允许的值之内",
    "tuple_type": "应为列表",
    "greater_than_equal": "过小",
    "less_than_equal": "过大",
    "string_pattern_mismatch": "写法不对",
    "too_short": "不能为空",
    "date_from_datetime_parsing": "应为日期",
}


@dataclass(frozen=True, slots=True)
class Lists:
    """The names an items file may refer to, by code; `windows` by hall, township and county."""

    departments: Mapping[str, str]
    windows: Mapping[str, Mapping[str, str]]
    sets: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ItemsFile:
    """What an items file holds, ready to be published."""

    title: str
    lists: Lists
    items: tuple[Item, ...]
    deeds: tuple[Deed, ...]


def read_items(raw: bytes, effective: date = date(2024, 1, 1)) -> ItemsFile:
    """The items of an items file, and one deed for each county in which an item is devolved.

    Deeds take effect on `effective` with the approvers 部门审核 and 法制审核, as the file names neither.
    CatalogueError carries every problem found.
    """
    body = _body(raw)
    lists = _lists(body)
    problems: list[Problem] = []
    items: list[Item] = []
    deeds: list[Deed] = []
    for at, row in enumerate(body["items"]):
        item, found = _item(at, row, lists)
        problems += found
        if item is not None:
            items.append(item)
            deeds += _deeds(item, row.get(COUNTIES, []), effective, problems)
    problems += _doubles(items) + _outside_lists(items, lists)
    for item in items:
        problems += check_item(item)
    if problems:
        raise CatalogueError(f"事项清单有 {len(problems)} 处问题", problems)
    return ItemsFile(str(body.get("title", "")), lists, tuple(items), tuple(deeds))


def check_item(item: Item) -> list[Problem]:
    """Everything by which an item contradicts itself or the law; empty if it may be published."""
    found = [*_limits(item), *_powers(item), *_materials(item), *_other(item)]
    if item.status is Status.ACTIVE:
        found += [("open", f"八公开缺少：{gap}") for gap in open_gaps(item)]
    return [Problem(item.id, field, reason) for field, reason in found]


def names_nothing(title: str) -> bool:
    """Whether a title leaves open what to bring (兜底条款)."""
    return bool(_UNNAMED.search(title))


def open_gaps(item: Item) -> tuple[str, ...]:
    """Which of the eight facts to be made public (八公开) the item does not tell."""
    fee = item.fee
    told = {
        "项目名称": item.name,
        "办事程序": item.flow,
        "法律依据": item.legal_basis,
        "许可条件": item.conditions,
        "申报材料": item.materials,
        "承诺时限": item.promised_limit,
        "收费标准及依据": not fee.charge or (fee.standard and fee.basis),
        "申请书格式文本": item.application_form,
    }
    return tuple(name for name, fact in told.items() if not fact)


def check_deeds(items: Iterable[Item], deeds: Iterable[Deed], roster: Roster) -> list[Problem]:
    """Everything by which deeds contradict the items, the roster or each other."""
    known = {item.id: item for item in items}
    given = list(deeds)
    problems = []
    for deed in given:
        item = known.get(deed.item)
        reasons = ["所指的事项不在目录中"] if item is None else list(_deed_reasons(deed, item, roster))
        problems += [Problem(deed.id, "deed", reason) for reason in reasons]
    problems += _same_day(given, roster)
    return problems


def _body(raw: bytes) -> dict[str, Any]:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as wrong:
        raise CatalogueError(f"第 {wrong.lineno} 行：不是合格的 JSON（UTF-8）：{wrong.msg}") from None
    if not isinstance(body, dict):
        raise CatalogueError("事项清单应为一个 JSON 对象")
    if not isinstance(body.get("items"), list):
        raise CatalogueError("事项清单缺少 items")
    return body


def _lists(body: Mapping[str, Any]) -> Lists:
    try:
        return Lists(
            departments=_names(body["departments"]),
            windows={hall: _names(body["windows"][hall]) for hall in ("township", "county")},
            sets={str(name): str(note) for name, note in body["sets"].items()},
        )
    except (KeyError, TypeError, AttributeError):
        raise CatalogueError("事项清单缺少 departments、windows 或 sets，或写法不对") from None


def _names(rows: list[dict[str, str]]) -> dict[str, str]:
    return {str(row["code"]): str(row["name"]) for row in rows}


def _item(at: int, row: Any, lists: Lists) -> tuple[Item | None, list[Problem]]:
    if not isinstance(row, dict):
        return None, [Problem(f"第 {at + 1} 项", "item", "应为 JSON 对象")]
    subject = str(row.get("id") or f"第 {at + 1} 项")
    unknown = [Problem(subject, name, "不认识的字段") for name in row if name not in _OWN_FIELDS]
    try:
        item = Item.model_validate_json(orjson.dumps(tidied(row)))
    except ValidationError as wrong:
        return None, unknown + [_complaint(subject, dict(error)) for error in wrong.errors(include_url=False)]
    return _filled(item, lists), unknown


def _complaint(subject: str, error: Mapping[str, Any]) -> Problem:
    field = ".".join(str(part + 1) if isinstance(part, int) else part for part in error["loc"])
    reason = _COMPLAINTS.get(error["type"], f"不合格（{error['msg']}）")
    given = error.get("input")
    shown = f"：{given!r}" if isinstance(given, str | int | bool) else ""
    return Problem(subject, field or "item", f"{reason}{shown}")


def _filled(item: Item, lists: Lists) -> Item:
    """With the procedure, form and theme that follow from the rest, where the file gives none."""
    blank = next(
        (each.name for each in item.materials if each.source == "窗口提供空白表"), "政务服务事项通用申请表"
    )
    return item.model_copy(
        update={
            "flow": item.flow or tuple(_flow(item)),
            "application_form": item.application_form or blank,
            "themes": item.themes or tuple(_themes(item, lists)),
        }
    )


def _flow(item: Item) -> Iterator[FlowStep]:
    decider = item.decision_level.code
    shared = item.devolution.form in (Form.LOWER_ACCEPT, Form.EXTEND) and decider < Tier.TOWNSHIP
    front = Tier.TOWNSHIP if shared else decider
    if item.village_receives and decider is not Tier.VILLAGE:
        yield FlowStep(name="村站收件", tier=Tier.VILLAGE)
    yield FlowStep(name="受理", tier=front)
    if item.devolution.form is Form.LOWER_ACCEPT and shared:
        yield FlowStep(name="初审", tier=front)
    if not item.is_instant:
        yield FlowStep(name="审查", tier=decider)
    yield FlowStep(name="决定", tier=decider)
    yield FlowStep(name="送达", tier=front)


def _themes(item: Item, lists: Lists) -> list[str]:
    """The names of its windows without 窗口: what residents look under."""
    names = [
        lists.windows["township"].get(item.window.township or ""),
        lists.windows["county"].get(item.window.county or ""),
    ]
    return list(dict.fromkeys(name.removesuffix("窗口") for name in names if name))


def _deeds(item: Item, counties: Any, effective: date, problems: list[Problem]) -> Iterator[Deed]:
    """One deed a county: deciding where townships or villages decide, else only accepting."""
    if not isinstance(counties, list):
        problems.append(Problem(item.id, COUNTIES, "应为列表"))
        return
    decider = item.decision_level.code
    decides = decider > Tier.COUNTY
    for county in counties:
        try:
            yield Deed(
                id=f"{item.id}-{county}",
                item=item.id,
                form=_DEED_FORMS[item.devolution.form],
                power=Power.DECIDE if decides else Power.ACCEPT,
                giver=f"{county}000000",
                to_every=decider if decides else Tier.TOWNSHIP,
                effective=effective,
                source=item.devolution.note or item.legal_basis,
                approvers=("部门审核", "法制审核"),
            )
        except ValidationError as wrong:
            problems += [
                Problem(item.id, COUNTIES, f"{county!r}：{error['msg']}") for error in wrong.errors()
            ]


def _doubles(items: list[Item]) -> list[Problem]:
    problems = []
    for field in ("id", "impl_code", "handle_item_code"):
        counts = Counter(str(getattr(item, field)) for item in items)
        problems += [
            Problem(item.id, field, f"与别的事项重复：{getattr(item, field)}")
            for item in items
            if counts[str(getattr(item, field))] > 1
        ]
    return problems


def _outside_lists(items: list[Item], lists: Lists) -> list[Problem]:
    """References to departments, windows and sets that the file does not list, and codes not built by its rule."""
    problems = []
    for item in items:
        halls = (("township", item.window.township), ("county", item.window.county))
        wrong = (
            [("department", item.department.code)] if item.department.code not in lists.departments else []
        )
        wrong += [
            ("joint_departments", joint.code)
            for joint in item.joint_departments
            if joint.code not in lists.departments
        ]
        wrong += [
            (f"window.{hall}", code) for hall, code in halls if code and code not in lists.windows[hall]
        ]
        wrong += [("sets", name) for name in item.sets if name not in lists.sets]
        problems += [Problem(item.id, field, f"{code} 不在清单所列之内") for field, code in wrong]
        if not item.impl_code.endswith(item.basic_code) or not item.handle_item_code.startswith(
            item.impl_code
        ):
            problems.append(Problem(item.id, "impl_code", "实施编码、业务办理项编码与基本编码不一致"))
    return problems


def _limits(item: Item) -> Iterator[tuple[str, str]]:
    promised, statutory = item.promised_limit, item.statutory_limit
    if statutory is not None and surely_longer(promised, statutory):
        yield "promised_limit", f"承诺时限 {promised} 长于法定时限 {statutory}"
    if item.is_instant != (promised.value == 0):
        yield "case_kind", f"即办件的承诺时限应为即办，承诺件不应为即办；现为{item.case_kind}、{promised}"
    for special in item.special_procedures:
        if special.suspends_clock and not special.exclusion_basis:
            yield "special_procedures", f"“{special.name}”停表而没有不计入时限的依据"


def _powers(item: Item) -> Iterator[tuple[str, str]]:
    decider = item.decision_level.code
    if item.is_licence and decider is Tier.VILLAGE:
        yield "decision_level", "村（居）委会不是行政机关，不能决定行政许可"
    if decider not in {level.code for level in item.exercise_levels}:
        yield "decision_level", f"决定层级 {decider.label} 不在行使层级之内"
    if decider is Tier.VILLAGE and item.village_mode is not VillageMode.DECIDES:
        yield "village_mode", "村级决定的事项，村级方式应为直办"
    if not item.proxy_allowed and item.village_mode is VillageMode.ACTS:
        yield "proxy_allowed", "不得代办的事项，村级方式不能是代办"


def _materials(item: Item) -> Iterator[tuple[str, str]]:
    for material in item.materials:
        if _UNNAMED.search(material.name):
            yield "materials", f"不得使用兜底写法：{material.name}"
        proof = forbidden_proof(material.name) if is_village_source(material.source) else None
        if proof:
            yield "materials", f"村（居）委会不得出具“{proof}”证明（民发〔2020〕20号）：{material.name}"


def _other(item: Item) -> Iterator[tuple[str, str]]:
    fee = item.fee
    if fee.charge and not (fee.name and fee.standard and fee.basis):
        yield "fee", "收费须写明项目、标准和依据"
    names = Counter(material.name for material in item.materials)
    for name, count in names.items():
        if count > 1:
            yield "materials", f"同一材料列了 {count} 次：{name}"


def _deed_reasons(deed: Deed, item: Item, roster: Roster) -> Iterator[str]:
    giver = roster.get(deed.giver)
    if giver is None:
        yield f"{deed.giver} 不在节点名册中"
        return
    tiers = {deed.to_every} if deed.to_every else set()
    for code in deed.to:
        place = roster.get(code)
        if place is None:
            yield f"{code} 不在节点名册中"
        elif not roster.is_under(code, deed.giver):
            yield f"{place.name} 不在{giver.name}之下"
        else:
            tiers.add(place.tier)
    if any(tier <= giver.tier for tier in tiers if tier is not None):
        yield "权力只能交给下级"
    if deed.form is DeedForm.RECALL or deed.power is Power.ACCEPT:
        return
    if Tier.VILLAGE in tiers and item.is_licence:
        yield "村（居）委会不是行政机关，不能决定行政许可"
    levels = {level.code for level in item.exercise_levels}
    for tier in sorted(tier for tier in tiers if tier is not None and tier not in levels):
        yield f"{tier.label}不在行使层级之内"


def _same_day(deeds: list[Deed], roster: Roster) -> list[Problem]:
    """Deeds about one power that take effect on one day for one place: which holds would be chance."""
    problems = []
    seen: dict[tuple[str, Power, date, str], Deed] = {}
    for deed in sorted(deeds, key=lambda each: each.id):
        for code in _takers(deed, roster):
            first = seen.setdefault((deed.item, deed.power, deed.effective, code), deed)
            if first is not deed:
                problems.append(Problem(deed.id, "effective", f"与 {first.id} 同日生效，都涉及 {code}"))
                break
    return problems


def _takers(deed: Deed, roster: Roster) -> tuple[str, ...]:
    if deed.to_every is None or deed.giver not in roster:
        return deed.to
    return tuple(place.code for place in roster.subtree(deed.giver) if place.tier is deed.to_every)
