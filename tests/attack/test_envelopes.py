"""Messages that are not what they claim: each is refused, set aside with its reason, its sender told, and nothing else held up."""

import base64
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from hub.authority import certify, root
from node.cases import actions, views
from node.cases.model import CaseRow
from node.catalogue.loop import take_published
from node.db import table_of
from node.exchange.arrivals import Arrival, Incoming
from node.exchange.model import EventRow, OutboxRow, OutState, PeerRow
from node.exchange.outbox import outstanding
from node.exchange.views import aside_counts, unbelievable
from node.figures.model import DayPlaceRow
from node.work import Work
from protocol import dsse, strict
from protocol.certificates import Certificate, issue
from protocol.dsse import b64
from protocol.keys import Keys
from protocol.lifecycle import State
from protocol.messages import MAY
from protocol.places import Tier
from protocol.subjects import Lane
from tests.attack.rogue import (
    Fields,
    Rogue,
    complaints,
    dsse_line,
    line,
    name,
    post,
    receipts_between,
    set_aside_at,
    word_of,
)
from tests.databases import Databases
from tests.federation import AGENT, CLERK, START, Federation, divisions, form, part_of, real_items

pytestmark = pytest.mark.asyncio(loop_scope="module")

CITY, COUNTY, TOWNSHIP = "640200000000", "640221000000", "640221100000"
VILLAGE, NEIGHBOUR = "640221100001", "640221100002"
ITEM = "SZS-020"


async def small_city(databases: Databases) -> Federation:
    """One county, one township, two villages, and a catalogue of one item that the township decides."""
    found = await Federation(part_of(divisions(), villages=2), databases, publish=False).open()
    items, deeds = real_items()
    chosen = {ITEM, "SZS-013", "SZS-019"}
    await found.publish(
        1,
        tuple(one for one in items if one.id in chosen),
        tuple(one for one in deeds if one.item in chosen),
    )
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city(databases: Databases) -> AsyncIterator[Federation]:
    found = await small_city(databases)
    yield found
    await found.close()


@dataclass(frozen=True)
class Posted:
    """What an attack lays into the township's mailbox in the village's name, and which bytes are to be refused."""

    data: bytes
    culprit: bytes


Make = Callable[[Rogue], Posted]
ATTACKS: dict[str, tuple[str, Make]] = {}


def attack(rule: str, title: str) -> Callable[[Make], Make]:
    def keep(make: Make) -> Make:
        ATTACKS[title] = rule, make
        return make

    return keep


def a_case(rogue: Rogue, **body: Any) -> Fields:
    return rogue.filed(TOWNSHIP, (TOWNSHIP, COUNTY, CITY), **body)


def whole(data: bytes) -> Posted:
    return Posted(data, data)


def lone(rogue: Rogue, event: Fields | bytes) -> Posted:
    """A parcel of one event, which is the culprit."""
    raw = event if isinstance(event, bytes) else line(event)
    return Posted(rogue.parcel(raw), raw)


def split(data: bytes) -> list[bytes]:
    return data.removesuffix(b"\n").split(b"\n")


def join(lines: list[bytes]) -> bytes:
    return b"".join(one + b"\n" for one in lines)


# The statement


@attack("P-7", "a signature by another key")
def _forged(rogue: Rogue) -> Posted:
    raw = line(a_case(rogue))
    payload = json.loads(base64.b64decode(json.loads(rogue.statement([raw]))["payload"]))
    forged = dsse_line(dsse.STATEMENT, line(payload), Keys.generate(), rogue.cert)
    return whole(join([forged, raw]))


@attack("P-7", "a signature made for another type of line")
def _other_type(rogue: Rogue) -> Posted:
    raw = line(a_case(rogue))
    payload = base64.b64decode(json.loads(rogue.statement([raw]))["payload"])
    signed = dsse_line(dsse.STATEMENT, payload, rogue.keys, rogue.cert, signed_as=dsse.RECEIPT)
    return whole(join([signed, raw]))


@attack("P-7", "an altered statement")
def _altered_statement(rogue: Rogue) -> Posted:
    statement, raw = split(rogue.parcel(a_case(rogue)))
    outer = json.loads(statement)
    payload = base64.b64decode(outer["payload"]).replace(b'"v":1', b'"v":2')
    outer["payload"] = b64(payload)
    return whole(join([line(outer), raw]))


@attack("P-0", "a statement relabelled as a receipt")
def _relabelled_line(rogue: Rogue) -> Posted:
    data = rogue.parcel(a_case(rogue)).replace(dsse.STATEMENT.encode(), dsse.RECEIPT.encode())
    return whole(data)


@attack("P-7", "a statement in another's name")
def _other_name(rogue: Rogue) -> Posted:
    return whole(rogue.parcel(a_case(rogue), frm=NEIGHBOUR))


@attack("P-7", "a statement that names another certificate")
def _other_certificate(rogue: Rogue) -> Posted:
    return whole(rogue.parcel(a_case(rogue), cert=rogue.city.certificates[TOWNSHIP].fingerprint))


@attack("P-7", "a statement with a field too many")
def _other_field(rogue: Rogue) -> Posted:
    return whole(rogue.parcel(a_case(rogue), more=1))


@attack("P-7", "a statement that names what is no hash")
def _no_hash(rogue: Rogue) -> Posted:
    return whole(rogue.parcel(a_case(rogue), events=[7]))


@attack("P-7", "a statement over nothing")
def _nothing(rogue: Rogue) -> Posted:
    return whole(rogue.parcel(a_case(rogue), events=[]))


@attack("P-7", "a statement over 65 events")
def _too_many(rogue: Rogue) -> Posted:
    return whole(rogue.parcel(a_case(rogue), events=[name(b"%d" % n) for n in range(65)]))


@attack("P-7", "a statement that names an event twice")
def _named_twice(rogue: Rogue) -> Posted:
    raw = line(a_case(rogue))
    return whole(rogue.parcel(raw, events=[name(raw), name(raw)]))


@attack("P-2", "a statement with a second signature")
def _two_signatures(rogue: Rogue) -> Posted:
    statement, raw = split(rogue.parcel(a_case(rogue)))
    outer = json.loads(statement)
    outer["signatures"] *= 2
    return whole(join([line(outer), raw]))


@attack("P-2", "a statement without a signature")
def _no_signature(rogue: Rogue) -> Posted:
    statement, raw = split(rogue.parcel(a_case(rogue)))
    return whole(join([line({**json.loads(statement), "signatures": []}), raw]))


@attack("P-2", "a statement whose parts stand in another order")
def _other_order(rogue: Rogue) -> Posted:
    statement, raw = split(rogue.parcel(a_case(rogue)))
    return whole(join([line(dict(reversed(json.loads(statement).items()))), raw]))


@attack("P-2", "base64 with a second spelling")
def _second_spelling(rogue: Rogue) -> Posted:
    statement, raw = split(rogue.parcel(a_case(rogue)))
    outer = json.loads(statement)
    outer["signatures"][0]["sig"] = outer["signatures"][0]["sig"].rstrip("=")
    return whole(join([line(outer), raw]))


@attack("P-3", "a certificate nobody knows")
def _unknown(rogue: Rogue) -> Posted:
    data = rogue.parcel(a_case(rogue)).replace(rogue.cert.fingerprint.encode(), b"0" * 64)
    return whole(data)


# The parcel


@attack("P-0", "a parcel above 256 KiB")
def _oversized(rogue: Rogue) -> Posted:
    bulk = [line(a_case(rogue, why="长" * 450, more="x" * 60_000)) for _ in range(5)]
    return whole(rogue.parcel(*bulk))


@attack("P-0", "65 event lines")
def _lines(rogue: Rogue) -> Posted:
    raw = line(a_case(rogue))
    return whole(rogue.parcel(raw) + (raw + b"\n") * 64)


@attack("P-0", "a last line cut short")
def _truncated(rogue: Rogue) -> Posted:
    return whole(rogue.parcel(a_case(rogue))[:-1])


@attack("P-0", "nothing at all")
def _empty(rogue: Rogue) -> Posted:
    return whole(b"")


@attack("P-0", "noise")
def _noise(rogue: Rogue) -> Posted:
    return whole(bytes(range(256)) * 8)


@attack("P-0", "events before the statement")
def _upside_down(rogue: Rogue) -> Posted:
    return whole(join(split(rogue.parcel(a_case(rogue)))[::-1]))


# The event line


@attack("P-8", "an altered event")
def _altered(rogue: Rogue) -> Posted:
    statement, raw = split(rogue.parcel(a_case(rogue)))
    changed = raw.replace(b'"rogue"', b'"other"')
    return Posted(join([statement, changed]), changed)


@attack("P-8", "an event nobody signed")
def _unsigned(rogue: Rogue) -> Posted:
    raw = line(a_case(rogue))
    return Posted(join([rogue.statement([line(a_case(rogue))]), raw]), raw)


@attack("P-8", "an event above 64 KiB")
def _large(rogue: Rogue) -> Posted:
    return lone(rogue, a_case(rogue, more="x" * 65_536))


def _spoiled(rule: str, title: str, spoil: Callable[[bytes], bytes]) -> None:
    attack(rule, title)(lambda rogue: lone(rogue, spoil(line(a_case(rogue)))))


_BODY = b'"body":{'
_spoiled("P-1", "white space", lambda raw: raw.replace(b'"v":1', b'"v": 1'))
_spoiled("P-1", "a carriage return", lambda raw: raw + b"\r")
_spoiled("P-1", "a byte order mark", lambda raw: b"\xef\xbb\xbf" + raw)
_spoiled("P-1", "a key twice", lambda raw: raw.replace(b'"cls"', b'"v":1,"cls"'))
_spoiled("P-1", "a key twice, in the body", lambda raw: raw.replace(_BODY, _BODY + b'"to":"x",'))
_spoiled("P-1", "NaN", lambda raw: raw.replace(_BODY, _BODY + b'"x":NaN,'))
_spoiled("P-1", "a fraction", lambda raw: raw.replace(_BODY, _BODY + b'"x":0.5,'))
_spoiled("P-1", "a whole number with a point", lambda raw: raw.replace(_BODY, _BODY + b'"x":1.0,'))
_spoiled("P-1", "minus zero", lambda raw: raw.replace(_BODY, _BODY + b'"x":-0,'))
_spoiled("P-1", "an integer beyond 2^53", lambda raw: raw.replace(_BODY, _BODY + b'"x":9007199254740992,'))
_spoiled("P-1", "a needless escape", lambda raw: raw.replace(b'"rogue"', b'"ro\\u0067ue"'))
_spoiled("P-1", "half a surrogate pair", lambda raw: raw.replace(b'"rogue"', b'"\\ud800"'))
_spoiled("P-1", "not UTF-8", lambda raw: raw.replace(b'"rogue"', b'"\xff\xfe"'))
_spoiled("P-1", "GBK", lambda raw: raw.replace(b'"rogue"', '"代办"'.encode("gbk")))
_spoiled("P-1", "a NUL character", lambda raw: raw.replace(b'"rogue"', b'"ro\\u0000ue"'))
_spoiled("P-1", "a NUL in a key", lambda raw: raw.replace(_BODY, _BODY + b'"\\u0000":1,'))
_spoiled("P-1", "not an object", lambda raw: b"[" + raw + b"]")
_spoiled(
    "P-1", "nesting of 17", lambda raw: raw.replace(_BODY, _BODY + b'"x":' + b"[" * 15 + b"]" * 15 + b",")
)
_spoiled(
    "P-1",
    "nesting of 20000",
    lambda raw: raw.replace(_BODY, _BODY + b'"x":' + b"[" * 20_000 + b"]" * 20_000 + b","),
)


def _field(rule: str, title: str, **changes: Any) -> None:
    def make(rogue: Rogue) -> Posted:
        found = {**a_case(rogue), **changes}
        return lone(rogue, {key: value for key, value in found.items() if value is not ...})

    attack(rule, title)(make)


_ODD = {"place": TOWNSHIP, "seq": 1}
_field("P-8", "a field too many", more=1)
_field("P-8", "a field too few", iat=...)
_field("P-8", "version 2", v=2)
_field("P-8", "version true", v=True)
_field("P-8", "an id that is no UUID", id="7")
_field("P-8", "an id in capitals", id="0195566C-0000-7000-8000-00000000000A")
_field("P-8", "an id that is a list", id=["x"])
_field("P-8", "an epoch with spaces", ep="a b")
_field("P-8", "an empty epoch", ep="")
_field("P-8", "an epoch of 65", ep="e" * 65)
_field("P-8", "a time that is none", iat="yesterday")
_field("P-8", "a time of another zone", iat="2026-03-02T09:00:00.000+08:00")
_field("P-8", "a time with two zones", iat="2026-03-02T09:00:00+08:00Z")
_field("P-8", "a day that does not exist", iat="2026-02-30T09:00:00.000Z")
_field("P-8", "a reader that is no place", to=[{"place": "township", "seq": 1}])
_field("P-8", "a reader that is a list", to=[{"place": list(TOWNSHIP), "seq": 1}])
_field("P-8", "a reader with a field too many", to=[{**_ODD, "more": 1}])
_field("P-8", "a reader twice", to=[_ODD, {**_ODD, "seq": 2}])
_field("P-8", "65 readers", to=[{"place": f"6402211{n:05}", "seq": 1} for n in range(65)])
_field("P-8", "number 0", to=[{**_ODD, "seq": 0}])
_field("P-8", "number true", to=[{**_ODD, "seq": True}])
_field("P-8", "a number beyond 2^31", to=[{**_ODD, "seq": 2**31}])
_field("P-8", "readers that are an object", to=_ODD)
_field("P-8", "an edition below 0", cat=-1)
_field("P-8", "an edition beyond 2^31", cat=2**31)
_field("P-8", "an unknown class", cls="secret")
_field("P-8", "a class that is a list", cls=[])
_field("P-8", "a body that is a list", body=[])
_field("P-8", "a sealed part that is text", enc="x")
_field("P-8", "a sealed part that is null", enc=None)
_field("P-8", "a case that is null", case=None)
_field("P-8", "step 0", case={"no": "6402211000012026030250017", "n": 0, "prev": ""})
_field("P-8", "a step beyond 2^31", case={"no": "6402211000012026030250017", "n": 2**31, "prev": "0" * 64})
_field("P-8", "a first step that follows another", case={"no": VILLAGE + "x", "n": 1, "prev": "0" * 64})
_field("P-8", "a second step that follows none", case={"no": VILLAGE + "x", "n": 2, "prev": ""})
_field("P-8", "a hash in capitals", case={"no": VILLAGE + "X", "n": 2, "prev": "A" * 64})
_field("P-8", "a case number of 51", case={"no": VILLAGE + "1" * 39, "n": 1, "prev": ""})
_field("P-8", "a case number with a slash", case={"no": VILLAGE + "/../x", "n": 1, "prev": ""})
_field("P-8", "a case number without a place", case={"no": "x" * 25, "n": 1, "prev": ""})
_field("P-8", "a sender that is no place", frm="village")

# Who says it, about what, to whom
_field("P-10", "an event in another's name", frm=NEIGHBOUR)
_field("P-10", "a step without a case", case=...)
_field("P-10", "a case number at what is no step", kind="rating.filed")
_field("P-12", "an event to somebody else", to=[{"place": NEIGHBOUR, "seq": 1}])
_field("P-12", "an event to nobody", to=[])


@attack("P-11", "a case of another village")
def _elsewhere(rogue: Rogue) -> Posted:
    return lone(rogue, a_case(rogue, no=rogue.number(NEIGHBOUR)))


for _kind in (
    "catalogue.edition",
    "catalogue.item",
    "roster.place",
    "supervise.card",
    "supervise.order",
    "joint.opinion",
    "certificate.revoked",
    "authorisation.update",
    "case.unheard_of",
):
    attack("P-10", f"a village says {_kind}")(
        lambda rogue, kind=_kind: lone(rogue, rogue.event(kind, {"key": "edition"}, (TOWNSHIP,)))
    )


# The skeleton


def _body(title: str, **changes: Any) -> None:
    attack("P-14", title)(lambda rogue: lone(rogue, a_case(rogue, **changes)))


_body("a date that is a number", on=20514)
_body("a date with a time", on="2026-03-02T00:00:00")
_body("a date that does not exist", on="2026-02-30")
_body("a word for a truth", agent="yes")
_body("a text for a number", materials="3")
_body("a negative count", materials=-1)
_body("a staff number of 41", by="x" * 41)
_body("a target that is no place", to="township")
_body("an item of 51", item="x" * 51)


# Certificates that come with a parcel


def _certificate(rule: str, title: str, **changes: Any) -> None:
    """A certificate the township's own key has signed for the village, with something more in it."""

    def make(rogue: Rogue) -> Posted:
        keys, fields = Keys.generate(), dict(changes)
        found = vouched(rogue.city, keys, **fields)
        return whole(rogue.parcel(a_case(rogue), chain=[found.line]))

    attack(rule, title)(make)


def vouched(city: Federation, keys: Keys, **changes: Any) -> Certificate:
    """A second-generation certificate for the village, witnessed by its old key, with these changes."""
    issuer = city.certificates[TOWNSHIP]
    plain: dict[str, Any] = {
        "issuer": issuer,
        "issuer_keys": city._keys[TOWNSHIP],
        "keys": keys,
        "place": VILLAGE,
        "name": "某村",
        "tier": Tier.VILLAGE,
        "scope": (VILLAGE,),
        "may": MAY[Tier.VILLAGE],
        "grant": (),
        "not_before": START,
        "not_after": START + timedelta(days=300),
        "generation": 2,
        "also": [(city.certificates[VILLAGE], city._keys[VILLAGE])],
    }
    return issue(**plain | changes)


_certificate("P-5", "a second certificate of the same generation", generation=1)
_certificate("P-5", "a new key without the old key's word", also=())
_certificate("P-6", "a scope beyond the issuer's", scope=("640221",))
_certificate("P-6", "a scope without oneself", scope=(NEIGHBOUR,))
_certificate("P-6", "a power the issuer cannot grant", may=MAY[Tier.VILLAGE] | {"catalogue.edition"})
_certificate("P-6", "a grant the issuer cannot grant", grant=("catalogue.edition",))
_certificate("P-6", "the tier of the issuer", tier=Tier.TOWNSHIP)
_certificate("P-6", "a longer life than the issuer's", not_after=START + timedelta(days=5000))
_certificate("P-6", "an earlier birth than the issuer's", not_before=START - timedelta(days=9))


@attack("P-5", "a chain to another root")
def _foreign_root(rogue: Rogue) -> Posted:
    keys = Keys.generate()
    anchor = root(keys, rogue.city.roster, START)
    theirs = certify(rogue.city.roster, rogue.city.roster.city.code, keys, anchor, keys, START)
    return whole(rogue.parcel(a_case(rogue), chain=[anchor.line, theirs.line]))


@attack("P-5", "a certificate its issuer never signed")
def _self_made(rogue: Rogue) -> Posted:
    made = vouched(rogue.city, Keys.generate(), issuer_keys=Keys.generate())
    return whole(rogue.parcel(a_case(rogue), chain=[made.line]))


@attack("P-5", "a certificate without its issuer's signature")
def _unsigned_certificate(rogue: Rogue) -> Posted:
    outer = json.loads(vouched(rogue.city, Keys.generate()).line)
    outer["signatures"] = outer["signatures"][1:]
    return whole(rogue.parcel(a_case(rogue), chain=[line(outer)]))


def _malformed(rule: str, title: str, **changes: Any) -> None:
    """Anybody can send these: nothing but the form is looked at before the signature."""

    def make(rogue: Rogue) -> Posted:
        payload = json.loads(base64.b64decode(json.loads(rogue.cert.line)["payload"]))
        made = dsse_line(dsse.CERTIFICATE, line({**payload, **changes}), Keys.generate(), rogue.cert)
        return whole(rogue.parcel(a_case(rogue), chain=[made]))

    attack(rule, f"a certificate with {title}")(make)


_malformed("P-4", "a field too many", more=1)
_malformed("P-4", "version 2", v=2)
_malformed("P-4", "a subject that is a list", sub=list(VILLAGE))
_malformed("P-4", "a subject that is an object", sub={"a": 1})
_malformed("P-4", "a subject that is null", sub=None)
_malformed("P-4", "a scope that is text", scope="640221")
_malformed("P-4", "a scope that is a number", scope=640221)
_malformed("P-4", "a scope in other digits", scope=["６４０２２１"])
_malformed("P-4", "an empty scope", scope=[])
_malformed("P-4", "powers that are text", may="case.filed")
_malformed("P-4", "powers that are null", may=None)
_malformed("P-4", "powers that are numbers", may=[1])
_malformed("P-4", "an unknown tier", tier=9)
_malformed("P-4", "a tier that is a list", tier=[6])
_malformed("P-4", "generation 0", gen=0)
_malformed("P-4", "generation true", gen=True)
_malformed("P-4", "a name that is a list", name=["x"])
_malformed("P-4", "a time that is none", nbf="always")
_malformed("P-4", "a time with two zones", naf="2030-01-01T00:00:00+08:00Z")
_malformed("P-4", "a key that is a number", key=7)
_malformed("P-4", "a seal key of 5 bytes", seal="AAAAAAA=")
_malformed("P-4", "an unknown seal algorithm", seal_alg="RSA")
_malformed("P-3", "an unknown algorithm", alg="none")
_malformed("P-3", "an algorithm with a NUL in it", alg="x\x01")
_malformed("P-3", "a key of 5 bytes", key="AAAAAAA=")
_malformed("P-2", "a key that is no base64", key="***")
_malformed("P-5", "an unknown issuer", by="0" * 64)
_malformed("P-5", "an issuer's name that is not the issuer's", iss=CITY)


def rows(city: Federation, place: str) -> dict[str, str]:
    table = table_of(CaseRow).c
    return dict(city[place].read(lambda s: s.execute(select(table.no, table.head)).all()))


def states(city: Federation, place: str, raw: bytes) -> set[str]:
    event = table_of(EventRow).c
    return set(
        city[place].read(
            lambda s: s.execute(select(event.state).where(event.hash == name(raw))).scalars().all()
        )
    )


async def honest_case(city: Federation) -> str:
    """A resident's case, filed and sent while the attack lies in the same mailbox."""
    no = await city[VILLAGE].do(actions.file_case, AGENT, form(ITEM, agent=False))
    await city[VILLAGE].drain()
    return no


async def all_four(city: Federation, posted: Posted, rule: str, source: str = VILLAGE) -> None:
    """Refused; set aside with the reason; the named sender told; nothing else held up."""
    before = rows(city, TOWNSHIP)
    post(city, TOWNSHIP, source, posted.data)
    good = await honest_case(city)
    await city[TOWNSHIP].take()

    assert rows(city, TOWNSHIP).keys() == before.keys() | {good}
    assert "applied" not in states(city, TOWNSHIP, posted.culprit)
    found, reason = set_aside_at(city, TOWNSHIP)[name(posted.culprit)]
    assert (found, bool(reason)) == (rule, True), (found, reason)
    assert rule in complaints(await word_of(city, TOWNSHIP, source))

    await city[VILLAGE].take()
    out = table_of(OutboxRow).c
    done = city[VILLAGE].read(
        lambda s: (
            s.execute(select(out.state).where(out.case_no == good, out.place == TOWNSHIP)).scalars().all()
        )
    )
    assert done == [OutState.APPLIED]


@pytest.mark.parametrize("title", ATTACKS)
async def test_is_refused(city: Federation, title: str) -> None:
    rule, make = ATTACKS[title]
    await all_four(city, make(Rogue(city, VILLAGE)), rule)


async def test_anothers_genuine_parcel_under_our_name(city: Federation) -> None:
    neighbour = Rogue(city, NEIGHBOUR)
    await all_four(city, whole(neighbour.parcel(a_case(neighbour))), "P-13")


async def test_a_second_meaning_for_a_number(city: Federation) -> None:
    rogue = Rogue(city, VILLAGE)
    first, second = a_case(rogue), a_case(rogue)
    second["to"] = first["to"]
    post(city, TOWNSHIP, VILLAGE, rogue.parcel(first))
    await city[TOWNSHIP].take()
    await all_four(city, lone(rogue, second), "P-15")
    assert states(city, TOWNSHIP, line(first)) == {"applied"}


async def test_two_meanings_for_a_number_in_one_parcel(city: Federation) -> None:
    rogue = Rogue(city, VILLAGE)
    first, second = a_case(rogue), a_case(rogue)
    second["to"] = first["to"]
    before = rows(city, TOWNSHIP)
    post(city, TOWNSHIP, VILLAGE, rogue.parcel(first, second))
    await city[TOWNSHIP].take()
    assert len(rows(city, TOWNSHIP)) == len(before) + 1
    assert set_aside_at(city, TOWNSHIP)[name(line(second))][0] == "P-15"


async def test_what_is_replayed_counts_once(city: Federation) -> None:
    no = await city[VILLAGE].do(actions.file_case, AGENT, form(ITEM, agent=False))
    hub = city.hubs[COUNTY]
    await city[VILLAGE].drain()
    mails = [one.mail.data for one in hub._stored["MAIL"].values() if no.encode() in one.mail.data]
    await city.settle()
    filed = filings(city)
    for _ in range(3):
        for data in mails:
            post(city, TOWNSHIP, VILLAGE, data)
    quarantined = city[TOWNSHIP].read(aside_counts)
    await city.settle()
    assert filings(city) == filed
    assert city[TOWNSHIP].read(aside_counts) == quarantined
    assert len(city[TOWNSHIP].read(views.events, no)) == 1


def filings(city: Federation) -> int:
    table = table_of(DayPlaceRow).c
    found = select(table.filed).where(table.place == VILLAGE)
    return sum(city[TOWNSHIP].read(lambda s: s.execute(found).scalars().all()))


async def test_steps_in_any_order_of_arrival(city: Federation) -> None:
    """Steps that come early wait, and the receipt says so; when the first comes all of them count."""
    rogue = Rogue(city, VILLAGE)
    no = rogue.number()
    filed = line(rogue.filed(NEIGHBOUR, (TOWNSHIP,), no))
    other = Rogue(city, NEIGHBOUR)
    # The neighbour has the turn; only the township listens here.
    taken = line(other.step("case.taken", no, 2, filed, (TOWNSHIP,)))
    post(city, TOWNSHIP, NEIGHBOUR, other.parcel(taken))
    await city[TOWNSHIP].take()
    told = await word_of(city, TOWNSHIP, NEIGHBOUR)
    # The neighbour has no word about a case of the village: its certificate ends at its own scope.
    assert complaints(told) == {"P-11"}

    no, ep = rogue.number(), rogue.ep
    filed = line(rogue.filed(TOWNSHIP, (COUNTY,), no))
    town = Rogue(city, TOWNSHIP)
    steps = [line(town.step("case.taken", no, 2, filed, (COUNTY,)))]
    steps.append(line(town.step("case.withdrawn", no, 3, steps[-1], (COUNTY,))))
    for step in reversed(steps):
        post(city, COUNTY, TOWNSHIP, town.parcel(step))
    await city[COUNTY].take()
    channel = next(one for one in (await word_of(city, COUNTY, TOWNSHIP)).channels if one.ep == town.ep)
    assert channel.waiting == ((1, 2),)
    assert no not in rows(city, COUNTY)

    post(city, COUNTY, VILLAGE, rogue.parcel(filed))
    await city[COUNTY].take()
    assert rows(city, COUNTY)[no] == name(steps[-1])
    channel = next(one for one in (await word_of(city, COUNTY, TOWNSHIP)).channels if one.ep == town.ep)
    assert (channel.upto, channel.waiting, channel.quarantined) == (2, (), ())
    assert ep == rogue.ep


async def test_a_good_event_beside_a_bad_one(city: Federation) -> None:
    rogue = Rogue(city, VILLAGE)
    bad, good = a_case(rogue, materials="3"), a_case(rogue)
    post(city, TOWNSHIP, VILLAGE, rogue.parcel(bad, good))
    await city[TOWNSHIP].take()
    assert states(city, TOWNSHIP, line(bad)) == {"quarantined"}
    assert states(city, TOWNSHIP, line(good)) == {"applied"}


async def test_forbidden_words_do_not_leave_a_gap(city: Federation) -> None:
    """What is genuine but beyond its sender's powers takes its number: what follows it is not held open for ever."""
    rogue = Rogue(city, VILLAGE)
    events = [
        rogue.event("supervise.card", {}, (TOWNSHIP,)),
        a_case(rogue, no=rogue.number(NEIGHBOUR)),
        a_case(rogue),
    ]
    post(city, TOWNSHIP, VILLAGE, rogue.parcel(*events))
    await city[TOWNSHIP].take()
    channel = next(one for one in (await word_of(city, TOWNSHIP, VILLAGE)).channels if one.ep == rogue.ep)
    assert (channel.upto, channel.missing) == (3, ())
    assert [(one.seq, one.rule) for one in channel.quarantined] == [(1, "P-10"), (2, "P-11")]


async def test_a_number_far_ahead_costs_nothing(city: Federation) -> None:
    rogue = Rogue(city, VILLAGE)
    rogue.seqs[TOWNSHIP] = 2**31 - 3
    post(city, TOWNSHIP, VILLAGE, rogue.parcel(a_case(rogue)))
    await city[TOWNSHIP].take()
    channel = next(one for one in (await word_of(city, TOWNSHIP, VILLAGE)).channels if one.ep == rogue.ep)
    assert channel.missing == ((1, 2**31 - 3),)


async def test_published_documents_have_no_readers(city: Federation) -> None:
    above = Rogue(city, CITY)
    raw = line(above.event("catalogue.edition", {"key": "edition", "number": 9, "doc": "{}"}, (TOWNSHIP,)))
    await all_four(city, Posted(above.parcel(raw), raw), "P-12", source=CITY)


async def test_a_document_in_the_mail_is_no_document(city: Federation) -> None:
    """A catalogue comes by its own road; laid into a mailbox it is set aside."""
    above = Rogue(city, CITY)
    raw = line(above.event("catalogue.edition", {"key": "edition", "number": 9, "doc": "{}"}, ()))
    await all_four(city, Posted(above.parcel(raw), raw), "P-12", source=CITY)


async def test_noise_of_every_length(city: Federation) -> None:
    """Parcels cut at any byte, and the pieces, are refused by name; none stops the mail."""
    data = Rogue(city, VILLAGE).parcel(a_case(Rogue(city, VILLAGE)), chain=[Rogue(city, VILLAGE).cert.line])
    for at in range(0, len(data), 97):
        post(city, TOWNSHIP, VILLAGE, data[:at])
        post(city, TOWNSHIP, VILLAGE, data[at + 1 :])
    good = await honest_case(city)
    await city[TOWNSHIP].take()
    assert good in rows(city, TOWNSHIP)
    assert all(row.rule and row.reason for row in city[TOWNSHIP].read(unbelievable, 500))


# Documents published for everybody


def a_place(code: str, **changes: Any) -> dict[str, Any]:
    doc = {"code": code, "name": "某地", "tier": 5, "parent": COUNTY, "hub": False, "certificates": []}
    return {"key": f"place-{code}", "number": 9, "doc": strict.dumps({**doc, **changes}).decode()}


@pytest.mark.parametrize(
    ("src", "body", "rule"),
    [
        (COUNTY, a_place("640202001000"), "P-11"),
        (COUNTY, a_place(CITY, tier=3, parent=None), "P-11"),
        (COUNTY, {**a_place(TOWNSHIP), "key": f"place-{CITY}"}, "P-14"),
        (COUNTY, a_place(TOWNSHIP, tier=9), "P-14"),
        (COUNTY, a_place(TOWNSHIP, name=["某地"]), "P-14"),
        (COUNTY, a_place(TOWNSHIP, hub="no"), "P-14"),
        (COUNTY, a_place(TOWNSHIP, parent="x"), "P-14"),
        (COUNTY, a_place(TOWNSHIP, certificates=[1]), "P-14"),
        (COUNTY, a_place(TOWNSHIP, certificates="lines"), "P-14"),
        (COUNTY, a_place(TOWNSHIP, tier=5.0), "P-14"),
        (COUNTY, {**a_place(TOWNSHIP), "doc": f"{a_place(TOWNSHIP)['doc']} "}, "P-14"),
        (COUNTY, {**a_place(TOWNSHIP), "doc": "[]"}, "P-14"),
        (COUNTY, {**a_place(TOWNSHIP), "doc": "{"}, "P-14"),
        (COUNTY, {**a_place(TOWNSHIP), "number": 2**31}, "P-14"),
        (COUNTY, {**a_place(TOWNSHIP), "number": "9"}, "P-14"),
        (COUNTY, {**a_place(TOWNSHIP), "key": "x" * 65}, "P-14"),
        (COUNTY, {"key": "edition", "number": 9, "doc": "{}"}, "P-10"),
        (CITY, {"key": "edition", "number": 9, "doc": '{"number": 9}'}, "P-14"),
        (TOWNSHIP, a_place(VILLAGE), "P-10"),
    ],
)
async def test_documents_from_who_may_not_publish_them(
    city: Federation, src: str, body: dict[str, Any], rule: str
) -> None:
    """Refused and set aside; the roster and the catalogue stay, and the next document is read."""
    rogue = Rogue(city, src)
    kind = "catalogue.edition" if body["key"] == "edition" else "roster.place"
    raw = line(rogue.event(kind, body, ()))
    roster, edition = city[VILLAGE].know.roster, city[VILLAGE].know.edition
    await take_published(city[VILLAGE], [Incoming("", rogue.parcel(raw))])
    found, reason = set_aside_at(city, VILLAGE)[name(raw)]
    assert (found, bool(reason)) == (rule, True), (found, reason)
    assert city[VILLAGE].know.edition == edition
    assert list(city[VILLAGE].know.roster) == list(roster)


async def test_a_place_may_come_before_the_one_above_it(city: Federation) -> None:
    above = Rogue(city, CITY)
    village, town = "640221199001", "640221199000"
    documents = [
        a_place(village, tier=6, parent=town),
        a_place(town, tier=5, parent=COUNTY),
    ]
    for body, known in zip(documents, (False, True), strict=True):
        raw = line(above.event("roster.place", body, ()))
        await take_published(city[NEIGHBOUR], [Incoming("", above.parcel(raw))])
        assert (village in city[NEIGHBOUR].know.roster) is known


async def test_a_certificate_of_the_directory_is_refused_by_the_rule_it_breaks(city: Federation) -> None:
    above, empty = Rogue(city, CITY), b"{}"
    raw = line(
        above.event("roster.place", a_place("640221101900", tier=6, parent=TOWNSHIP, certificates=["{}"]), ())
    )
    await take_published(city[TOWNSHIP], [Incoming("", above.parcel(raw))])
    assert "640221101900" in city[TOWNSHIP].know.roster
    assert set_aside_at(city, TOWNSHIP)[name(empty)][0] == "P-2"


# A defect of our own does not stop the mail


class Clumsy:
    """A handler with a defect: it fails on one kind of act, each time in another way."""

    def __init__(self) -> None:
        self.way = ""
        self.calls = 0

    def __call__(self, work: Work, arrivals: Sequence[Arrival]) -> None:
        for one in arrivals:
            work.send("complaint.filed", {"about": one.event.id}, {COUNTY: Lane.SUP})
            if one.event.body.get("bad"):
                self._fail(one)

    def _fail(self, one: Arrival) -> None:
        self.calls += 1
        if self.way == "raises":
            raise ZeroDivisionError
        if self.way == "spoils":
            one.rule = None  # type: ignore[assignment]
        if self.way == "locked" and self.calls < 3:
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise OperationalError("", {}, error)


@pytest_asyncio.fixture(loop_scope="module")
async def clumsy(city: Federation) -> AsyncIterator[Clumsy]:
    handler = Clumsy()
    inbox = city[TOWNSHIP].inbox
    handlers, inbox._handlers = inbox._handlers, {**inbox._handlers, "rating.filed": handler}
    yield handler
    inbox._handlers = handlers


def said_here(city: Federation) -> set[str]:
    """Of which events the clumsy handler has spoken, as the township's own outbox has it."""
    event = table_of(EventRow).c
    rows = city[TOWNSHIP].read(
        lambda s: s.execute(select(event.raw).where(event.kind == "complaint.filed")).scalars().all()
    )
    return {json.loads(raw)["body"]["about"] for raw in rows}


@pytest.mark.parametrize("way", ["raises", "spoils"])
async def test_a_defect_condemns_one_message_and_says_nothing(
    city: Federation, clumsy: Clumsy, way: str
) -> None:
    clumsy.way = way
    rogue = Rogue(city, VILLAGE)
    bad = rogue.event("rating.filed", {"bad": True}, (TOWNSHIP,))
    fine = rogue.event("rating.filed", {"bad": False}, (TOWNSHIP,))
    post(city, TOWNSHIP, VILLAGE, rogue.parcel(fine))
    parcel = rogue.parcel(bad)
    post(city, TOWNSHIP, VILLAGE, parcel)
    good = await honest_case(city)
    before = said_here(city)
    await city[TOWNSHIP].take()
    assert good in rows(city, TOWNSHIP)
    assert states(city, TOWNSHIP, line(fine)) == {"applied"}
    assert "N-1" in complaints(await word_of(city, TOWNSHIP, VILLAGE))
    aside = set_aside_at(city, TOWNSHIP)
    assert aside[name(line(bad))][0] == "N-1" if way == "raises" else aside[name(parcel)][0] == "N-1"
    assert said_here(city) - before == {fine["id"]}
    await city.settle()


async def test_a_lock_condemns_nobody(city: Federation, clumsy: Clumsy) -> None:
    clumsy.way = "locked"
    rogue = Rogue(city, VILLAGE)
    event = rogue.event("rating.filed", {"bad": True}, (TOWNSHIP,))
    before = said_here(city)
    post(city, TOWNSHIP, VILLAGE, rogue.parcel(event))
    await city[TOWNSHIP].take()
    assert clumsy.calls == 3
    assert states(city, TOWNSHIP, line(event)) == {"applied"}
    assert said_here(city) - before == {event["id"]}
    await city.settle()


# Receipts


@pytest.mark.parametrize(
    ("title", "rule"),
    [
        ("of another key", "R-1"),
        ("for another reader", "R-1"),
        ("under another's name", "R-1"),
        ("by a certificate nobody knows", "R-1"),
        ("cut short", "P-1"),
        ("empty", "R-1"),
        ("noise", "R-1"),
        ("without its last newline", "R-1"),
        ("with lines before it", "P-2"),
        ("with a field too many", "R-1"),
        ("with a truth for a number", "R-1"),
        ("with a text for a number", "R-1"),
        ("with a range upside down", "R-1"),
        ("with 201 ranges", "R-1"),
        ("with a number beyond 2^31", "R-1"),
        ("with channels that are an object", "R-1"),
        ("with 65 channels", "R-1"),
        ("that is a statement", "P-2"),
        ("above 256 KiB", "R-1"),
    ],
)
async def test_receipts_that_are_none(city: Federation, title: str, rule: str) -> None:
    """Laid into the village's mailbox in the township's name: nothing of the village's list moves."""
    town, ep = Rogue(city, TOWNSHIP), city[VILLAGE].read(epoch_of)
    good = await honest_case(city)
    channel = {"ep": ep, "upto": 1, "missing": [], "waiting": [], "quarantined": []}
    fine = town.receipt(VILLAGE, [channel])
    payload = base64.b64decode(json.loads(fine)["payload"])
    stranger = Keys.generate()
    bad = {
        "of another key": lambda: dsse_line(dsse.RECEIPT, payload, stranger, town.cert) + b"\n",
        "for another reader": lambda: town.receipt(NEIGHBOUR, [channel]),
        "under another's name": lambda: Rogue(city, COUNTY).receipt(VILLAGE, [channel]),
        "by a certificate nobody knows": lambda: fine.replace(town.cert.fingerprint.encode(), b"0" * 64),
        "cut short": lambda: fine[:200] + b"\n",
        "empty": lambda: b"",
        "noise": lambda: bytes(range(11, 256)) * 3,
        "without its last newline": lambda: fine[:-1],
        "with lines before it": lambda: b"{}\n" * 3 + fine,
        "with a field too many": lambda: town.receipt(VILLAGE, [channel], more=1),
        "with a truth for a number": lambda: town.receipt(VILLAGE, [{**channel, "upto": True}]),
        "with a text for a number": lambda: town.receipt(VILLAGE, [{**channel, "upto": "1"}]),
        "with a range upside down": lambda: town.receipt(VILLAGE, [{**channel, "missing": [[3, 2]]}]),
        "with 201 ranges": lambda: town.receipt(
            VILLAGE, [{**channel, "waiting": [[n * 2 + 1, n * 2 + 1] for n in range(201)]}]
        ),
        "with a number beyond 2^31": lambda: town.receipt(VILLAGE, [{**channel, "upto": 2**31}]),
        "with channels that are an object": lambda: town.receipt(VILLAGE, (), channels=channel),
        "with 65 channels": lambda: town.receipt(VILLAGE, [channel] * 65),
        "that is a statement": lambda: town.parcel(a_case(Rogue(city, VILLAGE))).split(b"\n")[0] + b"\n",
        "above 256 KiB": lambda: town.receipt(
            VILLAGE, [channel], refused=[{"parcel": "", "rule": "", "reason": "x" * 300_000}]
        ),
    }[title]()
    post(city, VILLAGE, TOWNSHIP, bad, "rcpt")
    await city[VILLAGE].take()
    out = table_of(OutboxRow).c
    lines = city[VILLAGE].read(
        lambda s: s.execute(select(out.state).where(out.case_no == good)).scalars().all()
    )
    assert set(lines) == {OutState.SENT}
    found, reason = set_aside_at(city, VILLAGE)[name(bad)]
    assert (found, bool(reason)) == (rule, True), (found, reason)
    # A receipt is never answered by a complaint: two who do not know each other would argue for ever.
    await city[VILLAGE].tell()
    said = receipts_between(city, VILLAGE, TOWNSHIP)
    assert not any(
        name(bad).encode() in base64.b64decode(json.loads(one.split(b"\n")[-2])["payload"]) for one in said
    )

    await city.settle()
    assert city[VILLAGE].read(outstanding) == 0


def epoch_of(session: Any) -> str:
    from node.exchange.model import MetaRow

    meta = table_of(MetaRow).c
    return session.execute(select(meta.value).where(meta.key == "epoch")).scalar_one()


async def test_one_readers_receipt_closes_no_others_mail(city: Federation) -> None:
    good = await honest_case(city)
    neighbour = Rogue(city, NEIGHBOUR)
    channel = {
        "ep": city[VILLAGE].read(epoch_of), "upto": 2**31 - 1, "missing": [], "waiting": [], "quarantined": []
    }  # fmt: skip
    post(city, VILLAGE, NEIGHBOUR, neighbour.receipt(VILLAGE, [channel]), "rcpt")
    await city[VILLAGE].take()
    out = table_of(OutboxRow).c
    lines = city[VILLAGE].read(
        lambda s: s.execute(select(out.place, out.state).where(out.case_no == good)).all()
    )
    assert {state for _, state in lines} == {OutState.SENT}
    await city.settle()


async def test_the_sender_sees_what_was_refused(city: Federation) -> None:
    post(city, TOWNSHIP, VILLAGE, Rogue(city, VILLAGE).parcel(a_case(Rogue(city, VILLAGE)), frm=NEIGHBOUR))
    await city.settle()
    peer = table_of(PeerRow).c
    refusal = city[VILLAGE].read(
        lambda s: s.execute(select(peer.refusal).where(peer.place == TOWNSHIP)).scalar_one()
    )
    assert refusal.startswith("P-7")


# Certificates and time, each in a city of its own


@pytest.mark.parametrize(
    ("title", "born", "ends", "passed", "rule"),
    [
        ("in time", 0, 1, 0, ""),
        ("ran out while its mail was under way", 0, 1, 7, ""),
        ("ran out long ago", 0, 1, 9, "P-9"),
        ("not born yet, for a slow clock", 6, 90, 0, ""),
        ("not born yet", 9, 90, 0, "P-9"),
    ],
)
async def test_the_life_of_a_certificate(
    databases: Databases, title: str, born: int, ends: int, passed: int, rule: str
) -> None:
    city = await small_city(databases)
    try:
        keys = Keys.generate()
        cert = vouched(
            city, keys, not_before=START + timedelta(days=born), not_after=START + timedelta(days=ends)
        )
        rogue = Rogue(city, VILLAGE)
        rogue.keys, rogue.cert = keys, cert
        raw = line(a_case(rogue))
        data = rogue.parcel(raw, chain=[cert.line])
        city.now += timedelta(days=passed)
        if rule:
            await all_four(city, Posted(data, raw), rule)
        else:
            post(city, TOWNSHIP, VILLAGE, data)
            await city[TOWNSHIP].take()
            assert states(city, TOWNSHIP, raw) == {"applied"}
    finally:
        await city.close()


async def test_an_officer_cannot_take_what_does_not_open(databases: Databases) -> None:
    """A sealed part moved from another event opens for nobody; the officer is told, and sends the case back."""
    city = await small_city(databases)
    try:
        no = await city[VILLAGE].do(actions.file_case, AGENT, form(ITEM, agent=False))
        [row] = city[VILLAGE].read(views.events, no)
        moved = json.loads(row.raw)["enc"]
        rogue = Rogue(city, VILLAGE)
        bad = {**a_case(rogue), "cls": "personal", "enc": moved}
        other = bad["case"]["no"]
        post(city, TOWNSHIP, VILLAGE, rogue.parcel(bad))
        await city[TOWNSHIP].take()
        with pytest.raises(Exception, match="密封件") as refused:
            await city[TOWNSHIP].do(actions.take, CLERK, other)
        assert type(refused.value).__name__ == "Conflict"
        with pytest.raises(Exception, match="密封件"):
            await city[TOWNSHIP].do(actions.accept, CLERK, other)
        await city[TOWNSHIP].do(actions.refuse_handover, CLERK, other, "密封件打不开")
        await city.settle()
        assert city[TOWNSHIP].read(views.one, other).state == State.BOUNCED
        await city[TOWNSHIP].do(actions.take, CLERK, no)
    finally:
        await city.close()


async def test_signatures_are_of_these_bytes() -> None:
    """DSSE's own test vector, so that any implementation can check ours."""
    assert dsse.pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
