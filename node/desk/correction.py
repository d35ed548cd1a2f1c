"""提交补正: what the notice asked for, item by item, photographed on the spot; what cannot be given, with its reason."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from node.cases import actions, views
from node.cases.acts import ACTS
from node.cases.dossier import dossier
from node.cases.model import to_case
from node.desk import materials, show
from node.desk.frame import Desk, Here, onward
from node.desk.frame import show as answer
from node.errors import BadForm, NotFound
from node.materials import drafts
from node.materials.checklist import label_of
from node.pages import links, screens
from node.pages.views.common import Field, Tag
from node.pages.views.materials import Asked, CorrectionView, Material
from protocol.case import Case, State

router = APIRouter(include_in_schema=False)

PATH = links.CASES + "/{no}/correction"
_ACT = next(act for act in ACTS if act.key == "supplement")


def _open(desk: Desk, no: str) -> tuple[Case, dict[str, Any]]:
    """The case and its dossier; NotFound where no supplement is awaited from here."""
    case = to_case(desk.node.read(views.one, no))
    private = desk.node.read(dossier, desk.node.know, no)
    if private is None or not _ACT.offered(case, desk.node.place):
        raise NotFound("本件现在没有要补正的材料")
    return case, private


def _wanted(case: Case, private: Mapping[str, Any]) -> dict[str, str]:
    """By material what is asked of it: the defects of the notice, or what was left to follow (容缺)."""
    if case.state is not State.CORRECTING:
        return dict.fromkeys(case.pending, "受理时容缺，约定后补")
    found: dict[str, str] = {}
    for one in private.get("defects", ()):
        name, problem = str(one.get("material", "")).strip(), str(one.get("problem", "")).strip()
        found[name] = "；".join(part for part in (found.get(name, ""), problem) if part)
    return found


def _view(
    desk: Desk, no: str, said: Mapping[str, str], ticked: set[str], errors: dict[str, str]
) -> CorrectionView:
    case, private = _open(desk, no)
    item = show.item_of(desk.node, case.item)
    wanted = _wanted(case, private)
    known = {one.name: one for one in item.materials} if item else {}
    applicant = private.get("applicant") or {}
    offered = (
        materials.reusable_files(
            desk, item, str(applicant.get("id_type", "")), str(applicant.get("id_no", "")), but=no
        )
        if item
        else ()
    )
    asked = tuple(
        Asked(
            material=Material(
                name=name,
                need=known[name].need if name in known else "",
                form=label_of(known[name].form) if name in known else "",
                state=Tag(text="待补"),
            ),
            problem=problem,
            ticked=name in ticked,
            why=said.get(f"why-{at}", ""),
            error=errors.get(f"why-{at}", ""),
        )
        for at, (name, problem) in enumerate(wanted.items(), 1)
    )
    return CorrectionView(
        no=no,
        item=show.item_name(desk.node, case.item),
        title=f"{'需要补正的' if case.state is State.CORRECTING else '约定后补的'}材料，共 {len(asked)} 项",
        action=f"{links.case(no)}/correction",
        asked=asked,
        fields=(
            Field(
                name="note", label="说明", kind="textarea", rows=2, maxlength=500,
                value=said.get("note", ""), error=errors.get("note", ""),
            ),
        ),
        reply_by=case.reply_by if case.state is State.CORRECTING else case.follow_up,
        sent="supplement" in private and case.state is State.CORRECTING,
        reusable=tuple(one for one in offered if one.material in wanted),
        consents=materials.CONSENTS,
        errors=tuple(errors.items()),
    )  # fmt: skip


def _none(errors: dict[str, str]) -> None:
    """BadForm if there is any."""
    if errors:
        raise BadForm(errors)


@router.get(PATH)
async def correction_page(desk: Here, no: str) -> Response:
    """What is asked for, with a place for each."""
    return answer(screens.correction_page(desk.page(), _view(desk, no, {}, set(), {})))


@router.post(PATH)
async def send(request: Request, desk: Here, no: str) -> Response:
    """补正提交; every item is given or has its reason, else the page comes back with what was written."""
    form = await request.form()
    said = {name: str(value)[:500].strip() for name, value in form.items() if isinstance(value, str)}
    ticked = {str(one) for one in form.getlist("material")}
    case, private = _open(desk, no)
    wanted = list(_wanted(case, private))
    shot = desk.node.look(lambda work: drafts.collected(work, desk.who.staff_no, no))
    given = [name for name in wanted if name in ticked or name in shot]
    absent = {name: said.get(f"why-{at}", "") for at, name in enumerate(wanted, 1) if name not in given}
    errors = {
        f"why-{wanted.index(name) + 1}": f"“{name}”：请拍照、打勾，或写明不能提交的理由"
        for name, why in absent.items()
        if not why
    }
    try:
        _none(errors)
        await desk.node.do(actions.supplement, desk.who, no, given, said.get("note", ""), absent)
    except BadForm as wrong:
        view = _view(desk, no, said, ticked, wrong.fields())
        return answer(screens.correction_page(desk.page(), view), wrong.status)
    return onward(links.query(links.case(no), done="supplement"))
