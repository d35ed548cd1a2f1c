"""Receipts: what a reader has applied, told exactly or less, never more."""

import json
from collections.abc import Set as AbstractSet
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import dsse
from protocol.dsse import Signature
from protocol.envelope import MAX_PARCEL
from protocol.errors import EnvelopeError
from protocol.receipts import (
    MAX_LISTED,
    Channel,
    Quarantined,
    Receipt,
    RefusedParcel,
    bounded,
    gaps,
    ranges,
    read,
    write,
)
from tests.vectors.cast import CITY, NEIGHBOUR, NOW, TOWNSHIP, VILLAGE, Cast

CAST = Cast()
RING = CAST.ring()
numbers = st.frozensets(st.integers(1, 60))


def said(*channels: Channel, hello: bool = False, refused: tuple[RefusedParcel, ...] = ()) -> bytes:
    """What the township writes to the village."""
    receipt = Receipt(TOWNSHIP, VILLAGE, "", hello, 7, channels, refused)
    return write(receipt, CAST.keys[TOWNSHIP], CAST.cert(TOWNSHIP), NOW)


def heard(raw: bytes) -> Receipt:
    return read(raw, RING, VILLAGE, TOWNSHIP)


def claimed(one: Channel) -> set[int]:
    """The numbers a channel says are applied."""
    listed = {n for first, last in (*one.missing, *one.waiting) for n in range(first, last + 1)}
    return set(range(1, one.upto + 1)) - listed - {q.seq for q in one.quarantined}


def channel(present: AbstractSet[int], waiting: AbstractSet[int], bad: AbstractSet[int]) -> Channel:
    """The channel of a reader to whom these numbers have come."""
    here = present | waiting | bad
    highest = max(here, default=0)
    return Channel(
        "ep",
        highest,
        gaps(sorted(here), 1, highest),
        ranges(waiting - bad),
        tuple(Quarantined(n, "P-14", "坏") for n in sorted(bad)),
    )


@settings(deadline=None)
@given(present=numbers, waiting=numbers, bad=numbers)
def test_exactly_what_is_applied(
    present: frozenset[int], waiting: frozenset[int], bad: frozenset[int]
) -> None:
    one = channel(present, waiting, bad)
    assert claimed(one) == present - waiting - bad
    [back] = heard(said(one)).channels
    assert back == one


@settings(deadline=None)
@given(present=numbers, waiting=numbers, bad=numbers, listed=st.integers(1, 12))
def test_cut_short_it_claims_less_and_never_more(
    present: frozenset[int], waiting: frozenset[int], bad: frozenset[int], listed: int
) -> None:
    one = channel(present, waiting, bad)
    short = bounded(one, listed)
    assert claimed(short) <= claimed(one)
    assert all(len(part) <= listed for part in (short.missing, short.waiting, short.quarantined))
    assert bounded(short, listed) == short
    if max(map(len, (one.missing, one.waiting, one.quarantined))) <= listed:
        assert short == one


@settings(deadline=None)
@given(found=numbers)
def test_ranges_and_gaps_are_each_others_rest(found: frozenset[int]) -> None:
    covered = {n for first, last in ranges(found) for n in range(first, last + 1)}
    assert covered == found
    rest = {n for first, last in gaps(sorted(found), 1, 60) for n in range(first, last + 1)}
    assert rest == set(range(1, 61)) - found
    for joined in (ranges(found), gaps(sorted(found), 1, 60)):
        assert all(a[1] + 1 < b[0] for a, b in pairwise(joined))


def test_a_gap_of_two_thousand_million() -> None:
    assert gaps([1, 2**31 - 1], 1, 2**31 - 1) == ((2, 2**31 - 2),)


def test_everything_that_is_said_is_heard() -> None:
    one = Channel("e1", 9, ((2, 3),), ((5, 5), (7, 8)), (Quarantined(9, "L-2", "无权"),))
    two = Channel("e2", 0)
    back = heard(said(one, two, hello=True, refused=(RefusedParcel("0" * 64, "P-7", "签名不符"),)))
    assert (back.frm, back.to, back.hello, back.edition) == (TOWNSHIP, VILLAGE, True, 7)
    assert back.channels == (one, two)
    assert back.refused == (RefusedParcel("0" * 64, "P-7", "签名不符"),)
    assert back.at == "2026-03-02T01:00:00.000Z"


def test_however_much_there_is_to_say_it_fits_into_a_parcel() -> None:
    bad = tuple(Quarantined(n, "P-14", "很长的理由" * 100) for n in range(1, 1000))
    odd = tuple((n, n) for n in range(1001, 9000, 2))
    channels = [Channel(f"e{n}", 9000, (), odd, bad) for n in range(64)]
    refused = tuple(RefusedParcel("0" * 64, "P-7", "很长的理由" * 100) for _ in range(500))
    raw = said(*channels, refused=refused)
    assert len(raw) <= MAX_PARCEL
    back = heard(raw)
    assert len(back.channels) == 64
    for short, whole in zip(back.channels, channels, strict=True):
        assert claimed(short) <= claimed(whole)


def test_its_certificates_may_come_with_it() -> None:
    receipt = Receipt(VILLAGE, TOWNSHIP, "", True, 7, ())
    ring = CAST.ring(CITY)
    chain = [CAST.cert(place.code) for place in reversed(CAST.roster.line(VILLAGE))]
    raw = write(receipt, CAST.keys[VILLAGE], CAST.cert(VILLAGE), NOW, chain)
    assert read(raw, ring, TOWNSHIP).frm == VILLAGE
    assert ring.current(VILLAGE) is not None


def refused(raw: bytes, me: str = VILLAGE, source: str | None = None, rule: str = "R-1") -> None:
    with pytest.raises(EnvelopeError) as found:
        read(raw, CAST.ring(), me, source)
    assert found.value.rule == rule, found.value


def test_not_ours_to_read() -> None:
    refused(said(), me=NEIGHBOUR)
    refused(said(), source=NEIGHBOUR)


def test_the_root_and_replaced_keys_write_no_receipts() -> None:
    receipt = Receipt(CITY, VILLAGE, "", False, 7, ())
    refused(write(receipt, CAST.root_keys, CAST.anchor, NOW))


@settings(max_examples=120, deadline=None)
@given(at=st.integers(0, len(said(Channel("e1", 9, ((2, 3),)))) - 1), value=st.integers(1, 255))
def test_no_changed_byte_is_heard(at: int, value: int) -> None:
    raw = bytearray(said(Channel("e1", 9, ((2, 3),))))
    raw[at] ^= value
    with pytest.raises(EnvelopeError):
        heard(bytes(raw))


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_no_spoiled_receipt_crashes(data: st.DataObject) -> None:
    """Signed by a true key, with anything in any field: refused by name, or heard as a receipt."""
    one = {"ep": "e", "upto": 9, "missing": [[2, 3]], "waiting": [], "quarantined": []}
    bad = {"seq": 4, "rule": "L-1", "reason": "x"}
    payload = {
        "v": 1, "frm": TOWNSHIP, "to": VILLAGE, "iat": "2026-03-02T01:00:00.000Z", "hello": False, "cat": 1,
        "channels": [{**one, "quarantined": [bad]}], "refused": [{"parcel": "x", "rule": "P-7", "reason": "x"}],
    }  # fmt: skip
    scraps = st.none() | st.booleans() | st.integers(-9, 2**40) | st.text(max_size=5)
    anything = (
        scraps | st.lists(scraps, max_size=3) | st.dictionaries(st.text(max_size=3), scraps, max_size=2)
    )
    spots: list[tuple[object, ...]] = [(field,) for field in payload]
    spots += [("channels", 0, field) for field in one] + [("channels", 0, "quarantined", 0, f) for f in bad]
    spots += [("refused", 0, "parcel"), ("channels", 0, "missing", 0), ("channels", 0, "missing", 0, 1)]
    spot = data.draw(st.sampled_from(spots))
    spoiled = json.loads(json.dumps(payload))
    inner = spoiled
    for part in spot[:-1]:
        inner = inner[part]
    inner[spot[-1]] = data.draw(anything)
    raw = dsse.strict.dumps(spoiled)
    sig = CAST.keys[TOWNSHIP].sign.sign(dsse.pae(dsse.RECEIPT, raw))
    line = dsse.write(dsse.RECEIPT, raw, [Signature(CAST.cert(TOWNSHIP).fingerprint, sig)]) + b"\n"
    try:
        found = heard(line)
    except EnvelopeError as wrong:
        assert wrong.rule in ("R-1", "P-1")  # noqa: PT017
    else:
        assert all(len(part) <= MAX_LISTED for one in found.channels for part in (one.missing, one.waiting))
        assert all(0 < a <= b <= one.upto for one in found.channels for a, b in (*one.missing, *one.waiting))
