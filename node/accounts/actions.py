"""What an administrator (管理员) does with accounts. Each is one transaction and leaves its line in the audit.

One rule: no action sees a password; it is given the hash, made outside the transaction.
"""

import re
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, select
from sqlmodel import Session

from node import audit
from node.accounts.model import LoginAttempts, LoginSession, User
from node.accounts.officer import Officer
from node.accounts.roles import Role, write_roles
from node.db import table_of
from node.errors import BadForm, Conflict, Forbidden, NotFound
from protocol.places import Code, is_code

LOGIN = re.compile(r"[a-z][a-z0-9._-]{1,31}")
DEPARTMENT = re.compile(r"[0-9A-Za-z]{0,20}")

SYSTEM = "system"
"""Who acts where no officer does: set-up and the command line."""


def create_user(
    session: Session,
    now: datetime,
    by: Officer | None,
    *,
    login: str,
    name: str,
    staff_no: str,
    place: Code,
    roles: Iterable[Role],
    password_hash: str,
    must_change: bool = True,
    department: str = "",
) -> int:
    """The id of a new user; BadForm at the fields that are wrong, Conflict if the login or the staff number was ever given away."""
    wrong = {}
    if not LOGIN.fullmatch(login):
        wrong["login"] = "用户名为 2 至 32 位小写字母、数字及 . _ -，以字母开头"
    if not 0 < len(name.strip()) <= 40:
        wrong["name"] = "请填写姓名（不超过 40 字）"
    if not 0 < len(staff_no.strip()) <= 20:
        wrong["staff_no"] = "请填写工号（不超过 20 位），它会印在文书上"
    if not is_code(place):
        wrong["place"] = f"不是 12 位区划代码：{place}"
    stored_roles = _roles(roles, wrong)
    if not DEPARTMENT.fullmatch(department):
        wrong["department"] = "部门代码为不超过 20 位的字母和数字，如 ZR"
    if wrong:
        raise BadForm(wrong)
    if session.scalar(select(table_of(User).c.id).where(table_of(User).c.login == login)):
        raise Conflict(f"用户名 {login} 已有人使用；停用的用户名也不再给他人", field="login")
    if session.scalar(select(table_of(User).c.id).where(table_of(User).c.staff_no == staff_no.strip())):
        words = f"工号 {staff_no.strip()} 已有人使用；授权和签名认工号，停用的工号也不再给他人"
        raise Conflict(words, field="staff_no")
    user = User(
        login=login,
        name=name.strip(),
        staff_no=staff_no.strip(),
        place=place,
        roles=stored_roles,
        department=department,
        password_hash=password_hash,
        password_set=now,
        must_change=must_change,
        created=now,
    )
    session.add(user)
    session.flush()
    audit.record(session, _who(by), "user_created", f"user:{login}", stored_roles, now=now)
    assert user.id is not None
    return user.id


def change_roles(session: Session, now: datetime, by: Officer, login: str, roles: Iterable[Role]) -> None:
    """Give a user other roles, from the next request on."""
    user = find(session, login)
    _not_oneself(by, user)
    wrong: dict[str, str] = {}
    stored_roles = _roles(roles, wrong)
    if wrong:
        raise BadForm(wrong)
    audit.record(
        session, by.login, "roles_changed", f"user:{login}", f"{user.roles} → {stored_roles}", now=now
    )
    user.roles = stored_roles
    session.add(user)


def change_department(session: Session, now: datetime, by: Officer, login: str, department: str) -> None:
    """Have a user speak for another department in joint handling, from the next request on; "" for none."""
    user = find(session, login)
    _not_oneself(by, user)
    if not DEPARTMENT.fullmatch(department):
        raise BadForm(department="部门代码为不超过 20 位的字母和数字，如 ZR")
    if department == user.department:
        return
    audit.record(
        session, by.login, "department_changed", f"user:{login}", f"{user.department} → {department}", now=now
    )
    user.department = department
    session.add(user)


def disable_user(session: Session, now: datetime, by: Officer, login: str, reason: str) -> None:
    """Stop an account at once (停用): its sessions end, its rows stay. Leave means disabled the same day."""
    user = find(session, login)
    _not_oneself(by, user)
    if not reason.strip():
        raise BadForm(reason="请写明停用的原因")
    user.disabled = True
    session.add(user)
    end_sessions(session, user)
    audit.record(session, by.login, "user_disabled", f"user:{login}", reason, now=now)


def enable_user(session: Session, now: datetime, by: Officer, login: str, reason: str) -> None:
    """Open a stopped account again, for the same person."""
    user = find(session, login)
    if not reason.strip():
        raise BadForm(reason="请写明启用的原因")
    user.disabled = False
    session.add(user)
    audit.record(session, by.login, "user_enabled", f"user:{login}", reason, now=now)


def reset_password(
    session: Session, now: datetime, by: Officer | None, login: str, password_hash: str
) -> None:
    """Give a user a first password anew: to be changed at the next login; sessions end, locks open."""
    user = find(session, login)
    if by is not None:
        _not_oneself(by, user)
    user.password_hash = password_hash
    user.password_set = now
    user.must_change = True
    session.add(user)
    end_sessions(session, user)
    _forget_attempts(session, login)
    audit.record(session, _who(by), "password_reset", f"user:{login}", now=now)


def unlock(session: Session, now: datetime, by: Officer | None, login: str) -> None:
    """Let a login that failed too often try again at once."""
    find(session, login)
    _forget_attempts(session, login)
    audit.record(session, _who(by), "user_unlocked", f"user:{login}", now=now)


def find(session: Session, login: str) -> User:
    """The user of that login; NotFound if there never was one."""
    user = session.scalars(select(User).where(table_of(User).c.login == login)).one_or_none()
    if user is None:
        raise NotFound(f"没有用户 {login}")
    return user


def end_sessions(session: Session, user: User, *, but: str = "") -> None:
    """End every stay of `user`, except the one whose token hash is `but`."""
    rows = table_of(LoginSession)
    session.connection().execute(delete(rows).where(rows.c.user_id == user.id, rows.c.token_hash != but))


def _forget_attempts(session: Session, login: str) -> None:
    rows = table_of(LoginAttempts)
    session.connection().execute(delete(rows).where(rows.c.subject == f"login:{login}"))


def _roles(roles: Iterable[Role], wrong: dict[str, str]) -> str:
    try:
        return write_roles(roles)
    except ValueError as error:
        wrong["roles"] = str(error)
        return ""


def _not_oneself(by: Officer, user: User) -> None:
    if by.id == user.id:
        raise Forbidden("不能对自己的账户做这项操作，请由另一位管理员办理")


def _who(by: Officer | None) -> str:
    return by.login if by else SYSTEM
