"""Exactly one competent place for every item, place and day; and no case goes round in circles."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.catalogue import Catalogue, Deed, DeedForm, Item, Status
from protocol.divisions import read_divisions
from protocol.errors import RoutingError
from protocol.items import ItemsFile, check_deeds, read_items
from protocol.places import Code, Place, Tier
from protocol.roster import Roster
from protocol.routing import (
    HandOver,
    check_filing,
    competent,
    hand_over,
    hearers,
    may_hand_over,
    next_holder,
    route,
)

DATA = Path(__file__).parents[2] / "data"
FILE: ItemsFile = read_items((DATA / "items.json").read_bytes())
CITY = read_divisions((DATA / "divisions-640200-shizuishan.csv").read_bytes())
CATALOGUE = Catalogue(1, FILE.items, FILE.deeds)
DAY = date(2025, 3, 3)
DAWUKOU, HUINONG, PINGLUO = "640202000000", "640205000000", "640221000000"


def a_village(county: str) -> Place:
    return next(place for place in CITY.subtree(county) if place.tier is Tier.VILLAGE)


def item(base: str = "SZS-029", **changes: object) -> Item:
    return CATALOGUE[base].model_copy(update=changes)


def deed(**changes: object) -> Deed:
    fields: dict[str, object] = {
        "id": "d1",
        "item": "SZS-029",
        "form": "赋权",
        "giver": PINGLUO,
        "to_every": Tier.TOWNSHIP,
        "effective": date(2025, 1, 1),
        "source": "县政府文件",
        "approvers": ("甲", "乙"),
    }
    return Deed.model_validate(fields | changes, strict=False)


# The real city


def test_the_same_item_ends_where_it_is_devolved() -> None:
    tiers = {
        county: competent(CATALOGUE, CITY, "SZS-029", a_village(county).code, DAY).tier
        for county in (DAWUKOU, HUINONG, PINGLUO)
    }
    assert tiers == {DAWUKOU: Tier.COUNTY, HUINONG: Tier.TOWNSHIP, PINGLUO: Tier.COUNTY}


@pytest.mark.parametrize(
    ("county", "counts"), [(DAWUKOU, (10, 81, 16, 2)), (HUINONG, (10, 76, 21, 2)), (PINGLUO, (10, 85, 13, 1))]
)
def test_how_many_items_end_at_each_tier(county: str, counts: tuple[int, ...]) -> None:
    village = a_village(county).code
    ends = [competent(CATALOGUE, CITY, each.id, village, DAY).tier for each in CATALOGUE]
    assert tuple(map(ends.count, Tier)) == counts


def test_every_item_for_every_place_is_decided_in_its_line() -> None:
    for place in CITY:
        line = CITY.line(place.code)
        for each in CATALOGUE:
            way = route(CATALOGUE, CITY, each.id, place.code, DAY)
            assert way.decides in line
            assert way.receives in line
            assert not (each.is_licence and way.decides.tier is Tier.VILLAGE)
            assert way.receives.tier >= way.decides.tier


def test_only_items_accepted_below_by_law_stop_at_the_township() -> None:
    village = a_village(PINGLUO)
    township = CITY.at(village.code, Tier.TOWNSHIP)
    county = CITY[PINGLUO]
    low_income = route(CATALOGUE, CITY, "SZS-001", village.code, DAY)
    assert (low_income.receives, low_income.decides) == (township, county)
    assert "初审" in low_income.why
    extended = route(CATALOGUE, CITY, "SZS-004", village.code, DAY)
    assert extended.receives == extended.decides == county
    at_county = route(CATALOGUE, CITY, "SZS-001", PINGLUO, DAY)
    assert at_county.receives == at_county.decides == county


def test_who_is_asked_for_something_unknown() -> None:
    for item_id, place in (("SZS-999", PINGLUO), ("SZS-001", "640299000000")):
        with pytest.raises(RoutingError):
            competent(CATALOGUE, CITY, item_id, place, DAY)


def test_who_hears() -> None:
    village, other = a_village(PINGLUO), a_village(HUINONG)
    heard = hearers(CITY, village.code, HUINONG)
    assert [place.tier for place in heard] == [
        Tier.VILLAGE,
        Tier.TOWNSHIP,
        Tier.COUNTY,
        Tier.CITY,
        Tier.COUNTY,
    ]
    assert len(hearers(CITY, village.code, other.code, PINGLUO)) == 7
    with pytest.raises(RoutingError):
        hearers(CITY, village.code, "640299000000")


def test_what_may_not_be_filed() -> None:
    village, county = a_village(PINGLUO), CITY[PINGLUO]
    check_filing(CATALOGUE["SZS-001"], village, by_agent=True)
    marriage = CATALOGUE["SZS-013"]
    check_filing(marriage, county, by_agent=False)
    for wrong in (
        (marriage, county, True),
        (marriage, village, False),
        (CATALOGUE["SZS-093"], village, False),
        (item("SZS-001", status=Status.PAUSED), county, False),
    ):
        with pytest.raises(RoutingError):
            check_filing(wrong[0], wrong[1], by_agent=wrong[2])


# Deeds in time


def with_deeds(*deeds: Deed, edition: int = 1) -> Catalogue:
    return Catalogue(edition, [CATALOGUE["SZS-029"]], deeds)


def ends(catalogue: Catalogue, on: date, accepted: date | None = None) -> Tier:
    return competent(catalogue, CITY, "SZS-029", a_village(PINGLUO).code, on, accepted).tier


def test_a_deed_works_from_its_day_and_a_recall_from_its_own() -> None:
    recall = deed(id="d2", form="收回", effective=date(2025, 6, 1))
    catalogue = with_deeds(deed(), recall)
    assert ends(catalogue, date(2024, 12, 31)) is Tier.COUNTY
    assert ends(catalogue, date(2025, 1, 1)) is Tier.TOWNSHIP
    assert ends(catalogue, date(2025, 5, 31)) is Tier.TOWNSHIP
    assert ends(catalogue, date(2025, 6, 1)) is Tier.COUNTY
    again = with_deeds(deed(), recall, deed(id="d3", form="委托", effective=date(2025, 9, 1)))
    assert ends(again, date(2025, 9, 1)) is Tier.TOWNSHIP


def test_a_deed_runs_out_after_its_last_day() -> None:
    catalogue = with_deeds(deed(until=date(2025, 6, 30)))
    assert [ends(catalogue, date(2025, 6, 30)), ends(catalogue, date(2025, 7, 1))] == [
        Tier.TOWNSHIP,
        Tier.COUNTY,
    ]


def test_running_cases_stay_or_move_by_the_rule_of_the_deed() -> None:
    before, after = date(2024, 12, 20), date(2025, 1, 10)
    assert ends(with_deeds(deed(in_flight="stay")), after, accepted=before) is Tier.COUNTY
    assert ends(with_deeds(deed(in_flight="move")), after, accepted=before) is Tier.TOWNSHIP
    assert ends(with_deeds(deed(in_flight="stay")), after, accepted=after) is Tier.TOWNSHIP


def test_one_township_may_be_left_out_or_recalled_alone() -> None:
    mine = CITY.at(a_village(PINGLUO).code, Tier.TOWNSHIP)
    assert mine is not None
    other = next(place for place in CITY.children(PINGLUO) if place != mine)
    assert ends(with_deeds(deed(to_every=None, to=(other.code,))), DAY) is Tier.COUNTY
    recall = deed(id="d2", form="收回", to_every=None, to=(mine.code,), effective=date(2025, 2, 1))
    assert ends(with_deeds(deed(), recall), DAY) is Tier.COUNTY
    elsewhere = competent(with_deeds(deed(), recall), CITY, "SZS-029", other.code, DAY)
    assert elsewhere == other


def test_nobody_gives_what_he_does_not_hold() -> None:
    city_item = item("SZS-093")
    given_by_county = deed(item="SZS-093")
    catalogue = Catalogue(1, [city_item], [given_by_county])
    village = a_village(PINGLUO).code
    assert competent(catalogue, CITY, "SZS-093", village, DAY) == CITY.city
    to_county = deed(id="d0", item="SZS-093", giver=CITY.city.code, to_every=Tier.COUNTY)
    chain = Catalogue(1, [city_item], [given_by_county, to_county])
    assert competent(chain, CITY, "SZS-093", village, DAY).tier is Tier.TOWNSHIP
    broken = deed(
        id="d9", item="SZS-093", form="收回", giver=CITY.city.code, to_every=Tier.COUNTY, effective=DAY
    )
    assert (
        competent(
            Catalogue(1, [city_item], [given_by_county, to_county, broken]), CITY, "SZS-093", village, DAY
        )
        == CITY.city
    )


def test_a_licence_never_reaches_a_village() -> None:
    licence = deed(item="SZS-045", to_every=Tier.VILLAGE)
    catalogue = Catalogue(1, [CATALOGUE["SZS-045"]], [licence])
    assert competent(catalogue, CITY, "SZS-045", a_village(PINGLUO).code, DAY).tier is Tier.COUNTY
    assert check_deeds(catalogue, [licence], CITY)


# Odd trees

ODD = read_divisions(
    "code,name,level,parent\n"
    "441900000000,东莞市,city,\n"
    "441900003000,东城街道,township,441900000000\n"
    "441900003001,岗贝社区,village,441900003000\n"
    "441971000000,高新区,county,441900000000\n"
    "441971000401,直属社区,village,441971000000\n"
    "441900500201,市直属村,village,441900000000\n".encode()
)


@pytest.mark.parametrize(
    ("item_id", "place", "decides"),
    [
        ("SZS-029", "441900003001", "东莞市"),  # city, county, township: upwards first
        ("SZS-015", "441900003001", "东城街道"),  # county and township: the township is all there is
        ("SZS-001", "441900003001", "东莞市"),  # the township only accepts
        ("SZS-010", "441900003001", "东莞市"),
        ("SZS-064", "441971000401", "高新区"),  # the township's own power, and no township
        ("SZS-045", "441971000401", "高新区"),
        ("SZS-076", "441971000401", "直属社区"),  # township and village: a service the village may give
        ("SZS-064", "441900500201", "东莞市"),
        ("SZS-018", "441900500201", "市直属村"),
    ],
)
def test_skipped_tiers(item_id: str, place: str, decides: str) -> None:
    bare = Catalogue(1, FILE.items)
    assert competent(bare, ODD, item_id, place, DAY).name == decides


def test_by_law_accepted_below_where_there_is_no_township() -> None:
    way = route(Catalogue(1, FILE.items), ODD, "SZS-001", "441971000401", DAY)
    assert way.receives == way.decides == ODD["441971000000"]


def test_what_was_recalled_does_not_come_back_by_a_skipped_tier() -> None:
    recall = deed(item="SZS-015", form="收回", giver="441900000000")
    catalogue = Catalogue(1, FILE.items, [recall])
    assert competent(catalogue, ODD, "SZS-015", "441900003001", DAY) == ODD.city


# Laws


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    """Trees with skipped tiers; the codes say nothing about the parents."""
    places = [Place(Code("990100000000"), "市", Tier.CITY, None)]
    for number in range(draw(st.integers(1, 14))):
        parent = draw(st.sampled_from([place for place in places if place.tier < Tier.VILLAGE]))
        tier = Tier(draw(st.integers(parent.tier + 1, 6)))
        places.append(Place(Code(f"9901{number + 1:02}999999"), f"{tier.label}{number}", tier, parent.code))
    return Roster(places)


base_day = date(2025, 1, 1)
some_day = st.integers(0, 40).map(lambda n: base_day + timedelta(days=n))
templates = st.sampled_from(
    ["SZS-029", "SZS-045", "SZS-001", "SZS-093", "SZS-064", "SZS-076", "SZS-018", "SZS-010"]
)


@st.composite
def deeds(draw: st.DrawFn, roster: Roster, item_id: str, name: str) -> Deed:
    codes = [place.code for place in roster]
    giver = draw(st.sampled_from(codes))
    every = draw(st.sampled_from([Tier.COUNTY, Tier.TOWNSHIP, Tier.VILLAGE, None]))
    chosen = draw(st.lists(st.sampled_from(codes), min_size=1, max_size=3, unique=True))
    to = () if every else tuple(code for code in chosen if code != giver)
    effective = draw(some_day)
    return deed(
        id=name,
        item=item_id,
        form=draw(st.sampled_from(DeedForm)),
        giver=giver,
        to=to,
        to_every=every if to or every else Tier.VILLAGE,
        effective=effective,
        until=draw(st.none() | st.integers(0, 20).map(lambda n: effective + timedelta(days=n))),
        in_flight=draw(st.sampled_from(["stay", "move"])),
    )


@dataclass(frozen=True)
class World:
    roster: Roster
    item_id: str
    editions: Mapping[int, Catalogue]


@st.composite
def worlds(draw: st.DrawFn, editions: int = 1) -> World:
    roster = draw(rosters())
    item_id = draw(templates)
    published = {}
    for number in range(1, editions + 1):
        given_deeds = [draw(deeds(roster, item_id, f"d{n}")) for n in range(draw(st.integers(0, 4)))]
        published[number] = Catalogue(number, [CATALOGUE[item_id]], given_deeds)
    return World(roster, item_id, published)


@settings(max_examples=300)
@given(worlds(), some_day, st.randoms(use_true_random=False))
def test_exactly_one_competent_place(world: World, on: date, rng: object) -> None:
    catalogue = world.editions[1]
    shuffled = list(catalogue.deeds)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    other = Catalogue(1, [CATALOGUE[world.item_id]], shuffled)
    for place in world.roster:
        found = competent(catalogue, world.roster, world.item_id, place.code, on)
        assert found in world.roster.line(place.code)
        assert found == competent(other, world.roster, world.item_id, place.code, on)
        assert found == competent(catalogue, world.roster, world.item_id, place.code, on, accepted=on)
        assert not (CATALOGUE[world.item_id].is_licence and found.tier is Tier.VILLAGE)
        way = route(catalogue, world.roster, world.item_id, place.code, on)
        assert way.decides == found
        assert next_holder(way, found.code) is None


@settings(max_examples=200)
@given(
    worlds(editions=3),
    st.data(),
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 40), st.booleans()), max_size=25),
)
def test_no_interleaving_of_editions_and_clocks_makes_a_loop(
    world: World, data: st.DataObject, tries: list[tuple[int, int, bool]]
) -> None:
    """Nodes hold any edition and believe any day; whatever they try, a case never visits a place twice
    under one edition on one day, and neither edition nor day ever goes back."""
    place = data.draw(st.sampled_from(list(world.roster))).code
    holder: str = place
    previous: HandOver | None = None
    made: list[HandOver] = []
    for number, days_on, reviewed in tries:
        catalogue, on = world.editions[number], base_day + timedelta(days=days_on)
        for target in world.roster:
            arguments = (catalogue, world.roster, world.item_id, place, holder, target.code, on, previous)
            if may_hand_over(*arguments, accepted=base_day, reviewed=reviewed):
                previous = hand_over(*arguments, accepted=base_day, reviewed=reviewed)
                made.append(previous)
                assert previous.to != holder
                holder = previous.to
                break
    for one, following in pairwise(made):
        assert (one.edition, one.on) <= (following.edition, following.on)
        assert one.edition <= following.edition
        assert one.on <= following.on
    for _, group in groupby(made, key=lambda each: (each.edition, each.on)):
        visited = [each.to for each in group]
        assert len(visited) == len(set(visited)) <= 2


def test_a_stale_catalogue_cannot_send_a_case_back() -> None:
    village = a_village(PINGLUO)
    township = CITY.at(village.code, Tier.TOWNSHIP)
    assert township is not None
    old, new = with_deeds(edition=1), with_deeds(deed(), edition=2)
    first = hand_over(old, CITY, "SZS-029", village.code, village.code, PINGLUO, DAY)
    second = hand_over(new, CITY, "SZS-029", village.code, PINGLUO, township.code, DAY, first)
    assert second == HandOver(township.code, 2, DAY)
    for catalogue, on in ((old, DAY), (new, DAY), (new, DAY - timedelta(days=1))):
        with pytest.raises(RoutingError):
            hand_over(catalogue, CITY, "SZS-029", village.code, township.code, PINGLUO, on, second)
    with pytest.raises(RoutingError):
        hand_over(old, CITY, "SZS-029", village.code, village.code, township.code, DAY)


def test_a_reviewed_case_goes_straight_to_its_decider() -> None:
    village = a_village(PINGLUO)
    township = CITY.at(village.code, Tier.TOWNSHIP)
    assert township is not None
    first = hand_over(CATALOGUE, CITY, "SZS-001", village.code, village.code, township.code, DAY)
    second = hand_over(CATALOGUE, CITY, "SZS-001", village.code, township.code, PINGLUO, DAY, first)
    assert second.to == PINGLUO
    assert may_hand_over(
        CATALOGUE, CITY, "SZS-001", village.code, DAWUKOU, PINGLUO, DAY, second, reviewed=True
    )
    assert not may_hand_over(CATALOGUE, CITY, "SZS-001", village.code, DAWUKOU, PINGLUO, DAY, second)
