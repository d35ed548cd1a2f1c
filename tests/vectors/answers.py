"""What today's code answers to each question of the vectors: one function a `check`, in the words of `expect`.

A refusal is the code alone, as text; where the code has no number, "refused".
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from protocol import blobs, dsse, receipts, strict
from protocol.catalogue import Catalogue, document_hash
from protocol.certificates import KeyRing, instant
from protocol.dsse import sha256, unb64
from protocol.editions import open_catalogue, read_edition
from protocol.envelope import read_event
from protocol.errors import EnvelopeError, ProtocolError
from protocol.evidence import examine
from protocol.lifecycle import Case, Step, advance, begin
from protocol.messages import STEPS, read_body
from protocol.places import Code, Place, Tier
from protocol.roster import Roster
from protocol.routing import check_filing, hand_over, route
from protocol.sealed import binding, open_sealed
from protocol.verify import open_parcel, prove
from tests.vectors import channels
from tests.vectors.frozen import Frozen, Json, joined
from tests.vectors.tables import MODELS

Answer = Any


class Answers:
    """Answers with the cast file at hand."""

    def __init__(self, cast: Json) -> None:
        self.cast = cast
        self.lines: dict[str, str] = cast["lines"]
        self._ask: Mapping[str, Callable[[Json], Answer]] = {
            "line": self.line,
            "signed": self.signed,
            "root": self.root,
            "admit": self.admit,
            "event": self.event,
            "body": self.body,
            "parcel": self.parcel,
            "prove": self.prove,
            "receipt": self.receipt,
            "ask": self.ask_of,
            "piece": self.piece,
            "blob": self.blob,
            "sealed": self.sealed,
            "channel": self.channel,
            "life": self.life,
            "tries": self.tries,
            "edition": self.edition,
            "routes": self.routes,
            "evidence": self.evidence,
        }

    def ask(self, vector: Json) -> Answer:
        """The verdict on one vector."""
        try:
            return self._ask[vector["check"]](vector)
        except EnvelopeError as wrong:
            return wrong.rule
        except ProtocolError:
            return "refused"

    def raw(self, vector: Json, name: str = "raw") -> bytes:
        return joined(vector[name], self.lines)

    def ring(self, vector: Json) -> KeyRing:
        ring = KeyRing(self.lines["root"].encode())
        for one in vector["ring"]:
            ring.admit(self.lines[one].encode() if isinstance(one, str) else joined(one, self.lines))
        return ring

    def line(self, vector: Json) -> Answer:
        strict.loads(self.raw(vector))
        return "ok"

    def signed(self, vector: Json) -> Answer:
        found = dsse.read(self.raw(vector), vector["type"], vector["most"])
        return {"payload": sha256(found.payload), "pae": sha256(found.signed_bytes())}

    def root(self, vector: Json) -> Answer:
        return KeyRing(self.raw(vector)).root.fingerprint

    def admit(self, vector: Json) -> Answer:
        ring = self.ring(vector)
        found = ring.admit(self.raw(vector))
        return {
            "place": found.place,
            "generation": found.generation,
            "fingerprint": found.fingerprint,
            "current": ring.current(found.place) is found,
        }

    def event(self, vector: Json) -> Answer:
        return read_event(self.raw(vector)).hash

    def body(self, vector: Json) -> Answer:
        read_body(MODELS[vector["kind"]], vector["body"])  # type: ignore[type-var]
        return "ok"

    def parcel(self, vector: Json) -> Answer:
        ring = self.ring(vector)
        opened = open_parcel(
            self.raw(vector), ring, vector["me"], instant(vector["now"]), vector.get("source")
        )
        return {
            "statement": opened.statement.hash,
            "verified": [one.event.hash for one in opened.verified],
            "refused": [[sha256(one.line), one.rule] for one in opened.refused],
        }

    def prove(self, vector: Json) -> Answer:
        return prove(self.raw(vector, "event"), self.raw(vector, "statement"), self.ring(vector)).event.hash

    def receipt(self, vector: Json) -> Answer:
        found = receipts.read(self.raw(vector), self.ring(vector), vector["me"], vector.get("source"))
        return {"frm": found.frm, "hello": found.hello, "upto": {one.ep: one.upto for one in found.channels}}

    def ask_of(self, vector: Json) -> Answer:
        found = blobs.read_ask(self.raw(vector), self.ring(vector), vector["me"], vector["source"])
        return {"blob": found.blob, "ranges": [list(one) for one in found.ranges], "piece": found.piece}

    def piece(self, vector: Json) -> Answer:
        found = blobs.read_piece(self.raw(vector), self.ring(vector), vector["me"], vector["source"])
        return {"blob": found.blob, "at": found.at, "bytes": len(found.data), "none": found.none}

    def blob(self, vector: Json) -> Answer:
        raw, at = self.raw(vector), 0

        def read(count: int) -> bytes:
            nonlocal at
            at += count
            return raw[at - count : at]

        return sha256(b"".join(blobs.decipher(read, unb64(vector["key"]))))

    def sealed(self, vector: Json) -> Answer:
        event = read_event(self.raw(vector))
        own = X25519PrivateKey.from_private_bytes(unb64(self.cast["seal_keys"][vector["who"]]))
        bound = binding(event.id, event.frm, event.kind, event.case.no if event.case else "")
        return open_sealed(event.enc or {}, self.cast["places"][vector["who"]], own, bound)

    def channel(self, vector: Json) -> Answer:
        deliveries = [(source, joined(raw, self.lines)) for source, raw in vector["deliveries"]]
        return channels.answer(Frozen(), deliveries)

    def life(self, vector: Json) -> Answer:
        case: Case | None = None
        told = []
        for at, one in enumerate(vector["steps"], 1):
            try:
                case = fold(case, vector["no"], at, one)
                told.append(f"{case.state} {case.speaker or '-'} {case.holder}")
            except EnvelopeError as wrong:
                told.append(wrong.rule)
            except ProtocolError:
                told.append("refused")
        return told

    def tries(self, vector: Json) -> Answer:
        case: Case | None = None
        for one in vector["steps"]:
            case = fold(case, vector["no"], (case.n if case else 0) + 1, one)
        assert case is not None
        found: dict[str, dict[str, str]] = {}
        for kind, body in vector["bodies"].items():
            for by in vector["by"]:
                try:
                    after = fold(
                        case, vector["no"], case.n + 1, {"kind": kind, "frm": by, "cat": 2, "body": body}
                    )
                except ProtocolError:
                    continue
                found.setdefault(kind, {})[by] = f"{after.state} {after.speaker or '-'}"
        return found

    def edition(self, vector: Json) -> Answer:
        found = self.opened(vector)
        return {"number": found.edition, "items": [one.id for one in found]}

    def opened(self, vector: Json) -> Catalogue:
        edition = read_edition(vector["edition"].encode())
        documents = {document_hash(one.encode()): one.encode() for one in vector["documents"]}
        by_key = {key: documents[name] for key, name in edition.documents.items() if name in documents}
        return open_catalogue(edition, by_key)

    def routes(self, vector: Json) -> Answer:
        catalogue = self.opened(vector)
        roster = Roster(
            Place(Code(one["code"]), one["name"], Tier(one["tier"]), one["parent"])
            for one in vector["places"]
        )
        return [_routed(catalogue, roster, one) for one in vector["questions"]]

    def evidence(self, vector: Json) -> Answer:
        found = examine(self.raw(vector), vector.get("root"))
        return {
            "problems": sorted([one.line, one.rule] for one in found.problems),
            "state": f"{found.case.state} {found.case.n}" if found.case else "",
            "told": len(found.story),
        }


def fold(case: Case | None, no: str, n: int, one: Json) -> Case:
    """The case after a step of a vector: step n is named by the SHA-256 of the digits of n."""
    step = Step(
        kind=one["kind"],
        frm=one["frm"],
        no=no,
        n=one.get("n", n if case is None else case.n + 1),
        prev=one.get("prev", sha256(str(case.n).encode()) if case else ""),
        hash=sha256(str(n if case is None else case.n + 1).encode()),
        edition=one["cat"],
        body=read_body(STEPS[one["kind"]], one["body"]),
        at=instant("2026-03-02T01:00:00.000Z"),
    )
    return begin(step) if case is None else advance(case, step)


def _routed(catalogue: Catalogue, roster: Roster, one: Json) -> str:
    on = date.fromisoformat(one["on"])
    accepted = date.fromisoformat(one["accepted"]) if one.get("accepted") else None
    try:
        if one.get("file"):
            check_filing(_item(catalogue, one["item"]), roster[one["place"]], by_agent=one["file"] == "agent")
            return "ok"
        way = route(catalogue, roster, one["item"], one["place"], on, accepted)
        if one.get("to"):
            hand_over(
                catalogue, roster, one["item"], one["place"], one["holder"], one["to"], on, accepted=accepted
            )
            return "ok"
    except ProtocolError:
        return "refused"
    return f"{way.receives.code} {way.decides.code}"


def _item(catalogue: Catalogue, item_id: str) -> Any:
    found = catalogue.get(item_id)
    if found is None:
        raise ProtocolError(item_id)
    return found
