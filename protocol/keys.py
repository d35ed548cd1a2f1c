"""Message keys: one pair to sign, one pair to be sealed to. Transport keys (NATS, TLS) are never these.

The algorithm is named by the certificate, never by the message; a second algorithm is one more row in
`_VERIFY`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from protocol import strict
from protocol.dsse import b64, unb64
from protocol.errors import EnvelopeError

ED25519 = "Ed25519"
X25519 = "X25519"


@dataclass(frozen=True, repr=False)
class Keys:
    """The two private keys of a node. `repr` shows none of it."""

    sign: Ed25519PrivateKey
    seal: X25519PrivateKey

    @classmethod
    def generate(cls) -> "Keys":
        """Two fresh pairs from the system's random source."""
        return cls(Ed25519PrivateKey.generate(), X25519PrivateKey.generate())

    @classmethod
    def load(cls, raw: bytes) -> "Keys":
        """From the bytes of a key file (`dump`); EnvelopeError if it is none."""
        fields = strict.loads(raw.strip())
        if fields.keys() != {"v", "sign", "seal"} or fields["v"] != 1:
            raise EnvelopeError("P-3", "不是密钥文件")
        return cls(
            Ed25519PrivateKey.from_private_bytes(unb64(fields["sign"])),
            X25519PrivateKey.from_private_bytes(unb64(fields["seal"])),
        )

    def dump(self) -> bytes:
        """The key file: secret, for a file of mode 0600."""
        return strict.dumps(
            {"v": 1, "sign": b64(self.sign.private_bytes_raw()), "seal": b64(self.seal.private_bytes_raw())},
        )

    @property
    def sign_public(self) -> bytes:
        """32 bytes, Ed25519."""
        return self.sign.public_key().public_bytes_raw()

    @property
    def seal_public(self) -> bytes:
        """32 bytes, X25519."""
        return self.seal.public_key().public_bytes_raw()


Verifier = Callable[[bytes, bytes], None]
"""(signature, signed bytes); raises InvalidSignature."""


def _ed25519(public: bytes) -> Verifier:
    return Ed25519PublicKey.from_public_bytes(public).verify


_VERIFY: Mapping[str, Callable[[bytes], Verifier]] = MappingProxyType({ED25519: _ed25519})


def verifier(algorithm: str, public: bytes) -> Verifier:
    """What checks a signature by this key; EnvelopeError P-3 for an unknown algorithm or a bad key."""
    try:
        return _VERIFY[algorithm](public)
    except (KeyError, ValueError):
        raise EnvelopeError("P-3", f"不支持的签名算法或公钥：{algorithm[:40]}") from None


def check(verify: Verifier, signature: bytes, signed: bytes, rule: str) -> None:
    """EnvelopeError `rule` unless the signature holds."""
    try:
        verify(signature, signed)
    except InvalidSignature:
        raise EnvelopeError(rule, "签名不符") from None
