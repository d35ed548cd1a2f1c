"""Certificates: a chain from one root, powers that only shrink, and no second key for a place by one hand alone."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.authority import certify, root
from protocol import dsse
from protocol.certificates import Certificate, KeyRing, instant, is_instant, issue, read, write_instant
from protocol.errors import EnvelopeError
from protocol.keys import Keys
from protocol.messages import EVERY_KIND, MAY
from protocol.places import Tier
from tests.vectors.cast import CITY, COUNTY, NEIGHBOUR, NOW, ROSTER, TOWNSHIP, VILLAGE, Cast, keys_of

CAST = Cast()


def successor(place: str = VILLAGE, **changes: Any) -> Certificate:
    """A second-generation certificate of the village, issued by the township."""
    issuer = CAST.cert(TOWNSHIP)
    fields: dict[str, Any] = {
        "issuer": issuer,
        "issuer_keys": CAST.keys[TOWNSHIP],
        "keys": keys_of("village again"),
        "place": place,
        "name": "永安社区",
        "tier": Tier.VILLAGE,
        "scope": (place,),
        "may": MAY[Tier.VILLAGE],
        "grant": (),
        "not_before": NOW,
        "not_after": NOW + timedelta(days=365),
        "generation": 2,
    }
    return issue(**fields | changes)


def refused(rule: str, action: Any, *args: Any) -> str:
    with pytest.raises(EnvelopeError) as found:
        action(*args)
    assert found.value.rule == rule, found.value
    return found.value.reason


def test_the_whole_chain() -> None:
    ring = CAST.ring()
    assert len(list(ring)) == 6
    assert [one.place for one in ring.chain(VILLAGE)] == [CITY, COUNTY, TOWNSHIP, VILLAGE]
    assert ring.current(VILLAGE) == CAST.cert(VILLAGE)
    assert ring.current("640299000000") is None
    assert ring.chain("640299000000") == []
    assert ring.get(CAST.anchor.fingerprint) is ring.root


def test_a_certificate_is_named_by_what_it_says_not_by_who_signed_beside() -> None:
    once, witnessed = successor(), successor(also=[(CAST.cert(VILLAGE), CAST.keys[VILLAGE])])
    assert once.fingerprint == witnessed.fingerprint
    assert once.line != witnessed.line


def test_issuers_come_first() -> None:
    ring = CAST.ring(CITY)
    refused("P-5", ring.admit, CAST.cert(TOWNSHIP).line)
    ring.admit(CAST.cert(COUNTY).line)
    ring.admit(CAST.cert(TOWNSHIP).line)
    assert ring.admit(CAST.cert(TOWNSHIP).line) is ring.current(TOWNSHIP)


def test_what_a_certificate_covers() -> None:
    assert CAST.cert(COUNTY).covers(VILLAGE)
    assert not CAST.cert(VILLAGE).covers(NEIGHBOUR)
    assert not CAST.cert(TOWNSHIP).covers(COUNTY)


# The root


def test_the_root_signs_itself() -> None:
    assert KeyRing(CAST.anchor.line).root == CAST.anchor
    refused("P-5", KeyRing, CAST.cert(CITY).line)
    broken = json.loads(CAST.anchor.line)
    broken["signatures"][0]["sig"] = dsse.b64(bytes(64))
    refused("P-5", KeyRing, dsse.strict.dumps(broken))
    broken = json.loads(CAST.anchor.line)
    broken["signatures"][0]["keyid"] = "0" * 64
    refused("P-5", KeyRing, dsse.strict.dumps(broken))


def test_the_root_says_nothing_itself() -> None:
    assert not CAST.anchor.may


def test_the_root_may_grant_what_later_versions_add() -> None:
    assert not CAST.anchor.grant
    made = certify(ROSTER, CITY, CAST.keys[CITY], CAST.anchor, CAST.root_keys, NOW)
    assert made.may == MAY[ROSTER[CITY].tier]
    ring = KeyRing(CAST.anchor.line)
    ring.admit(made.line)
    below = {
        "place": COUNTY,
        "tier": Tier.COUNTY,
        "scope": ROSTER.prefixes(COUNTY),
        "keys": CAST.keys[COUNTY],
    }
    more = successor(
        issuer=made, issuer_keys=CAST.keys[CITY], may=("catalogue.edition",), generation=1, **below
    )
    refused("P-6", ring.admit, more.line)


def test_another_citys_certificates_do_not_hold_here() -> None:
    keys = Keys.generate()
    other = root(keys, ROSTER, NOW)
    theirs = certify(ROSTER, CITY, keys, other, keys, NOW)
    ring = CAST.ring()
    refused("P-5", ring.admit, other.line)
    refused("P-5", ring.admit, theirs.line)


# Succession


def test_a_new_key_with_the_old_ones_word() -> None:
    ring, new = CAST.ring(), successor(also=[(CAST.cert(VILLAGE), CAST.keys[VILLAGE])])
    assert ring.admit(new.line) is ring.current(VILLAGE)
    assert ring.get(CAST.cert(VILLAGE).fingerprint) is not None


def test_a_new_key_with_the_grandparents_word() -> None:
    ring, new = CAST.ring(), successor(also=[(CAST.cert(COUNTY), CAST.keys[COUNTY])])
    assert ring.admit(new.line) is ring.current(VILLAGE)


def test_no_new_key_by_the_issuers_hand_alone() -> None:
    refused("P-5", CAST.ring().admit, successor().line)
    refused("P-5", CAST.ring().admit, successor(also=[(CAST.cert(TOWNSHIP), CAST.keys[TOWNSHIP])]).line)
    refused("P-5", CAST.ring().admit, successor(also=[(CAST.cert(NEIGHBOUR), CAST.keys[NEIGHBOUR])]).line)
    forged = successor(also=[(CAST.cert(VILLAGE), Keys.generate())])
    refused("P-5", CAST.ring().admit, forged.line)


def test_no_second_certificate_of_one_generation() -> None:
    also = [(CAST.cert(VILLAGE), CAST.keys[VILLAGE])]
    assert "已有第 1 代" in refused("P-5", CAST.ring().admit, successor(generation=1, also=also).line)


def test_a_township_cannot_issue_itself_anew() -> None:
    own = successor(TOWNSHIP, scope=(TOWNSHIP,), also=[(CAST.cert(TOWNSHIP), CAST.keys[TOWNSHIP])])
    refused("P-5", CAST.ring().admit, own.line)


# Inside


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scope": ("64",)}, "证书内容有误"),
        ({"scope": ("640221",)}, "管辖范围"),
        ({"scope": (NEIGHBOUR,)}, "自己"),
        ({"may": MAY[Tier.VILLAGE] | {"catalogue.edition"}}, "权限"),
        ({"may": MAY[Tier.VILLAGE] | {"joint.opinion"}}, "权限"),
        ({"grant": ("supervise.card",)}, "权限"),
        ({"tier": Tier.TOWNSHIP}, "层级"),
        ({"tier": Tier.CITY}, "层级"),
        ({"not_before": NOW - timedelta(days=2)}, "有效期"),
        ({"not_after": NOW + timedelta(days=9999)}, "有效期"),
    ],
)
def test_a_child_lies_inside_its_issuer(changes: dict[str, Any], words: str) -> None:
    also = [(CAST.cert(VILLAGE), CAST.keys[VILLAGE])]

    def admit() -> None:
        CAST.ring().admit(successor(also=also, **changes).line)

    with pytest.raises(EnvelopeError, match=words) as found:
        admit()
    assert found.value.rule in ("P-4", "P-6")


@settings(max_examples=60, deadline=None)
@given(
    may=st.frozensets(st.sampled_from(sorted(EVERY_KIND)), max_size=4),
    scope=st.lists(
        st.sampled_from(["6402", "640221", "640221100", VILLAGE, NEIGHBOUR]), min_size=1, max_size=3
    ),
    born=st.integers(-3, 3),
    days=st.integers(1, 4000),
)
def test_whatever_is_admitted_is_inside(may: frozenset[str], scope: list[str], born: int, days: int) -> None:
    start = NOW + timedelta(days=born)
    issuer = CAST.cert(TOWNSHIP)
    new = successor(
        may=may,
        scope=scope,
        not_before=start,
        not_after=start + timedelta(days=days),
        also=[(CAST.cert(VILLAGE), CAST.keys[VILLAGE])],
    )
    inside = (
        may <= issuer.grant
        and all(one.startswith(issuer.scope) for one in scope)
        and VILLAGE.startswith(tuple(scope))
        and issuer.not_before <= new.not_before
        and new.not_after <= issuer.not_after
    )
    ring = CAST.ring()
    try:
        ring.admit(new.line)
    except EnvelopeError as wrong:
        assert wrong.rule == "P-6"  # noqa: PT017
        assert not inside
    else:
        assert inside


def test_the_issuer_it_names_is_the_one_that_signed() -> None:
    payload = json.loads(base64.b64decode(json.loads(successor().line)["payload"]))
    raw = dsse.strict.dumps({**payload, "iss": COUNTY})
    sig = CAST.keys[TOWNSHIP].sign.sign(dsse.pae(dsse.CERTIFICATE, raw))
    line = dsse.write(dsse.CERTIFICATE, raw, [dsse.Signature(CAST.cert(TOWNSHIP).fingerprint, sig)])
    assert "签发者" in refused("P-5", CAST.ring().admit, line)


# Form


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_no_spoiled_certificate_crashes_or_holds(data: st.DataObject) -> None:
    payload = json.loads(base64.b64decode(json.loads(CAST.cert(NEIGHBOUR).line)["payload"]))
    field = data.draw(st.sampled_from(sorted(payload)))
    scraps = (
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=13)
        | st.lists(st.text(max_size=3), max_size=12)
    )
    value = data.draw(scraps | st.dictionaries(st.text(max_size=2), scraps, max_size=2))
    try:
        raw = dsse.strict.dumps({**payload, field: value})
    except TypeError:  # an integer no JSON of ours can hold
        return
    sig = CAST.keys[TOWNSHIP].sign.sign(dsse.pae(dsse.CERTIFICATE, raw))
    line = dsse.write(dsse.CERTIFICATE, raw, [dsse.Signature(CAST.cert(TOWNSHIP).fingerprint, sig)])
    ring = CAST.ring(CITY, COUNTY, TOWNSHIP)
    try:
        found = ring.admit(line)
    except EnvelopeError as wrong:
        assert wrong.rule in ("P-1", "P-2", "P-3", "P-4", "P-5", "P-6")  # noqa: PT017
    else:
        assert (found.place, found.tier) == (NEIGHBOUR, Tier.VILLAGE)


def test_reading_what_was_written() -> None:
    cert = CAST.cert(COUNTY)
    again = read(cert.line)
    assert again == cert
    assert (again.place, again.issuer, again.generation, again.tier) == (COUNTY, CITY, 1, Tier.COUNTY)
    assert again.key == CAST.keys[COUNTY].sign_public
    assert again.valid_at(NOW)
    assert not again.valid_at(NOW - timedelta(days=2))


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02T01:00:00Z",
        "2026-03-02T01:00:00.1Z",
        "2026-03-02T01:00:00.123456Z",
        "2026-03-02T01:00:00.000",
        "2026-03-02T01:00:00.000+00:00",
        "2026-03-02T01:00:00.000z",
        "2026-03-02 01:00:00.000Z",
        "2026-02-29T01:00:00.000Z",
        "2026-03-02T24:00:00.000Z",
        "2026-03-02T23:60:00.000Z",
        "0000-03-02T23:00:00.000Z",
        "２０２６-03-02T01:00:00.000Z",
        "20260302T010000.000Z",
        "",
        None,
        7,
    ],
)
def test_one_way_to_write_a_moment(text: object) -> None:
    assert not is_instant(text)
    with pytest.raises(ValueError):
        instant(text)


@settings(deadline=None)
@given(moment=st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)))  # noqa: DTZ001
def test_moments_come_back_to_the_millisecond(moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC)
    assert instant(write_instant(moment)) == moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def test_private_keys_are_never_shown() -> None:
    keys = keys_of("somebody")
    assert "sign" not in repr(keys)
    assert Keys.load(keys.dump()).sign_public == keys.sign_public
    refused("P-1", Keys.load, b"x")
    refused("P-3", Keys.load, b'{"v":2}')
