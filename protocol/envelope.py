"""Event (事件), statement (签封), parcel (邮包): what a node says, signs and sends.

An event is one act of one node, one line; its name is the SHA-256 of its bytes. A statement signs the
names of 1 to 64 events at once. A parcel is what travels to one mailbox: certificate lines the reader
may lack, the statement line, then those of its events that are addressed there. The same lines go over
NATS, on a USB stick and into an evidence file.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from protocol import dsse, strict
from protocol.certificates import Certificate, instant, write_instant
from protocol.dsse import Signature, sha256
from protocol.errors import EnvelopeError
from protocol.keys import Keys
from protocol.places import Code, is_code

MAX_PARCEL = 256 * 1024
MAX_EVENT = 64 * 1024
MAX_EVENTS = 64
MAX_RECIPIENTS = 64
CLASSES = ("public", "internal", "personal")
FIELDS = frozenset(("v", "id", "kind", "frm", "ep", "to", "iat", "cat", "case", "cls", "body", "enc"))
REQUIRED = FIELDS - {"case", "enc"}
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_KIND = re.compile(r"[a-z_]{1,30}\.[a-z_]{1,30}")
_EPOCH = re.compile(r"[0-9A-Za-z_-]{1,64}")
_CASE_NO = re.compile(r"[0-9]{12}[0-9A-Z]{1,38}")
_CERTIFICATE_LINE = b'"payloadType":"' + dsse.CERTIFICATE.encode() + b'"'
_STATEMENT_LINE = b'"payloadType":"' + dsse.STATEMENT.encode() + b'"'


@dataclass(frozen=True, slots=True)
class CaseRef:
    """Where a step stands in its case: number, 1-based step, hash of the step before ("" for the first)."""

    no: str
    n: int
    prev: str


@dataclass(frozen=True, slots=True)
class Event:
    """One act of one node, as read from its own bytes."""

    raw: bytes = field(repr=False)
    hash: str
    id: str
    kind: str
    frm: Code
    ep: str
    to: tuple[tuple[str, int], ...]
    iat: str
    cat: int
    case: CaseRef | None
    cls: str
    body: dict[str, Any]
    enc: dict[str, Any] | None

    def seq_for(self, place: str) -> int | None:
        """The sequence number of this event in the channel to `place`."""
        for code, seq in self.to:
            if code == place:
                return seq
        return None


def write_event(
    *,
    id: UUID,  # noqa: A002 - the field's name on the wire
    kind: str,
    frm: str,
    ep: str,
    to: Sequence[tuple[str, int]],
    iat: datetime,
    cat: int,
    cls: str,
    body: dict[str, Any],
    case: CaseRef | None = None,
    enc: dict[str, Any] | None = None,
) -> bytes:
    """The bytes of a new event; they are never written a second time."""
    event: dict[str, Any] = {
        "v": 1,
        "id": str(id),
        "kind": kind,
        "frm": frm,
        "ep": ep,
        "to": [{"place": place, "seq": seq} for place, seq in to],
        "iat": write_instant(iat),
        "cat": cat,
    }
    if case is not None:
        event["case"] = {"no": case.no, "n": case.n, "prev": case.prev}
    event["cls"] = cls
    event["body"] = body
    if enc is not None:
        event["enc"] = enc
    return strict.dumps(event)


def read_event(raw: bytes) -> Event:
    """The event on one line, form checked: EnvelopeError P-1 or P-8."""
    return read_named(raw, sha256(raw))


def read_named(raw: bytes, name: str) -> Event:
    """`read_event` for who has just computed the event's name."""
    if len(raw) > MAX_EVENT:
        raise EnvelopeError("P-8", f"事件超过 {MAX_EVENT} 字节")
    fields = strict.loads(raw)
    try:
        return _event(fields, raw, name)
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        raise EnvelopeError("P-8", f"事件的字段有误：{wrong!r}"[:200]) from None


def _event(fields: dict[str, Any], raw: bytes, name: str) -> Event:
    if not REQUIRED <= fields.keys() <= FIELDS or not strict.is_version_1(fields):
        raise ValueError("字段不对或不认识的版本")
    for word, form in (("id", _ID), ("kind", _KIND), ("ep", _EPOCH)):
        if not form.fullmatch(fields[word]):
            raise ValueError(word)
    if not is_code(fields["frm"]):
        raise ValueError("frm")
    instant(fields["iat"])
    to = _readers(fields["to"])
    if not strict.is_number(fields["cat"], 0) or fields["cls"] not in CLASSES:
        raise ValueError("cat 或 cls")
    enc = fields.get("enc")
    if type(fields["body"]) is not dict or ("enc" in fields and type(enc) is not dict):
        raise ValueError("body 或 enc")
    return Event(
        raw, name, fields["id"], fields["kind"], fields["frm"], fields["ep"], to, fields["iat"],
        fields["cat"], _case(fields["case"]) if "case" in fields else None, fields["cls"], fields["body"], enc,
    )  # fmt: skip


def _readers(found: Any) -> tuple[tuple[str, int], ...]:
    if type(found) is not list or len(found) > MAX_RECIPIENTS:
        raise ValueError("to")
    to = tuple((one["place"], one["seq"]) for one in found if len(one) == 2)
    if len(to) != len(found) or not all(is_code(place) and strict.is_number(seq) for place, seq in to):
        raise ValueError("to")
    if len({place for place, _ in to}) != len(to):
        raise ValueError("to 有重复")
    return to


def _case(fields: dict[str, Any]) -> CaseRef:
    if fields.keys() != {"no", "n", "prev"} or not strict.is_number(fields["n"]):
        raise ValueError("case")
    no, prev = fields["no"], fields["prev"]
    if not _CASE_NO.fullmatch(no) or not is_code(no[:12]):
        raise ValueError("case.no")
    if not dsse.is_hash(prev) if fields["n"] > 1 else prev != "":
        raise ValueError("case.prev")
    return CaseRef(no, fields["n"], prev)


@dataclass(frozen=True, slots=True)
class Statement:
    """A signature over the names of events; made by `sign`, believed only after `verify`."""

    line: bytes = field(repr=False)
    hash: str
    frm: Code
    cert: str
    events: tuple[str, ...]


def sign(events: Sequence[str], keys: Keys, cert: Certificate, now: datetime) -> Statement:
    """A statement by `cert`'s place over 1 to 64 event hashes."""
    if not 1 <= len(events) <= MAX_EVENTS:
        raise ValueError(f"一张签封可签 1 至 {MAX_EVENTS} 个事件，不是 {len(events)}")
    payload = strict.dumps(
        {
            "v": 1,
            "frm": cert.place,
            "cert": cert.fingerprint,
            "iat": write_instant(now),
            "events": list(events),
        },
    )
    signature = Signature(cert.fingerprint, keys.sign.sign(dsse.pae(dsse.STATEMENT, payload)))
    line = dsse.write(dsse.STATEMENT, payload, [signature])
    return Statement(line, sha256(line), cert.place, cert.fingerprint, tuple(events))


def parcel(statement: bytes, events: Iterable[bytes], certificates: Iterable[bytes] = ()) -> bytes:
    """The bytes that travel to one mailbox: certificates, statement, events, each with its newline."""
    return b"".join(line + b"\n" for line in (*certificates, statement, *events))


@dataclass(frozen=True, slots=True)
class Lines:
    """A parcel cut into lines; nothing is believed yet."""

    certificates: list[bytes]
    statement: bytes
    events: list[bytes]


def cut(raw: bytes) -> Lines:
    """The lines of a parcel: EnvelopeError P-0 if it is too large or not a parcel at all."""
    if len(raw) > MAX_PARCEL:
        raise EnvelopeError("P-0", f"邮包 {len(raw)} 字节，超过 {MAX_PARCEL}")
    lines = raw.split(b"\n")
    if lines.pop() or not lines:
        raise EnvelopeError("P-0", "邮包应由整行组成，末行以换行结束")
    at = 0
    while at < len(lines) and _CERTIFICATE_LINE in lines[at][-2048:]:
        at += 1
    if at > 8 or at == len(lines) or _STATEMENT_LINE not in lines[at]:
        raise EnvelopeError("P-0", "邮包里没有签封行")
    if len(lines) - at - 1 > MAX_EVENTS:
        raise EnvelopeError("P-0", f"邮包里的事件超过 {MAX_EVENTS} 个")
    return Lines(lines[:at], lines[at], lines[at + 1 :])
