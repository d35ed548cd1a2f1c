"""Coming in and going out, for people: login, logout, one's own password.

One rule: after a login one goes on only to a page of this node; an address that could lead elsewhere is dropped.
"""

from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from node.accounts import entry, guard, views
from node.accounts.entry import Visit
from node.accounts.guard import Closed, node_of
from node.accounts.passwords import RULES
from node.desk.frame import build, onward
from node.desk.frame import show as answer
from node.errors import BadForm, TooMany
from node.pages import links, screens
from node.pages.views.common import Field, FormView
from node.pages.views.people import LoginView, PasswordView

router = APIRouter(include_in_schema=False)

Visitor = Annotated[Visit, Depends(guard.visitor)]
_DOORS = (links.LOGIN, links.LOGOUT, links.PASSWORD)


def own_path(wanted: str) -> str:
    """`wanted` if it is a path of this node that a person may be shown after the login, else the home page."""
    plain = wanted.isprintable() and "\\" not in wanted and wanted.startswith("/") and wanted[1:2] != "/"
    if not plain or len(wanted) > 500:
        return links.HOME
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return links.HOME
    outside = parts.scheme or parts.netloc or parts.path in _DOORS
    return links.HOME if outside or parts.path.startswith(("/live/", "/api/", "/static/")) else wanted


# Login and logout


def _login(request: Request, wanted: str, *, login: str = "", **said: Any) -> str:
    form = FormView(
        action=links.LOGIN,
        fields=(
            Field(
                name="login",
                label="用户名",
                value=login,
                required=True,
                autocomplete="username",
                maxlength=32,
            ),
            Field(
                name="password",
                label="密码",
                kind="password",
                required=True,
                autocomplete="current-password",
                maxlength=128,
            ),
        ),
        submit="登录",
        error=said.pop("error", ""),
        carried=(("next", wanted),) if wanted != links.HOME else (),
    )
    return screens.login_page(build(request, None), LoginView(form=form, **said))


@router.get(links.LOGIN)
async def login_page(request: Request, next: str = "", out: str = "") -> Response:  # noqa: A002 - the address's word
    """登录."""
    wanted = own_path(next)
    if await guard.visit(request) is not None:
        return onward(wanted)
    stale = guard.cookie_name(node_of(request)) in request.cookies
    notice = (
        "已退出登录。"
        if out
        else "登录已结束（超过 30 分钟未操作，或已在别处退出），请重新登录。"
        if stale
        else ""
    )
    return answer(_login(request, wanted, notice=notice))


@router.post(links.LOGIN)
async def log_in(request: Request, _closed: Closed) -> Response:
    """Open a session for the right password; say how long to wait after wrong ones."""
    guard.check_origin(request)
    node, form = node_of(request), await request.form()
    login, password = str(form.get("login", "")), str(form.get("password", ""))
    wanted, address = own_path(str(form.get("next", ""))), guard.address_of(request)
    try:
        ticket = await entry.log_in(
            node,
            guard.passwords_of(request),
            login,
            password,
            address=address,
            old_token=request.cookies.get(guard.cookie_name(node), ""),
        )
    except BadForm:
        wait = _wait(*node.read(entry.attempts, node.clock(), login, address))
        return answer(_login(request, wanted, login=login[:32], error=entry.WRONG, wait=wait), 422)
    except TooMany as locked:
        page = answer(_login(request, wanted, login=login[:32], wait=f"{locked.detail}。"), 429)
        page.headers.update(locked.headers())
        return page
    went = onward(links.PASSWORD if ticket.visit.must_change else wanted)
    guard.set_cookie(went, node, ticket)
    return went


def _wait(count: int, wait_s: int) -> str:
    """已连续 3 次不正确，请 5 秒后再试."""
    if not wait_s:
        left = entry.LOCK_AFTER - count
        return f"再错 {left} 次将锁定 30 分钟。" if 0 < left <= 2 else ""
    return (
        f"已连续 {count} 次不正确，请 {entry.span(wait_s)}后再试。"
        if count > 1
        else f"请 {entry.span(wait_s)}后再试。"
    )


@router.post(links.LOGOUT)
async def log_out(request: Request, visit: Visitor) -> Response:
    """End the session and take its cookie."""
    node = node_of(request)
    await node.db.write(lambda session: entry.log_out(session, node.clock(), visit))
    went = onward(links.query(links.LOGIN, out="1"))
    guard.clear_cookie(went, node)
    return went


# One's own password


def _password(request: Request, visit: Visit, refused: BadForm | TooMany | None = None) -> str:
    node = node_of(request)
    mine = node.db.read(lambda session: views.users(session, node.clock(), visit.officer.login))
    first = bool(mine) and mine[0].must_change
    errors = refused.fields() if refused else {}
    asked = (
        ("old", "临时密码" if first else "原密码", "current-password"),
        ("new", "新密码", "new-password"),
        ("again", "再输一遍新密码", "new-password"),
    )
    form = FormView(
        action=links.PASSWORD,
        fields=tuple(
            Field(
                name=name,
                label=label,
                kind="password",
                required=True,
                autocomplete=token,
                maxlength=128,
                error=errors.get(name, ""),
            )
            for name, label, token in asked
        ),
        submit="保存并开始" if visit.must_change else "保存",
        error=refused.detail if refused and not errors else "",
    )
    view = PasswordView(form=form, first=first, expired=visit.must_change and not first, rules=RULES)
    page = build(request, visit.officer, visit)
    return screens.password_page(replace(page, nav=()) if visit.must_change else page, view)


@router.get(links.PASSWORD)
async def password_page(request: Request, visit: Visitor, done: str = "") -> Response:
    """修改密码."""
    request.state.notice = "密码已修改，其他地方的登录已退出。" if done else ""
    return answer(_password(request, visit))


@router.post(links.PASSWORD)
async def change_password(request: Request, visit: Visitor) -> Response:
    """Set one's own password."""
    form = await request.form()
    try:
        await entry.change_password(
            node_of(request),
            guard.passwords_of(request),
            visit,
            old=str(form.get("old", "")),
            new=str(form.get("new", "")),
            again=str(form.get("again", "")),
            address=guard.address_of(request),
        )
    except (BadForm, TooMany) as refused:
        return answer(_password(request, visit, refused), refused.status)
    return onward(links.HOME if visit.must_change else links.query(links.PASSWORD, done="1"))
