"""NATS keys (nkeys): Ed25519 keys in the spelling that a NATS server reads.

A public key is one prefix byte, 32 key bytes and a CRC-16, in base32 without padding: `U…` a user, `A…` an
account, `O…` an operator. A seed (`SU…`, `SA…`, `SO…`) spells the private key the same way and must never
be printed or logged. Transport keys are never message keys.
"""

import base64
import binascii
from enum import IntEnum

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_SEED = 18 << 3


class Kind(IntEnum):
    """What a key speaks for; the value is the prefix byte."""

    ACCOUNT = 0 << 3
    OPERATOR = 14 << 3
    USER = 20 << 3


def new_seed(kind: Kind) -> str:
    """A fresh random key as a seed."""
    return encode_seed(kind, Ed25519PrivateKey.generate().private_bytes_raw())


def encode_seed(kind: Kind, raw: bytes) -> str:
    """The seed text of 32 private key bytes."""
    if len(raw) != 32:
        raise ValueError("Ed25519 私钥须为 32 字节")
    return _spell(bytes([_SEED | (kind >> 5), (kind & 31) << 3]) + raw)


def decode_seed(seed: str) -> tuple[Kind, Ed25519PrivateKey]:
    """Kind and private key of a seed; ValueError (without the seed) if it is none."""
    body = _unspell(seed)
    if len(body) != 34 or body[0] & 0b11111000 != _SEED:
        raise ValueError("不是 NATS 密钥种子")
    kind = Kind((body[0] & 7) << 5 | body[1] >> 3)
    return kind, Ed25519PrivateKey.from_private_bytes(body[2:])


def public_key(seed: str) -> str:
    """The public key that belongs to a seed, as text."""
    kind, key = decode_seed(seed)
    return _spell(bytes([kind]) + key.public_key().public_bytes_raw())


def is_public(text: str, kind: Kind) -> bool:
    """Whether `text` is a well-formed public key of this kind."""
    try:
        body = _unspell(text)
    except ValueError:
        return False
    return len(body) == 33 and body[0] == kind


def sign(seed: str, message: bytes) -> bytes:
    """The 64 signature bytes over `message`."""
    return decode_seed(seed)[1].sign(message)


def _spell(body: bytes) -> str:
    checksum = binascii.crc_hqx(body, 0).to_bytes(2, "little")
    return base64.b32encode(body + checksum).decode().rstrip("=")


def _unspell(text: str) -> bytes:
    """The bytes behind the text; ValueError, never with the text in it, if the spelling is wrong."""
    try:
        whole = base64.b32decode(text + "=" * (-len(text) % 8))
    except binascii.Error:
        raise ValueError("不是 NATS 密钥：编码错误") from None
    body, checksum = whole[:-2], whole[-2:]
    if binascii.crc_hqx(body, 0).to_bytes(2, "little") != checksum:
        raise ValueError("不是 NATS 密钥：校验和不符")
    return body
