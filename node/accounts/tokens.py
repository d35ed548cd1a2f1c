"""API tokens (接口令牌): what a machine shows instead of logging in.

One rule: a token is shown once, ends by itself, carries roles of its own and can never manage accounts.
"""

import re
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlmodel import Session

from node import audit
from node.accounts.entry import hashed
from node.accounts.model import ApiToken, User
from node.accounts.officer import Officer
from node.accounts.roles import Role, read_roles, write_roles
from node.db import table_of
from node.errors import BadForm, Conflict, NotFound
from protocol.places import Code

PREFIX = "ldt_"
"""So that a leaked token is recognised by whoever finds it."""

LONGEST = timedelta(hours=24 * 366)
NAME = re.compile(r"[a-z][a-z0-9._-]{1,31}")

_tokens, _users = table_of(ApiToken), table_of(User)


def issue(
    session: Session,
    now: datetime,
    by: Officer,
    *,
    name: str,
    roles: Iterable[Role],
    expires: datetime,
    secret: str,
) -> None:
    """Admit the machine `name` with `secret` (from `new_secret`); BadForm or Conflict if it cannot be."""
    chosen = frozenset(roles)
    wrong = {}
    if not NAME.fullmatch(name):
        wrong["name"] = "名称为 2 至 32 位小写字母、数字及 . _ -，以字母开头"
    if not chosen or Role.ADMINISTRATOR in chosen:
        wrong["roles"] = "请选择角色；接口令牌不能管理账户"
    if not now < expires <= now + LONGEST:
        wrong["expires"] = "有效期须在今天之后、一年之内"
    if wrong:
        raise BadForm(wrong)
    if session.scalar(select(_tokens.c.id).where(_tokens.c.name == name)):
        raise Conflict(f"令牌 {name} 已存在；注销的名称也不再使用", field="name")
    token = ApiToken(
        name=name,
        token_hash=hashed(secret),
        roles=write_roles(chosen),
        created_by=by.id,
        created=now,
        expires=expires,
    )
    session.add(token)
    audit.record(session, by.login, "token_issued", f"token:{name}", token.roles, now=now)


def revoke(session: Session, now: datetime, by: Officer, name: str) -> None:
    """End a token now."""
    token = session.scalars(select(ApiToken).where(_tokens.c.name == name)).one_or_none()
    if token is None:
        raise NotFound(f"没有令牌 {name}")
    token.revoked = True
    session.add(token)
    audit.record(session, by.login, "token_revoked", f"token:{name}", now=now)


def new_secret() -> str:
    """256 random bits, marked as ours."""
    return PREFIX + secrets.token_urlsafe(32)


def find_machine(session: Session, now: datetime, place: Code, secret: str) -> Officer | None:
    """The machine that holds `secret`, as an officer with a negative id; None if it may not come in.

    It stops with the account of who issued it.
    """
    query = (
        select(_tokens.c.id, _tokens.c.name, _tokens.c.roles, _tokens.c.expires)
        .join(_users, _tokens.c.created_by == _users.c.id)
        .where(_tokens.c.token_hash == hashed(secret), ~_tokens.c.revoked, ~_users.c.disabled)
    )
    row = session.connection().execute(query).first()
    if row is None or now >= row.expires:
        return None
    return Officer(-row.id, f"token:{row.name}", f"接口 {row.name}", "", read_roles(row.roles), place)
