"""The rows of accounts: users, their sessions, counted attempts, tokens for machines.

One rule: no secret is stored that would open anything: passwords as argon2id hashes, session and API
tokens as SHA-256 of 256 random bits.
"""

from datetime import datetime

from sqlmodel import Field, SQLModel

from node.rows import Instant


class User(SQLModel, table=True):
    """A person who works here. The login names the person for good and is never given to another."""

    __tablename__ = "users"

    id: int | None = Field(default=None, primary_key=True)
    login: str = Field(unique=True, max_length=32)
    name: str = Field(max_length=40)
    staff_no: str = Field(max_length=20)
    """工号, printed on documents."""
    place: str = Field(max_length=12)
    roles: str = Field(max_length=120)
    department: str = Field(default="", max_length=20)
    """Code of the department (部门) he speaks for in joint handling; "" for none."""
    password_hash: str = Field(max_length=200)
    password_set: datetime = Field(sa_type=Instant)
    must_change: bool = True
    disabled: bool = False
    created: datetime = Field(sa_type=Instant)


class LoginSession(SQLModel, table=True):
    """One browser's stay (会话), from login to logout, idle time-out or its end."""

    __tablename__ = "login_sessions"

    token_hash: str = Field(primary_key=True, max_length=64)
    user_id: int = Field(foreign_key="users.id", index=True)
    created: datetime = Field(sa_type=Instant)
    seen: datetime = Field(sa_type=Instant)
    expires: datetime = Field(sa_type=Instant, index=True)
    csrf: str = Field(max_length=64)
    address: str = Field(max_length=45)


class LoginAttempts(SQLModel, table=True):
    """Attempts since the last success, by login (`login:…`) or by network address (`address:…`)."""

    __tablename__ = "login_attempts"

    subject: str = Field(primary_key=True, max_length=80)
    count: int
    last: datetime = Field(sa_type=Instant)
    open_from: datetime = Field(sa_type=Instant)
    """No attempt is heard before this moment."""


class ApiToken(SQLModel, table=True):
    """What a machine shows instead of a password; it has roles of its own and an end."""

    __tablename__ = "api_tokens"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True, max_length=32)
    token_hash: str = Field(unique=True, max_length=64)
    roles: str = Field(max_length=120)
    created_by: int = Field(foreign_key="users.id")
    created: datetime = Field(sa_type=Instant)
    expires: datetime = Field(sa_type=Instant)
    revoked: bool = False
