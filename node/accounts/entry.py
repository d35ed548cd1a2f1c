"""Coming in and going out: login, sessions (会话), failures that make the next attempt wait.

One rule: an attempt is counted before its password is looked at, and taken back when it was right, so
that many guesses at once count as many. The wait is a moment stored in the database: the server never
sleeps, and while it lasts not even the right password is heard.
"""

import asyncio
import hashlib
import ipaddress
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, insert, or_, select, update
from sqlmodel import Session

from node import audit
from node.accounts.model import LoginAttempts, LoginSession, User
from node.accounts.officer import Officer
from node.accounts.passwords import LONGEST, Passwords, check
from node.accounts.roles import read_roles
from node.db import table_of
from node.errors import BadForm, NotLoggedIn, TooMany
from protocol.places import Code

if TYPE_CHECKING:
    from node.node import Node

IDLE = timedelta(minutes=30)
LONGEST_STAY = timedelta(hours=12)
TOUCH = timedelta(minutes=1)
"""A session notes that it is used at most this often: one write a minute, not one a request."""

PASSWORD_AGE = timedelta(hours=24 * 90)
"""GB/T 22239-2019: change every 90 days."""

FORGET = timedelta(hours=24)
LOCK_AFTER = 5
FIRST_LOCK_S = 1800
LONGEST_LOCK_S = 86_400
ADDRESS_LOCK_AFTER = 20
"""An office shares one address, so it is patient with many people and still ends a search for passwords."""
FIRST_ADDRESS_LOCK_S = 60
LONGEST_ADDRESS_LOCK_S = 3600

WRONG = "用户名或密码不正确"
"""Never says which of the two."""

_users, _sessions, _attempts = table_of(User), table_of(LoginSession), table_of(LoginAttempts)
_STAY = (_sessions.c.token_hash, _sessions.c.csrf, _sessions.c.seen, _sessions.c.expires)
_PERSON = (
    _users.c.id,
    _users.c.login,
    _users.c.name,
    _users.c.staff_no,
    _users.c.roles,
    _users.c.department,
    _users.c.place,
)
_STATE = (_users.c.disabled, _users.c.must_change, _users.c.password_set)
_VISIT = (
    select(*_STAY, *_PERSON, *_STATE)
    .join_from(_sessions, _users, _sessions.c.user_id == _users.c.id)
    .where(_sessions.c.token_hash == bindparam("token_hash"))
)


@dataclass(frozen=True, slots=True)
class Visit:
    """An officer's stay: who, the token his forms must carry, and whether only the password page is open."""

    officer: Officer
    token_hash: str
    csrf: str
    must_change: bool
    seen: datetime
    expires: datetime


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a login gives: the secret for the cookie, shown to nobody else, and the visit."""

    token: str
    visit: Visit


@dataclass(frozen=True, slots=True)
class _Known:
    """What `claim` found of the login."""

    id: int
    password_hash: str
    disabled: bool


async def log_in(
    node: "Node", passwords: Passwords, login: str, password: str, *, address: str, old_token: str = ""
) -> Ticket:
    """A new session for the right password; BadForm if it is wrong, TooMany while attempts must wait."""
    login = plain_login(login)
    subjects = _subjects(login, address)
    now = node.clock()
    known = await node.db.write(lambda session: claim(session, now, login, subjects))
    stored = known.password_hash if known else None
    right = len(password) <= LONGEST and await asyncio.to_thread(passwords.matches, stored, password)
    if known is None or not right or known.disabled:
        await node.db.write(lambda session: _refused(session, now, login if known else "", address))
        raise BadForm(password=WRONG)
    rehash = (
        await asyncio.to_thread(passwords.hash, password) if passwords.outdated(known.password_hash) else ""
    )
    token, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)

    def open_session(session: Session) -> Visit | None:
        values = {"password_hash": rehash}
        if rehash:
            session.connection().execute(update(_users).where(_users.c.id == known.id).values(values))
        _take_back(session, subjects)
        old = hashed(old_token) if old_token else ""
        stale = or_(_sessions.c.expires < now, _sessions.c.token_hash == old)
        session.connection().execute(delete(_sessions).where(stale))
        session.connection().execute(delete(_attempts).where(_attempts.c.last < now - FORGET))
        stay = {"token_hash": hashed(token), "user_id": known.id, "created": now, "seen": now}
        stay |= {"expires": now + LONGEST_STAY, "csrf": csrf, "address": address}
        session.connection().execute(insert(_sessions), stay)
        audit.record(session, login, "login", f"user:{login}", now=now, address=address)
        return find_visit(session, now, token)

    opened = await node.db.write(open_session)
    if opened is None:  # disabled between the two transactions
        raise BadForm(password=WRONG)
    return Ticket(token, opened)


def claim(session: Session, now: datetime, login: str, subjects: tuple[str, str]) -> _Known | None:
    """Count one attempt and find the user; TooMany, and nothing counted, while one must wait."""
    for subject, pause in zip(subjects, (_login_pause_s, _address_pause_s), strict=True):
        row = session.get(LoginAttempts, subject) or LoginAttempts(
            subject=subject, count=0, last=now, open_from=now
        )
        if row.open_from > now:
            wait_s = -int(-(row.open_from - now).total_seconds() // 1)
            raise TooMany(f"尝试次数过多，请 {span(wait_s)}后再试", wait_s=wait_s)
        row.count = 1 if now - row.last > FORGET else row.count + 1
        row.last = now
        row.open_from = now + timedelta(seconds=pause(row.count))
        session.add(row)
    query = select(_users.c.id, _users.c.password_hash, _users.c.disabled).where(_users.c.login == login)
    user = session.connection().execute(query).first()
    return _Known(user.id, user.password_hash, user.disabled) if user else None


def attempts(session: Session, now: datetime, login: str, address: str) -> tuple[int, int]:
    """(attempts since the last success, seconds until the next is heard); the same for logins that do not exist."""
    subjects = _subjects(plain_login(login), address)
    columns = (_attempts.c.subject, _attempts.c.count.label("times"), _attempts.c.open_from)
    rows = session.connection().execute(select(*columns).where(_attempts.c.subject.in_(subjects))).all()
    count = max((int(row.times) for row in rows if row.subject == subjects[0]), default=0)
    wait_s = max(((row.open_from - now).total_seconds() for row in rows), default=0.0)
    return count, max(0, -int(-wait_s // 1))


def find_visit(session: Session, now: datetime, token: str) -> Visit | None:
    """The stay that `token` opens; None if there is none, it was idle for too long, or the user is disabled."""
    row = session.connection().execute(_VISIT, {"token_hash": hashed(token)}).first()
    if row is None or row.disabled or now >= row.expires or now - row.seen >= IDLE:
        return None
    roles, place = read_roles(row.roles), Code(row.place)
    return Visit(
        Officer(row.id, row.login, row.name, row.staff_no, roles, place, row.department),
        row.token_hash,
        row.csrf,
        row.must_change or now - row.password_set > PASSWORD_AGE,
        row.seen,
        row.expires,
    )


def touch(session: Session, now: datetime, visit: Visit) -> None:
    """Note that the session is in use."""
    mine = _sessions.c.token_hash == visit.token_hash
    session.connection().execute(update(_sessions).where(mine, _sessions.c.seen < now).values(seen=now))


def log_out(session: Session, now: datetime, visit: Visit) -> None:
    """End the session now."""
    session.connection().execute(delete(_sessions).where(_sessions.c.token_hash == visit.token_hash))
    audit.record(session, visit.officer.login, "logout", f"user:{visit.officer.login}", now=now)


async def change_password(
    node: "Node", passwords: Passwords, visit: Visit, *, old: str, new: str, again: str, address: str
) -> None:
    """Set the officer's own password; his other sessions end. BadForm at the field that is wrong."""
    now, login = node.clock(), visit.officer.login
    if new != again:
        raise BadForm(again="两次输入的新密码不一致")
    check(new, login)
    if new == old:
        raise BadForm(new="新密码不得与原密码相同")
    subjects = _subjects(login, address)
    known = await node.db.write(lambda session: claim(session, now, login, subjects))
    if known is None:
        raise NotLoggedIn
    if not await asyncio.to_thread(passwords.matches, known.password_hash, old):
        raise BadForm(old="原密码不正确")
    stored = await asyncio.to_thread(passwords.hash, new)

    def store(session: Session) -> None:
        _take_back(session, subjects)
        values = {"password_hash": stored, "password_set": now, "must_change": False}
        session.connection().execute(update(_users).where(_users.c.id == known.id).values(values))
        others = (_sessions.c.user_id == known.id, _sessions.c.token_hash != visit.token_hash)
        session.connection().execute(delete(_sessions).where(*others))
        audit.record(session, login, "password_changed", f"user:{login}", now=now, address=address)

    await node.db.write(store)


def hashed(token: str) -> str:
    """What is stored of a token of 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def plain_login(login: str) -> str:
    """A login as stored: full-width and capital letters are the same person's."""
    return unicodedata.normalize("NFKC", login).strip().casefold()[:64]


def _subjects(login: str, address: str) -> tuple[str, str]:
    try:
        ip = ipaddress.ip_address(address)
        near = str(ipaddress.ip_network((ip, 64), strict=False)) if ip.version == 6 else str(ip)
    except ValueError:
        near = address[:45]
    return f"login:{login}", f"address:{near}"


def _login_pause_s(count: int) -> int:
    if count >= LOCK_AFTER:
        return min(FIRST_LOCK_S << min(count - LOCK_AFTER, 10), LONGEST_LOCK_S)
    return {3: 5, 4: 15}.get(count, 0)


def _address_pause_s(count: int) -> int:
    if count < ADDRESS_LOCK_AFTER:
        return 0
    return min(FIRST_ADDRESS_LOCK_S << min((count - ADDRESS_LOCK_AFTER) // 5, 10), LONGEST_ADDRESS_LOCK_S)


def _take_back(session: Session, subjects: tuple[str, str]) -> None:
    """The password was right: the login starts afresh, the address is one attempt better off."""
    login, address = subjects
    session.connection().execute(delete(_attempts).where(_attempts.c.subject == login))
    mine = update(_attempts).where(_attempts.c.subject == address, _attempts.c.count > 0)
    session.connection().execute(mine.values(count=_attempts.c.count - 1, open_from=_attempts.c.last))


def _refused(session: Session, now: datetime, login: str, address: str) -> None:
    """The audit's line. An unknown login is not written down: it may be a password typed in the wrong field."""
    what = f"user:{login}" if login else "user:（未知用户名）"
    audit.record(session, login or "anonymous", "login_failed", what, now=now, address=address)


def span(seconds: int) -> str:
    """A wait in words: 45 秒, 30 分钟."""
    return f"{seconds} 秒" if seconds < 120 else f"{-(-seconds // 60)} 分钟"
