"""Questions about events, skeletons and parcels."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from protocol import strict
from protocol.certificates import write_instant
from protocol.dsse import STATEMENT, sha256
from protocol.envelope import MAX_EVENT, parcel
from protocol.sealed import binding
from tests.vectors.cast import CITY, COUNTY, LINE, NEIGHBOUR, NOW, TOWNSHIP, VILLAGE
from tests.vectors.frozen import Frozen, Json, keyed, parts, sealed, signed, stranger

ACT = {"on": "2026-03-02", "by": "工号01"}
RING = ["city", "county", "township", "village"]
DAY = timedelta(days=1)


class Spoken:
    """What the village has said: an event of each family, and a case begun with a sealed part."""

    def __init__(self, cast: Frozen) -> None:
        no, say = cast.case_no(), cast.say
        self.filed = cast.step(VILLAGE, "case.filed", None, no, 1, item="SZS-001", to=TOWNSHIP, agent=True)
        self.asked = say(VILLAGE, "case.withdrawal_asked", {**ACT, "no": no}, LINE)
        self.bill = say(
            TOWNSHIP,
            "fee.bill",
            {**ACT, "no": no, "bill": "B1", "amount": 0, "item": "SZS-001", "name": "工本费", "full": 500,
             "clause": "减免", "lines": [{"rate": "每证5元", "price": 500}], "payee": "财政专户"},
            (VILLAGE, COUNTY, CITY),
        )  # fmt: skip
        self.told = say(VILLAGE, "agency.finished", {**ACT, "no": no}, LINE)
        self.report = say(
            VILLAGE,
            "report.daily",
            {"on": "2026-03-02", "edition": 1, "events": 4, "totals": {"SZS-001": {"filed": 1}}},
            LINE,
        )
        self.sealed = _with_sealed(cast)


def _with_sealed(cast: Frozen) -> bytes:
    no = cast.case_no(2)
    plain = strict.loads(cast.step(VILLAGE, "case.filed", None, no, 1, item="SZS-001", to=TOWNSHIP))
    bound = binding(plain["id"], VILLAGE, "case.filed", no)
    content = {"applicant": {"name": "王小明", "phone": "13800000000"}, "files": []}
    enc = sealed(content, [cast.cert(VILLAGE), cast.cert(TOWNSHIP)], bound)
    return strict.dumps({**plain, "cls": "personal", "enc": enc})


def events(cast: Frozen, spoken: Spoken) -> Iterator[Json]:
    """P-8 and P-1, one change at a time."""
    for name in ("filed", "asked", "bill", "told", "report", "sealed"):
        yield _event(f"{name}, as said", getattr(spoken, name))
    good = strict.loads(spoken.filed)
    for name, change in _changes(good).items():
        yield _event(name, strict.dumps({**good, **change}))
    for field in ("v", "id", "to", "cls", "body", "case"):
        yield _event(
            f"without {field}", strict.dumps({name: one for name, one in good.items() if name != field})
        )
    yield _event("other order of fields", strict.dumps(dict(reversed(good.items()))))
    room = MAX_EVENT - len(strict.dumps({**good, "body": {"x": ""}}))
    for name, more in (("65536 bytes", 0), ("65537 bytes", 1)):
        raw = strict.dumps({**good, "body": {"x": ""}}).decode()
        head, tail = raw.split('"x":""')
        yield {
            "name": name, "check": "event",
            "raw": [head + '"x":"', {"of": "x", "times": room + more}, '"' + tail],
        }  # fmt: skip
    yield _event("a fraction", spoken.filed.replace(b'"cat":1', b'"cat":1.0'))
    yield _event("white space", spoken.filed.replace(b'"cat":1', b'"cat": 1'))
    yield _event("a duplicate key", spoken.filed.replace(b'"cat":1', b'"cat":1,"cat":1'))
    yield _event("not UTF-8", spoken.filed.replace("工".encode(), b"\xb9\xa4"))
    yield _event("nested too deep", strict.dumps({**good, "body": _deep(16)}))
    yield _event("nested as deep as may be", strict.dumps({**good, "body": _deep(15)}))


def _deep(levels: int) -> Any:
    found: Any = 1
    for _ in range(levels):
        found = {"a": found}
    return found


def _event(name: str, raw: bytes) -> Json:
    return {"name": name, "check": "event", "raw": parts(raw)}


def _changes(good: Json) -> dict[str, Json]:
    to, case = good["to"], good["case"]
    return {
        "version 2": {"v": 2},
        "version true": {"v": True},
        "a further field": {"more": 1},
        "id in capitals": {"id": good["id"].upper()},
        "id that is no text": {"id": 1},
        "kind without a point": {"kind": "filed"},
        "kind with a digit": {"kind": "case.filed2"},
        "sender of eleven digits": {"frm": VILLAGE[:11]},
        "sender in full-width digits": {"frm": "６４０２２１１００００１"},
        "epoch of 64": {"ep": "e" * 64},
        "epoch of 65": {"ep": "e" * 65},
        "epoch with a point": {"ep": "a.b"},
        "readers as an object": {"to": {}},
        "no reader": {"to": []},
        "a place twice": {"to": [*to, to[0]]},
        "sequence 0": {"to": [{"place": CITY, "seq": 0}]},
        "greatest sequence": {"to": [{"place": CITY, "seq": 2**31 - 1}]},
        "sequence beyond the greatest": {"to": [{"place": CITY, "seq": 2**31}]},
        "sequence true": {"to": [{"place": CITY, "seq": True}]},
        "reader with a further field": {"to": [{"place": CITY, "seq": 1, "x": 1}]},
        "reader as a list": {"to": [[CITY, 1]]},
        "reader in another order": {"to": [{"seq": 1, "place": CITY}]},
        "65 readers": {"to": [{"place": f"6402{n:08}", "seq": 1} for n in range(65)]},
        "64 readers": {"to": [{"place": f"6402{n:08}", "seq": 1} for n in range(64)]},
        "time with an offset": {"iat": "2026-03-02T09:00:00.000+08:00"},
        "leap day of no leap year": {"iat": "2026-02-29T01:00:00.000Z"},
        "leap day": {"iat": "2028-02-29T23:59:59.999Z"},
        "second 60": {"iat": "2026-03-02T01:00:60.000Z"},
        "edition 0": {"cat": 0},
        "edition -1": {"cat": -1},
        "edition as text": {"cat": "1"},
        "another class": {"cls": "secret"},
        "a body that is a list": {"body": []},
        "a sealed part that is null": {"enc": None},
        "a case that is null": {"case": None},
        "step 0": {"case": {**case, "n": 0}},
        "step 1 after something": {"case": {**case, "prev": "a" * 64}},
        "step 2 after nothing": {"case": {**case, "n": 2}},
        "step 2": {"case": {**case, "n": 2, "prev": "a" * 64}},
        "prev in capitals": {"case": {**case, "n": 2, "prev": "A" * 64}},
        "case number of 12": {"case": {**case, "no": VILLAGE}},
        "case number of 13": {"case": {**case, "no": VILLAGE + "A"}},
        "case number of 51": {"case": {**case, "no": VILLAGE + "1" * 39}},
        "case number in small letters": {"case": {**case, "no": VILLAGE + "a"}},
        "case number of no place": {"case": {**case, "no": "000000000000" + "1"}},
        "case with a further field": {"case": {**case, "x": 1}},
    }


def skeletons(samples: dict[str, Json]) -> Iterator[Json]:
    """P-14: every kind as it should be, with a field less, and with one of another type."""
    for kind, body in samples.items():
        yield _body(kind, kind, body)
        yield _body(f"{kind}: a field nobody knows", kind, {**body, "zz": 1})
        for field in body:
            yield _body(f"{kind}: {field} as a list of a list", kind, {**body, field: [[]]})
            yield _body(
                f"{kind}: without {field}", kind, {name: one for name, one in body.items() if name != field}
            )
    yield from _odd_values(samples)


def _body(name: str, kind: str, body: Json) -> Json:
    return {"name": name, "check": "body", "kind": kind, "body": body}


def _odd_values(samples: dict[str, Json]) -> Iterator[Json]:
    odd: dict[str, list[tuple[str, Any]]] = {
        "case.filed": [
            ("on", "1740009600"), ("on", "20260302"), ("on", "2026-02-30"), ("on", "0000-01-01"), ("on", 1),
            ("on", "2026-03-02T00:00:00"), ("by", "工" * 40), ("by", "工" * 41), ("by", "😀" * 40), ("by", None),
            ("to", "64022110000"), ("to", "000221100000"), ("agent", 1), ("agent", "true"), ("materials", -1),
            ("materials", 200), ("materials", 201), ("materials", "1"), ("materials", True),
            ("missing", [""]), ("missing", ["x"] * 61), ("missing", "x"), ("missing", None), ("why", "x" * 501),
        ],
        "case.taken": [("due", None), ("due", ""), ("received_on", "2026-3-2"), ("provisional", 0)],
        "case.accepted": [("item_hash", "A" * 64), ("clock", []), ("due", None), ("follow_up", None)],
        "case.not_accepted": [("ground", "别的"), ("ground", "")],
        "joint.visit": [("time", "24:00"), ("time", "9:00"), ("time", "0٣:00"), ("parts", [])],
        "case.joint_closed": [("minutes", [""]), ("answers", [{"part": "a", "outcome": "同意", "opinion": ""}]),
                              ("answers", [{"part": "a", "outcome": "好"}])],
        "agency.money": [("amount", 0), ("amount", 2**53 - 1)],
        "fee.bill": [("lines", []), ("amount", 10**12), ("amount", 10**12 + 1)],
        "report.daily": [("totals", {"a": 1}), ("totals", {"a": {"b": "1"}}), ("totals", {}), ("edition", -5)],
        "authorisation.update": [("approvers", ["a"]), ("approvers", ["a", "b", "c"]), ("powers", ["飞"]), ("powers", [])],
    }  # fmt: skip
    for kind, changes in odd.items():
        for at, (field, value) in enumerate(changes):
            yield _body(f"{kind}: {field}, odd value {at}", kind, {**samples[kind], field: value})


def parcels(cast: Frozen, spoken: Spoken) -> Iterator[Json]:
    """P-0, P-3, P-7 to P-13."""
    filed, asked, report = spoken.filed, spoken.asked, spoken.report
    chain = cast.chain(VILLAGE)
    yield _parcel("the example", cast.parcel(VILLAGE, asked))
    yield _parcel("three events", cast.parcel(VILLAGE, filed, asked, report))
    yield _parcel("with its chain", cast.parcel(VILLAGE, filed, chain=chain), ring=[])
    yield _parcel(
        "a part of what was signed", parcel(cast.statement(VILLAGE, filed, asked, report), [report])
    )
    yield _parcel("a statement alone", parcel(cast.statement(VILLAGE, filed), []))
    yield _parcel("from a file", cast.parcel(VILLAGE, filed), source=None)
    yield _parcel("a sealed part", cast.parcel(VILLAGE, spoken.sealed))
    yield from _broken(cast, filed, asked)
    yield from _events_refused(cast, filed, asked)
    yield from _times(cast, filed)
    for name, changes in _statements(cast, filed).items():
        payload = {
            "v": 1, "frm": VILLAGE, "cert": cast.cert(VILLAGE).fingerprint, "iat": write_instant(NOW),
            "events": [sha256(filed)], **changes,
        }  # fmt: skip
        line = signed(STATEMENT, payload, keyed(cast, "village"))
        yield _parcel(f"statement: {name}", parcel(line, [filed]))
    yield from _proofs(cast, filed, asked)


def _parcel(name: str, raw: bytes | list[Any], **given: Any) -> Json:
    found = {
        "name": name, "check": "parcel", "ring": RING, "me": TOWNSHIP, "now": write_instant(NOW), "source": VILLAGE,
        "raw": parts(raw) if isinstance(raw, bytes) else raw, **given,
    }  # fmt: skip
    return {name: one for name, one in found.items() if one is not None}


def _broken(cast: Frozen, filed: bytes, asked: bytes) -> Iterator[Json]:
    good = cast.parcel(VILLAGE, filed)
    statement = cast.statement(VILLAGE, filed)
    chain = b"".join(one + b"\n" for one in cast.chain(VILLAGE))
    yield _parcel("nothing", b"")
    yield _parcel("an empty line", b"\n")
    yield _parcel("without the last newline", good[:-1])
    yield _parcel("an empty line at the end", good + b"\n")
    yield _parcel("events before their statement", filed + b"\n" + statement + b"\n")
    yield _parcel("certificates alone", chain)
    yield _parcel("nine certificates", chain * 2 + cast.cert(VILLAGE).line + b"\n" + good)
    yield _parcel("eight certificates", chain * 2 + good)
    yield _parcel("65 events", [statement.decode() + "\n", {"of": "{}\n", "times": 65}])
    room = 256 * 1024 - len(good)
    yield _parcel("262145 bytes", [good.decode(), {"of": "x", "times": room}, {"lf": 1}])
    yield _parcel("262144 bytes", [good.decode(), {"of": "x", "times": room - 1}, {"lf": 1}])
    yield _parcel("an unknown certificate", good, ring=["city", "county", "township"])
    yield _parcel("a chain with a gap", chain.split(b"\n", 2)[2] + good, ring=[])
    own = keyed(cast, "village")
    payload = {
        "v": 1, "frm": VILLAGE, "cert": own[0], "iat": write_instant(NOW), "events": [sha256(filed)],
    }  # fmt: skip
    forged = signed(STATEMENT, payload, (own[0], stranger()))
    yield _parcel("signed by another key", parcel(forged, [filed]))
    yield _parcel("an altered statement", good.replace(b'"payload":"eyJ2Ijox', b'"payload":"eyJ2Ijoy'))
    yield _parcel("another's certificate named", good, source=NEIGHBOUR)
    as_town = signed(STATEMENT, {**payload, "frm": TOWNSHIP}, own)
    yield _parcel("relabelled: another sender than its certificate", parcel(as_town, [filed]))
    two = signed(STATEMENT, payload, own, own)
    yield _parcel("two signatures", parcel(two, [filed]))
    yield _parcel("a statement signed as a certificate", parcel(_as_certificate(payload, own), [filed]))


def _as_certificate(payload: Json, own: Any) -> bytes:
    made = signed("application/vnd.liandong.certificate+json;v=1", payload, own)
    return made.replace(b"certificate+json", b"statement+json")


def _statements(cast: Frozen, filed: bytes) -> dict[str, Json]:
    name = sha256(filed)
    return {
        "version 2": {"v": 2},
        "version true": {"v": True},
        "a further field": {"more": 1},
        "another certificate": {"cert": cast.cert(NEIGHBOUR).fingerprint},
        "time in other words": {"iat": "2026-03-02 01:00"},
        "no event": {"events": []},
        "an event twice": {"events": [name, name]},
        "65 events": {"events": [name, *(sha256(bytes([n])) for n in range(64))]},
        "64 events": {"events": [name, *(sha256(bytes([n])) for n in range(63))]},
        "a name in capitals": {"events": [name.upper()]},
        "a name that is no text": {"events": [1]},
        "names as an object": {"events": {}},
        "the wrong event": {"events": [sha256(b"x")]},
    }


def _events_refused(cast: Frozen, filed: bytes, asked: bytes) -> Iterator[Json]:
    good = cast.statement(VILLAGE, filed, asked)
    flipped = bytearray(filed)
    flipped[-10] ^= 1
    yield _parcel("an altered event beside a good one", parcel(good, [bytes(flipped), asked]))
    yield _parcel("an event twice", parcel(good, [filed, filed, asked]))
    yield _parcel("an event nobody signed", parcel(cast.statement(VILLAGE, asked), [filed, asked]))

    def said(name: str, change: Json, by: str = VILLAGE, **given: Any) -> Json:
        raw = strict.dumps({**strict.loads(filed), **change})
        return _parcel(name, cast.parcel(by, raw, asked) if by == VILLAGE else cast.parcel(by, raw), **given)

    other = strict.loads(filed)["case"]
    yield said("a fraction", {"cat": 1.5})
    yield said("a field too much", {"more": 1})
    yield said("another's act", {"frm": NEIGHBOUR})
    yield said("a power it has not", {"kind": "authorisation.update"})
    yield said("relabelled as a document of the city", {"kind": "catalogue.edition"})
    yield said("a kind nobody knows", {"kind": "case.flown"})
    yield said("a step without a case", {"kind": "report.daily"})
    yield said("outside its jurisdiction", {"case": {**other, "no": NEIGHBOUR + other["no"][12:]}})
    yield said("for others", {"to": [{"place": CITY, "seq": 1}]})
    yield said("for nobody", {"to": []})
    town = {"frm": TOWNSHIP, "kind": "case.taken", "case": {**other, "n": 2, "prev": sha256(filed)}}
    yield said("the township about its village", {**town, "to": [{"place": VILLAGE, "seq": 1}]}, TOWNSHIP,
               me=VILLAGE, source=TOWNSHIP)  # fmt: skip
    deed = {"key": "deed-1", "number": 1, "doc": "{}"}
    for name, to in (
        ("published for everybody", []),
        ("published, with readers", [{"place": TOWNSHIP, "seq": 1}]),
    ):
        raw = strict.dumps(
            {**strict.loads(asked), "frm": CITY, "kind": "catalogue.deed", "body": deed, "to": to}
        )
        yield _parcel(name, cast.parcel(CITY, raw), source=CITY)


def _times(cast: Frozen, filed: bytes) -> Iterator[Json]:
    good = cast.parcel(VILLAGE, filed)
    cert = cast.cert(VILLAGE)
    tick = timedelta(milliseconds=1)

    def at(name: str, now: datetime) -> Json:
        return _parcel(name, good, now=write_instant(now))

    yield at("seven days before its certificate", cert.not_before - 7 * DAY)
    yield at("earlier than seven days before its certificate", cert.not_before - 7 * DAY - tick)
    yield at("seven days after its certificate", cert.not_after + 7 * DAY)
    yield at("later than seven days after its certificate", cert.not_after + 7 * DAY + tick)


def _proofs(cast: Frozen, filed: bytes, asked: bytes) -> Iterator[Json]:
    statement = cast.statement(VILLAGE, filed)
    for name, event in (("proved alone", filed), ("not named", asked), ("altered", filed[:-1] + b" ")):
        yield {
            "name": f"proof: {name}", "check": "prove", "ring": RING, "statement": parts(statement), "event": parts(event),
        }  # fmt: skip
    stolen = strict.dumps({**strict.loads(filed), "frm": NEIGHBOUR})
    yield {
        "name": "proof: another's act", "check": "prove", "ring": RING,
        "statement": parts(cast.statement(VILLAGE, stolen)), "event": parts(stolen),
    }  # fmt: skip
