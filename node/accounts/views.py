"""What may be seen of accounts and of the audit log: named read-only queries."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import desc, func, or_, select
from sqlmodel import Session

from node.accounts.model import ApiToken, LoginAttempts, LoginSession, User
from node.accounts.roles import Role, read_roles
from node.audit import AuditEntry
from node.db import table_of

_users, _sessions, _attempts = table_of(User), table_of(LoginSession), table_of(LoginAttempts)
_audit = table_of(AuditEntry)


@dataclass(frozen=True, slots=True)
class UserLine:
    """One account, as an administrator sees it."""

    id: int
    login: str
    name: str
    staff_no: str
    place: str
    roles: frozenset[Role]
    must_change: bool
    disabled: bool
    locked_until: datetime | None
    seen: datetime | None
    """When an open session was last used; None without one."""
    department: str = ""


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody to be named by his staff number (工号)."""

    staff_no: str
    name: str
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True)
class TokenLine:
    """One API token, without its secret."""

    name: str
    roles: frozenset[Role]
    created: datetime
    expires: datetime
    revoked: bool


def users(session: Session, now: datetime, login: str | None = None) -> list[UserLine]:
    """Every account by login, or the one asked for."""
    seen = (
        select(_sessions.c.user_id, func.max(_sessions.c.seen).label("seen"))
        .group_by(_sessions.c.user_id)
        .subquery()
    )
    query = (
        select(_users, seen.c.seen, _attempts.c.open_from)
        .outerjoin(seen, seen.c.user_id == _users.c.id)
        .outerjoin(_attempts, _attempts.c.subject == "login:" + _users.c.login)
        .order_by(_users.c.login)
    )
    if login is not None:
        query = query.where(_users.c.login == login)
    return [
        UserLine(
            row.id,
            row.login,
            row.name,
            row.staff_no,
            row.place,
            read_roles(row.roles),
            row.must_change,
            row.disabled,
            row.open_from if row.open_from and row.open_from > now else None,
            row.seen,
            row.department,
        )
        for row in session.connection().execute(query)
    ]


def colleagues(session: Session) -> list[Colleague]:
    """Everybody who works here now, by staff number."""
    query = select(_users.c.staff_no, _users.c.name, _users.c.roles).where(~_users.c.disabled)
    rows = session.connection().execute(query.order_by(_users.c.staff_no))
    return [Colleague(row.staff_no, row.name, read_roles(row.roles)) for row in rows]


def strangers(session: Session, **numbers: str) -> dict[str, str]:
    """What is wrong, by field, with staff numbers that nobody who works here has; those left open are not judged."""
    known = {one.staff_no for one in colleagues(session)}
    said = {name: number.strip() for name, number in numbers.items() if number.strip()}
    return {
        name: f"本单位没有工号 {number}，请填写在岗人员的工号"
        for name, number in said.items()
        if number not in known
    }


def names(session: Session) -> dict[str, str]:
    """张蕾（S101-01）, by staff number, of everybody who ever worked here."""
    rows = session.connection().execute(select(_users.c.staff_no, _users.c.name))
    return {row.staff_no: f"{row.name}（{row.staff_no}）" for row in rows}


def api_tokens(session: Session) -> list[TokenLine]:
    """Every token by name."""
    query = select(table_of(ApiToken)).order_by(table_of(ApiToken).c.name)
    return [
        TokenLine(row.name, read_roles(row.roles), row.created, row.expires, row.revoked)
        for row in session.connection().execute(query)
    ]


def audit_page(
    session: Session,
    *,
    before: int | None = None,
    who: str = "",
    what: str = "",
    act: str = "",
    words: str = "",
    limit: int = 50,
) -> list[AuditEntry]:
    """Lines of the audit log, newest first, below number `before`; `who`, `act` and `what` as they were written.

    `words`: a login, or how what it was done to ends (a user, the tail of a case number).
    """
    query = select(_audit).order_by(desc(_audit.c.n)).limit(min(limit, 200))
    if before is not None:
        query = query.where(_audit.c.n < before)
    if who:
        query = query.where(_audit.c.who == who)
    if what:
        query = query.where(_audit.c.what == what)
    if act:
        query = query.where(_audit.c.act == act)
    if words:
        query = query.where(or_(_audit.c.who == words, _audit.c.what.endswith(words, autoescape=True)))
    return [AuditEntry(**row) for row in session.connection().execute(query).mappings()]
