"""Accounts over HTTP, for programs: session, users, tokens, audit. Parse, one action, answer."""

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from node import audit
from node.accounts import actions, entry, guard, passwords, tokens, views
from node.accounts.entry import Visit
from node.accounts.officer import Officer
from node.accounts.roles import Role

router = APIRouter(prefix="/api", tags=["accounts"])

Visitor = Annotated[Visit, Depends(guard.visitor)]
Administrator = Annotated[Officer, Depends(guard.require(Role.ADMINISTRATOR))]
Auditor = Annotated[Officer, Depends(guard.require(Role.AUDITOR))]


class Strict(BaseModel):
    """A body with these fields and no others."""

    model_config = ConfigDict(extra="forbid", str_max_length=500)


class LoginForm(Strict):
    """Who comes in."""

    login: str
    password: str


class PasswordForm(Strict):
    """The officer's own password, old and new."""

    old: str
    new: str


class UserForm(Strict):
    """A new account of this node."""

    login: str
    name: str
    staff_no: str
    roles: frozenset[Role]
    department: str = ""


class UserChange(Strict):
    """What may change: roles; stopped or not, with the reason."""

    roles: frozenset[Role] | None = None
    department: str | None = None
    disabled: bool | None = None
    reason: str = ""


class TokenForm(Strict):
    """A machine to admit."""

    name: str
    roles: frozenset[Role]
    expires: AwareDatetime


class Me(BaseModel):
    """Who is logged in, what his forms must carry, until when."""

    login: str
    name: str
    staff_no: str
    place: str
    roles: list[Role]
    must_change: bool
    csrf: str
    expires: datetime


class FirstPassword(BaseModel):
    """A password to hand over in person; shown this once."""

    login: str
    first_password: str


class UserAnswer(BaseModel):
    """One account."""

    model_config = ConfigDict(from_attributes=True)

    login: str
    name: str
    staff_no: str
    place: str
    roles: list[Role]
    must_change: bool
    disabled: bool
    locked_until: datetime | None
    seen: datetime | None
    department: str


class TokenAnswer(BaseModel):
    """One token; `secret` only in the answer that issues it."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    roles: list[Role]
    expires: datetime
    revoked: bool = False
    secret: str | None = None


class ChainAnswer(BaseModel):
    """Whether the audit log is whole."""

    model_config = ConfigDict(from_attributes=True)

    rows: int
    head: str
    broken_at: int | None
    why: str


@router.post("/session")
async def log_in(request: Request, response: Response, form: LoginForm) -> Me:
    """Log in; the answer sets the session cookie."""
    guard.check_origin(request)
    node = guard.node_of(request)
    ticket = await entry.log_in(
        node,
        guard.passwords_of(request),
        form.login,
        form.password,
        address=guard.address_of(request),
        old_token=request.cookies.get(guard.cookie_name(node), ""),
    )
    guard.set_cookie(response, node, ticket)
    return _me(ticket.visit)


@router.get("/session")
async def who_am_i(visit: Visitor) -> Me:
    """Who is logged in."""
    return _me(visit)


@router.delete("/session", status_code=204)
async def log_out(request: Request, response: Response, visit: Visitor) -> None:
    """Log out."""
    node = guard.node_of(request)
    await node.db.write(lambda session: entry.log_out(session, node.clock(), visit))
    guard.clear_cookie(response, node)


@router.post("/session/password", status_code=204)
async def change_password(request: Request, visit: Visitor, form: PasswordForm) -> None:
    """Change one's own password; other sessions end."""
    await entry.change_password(
        guard.node_of(request),
        guard.passwords_of(request),
        visit,
        old=form.old,
        new=form.new,
        again=form.new,
        address=guard.address_of(request),
    )


@router.get("/users")
async def list_users(request: Request, _: Administrator) -> list[UserAnswer]:
    """Every account of this node."""
    node = guard.node_of(request)
    lines = node.db.read(lambda session: views.users(session, node.clock()))
    return [UserAnswer.model_validate(line) for line in lines]


@router.post("/users", status_code=201)
async def create_user(request: Request, by: Administrator, form: UserForm) -> FirstPassword:
    """Open an account; its first password is in the answer, once."""
    node = guard.node_of(request)
    first, stored = await _first_password(request)
    login = entry.plain_login(form.login)
    await node.db.write(
        lambda session: actions.create_user(
            session,
            node.clock(),
            by,
            login=login,
            name=form.name,
            staff_no=form.staff_no,
            place=node.place,
            roles=form.roles,
            department=form.department,
            password_hash=stored,
        )
    )
    return FirstPassword(login=login, first_password=first)


@router.patch("/users/{login}", status_code=204)
async def change_user(request: Request, by: Administrator, login: str, form: UserChange) -> None:
    """Other roles, or stop and start an account: one transaction."""
    node = guard.node_of(request)
    now = node.clock()

    def change(session: Any) -> None:
        if form.roles is not None:
            actions.change_roles(session, now, by, login, form.roles)
        if form.department is not None:
            actions.change_department(session, now, by, login, form.department)
        if form.disabled is not None:
            act = actions.disable_user if form.disabled else actions.enable_user
            act(session, now, by, login, form.reason)

    await node.db.write(change)


@router.post("/users/{login}/password")
async def reset_password(request: Request, by: Administrator, login: str) -> FirstPassword:
    """Give a user a first password anew."""
    node = guard.node_of(request)
    first, stored = await _first_password(request)
    await node.db.write(lambda session: actions.reset_password(session, node.clock(), by, login, stored))
    return FirstPassword(login=login, first_password=first)


@router.post("/users/{login}/unlock", status_code=204)
async def unlock(request: Request, by: Administrator, login: str) -> None:
    """Let a login that failed too often try again."""
    node = guard.node_of(request)
    await node.db.write(lambda session: actions.unlock(session, node.clock(), by, login))


@router.get("/tokens")
async def list_tokens(request: Request, _: Administrator) -> list[TokenAnswer]:
    """Every API token, without secrets."""
    found = guard.node_of(request).db.read(views.api_tokens)
    return [TokenAnswer.model_validate(line) for line in found]


@router.post("/tokens", status_code=201)
async def issue_token(request: Request, by: Administrator, form: TokenForm) -> TokenAnswer:
    """Admit a machine; its secret is in the answer, once."""
    node = guard.node_of(request)
    secret = tokens.new_secret()
    await node.db.write(
        lambda session: tokens.issue(
            session,
            node.clock(),
            by,
            name=form.name,
            roles=form.roles,
            expires=form.expires,
            secret=secret,
        )
    )
    return TokenAnswer(name=form.name, roles=sorted(form.roles), expires=form.expires, secret=secret)


@router.delete("/tokens/{name}", status_code=204)
async def revoke_token(request: Request, by: Administrator, name: str) -> None:
    """End a token now."""
    node = guard.node_of(request)
    await node.db.write(lambda session: tokens.revoke(session, node.clock(), by, name))


@router.get("/audit")
async def audit_lines(
    request: Request,
    _: Auditor,
    before: int | None = None,
    who: str = "",
    what: str = "",
    limit: Annotated[int, Field(ge=1, le=200)] = 50,
) -> list[dict[str, Any]]:
    """The audit log, newest first; `before` is the last number of the page before."""
    found = guard.node_of(request).db.read(
        lambda session: views.audit_page(session, before=before, who=who, what=what, limit=limit)
    )
    return [line.model_dump(mode="json") for line in found]


@router.get("/audit/chain")
async def audit_chain(request: Request, _: Auditor) -> ChainAnswer:
    """Whether every line still carries the hash of the one before; reads the whole log."""
    report = await guard.node_of(request).db.read_slow(audit.verify_chain)
    return ChainAnswer.model_validate(report)


async def _first_password(request: Request) -> tuple[str, str]:
    first = passwords.first_password()
    return first, await asyncio.to_thread(guard.passwords_of(request).hash, first)


def _me(visit: Visit) -> Me:
    who = visit.officer
    return Me(
        login=who.login,
        name=who.name,
        staff_no=who.staff_no,
        place=who.place,
        roles=sorted(who.roles),
        must_change=visit.must_change,
        csrf=visit.csrf,
        expires=visit.expires,
    )
