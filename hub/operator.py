"""The operator (运营者) of one hub's server: which keys it trusts, and what each client may do there.

A NATS server in operator mode trusts one operator key; the operator signs accounts, an account signs
users. Each hub is its own operator, so a county enrols its own townships and villages without asking
anyone, and without contact to its server. The rule: everything here is a pure function of keys and
given times; callers keep the seeds (0600) and nothing here prints or logs one.

Three roles (角色), each with a signing key of its own whose template is in the account: a stolen role key
can make nothing but clients of that role. Clients carry only tags that fill the template, so a change of
permissions is a new account JWT and no new credentials.

    NODE    a plain node: writes as itself, reads its own consumers
    RELAY   a lower hub: writes for the sources in its subtree, reads its own consumers
    HUB     the hub's own node: all of the account's streams
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from node.bus.line import Credentials
from node.bus.nkeys import Kind, is_public, new_seed, public_key, sign
from protocol.places import p5
from protocol.subjects import (
    Permissions,
    consumer,
    hub_permissions,
    inbox,
    node_permissions,
    relay_permissions,
    source_patterns,
)

ACCOUNT_NAME = "LIANDONG"
_UNLIMITED = -1


class Role(Enum):
    """What kind of client a signing key may make."""

    NODE = "node"
    RELAY = "relay"
    HUB = "hub"


@dataclass(frozen=True, slots=True)
class HubKeys:
    """Every seed of one hub's server. To be kept 0600; losing them means enrolling its subtree anew."""

    operator: str = field(repr=False)
    system: str = field(repr=False)
    account: str = field(repr=False)
    node: str = field(repr=False)
    relay: str = field(repr=False)
    hub: str = field(repr=False)

    @classmethod
    def generate(cls) -> "HubKeys":
        """Fresh random keys."""
        accounts = [new_seed(Kind.ACCOUNT) for _ in range(5)]
        return cls(new_seed(Kind.OPERATOR), *accounts)

    def to_json(self) -> str:
        """For the file in which they are kept."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> "HubKeys":
        """Read back; ValueError if a key is missing or one too many."""
        seeds = json.loads(text)
        if not isinstance(seeds, dict) or set(seeds) != set(cls.__slots__):
            raise ValueError("不是枢纽密钥文件")
        return cls(**seeds)

    def role_seed(self, role: Role) -> str:
        """The signing key of a role."""
        seeds = {Role.NODE: self.node, Role.RELAY: self.relay, Role.HUB: self.hub}
        return seeds[role]


def operator_jwt(keys: HubKeys, name: str, now: datetime) -> str:
    """The operator's own claim, self-signed; it goes into the server's configuration."""
    claims = {"type": "operator", "version": 2, "system_account": public_key(keys.system)}
    return _mint(keys.operator, public_key(keys.operator), name, claims, now)


def system_account_jwt(keys: HubKeys, now: datetime) -> str:
    """The server's system account: events and pushes of accounts, no mail."""
    claims = {"type": "account", "version": 2, "limits": _account_limits(streams=False)}
    return _mint(keys.operator, public_key(keys.system), "SYS", claims, now)


def account_jwt(keys: HubKeys, now: datetime, revoked: Mapping[str, datetime] | None = None) -> str:
    """The account of the mail: its roles, and who is revoked (吊销).

    `revoked`: user public key -> every credential of that key made at or before this time is void.
    A server keeps whichever account it has seen with the latest `now` (of equal seconds, the one it saw
    last), so a restart with an older configuration brings nobody back.
    """
    claims: dict[str, Any] = {
        "type": "account",
        "version": 2,
        "limits": _account_limits(streams=True),
        "signing_keys": [_role(keys, role) for role in Role],
    }
    if revoked:
        claims["revocations"] = {key: int(at.timestamp()) for key, at in sorted(revoked.items())}
    return _mint(keys.operator, public_key(keys.account), ACCOUNT_NAME, claims, now)


@dataclass(frozen=True, slots=True)
class Trust:
    """What a server's configuration says of whom it trusts; holds no secret."""

    operator_jwt: str
    system: str
    system_jwt: str
    account: str
    account_jwt: str


def trust(keys: HubKeys, name: str, now: datetime, revoked: Mapping[str, datetime] | None = None) -> Trust:
    """The claims for the server of the hub `name`."""
    return Trust(
        operator_jwt(keys, name, now),
        public_key(keys.system),
        system_account_jwt(keys, now),
        public_key(keys.account),
        account_jwt(keys, now, revoked),
    )


def renewed(kept: Trust, keys: HubKeys, name: str, now: datetime) -> Trust:
    """`kept` if it still says what these keys and roles would say today; else made anew, with the same revocations."""
    account = _claims(kept.account_jwt)["nats"]
    revoked = {user: datetime.fromtimestamp(at, UTC) for user, at in account.get("revocations", {}).items()}
    made = trust(keys, name, now, revoked)
    return kept if _meaning(kept) == _meaning(made) else made


def _meaning(found: Trust) -> tuple[object, ...]:
    """What a trust says, without when it was said."""
    jwts = (found.operator_jwt, found.system_jwt, found.account_jwt)
    return (*(_claims(jwt)["nats"] for jwt in jwts), found.system, found.account)


def node_user(keys: HubKeys, place: str, user: str, now: datetime) -> str:
    """User JWT of a plain node at this hub; `user` is its public key."""
    return _user(keys, Role.NODE, place, user, now, [f"at:{p5(place)}"])


def relay_user(keys: HubKeys, place: str, prefixes: Iterable[str], user: str, now: datetime) -> str:
    """User JWT of a lower hub at this one; `prefixes` of its subtree from `Roster.prefixes`."""
    head = source_patterns(["000000000000"])[0].removesuffix(p5("0" * 12))
    tails = [pattern.removeprefix(head) for pattern in source_patterns(prefixes)]
    return _user(keys, Role.RELAY, place, user, now, [f"under:{tail}" for tail in tails])


def hub_user(keys: HubKeys, place: str, user: str, now: datetime) -> str:
    """User JWT of the hub's own node at its own server."""
    return _user(keys, Role.HUB, place, user, now, [])


def system_user(keys: HubKeys, now: datetime) -> Credentials:
    """Credentials to push account JWTs to the running server; made anew whenever needed, never kept."""
    seed = new_seed(Kind.USER)
    claims = {"type": "user", "version": 2, "subs": _UNLIMITED, "data": _UNLIMITED, "payload": _UNLIMITED}
    return Credentials(_mint(keys.system, public_key(seed), "push", claims, now), seed)


def user_of(jwt: str) -> str:
    """The public key a user JWT was made for; what `revoked` is keyed by. Checks no signature."""
    return str(_claims(jwt)["sub"])


def made_at(jwt: str) -> int:
    """When a JWT was made, in seconds since 1970. Checks no signature."""
    return int(_claims(jwt)["iat"])


def _template(role: Role) -> Permissions:
    """The permissions of a role with NATS template functions where a client's own values go."""
    place = "0" * 12
    match role:
        case Role.NODE:
            plain, marks = node_permissions(place), {p5(place): "{{tag(at)}}"}
        case Role.RELAY:
            plain, marks = relay_permissions(place, [place]), {p5(place): "{{tag(under)}}"}
        case Role.HUB:
            plain, marks = hub_permissions(place), {}
    marks |= {inbox(place): "_INBOX_{{name()}}", consumer(place): "{{name()}}"}
    return Permissions(_filled(plain.publish, marks), _filled(plain.subscribe, marks))


def _filled(subjects: tuple[str, ...], marks: Mapping[str, str]) -> tuple[str, ...]:
    found = []
    for subject in subjects:
        text = subject
        for mark, function in marks.items():
            text = text.replace(mark, function)
        found.append(text)
    return tuple(found)


def _role(keys: HubKeys, role: Role) -> dict[str, Any]:
    permissions = _template(role)
    return {
        "kind": "user_scope",
        "key": public_key(keys.role_seed(role)),
        "role": role.value,
        "template": {
            "pub": {"allow": list(permissions.publish)},
            "sub": {"allow": list(permissions.subscribe)},
            "subs": _UNLIMITED,
            "data": _UNLIMITED,
            "payload": _UNLIMITED,
            "allowed_connection_types": ["STANDARD"],
        },
    }


def _account_limits(*, streams: bool) -> dict[str, Any]:
    names = ["subs", "data", "payload", "imports", "exports", "conn", "leaf"]
    limits: dict[str, Any] = dict.fromkeys(names, _UNLIMITED) | {"wildcards": True}
    if streams:
        limits |= dict.fromkeys(["mem_storage", "disk_storage", "streams", "consumer"], _UNLIMITED)
    return limits


def _user(keys: HubKeys, role: Role, place: str, user: str, now: datetime, tags: list[str]) -> str:
    if not is_public(user, Kind.USER):
        raise ValueError(f"不是用户公钥：{user!r}")
    claims: dict[str, Any] = {"type": "user", "version": 2, "issuer_account": public_key(keys.account)}
    if tags:
        claims["tags"] = tags
    return _mint(keys.role_seed(role), user, consumer(place), claims, now)


def _mint(seed: str, subject: str, name: str, claims: Mapping[str, Any], now: datetime) -> str:
    """A NATS JWT, version 2, signed with `seed`."""
    body: dict[str, Any] = {
        "iat": int(now.timestamp()),
        "iss": public_key(seed),
        "name": name,
        "sub": subject,
        "nats": dict(claims),
    }
    body["jti"] = base64.b32encode(hashlib.sha256(_compact(body)).digest()).decode().rstrip("=")
    head = _url64(_compact({"typ": "JWT", "alg": "ed25519-nkey"}))
    signed = f"{head}.{_url64(_compact(body))}"
    return f"{signed}.{_url64(sign(seed, signed.encode()))}"


def _claims(jwt: str) -> dict[str, Any]:
    parts = jwt.split(".")
    if len(parts) != 3:
        raise ValueError("不是 JWT")
    claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    if not isinstance(claims, dict):
        raise ValueError("不是 JWT")  # noqa: TRY004
    return claims


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True).encode()


def _url64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
