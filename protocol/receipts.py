"""Receipts (回执): signed, cumulative word of what has been applied, one line per reader.

"Of your channel (you -> me, epoch) everything up to `upto` is applied here, except: `missing` has not come,
`waiting` is not applied yet, `quarantined` never will be unless released." A later receipt replaces an earlier
one. A receipt with `hello` says: I am back, and this is all I have; send what I lack now. Receipts are not
events: losing one costs a repeat, never a case.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from protocol import dsse, strict
from protocol.certificates import Certificate, KeyRing, instant, write_instant
from protocol.dsse import Signature
from protocol.envelope import MAX_PARCEL
from protocol.errors import EnvelopeError
from protocol.keys import Keys, check
from protocol.places import Code

Range = tuple[int, int]
"""First and last sequence number, both included."""

MAX_LISTED = 200
MAX_CHANNELS = 64
MAX_CHAIN = 8
_CHANNEL = frozenset(("ep", "upto", "missing", "waiting", "quarantined"))
_FIELDS = frozenset(("v", "frm", "to", "iat", "hello", "cat", "channels", "refused"))


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One event that stands aside at the receiver, with the rule it broke."""

    seq: int
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Channel:
    """State of one channel (sender, epoch) at its reader."""

    ep: str
    upto: int
    missing: tuple[Range, ...] = ()
    waiting: tuple[Range, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()


@dataclass(frozen=True, slots=True)
class RefusedParcel:
    """A parcel that came in the sender's name and was not genuine."""

    parcel: str
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What `frm` tells `to`; `edition` is the catalogue `frm` holds, `at` its clock."""

    frm: Code
    to: Code
    at: str
    hello: bool
    edition: int
    channels: tuple[Channel, ...]
    refused: tuple[RefusedParcel, ...] = ()


def ranges(numbers: Iterable[int]) -> tuple[Range, ...]:
    """Sorted numbers folded into ranges: 1 2 3 7 -> (1, 3) (7, 7)."""
    found: list[Range] = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return tuple(found)


def bounded(one: Channel, listed: int = MAX_LISTED) -> Channel:
    """The channel cut so that its lists fit: `upto` falls below the first thing not listed, so nothing more is claimed."""
    lists = (one.missing, one.waiting, tuple((q.seq, q.seq) for q in one.quarantined))
    cuts = [found[listed][0] - 1 for found in lists if len(found) > listed]
    upto = min([one.upto, *cuts])
    return Channel(
        one.ep,
        upto,
        _up_to(one.missing, upto),
        _up_to(one.waiting, upto),
        tuple(q for q in one.quarantined if q.seq <= upto),
    )


def _up_to(found: Sequence[Range], upto: int) -> tuple[Range, ...]:
    return tuple((first, min(last, upto)) for first, last in found if first <= upto)


def gaps(present: Iterable[int], first: int, last: int) -> tuple[Range, ...]:
    """The ranges of `first` to `last` of which no number is in `present` (sorted)."""
    found: list[Range] = []
    for number in present:
        if number > first:
            found.append((first, min(number - 1, last)))
        first = max(first, number + 1)
    return tuple([*found, (first, last)] if first <= last else found)


def write(
    receipt: Receipt, keys: Keys, cert: Certificate, now: datetime, chain: Sequence[Certificate] = ()
) -> bytes:
    """The receipt as signed lines, its certificates before it; long lists are cut until it fits into a parcel."""
    room = MAX_PARCEL * 2 // 3 - sum(
        len(one.line) for one in chain
    )  # base64 and the signature take a third more
    for listed, words in ((MAX_LISTED, 200), (MAX_LISTED // 4, 60), (MAX_LISTED // 20, 20)):
        payload = _payload(receipt, now, listed, words)
        if len(payload) <= room:
            break
    signature = Signature(cert.fingerprint, keys.sign.sign(dsse.pae(dsse.RECEIPT, payload)))
    return b"".join(c.line + b"\n" for c in chain) + dsse.write(dsse.RECEIPT, payload, [signature]) + b"\n"


def _payload(receipt: Receipt, now: datetime, listed: int, words: int) -> bytes:
    return strict.dumps(
        {
            "v": 1,
            "frm": receipt.frm,
            "to": receipt.to,
            "iat": write_instant(now),
            "hello": receipt.hello,
            "cat": receipt.edition,
            "channels": [_write_channel(bounded(one, listed), words) for one in receipt.channels],
            "refused": [
                {"parcel": r.parcel, "rule": r.rule, "reason": r.reason[:words]}
                for r in receipt.refused[:listed]
            ],
        },
    )


def _write_channel(one: Channel, words: int) -> dict[str, Any]:
    return {
        "ep": one.ep,
        "upto": one.upto,
        "missing": one.missing,
        "waiting": one.waiting,
        "quarantined": [{"seq": q.seq, "rule": q.rule, "reason": q.reason[:words]} for q in one.quarantined],
    }


def read(raw: bytes, ring: KeyRing, me: str, source: str | None = None) -> Receipt:
    """The receipt in these lines (R-1): signed by the current certificate of a place we trust, for us, from `source`."""
    lines = raw.split(b"\n")
    if lines.pop() or not 1 <= len(lines) <= MAX_CHAIN + 1 or len(raw) > MAX_PARCEL:
        raise EnvelopeError("R-1", "回执应由整行组成：至多 8 张证书和一行回执")
    *chain, line = lines
    for cert in chain:
        ring.admit(cert)
    signed = dsse.read(line, dsse.RECEIPT)
    signature = signed.signatures[0]
    certificate = ring.get(signature.keyid)
    if certificate is None or ring.current(certificate.place) is not certificate:
        raise EnvelopeError("R-1", f"不认识或已换下的证书 {signature.keyid[:16]}")
    check(certificate.verify, signature.sig, signed.signed_bytes(), "R-1")
    fields = strict.loads(signed.payload)
    if fields.keys() != _FIELDS or not strict.is_version_1(fields):
        raise EnvelopeError("R-1", "回执的字段或版本不对")
    if fields["frm"] != certificate.place or fields["to"] != me:
        raise EnvelopeError("R-1", "回执不是给我们的，或不是签名者的")
    if source is not None and source != certificate.place:
        raise EnvelopeError("R-1", f"信道说来自 {source}，回执是 {certificate.place}")
    try:
        return _receipt(fields)
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        raise EnvelopeError("R-1", f"回执的字段有误：{wrong!r}"[:200]) from None


def _receipt(fields: dict[str, Any]) -> Receipt:
    instant(fields["iat"])
    if type(fields["hello"]) is not bool or not strict.is_number(fields["cat"], 0):
        raise ValueError("hello 或 cat")
    return Receipt(
        frm=Code(fields["frm"]),
        to=Code(fields["to"]),
        at=fields["iat"],
        hello=fields["hello"],
        edition=fields["cat"],
        channels=tuple(map(_channel, _listed(fields["channels"], MAX_CHANNELS))),
        refused=tuple(
            RefusedParcel(*_texts(one, {"parcel": 64, "rule": 16, "reason": 200}))
            for one in _listed(fields["refused"], MAX_LISTED)
        ),
    )


def _channel(one: Any) -> Channel:
    if one.keys() != _CHANNEL or type(one["ep"]) is not str or not 0 < len(one["ep"]) <= 64:
        raise ValueError("channels")
    if not strict.is_number(one["upto"], 0):
        raise ValueError("upto")
    return Channel(
        ep=one["ep"],
        upto=one["upto"],
        missing=_ranges(one["missing"], one["upto"]),
        waiting=_ranges(one["waiting"], one["upto"]),
        quarantined=tuple(_quarantined(q, one["upto"]) for q in _listed(one["quarantined"], MAX_LISTED)),
    )


def _quarantined(one: Any, upto: int) -> Quarantined:
    if not strict.is_number(one["seq"]) or one["seq"] > upto:
        raise ValueError("quarantined")
    words = {name: value for name, value in one.items() if name != "seq"}
    return Quarantined(one["seq"], *_texts(words, {"rule": 16, "reason": 200}))


def _listed(found: Any, at_most: int) -> list[Any]:
    if type(found) is not list or len(found) > at_most:
        raise ValueError("列表有误或过长")
    return found


def _texts(one: Any, fields: dict[str, int]) -> list[str]:
    """The texts of exactly these fields, each at most that long."""
    if one.keys() != fields.keys():
        raise ValueError("字段不对")
    if not all(type(one[name]) is str and len(one[name]) <= longest for name, longest in fields.items()):
        raise ValueError("文字有误或过长")
    return [one[name] for name in fields]


def _ranges(found: Any, upto: int) -> tuple[Range, ...]:
    """Rising ranges, none touching the next, none above `upto`."""
    before = -1
    for first, last in _listed(found, MAX_LISTED):
        if (
            not strict.is_number(first)
            or not strict.is_number(last)
            or not before + 1 < first <= last <= upto
        ):
            raise ValueError("ranges")
        before = last
    return tuple((first, last) for first, last in found)
