"""Filing a case (登记): the form a window or an agent (代办员) fills, and what is wrong with it.

One rule: every fault is found at once and named at its field; nothing is filed, and the draft stays.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from node.cases import clocks, prints
from node.cases.steps import Cases
from node.errors import BadForm
from node.materials import drafts, index
from node.work import Work
from protocol.agency import SCOPES
from protocol.catalogue import Item
from protocol.errors import RoutingError
from protocol.identity import IdentityError, check_credit_code, check_id_no, check_phone, make_case_no
from protocol.places import Tier
from protocol.routing import Route, check_filing, route

ID_TYPES = {
    "111": "居民身份证",
    "113": "户口簿",
    "414": "普通护照",
    "516": "港澳居民来往内地通行证",
    "511": "台湾居民来往大陆通行证",
    "001": "统一社会信用代码",
}


@dataclass(frozen=True, slots=True)
class Filing:
    """What was filled in, as text, before anything of it is believed."""

    item: str
    name: str
    id_type: str = "111"
    id_no: str = ""
    phone: str = ""
    address: str = ""
    agent: bool = False
    entrusted: bool = False
    entrust_scope: tuple[str, ...] = ()
    entrust_until: str = ""
    materials: tuple[str, ...] = ()
    note: str = ""
    again: str = ""
    """Why the applicant files although a case of this item is open."""
    draft: str = ""
    """Whose collected files go out with the case."""


def file_case(work: Work, by: str, by_name: str, form: Filing) -> str:
    """The number of the new case, filed and on its way to the place that shall take it.

    BadForm with every faulty field; nothing is changed then.
    """
    item = work.catalogue().get(form.item)
    form = replace(
        form, materials=tuple(dict.fromkeys([*form.materials, *drafts.collected(work, by, form.draft)]))
    )
    applicant = index.mark(work.know, form.id_type, form.id_no)
    others = prints.doubles(work, form.item, applicant) if form.id_no.strip() else []
    errors = (
        check(form, item, work.today)
        | _doubled(form, others)
        | drafts.faults(work, by, form.draft, item, applicant)
    )
    if item is None or errors:
        raise BadForm(errors)
    way = _route(work, item, by_agent=form.agent)
    no = make_case_no(work.me, work.today, _serial(work))
    cases = Cases(work)
    private = _private(form, by, by_name, item)
    if files := drafts.claim(work, by, form.draft, no, applicant):
        private["files"] = files
    cases.say(no, "case.filed", _skeleton(work, by, form, item, way, again=bool(others)), private)
    if way.receives.code == work.me:
        cases.say(no, "case.taken", {"by": by, **clocks.receipt(work, work.now)})
    prints.keep(work, no, applicant)
    cases.store()
    return no


def _doubled(form: Filing, others: list[str]) -> dict[str, str]:
    """A warning to whoever files a second case, unless the reason to go on is given (两头受理)."""
    if not others or form.again.strip():
        return {}
    return {"again": f"该申请人已有同一事项在办（{'、'.join(others[:3])}），确需再次申请的请写明理由"}


def check(form: Filing, item: Item | None, today: date) -> dict[str, str]:
    """Every fault of the form by field; empty when it can be filed."""
    errors: dict[str, str] = {}
    if item is None:
        return {"item": "请选择要办的事项（目录中没有这一项）"}
    if not 1 <= len(form.name.strip()) <= 100:
        errors["name"] = "请填写申请人姓名"
    errors |= _check_number(form, today)
    errors |= _check_phone(form)
    if form.agent:
        errors |= _check_entrustment(form, today)
    known = {material.name for material in item.materials}
    if strangers := [name for name in form.materials if name not in known]:
        errors["materials"] = f"“{strangers[0]}”不在本事项的材料清单里，不得增设材料"
    elif known and not form.materials:
        errors["materials"] = "请至少收取一份申请材料"
    return errors


def _check_number(form: Filing, today: date) -> dict[str, str]:
    if form.id_type not in ID_TYPES:
        return {"id_type": "请选择证件类型"}
    try:
        if form.id_type == "111":
            check_id_no(form.id_no, today)
        elif form.id_type == "001":
            check_credit_code(form.id_no)
        elif not 4 <= len(form.id_no.strip()) <= 30:
            return {"id_no": "请填写证件号码"}
    except IdentityError as wrong:
        return {"id_no": str(wrong)}
    return {}


def _check_phone(form: Filing) -> dict[str, str]:
    try:
        check_phone(form.phone)
    except IdentityError as wrong:
        return {"phone": str(wrong)}
    return {}


def _check_entrustment(form: Filing, today: date) -> dict[str, str]:
    errors: dict[str, str] = {}
    if not form.entrusted:
        errors["entrusted"] = "代办须有申请人签字（按印）的委托书"
    if not form.entrust_scope or not set(form.entrust_scope) <= set(SCOPES):
        errors["entrust_scope"] = "请勾选委托范围"
    try:
        if date.fromisoformat(form.entrust_until) < today:
            errors["entrust_until"] = "委托期限已过"
    except ValueError:
        errors["entrust_until"] = "请填写委托截止日期"
    return errors


def _route(work: Work, item: Item, *, by_agent: bool) -> Route:
    try:
        check_filing(item, work.know.roster[work.me], by_agent=by_agent)
        return route(work.catalogue(), work.know.roster, item.id, work.me, work.today)
    except RoutingError as nobody:
        raise BadForm({"item": str(nobody)}) from None


def _serial(work: Work) -> int:
    """The next of this day's own numbers: issued offline, never given twice."""
    serial = work.serial("serial", f"{work.today:%Y%m%d}")
    if serial > 9999:
        raise BadForm({"item": "今日编号已满 9999 件"})
    return serial


def _skeleton(work: Work, by: str, form: Filing, item: Item, way: Route, *, again: bool) -> dict[str, Any]:
    village = work.know.roster[work.me].tier is Tier.VILLAGE
    return {
        "by": by,
        "item": item.id,
        "to": way.receives.code,
        "channel": "村站代办" if village else "窗口",
        "agent": form.agent,
        "materials": len(form.materials),
        "missing": tuple(
            one.name for one in item.materials if one.need == "必要" and one.name not in form.materials
        ),
        "again": again,
        "why": way.why,
        "version": item.version,
    }


def _private(form: Filing, by: str, by_name: str, item: Item) -> dict[str, Any]:
    entrustment = {
        "scope": list(form.entrust_scope),
        "until": form.entrust_until,
        "free": True,
        "agent": {"no": by, "name": by_name},
    }
    return {
        "item_name": item.name,
        "applicant": {
            "name": form.name.strip(),
            "id_type": form.id_type,
            "id_no": form.id_no.strip().upper(),
            "phone": form.phone.strip(),
            "address": form.address.strip(),
        },
        "entrustment": entrustment if form.agent else None,
        "materials": list(form.materials),
        "note": form.note.strip(),
        "again": form.again.strip()[:500],
    }
