"""What is signed opens, and no changed byte opens as something else."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import strict
from protocol.dsse import pae, sha256
from protocol.envelope import CaseRef, Event, read_event
from protocol.errors import EnvelopeError, SealError
from protocol.keys import Keys
from protocol.messages import MAY, STEPS
from protocol.places import Tier
from protocol.sealed import binding, is_party, open_sealed, seal
from protocol.verify import Opened, Verified, open_parcel, open_statement, prove
from tests.vectors.cast import COUNTY, LINE, NEIGHBOUR, NOW, TOWNSHIP, VILLAGE, Cast, a_life

CAST = Cast()
RING = CAST.ring()
LIFE = a_life(CAST)
FILED = LIFE[0][1]
ASKED = LIFE[5][1]
SECRET = CAST.say(
    VILLAGE,
    "case.filed",
    {"on": "2026-03-02", "by": "工号01", "item": "SZS-001", "to": TOWNSHIP},
    LINE,
    case=CaseRef(CAST.case_no(3), 1, ""),
    private={"applicant": {"name": "王小明"}},
    parties=(TOWNSHIP,),
)
PARCEL = CAST.parcel(VILLAGE, FILED, ASKED, SECRET, chain=CAST.chain(VILLAGE))

words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-strict.MAX_INT, strict.MAX_INT) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
bodies = st.dictionaries(words, values, max_size=5)


def opened(raw: bytes, me: str = TOWNSHIP) -> Opened:
    return open_parcel(raw, RING, me, NOW, VILLAGE)


def lines_of(found: Opened) -> list[bytes]:
    return [one.event.raw for one in found.verified]


# What is signed opens


@settings(max_examples=40)
@given(data=st.lists(bodies, min_size=1, max_size=6), kind=st.sampled_from(sorted(MAY[Tier.VILLAGE])))
def test_what_is_signed_opens_as_it_was_said(data: list[dict[str, Any]], kind: str) -> None:
    case = CaseRef(CAST.case_no(), 2, sha256(b"before")) if kind in STEPS else None
    events = [CAST.say(VILLAGE, kind, body, LINE, case=case) for body in data]
    raw = CAST.parcel(VILLAGE, *events)
    for reader in LINE:
        found = opened(raw, reader)
        assert lines_of(found) == events
        assert [one.event.body for one in found.verified] == data
        assert [one.event.seq_for(reader) for one in found.verified] == [
            read_event(e).seq_for(reader) for e in events
        ]
        assert not found.refused


@given(chosen=st.lists(st.sampled_from([FILED, ASKED, SECRET]), unique=True))
def test_any_part_of_what_was_signed_together_opens_alone(chosen: list[bytes]) -> None:
    statement = CAST.statement(VILLAGE, FILED, ASKED, SECRET)
    raw = b"".join(one + b"\n" for one in (statement, *chosen))
    assert lines_of(opened(raw)) == chosen
    for one in chosen:
        assert prove(one, statement, RING).event.raw == one


# No changed byte opens as something else


@settings(max_examples=250)
@given(at=st.integers(0, len(PARCEL) - 1), value=st.integers(1, 255))
def test_a_changed_byte(at: int, value: int) -> None:
    changed = bytearray(PARCEL)
    changed[at] ^= value
    nothing_new(bytes(changed))


@settings(max_examples=200)
@given(
    at=st.integers(0, len(PARCEL)),
    cut=st.integers(0, 40),
    more=st.binary(max_size=12) | st.sampled_from([b"\n", b"{}", b" ", b'"', FILED, FILED + b"\n"]),
)
def test_bytes_taken_out_or_put_in(at: int, cut: int, more: bytes) -> None:
    nothing_new(PARCEL[:at] + more + PARCEL[at + cut :])


@settings(max_examples=100)
@given(order=st.permutations(range(PARCEL.count(b"\n"))))
def test_lines_in_another_order(order: list[int]) -> None:
    lines = PARCEL.split(b"\n")
    nothing_new(b"".join(lines[at] + b"\n" for at in order))


def nothing_new(raw: bytes) -> None:
    """Refused as a whole, or every event that opens is one that was said, byte for byte, and by whom."""
    try:
        found = opened(raw)
    except EnvelopeError:
        return
    for one in found.verified:
        assert one.event.raw in (FILED, ASKED, SECRET)
        assert one.event == read_event(one.event.raw)
        assert (one.event.frm, one.certificate.place) == (VILLAGE, VILLAGE)
        assert one.statement.line in raw
        assert open_statement(one.statement.line, RING)[0] == one.statement


def test_only_verification_makes_a_verified() -> None:
    one = opened(PARCEL).verified[0]
    with pytest.raises(TypeError):
        Verified(one.event, one.statement, one.certificate, object())


# One way to write, one way to read


@given(value=bodies)
def test_what_is_written_is_read(value: dict[str, Any]) -> None:
    line = strict.dumps(value)
    assert strict.loads(line) == value
    # The same bytes as any other writer of compact JSON, keys in the order given.
    assert json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() == line or "\x7f" in str(
        value
    )


@given(value=bodies, at=st.integers(0, 400), space=st.sampled_from([b" ", b"\t", b"\r", b"\n"]))
def test_white_space_is_refused_wherever_it_means_nothing(
    value: dict[str, Any], at: int, space: bytes
) -> None:
    line = strict.dumps(value)
    spoiled = line[: at % (len(line) + 1)] + space + line[at % (len(line) + 1) :]
    try:
        assert strict.loads(spoiled) != value  # inside a text it is another text
    except EnvelopeError as wrong:
        assert wrong.rule == "P-1"  # noqa: PT017


@given(raw=st.binary(max_size=60) | words.map(str.encode))
def test_reading_never_fails_otherwise(raw: bytes) -> None:
    try:
        value = strict.loads(raw)
    except EnvelopeError as wrong:
        assert wrong.rule == "P-1"  # noqa: PT017
    else:
        assert strict.dumps(value) == raw


@settings(max_examples=150)
@given(data=st.data())
def test_no_spoiled_event_crashes(data: st.DataObject) -> None:
    """An event with anything in any field is refused by P-1 or P-8, or it is an event."""
    fields = orjson.loads(SECRET)
    at = data.draw(st.sampled_from(sorted(fields)))
    scraps = values | st.integers(2**31, 2**53 - 1)
    inner = fields[at]
    if isinstance(inner, dict) and inner and data.draw(st.booleans()):
        inner[data.draw(st.sampled_from(sorted(inner)))] = data.draw(scraps)
    elif isinstance(inner, list) and data.draw(st.booleans()):
        inner[0] = data.draw(scraps)
    else:
        fields[at] = data.draw(scraps)
    raw = orjson.dumps(fields)
    try:
        found = read_event(raw)
    except EnvelopeError as wrong:
        assert wrong.rule in ("P-1", "P-8")  # noqa: PT017
    else:
        assert isinstance(found, Event)
        assert found.raw == raw


@given(kind=words, payload=st.binary(max_size=40), other=words, another=st.binary(max_size=40))
def test_two_things_never_sign_alike(kind: str, payload: bytes, other: str, another: bytes) -> None:
    assert (pae(kind, payload) == pae(other, another)) == ((kind, payload) == (other, another))


# The sealed part


@settings(max_examples=60)
@given(content=bodies)
def test_what_is_sealed_opens_for_its_parties_only(content: dict[str, Any]) -> None:
    bound = binding("id", VILLAGE, "case.filed", "no")
    enc = seal(content, [CAST.cert(VILLAGE), CAST.cert(TOWNSHIP)], bound)
    for place in (VILLAGE, TOWNSHIP):
        assert is_party(enc, place)
        assert open_sealed(enc, place, CAST.keys[place].seal, bound) == content
    assert not is_party(enc, COUNTY)
    for place, keys in (
        (COUNTY, CAST.keys[COUNTY]),
        (VILLAGE, CAST.keys[NEIGHBOUR]),
        (VILLAGE, Keys.generate()),
    ):
        with pytest.raises(SealError):
            open_sealed(enc, place, keys.seal, bound)


ENC = json.loads(SECRET)["enc"]
BOUND = binding(json.loads(SECRET)["id"], VILLAGE, "case.filed", CAST.case_no(3))


@pytest.mark.parametrize("at", range(4))
def test_a_sealed_part_moved_to_another_event_does_not_open(at: int) -> None:
    parts = [json.loads(SECRET)["id"], VILLAGE, "case.filed", CAST.case_no(3)]
    assert open_sealed(ENC, TOWNSHIP, CAST.keys[TOWNSHIP].seal, binding(*parts))
    parts[at] = "another"
    with pytest.raises(SealError):
        open_sealed(ENC, TOWNSHIP, CAST.keys[TOWNSHIP].seal, binding(*parts))


@settings(max_examples=150)
@given(data=st.data())
def test_no_changed_sealed_part_opens_or_crashes(data: st.DataObject) -> None:
    enc = json.loads(json.dumps(ENC))
    spots: list[tuple[Any, ...]] = [("alg",), ("nonce",), ("ct",), ("keys",), ("keys", 0), ("keys", 1)]
    spots += [("keys", 1, "key"), ("keys", 1, "place"), ("keys", 1, "cert")]
    spot = data.draw(st.sampled_from(spots))
    inner = enc
    for part in spot[:-1]:
        inner = inner[part]
    before = inner[spot[-1]]
    if isinstance(before, str) and data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(before) - 1))
        inner[spot[-1]] = before[:at] + data.draw(st.sampled_from("AZaz09+/=")) + before[at + 1 :]
    else:
        inner[spot[-1]] = data.draw(values)
    try:
        content = open_sealed(enc, TOWNSHIP, CAST.keys[TOWNSHIP].seal, BOUND)
    except SealError:
        return
    assert content == {"applicant": {"name": "王小明"}}
    assert enc["alg"] == ENC["alg"]
