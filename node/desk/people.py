"""用户管理: the accounts of this node, for its administrator (管理员).

One rule: a first password is shown on the page that answers its making, once, and never in an address.
"""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlmodel import Session
from starlette.datastructures import FormData

from node.accounts import actions, entry, guard, views
from node.accounts import passwords as password_rules
from node.accounts.roles import ALONE, Role
from node.accounts.views import UserLine
from node.desk import show
from node.desk.frame import Desk, holding, onward
from node.desk.frame import show as answer
from node.errors import NodeError, NotFound
from node.pages import links, screens
from node.pages.views.cases import Action
from node.pages.views.common import Choice, Field, FormView, Tag, Tone
from node.pages.views.people import UserRow, UsersView
from node.pages.words import moment

router = APIRouter(include_in_schema=False)

Keeper = Annotated[Desk, Depends(holding(Role.ADMINISTRATOR))]

_DONE = {
    "roles": "岗位和部门已修改，从下一次操作起生效。",
    "disable": "账户已停用，已打开的页面随即失效；记录保留。",
    "enable": "账户已重新启用。",
    "unlock": "已解除锁定，可以立即登录。",
}


def _roles(form: FormData) -> list[Role]:
    known = {role.value: role for role in Role}
    return [known[str(value)] for value in form.getlist("roles") if str(value) in known]


def _row(desk: Desk, one: UserLine, departments: dict[str, str]) -> UserRow:
    state = Tag(text="在用", tone=Tone.GOOD)
    if one.disabled:
        state = Tag(text="停用")
    elif one.locked_until:
        state = Tag(text=f"锁定至 {moment(one.locked_until)}", tone=Tone.ALARM)
    elif one.must_change:
        state = Tag(text="待首次登录", tone=Tone.WARN)
    return UserRow(
        name=one.name,
        login=one.login,
        staff_no=one.staff_no,
        roles=tuple(
            Tag(text=role.label, tone=Tone.WARN if role in ALONE else Tone.PLAIN)
            for role in sorted(one.roles)
        ),
        state=state,
        last_seen=one.seen,
        department=departments.get(one.department, one.department),
        href="" if one.login == desk.who.login else links.user(one.login),
    )


def _role_field(chosen: str, error: str) -> Field:
    hints = dict.fromkeys(ALONE, "不能兼任其他岗位")
    choices = tuple(Choice(value=role, label=role.label, hint=hints.get(role, "")) for role in Role)
    return Field(
        name="roles", label="岗位", kind="checks", required=True, value=chosen, choices=choices, error=error
    )


def _department_field(desk: Desk, chosen: str, error: str) -> Field:
    """Whose opinions he gives in joint handling (联办)."""
    known = show.departments(desk.node)
    choices = [
        Choice(value="", label="不代表部门"),
        *(Choice(value=c, label=known[c]) for c in sorted(known)),
    ]
    if chosen and chosen not in known:
        choices.append(Choice(value=chosen, label=chosen))
    return Field(
        name="department", label="所属部门", kind="select", value=chosen, choices=tuple(choices), error=error,
        hint="联办时代表该部门答复",
    )  # fmt: skip


def _form(desk: Desk, editing: UserLine | None, said: FormData | None, refused: NodeError | None) -> FormView:
    errors = refused.fields() if refused else {}
    chosen = ",".join(_roles(said)) if said else ",".join(sorted(editing.roles)) if editing else ""
    roles = _role_field(chosen, errors.get("roles", ""))
    unit = str(said.get("department", "")) if said else editing.department if editing else ""
    department = _department_field(desk, unit, errors.get("department", ""))
    error = refused.detail if refused and not errors else ""
    if editing is not None:
        return FormView(
            action=links.user(editing.login), fields=(roles, department), submit="保存", error=error
        )
    asked = (
        ("name", "姓名", 40, ""),
        ("login", "用户名", 32, "小写字母开头，可含数字和 . _ -"),
        ("staff_no", "工号", 20, "印在文书上"),
    )
    fields = tuple(
        Field(
            name=name,
            label=label,
            required=True,
            maxlength=most,
            hint=hint,
            value=str(said.get(name, "")) if said else "",
            error=errors.get(name, ""),
        )
        for name, label, most, hint in asked
    )
    return FormView(action=links.USERS, fields=(*fields, roles, department), submit="新增用户", error=error)


def _actions(one: UserLine, failed: str, refused: NodeError | None) -> tuple[Action, ...]:
    def reason(key: str, label: str) -> Field:
        wrong = refused.fields().get("reason", "") if refused and key == failed else ""
        return Field(name="reason", label=label, required=True, maxlength=200, error=wrong)

    at = links.user(one.login)
    found = [
        Action(
            key="password",
            label="重设密码",
            action=f"{at}/password",
            hint="给出新的临时密码，已打开的页面随即失效，首次登录须改。",
        )
    ]
    if one.locked_until:
        found.append(Action(key="unlock", label="解除锁定", action=f"{at}/unlock"))
    if one.disabled:
        found.append(
            Action(
                key="enable", label="重新启用", action=f"{at}/enable", fields=(reason("enable", "启用原因"),)
            )
        )
    else:
        found.append(
            Action(
                key="disable",
                label="停用",
                action=f"{at}/disable",
                rank="danger",
                fields=(reason("disable", "停用原因"),),
                hint="离岗当日停用；账户不删除，也不转给他人。",
                open=failed == "disable",
            )
        )
    return tuple(found)


def _page(
    desk: Desk,
    login: str = "",
    *,
    said: FormData | None = None,
    refused: NodeError | None = None,
    failed: str = "",
    once: str = "",
) -> str:
    node = desk.node
    lines = node.db.read(lambda session: views.users(session, desk.now))
    editing = next((one for one in lines if one.login == login), None)
    if login and editing is None:
        raise NotFound(f"没有用户 {login}")
    own = editing is not None and editing.login == desk.who.login
    departments = show.departments(desk.node)
    view = UsersView(
        rows=tuple(
            _row(desk, one, departments) for one in sorted(lines, key=lambda one: (one.disabled, one.login))
        ),
        form=_form(desk, editing, said, refused if not failed else None),
        editing=editing.name if editing else "",
        password_once=once,
        actions=_actions(editing, failed, refused) if editing and not own else (),
        action_hint="不能对自己的账户做这些操作，请由另一位管理员办理。",
    )
    return screens.users_page(desk.page(), view)


async def _first_password(request: Request) -> tuple[str, str]:
    first = password_rules.first_password()
    return first, await asyncio.to_thread(guard.passwords_of(request).hash, first)


@router.get(links.USERS)
async def users(desk: Keeper) -> Response:
    """Everybody, and the form for a new account."""
    return answer(_page(desk))


@router.post(links.USERS)
async def create(request: Request, desk: Keeper) -> Response:
    """Open an account; its first password is on the page that answers."""
    form = await request.form()
    first, stored = await _first_password(request)
    try:
        await desk.node.db.write(
            lambda session: actions.create_user(
                session,
                desk.now,
                desk.who,
                login=entry.plain_login(str(form.get("login", ""))),
                name=str(form.get("name", "")),
                staff_no=str(form.get("staff_no", "")),
                place=desk.node.place,
                roles=_roles(form),
                department=str(form.get("department", "")),
                password_hash=stored,
            )
        )
    except NodeError as refused:
        return answer(_page(desk, said=form, refused=refused), refused.status)
    return answer(_page(desk, once=first))


@router.get(links.USERS + "/{login}")
async def user(request: Request, desk: Keeper, login: str, done: str = "") -> Response:
    """One account and what may be done to it."""
    request.state.notice = _DONE.get(done, "")
    return answer(_page(desk, login))


@router.post(links.USERS + "/{login}")
async def change(request: Request, desk: Keeper, login: str) -> Response:
    """Other roles, or another department: one transaction."""
    form = await request.form()

    def both(session: Session) -> None:
        actions.change_roles(session, desk.now, desk.who, login, _roles(form))
        if "department" in form:
            actions.change_department(session, desk.now, desk.who, login, str(form.get("department", "")))

    try:
        await desk.node.db.write(both)
    except NodeError as refused:
        return answer(_page(desk, login, said=form, refused=refused), refused.status)
    return onward(links.query(links.user(login), done="roles"))


@router.post(links.USERS + "/{login}/password")
async def reset_password(request: Request, desk: Keeper, login: str) -> Response:
    """A first password anew, shown once."""
    first, stored = await _first_password(request)
    await desk.node.db.write(
        lambda session: actions.reset_password(session, desk.now, desk.who, login, stored)
    )
    return answer(_page(desk, login, once=first))


@router.post(links.USERS + "/{login}/{act}")
async def stop_or_start(request: Request, desk: Keeper, login: str, act: str) -> Response:
    """停用, 启用, 解除锁定."""
    reason = str((await request.form()).get("reason", ""))
    node, who, now = desk.node, desk.who, desk.now
    try:
        if act == "unlock":
            await node.db.write(lambda session: actions.unlock(session, now, who, login))
        elif act in ("disable", "enable"):
            doing = actions.disable_user if act == "disable" else actions.enable_user
            await node.db.write(lambda session: doing(session, now, who, login, reason))
        else:
            raise NotFound("没有这项操作")
    except NodeError as refused:
        if refused.status == NotFound.status:
            raise
        return answer(_page(desk, login, refused=refused, failed=act), refused.status)
    return onward(links.query(links.user(login), done=act))
