"""A hub's streams follow the roster, at any moment and any number of times."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from node.bus import Mail
from protocol.places import Place, Tier
from protocol.roster import Roster
from protocol.subjects import CAT, MAIL, Lane, catalogue, consumer, directory, mail
from tests.hubs import (
    CITY,
    COUNTY,
    SIBLING,
    TOWN,
    VILLAGE,
    VILLAGE_2,
    RealHub,
    real_hub,
    small_city,
    waits_for,
)


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[RealHub]:
    async with real_hub(tmp_path) as hub:
        yield hub


async def names(hub: RealHub, stream: str) -> set[str]:
    listed = await hub.own.line.ask_json(f"$JS.API.CONSUMER.NAMES.{stream}", {"offset": 0})
    return set(listed["consumers"])


async def test_ensure_twice_changes_nothing(hub: RealHub) -> None:
    before = await hub.own.line.ask_json(f"$JS.API.CONSUMER.INFO.MAIL.{consumer(TOWN)}")
    assert await hub.streams.ensure() == frozenset()
    after = await hub.own.line.ask_json(f"$JS.API.CONSUMER.INFO.MAIL.{consumer(TOWN)}")
    assert before["created"] == after["created"]
    places = {consumer(place) for place in (COUNTY, TOWN, VILLAGE, SIBLING)}
    assert await names(hub, MAIL) == places | {"up"}
    assert await names(hub, CAT) == places


async def test_a_lost_stream_is_made_again_and_reported(hub: RealHub) -> None:
    await hub.own.line.ask_json("$JS.API.STREAM.DELETE.CAT")
    assert await hub.streams.ensure() == {CAT}
    assert await hub.streams.ensure() == frozenset()


async def test_settings_that_were_changed_by_hand_are_put_right(hub: RealHub) -> None:
    info = await hub.own.line.ask_json("$JS.API.STREAM.INFO.MAIL")
    await hub.own.line.ask_json("$JS.API.STREAM.UPDATE.MAIL", info["config"] | {"max_age": 1_000_000_000_000})
    await hub.streams.ensure()
    info = await hub.own.line.ask_json("$JS.API.STREAM.INFO.MAIL")
    assert info["config"]["max_age"] == 90 * 86400 * 10**9


async def test_a_new_roster_adds_and_removes_without_disturbing_the_others(hub: RealHub) -> None:
    village, sibling = await hub.node(VILLAGE), await hub.node(SIBLING)
    await village.publish(
        [Mail(mail(Lane.CASE, dst, VILLAGE), b"x", dst) for dst in (TOWN, SIBLING, VILLAGE)]
    )
    got = await sibling.fetch(MAIL, 10, 10)
    assert len(got) == 1
    joined = Place("640221101203", "新村", Tier.VILLAGE, TOWN)  # type: ignore[arg-type]
    await hub.streams.adopt(Roster([*(place for place in small_city() if place.code != VILLAGE), joined]))
    assert await names(hub, MAIL) == {
        *(consumer(place) for place in (COUNTY, TOWN, SIBLING, joined.code)),
        "up",
    }
    await sibling.ack(got)
    assert await sibling.backlog(MAIL) == 0
    depth = await hub.streams.depth()
    assert depth.total == 2
    assert depth.waiting[consumer(TOWN)] == 1
    assert depth.stranded == 1


async def test_a_place_that_becomes_a_hub_reads_for_its_subtree(tmp_path: Path) -> None:
    async with real_hub(tmp_path) as hub:
        await hub.own.publish(
            [Mail(mail(Lane.CASE, dst, COUNTY), b"x", dst) for dst in (TOWN, VILLAGE, SIBLING)]
        )
        await waits_for(await hub.node(TOWN), 1)
        roster = Roster(list(small_city()), [CITY, COUNTY, TOWN])
        await hub.streams.adopt(roster)
        assert await names(hub, MAIL) == {consumer(COUNTY), consumer(TOWN), "up"}
        town = await hub.lower_hub(TOWN)
        await waits_for(town, 3)
        assert len(await town.fetch(MAIL, 10, 10)) == 3


async def test_rearming_a_child_brings_it_the_whole_catalogue_again(hub: RealHub) -> None:
    village, sibling = await hub.node(VILLAGE), await hub.node(SIBLING)
    await hub.own.publish([Mail(catalogue(CITY, "a"), b"a", "a"), Mail(directory(VILLAGE_2), b"d", "d")])
    for bus in (village, sibling):
        await bus.ack(await bus.fetch(CAT, 10, 10))
        assert await bus.backlog(CAT) == 0
    assert await hub.streams.rearm([VILLAGE]) == [VILLAGE]
    assert await village.backlog(CAT) == 2
    assert await sibling.backlog(CAT) == 0
    (first,) = await village.fetch(CAT, 1, 10)
    await village.ack([first])
    assert await hub.streams.rearm([VILLAGE]) == []  # it is still reading
    assert [one.data for one in (first, *await village.fetch(CAT, 10, 10))] == [b"a", b"d"]


async def test_a_consumer_that_is_gone_already_is_made_anew(hub: RealHub) -> None:
    village = await hub.node(VILLAGE)
    await hub.own.publish([Mail(catalogue(CITY, "a"), b"a", "a")])
    await hub.own.line.ask(f"$JS.API.CONSUMER.DELETE.CAT.{consumer(VILLAGE)}")
    assert consumer(VILLAGE) not in await names(hub, CAT)
    assert await hub.streams.rearm([VILLAGE]) == [VILLAGE]
    assert [one.data for one in await village.fetch(CAT, 10, 10)] == [b"a"]
