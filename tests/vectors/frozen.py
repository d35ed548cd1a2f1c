"""The cast of the frozen vectors: the places of `cast`, with powers that are written here and never follow the code.

A vector is a JSON object: `name`, `check` (which question), what it takes, and `expect` (the answer). Bytes are a list of
parts, joined: a text is its UTF-8 bytes, `{"b64":…}` those bytes, `{"of":…,"times":n}` a text n times, `{"line":name}` a
certificate of cast.json, `{"lf":1}` a newline.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from datetime import timedelta
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from protocol import dsse, strict
from protocol.certificates import Certificate, KeyRing, issue
from protocol.dsse import Signature, b64
from protocol.keys import Keys
from protocol.places import Code, Tier
from protocol.sealed import ALGORITHM
from tests.vectors.cast import CITY, COUNTY, NEIGHBOUR, NOW, TOWNSHIP, VILLAGE, Cast, keys_of

Json = dict[str, Any]
LF = {"lf": 1}
BORN = NOW - timedelta(days=1)
DESK = (
    *("agency.finished", "case.accepted", "case.closed", "case.corrected", "case.delivered", "case.filed"),
    *("case.forwarded", "case.granted", "case.handover_refused", "case.refused", "case.returned"),
    *("case.reviewed", "case.supplement_sent", "case.suspended", "case.taken", "case.withdrawal_asked"),
    *("case.withdrawn", "fee.bill", "joint.opinion", "report.daily"),
)
ABOVE = (*DESK, "authorisation.update")
EVERY = (*ABOVE, "catalogue.deed", "catalogue.edition", "catalogue.item", "roster.place")
MAY = {Tier.VILLAGE: DESK, Tier.TOWNSHIP: ABOVE, Tier.COUNTY: (*ABOVE, "roster.place"), Tier.CITY: EVERY}
GRANT = {Tier.VILLAGE: (), Tier.TOWNSHIP: DESK, Tier.COUNTY: ABOVE, Tier.CITY: MAY[Tier.COUNTY]}
NAMES = {"city": CITY, "county": COUNTY, "township": TOWNSHIP, "village": VILLAGE, "neighbour": NEIGHBOUR}


class Frozen(Cast):
    """Everybody, with certificates that stay the same whatever kinds later versions add."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.anchor = self._made(
            None, self.root_keys, CITY, self.root_keys, name="石嘴山市信任根", grant=EVERY, years=20
        )
        self.certificates = {}
        for place in self.roster.subtree(self.roster.city.code):
            upper = place.parent
            issuer = self.certificates[upper] if upper else self.anchor
            own = self.keys[place.code]
            self.certificates[place.code] = self._made(
                issuer, self.keys[upper] if upper else self.root_keys, place.code, own
            )

    def _made(
        self,
        issuer: Certificate | None,
        issuer_keys: Keys,
        place: Code,
        keys: Keys,
        *,
        name: str = "",
        grant: tuple[str, ...] = (),
        years: int = 5,
    ) -> Certificate:
        found = self.roster[place]
        return issue(
            issuer=issuer,
            issuer_keys=issuer_keys,
            keys=keys,
            place=place,
            name=name or found.name,
            tier=found.tier,
            scope=self.roster.prefixes(place),
            may=() if issuer is None else MAY[found.tier],
            grant=grant or GRANT[found.tier],
            not_before=BORN,
            not_after=BORN.replace(year=BORN.year + years),
        )

    def trusted(self, *names: str) -> KeyRing:
        """A ring of the root and these, by name."""
        ring = KeyRing(self.anchor.line)
        for name in names:
            ring.admit(self.certificates[NAMES[name]].line)
        return ring


def signed(kind: str, payload: Json | bytes, *signers: tuple[str, Keys]) -> bytes:
    """A DSSE line over this payload by (keyid, keys)."""
    raw = payload if isinstance(payload, bytes) else strict.dumps(payload)
    made = [Signature(keyid, keys.sign.sign(dsse.pae(kind, raw))) for keyid, keys in signers]
    return dsse.write(kind, raw, made)


def parts(raw: bytes) -> list[Any]:
    """Bytes as a vector writes them."""
    try:
        return [raw.decode()]
    except UnicodeDecodeError:
        return [{"b64": b64(raw)}]


def lean(raw: bytes, lines: dict[str, str]) -> list[Any]:
    """Bytes as a vector writes them, whole lines of the cast by their names."""
    names = {line.encode(): name for name, line in lines.items()}
    found: list[Any] = []
    rest = b""
    for line in raw.splitlines(keepends=True) if b"\r" not in raw else [raw]:
        name = names.get(line[:-1]) if line.endswith(b"\n") else None
        if name is None:
            rest += line
            continue
        found += [*(parts(rest) if rest else ()), {"line": name}, LF]
        rest = b""
    return [*found, *(parts(rest) if rest or not found else ())]


def joined(written: Iterable[Any], lines: dict[str, str]) -> bytes:
    """The bytes a vector means."""
    found = b""
    for one in written:
        if isinstance(one, str):
            found += one.encode()
        elif "b64" in one:
            found += base64.b64decode(one["b64"])
        elif "of" in one:
            found += one["of"].encode() * one["times"]
        elif "line" in one:
            found += lines[one["line"]].encode()
        else:
            found += b"\n"
    return found


def lines_of(cast: Frozen) -> dict[str, str]:
    """The certificate lines by name."""
    found = {"root": cast.anchor.line.decode()}
    return found | {name: cast.certificates[place].line.decode() for name, place in NAMES.items()}


def cast_file(cast: Frozen) -> Json:
    """cast.json: who there is."""
    return {
        "about": "places, their lines and their private keys: each is the SHA-256 of 'liandong vector sign|seal <code>', of the root 'root'",
        "now": "2026-03-02T01:00:00.000Z",
        "places": dict(NAMES),
        "lines": lines_of(cast),
        "fingerprints": {
            "root": cast.anchor.fingerprint,
            **{name: cast.certificates[place].fingerprint for name, place in NAMES.items()},
        },
        "seal_keys": {name: b64(cast.keys[place].seal.private_bytes_raw()) for name, place in NAMES.items()},
    }


# HPKE with a fixed ephemeral key, so that the vectors come out the same each time


def sealed(content: Json, parties: Iterable[Certificate], bound: bytes, seed: str = "seal") -> Json:
    """An `enc` object whose random parts are drawn from `seed`."""
    key, nonce = sha256(f"{seed} key".encode()).digest(), sha256(f"{seed} nonce".encode()).digest()[:12]
    return {
        "alg": ALGORITHM,
        "keys": [
            {"place": one.place, "cert": one.fingerprint, "key": b64(_hpke(one.seal_key, bound, key, seed + one.place))}
            for one in parties
        ],
        "nonce": b64(nonce),
        "ct": b64(AESGCM(key).encrypt(nonce, strict.dumps(content), bound)),
    }  # fmt: skip


def _hpke(public: bytes, info: bytes, plain: bytes, seed: str) -> bytes:
    """RFC 9180, base mode, single shot: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM."""
    ours = X25519PrivateKey.from_private_bytes(sha256(seed.encode()).digest())
    enc = ours.public_key().public_bytes_raw()
    kem, suite = b"KEM\x00\x20", b"HPKE\x00\x20\x00\x01\x00\x01"
    shared = ours.exchange(X25519PublicKey.from_public_bytes(public))
    secret = _expand(kem, _extract(kem, b"", b"eae_prk", shared), b"shared_secret", enc + public, 32)
    context = b"\x00" + _extract(suite, b"", b"psk_id_hash", b"") + _extract(suite, b"", b"info_hash", info)
    prk = _extract(suite, secret, b"secret", b"")
    key, nonce = _expand(suite, prk, b"key", context, 16), _expand(suite, prk, b"base_nonce", context, 12)
    return enc + AESGCM(key).encrypt(nonce, plain, b"")


def _extract(suite: bytes, salt: bytes, label: bytes, ikm: bytes) -> bytes:
    return _hmac(salt or bytes(32), b"HPKE-v1" + suite + label + ikm)


def _expand(suite: bytes, prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    return _hmac(prk, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info + b"\x01")[:length]


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()


def keyed(cast: Frozen, name: str) -> tuple[str, Keys]:
    """Who signs, for `signed`."""
    if name == "root":
        return cast.anchor.fingerprint, cast.root_keys
    return cast.certificates[NAMES[name]].fingerprint, cast.keys[NAMES[name]]


def stranger() -> Keys:
    """Keys nobody has certified."""
    return keys_of("stranger")
