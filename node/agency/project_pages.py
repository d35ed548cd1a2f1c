"""代办项目: full-course agency of an investment project by one named person, with all its cases in one place."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from node.accounts.views import names
from node.agency import actions, views
from node.cases import saying
from node.desk import home, staff
from node.desk.frame import Desk, Here, onward
from node.desk.frame import show as answer
from node.desk.written import Written, text
from node.errors import BadForm, Conflict
from node.pages import links
from node.pages.views.cases import Action
from node.pages.views.common import Field, FormView, Tab, Tag, Tone
from node.pages.views.projects import ProjectLine, ProjectsView, ProjectView

router = APIRouter(include_in_schema=False)
_DONE = {
    "open": "项目已登记，由专人全程代办。",
    "case": "办件已归入本项目。",
    "person": "已换代办专人。",
    "close": "项目已办结。",
}


def _line(row: Any, known: dict[str, str], counts: tuple[int, int]) -> ProjectLine:
    cases, closed = counts
    over = row.closed_on is not None
    return ProjectLine(
        number=row.number,
        name=row.name,
        investor=row.investor,
        person=known.get(row.person, row.person),
        green=row.green,
        since=row.since,
        state=Tag(text="已办结", tone=Tone.GOOD) if over else Tag(text="在办", tone=Tone.CALM),
        words=f"办结 {closed} / {cases} 件" if cases else "还没有办件",
        href=links.project(row.number),
    )


def _may(desk: Desk) -> bool:
    return saying.may(desk.who, "agency.marked")


# The list


def _list(desk: Desk, tab: str, written: Written | None = None) -> ProjectsView:
    node, written = desk.node, written or Written()
    known, counts, every = node.read(names), node.read(views.case_counts), node.read(views.projects)
    boxes = {
        "open": ("在办", [row for row in every if row.closed_on is None]),
        "over": ("已办结", [row for row in every if row.closed_on is not None]),
    }
    key = tab if tab in boxes else "open"
    return ProjectsView(
        tabs=tuple(
            Tab(label=label, href=links.query(links.PROJECTS, tab=name), count=len(rows), current=name == key)
            for name, (label, rows) in boxes.items()
        ),
        rows=tuple(_line(row, known, counts.get(row.number, (0, 0))) for row in boxes[key][1]),
        form=_form(desk, written) if _may(desk) else None,
        open=written.back,
    )


def _form(desk: Desk, written: Written) -> FormView:
    green = "yes" if not written.back or written.value("green") == "yes" else ""
    return FormView(
        action=links.PROJECTS,
        fields=(
            written.field("name", "项目名称", maxlength=200),
            written.field("number", "项目编号", maxlength=60, number=True, half=True, hint="项目代码，登记后不能改"),
            written.field("investor", "投资者", maxlength=200, half=True),
            written.field("person", "代办专人工号", maxlength=40, half=True, suggest=staff.suggestions(desk)),
            Field(name="green", label="走绿色通道", kind="checkbox", value=green),
        ),
        submit="登记项目",
        error=written.error,
    )  # fmt: skip


def _answer(desk: Desk, template: str, view: object, status: int = 200) -> Response:
    page = desk.page()
    return answer(page.pages.draw(template, page, view), status)


@router.get(links.PROJECTS)
async def projects(request: Request, desk: Here, tab: str = "open", done: str = "") -> Response:
    """代办项目."""
    request.state.notice = _DONE.get(done, "")
    return _answer(desk, "projects.html", _list(desk, tab))


@router.post(links.PROJECTS)
async def open_project(request: Request, desk: Here) -> Response:
    """登记 a project."""
    form = await request.form()
    said = {name: text(form, name) for name in ("number", "name", "investor", "person")}
    try:
        await desk.node.do(actions.open_project, desk.who, **said, green=form.get("green") == "yes")
    except BadForm as wrong:
        return _answer(desk, "projects.html", _list(desk, "open", Written("open", "", form, wrong)), wrong.status)  # fmt: skip
    return onward(links.query(links.project(said["number"]), done="open"))


# One project


def _project(desk: Desk, number: str, written: Written | None = None) -> ProjectView:
    node, written = desk.node, written or Written()
    row = node.read(views.project, number)
    cases = node.read(views.rows_of, number)
    closed = sum(one.closed_on is not None for one in cases)
    return ProjectView(
        project=_line(row, node.read(names), (len(cases), closed)),
        rows=home.case_rows(desk, cases),
        actions=_acts(desk, number, written) if _may(desk) and row.closed_on is None else (),
        closed_on=row.closed_on,
    )


def _acts(desk: Desk, number: str, written: Written) -> tuple[Action, ...]:
    at = links.project(number)
    adds, names_, ends = (written.of(act) for act in ("case", "person", "close"))
    return (
        Action(
            key="case", label="归入办件", action=f"{at}/case", rank="main", open=adds.back, error=adds.error,
            fields=(adds.field("no", "办件编号", maxlength=50, number=True, hint="收件凭证上的 25 位编号"),),
        ),
        Action(
            key="person", label="换专人", action=f"{at}/person", open=names_.back, error=names_.error,
            fields=(names_.field("person", "新的代办专人工号", maxlength=40, suggest=staff.suggestions(desk)),),
        ),
        Action(
            key="close", label="办结项目", action=f"{at}/close", open=ends.back, error=ends.error,
            confirm="项目的全程代办到此结束，确定吗？",
        ),
    )  # fmt: skip


@router.get(links.PROJECTS + "/{number}")
async def project(request: Request, desk: Here, number: str, done: str = "") -> Response:
    """One project."""
    request.state.notice = _DONE.get(done, "")
    return _answer(desk, "project.html", _project(desk, number))


@router.post(links.PROJECTS + "/{number}/{act}")
async def change(request: Request, desk: Here, number: str, act: str) -> Response:
    """归入办件, 换专人 or 办结."""
    form = await request.form()
    try:
        await _do(desk, number, act, form)
    except (BadForm, Conflict) as wrong:
        return _answer(desk, "project.html", _project(desk, number, Written(act, "", form, wrong)), wrong.status)  # fmt: skip
    return onward(links.query(links.project(number), done=act))


async def _do(desk: Desk, number: str, act: str, form: FormData) -> None:
    do = desk.node.do
    if act == "case":
        await do(actions.add_case, desk.who, number, "".join(text(form, "no").split()))
    elif act == "person":
        await do(actions.name_person, desk.who, number, text(form, "person"))
    else:
        await do(actions.close_project, desk.who, number)
