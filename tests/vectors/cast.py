"""The cast of the vectors: five places of one city with fixed keys, and what each of them says in one case.

The keys are no secret: they are the SHA-256 of their own names. Nothing outside tests may trust their root.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from hub.authority import certify_all, root
from protocol.certificates import Certificate, KeyRing
from protocol.dsse import sha256 as name_of
from protocol.envelope import CaseRef, parcel, sign, write_event
from protocol.identity import make_case_no
from protocol.keys import Keys
from protocol.places import Code, Place, Tier
from protocol.roster import Roster
from protocol.sealed import binding, seal

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
CITY, COUNTY, TOWNSHIP = Code("640200000000"), Code("640221000000"), Code("640221100000")
VILLAGE, NEIGHBOUR = Code("640221100001"), Code("640221100002")
LINE = (TOWNSHIP, COUNTY, CITY)
"""Who hears a step of the village beside itself."""

ROSTER = Roster(
    [
        Place(CITY, "石嘴山市", Tier.CITY, None),
        Place(COUNTY, "平罗县", Tier.COUNTY, CITY),
        Place(TOWNSHIP, "城关镇", Tier.TOWNSHIP, COUNTY),
        Place(VILLAGE, "永安社区", Tier.VILLAGE, TOWNSHIP),
        Place(NEIGHBOUR, "文化社区", Tier.VILLAGE, TOWNSHIP),
    ]
)


def keys_of(name: str) -> Keys:
    """The two pairs that belong to a name."""
    return Keys(
        Ed25519PrivateKey.from_private_bytes(sha256(f"liandong vector sign {name}".encode()).digest()),
        X25519PrivateKey.from_private_bytes(sha256(f"liandong vector seal {name}".encode()).digest()),
    )


@dataclass
class Cast:
    """Everybody, with certificates; numbers events as a node does."""

    roster: Roster = ROSTER
    now: datetime = NOW
    said: dict[bytes, str] = field(default_factory=dict)
    """Every event line, and by whom."""

    def __post_init__(self) -> None:
        born = NOW - timedelta(days=1)
        self.keys = {place.code: keys_of(place.code) for place in self.roster}
        self.root_keys = keys_of("root")
        self.anchor = root(self.root_keys, self.roster, born)
        self.certificates = certify_all(self.roster, self.keys, self.anchor, self.root_keys, born)
        self._seqs: dict[tuple[str, str], int] = {}
        self._ids = count(1)

    def ring(self, *places: str) -> KeyRing:
        """A ring that trusts the root and these places (everybody, if none is named)."""
        found = KeyRing(self.anchor.line)
        for place in self.roster.subtree(self.roster.city.code):
            if not places or place.code in places:
                found.admit(self.certificates[place.code].line)
        return found

    def chain(self, place: str) -> list[bytes]:
        """The certificate lines from the city down to a place."""
        return [self.certificates[one.code].line for one in reversed(self.roster.line(place))]

    def case_no(self, serial: int = 1, place: str = VILLAGE) -> str:
        return make_case_no(place, self.now.date(), serial)

    def say(
        self,
        place: str,
        kind: str,
        body: dict[str, Any],
        to: Iterable[str],
        *,
        case: CaseRef | None = None,
        private: dict[str, Any] | None = None,
        parties: Sequence[str] = (),
        ep: str = "",
    ) -> bytes:
        """One event line."""
        id = UUID(f"019cabcd-0000-7000-8000-{next(self._ids):012x}")  # noqa: A001
        readers = []
        for one in to:
            number = self._seqs[place, one] = self._seqs.get((place, one), 0) + 1
            readers.append((one, number))
        enc = None
        if private is not None:
            bound = binding(str(id), place, kind, case.no if case else "")
            enc = seal(private, [self.certificates[Code(one)] for one in (place, *parties)], bound)
        raw = write_event(
            id=id,
            kind=kind,
            frm=place,
            ep=ep or f"epoch-of-{place}",
            to=readers,
            iat=self.now,
            cat=1,
            cls="internal" if private is None else "personal",
            body=body,
            case=case,
            enc=enc,
        )
        self.now += timedelta(minutes=1)
        self.said[raw] = place
        return raw

    def step(self, place: str, kind: str, after: bytes | None, no: str, n: int, **body: Any) -> bytes:
        """A step of a case, heard by everybody in its line."""
        ref = CaseRef(no, n, name_of(after) if after else "")
        listed = [one for one in (VILLAGE, *LINE) if one != place]
        return self.say(place, kind, {"on": "2026-03-02", "by": "工号01", **body}, listed, case=ref)

    def statement(self, place: str, *events: bytes) -> bytes:
        """A statement over these lines."""
        made = sign([name_of(one) for one in events], self.keys[Code(place)], self.cert(place), self.now)
        return made.line

    def parcel(self, place: str, *events: bytes, chain: Iterable[bytes] = ()) -> bytes:
        return parcel(self.statement(place, *events), events, chain)

    def cert(self, place: str) -> Certificate:
        return self.certificates[Code(place)]


def a_life(cast: Cast, serial: int = 1) -> list[tuple[str, bytes]]:
    """A case filed at the village, taken by the township, reported to the county, taken, and withdrawn there."""
    no = cast.case_no(serial)
    filed = cast.step(VILLAGE, "case.filed", None, no, 1, item="SZS-001", to=TOWNSHIP)
    taken = cast.step(TOWNSHIP, "case.taken", filed, no, 2)
    up = cast.step(TOWNSHIP, "case.forwarded", taken, no, 3, to=COUNTY, why="由县级决定")
    there = cast.step(COUNTY, "case.taken", up, no, 4)
    asked = cast.say(VILLAGE, "case.withdrawal_asked", {"on": "2026-03-02", "by": "工号01", "no": no}, LINE)
    gone = cast.step(COUNTY, "case.withdrawn", there, no, 5, submission=name_of(asked))
    return [
        (VILLAGE, filed),
        (TOWNSHIP, taken),
        (TOWNSHIP, up),
        (COUNTY, there),
        (COUNTY, gone),
        (VILLAGE, asked),
    ]
