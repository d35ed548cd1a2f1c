"""What a broken or dishonest node might put on the wire: true keys, and words the program never says.

rogue = Rogue(city, VILLAGE)
event = rogue.filed(TOWNSHIP, to=(TOWNSHIP, COUNTY))       # a dict: spoil it as you like
post(city, TOWNSHIP, VILLAGE, rogue.parcel(event))
told = await word_of(city, TOWNSHIP, VILLAGE)              # the receipt that goes back, as the sender reads it
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from typing import Any
from uuid import uuid4

import orjson
from sqlalchemy import select

from node.bus import Mail
from node.db import table_of
from node.exchange.model import EventRow, QuarantineRow
from node.ids import uuid7
from protocol import dsse, receipts, strict, subjects
from protocol.certificates import Certificate, write_instant
from protocol.dsse import Signature
from protocol.identity import make_case_no
from protocol.keys import Keys
from protocol.places import Code
from protocol.receipts import Receipt
from tests.federation import Federation

Fields = dict[str, Any]
_SERIALS = count(5000)
"""Far from those an honest node gives in a test."""


def line(value: Any) -> bytes:
    """Compact JSON in the order given, whatever is in it."""
    return orjson.dumps(value)


def name(data: bytes) -> str:
    return sha256(data).hexdigest()


def dsse_line(kind: str, payload: bytes, keys: Keys, cert: Certificate, *, signed_as: str = "") -> bytes:
    """A DSSE line of ours; `signed_as` signs it as another type."""
    sig = keys.sign.sign(dsse.pae(signed_as or kind, payload))
    return dsse.write(kind, payload, [Signature(cert.fingerprint, sig)])


@dataclass
class Rogue:
    """Speaks with the true keys of a place. Each has an epoch of its own, so the honest node's numbers stay whole."""

    city: Federation
    place: str

    def __post_init__(self) -> None:
        self.keys: Keys = self.city._keys[Code(self.place)]
        self.cert: Certificate = self.city.certificates[Code(self.place)]
        self.ep = uuid4().hex
        self.seqs: dict[str, int] = {}

    def number(self, place: str = "") -> str:
        """A fresh case number of this place, or of another."""
        return make_case_no(place or self.place, self.city.now.date(), next(_SERIALS))

    def event(self, kind: str, body: Mapping[str, Any], to: Iterable[str], **more: Any) -> Fields:
        """An event as a dict, numbered for its readers."""
        readers = []
        for place in to:
            self.seqs[place] = self.seqs.get(place, 0) + 1
            readers.append({"place": place, "seq": self.seqs[place]})
        found: Fields = {
            "v": 1,
            "id": str(uuid7(self.city.now)),
            "kind": kind,
            "frm": self.place,
            "ep": self.ep,
            "to": readers,
            "iat": write_instant(self.city.now),
            "cat": 1,
        }
        return {**found, "cls": "internal", "body": dict(body), **more}

    def step(
        self, kind: str, no: str, n: int, prev: bytes | str, readers: Iterable[str], **body: Any
    ) -> Fields:
        """A step of a case; `prev` is the line of the step before, or its name."""
        before = name(prev) if isinstance(prev, bytes) else prev
        said = {"on": "2026-03-02", "by": "rogue", **body}
        return self.event(kind, said, readers, case={"no": no, "n": n, "prev": before})

    def filed(self, target: str, readers: Iterable[str], no: str = "", **body: Any) -> Fields:
        """A filing (登记) for `target`."""
        content = {"item": "SZS-020", "to": target, **body}
        return self.step("case.filed", no or self.number(), 1, "", readers, **content)

    def statement(self, lines: Sequence[bytes], **changes: Any) -> bytes:
        """A statement over these lines; `changes` to its fields are signed like the rest."""
        payload = {
            "v": 1,
            "frm": self.place,
            "cert": self.cert.fingerprint,
            "iat": write_instant(self.city.now),
            "events": [name(one) for one in lines],
            **changes,
        }
        return dsse_line(dsse.STATEMENT, line(payload), self.keys, self.cert)

    def parcel(self, *events: Fields | bytes, chain: Iterable[bytes] = (), **changes: Any) -> bytes:
        """A parcel of these events."""
        lines = [one if isinstance(one, bytes) else line(one) for one in events]
        return b"".join(one + b"\n" for one in (*chain, self.statement(lines, **changes), *lines))

    def receipt(self, to: str, about: Sequence[Any] = (), **changes: Any) -> bytes:
        """A receipt for `to`, whatever it says."""
        payload = {
            "v": 1,
            "frm": self.place,
            "to": to,
            "iat": write_instant(self.city.now),
            "hello": False,
            "cat": 1,
            "channels": list(about),
            "refused": [],
            **changes,
        }
        return dsse_line(dsse.RECEIPT, line(payload), self.keys, self.cert) + b"\n"


def post(city: Federation, to: str, src: str, data: bytes, lane: str = "case") -> None:
    """Lay bytes into a mailbox as if `src` had published them."""
    hub = city.hubs[city.roster.hub_of(to).code]
    assert hub.store(Mail(subjects.mail(subjects.Lane(lane), to, src), data, uuid4().hex))


def receipts_between(city: Federation, reader: str, sender: str) -> list[bytes]:
    """The receipts from `reader` that lie in the mailbox of `sender`."""
    subject = subjects.mail(subjects.Lane.RCPT, sender, reader)
    hub = city.hubs[city.roster.hub_of(reader).code]
    return [one.mail.data for one in hub._stored["MAIL"].values() if one.mail.subject == subject]


async def word_of(city: Federation, reader: str, sender: str) -> Receipt:
    """What `reader` has to say to `sender` now: its newest receipt, opened as the sender would open it."""
    await city[reader].tell()
    found = receipts_between(city, reader, sender)
    assert found, f"{reader} says nothing to {sender}"
    return receipts.read(found[-1], city[sender].know.ring, sender, reader)


def complaints(receipt: Receipt) -> set[str]:
    """Every rule a receipt says was broken."""
    aside = {one.rule for channel in receipt.channels for one in channel.quarantined}
    return aside | {one.rule for one in receipt.refused}


def set_aside_at(city: Federation, place: str) -> dict[str, tuple[str, str]]:
    """What stands in quarantine: name of the bytes -> (rule, reason)."""
    raw, event = table_of(QuarantineRow).c, table_of(EventRow).c
    rows = city[place].read(
        lambda session: [
            *session.execute(select(raw.sha, raw.rule, raw.reason)),
            *session.execute(
                select(event.hash, event.rule, event.reason).where(event.state == "quarantined")
            ),
        ]
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def strictly(value: Any) -> bytes:
    """`strict.dumps`, for what the honest program would write."""
    return strict.dumps(value)
