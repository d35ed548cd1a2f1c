"""在岗: today's stands, the AB roster, and who is away."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from node.desk import items, show, staff
from node.desk.frame import Desk, Here, onward
from node.desk.frame import show as answer
from node.desk.written import Written, days, several, text
from node.errors import BadForm, NotFound
from node.pages import links
from node.pages.views.cases import Action
from node.pages.views.common import FormView, Tag
from node.pages.views.posts import LeaveLine, PostLine, PostsView
from node.pages.views.stands import StandLine
from node.posts import actions, views
from node.posts.actions import KEEPERS, Post
from node.posts.shown import Today, today
from node.work import civil_date

router = APIRouter(include_in_schema=False)
_DONE = {
    "post": "岗位已设置。",
    "change": "岗位已调整。",
    "end": "岗位已撤销。",
    "leave": "离岗已登记，由B角顶岗。",
    "back": "已登记到岗。",
}


def _view(desk: Desk, written: Written | None = None) -> PostsView:
    node, written, on = desk.node, written or Written(), civil_date(desk.now)
    found = today(desk)
    keeps = bool(desk.who.roles & KEEPERS)
    post = written.of("post")
    return PostsView(
        posts=tuple(_post(desk, found, row, written, keeps=keeps) for row in node.read(views.posts_from, on)),
        leaves=tuple(_leave(desk, found, row, keeps=keeps) for row in node.read(views.leaves_from, on)),
        leave_form=_leave_form(desk, written.of("leave"), keeps=keeps),
        form=_form(desk, post) if keeps else None,
        groups=items.by_department(desk) if keeps else (),
        ticked=frozenset(post.value("items").split(",")),
        wrong_items=post.fault("items"),
        open=written.act,
    )


def _post(desk: Desk, found: Today, row: Any, written: Written, *, keeps: bool) -> PostLine:
    stand = next((one for one in found.stands if one.id == row.id), None)
    line = found.line(stand) if stand else StandLine(name=row.name, person="", state=Tag(text="尚未开始"))
    names = tuple(show.item_name(desk.node, item) for item in row.items)
    return PostLine(
        stand=line,
        a=found.name(row.a),
        b=found.name(row.b),
        since=row.since,
        until=row.until,
        items=names or ("其余全部事项",),
        actions=_acts(desk, row, written) if keeps else (),
    )


def _acts(desk: Desk, row: Any, written: Written) -> tuple[Action, ...]:
    at = f"{links.POSTS}/{row.id}"
    change = written.of("change", str(row.id))
    people = staff.suggestions(desk)
    return (
        Action(
            key=f"change-{row.id}", label="调整", action=f"{at}/change", error=change.error, open=change.back,
            fields=(
                change.field("a", "A角工号", row.a, maxlength=40, suggest=people, half=True),
                change.field("b", "B角工号", row.b, maxlength=40, suggest=people, half=True),
                change.field("until", "至", row.until.isoformat(), kind="date", half=True),
            ),
        ),
        Action(
            key=f"end-{row.id}", label="撤销岗位", action=f"{at}/end", rank="danger",
            confirm=f"撤销“{row.name}”，确定吗？其事项不再显示在岗人员。",
        ),
    )  # fmt: skip


def _leave(desk: Desk, found: Today, row: Any, *, keeps: bool) -> LeaveLine:
    own = row.person == desk.who.staff_no
    return LeaveLine(
        person=found.name(row.person),
        since=row.since,
        until=row.until,
        why=row.why,
        now=row.since <= civil_date(desk.now),
        back_action=f"{links.POSTS}/leaves/{row.id}" if own or keeps else "",
    )


def _leave_form(desk: Desk, written: Written, *, keeps: bool) -> FormView:
    on = civil_date(desk.now).isoformat()
    own = desk.who.staff_no
    who = written.field("person", "离岗人员工号", own, maxlength=40, suggest=staff.suggestions(desk))
    return FormView(
        action=f"{links.POSTS}/leaves",
        fields=(
            *((who,) if keeps else ()),
            written.field("since", "自", on, kind="date", half=True),
            written.field("until", "至", on, kind="date", half=True),
            written.field("why", "事由", required=False, maxlength=200, hint="如请假、培训、下村"),
        ),
        submit="登记离岗",
        error=written.error,
        carried=() if keeps else (("person", own),),
    )


def _form(desk: Desk, written: Written) -> FormView:
    on = civil_date(desk.now)
    people = staff.suggestions(desk)
    return FormView(
        action=links.POSTS,
        fields=(
            written.field("name", "岗位名称", maxlength=100, hint="如 民政救助窗口"),
            written.field("a", "A角工号", maxlength=40, suggest=people, half=True),
            written.field("b", "B角工号", maxlength=40, suggest=people, half=True),
            written.field("since", "自", on.isoformat(), kind="date", half=True),
            written.field("until", "至", f"{on.year}-12-31", kind="date", half=True),
        ),
        submit="设置岗位",
        error=written.error,
    )


# Addresses


def _answer(desk: Desk, view: PostsView, status: int = 200) -> Response:
    page = desk.page()
    return answer(page.pages.draw("posts.html", page, view), status)


@router.get(links.POSTS)
async def posts(request: Request, desk: Here, done: str = "") -> Response:
    """在岗."""
    request.state.notice = _DONE.get(done, "")
    return _answer(desk, _view(desk))


@router.post(links.POSTS)
async def set_up(request: Request, desk: Here) -> Response:
    """A new post."""
    form = await request.form()
    try:
        since, until = days(form, "since", "until")
        said = {name: text(form, name) for name in ("name", "a", "b")}
        post = Post(**said, since=since, until=until, items=several(form, "items"))
        await desk.node.do(actions.set_up, desk.who, post)
    except BadForm as wrong:
        return _answer(desk, _view(desk, Written("post", "", form, wrong)), wrong.status)
    return onward(links.query(links.POSTS, done="post"))


@router.post(links.POSTS + "/leaves")
async def leave(request: Request, desk: Here) -> Response:
    """离岗."""
    form = await request.form()
    try:
        since, until = days(form, "since", "until")
        await desk.node.do(
            actions.leave, desk.who, text(form, "person"), since, until, text(form, "why")
        )  # fmt: skip
    except BadForm as wrong:
        return _answer(desk, _view(desk, Written("leave", "", form, wrong)), wrong.status)
    return onward(links.query(links.POSTS, done="leave"))


@router.post(links.POSTS + "/leaves/{id}")
async def back(desk: Here, id: int) -> Response:  # noqa: A002
    """到岗."""
    await desk.node.do(actions.back, desk.who, id)
    return onward(links.query(links.POSTS, done="back"))


@router.post(links.POSTS + "/{id}/{act}")
async def change(request: Request, desk: Here, id: int, act: str) -> Response:  # noqa: A002
    """Other persons, or the end of a post."""
    form = await request.form()
    try:
        await _do(desk, id, act, form)
    except BadForm as wrong:
        return _answer(desk, _view(desk, Written(act, str(id), form, wrong)), wrong.status)
    return onward(links.query(links.POSTS, done=act))


async def _do(desk: Desk, id: int, act: str, form: FormData) -> None:  # noqa: A002
    if act == "change":
        (until,) = days(form, "until")
        await desk.node.do(actions.change, desk.who, id, text(form, "a"), text(form, "b"), until)
    elif act == "end":
        await desk.node.do(actions.end, desk.who, id)
    else:
        raise NotFound("没有这项操作")
