"""帮办申报: the wizard in four steps. What is written is kept in a draft here at every step, right or wrong."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from node.accounts.roles import Role
from node.agency import serving
from node.cases.filing import ID_TYPES, check
from node.catalogue.search import find
from node.desk import drafts, items, materials
from node.desk.drafts import Draft
from node.desk.earlier import open_cases
from node.desk.frame import Desk, Filer, onward
from node.desk.frame import show as answer
from node.documents.kinds import entrustment
from node.documents.sheet import day
from node.errors import BadForm, NotFound
from node.ids import uuid7
from node.materials.checklist import label_of
from node.materials.collect import materials_of
from node.pages import links, screens
from node.pages.views.common import Choice, Fact, Field, Tag, Tone
from node.pages.views.filing import DraftLine, EntrustmentView, FilingView, WizardStep
from node.pages.views.materials import Material
from node.work import civil_date
from protocol.agency import SCOPES
from protocol.catalogue import Item
from protocol.identity import mask_name

router = APIRouter(include_in_schema=False)

_TEXTS = ("name", "id_type", "id_no", "phone", "address", "entrust_until", "note")
_MOST = 60


def _by_agent(desk: Desk) -> bool:
    """Whether this officer files for others (代办), or takes in the applicant's own papers at a window."""
    return Role.AGENT in desk.who.roles


def _item(desk: Desk, item_id: str) -> Item | None:
    catalogue = desk.node.know.catalogue
    return catalogue.get(item_id) if catalogue and item_id else None


# The four steps as views


def _choose(
    desk: Desk, draft: Draft, q: str = "", theme: str = "", errors: dict[str, str] | None = None
) -> FilingView:
    catalogue = desk.node.know.catalogue
    found: tuple[Item, ...] = ()
    if catalogue is not None:
        found = find(catalogue, q) if q else catalogue.of_theme(theme) if theme else tuple(catalogue)
    item = _item(desk, draft.item)
    if item is not None and item not in found:
        found = (item, *found)
    cards = [items.card(desk, one) for one in found]
    if not q and not theme:
        cards = [one for one in cards if not one.refused or one.key == draft.item]
    return FilingView(
        step=WizardStep.ITEM,
        action=links.FILE,
        search=q,
        search_href=links.FILE,
        themes=tuple(Choice(value=name, label=name) for name in (catalogue.themes() if catalogue else ())),
        theme=theme,
        items=tuple(sorted(cards, key=lambda one: bool(one.refused)))[:_MOST],
        chosen=items.whole(desk, item) if item else None,
        drafts=_drafts(desk, draft),
        draft_days=materials_of(desk.node).rules.draft_days,
        carried=_carried(draft),
        saved_at=draft.changed_at,
        errors=tuple((errors or {}).items()),
    )


def _drafts(desk: Desk, but: Draft) -> tuple[DraftLine, ...]:
    """What this officer began and did not file."""
    found = desk.node.read(drafts.unfinished, desk.who.id)
    return tuple(
        DraftLine(
            id=one.id,
            item=item.name,
            applicant=mask_name(one.text("name")),
            at=one.changed_at or desk.now,
            href=links.query(links.FILE, draft=one.id, step=str(WizardStep.APPLICANT.value)),
        )
        for one in found
        if one.id != but.id and (item := _item(desk, one.item)) is not None
    )


def _carried(draft: Draft) -> tuple[tuple[str, str], ...]:
    return (("draft", draft.id),)


def _people(desk: Desk, draft: Draft, item: Item, errors: dict[str, str]) -> FilingView:
    def text(name: str, label: str, **more: Any) -> Field:
        return Field(name=name, label=label, value=draft.text(name), error=errors.get(name, ""), **more)

    fields = [
        text("name", "申请人姓名", required=True, maxlength=100, half=True),
        text("phone", "联系电话", required=True, kind="tel", inputmode="tel", number=True, half=True),
        Field(
            name="id_type", label="证件类型", kind="select", value=draft.text("id_type") or "111", required=True, half=True,
            choices=tuple(Choice(value=key, label=name) for key, name in ID_TYPES.items()), error=errors.get("id_type", ""),
        ),
        text("id_no", "证件号码", required=True, number=True, maxlength=30, half=True, hint="对照证件原件，末位可以是 X"),
        text("address", "住址", maxlength=200),
    ]  # fmt: skip
    if _by_agent(desk):
        fields += [
            Field(
                name="entrust_scope", label="委托书：委托办什么", kind="checks", required=True,
                value=",".join(draft.content.get("entrust_scope", ())), error=errors.get("entrust_scope", ""),
                choices=tuple(Choice(value=one, label=one) for one in SCOPES), hint="代办免费；代缴规费只凭缴款通知书，并出具编号收据",
            ),
            text("entrust_until", "委托到哪天为止", kind="date", required=True, half=True),
            Field(
                name="entrusted", label="申请人已在委托书上签字（按印），对材料真实性负责", kind="checkbox",
                value="yes" if draft.content.get("entrusted") else "", required=True, error=errors.get("entrusted", ""),
            ),
        ]  # fmt: skip
    fields += serving.fields(desk, draft.content, errors)
    fields.append(text("note", "备注", kind="textarea", maxlength=500, rows=2))
    return _step(
        desk, draft, item, WizardStep.APPLICANT, fields=tuple(fields), by_agent=_by_agent(desk), errors=errors
    )


def _papers(desk: Desk, draft: Draft, item: Item, errors: dict[str, str]) -> FilingView:
    ticked = frozenset(draft.content.get("materials", ()))
    return _step(
        desk,
        draft,
        item,
        WizardStep.MATERIALS,
        earlier=open_cases(desk, item.id, draft.text("id_type") or "111", draft.text("id_no")),
        materials=tuple(
            Material(
                name=one.name,
                need="免交" if one.share_free else one.need,
                form=label_of(one.form),
                note=one.source,
                state=Tag(text="已勾", tone=Tone.GOOD)
                if one.name in ticked
                else Tag(text="部门自取" if one.share_free else "缺" if one.need == "必要" else "可无"),
            )
            for one in item.materials
        ),
        ticked=ticked,
        reusable=materials.reusable_files(desk, item, draft.text("id_type") or "111", draft.text("id_no")),
        consents=materials.CONSENTS,
        missing=_missing(draft, item),
        errors=errors,
    )


def _missing(draft: Draft, item: Item) -> tuple[str, ...]:
    ticked = set(draft.content.get("materials", ()))
    wanted = (one.name for one in item.materials if one.need == "必要" and not one.share_free)
    return tuple(name for name in wanted if name not in ticked)


def _confirm(desk: Desk, draft: Draft, item: Item, errors: dict[str, str]) -> FilingView:
    form = draft.filing(_by_agent(desk))
    facts = [
        Fact(label="事项", value=item.name),
        Fact(label="申请人", value=form.name),
        Fact(label=ID_TYPES.get(form.id_type, "证件"), value=form.id_no, number=True),
        Fact(label="联系电话", value=form.phone, number=True),
        *(
            Fact(label=label, value=value)
            for label, value in (("住址", form.address), ("备注", form.note))
            if value
        ),
    ]
    if form.agent:
        facts.append(Fact(label="委托", value=f"{'、'.join(form.entrust_scope)}，至 {form.entrust_until}"))
    if draft.content.get("serve"):
        facts.append(Fact(label="服务方式", value="、".join(draft.content["serve"])))
    missing = _missing(draft, item)
    facts += [
        Fact(
            label="材料",
            value=f"收 {len(form.materials)} 份" + (f"，缺 {len(missing)} 份" if missing else "，齐全"),
        ),
        Fact(label="承诺", value=f"自受理次日起 {items.in_words(item.promised_limit)}"),
    ]
    earlier = open_cases(desk, item.id, draft.text("id_type") or "111", draft.text("id_no"))
    return _step(
        desk,
        draft,
        item,
        WizardStep.CHECK,
        facts=tuple(facts),
        missing=missing,
        stops=items.stops(desk, item),
        earlier=earlier,
        fields=_again(draft, errors) if earlier or errors.get("again") else (),
        errors=errors,
    )


def _again(draft: Draft, errors: dict[str, str]) -> tuple[Field, ...]:
    """Where a case of the same applicant and item is open: why another."""
    return (
        Field(
            name="again", label="再次申请的理由", kind="textarea", rows=2, required=True,
            value=draft.text("again"), error=errors.get("again", ""), maxlength=500,
        ),
    )  # fmt: skip


def _step(
    desk: Desk, draft: Draft, item: Item, step: WizardStep, errors: dict[str, str], **more: Any
) -> FilingView:
    return FilingView(
        step=step,
        action=links.FILE,
        chosen=items.whole(desk, item),
        carried=_carried(draft),
        saved_at=draft.changed_at,
        errors=tuple(errors.items()),
        **more,
    )


_VIEWS = {WizardStep.APPLICANT: _people, WizardStep.MATERIALS: _papers, WizardStep.CHECK: _confirm}
_FIELDS = {
    WizardStep.ITEM: {"item"},
    WizardStep.APPLICANT: {
        "name",
        "phone",
        "id_type",
        "id_no",
        "address",
        "entrust_scope",
        "entrust_until",
        "entrusted",
        *serving.NAMES,
    },
    WizardStep.MATERIALS: {"materials"},
}
"""Which faults belong to which step."""


def _draw(desk: Desk, draft: Draft, step: WizardStep, errors: dict[str, str], status: int = 200) -> Response:
    item = _item(desk, draft.item)
    if step is WizardStep.ITEM or item is None:
        return answer(screens.filing_page(desk.page(), _choose(desk, draft, errors=errors)), status)
    return answer(screens.filing_page(desk.page(), _VIEWS[step](desk, draft, item, errors)), status)


# Addresses


@router.get(links.FILE)
async def open_wizard(
    desk: Filer, q: str = "", theme: str = "", item: str = "", draft: str = "", step: int = 1
) -> Response:
    """Step 1, a draft taken up again, or an item already chosen."""
    found = desk.node.read(drafts.load, draft, desk.who.id) if draft else None
    found = found or Draft(str(uuid7(desk.now)))
    if item and _item(desk, item) is not None:
        found.item = item
    if draft and step > 1 and found.item:
        return _draw(desk, found, WizardStep(min(step, 4)), {})
    return answer(screens.filing_page(desk.page(), _choose(desk, found, q.strip(), theme)))


@router.post(links.FILE)
async def go_on(request: Request, desk: Filer) -> Response:
    """Keep what was written, then go on, back, or stay with the faults shown."""
    form = await request.form()
    draft = desk.node.read(drafts.load, str(form.get("draft", "")), desk.who.id) or Draft(
        _draft_name(form, desk)
    )
    step = (
        WizardStep(int(str(form.get("step", "1"))))
        if str(form.get("step", "1")) in ("1", "2", "3", "4")
        else WizardStep.ITEM
    )
    _write(draft, step, form)
    await desk.node.do(drafts.keep, draft, desk.who.id)
    go = str(form.get("go", "next"))
    if go == "back":
        return _draw(desk, draft, WizardStep(max(1, step - 1)), {})
    if go == "print":
        return onward(links.query(f"{links.FILE}/entrustment", draft=draft.id))
    if go == "save":
        return onward(links.query(links.FILE, draft=draft.id, step=str(step.value)))
    errors = {key: text for key, text in _faults(desk, draft).items() if key in _FIELDS.get(step, set())}
    if errors:
        return _draw(desk, draft, step, errors, 422)
    if step is not WizardStep.CHECK:
        return _draw(desk, draft, WizardStep(step + 1), {})
    return await _file(desk, draft)


@router.get(links.FILE + "/entrustment")
async def print_entrustment(desk: Filer, draft: str = "") -> Response:
    """代办委托书 of a draft, to be printed and signed before it is filed; NotFound if there is no such draft."""
    found = desk.node.read(drafts.load, draft, desk.who.id)
    item = _item(desk, found.item) if found else None
    if found is None or item is None:
        raise NotFound("没有这份草稿，或还没有选事项")
    form, page = found.filing(agent=True), desk.page()
    sheet = entrustment(
        page.place.name,
        form.name,
        (desk.who.name, desk.who.staff_no),
        item.name,
        form.entrust_scope,
        day(form.entrust_until),
    )
    back = links.query(links.FILE, draft=draft, step=str(WizardStep.APPLICANT.value))
    return answer(screens.entrustment_page(page, EntrustmentView(content=sheet, back=back)))


def _draft_name(form: FormData, desk: Desk) -> str:
    return str(form.get("draft", ""))[:36] or str(uuid7(desk.now))


def _write(draft: Draft, step: WizardStep, form: FormData) -> None:
    if step is WizardStep.ITEM and form.get("item"):
        if draft.item != form["item"]:
            draft.content.pop("materials", None)
        draft.item = str(form["item"])[:50]
    elif step is WizardStep.APPLICANT:
        draft.content |= {name: str(form.get(name, ""))[:500].strip() for name in _TEXTS}
        draft.content["entrust_scope"] = [str(one) for one in form.getlist("entrust_scope")]
        draft.content["entrusted"] = form.get("entrusted") == "yes"
        draft.content |= serving.read(form)
    elif step is WizardStep.MATERIALS:
        draft.content["materials"] = [str(one) for one in form.getlist("material")]
    elif step is WizardStep.CHECK and "again" in form:
        draft.content["again"] = str(form["again"])[:500].strip()


def _faults(desk: Desk, draft: Draft) -> dict[str, str]:
    item = _item(desk, draft.item)
    found = check(draft.filing(_by_agent(desk)), item, civil_date(desk.now)) | serving.faults(draft.content)
    if item is not None and (why := items.refused(desk, item)):
        found["item"] = why
    return found


async def _file(desk: Desk, draft: Draft) -> Response:
    try:
        no = await desk.node.do(serving.file_case, desk.who, draft.filing(_by_agent(desk)), draft.content)
    except BadForm as wrong:
        errors = wrong.fields()
        step = next((step for step, names in _FIELDS.items() if names & errors.keys()), WizardStep.CHECK)
        return _draw(desk, draft, step, errors, 422)
    await desk.node.do(drafts.forget, draft.id, desk.who.id)
    return onward(links.slip(no))


@router.post(links.FILE + "/drop")
async def drop(request: Request, desk: Filer) -> Response:
    """Throw a draft away."""
    await desk.node.do(drafts.forget, str((await request.form()).get("draft", "")), desk.who.id)
    return onward(links.FILE)
