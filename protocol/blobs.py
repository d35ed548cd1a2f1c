"""Materials on the wire (材料): how a photo or file is enciphered, asked for, and carried in pieces.

A blob (密文) is one material enciphered once under a key of its own, which travels in sealed parts of the case's
events only. Its name is the SHA-256 of its bytes, so whoever stores or relays it can check it and nobody but a
party can open it.

    blob     "LDB1", then segments of 64 KiB: AES-256-GCM, the nonce is the segment's number (11 bytes) and one
             byte that is 1 in the last, so that segments cannot be dropped, repeated, moved or cut off
    ask      one DSSE line: this party, for this case, wants these ranges of this blob, in pieces of this size
    piece    one DSSE line that names blob, offset and the SHA-256 of what follows, a newline, the raw bytes;
             or the line alone, with the reason why there is nothing; or, with no bytes, no reason and the blob's
             length as offset, the word that all of it is here and its hash right

One rule: the line is signed, the bytes are named in it, and the whole is believed only when its hash is right.
B-1 form, B-2 certificate and signature, B-3 sender and reader, B-4 the bytes are not those named.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from protocol import dsse, strict
from protocol.certificates import Certificate, KeyRing, write_instant
from protocol.dsse import Signature
from protocol.errors import EnvelopeError, SealError
from protocol.keys import Keys, check
from protocol.places import Code, is_code

ASK = "application/vnd.liandong.blob-ask+json;v=1"
PIECE = "application/vnd.liandong.blob-piece+json;v=1"

MAGIC = b"LDB1"
SEGMENT = 64 * 1024
TAG = 16
KEY_BYTES = 32

MAX_BLOB = 32 * 1024 * 1024
MAX_PIECE = 192 * 1024
"""What one message carries: well inside a hub's limit, and a few seconds on a thin line at most."""
MAX_RANGES = 16
MAX_CHAIN = 8
ABSENT, REFUSED, LATER = "absent", "refused", "later"
"""Why there is nothing: not here; not yours; perhaps soon."""

Span = tuple[int, int]
"""First byte and the one after the last."""


def new_key() -> bytes:
    """A fresh key for one material; it is never used for a second one."""
    return AESGCM.generate_key(KEY_BYTES * 8)


def blob_size(plain: int) -> int:
    """How long the blob of `plain` bytes is."""
    segments = max(1, -(-plain // SEGMENT))
    return len(MAGIC) + plain + segments * TAG


def encipher(plain: bytes, key: bytes) -> bytes:
    """The blob of a material."""
    cipher, view = AESGCM(key), memoryview(plain)
    segments = max(1, -(-len(plain) // SEGMENT))
    parts = [MAGIC]
    for number in range(segments):
        part = view[number * SEGMENT : (number + 1) * SEGMENT]
        parts.append(cipher.encrypt(_nonce(number, last=number == segments - 1), part, MAGIC))
    return b"".join(parts)


def decipher(read: Callable[[int], bytes], key: bytes) -> Iterator[bytes]:
    """The material, segment by segment, from `read(n)` of a blob; SealError at the first that is not right.

    Each segment given out is genuine; a blob that was cut off ends in SealError.
    """
    if read(len(MAGIC)) != MAGIC:
        raise SealError("不是材料密文")
    cipher, number = AESGCM(key), 0
    segment = read(SEGMENT + TAG)
    while True:
        following = read(SEGMENT + TAG)
        try:
            yield cipher.decrypt(_nonce(number, last=not following), segment, MAGIC)
        except InvalidTag:
            raise SealError(f"材料第 {number + 1} 段打不开：被改动、截断，或钥匙不对") from None
        if not following:
            return
        segment, number = following, number + 1


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


@dataclass(frozen=True, slots=True)
class Ask:
    """What `frm` wants of `to`: ranges of a blob of case `no`, in pieces of at most `piece` bytes."""

    frm: Code
    to: Code
    no: str
    blob: str
    ranges: tuple[Span, ...]
    piece: int


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of a blob from `at` on; or none, and `none` says why."""

    frm: Code
    to: Code
    blob: str
    at: int
    data: bytes
    none: str = ""

    @property
    def whole(self) -> bool:
        """Whether it says that its sender has the whole blob, which is `at` bytes long."""
        return self.at > 0 and not self.data and not self.none


def write_ask(
    ask: Ask, keys: Keys, cert: Certificate, now: datetime, chain: Sequence[Certificate] = ()
) -> bytes:
    """The ask as signed lines, its certificates before it."""
    payload = {
        "v": 1,
        "frm": ask.frm,
        "to": ask.to,
        "iat": write_instant(now),
        "no": ask.no,
        "blob": ask.blob,
        "ranges": [list(one) for one in ask.ranges],
        "piece": ask.piece,
    }
    return b"".join(one.line + b"\n" for one in chain) + _sign(ASK, payload, keys, cert) + b"\n"


def read_ask(raw: bytes, ring: KeyRing, me: str, source: str) -> Ask:
    """The ask in these lines: signed by a certificate of our ring, for us, from `source`; EnvelopeError B-1 to B-3."""
    if len(raw) > MAX_PIECE:
        raise EnvelopeError("B-1", f"请求 {len(raw)} 字节，过长")
    lines = raw.split(b"\n")
    if lines.pop() or not 1 <= len(lines) <= MAX_CHAIN + 1:
        raise EnvelopeError("B-1", "请求应由整行组成：至多 8 张证书和一行请求")
    *chain, line = lines
    for cert in chain:
        ring.admit(cert)
    fields = _open(line, ASK, ring, me, source)
    try:
        ranges = tuple(_span(one) for one in fields["ranges"])
        if not 1 <= len(ranges) <= MAX_RANGES or type(fields["piece"]) is not int:
            raise ValueError("ranges 或 piece")  # noqa: TRY301
        if type(fields["no"]) is not str or not 0 < len(fields["no"]) <= 50:
            raise ValueError("no")  # noqa: TRY301
        piece = max(1024, min(fields["piece"], MAX_PIECE))
        return Ask(
            Code(fields["frm"]), Code(fields["to"]), fields["no"], _name(fields["blob"]), ranges, piece
        )
    except (KeyError, TypeError, ValueError) as wrong:
        raise EnvelopeError("B-1", f"请求的字段有误：{wrong!r}"[:200]) from None


def write_piece(piece: Piece, keys: Keys, cert: Certificate) -> bytes:
    """The piece as it travels."""
    if len(piece.data) > MAX_PIECE:
        raise ValueError(f"一块至多 {MAX_PIECE} 字节，不是 {len(piece.data)}")
    payload: dict[str, Any] = {
        "v": 1,
        "frm": piece.frm,
        "to": piece.to,
        "blob": piece.blob,
        "at": piece.at,
        "sha256": sha256(piece.data).hexdigest(),
    }
    if piece.none:
        payload["none"] = piece.none
    return _sign(PIECE, payload, keys, cert) + b"\n" + piece.data


def read_piece(raw: bytes, ring: KeyRing, me: str, source: str) -> Piece:
    """The piece in these bytes: signed, for us, from `source`, its bytes those named; EnvelopeError B-1 to B-4."""
    line, _, data = raw.partition(b"\n")
    if len(data) > MAX_PIECE or len(line) > 4096:
        raise EnvelopeError("B-1", f"一块 {len(raw)} 字节，过长")
    fields = _open(line, PIECE, ring, me, source)
    none = fields.get("none", "")
    try:
        at, blob = fields["at"], _name(fields["blob"])
        if (
            type(at) is not int
            or not 0 <= at <= MAX_BLOB
            or type(none) is not str
            or len(none) > 16
            or (none and data)
        ):
            raise ValueError("at 或 none")  # noqa: TRY301
    except (KeyError, TypeError, ValueError) as wrong:
        raise EnvelopeError("B-1", f"材料块的字段有误：{wrong!r}"[:200]) from None
    if sha256(data).hexdigest() != fields.get("sha256"):
        raise EnvelopeError("B-4", "材料块的内容与签名不符")
    return Piece(Code(fields["frm"]), Code(fields["to"]), blob, at, data, none)


def is_piece(raw: bytes) -> bool:
    """Whether these bytes of the blob lane look like a piece rather than an ask; nothing is believed by it."""
    return PIECE.encode() in raw[:4096].partition(b"\n")[0]


def is_line(raw: bytes) -> bool:
    """Whether these bytes are one line and nothing after it: a piece without bytes."""
    return raw.find(b"\n") == len(raw) - 1


def _sign(kind: str, payload: dict[str, Any], keys: Keys, cert: Certificate) -> bytes:
    raw = strict.dumps(payload)
    return dsse.write(kind, raw, [Signature(cert.fingerprint, keys.sign.sign(dsse.pae(kind, raw)))])


def _open(line: bytes, kind: str, ring: KeyRing, me: str, source: str) -> dict[str, Any]:
    signed = dsse.read(line, kind)
    certificate = ring.get(signed.signatures[0].keyid)
    if certificate is None or ring.current(certificate.place) is not certificate:
        raise EnvelopeError("B-2", f"不认识或已换下的证书 {signed.signatures[0].keyid[:16]}")
    check(certificate.verify, signed.signatures[0].sig, signed.signed_bytes(), "B-2")
    fields = strict.loads(signed.payload)
    if not strict.is_version_1(fields) or fields.get("frm") != certificate.place or fields.get("to") != me:
        raise EnvelopeError("B-3", "不是给我们的，或版本不对")
    if source != certificate.place or not is_code(str(fields["to"])):
        raise EnvelopeError("B-3", f"信道说来自 {source}，签名是 {certificate.place}")
    return fields


def _span(found: Any) -> Span:
    first, end = found
    if type(first) is not int or type(end) is not int or not 0 <= first < end <= MAX_BLOB:
        raise ValueError("range")
    return first, end


def _name(found: Any) -> str:
    if type(found) is not str or len(found) != 64 or set(found) - set("0123456789abcdef"):
        raise ValueError("blob")
    return found
