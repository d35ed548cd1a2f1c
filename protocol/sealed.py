"""The sealed part (密封件): what only the parties to a case may read.

AES-256-GCM under a fresh key; that key is HPKE-sealed (RFC 9180, X25519, HKDF-SHA256, AES-128-GCM) to each
party. `id`, `frm`, `kind` and the case number bind it to its event, so that it cannot be moved to another.
"""

import os
from collections.abc import Iterable
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from protocol import strict
from protocol.certificates import Certificate
from protocol.dsse import b64, unb64
from protocol.errors import EnvelopeError, SealError

ALGORITHM = "HPKE-X25519-SHA256-A128GCM+A256GCM"


def _suite() -> Suite:
    return Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_128_GCM)


def binding(id: str, frm: str, kind: str, case_no: str) -> bytes:  # noqa: A002 - the wire's name
    """What ties a sealed part to its event: `id|frm|kind|case number` ("" outside a case)."""
    return f"liandong-seal-v1|{id}|{frm}|{kind}|{case_no}".encode()


def seal(content: dict[str, Any], parties: Iterable[Certificate], bound: bytes) -> dict[str, Any]:
    """The `enc` object: `content` readable by each party's seal key and nobody else."""
    key, nonce = AESGCM.generate_key(256), os.urandom(12)
    suite = _suite()
    return {
        "alg": ALGORITHM,
        "keys": [
            {
                "place": party.place,
                "cert": party.fingerprint,
                "key": b64(suite.encrypt(key, X25519PublicKey.from_public_bytes(party.seal_key), info=bound)),
            }
            for party in parties
        ],
        "nonce": b64(nonce),
        "ct": b64(AESGCM(key).encrypt(nonce, strict.dumps(content), bound)),
    }


def is_party(enc: dict[str, Any], place: str) -> bool:
    """Whether the sealed part names `place` as a reader."""
    return any(one.get("place") == place for one in _listed(enc))


def _listed(enc: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries of `keys`; what is none does not keep others from reading."""
    keys = enc.get("keys")
    return [one for one in keys if type(one) is dict] if type(keys) is list else []


def open_sealed(enc: dict[str, Any], place: str, own: X25519PrivateKey, bound: bytes) -> dict[str, Any]:
    """The content; SealError if it is not sealed to `place`, or was altered or moved."""
    if enc.get("alg") != ALGORITHM:
        raise SealError(f"不支持的密封算法：{str(enc.get('alg'))[:40]}")
    try:
        wrapped = next(one["key"] for one in _listed(enc) if one.get("place") == place)
        key = _suite().decrypt(unb64(wrapped), own, info=bound)
        return strict.loads(AESGCM(key).decrypt(unb64(enc["nonce"]), unb64(enc["ct"]), bound))
    except StopIteration:
        raise SealError(f"这一件没有封给 {place}") from None
    except (InvalidTag, KeyError, TypeError, ValueError, EnvelopeError) as wrong:
        raise SealError(f"密封件打不开：{type(wrong).__name__}") from None
