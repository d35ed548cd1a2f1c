"""Every bus keeps the same promises: one suite for the memory bus and for real NATS."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import pytest

from hub.proxy import LineSwitch
from node.bus import MAX_BYTES, Bus, Mail
from node.bus.memory import MemoryBus, MemoryHub
from node.bus.nats import NatsBus
from protocol.places import Code
from protocol.subjects import CAT, MAIL, Lane, catalogue, directory, mail, node_permissions, readers
from tests.hubs import (
    CITY,
    COUNTY,
    COUNTY_2,
    SIBLING,
    TOWN,
    VILLAGE,
    RealHub,
    offline,
    online,
    real_hub,
    small_city,
    waits_for,
)

SOON_S = 2.0
"""A hub that has stored a message may take a moment to tell its readers."""


class World(Protocol):
    """What the suite needs of a hub: its own node's bus, other places' buses, and their lines."""

    async def own(self) -> Bus: ...
    async def bus(self, place: Code) -> Bus: ...
    async def cut(self, bus: Bus) -> None: ...
    async def mend(self, bus: Bus) -> None: ...
    async def lose_everything(self) -> None: ...
    async def ensure(self) -> None: ...


class MemoryWorld:
    def __init__(self) -> None:
        self.hub = MemoryHub()
        self.hub.ensure(readers(small_city(), COUNTY))

    async def own(self) -> Bus:
        bus = MemoryBus(self.hub, COUNTY)
        await bus.connect()
        return bus

    async def bus(self, place: Code) -> Bus:
        bus = MemoryBus(self.hub, place, permissions=node_permissions(place))
        await bus.connect()
        return bus

    async def cut(self, bus: Bus) -> None:
        assert isinstance(bus, MemoryBus)
        bus.away = True

    async def mend(self, bus: Bus) -> None:
        assert isinstance(bus, MemoryBus)
        bus.away = False

    async def lose_everything(self) -> None:
        self.hub.wipe()

    async def ensure(self) -> None:
        self.hub.ensure(readers(small_city(), COUNTY))


class NatsWorld:
    def __init__(self, hub: RealHub) -> None:
        self.hub = hub
        self.switches: dict[Bus, LineSwitch] = {}

    async def own(self) -> Bus:
        return self.hub.own

    async def bus(self, place: Code) -> Bus:
        switch = await self.hub.switch()
        bus = await self.hub.node(place, switch=switch)
        self.switches[bus] = switch
        return bus

    async def cut(self, bus: Bus) -> None:
        self.switches[bus].cut()
        await offline(bus)

    async def mend(self, bus: Bus) -> None:
        self.switches[bus].restore()
        await online(bus)

    async def lose_everything(self) -> None:
        for stream in (MAIL, CAT):
            await self.hub.own.line.ask_json(f"$JS.API.STREAM.DELETE.{stream}")

    async def ensure(self) -> None:
        await self.hub.streams.ensure()


@pytest.fixture(params=["memory", "nats"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    if request.param == "memory":
        yield MemoryWorld()
    else:
        async with real_hub(tmp_path) as hub:
            yield NatsWorld(hub)


def letters(count: int, dst: Code = TOWN, src: Code = VILLAGE, first: int = 0) -> list[Mail]:
    subject = mail(Lane.CASE, dst, src)
    return [Mail(subject, b"%d" % i, f"{src}-{i}") for i in range(first, first + count)]


def texts(deliveries: list) -> list[bytes]:
    return [delivery.data for delivery in deliveries]


async def test_what_is_published_arrives_whole_and_in_order(world: World) -> None:
    village, town = await world.bus(VILLAGE), await world.bus(TOWN)
    assert await village.publish(letters(5)) == [True] * 5
    got = await town.fetch(MAIL, 3, SOON_S)
    assert texts(got) == [b"0", b"1", b"2"]
    assert got[0].subject == mail(Lane.CASE, TOWN, VILLAGE)
    assert got[0].msg_id == f"{VILLAGE}-0"
    assert got[0].sent is not None
    assert got[0].sent.tzinfo is not None
    assert texts(await town.fetch(MAIL, 10, SOON_S)) == [b"3", b"4"]


async def test_what_is_acknowledged_is_gone(world: World) -> None:
    village, town = await world.bus(VILLAGE), await world.bus(TOWN)
    await village.publish(letters(3))
    await waits_for(town, 3)
    got = await town.fetch(MAIL, 10, SOON_S)
    assert await town.backlog(MAIL) == 3
    await town.ack(got)
    assert await town.backlog(MAIL) == 0
    assert await town.rewind(MAIL)
    assert await town.fetch(MAIL, 10, 0) == []


async def test_a_repeat_is_stored_once_and_answered_true(world: World) -> None:
    village, town = await world.bus(VILLAGE), await world.bus(TOWN)
    assert await village.publish(letters(2)) == [True, True]
    assert await village.publish(letters(3)) == [True, True, True]
    assert texts(await town.fetch(MAIL, 10, SOON_S)) == [b"0", b"1", b"2"]


async def test_what_is_not_acknowledged_comes_again_in_order(world: World) -> None:
    village, town = await world.bus(VILLAGE), await world.bus(TOWN)
    await village.publish(letters(4))
    got = await town.fetch(MAIL, 3, SOON_S)
    await town.ack([got[1]])
    assert await town.rewind(MAIL)
    assert texts(await town.fetch(MAIL, 10, SOON_S)) == [b"0", b"2", b"3"]


async def test_a_line_that_comes_back_brings_what_was_on_the_way(world: World) -> None:
    village, town = await world.bus(VILLAGE), await world.bus(TOWN)
    await village.publish(letters(4))
    got = await town.fetch(MAIL, 2, SOON_S)
    await world.cut(town)
    await town.ack(got)
    assert await town.fetch(MAIL, 10, 0) == []
    assert await town.backlog(MAIL) is None
    assert not await town.rewind(MAIL)
    await world.mend(town)
    assert texts(await town.fetch(MAIL, 10, SOON_S)) == [b"0", b"1", b"2", b"3"]


async def test_a_cut_line_says_false_and_never_raises(world: World) -> None:
    village = await world.bus(VILLAGE)
    await world.cut(village)
    assert not village.connected
    assert village.trouble
    assert await village.publish(letters(3)) == [False] * 3
    await world.mend(village)
    assert village.trouble is None
    assert await village.publish(letters(3)) == [True] * 3


async def test_an_empty_publish_and_an_empty_ack_are_nothing(world: World) -> None:
    village = await world.bus(VILLAGE)
    assert await village.publish([]) == []
    await village.ack([])


async def test_a_fetch_that_lingers_returns_with_the_first_mail(world: World) -> None:
    village, town = await world.bus(VILLAGE), await world.bus(TOWN)
    assert await town.fetch(MAIL, 10, 0) == []
    lingering = asyncio.create_task(town.fetch(MAIL, 10, 5))
    await asyncio.sleep(0.05)
    await village.publish(letters(1))
    assert texts(await lingering) == [b"0"]
    await village.publish(letters(3, first=1))
    assert texts(await town.fetch(MAIL, 10, 5)) == [b"1", b"2", b"3"]


async def test_a_cut_ends_a_lingering_fetch_and_the_next_one_works(world: World) -> None:
    village, town = await world.bus(VILLAGE), await world.bus(TOWN)
    lingering = asyncio.create_task(town.fetch(MAIL, 10, 5))
    await asyncio.sleep(0.05)
    await world.cut(town)
    await world.mend(town)
    await village.publish(letters(2))
    first = await lingering
    assert texts(first + await town.fetch(MAIL, 10, SOON_S)) == [b"0", b"1"]


async def test_change_of_the_line_wakes_everyone_who_waits(world: World) -> None:
    village = await world.bus(VILLAGE)
    waiting = [asyncio.create_task(village.changed.wait()) for _ in range(3)]
    await asyncio.sleep(0)
    await world.cut(village)
    await asyncio.gather(*waiting)
    back = asyncio.create_task(village.changed.wait())
    await asyncio.sleep(0)
    await world.mend(village)
    await back
    assert village.connected


async def test_a_mailbox_is_its_owners_alone(world: World) -> None:
    village, town, sibling = await world.bus(VILLAGE), await world.bus(TOWN), await world.bus(SIBLING)
    await village.publish([*letters(1, TOWN), *letters(1, SIBLING, first=7), *letters(1, COUNTY_2, first=9)])
    assert texts(await town.fetch(MAIL, 10, SOON_S)) == [b"0"]
    assert texts(await sibling.fetch(MAIL, 10, SOON_S)) == [b"7"]
    assert await village.fetch(MAIL, 10, 0) == []


async def test_what_is_not_ours_to_say_is_refused_and_holds_up_nothing(world: World) -> None:
    village, town = await world.bus(VILLAGE), await world.bus(TOWN)
    forged = letters(1, TOWN, SIBLING)
    assert await village.publish([*letters(1), *forged, *letters(1, first=1)]) == [True, False, True]
    assert await village.publish([Mail(catalogue(CITY, "x"), b"", "c")]) == [False]
    assert village.trouble
    assert texts(await town.fetch(MAIL, 10, SOON_S)) == [b"0", b"1"]


async def test_mail_above_the_limit_is_refused_and_holds_up_nothing(world: World) -> None:
    village, town = await world.bus(VILLAGE), await world.bus(TOWN)
    big = Mail(mail(Lane.BLOB, TOWN, VILLAGE), bytes(MAX_BYTES + 1), "big")
    fits = Mail(mail(Lane.BLOB, TOWN, VILLAGE), bytes(MAX_BYTES // 2), "fits")
    assert await village.publish([big, fits, *letters(1)]) == [False, True, True]
    assert [len(delivery.data) for delivery in await town.fetch(MAIL, 10, SOON_S)] == [MAX_BYTES // 2, 1]


async def test_many_in_one_publish_arrive_in_order(world: World) -> None:
    village, town = await world.bus(VILLAGE), await world.bus(TOWN)
    assert all(await village.publish(letters(1500)))
    got: list[bytes] = []
    while len(got) < 1500 and (batch := await town.fetch(MAIL, 500, SOON_S)):
        await town.ack(batch)
        got += texts(batch)
    assert got == [b"%d" % i for i in range(1500)]


async def test_the_catalogue_keeps_the_last_of_each_subject(world: World) -> None:
    own, village = await world.own(), await world.bus(VILLAGE)
    say = [("a", b"1"), ("b", b"1"), ("a", b"2")]
    await own.publish([Mail(catalogue(CITY, key), text, f"{key}{text!r}") for key, text in say])
    await own.publish([Mail(directory(TOWN), b"d", "d"), Mail(catalogue(COUNTY_2, "z"), b"no", "z")])
    got = await village.fetch(CAT, 10, SOON_S)
    assert texts(got) == [b"1", b"2", b"d"]
    await village.ack(got)
    await own.publish([Mail(catalogue(COUNTY, "c"), b"3", "c3")])
    late = await village.fetch(CAT, 10, SOON_S)
    assert texts(late) == [b"3"]
    await village.ack(late)
    assert await village.rewind(CAT)
    assert await village.fetch(CAT, 10, 0) == []
    assert await village.rewind(CAT, everything=True)
    assert texts(await village.fetch(CAT, 10, SOON_S)) == [b"1", b"2", b"d", b"3"]


async def test_mail_waits_for_a_place_that_has_not_come_yet(world: World) -> None:
    village = await world.bus(VILLAGE)
    await village.publish(letters(2))
    town = await world.bus(TOWN)
    assert texts(await town.fetch(MAIL, 10, SOON_S)) == [b"0", b"1"]


async def test_a_place_the_hub_does_not_know_waits_and_is_told(world: World) -> None:
    stranger = await world.bus(Code("640221109209"))
    assert await stranger.fetch(MAIL, 10, 0.05) == []
    assert await stranger.backlog(MAIL) is None


async def test_a_wiped_hub_refuses_until_its_streams_are_made_again(world: World) -> None:
    village, town = await world.bus(VILLAGE), await world.bus(TOWN)
    await village.publish(letters(2))
    await world.lose_everything()
    assert await village.publish(letters(2)) == [False, False]
    assert await town.fetch(MAIL, 10, 0) == []
    await world.ensure()
    assert await village.publish(letters(2)) == [True, True]
    assert texts(await town.fetch(MAIL, 10, SOON_S)) == [b"0", b"1"]


async def test_closing_is_final(world: World) -> None:
    village = await world.bus(VILLAGE)
    await village.close()
    assert not village.connected
    assert await village.publish(letters(1)) == [False]
    assert await village.fetch(MAIL, 1, 0) == []


# What only a real server can do to us.


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[RealHub]:
    async with real_hub(tmp_path) as hub:
        yield hub


async def test_a_killed_server_comes_back_with_everything(hub: RealHub) -> None:
    village, town = await hub.node(VILLAGE), await hub.node(TOWN)
    await village.publish(letters(2))
    got = await town.fetch(MAIL, 1, SOON_S)
    await hub.kill()
    await offline(village)
    await offline(town)
    await online(village)
    await online(town)
    assert hub.server.restarts == 1
    assert await village.publish(letters(1, first=2)) == [True]
    assert texts(await town.fetch(MAIL, 10, 1)) == [b"0", b"1", b"2"]
    assert texts(got) == [b"0"]


async def test_a_black_hole_is_noticed_even_with_much_unsent(hub: RealHub) -> None:
    switch = await hub.switch()
    village = await hub.node(VILLAGE, switch=switch)
    switch.black_hole()
    heavy = [Mail(mail(Lane.BLOB, TOWN, VILLAGE), bytes(500_000), f"h{i}") for i in range(40)]
    assert await village.publish(heavy) == [False] * 40
    await offline(village)
    switch.restore()
    await online(village)
    assert all(await village.publish(heavy))


async def test_a_slow_line_is_not_taken_for_a_dead_one(hub: RealHub) -> None:
    switch = await hub.switch(bytes_per_s=100_000)  # one message takes longer than three pings
    village = await hub.node(VILLAGE, switch=switch)
    heavy = [Mail(mail(Lane.BLOB, VILLAGE, COUNTY), bytes(60_000), f"h{i}") for i in range(4)]
    assert all(await hub.own.publish(heavy))
    got = 0
    async with asyncio.timeout(20):
        while got < 4:
            batch = await village.fetch(MAIL, 500, 5)
            await village.ack(batch)
            got += len(batch)
    assert village.line.session == 1
    assert await village.backlog(MAIL) == 0


async def test_an_unknown_credential_keeps_trying_and_gets_in_when_it_may(hub: RealHub) -> None:
    village = await hub.node(VILLAGE)
    await hub.push_revoked(_user(village))
    await offline(village)
    while village.trouble not in ("枢纽不认可本节点的凭证", "本节点的凭证已被吊销"):
        await asyncio.sleep(0.02)
    assert not village.connected
    assert await hub.push_revoked()
    await online(village)
    assert await village.publish(letters(1)) == [True]


async def test_a_hub_that_is_not_there_is_waited_for(tmp_path: Path) -> None:
    village = NatsBus(VILLAGE, ["nats://127.0.0.1:1"], None)
    await village.connect()
    assert await village.publish(letters(1)) == [False]
    assert await village.fetch(MAIL, 1, 0.05) == []
    assert not village.connected
    assert "连不上" in (village.trouble or "")
    await village.close()


def _user(bus: NatsBus) -> str:
    from hub.operator import user_of

    assert bus.line._credentials is not None
    return user_of(bus.line._credentials.jwt)
