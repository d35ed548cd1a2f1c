"""DSSE lines: the bytes that are signed are the bytes that travel.

DSSE (Dead Simple Signing Envelope, v1): the signature is over the type and the payload, both
length-prefixed, so nothing has to be parsed, and nothing re-serialised, before the signature holds.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from protocol import strict
from protocol.errors import EnvelopeError

STATEMENT = "application/vnd.liandong.statement+json;v=1"
CERTIFICATE = "application/vnd.liandong.certificate+json;v=1"
RECEIPT = "application/vnd.liandong.receipt+json;v=1"
_HASH = re.compile(r"[0-9a-f]{64}")


def pae(payload_type: str, payload: bytes) -> bytes:
    """Pre-authentication encoding: what is signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def sha256(data: bytes) -> str:
    """Lower-case hexadecimal SHA-256: the name of events, certificates and materials."""
    return hashlib.sha256(data).hexdigest()


def is_hash(text: object) -> bool:
    """Whether `text` is the name of something: 64 lower-case hexadecimal digits."""
    return type(text) is str and _HASH.fullmatch(text) is not None


def b64(data: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(data).decode()


def unb64(text: str) -> bytes:
    """The bytes of `text`; EnvelopeError P-2 unless it is exactly their standard base64."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise EnvelopeError("P-2", "base64 有误") from None
    if b64(data) != text:
        raise EnvelopeError("P-2", "base64 有误")
    return data


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature of a line; `keyid` is the fingerprint of the certificate that carries the key."""

    keyid: str
    sig: bytes


@dataclass(frozen=True, slots=True)
class Signed:
    """A DSSE line taken apart. Nothing in it is to be believed yet."""

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...]

    def signed_bytes(self) -> bytes:
        """What each signature covers."""
        return pae(self.payload_type, self.payload)


def write(payload_type: str, payload: bytes, signatures: Sequence[Signature]) -> bytes:
    """The line, without its newline."""
    return strict.dumps(
        {
            "payload": b64(payload),
            "payloadType": payload_type,
            "signatures": [{"keyid": one.keyid, "sig": b64(one.sig)} for one in signatures],
        },
    )


def read(line: bytes, expected_type: str, at_most: int = 1) -> Signed:
    """The parts of a DSSE line of the expected type, with 1 to `at_most` signatures; EnvelopeError P-2 otherwise."""
    outer = strict.loads(line)
    if tuple(outer) != ("payload", "payloadType", "signatures"):
        raise EnvelopeError("P-2", "签封行的字段或其次序不对")
    if outer["payloadType"] != expected_type:
        raise EnvelopeError("P-2", f"类型应为 {expected_type}，实为 {str(outer['payloadType'])[:80]}")
    signatures = outer["signatures"]
    if type(outer["payload"]) is not str:
        raise EnvelopeError("P-2", "payload 应是文字")
    if type(signatures) is not list or not 1 <= len(signatures) <= at_most:
        raise EnvelopeError("P-2", f"签封行应有 1 至 {at_most} 个签名")
    return Signed(expected_type, unb64(outer["payload"]), tuple(_signature(one) for one in signatures))


def _signature(one: object) -> Signature:
    if type(one) is not dict or tuple(one) != ("keyid", "sig"):
        raise EnvelopeError("P-2", "签名的字段或其次序不对")
    if type(one["keyid"]) is not str or type(one["sig"]) is not str:
        raise EnvelopeError("P-2", "签名的字段不对")
    return Signature(one["keyid"], unb64(one["sig"]))
