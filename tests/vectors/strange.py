"""Strange variants of the vectors, drawn from a seed: what both verifiers must answer alike, though nobody foresaw it."""

import copy
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from protocol import strict
from protocol.blobs import ASK, PIECE
from protocol.dsse import CERTIFICATE, RECEIPT, STATEMENT, b64, sha256
from protocol.envelope import parcel
from tests.vectors import city, lives, wire
from tests.vectors.cast import COUNTY, TOWNSHIP, VILLAGE
from tests.vectors.frozen import Frozen, Json, keyed, lean, lines_of, parts, signed
from tests.vectors.spoken import RING, Spoken

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 7, 2**31 - 1, 2**31, 2**53 - 1, "", "0", "1", "a", "A", " ", "é", "\u0085", "\ufeff"),
    *("😀", "x" * 41, "x" * 65, "x" * 201, "x" * 501, [], [[]], ["a"], ["a", "a"], [1, 2], {}, {"a": 1}),
    *("a" * 64, "A" * 64, "0" * 64, VILLAGE, TOWNSHIP, "000000000000", "case.filed", "case.taken", "report.daily"),
    *("2026-03-02", "2026-02-29", "2028-02-29", "0000-01-01", "0001-01-01", "9999-12-31", "10000-01-01", "1772409600"),
    *("2026-03-02T01:00:00.000Z", "2026-03-02T24:00:00.000Z", "0001-01-01T00:00:00.000Z", "2026-03-02T01:00:00.000z"),
    *("同意", "不同意", "超时默许", "工作日", "Ed25519", "_", "-", "é.b", "a.b", "a.b\n", "＃", "2026-03-02\n", "_8=="),
)  # fmt: skip
"""Values to put where another is expected."""


def bent(draw: Random, value: Any) -> Any:
    """The value with one thing in it changed, somewhere."""
    found = copy.deepcopy(value)
    spots = list(_spots(found))
    holder, at = draw.choice(spots)
    match draw.randrange(5):
        case 0:
            del holder[at]
        case 1 if isinstance(holder, dict):
            holder[draw.choice(("zz", "v", "to", "n", "__proto__", "1"))] = draw.choice(ODD)
        case 2 if isinstance(holder, list):
            holder.insert(at, copy.deepcopy(holder[at]))
        case 3 if type(holder[at]) is str and holder[at]:
            holder[at] = _nudged(draw, holder[at])
        case _:
            holder[at] = draw.choice(ODD)
    return found


def _nudged(draw: Random, text: str) -> str:
    at = draw.randrange(len(text))
    return (
        text[:at] + draw.choice(("", "0", "9", "f", "F", "_", "٣", " ", "\n", text[at] * 2)) + text[at + 1 :]
    )


def _spots(value: Any) -> Iterator[tuple[Any, Any]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for at, one in list(inner):
        yield value, at
        if isinstance(one, dict | list):
            yield from _spots(one)


def spoilt(draw: Random, raw: bytes) -> bytes:
    """The bytes with one to three of them changed, lost, doubled or put in."""
    found = bytearray(raw)
    for _ in range(draw.randint(1, 3)):
        at = draw.randrange(len(found)) if found else 0
        match draw.randrange(4):
            case 0 if found:
                found[at] ^= 1 << draw.randrange(8)
            case 1 if found:
                del found[at]
            case 2:
                found[at:at] = found[at : at + draw.randint(1, 40)]
            case _:
                found[at:at] = draw.choice(
                    (b" ", b"\n", b"\\", b'"', b"{", b"]", b"0", b"-", b".", b"e1", b"\xff", b"\\u0000", b",")
                )
    return bytes(found)


class Strange:
    """Draws questions; ask each of both verifiers."""

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed)
        self.cast = Frozen()
        self.lines = lines_of(self.cast)
        self.said = Spoken(self.cast)
        self.evidence = city.evidence_file(Frozen())
        self.plain = [one["raw"][0].encode() for one in wire.json_lines() if isinstance(one["raw"][0], str)]
        self.receipts = next(iter(wire.receipt_lines(self.cast)))["raw"][0].encode()
        self.paths = [path for path in lives.PATHS.values() if len(path) > 1]
        self.whole = [one["steps"] for one in lives.lives()]

    def questions(self, count: int) -> Iterator[Json]:
        """So many, of every kind."""
        ways: tuple[Callable[[], Json], ...] = (
            self.line, self.event, self.body, self.certificate, self.statement, self.posted, self.receipt,
            self.life, self.life, self.walk, self.file, self.routes, self.edition, self.sealed, self.material,
        )  # fmt: skip
        for at in range(count):
            yield {"name": f"strange {at}", **ways[at % len(ways)]()}

    def line(self) -> Json:
        return {"check": "line", "raw": parts(spoilt(self.draw, self.draw.choice(self.plain)))}

    def _some_event(self) -> bytes:
        said = self.said
        return self.draw.choice((said.filed, said.asked, said.bill, said.report, said.sealed))

    def event(self) -> Json:
        raw = self._some_event()
        if self.draw.random() < 0.5:
            return {"check": "event", "raw": parts(spoilt(self.draw, raw))}
        return {"check": "event", "raw": parts(strict.dumps(bent(self.draw, strict.loads(raw))))}

    def body(self) -> Json:
        kind, body = self.draw.choice(list(lives.SAMPLES.items()))
        return {"check": "body", "kind": kind, "body": bent(self.draw, body)}

    def certificate(self) -> Json:
        name, upper = self.draw.choice((("village", "township"), ("township", "county"), ("city", "root")))
        payload = bent(self.draw, wire.fields_of(self.lines[name]))
        ring = {"village": ["city", "county", "township"], "township": ["city", "county"], "city": []}[name]
        signers = [
            keyed(self.cast, upper),
            *self.draw.choices(
                [keyed(self.cast, "county"), keyed(self.cast, "village")], k=self.draw.randrange(3)
            ),
        ]
        if self.draw.random() < 0.3:
            ring = [*ring, name]
        return {"check": "admit", "ring": ring, "raw": parts(signed(CERTIFICATE, payload, *signers))}

    def statement(self) -> Json:
        own = keyed(self.cast, "village")
        payload = {
            "v": 1, "frm": VILLAGE, "cert": own[0], "iat": "2026-03-02T01:00:00.000Z",
            "events": [sha256(self.said.filed), sha256(self.said.asked)],
        }  # fmt: skip
        raw = parcel(signed(STATEMENT, bent(self.draw, payload), own), [self.said.filed, self.said.asked])
        return self._parcel(raw)

    def _parcel(self, raw: bytes) -> Json:
        return {
            "check": "parcel", "ring": RING, "me": TOWNSHIP, "now": "2026-03-02T01:00:00.000Z", "source": VILLAGE,
            "raw": lean(raw, self.lines),
        }  # fmt: skip

    def posted(self) -> Json:
        """Rightly signed, and strange within; or spoilt on the way."""
        chain = self.cast.chain(VILLAGE) if self.draw.random() < 0.3 else []
        if self.draw.random() < 0.4:
            return self._parcel(
                spoilt(self.draw, self.cast.parcel(VILLAGE, self.said.filed, self.said.asked, chain=chain))
            )
        events = [strict.dumps(bent(self.draw, strict.loads(self._some_event()))) for _ in range(3)]
        return self._parcel(self.cast.parcel(VILLAGE, *dict.fromkeys(events), chain=chain))

    def receipt(self) -> Json:
        payload = bent(self.draw, wire.fields_of(self.receipts[:-1]))
        raw = signed(RECEIPT, payload, keyed(self.cast, "township")) + b"\n"
        found = {"check": "receipt", "ring": RING[:3], "me": VILLAGE, "source": TOWNSHIP, "raw": parts(raw)}
        return (
            found if self.draw.random() < 0.8 else {**found, "raw": parts(spoilt(self.draw, self.receipts))}
        )

    def sealed(self) -> Json:
        event = strict.loads(self.said.sealed)
        enc = bent(self.draw, event["enc"])
        if self.draw.random() < 0.3:
            key = self.draw.choice(event["enc"]["keys"])
            enc = {
                **event["enc"],
                "keys": [{**key, "key": b64(self.draw.randbytes(self.draw.choice((0, 16, 31, 32, 48, 80))))}],
            }
        who = self.draw.choice(("village", "township"))
        return {"check": "sealed", "who": who, "raw": parts(strict.dumps({**event, "enc": enc}))}

    def material(self) -> Json:
        """An ask or a piece."""
        asked = self.draw.random() < 0.5
        own = keyed(self.cast, "village" if asked else "township")
        ask = {
            "v": 1, "frm": VILLAGE, "to": TOWNSHIP, "iat": "2026-03-02T01:00:00.000Z", "no": lives.NO,
            "blob": "a" * 64, "ranges": [[0, 100], [200, 300]], "piece": 65536,
        }  # fmt: skip
        piece = {"v": 1, "frm": TOWNSHIP, "to": VILLAGE, "blob": "a" * 64, "at": 200, "sha256": sha256(b"")}
        payload = bent(self.draw, ask if asked else {**piece, "none": "later"})
        raw = signed(ASK if asked else PIECE, payload, own) + b"\n"
        raw = raw if self.draw.random() < 0.8 else spoilt(self.draw, raw)
        source, me = (VILLAGE, TOWNSHIP) if asked else (TOWNSHIP, VILLAGE)
        return {
            "check": "ask" if asked else "piece", "ring": RING, "me": me, "source": source, "raw": parts(raw),
        }  # fmt: skip

    def life(self) -> Json:
        steps = copy.deepcopy(self.draw.choice(self.whole))
        one = self.draw.choice(steps)
        one["body"] = bent(self.draw, one["body"])
        return {"check": "life", "no": lives.NO, "steps": steps}

    def walk(self) -> Json:
        """From a state on, any step by anybody."""
        steps = [*self.draw.choice(self.paths)]
        for _ in range(12):
            kind = self.draw.choice(list(lives.BODIES))
            frm = self.draw.choice((TOWNSHIP, TOWNSHIP, VILLAGE, COUNTY))
            day = f"2026-03-{self.draw.randint(1, 20):02}"
            steps.append(
                lives.step(
                    kind, frm, self.draw.randint(1, 3), **({"on": day} if self.draw.random() < 0.3 else {})
                )
            )
        return {"check": "life", "no": lives.NO, "steps": steps}

    def routes(self) -> Json:
        """Any items under any deeds in any tree."""
        draw = self.draw
        levels = [draw.sample((3, 4, 5, 6), draw.randint(1, 4)) for _ in range(4)]
        items = [
            city.item(
                f"I{at}", draw.choice(some), some, item_type={"code": draw.choice(("01", "07")), "name": "x"},
                devolution={"form": draw.choice(("本级行使", "法定下级受理"))},
                status=draw.choice(("在用", "在用", "暂停")), proxy_allowed=draw.random() < 0.5,
                village_mode=draw.choice((None, "直办", "代办", "告知")),
            )
            for at, some in enumerate(levels)
        ]  # fmt: skip
        codes = [place["code"] for place in city.PLACES]
        deeds = [self._deed(at, codes) for at in range(draw.randint(0, 12))]
        whole, documents = city.edition(items, deeds)
        questions = []
        for _ in range(40):
            one: Json = {"item": f"I{draw.randrange(4)}", "place": draw.choice(codes), "on": self._day()}
            match draw.randrange(4):
                case 0:
                    one["accepted"] = self._day()
                case 1:
                    one |= {"holder": draw.choice(codes), "to": draw.choice(codes)}
                case 2 if draw.random() < 0.3:
                    one["file"] = draw.choice(("agent", "window"))
            questions.append(one)
        return {
            "check": "routes", "edition": whole, "documents": documents, "places": city.PLACES, "questions": questions,
        }  # fmt: skip

    def edition(self) -> Json:
        """A document bent, and an edition that names it rightly."""
        items, deeds = list(city.ITEMS), list(city.DEEDS)
        bend = self.draw.choice((items, deeds))
        at = self.draw.randrange(len(bend))
        bend[at] = {**bent(self.draw, bend[at]), "id": bend[at]["id"]}
        whole, documents = city.edition(items, deeds)
        return {"check": "edition", "edition": whole, "documents": documents}

    def _day(self) -> str:
        return f"2026-{self.draw.randint(1, 6):02}-{self.draw.choice((1, 15)):02}"

    def _deed(self, at: int, codes: list[str]) -> Json:
        draw = self.draw
        giver = draw.choice(codes)
        to = [one for one in draw.sample(codes, 2) if one != giver]
        about: Json = {"to": to} if draw.random() < 0.6 else {"to_every": draw.choice((4, 5, 6))}
        until = {"until": "2026-12-31"} if draw.random() < 0.3 else {}
        return city.deed(
            f"D{at}", f"I{draw.randrange(4)}", draw.choice(("下放", "收回", "委托")), giver, self._day(), **about, **until,
            in_flight=draw.choice(("stay", "move")), power=draw.choice(("decide", "decide", "accept")),
        )  # fmt: skip

    def file(self) -> Json:
        return {"check": "evidence", "raw": lean(spoilt(self.draw, self.evidence), self.lines)}
