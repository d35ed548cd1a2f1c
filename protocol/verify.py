"""Verification: the one door through which a message becomes believable.

`open_parcel` takes bytes and gives `Verified` events; nothing else can make one, and handlers accept
nothing else. The steps are numbered as in docs/protocol.md:

P-0  the parcel is at most 256 KiB and made of whole lines: certificates, one statement, events
P-1  each line is compact UTF-8 JSON (see strict.py)
P-2  the statement is a DSSE line of the statement type
P-3..P-6  its certificate is known or attached, its chain leads to our root, powers lie inside powers
P-7  the signature holds; only now is the statement read: version, sender = certificate's place, time, 1..64 names
P-8  each event line's hash stands in the statement and its form is right
P-9  the certificate is valid now (a grace of 7 days for mail under way)
P-10 the event's sender is the statement's, its kind is among the certificate's powers; steps of a case, and
     nothing else, stand in a case
P-11 the event speaks only about places in the certificate's scope
P-12 it is addressed to us, or to everybody if its kind is a published document
P-13 the transport subject, where there is one, names the same sender and reader

*Who may do this to this case* is policy, and comes after: see lifecycle.py and routing.py.
A parcel whose statement fails is refused whole; after P-7 each event stands or falls alone.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from protocol import dsse, strict
from protocol.certificates import Certificate, KeyRing, is_instant
from protocol.dsse import is_hash, sha256
from protocol.envelope import MAX_EVENTS, Event, Statement, cut, read_event, read_named
from protocol.errors import EnvelopeError
from protocol.keys import check
from protocol.messages import PUBLISHED, STEPS

GRACE = timedelta(days=7)
"""Mail that was under way when its sender's certificate ran out is still opened this long."""

_DOOR = object()


class Verified:
    """An event that is genuine, by its certificate, and meant for us. Only this module makes one."""

    __slots__ = ("certificate", "event", "statement")

    def __init__(self, event: Event, statement: Statement, certificate: Certificate, door: object) -> None:
        if door is not _DOOR:
            raise TypeError("Verified 只能由 protocol.verify 产生")
        self.event = event
        self.statement = statement
        self.certificate = certificate


@dataclass(frozen=True, slots=True)
class Refused:
    """One event line of a genuine parcel that was not accepted.

    `event` is None when not even its form could be read; then its sequence number is unknown too.
    """

    line: bytes
    event: Event | None
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Opened:
    """What came out of a parcel, in its order."""

    statement: Statement
    certificate: Certificate
    verified: list[Verified]
    refused: list[Refused]
    attached: list[Certificate]
    """The certificates that came with it and hold."""


def open_parcel(raw: bytes, ring: KeyRing, me: str, now: datetime, source: str | None = None) -> Opened:
    """The believable events of a parcel, and the refused ones each with the rule it broke.

    `source` is the sender named by the transport subject. EnvelopeError if the parcel as a whole is not
    genuine. Attached certificates that hold are admitted to `ring`; the caller keeps them.
    """
    lines = cut(raw)  # P-0
    attached = [ring.admit(line) for line in lines.certificates]  # P-3..P-6
    statement, certificate = open_statement(lines.statement, ring)  # P-1..P-7
    if source is not None and source != statement.frm:  # P-13
        raise EnvelopeError("P-13", f"信道说来自 {source}，签封是 {statement.frm}")
    opened = Opened(statement, certificate, [], [], attached)
    named = set(statement.events)
    for line in lines.events:
        event = None
        try:
            name = sha256(line)
            if name not in named:
                raise EnvelopeError("P-8", "事件不在签封之内，或被改动")  # noqa: TRY301
            named.discard(name)
            event = read_named(line, name)
            admissible(event, certificate, me, now)  # P-9..P-12
            opened.verified.append(Verified(event, statement, certificate, _DOOR))
        except EnvelopeError as broken:
            opened.refused.append(Refused(line, event, broken.rule, broken.reason))
    return opened


def open_statement(line: bytes, ring: KeyRing) -> tuple[Statement, Certificate]:
    """The statement on a line and the certificate that signed it: P-1 to P-7."""
    signed = dsse.read(line, dsse.STATEMENT)
    signature = signed.signatures[0]
    certificate = ring.get(signature.keyid)
    if certificate is None:
        raise EnvelopeError("P-3", f"不认识的证书 {signature.keyid[:16]}")
    check(certificate.verify, signature.sig, signed.signed_bytes(), "P-7")
    fields = strict.loads(signed.payload)
    events = fields.get("events")
    if fields.keys() != {"v", "frm", "cert", "iat", "events"} or not strict.is_version_1(fields):
        raise EnvelopeError("P-7", "签封的字段或版本不对")
    if not is_instant(fields["iat"]):
        raise EnvelopeError("P-7", "签封的时间有误")
    if type(events) is not list or not all(map(is_hash, events)):
        raise EnvelopeError("P-7", "签封里的事件应以 SHA-256 命名")
    if not 1 <= len(events) <= MAX_EVENTS or len(set(events)) != len(events):
        raise EnvelopeError("P-7", "签封应签 1 至 64 个互不相同的事件")
    if fields["frm"] != certificate.place or fields["cert"] != certificate.fingerprint:
        raise EnvelopeError("P-7", "签封的发出者与证书不符")
    names = tuple(events)
    return Statement(line, sha256(line), certificate.place, certificate.fingerprint, names), certificate


def admissible(event: Event, certificate: Certificate, me: str, now: datetime) -> None:
    """P-9 to P-12 for one event whose signature holds."""
    if not certificate.not_before <= now + GRACE or now > certificate.not_after + GRACE:
        raise EnvelopeError("P-9", f"{certificate.place} 的证书不在有效期内")
    entitled(event, certificate)
    if event.kind in PUBLISHED:
        if event.to:
            raise EnvelopeError("P-12", "公布的文件不写收件人")
    elif event.seq_for(me) is None:
        raise EnvelopeError("P-12", f"收件人里没有 {me}")


def entitled(event: Event, certificate: Certificate) -> None:
    """P-10 and P-11: whether this certificate may say this about this place."""
    if event.frm != certificate.place:
        raise EnvelopeError("P-10", f"事件说来自 {event.frm}，签封是 {certificate.place}")
    if event.kind not in certificate.may:
        raise EnvelopeError("P-10", f"{certificate.place} 的证书无权发出 {event.kind}")
    if (event.case is not None) != (event.kind in STEPS):
        raise EnvelopeError("P-10", f"{event.kind} {'须' if event.case is None else '不'}写明是办件的第几步")
    if event.case is not None and not certificate.covers(event.case.no[:12]):
        raise EnvelopeError("P-11", f"办件 {event.case.no} 不在 {certificate.place} 的管辖范围内")


def prove(event_line: bytes, statement_line: bytes, ring: KeyRing) -> Verified:
    """One event proved alone, by anybody, at any time: P-1 to P-8, P-10 and P-11 (evidence files).

    An event needs no reader to be proved: the city's own acts have none.
    """
    statement, certificate = open_statement(statement_line, ring)
    if sha256(event_line) not in statement.events:
        raise EnvelopeError("P-8", "事件不在签封之内，或被改动")
    event = read_event(event_line)
    entitled(event, certificate)
    return Verified(event, statement, certificate, _DOOR)
