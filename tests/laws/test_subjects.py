"""Laws of the subjects, for small and strange cities and for the real one."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.divisions import read_divisions
from protocol.places import Code, Place, Tier, p5
from protocol.roster import Roster
from protocol.subjects import (
    MAIL,
    UP,
    Lane,
    catalogue,
    clients,
    consumer,
    directory,
    hub_permissions,
    mail,
    matches,
    node_permissions,
    outside,
    parse_catalogue,
    parse_directory,
    parse_mail,
    readers,
    relay_permissions,
    upper_hub,
)

codes = st.from_regex(r"[1-9][0-9][1-9][0-9]{9}", fullmatch=True)
tokens = st.sampled_from(["a", "b", "64", "*", ">"])


@given(st.sampled_from(list(Lane)), codes, codes)
def test_a_mail_subject_says_what_was_put_in(lane: Lane, dst: str, src: str) -> None:
    subject = mail(lane, dst, src)
    assert parse_mail(subject) == (lane, dst, src)
    assert len(subject.split(".")) == 12


@given(codes, st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True))
def test_catalogue_and_directory_subjects_say_what_was_put_in(owner: str, key: str) -> None:
    assert parse_catalogue(catalogue(owner, key)) == (owner, key)
    assert parse_directory(directory(owner)) == owner


@given(st.text(max_size=60))
def test_any_other_text_is_refused(text: str) -> None:
    for parse in (parse_mail, parse_catalogue, parse_directory):
        with pytest.raises(ValueError):
            parse(text)


@pytest.mark.parametrize("key", ["", "a.b", "a*", ">", "a b", "事项", "x" * 200])
def test_a_key_is_one_plain_token(key: str) -> None:
    with pytest.raises(ValueError, match="目录键"):
        catalogue("640200000000", key)


@given(
    st.lists(tokens, min_size=1, max_size=5),
    st.lists(st.sampled_from(["a", "b", "64"]), min_size=1, max_size=5),
)
def test_matching_is_token_by_token(pattern: list[str], subject: list[str]) -> None:
    if ">" in pattern:
        head = pattern[: pattern.index(">")]
        expected = len(subject) > len(head) and all(
            p in ("*", s) for p, s in zip(head, subject, strict=False)
        )
    else:
        expected = len(pattern) == len(subject) and all(
            p in ("*", s) for p, s in zip(pattern, subject, strict=True)
        )
    assert matches(".".join(pattern), ".".join(subject)) == expected


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    """Any tree below a city, with codes that follow the tree, or do not."""
    city = Code("640200000000")
    places = [Place(city, "市", Tier.CITY, None)]
    taken = {city}
    for _ in range(draw(st.integers(0, 12))):
        parent = draw(st.sampled_from([place for place in places if place.tier < Tier.VILLAGE]))
        tier = draw(st.sampled_from([tier for tier in Tier if tier > parent.tier]))
        width = {Tier.COUNTY: 6, Tier.TOWNSHIP: 9, Tier.VILLAGE: 12}[tier]
        digits = draw(st.integers(1, 3))
        stem = parent.code[: {Tier.CITY: 4, Tier.COUNTY: 6, Tier.TOWNSHIP: 9}[parent.tier]]
        if draw(st.booleans()):
            stem = "6402"
        made = Code((stem.ljust(width - 2, "0") + f"{digits:02d}").ljust(12, "0"))
        if made not in taken:
            taken.add(made)
            places.append(Place(made, "某地", tier, parent.code))
    hubs = {place.code for place in places if place.tier < Tier.VILLAGE and draw(st.booleans())}
    return Roster(places, {city, *hubs})


@pytest.fixture(scope="module")
def shizuishan() -> Roster:
    return read_divisions(Path("data/divisions-640200-shizuishan.csv").read_bytes())


def assert_every_place_has_one_mailbox_at_every_hub(roster: Roster) -> None:
    for hub in roster.hubs:
        mailboxes = [reader for reader in readers(roster, hub) if reader.stream == MAIL]
        for place in roster:
            subject = mail(Lane.CASE, place.code, roster.city.code)
            takers = [
                reader.name for reader in mailboxes for pattern in reader.filters if matches(pattern, subject)
            ]
            assert takers == [_taker(roster, hub, place.code)]


def _taker(roster: Roster, hub: Code, place: Code) -> str:
    """Who must get mail for `place` at `hub`, told by walking the tree."""
    if not roster.is_under(place, hub):
        return UP
    step = place
    while step != hub and upper_hub(roster, step) != hub:
        above = upper_hub(roster, step)
        assert above is not None
        step = above
    return consumer(step)


@given(rosters())
def test_every_place_has_one_mailbox_at_every_hub(roster: Roster) -> None:
    assert_every_place_has_one_mailbox_at_every_hub(roster)


def test_so_it_is_in_the_real_city(shizuishan: Roster) -> None:
    assert_every_place_has_one_mailbox_at_every_hub(shizuishan)
    assert {p5(county) for county in clients(shizuishan, shizuishan.city.code)} >= {"64.02.02.000.000"}


@given(rosters())
def test_a_place_writes_as_itself_and_a_hub_for_its_subtree(roster: Roster) -> None:
    for writer in roster:
        plain = node_permissions(writer.code)
        relay = relay_permissions(writer.code, roster.prefixes(writer.code))
        for src in roster:
            subject = mail(Lane.SUP, roster.city.code, src.code)
            assert plain.may_publish(subject) == (src.code == writer.code)
            assert relay.may_publish(subject) == roster.is_under(src.code, writer.code)
            assert hub_permissions(writer.code).may_publish(subject)


@given(rosters())
def test_outside_and_inside_are_all_and_share_nothing(roster: Roster) -> None:
    for hub in roster:
        beyond = outside(roster, hub.code)
        for place in roster:
            covered = any(place.code.startswith(digits) for digits in beyond)
            assert covered != roster.is_under(place.code, hub.code)
