"""Questions about editions, deeds and routing, and the evidence file of one case."""

import json
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from protocol import dsse, strict
from protocol.catalogue import Edition, document
from protocol.dsse import Signature, sha256
from protocol.evidence import SEAL, Proof, write
from tests.vectors.cast import CITY, COUNTY, LINE, NEIGHBOUR, NOW, TOWNSHIP, VILLAGE, a_life
from tests.vectors.frozen import Frozen, Json, parts

ZONE, FARM = "640221999001", "640221400000"
"""A village directly under the county; a township without villages."""
PLACES = [
    {"code": CITY, "name": "石嘴山市", "tier": 3, "parent": None},
    {"code": COUNTY, "name": "平罗县", "tier": 4, "parent": CITY},
    {"code": TOWNSHIP, "name": "城关镇", "tier": 5, "parent": COUNTY},
    {"code": VILLAGE, "name": "永安社区", "tier": 6, "parent": TOWNSHIP},
    {"code": NEIGHBOUR, "name": "文化社区", "tier": 6, "parent": TOWNSHIP},
    {"code": ZONE, "name": "园区", "tier": 6, "parent": COUNTY},
    {"code": FARM, "name": "农场", "tier": 5, "parent": CITY},
]


def item(name: str, decision: int, levels: Sequence[int], **changes: Any) -> Json:
    """An item with all it must have; routing asks for little of it."""
    tiers = {3: "市", 4: "县", 5: "镇", 6: "村"}
    return {
        "id": name, "name": f"事项{name}", "basic_code": "1", "impl_code": "2", "handle_item_code": "3", "version": 1,
        "status": "在用", "item_type": {"code": "07", "name": "其他"},
        "exercise_levels": [{"code": one, "name": tiers[one]} for one in levels],
        "decision_level": {"code": decision, "name": tiers[decision]},
        "devolution": {"form": "本级行使"}, "village_mode": "代办", "proxy_allowed": True,
        "department": {"code": "NY", "name": "农业农村局"}, "window": {}, "case_kind": "承诺件",
        "seed_kind": "一般承诺", "statutory_limit": None, "promised_limit": {"value": 10, "unit": "工作日"},
        "legal_basis": "", "service_objects": [], "conditions": [], "materials": [], "fee": {"charge": False},
        "result": {"name": "批复", "type": "批文"}, "onsite_visits": 1, "cross_area": "无", "handling_forms": [],
        **changes,
    }  # fmt: skip


LICENCE = {"item_type": {"code": "01", "name": "行政许可"}}
ITEMS = [
    item("CITY", 3, [3]),
    item("COUNTY", 4, [4]),
    item("TOWN", 5, [4, 5]),
    item("TOWN-ONLY", 5, [5]),
    item("VILLAGE", 6, [5, 6], village_mode="直办"),
    item("LICENCE", 6, [5, 6], **LICENCE),
    item("LOWER", 4, [4], devolution={"form": "法定下级受理"}, village_mode="告知"),
    item("PERSONAL", 4, [4], proxy_allowed=False, village_mode="协办"),
    item("PAUSED", 4, [4], status="暂停"),
]


def deed(name: str, about: str, form: str, giver: str, effective: str, **changes: Any) -> Json:
    """A deed."""
    return {
        "id": name, "item": about, "form": form, "giver": giver, "effective": effective, "source": "文件",
        "approvers": ["甲", "乙"], **changes,
    }  # fmt: skip


DEEDS = [
    deed("D1", "TOWN", "下放", COUNTY, "2024-01-01", to_every=5),
    deed("D2", "TOWN", "收回", COUNTY, "2026-05-01", to=[TOWNSHIP]),
    deed("D3", "VILLAGE", "委托", TOWNSHIP, "2026-01-01", to=[VILLAGE], until="2026-06-30", in_flight="move"),
    deed("D4", "LICENCE", "委托", TOWNSHIP, "2026-01-01", to=[VILLAGE]),
    deed("D5", "COUNTY", "下放", COUNTY, "2026-01-01", to_every=5, power="accept"),
    deed("D6", "CITY", "赋权", CITY, "2026-04-01", to=[COUNTY]),
    deed("D7", "CITY", "赋权", COUNTY, "2026-05-01", to=[TOWNSHIP]),
    deed("D8", "TOWN-ONLY", "收回", CITY, "2026-02-01", to=[FARM]),
    deed("D9", "CITY", "收回", CITY, "2026-06-01", to=[COUNTY]),
]


def edition(items: Sequence[Json], deeds: Sequence[Json]) -> tuple[str, list[str]]:
    """The edition's document, and those it names."""
    documents = {f"item-{one['id']}": _canonical(one) for one in items}
    documents |= {f"deed-{one['id']}": _canonical(one) for one in deeds}
    made = Edition.of(7, date(2026, 3, 1), documents)
    return document(made).decode(), [raw.decode() for raw in documents.values()]


def _canonical(fields: Json) -> bytes:
    return strict.dumps(dict(sorted(fields.items())))


def editions() -> Iterator[Json]:
    """C-1."""
    whole, documents = edition(ITEMS, DEEDS)
    fields = strict.loads(whole.encode())
    yield _edition("whole", whole, documents)
    yield _edition("in another order, with more than it names", whole, [*documents[::-1], "{}"])
    yield _edition("a document missing", whole, documents[1:])
    yield _edition("a document altered", whole, [documents[0].replace("承诺件", "即办件"), *documents[1:]])
    yield _edition("another number under the same hash", _text({**fields, "number": 8}), documents)
    yield _edition("another day under the same hash", _text({**fields, "issued": "2026-03-02"}), documents)
    yield _edition("a day in other words", _text({**fields, "issued": "1772323200"}), documents)
    yield _edition("less under the same hash", _text({**fields, "documents": {}}), documents)
    yield _edition("an edition that is not compact", whole.replace(":", ": ", 1), documents)
    first, given = ITEMS[0], DEEDS[0]
    step = {"key": "a", "name": "规划", "department": {"code": "ZR", "name": "自然资源局"}, "workdays": 5}
    bundle = {
        "id": "B",
        "name": "联办",
        "lead": {"code": "NY", "name": "农业农村局"},
        "steps": [step],
        "workdays": 10,
    }
    for name, key, document_ in (
        ("a bundle", "bundle-B", bundle),
        ("a bundle in a circle", "bundle-B", {**bundle, "steps": [{**step, "after": ["a"]}]}),
        ("a bundle longer than it may be", "bundle-B", {**bundle, "workdays": 4}),
        ("a bundle of the lead alone", "bundle-B", {**bundle, "lead": step["department"]}),
        ("an item of a status nobody knows", "item-X", {**first, "status": "好"}),
        ("an item without its department", "item-X", _without(first, "department")),
        ("an item with a field nobody knows", "item-X", {**first, "id": "X", "zz": 1}),
        ("an id twice", "item-X", first),
        ("a deed to nobody", "deed-X", {**given, "id": "X", "to_every": None}),
        ("a deed to some and to every", "deed-X", {**given, "id": "X", "to": [TOWNSHIP]}),
        ("a deed by one", "deed-X", {**given, "id": "X", "approvers": ["甲", "甲"]}),
        ("a deed that ends before it begins", "deed-X", {**given, "id": "X", "until": "2023-12-31"}),
        ("a deed about nothing", "deed-X", {**given, "id": "X", "item": "NONE"}),
        ("a deed of a day in other words", "deed-X", {**given, "id": "X", "effective": "1704067200"}),
        ("a tier in words", "deed-X", {**given, "id": "X", "to_every": "5"}),
    ):
        yield _beside(name, key, document_)
    loose = json.dumps(first, ensure_ascii=False).encode()
    made = Edition.of(8, date(2026, 3, 1), {"item-CITY": loose})
    yield _edition("an item that is not compact", document(made).decode(), [loose.decode()])
    yield _edition("an edition with a field nobody knows", _text({**fields, "more": 1}), documents)
    yield _edition("an edition without its day", _text(_without(fields, "issued")), documents)
    for name, key, document_ in (
        ("an item under another's key", "item-Y", {**first, "id": "X"}),
        ("a deed under another's key", "deed-Y", {**given, "id": "X"}),
        ("a bundle under another's key", "bundle-C", bundle),
        ("a key nobody knows", "note", {"more": 1}),
    ):
        yield _beside(name, key, document_)
    for name, changes in CALENDARS.items():
        yield _beside(f"a calendar {name}", "calendar", {**CALENDAR, **changes}, ())
    for field in sorted(CALENDAR):
        yield _beside(f"a calendar without {field}", "calendar", _without(CALENDAR, field), ())


CALENDAR: Json = {
    "v": 1, "version": "2026-0", "region": CITY, "from": "2026-01-01", "through": "2026-12-31", "off": ["2026-01-01"],
    "work": ["2026-01-04"], "regional": [{"day": "2026-03-20", "name": "地方节日"}], "regional_through": None,
    "fixed": ["01-01", "02-29"],
}  # fmt: skip
OURS = CALENDAR["regional"][0]
CALENDARS: dict[str, Json] = {
    "whole": {},
    "with a field nobody knows": {"more": 1},
    "of version 2": {"v": 2},
    "of version true": {"v": True},
    "of no version": {"version": ""},
    "of a region that is no text": {"region": int(CITY)},
    "of a region too short": {"region": "6402"},
    "that ends before it begins": {"through": "2025-12-31", "off": [], "work": []},
    "of one day": {"from": "2026-01-01", "through": "2026-01-01", "work": []},
    "of 150 years": {"from": "1876-12-31"},
    "of 151 years": {"from": "1875-12-31"},
    "with a weekend off": {"off": ["2026-01-03"]},
    "with a workday worked": {"work": ["2026-01-05"]},
    "with a day off that is not published": {"off": ["2027-01-01"]},
    "with a day off that is none": {"off": ["2026-02-30"]},
    "with a day off twice": {"off": ["2026-01-01", "2026-01-01"]},
    "with a fixed day that is none": {"fixed": ["02-30"]},
    "with a regional day outside": {"regional": [{**OURS, "day": "2030-01-05", "works": True}]},
    "with a regional day twice": {"regional": [OURS, {**OURS, "works": True}]},
    "with a regional day without a name": {"regional": [{**OURS, "name": ""}]},
    "with a regional day that works in words": {"regional": [{**OURS, "works": "yes"}]},
    "with regional days that are no list": {"regional": {}},
    "with regional days known through a day": {"regional_through": "2026-06-30"},
    "with regional days known through words": {"regional_through": "2026"},
}


def _beside(name: str, key: str, fields: Json, items: Sequence[Json] = ITEMS) -> Json:
    """An edition with one document more than the items."""
    raw = {f"item-{one['id']}": _canonical(one) for one in items} | {key: _canonical(fields)}
    made = Edition.of(8, date(2026, 3, 1), raw)
    return _edition(name, document(made).decode(), [one.decode() for one in raw.values()])


def _without(fields: Json, name: str) -> Json:
    return {one: value for one, value in fields.items() if one != name}


def _text(fields: Json) -> str:
    return strict.dumps(fields).decode()


def _edition(name: str, whole: str, documents: list[str]) -> Json:
    return {"name": name, "check": "edition", "edition": whole, "documents": documents}


def routes() -> Json:
    """§6: every item from every place on days before and after each deed; hand-overs; filings."""
    whole, documents = edition(ITEMS, DEEDS)
    questions: list[Json] = []
    for on in ("2023-12-31", "2026-03-02", "2026-04-15", "2026-05-02", "2026-06-15", "2026-07-01"):
        for one in ITEMS:
            questions += [{"item": one["id"], "place": place["code"], "on": on} for place in PLACES]
    for accepted in ("2026-03-02", "2026-05-02"):
        for name in ("TOWN", "VILLAGE", "CITY"):
            questions.append({"item": name, "place": VILLAGE, "on": "2026-07-01", "accepted": accepted})
    questions += [
        {"item": "NONE", "place": VILLAGE, "on": "2026-03-02"},
        {"item": "CITY", "place": "640100000000", "on": "2026-03-02"},
    ]
    for name in ("LOWER", "COUNTY", "TOWN", "CITY"):
        for holder in (VILLAGE, TOWNSHIP, COUNTY):
            questions += [
                {"item": name, "place": VILLAGE, "on": "2026-03-02", "holder": holder, "to": to}
                for to in (VILLAGE, TOWNSHIP, COUNTY, CITY)
            ]
    for one in ITEMS:
        for place in (VILLAGE, TOWNSHIP):
            questions += [
                {"item": one["id"], "place": place, "on": "2026-03-02", "file": by}
                for by in ("agent", "window")
            ]
    return {
        "name": "a city with a village under its county", "check": "routes", "edition": whole, "documents": documents,
        "places": PLACES, "questions": questions,
    }  # fmt: skip


def evidence_file(cast: Frozen) -> bytes:
    """The whole life of one case."""
    proofs = [Proof(raw, cast.statement(place, raw)) for place, raw in a_life(cast)]
    return _written(cast, proofs)


def _written(cast: Frozen, proofs: list[Proof]) -> bytes:
    lines = [cast.anchor.line, *(cast.certificates[one.code].line for one in cast.roster)]
    return write(cast.case_no(), proofs, lines, cast.keys[VILLAGE], cast.cert(VILLAGE), NOW)


def evidence(cast: Frozen) -> Iterator[Json]:
    """E-1 to E-6; `raw` is made of the lines of the file, which stands beside it as case.evidence."""
    whole = evidence_file(cast)
    lines = whole.split(b"\n")[:-1]
    first = next(at for at, one in enumerate(lines) if one.startswith(b'{"v":1,"id"'))
    yield _examined("whole", whole, cast.anchor.fingerprint)
    yield _examined("another root is trusted", whole, "0" * 64)
    yield _examined("nothing", b"")
    yield _examined("without its last newline", whole[:-1])
    yield _examined("three lines", b"".join(one + b"\n" for one in lines[:3]))
    yield _examined("another head under the old seal", whole.replace(b'"made":"2026', b'"made":"2025', 1))
    yield _examined("a changed event", _with(lines, first, lines[first].replace(b"SZS-001", b"SZS-002")))
    yield _examined("a changed seal", _with(lines, len(lines) - 1, lines[-1][:-9] + b"A" + lines[-1][-8:]))
    yield _examined("a changed root", _with(lines, 1, lines[1].replace(b'"sig":"', b'"sig":"AAAA', 1)))
    for at in (0, 2, 6, first - 1, first, first + 2, len(lines) - 1):
        yield _examined(
            f"without line {at + 1}", b"".join(one + b"\n" for one in lines[:at] + lines[at + 1 :])
        )
    inner = lines[:-1]
    resealed = {
        "sealed anew without step 3": inner[: first + 2] + inner[first + 3 :],
        "sealed anew without a statement": inner[: first - 1] + inner[first:],
        "sealed anew, steps exchanged": [*inner[:first], inner[first + 1], inner[first], *inner[first + 2 :]],
        "sealed anew with an event nobody signed": [*inner, b'{"v":1}'],
        "sealed anew with a statement of no list": [*inner, _nameless()],
        "sealed anew with a head that is none": [b"{}", *inner[1:]],
        "sealed anew with a seal within": [*inner, lines[-1]],
        "sealed anew with a stranger's root among the certificates": [*inner[:3], inner[1], *inner[3:]],
    }
    for name, body in resealed.items():
        yield _examined(name, _resealed(cast, body))
    for name, change in {
        "a seal of version 2": {"v": 2}, "a seal of another case": {"case": "x"}, "a seal by another": {"frm": CITY},
        "a seal without lines": {"lines": []}, "a seal with a field more": {"more": 1},
    }.items():  # fmt: skip
        yield _examined(name, _resealed(cast, inner, **change))
    yield from _stories(cast)


def _stories(cast: Frozen) -> Iterator[Json]:
    """Files that are sealed rightly and tell what may not be."""
    act, no = {"on": "2026-03-02", "by": "工号01"}, cast.case_no()
    life = a_life(cast)
    filed = life[0][1]
    stolen = cast.step(COUNTY, "case.taken", filed, no, 2)
    odd = cast.step(TOWNSHIP, "case.taken", filed, no, 2, due="1740009600")
    other = cast.step(VILLAGE, "case.filed", None, cast.case_no(5), 1, item="SZS-001", to=TOWNSHIP)
    stray = cast.say(VILLAGE, "case.supplement_sent", {**act, "no": cast.case_no(5)}, LINE)
    for name, told in {
        "a step by who has not the turn": [(VILLAGE, filed), (COUNTY, stolen)],
        "a step whose skeleton is wrong": [(VILLAGE, filed), (TOWNSHIP, odd)],
        "a step of another case": [*life, (VILLAGE, other)],
        "words about another case": [*life, (VILLAGE, stray)],
        "no step at all": [life[5]],
        "a step twice": [*life[:2], life[1]],
    }.items():
        proofs = [Proof(raw, cast.statement(place, raw)) for place, raw in told]
        yield _examined(name, _written(cast, proofs))


def _examined(name: str, raw: bytes, root: str = "") -> Json:
    return {"name": name, "check": "evidence", **({"root": root} if root else {}), "raw": parts(raw)}


def _with(lines: list[bytes], at: int, line: bytes) -> bytes:
    return b"".join(one + b"\n" for one in (*lines[:at], line, *lines[at + 1 :]))


def _nameless() -> bytes:
    return dsse.write(dsse.STATEMENT, strict.dumps({"events": 5}), [Signature("0" * 64, b"")])


def _resealed(cast: Frozen, body: list[bytes], **changes: Any) -> bytes:
    payload = {
        "v": 1, "case": cast.case_no(), "frm": VILLAGE, "cert": cast.cert(VILLAGE).fingerprint,
        "iat": "2026-03-02T01:00:00.000Z", "lines": [sha256(one) for one in body], **changes,
    }  # fmt: skip
    raw = strict.dumps(payload)
    sig = cast.keys[VILLAGE].sign.sign(dsse.pae(SEAL, raw))
    seal = dsse.write(SEAL, raw, [Signature(cast.cert(VILLAGE).fingerprint, sig)])
    return b"".join(one + b"\n" for one in (*body, seal))
