"""Questions about lines, certificates, events, parcels, receipts, materials and sealed parts; answers come from the code."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from protocol import blobs, receipts, strict
from protocol.certificates import write_instant
from protocol.dsse import CERTIFICATE, RECEIPT, STATEMENT, b64, sha256
from protocol.receipts import Channel, Quarantined, Receipt, RefusedParcel
from tests.vectors.cast import COUNTY, NEIGHBOUR, NOW, TOWNSHIP, VILLAGE
from tests.vectors.frozen import BORN, NAMES, Frozen, Json, keyed, parts, signed, stranger

LATER = NOW + timedelta(minutes=5)


def json_lines() -> Iterator[Json]:
    """P-1, one spelling at a time."""
    deep = '{"a":' * 16 + "1" + "}" * 16
    texts: dict[str, str] = {
        "empty object": "{}",
        "order of keys is the writer's": '{"b":1,"a":2,"10":3,"9":4}',
        "chinese, slash, DEL, line separator as themselves": '{"a":"石嘴山/\x7f\u2028😀"}',
        "short escapes": '{"a":"\\b\\t\\n\\f\\r\\"\\\\"}',
        "long escape": '{"a":"\\u001f"}',
        "greatest and least integer": '{"a":9007199254740991,"b":-9007199254740991,"c":0,"d":-1}',
        "sixteen levels": '{"a":' * 15 + "[1]" + "}" * 15,
        "all scalars": '{"a":null,"b":true,"c":false,"d":""}',
        "key of a prototype": '{"__proto__":{"a":1},"constructor":1}',
        "seventeen levels": '{"a":' * 16 + "[]" + "}" * 16,
        "seventeen levels of objects": '{"a":' + deep + "}",
        "not an object": "[1]",
        "text": '"a"',
        "empty": "",
        "space": '{"a": 1}',
        "space before": ' {"a":1}',
        "newline after": '{"a":1}\n',
        "duplicate key": '{"a":1,"a":1}',
        "duplicate key below": '{"a":{"b":1,"b":2}}',
        "fraction": '{"a":1.5}',
        "fraction of nothing": '{"a":1.0}',
        "exponent": '{"a":1e2}',
        "minus zero": '{"a":-0}',
        "plus": '{"a":+1}',
        "leading zero": '{"a":01}',
        "one too great": '{"a":9007199254740992}',
        "one too small": '{"a":-9007199254740992}',
        "twenty digits": '{"a":18446744073709551616}',
        "NaN": '{"a":NaN}',
        "escaped slash": '{"a":"\\/"}',
        "escaped letter": '{"a":"\\u0061"}',
        "escaped short form": '{"a":"\\u000a"}',
        "upper-case escape": '{"a":"\\u001F"}',
        "escaped chinese": '{"a":"\\u77f3"}',
        "escaped DEL": '{"a":"\\u007f"}',
        "half a surrogate": '{"a":"\\ud83d"}',
        "escaped pair": '{"a":"\\ud83d\\ude00"}',
        "raw tab": '{"a":"\t"}',
        "U+0000 escaped": '{"a":"\\u0000"}',
        "U+0000 in a key": '{"\\u0000":1}',
        "U+0000 raw": '{"a":"\0"}',
        "trailing comma": '{"a":1,}',
        "single quotes": "{'a':1}",
        "comment": '{"a":1/**/}',
        "two objects": '{"a":1}{"b":2}',
        "cut short": '{"a":"b',
        "byte order mark": "\ufeff{}",
    }
    for name, text in texts.items():
        yield {"name": name, "check": "line", "raw": parts(text.encode())}
    for name, data in {
        "not UTF-8": b'{"a":"\xff"}',
        "latin-1": b'{"a":"\xe9"}',
        "overlong": b'{"a":"\xc0\xaf"}',
        "surrogate in UTF-8": b'{"a":"\xed\xa0\x80"}',
    }.items():
        yield {"name": name, "check": "line", "raw": parts(data)}


def signed_lines(cast: Frozen) -> Iterator[Json]:
    """P-2, one change at a time."""
    good = cast.statement(VILLAGE, b"{}")
    read = strict.loads(good)
    payload, sigs = read["payload"], read["signatures"]
    odd: dict[str, Any] = {
        "as written": read,
        "other order of keys": {"payloadType": STATEMENT, "payload": payload, "signatures": sigs},
        "a further key": {**read, "more": 1},
        "another type": {**read, "payloadType": CERTIFICATE},
        "type that is no text": {**read, "payloadType": 1},
        "payload that is no text": {**read, "payload": 1},
        "payload without padding": {**read, "payload": "YWI"},
        "payload in url-safe base64": {**read, "payload": "_-8="},
        "payload with slack bits": {**read, "payload": "YWJ="},
        "payload with a newline": {**read, "payload": "YWJj\n"},
        "empty payload": {**read, "payload": ""},
        "no signature": {**read, "signatures": []},
        "two signatures where one is due": {**read, "signatures": sigs * 2},
        "signatures that are no list": {**read, "signatures": sigs[0]},
        "signature in another order": {
            **read,
            "signatures": [{"sig": sigs[0]["sig"], "keyid": sigs[0]["keyid"]}],
        },
        "signature with a further key": {**read, "signatures": [{**sigs[0], "x": 1}]},
        "sig that is no base64": {**read, "signatures": [{**sigs[0], "sig": "!"}]},
        "keyid that is no text": {**read, "signatures": [{**sigs[0], "keyid": None}]},
        "keyid of any text": {**read, "signatures": [{**sigs[0], "keyid": "x"}]},
    }
    for name, fields in odd.items():
        yield _signed(name, strict.dumps(fields))
    yield _signed("not compact", good.replace(b":", b": ", 1))
    yield _signed("four signatures where four may be", strict.dumps({**read, "signatures": sigs * 4}), 4)
    yield _signed("five signatures where four may be", strict.dumps({**read, "signatures": sigs * 5}), 4)


def _signed(name: str, raw: bytes, most: int = 1) -> Json:
    return {"name": name, "check": "signed", "type": STATEMENT, "most": most, "raw": parts(raw)}


def fields_of(line: str | bytes) -> Json:
    """What a signed line says."""
    return strict.loads(
        base64.b64decode(strict.loads(line if isinstance(line, bytes) else line.encode())["payload"])
    )


def certificates(cast: Frozen) -> Iterator[Json]:
    """P-2 to P-6: roots, chains, forms, powers, successions."""
    root, village = fields_of(cast.anchor.line), fields_of(cast.cert(VILLAGE).line)
    me = keyed(cast, "root")
    yield {"name": "the root", "check": "root", "raw": [{"line": "root"}]}
    yield _root("a root by another's key", signed(CERTIFICATE, root, (cast.anchor.fingerprint, stranger())))
    yield _root("a root under another keyid", signed(CERTIFICATE, root, ("0" * 64, cast.root_keys)))
    yield _root("a root that names an issuer", signed(CERTIFICATE, {**root, "by": "0" * 64}, me))
    yield _root("a root of another place", signed(CERTIFICATE, {**root, "iss": COUNTY}, me))
    yield {"name": "a city certificate as root", "check": "root", "raw": [{"line": "city"}]}
    for at, name in enumerate(NAMES):
        upper = {"neighbour": 3}.get(name, at)
        yield _admit(f"the {name}", list(NAMES)[:upper], [{"line": name}])
    yield _admit("the root again", [], [{"line": "root"}])
    yield _admit("a line without its issuer", ["city", "county"], [{"line": "village"}])
    for name, change in _changes().items():
        line = signed(CERTIFICATE, {**village, **change}, keyed(cast, "township"))
        yield _admit(name, ["city", "county", "township"], parts(line))
    less = {name: value for name, value in village.items() if name != "grant"}
    yield _admit("a field less", ["city"], parts(signed(CERTIFICATE, less, keyed(cast, "township"))))
    yield from _signatures(cast, village)
    yield from _successions(cast, village)


def _root(name: str, line: bytes) -> Json:
    return {"name": name, "check": "root", "raw": parts(line)}


def _admit(name: str, ring: list[Any], raw: list[Any]) -> Json:
    return {"name": name, "check": "admit", "ring": ring, "raw": raw}


def _changes() -> dict[str, Json]:
    """Forms and powers of a village's certificate, each signed by its township."""
    return {
        "a field more": {"more": 1},
        "version 2": {"v": 2},
        "version true": {"v": True},
        "a place of eleven digits": {"sub": VILLAGE[:11]},
        "a place without a city": {"sub": "640000000000"},
        "a name that is no text": {"name": 1},
        "tier 7": {"tier": 7},
        "tier as text": {"tier": "6"},
        "generation 0": {"gen": 0},
        "generation beyond the greatest number": {"gen": 2**31},
        "no scope": {"scope": []},
        "scope of letters": {"scope": ["64022110000x"]},
        "scope of three digits": {"scope": ["640"]},
        "scope as text": {"scope": VILLAGE},
        "a power of another form": {"may": ["Case.filed"]},
        "powers as text": {"may": "case.filed"},
        "key of 31 bytes": {"key": b64(bytes(31))},
        "key that is no base64": {"key": "?"},
        "another algorithm": {"alg": "SM2"},
        "another sealing algorithm": {"seal_alg": "P-256"},
        "seal key of 33 bytes": {"seal": b64(bytes(33))},
        "time without milliseconds": {"nbf": "2026-03-01T01:00:00Z"},
        "a day that is none": {"naf": "2026-02-30T01:00:00.000Z"},
        "hour 24": {"naf": "2026-03-30T24:00:00.000Z"},
        "the year 0": {"nbf": "0000-03-01T01:00:00.000Z"},
        "another issuer's name": {"iss": COUNTY},
        "scope beyond the issuer's": {"scope": [VILLAGE, "640205"]},
        "scope without itself": {"scope": [NEIGHBOUR]},
        "a power the issuer may not grant": {"may": ["authorisation.update"]},
        "a grant the issuer may not grant": {"grant": ["catalogue.edition"]},
        "the tier of its issuer": {"tier": 5},
        "valid before its issuer": {"nbf": write_instant(BORN - timedelta(seconds=1))},
        "valid after its issuer": {"naf": write_instant(BORN.replace(year=2040))},
    }


def _signatures(cast: Frozen, village: Json) -> Iterator[Json]:
    ring = ["city", "county", "township"]
    yield _admit("no issuer's signature", ring, parts(signed(CERTIFICATE, village, keyed(cast, "county"))))
    wrong = (cast.cert(TOWNSHIP).fingerprint, stranger())
    yield _admit("signed by another key", ring, parts(signed(CERTIFICATE, village, wrong)))
    both = signed(CERTIFICATE, village, wrong, keyed(cast, "township"))
    yield _admit("two signatures of one keyid: the last counts", ring, parts(both))
    both = signed(CERTIFICATE, village, keyed(cast, "township"), wrong)
    yield _admit("two signatures of one keyid: the last is wrong", ring, parts(both))
    five = signed(CERTIFICATE, village, *[keyed(cast, "township")] * 5)
    yield _admit("five signatures", ring, parts(five))
    bad = signed(CERTIFICATE, village, wrong)
    yield _admit("trusted already, whatever signs it now", [*ring, "village"], parts(bad))
    typed = signed(STATEMENT, village, keyed(cast, "township")).replace(
        b"statement+json", b"certificate+json"
    )
    yield _admit("signed as another type", ring, parts(typed))


def _successions(cast: Frozen, village: Json) -> Iterator[Json]:
    ring: list[Any] = ["city", "county", "township", "village"]
    town, own, county = keyed(cast, "township"), keyed(cast, "village"), keyed(cast, "county")
    second = {**village, "gen": 2}
    by_both = signed(CERTIFICATE, second, town, own)
    yield _admit("a second generation, by the first", ring, parts(by_both))
    yield _admit(
        "a second generation, by the issuer's issuer", ring, parts(signed(CERTIFICATE, second, town, county))
    )
    yield _admit("a second generation, by the issuer alone", ring, parts(signed(CERTIFICATE, second, town)))
    yield _admit(
        "a second generation where the first is unknown", ring[:3], parts(signed(CERTIFICATE, second, town))
    )
    yield _admit(
        "another certificate of the same generation",
        ring,
        parts(signed(CERTIFICATE, {**village, "name": "别名"}, town, own)),
    )
    wrong = (own[0], stranger())
    yield _admit(
        "a witness that does not hold, before one that does",
        ring,
        parts(signed(CERTIFICATE, second, town, county, wrong)),
    )
    older = signed(CERTIFICATE, {**village, "name": "早先"}, town, own)
    third = signed(CERTIFICATE, {**village, "gen": 3}, town, own)
    yield _admit(
        "an older generation is admitted and not current",
        [*ring[:3], parts(third)],
        parts(
            signed(
                CERTIFICATE,
                {**second, "name": "二代"},
                town,
                (sha256(strict.dumps({**village, "gen": 3})), own[1]),
            )
        ),
    )
    yield _admit("the first after the third, without a witness", [*ring[:3], parts(third)], parts(older))


def sealed_parts(cast: Frozen, said: bytes) -> Iterator[Json]:
    """S-1 to S-3 in an event."""
    event = strict.loads(said)
    change = dict[str, Any]
    enc = event["enc"]
    kinds: dict[str, tuple[str, change]] = {
        "the sender opens it": ("village", {}),
        "the township opens it": ("township", {}),
        "the county has no key": ("county", {}),
        "another algorithm": ("village", {"enc": {**enc, "alg": "RSA"}}),
        "moved to another event": ("village", {"id": event["id"].replace("019c", "019d")}),
        "moved to another case": ("village", {"case": {**event["case"], "no": cast.case_no(9)}}),
        "relabelled": ("village", {"kind": "case.taken"}),
        "altered": ("village", {"enc": {**enc, "ct": b64(bytes([base64.b64decode(enc["ct"])[0] ^ 1]) + base64.b64decode(enc["ct"])[1:])}}),
        "another's key": ("village", {"enc": {**enc, "keys": [{**enc["keys"][1], "place": VILLAGE}]}}),
        "entries that are none, before one's own": (
            "village",
            {"enc": {**enc, "keys": [1, {"cert": "x"}, *enc["keys"]]}},
        ),
        "no keys": ("village", {"enc": {**enc, "keys": []}}),
        "nonce that is no base64": ("village", {"enc": {**enc, "nonce": "!"}}),
    }  # fmt: skip
    for name, (who, changed) in kinds.items():
        raw = strict.dumps({**event, **changed})
        yield {"name": name, "check": "sealed", "who": who, "raw": parts(raw)}


def receipt_lines(cast: Frozen) -> Iterator[Json]:
    """R-1."""
    channel = Channel("epoch-1", 9, ((2, 3), (5, 5)), ((7, 7),), (Quarantined(8, "P-14", "为什么"),))
    whole = Receipt(TOWNSHIP, VILLAGE, "", True, 3, (channel,), (RefusedParcel("0" * 64, "P-7", "签名不符"),))
    cert, keys = cast.cert(TOWNSHIP), cast.keys[TOWNSHIP]
    raw = receipts.write(whole, keys, cert, LATER)
    ring = ["city", "county", "township"]
    yield _receipt("a hello with everything", ring, raw)
    chained = receipts.write(replace(whole, hello=False), keys, cert, LATER, [cast.cert(COUNTY), cert])
    yield _receipt("with its chain", ["city"], chained)
    yield _receipt("by one unknown", ["city", "county"], raw)
    yield {**_receipt("for another", ring, raw), "me": NEIGHBOUR}
    yield {**_receipt("from another than the subject says", ring, raw), "source": COUNTY}
    yield _receipt("without its newline", ring, raw[:-1])
    yield _receipt("nothing", ring, b"")
    payload = fields_of(raw[:-1])
    own = keyed(cast, "township")
    for name, changes in _receipt_changes(payload).items():
        yield _receipt(name, ring, signed(RECEIPT, {**payload, **changes}, own) + b"\n")
    yield _receipt("by another key", ring, signed(RECEIPT, payload, (own[0], stranger())) + b"\n")
    yield _receipt("a statement instead", ring, cast.statement(TOWNSHIP, b"{}") + b"\n")
    second = signed(CERTIFICATE, {**fields_of(cert.line), "gen": 2}, keyed(cast, "county"), own)
    yield _receipt("by a certificate that was replaced", [*ring, parts(second)], raw)
    nine = (cert.line + b"\n") * 9
    yield _receipt("nine certificates", ring, nine + raw)


def _receipt(name: str, ring: list[Any], raw: bytes) -> Json:
    return {
        "name": name, "check": "receipt", "ring": ring, "me": VILLAGE, "source": TOWNSHIP, "raw": parts(raw),
    }  # fmt: skip


def _receipt_changes(payload: Json) -> dict[str, Json]:
    channel = payload["channels"][0]
    listed: dict[str, Json] = {
        "a range that touches the one before": {"missing": [[2, 3], [4, 5]]},
        "a range beyond upto": {"missing": [[10, 10]]},
        "a range that runs backwards": {"waiting": [[4, 3]]},
        "a range of three": {"waiting": [[1, 2, 3]]},
        "a range from 0": {"waiting": [[0, 1]]},
        "upto that is no number": {"upto": "9"},
        "an epoch without letters": {"ep": ""},
        "quarantined beyond upto": {"quarantined": [{"seq": 10, "rule": "P-1", "reason": ""}]},
        "a reason of 201 characters": {"quarantined": [{"seq": 1, "rule": "P-1", "reason": "因" * 201}]},
        "a reason of 200 characters": {"quarantined": [{"seq": 1, "rule": "P-1", "reason": "😀" * 200}]},
        "a further field": {"more": 1},
        "201 ranges": {"upto": 2000, "missing": [[n, n] for n in range(1, 403, 2)]},
    }
    found = {name: {"channels": [{**channel, **change}]} for name, change in listed.items()}
    return found | {
        "version 2": {"v": 2},
        "a field more": {"more": 1},
        "hello that is a number": {"hello": 1},
        "edition below 0": {"cat": -1},
        "another sender": {"frm": COUNTY},
        "time in other words": {"iat": "now"},
        "65 channels": {"channels": [channel] * 65},
        "a refused parcel without reason": {"refused": [{"parcel": "x", "rule": "P-1"}]},
        "no channel at all": {"channels": [], "refused": []},
    }


def materials(cast: Frozen) -> Iterator[Json]:
    """B-1 to B-4, and blobs."""
    key = bytes(range(32))
    short, long = blobs.encipher("照片".encode(), key), blobs.encipher(b"x" * 65_537, key)
    for name, blob in {
        "empty": blobs.encipher(b"", key),
        "short": short,
        "two segments": long,
        "cut after a segment": long[: 4 + 65_552],
        "a flipped bit": short[:10] + bytes([short[10] ^ 1]) + short[11:],
        "another beginning": b"LDB2" + short[4:],
    }.items():
        yield {"name": name, "check": "blob", "key": b64(key), "raw": parts(blob)}
    yield from _asks(cast)
    yield from _pieces(cast)


def _asks(cast: Frozen) -> Iterator[Json]:
    own, type_ = keyed(cast, "village"), blobs.ASK
    good = {
        "v": 1, "frm": VILLAGE, "to": TOWNSHIP, "iat": write_instant(NOW), "no": cast.case_no(),
        "blob": "a" * 64, "ranges": [[0, 100], [200, 300]], "piece": 65_536,
    }  # fmt: skip
    changes: dict[str, Json] = {
        "an ask": {},
        "a small piece is raised": {"piece": 1},
        "version true": {"v": True},
        "for another": {"to": COUNTY},
        "by another": {"frm": NEIGHBOUR},
        "no range": {"ranges": []},
        "an empty range": {"ranges": [[5, 5]]},
        "17 ranges": {"ranges": [[0, 1]] * 17},
        "a blob in upper case": {"blob": "A" * 64},
        "no case": {"no": ""},
        "piece that is true": {"piece": True},
        "a range beyond the greatest blob": {"ranges": [[0, blobs.MAX_BLOB + 1]]},
    }
    for name, change in changes.items():
        yield _bytes(f"ask: {name}", "ask", signed(type_, {**good, **change}, own) + b"\n", VILLAGE, TOWNSHIP)
    line = signed(type_, good, own)
    yield _bytes("ask: without its newline", "ask", line, VILLAGE, TOWNSHIP)
    yield _bytes("ask: from another than the subject says", "ask", line + b"\n", NEIGHBOUR, TOWNSHIP)
    yield _bytes(
        "ask: by another key", "ask", signed(type_, good, (own[0], stranger())) + b"\n", VILLAGE, TOWNSHIP
    )


def _pieces(cast: Frozen) -> Iterator[Json]:
    own, data = keyed(cast, "township"), b"\x00\xff\n raw"
    good = {"v": 1, "frm": TOWNSHIP, "to": VILLAGE, "blob": "a" * 64, "at": 200, "sha256": sha256(data)}
    empty = {**good, "sha256": sha256(b""), "none": "later"}
    for name, payload, tail in (
        ("a piece", good, data),
        ("nothing, later", empty, b""),
        ("other bytes", good, data + b"!"),
        ("a reason beside bytes", {**good, "none": "absent"}, data),
        ("a reason of 17 characters", {**empty, "none": "later than you do"}, b""),
        ("before the beginning", {**good, "at": -1}, data),
        ("no hash of its bytes", {**good, "sha256": None}, data),
        ("for another", {**good, "to": COUNTY}, data),
        ("bytes beyond the limit", good, b"x" * (blobs.MAX_PIECE + 1)),
    ):
        found = _bytes(
            f"piece: {name}", "piece", signed(blobs.PIECE, payload, own) + b"\n", TOWNSHIP, VILLAGE
        )
        long = len(tail) > 1000
        yield {
            **found,
            "raw": [*found["raw"], {"of": "x", "times": len(tail)} if long else {"b64": b64(tail)}],
        }


def _bytes(name: str, check: str, raw: bytes, source: str, me: str) -> Json:
    ring = ["city", "county", "township", "village"]
    return {"name": name, "check": check, "ring": ring, "me": me, "source": source, "raw": parts(raw)}
