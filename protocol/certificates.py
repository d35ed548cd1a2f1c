"""Certificates (证书): who may say what, for which places, from when to when.

A chain runs city root -> county -> township -> village; what a child may do lies inside what its issuer
may grant (P-6). The trust anchor is the fingerprint of the city's root certificate, carried to each
site by hand; everything else is found by walking up.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from protocol import dsse, strict
from protocol.dsse import Signature, sha256, unb64
from protocol.errors import EnvelopeError
from protocol.keys import ED25519, X25519, Keys, Verifier, check, verifier
from protocol.places import Code, Tier, is_code

MAX_SIGNATURES = 4
"""The issuer's, and those of witnesses to a change of keys."""
FIELDS = frozenset(
    (
        "v",
        "sub",
        "name",
        "tier",
        "iss",
        "by",
        "gen",
        "scope",
        "may",
        "grant",
        "alg",
        "key",
        "seal_alg",
        "seal",
        "nbf",
        "naf",
    ),
)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate whose form is right; only a `KeyRing` says whether it is to be trusted."""

    place: Code
    name: str
    tier: Tier
    issuer: Code
    issued_by: str
    """Fingerprint of the issuer's certificate; empty for a root."""
    generation: int
    scope: tuple[str, ...]
    """Code prefixes this key may speak about."""
    may: frozenset[str]
    grant: frozenset[str]
    algorithm: str
    key: bytes
    seal_key: bytes
    not_before: datetime
    not_after: datetime
    line: bytes = field(repr=False)
    fingerprint: str = ""
    verify: Verifier = field(repr=False, compare=False, default=lambda _sig, _data: None)

    def covers(self, place: str) -> bool:
        """Whether this key may speak about `place`."""
        return place.startswith(self.scope)

    def valid_at(self, now: datetime) -> bool:
        """Whether `now` lies in the validity period, both ends included."""
        return self.not_before <= now <= self.not_after


_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3])(:[0-5][0-9]){2}\.[0-9]{3}Z")


def instant(text: object) -> datetime:
    """An aware UTC time written exactly as 2026-11-22T02:26:03.123Z; ValueError otherwise."""
    if type(text) is str and _INSTANT.fullmatch(text):
        return datetime.fromisoformat(text[:-1]).replace(tzinfo=UTC)
    raise ValueError(f"时间应写作 2026-11-22T02:26:03.123Z：{str(text)[:40]}")


def is_instant(text: object) -> bool:
    """Whether `text` is an instant as `instant` wants it."""
    try:
        instant(text)
    except ValueError:
        return False
    return True


def write_instant(moment: datetime) -> str:
    """2026-11-22T02:26:03.123Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def issue(
    *,
    issuer: Certificate | None,
    issuer_keys: Keys,
    keys: Keys,
    place: str,
    name: str,
    tier: Tier,
    scope: Sequence[str],
    may: Iterable[str],
    grant: Iterable[str],
    not_before: datetime,
    not_after: datetime,
    generation: int = 1,
    also: Sequence[tuple[Certificate, Keys]] = (),
) -> Certificate:
    """A certificate signed by its issuer (itself, for a root).

    `also` are further signatures: the place's own older key when `generation` > 1, or the grandparent's
    after the loss of that key.
    """
    payload = strict.dumps(
        {
            "v": 1,
            "sub": place,
            "name": name,
            "tier": int(tier),
            "iss": issuer.place if issuer else place,
            "by": issuer.fingerprint if issuer else "",
            "gen": generation,
            "scope": list(scope),
            "may": sorted(may),
            "grant": sorted(grant),
            "alg": ED25519,
            "key": dsse.b64(keys.sign_public),
            "seal_alg": X25519,
            "seal": dsse.b64(keys.seal_public),
            "nbf": write_instant(not_before),
            "naf": write_instant(not_after),
        },
    )
    signed = dsse.pae(dsse.CERTIFICATE, payload)
    first = Signature(issuer.fingerprint if issuer else sha256(payload), issuer_keys.sign.sign(signed))
    more = [Signature(cert.fingerprint, own.sign.sign(signed)) for cert, own in also]
    return read(dsse.write(dsse.CERTIFICATE, payload, [first, *more]))


def read(line: bytes) -> Certificate:
    """The certificate on a DSSE line, form checked (P-4), trust not yet."""
    payload = dsse.read(line, dsse.CERTIFICATE, MAX_SIGNATURES).payload
    fields = strict.loads(payload)
    if fields.keys() != FIELDS or not strict.is_version_1(fields):
        raise EnvelopeError("P-4", "证书的字段或版本不对")
    try:
        return _certificate(fields, line, sha256(payload))
    except (ValueError, TypeError) as wrong:
        raise EnvelopeError("P-4", f"证书内容有误：{wrong}") from None


_PREFIX = re.compile(r"[0-9]{4,12}")
_KIND = re.compile(r"[a-z_]{1,30}\.[a-z_]{1,30}")


def _certificate(fields: dict[str, Any], line: bytes, fingerprint: str) -> Certificate:
    for name in ("sub", "iss", "name", "by", "alg", "key", "seal_alg", "seal"):
        if type(fields[name]) is not str:
            raise ValueError(f"{name} 应是文字")
    if not is_code(fields["sub"]) or not is_code(fields["iss"]):
        raise ValueError("sub 或 iss 不是区划代码")
    scope = _listed(fields, "scope", _PREFIX, 1000)
    if not scope:
        raise ValueError("scope 应至少有一个代码前缀")
    if not strict.is_number(fields["gen"]):
        raise ValueError("gen 有误")
    key, seal = unb64(fields["key"]), unb64(fields["seal"])
    if fields["seal_alg"] != X25519 or len(seal) != 32:
        raise ValueError("seal_alg 或 seal 有误")
    return Certificate(
        place=Code(fields["sub"]),
        name=fields["name"],
        tier=_tier(fields["tier"]),
        issuer=Code(fields["iss"]),
        issued_by=fields["by"],
        generation=fields["gen"],
        scope=scope,
        may=frozenset(_listed(fields, "may", _KIND, 1000)),
        grant=frozenset(_listed(fields, "grant", _KIND, 1000)),
        algorithm=fields["alg"],
        key=key,
        seal_key=seal,
        not_before=instant(fields["nbf"]),
        not_after=instant(fields["naf"]),
        line=line,
        fingerprint=fingerprint,
        verify=verifier(fields["alg"], key),
    )


def _listed(fields: dict[str, Any], name: str, form: re.Pattern[str], at_most: int) -> tuple[str, ...]:
    """The texts listed under `name`, each of this form; ValueError if anything else is there."""
    found = fields[name]
    if type(found) is not list or len(found) > at_most:
        raise ValueError(f"{name} 应是列表")
    if not all(type(one) is str and form.fullmatch(one) for one in found):
        raise ValueError(f"{name} 有误")
    return tuple(found)


def _tier(found: object) -> Tier:
    if type(found) is not int:
        raise ValueError("tier 有误")
    return Tier(found)


class KeyRing:
    """信任钥匙环: the certificates this node trusts, all leading to one root.

    Only `admit` puts a certificate in, and only after its whole chain holds. A ring belongs to one node;
    it does no I/O: what is admitted must be kept by the caller.
    """

    def __init__(self, root: bytes) -> None:
        """`root` is the city's self-signed certificate line, trusted because it was carried by hand."""
        anchor = read(root)
        if anchor.issued_by or anchor.issuer != anchor.place:
            raise EnvelopeError("P-5", "信任根不是自签证书")
        signed = dsse.read(root, dsse.CERTIFICATE, MAX_SIGNATURES)
        if signed.signatures[0].keyid != anchor.fingerprint:
            raise EnvelopeError("P-5", "信任根的 keyid 不对")
        check(anchor.verify, signed.signatures[0].sig, signed.signed_bytes(), "P-5")
        self.root = anchor
        self._by_fingerprint: dict[str, Certificate] = {anchor.fingerprint: anchor}
        self._current: dict[str, Certificate] = {}

    def __iter__(self) -> Iterator[Certificate]:
        """Every admitted certificate, issuers before the issued."""
        return iter(tuple(self._by_fingerprint.values()))

    def get(self, fingerprint: str) -> Certificate | None:
        """The admitted certificate with this fingerprint."""
        return self._by_fingerprint.get(fingerprint)

    def current(self, place: str) -> Certificate | None:
        """The newest generation admitted for `place`."""
        return self._current.get(place)

    def admit(self, line: bytes) -> Certificate:
        """Trust the certificate on `line`; its issuer must have been admitted before.

        EnvelopeError P-5 if a signature is missing or wrong, or the issuer is not the one it names; P-6 if it
        claims more than its issuer grants.
        """
        cert = read(line)
        if cert.fingerprint in self._by_fingerprint:
            return self._by_fingerprint[cert.fingerprint]
        signed = dsse.read(line, dsse.CERTIFICATE, MAX_SIGNATURES)
        issuer = self._by_fingerprint.get(cert.issued_by)
        if issuer is None:
            raise EnvelopeError("P-5", f"不认识 {cert.place} 证书的签发者")
        if cert.issuer != issuer.place:
            raise EnvelopeError("P-5", f"{cert.place} 证书写的签发者 {cert.issuer} 实为 {issuer.place}")
        by_key = {one.keyid: one.sig for one in signed.signatures}
        if issuer.fingerprint not in by_key:
            raise EnvelopeError("P-5", "缺签发者的签名")
        check(issuer.verify, by_key[issuer.fingerprint], signed.signed_bytes(), "P-5")
        _inside(cert, issuer)
        self._succession(cert, issuer, by_key, signed.signed_bytes())
        self._by_fingerprint[cert.fingerprint] = cert
        if cert.generation >= self._generation(cert.place):
            self._current[cert.place] = cert
        return cert

    def chain(self, place: str) -> list[Certificate]:
        """The current certificate of `place` and its issuers, topmost first, the root left out."""
        found: list[Certificate] = []
        cert = self._current.get(place)
        while cert and cert.issued_by:
            found.append(cert)
            cert = self._by_fingerprint.get(cert.issued_by)
        return found[::-1]

    def _generation(self, place: str) -> int:
        known = self._current.get(place)
        return known.generation if known else 0

    def _succession(
        self, cert: Certificate, issuer: Certificate, by_key: dict[str, bytes], signed: bytes
    ) -> None:
        """A further key for a known place needs the old key, or the issuer's issuer, beside the issuer."""
        old = self._current.get(cert.place)
        if old is None:
            return
        if cert.generation == old.generation:
            raise EnvelopeError("P-5", f"{cert.place} 已有第 {old.generation} 代证书")
        for witness in (old, self._by_fingerprint.get(issuer.issued_by)):
            if witness and witness is not issuer and witness.fingerprint in by_key:
                check(witness.verify, by_key[witness.fingerprint], signed, "P-5")
                return
        raise EnvelopeError("P-5", f"{cert.place} 换证缺旧钥匙或上上级的签名")


def _inside(cert: Certificate, issuer: Certificate) -> None:
    """P-6: a child's scope, powers and validity lie inside its issuer's.

    Under a root powers are not looked at: it was made once for twenty years, and kinds come with every version.
    """
    if not all(one.startswith(issuer.scope) for one in cert.scope):
        raise EnvelopeError("P-6", f"{cert.place} 的管辖范围超出签发者")
    if not cert.covers(cert.place):
        raise EnvelopeError("P-6", f"{cert.place} 不在自己的管辖范围内")
    by_root = not issuer.issued_by
    if not by_root and not (cert.may <= issuer.grant and cert.grant <= issuer.grant):
        raise EnvelopeError("P-6", f"{cert.place} 的权限超出签发者所能授予")
    if cert.tier <= issuer.tier and not (by_root and cert.place == issuer.place):
        raise EnvelopeError("P-6", f"{cert.place} 的层级不低于签发者")
    if not (issuer.not_before <= cert.not_before and cert.not_after <= issuer.not_after):
        raise EnvelopeError("P-6", f"{cert.place} 的有效期超出签发者")
