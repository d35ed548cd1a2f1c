"""Receipts (回执): signed, cumulative word of what has been applied, one line per reader.

"Of your channel (you -> me, epoch) everything up to `upto` is here; of that `waiting` is not applied yet,
`quarantined` never will be unless released; above it `missing` has not come." A later receipt replaces an
earlier one. A receipt with `hello` says: I am back; send what I lack now. Receipts are not events: losing one
costs a repeat, never a case.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from protocol import dsse, strict
from protocol.certificates import Certificate, KeyRing, write_instant
from protocol.dsse import Signature
from protocol.errors import EnvelopeError
from protocol.keys import Keys, check
from protocol.places import Code, is_code

Range = tuple[int, int]
"""First and last sequence number, both included."""

MAX_LISTED = 200


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


def bounded(one: Channel) -> Channel:
    """The channel cut so that its lists fit: `upto` falls below the first thing not listed, never above."""
    lists = (one.missing, one.waiting, tuple((q.seq, q.seq) for q in one.quarantined))
    cuts = [found[MAX_LISTED][0] - 1 for found in lists if len(found) > MAX_LISTED]
    upto = min([one.upto, *cuts])
    return Channel(
        one.ep,
        upto,
        one.missing[:MAX_LISTED],
        tuple((a, min(b, upto)) for a, b in one.waiting[:MAX_LISTED] if a <= upto),
        tuple(q for q in one.quarantined[:MAX_LISTED] if q.seq <= upto),
    )


def write(
    receipt: Receipt, keys: Keys, cert: Certificate, now: datetime, chain: Sequence[Certificate] = ()
) -> bytes:
    """The receipt as signed lines, its certificates before it."""
    payload = strict.dumps(
        {
            "v": 1,
            "frm": receipt.frm,
            "to": receipt.to,
            "iat": write_instant(now),
            "hello": receipt.hello,
            "cat": receipt.edition,
            "channels": [_write_channel(bounded(one)) for one in receipt.channels],
            "refused": [
                {"parcel": r.parcel, "rule": r.rule, "reason": r.reason[:200]}
                for r in receipt.refused[:MAX_LISTED]
            ],
        },
    )
    signature = Signature(cert.fingerprint, keys.sign.sign(dsse.pae(dsse.RECEIPT, payload)))
    return b"".join(c.line + b"\n" for c in chain) + dsse.write(dsse.RECEIPT, payload, [signature]) + b"\n"


def _write_channel(one: Channel) -> dict[str, Any]:
    return {
        "ep": one.ep,
        "upto": one.upto,
        "missing": one.missing,
        "waiting": one.waiting,
        "quarantined": [{"seq": q.seq, "rule": q.rule, "reason": q.reason[:200]} for q in one.quarantined],
    }


def read(raw: bytes, ring: KeyRing, me: str, source: str | None = None) -> Receipt:
    """The receipt in these lines (R-1): signed by a certificate of our ring, for us, from `source`."""
    *chain, line = raw.rstrip(b"\n").split(b"\n")[-9:]
    for cert in chain:
        ring.admit(cert)
    signed = dsse.read(line, dsse.RECEIPT)
    certificate = ring.get(signed.signatures[0].keyid)
    if certificate is None:
        raise EnvelopeError("R-1", f"不认识的证书 {signed.signatures[0].keyid[:16]}")
    check(certificate.verify, signed.signatures[0].sig, signed.signed_bytes(), "R-1")
    fields = strict.loads(signed.payload)
    if fields.get("v") != 1 or fields.get("frm") != certificate.place or fields.get("to") != me:
        raise EnvelopeError("R-1", "回执不是给我们的，或版本不对")
    if source is not None and source != certificate.place:
        raise EnvelopeError("R-1", f"信道说来自 {source}，回执是 {certificate.place}")
    try:
        return _receipt(fields)
    except (KeyError, TypeError, ValueError) as wrong:
        raise EnvelopeError("R-1", f"回执的字段有误：{wrong!r}"[:200]) from None


def _receipt(fields: dict[str, Any]) -> Receipt:
    if not is_code(fields["to"]) or len(fields["channels"]) > 64:
        raise ValueError("to 或 channels")
    return Receipt(
        frm=Code(fields["frm"]),
        to=Code(fields["to"]),
        at=str(fields["iat"]),
        hello=bool(fields["hello"]),
        edition=int(fields["cat"]),
        channels=tuple(
            Channel(
                ep=str(one["ep"]),
                upto=int(one["upto"]),
                missing=_ranges(one["missing"]),
                waiting=_ranges(one["waiting"]),
                quarantined=tuple(
                    Quarantined(int(q["seq"]), str(q["rule"])[:16], str(q["reason"])[:200])
                    for q in one["quarantined"]
                ),
            )
            for one in fields["channels"]
        ),
        refused=tuple(
            RefusedParcel(str(one["parcel"])[:64], str(one["rule"])[:16], str(one["reason"])[:200])
            for one in fields["refused"]
        ),
    )


def _ranges(found: Any) -> tuple[Range, ...]:
    return tuple((int(first), int(last)) for first, last in found)
