"""The relay between a county's hub and the city's: nothing lost, nothing out of order, whatever breaks."""

import asyncio
import shutil
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hub.proxy import LineSwitch
from hub.relay import Relay
from node.bus import Bus, Delivery, Mail
from node.bus.memory import MemoryBus, MemoryHub
from protocol.places import Code
from protocol.subjects import (
    CAT,
    MAIL,
    UP,
    Lane,
    catalogue,
    directory,
    mail,
    parse_mail,
    readers,
    relay_permissions,
)
from tests.hubs import (
    CITY,
    COUNTY,
    COUNTY_2,
    SIBLING,
    TOWN,
    VILLAGE,
    VILLAGE_2,
    RealHub,
    offline,
    online,
    real_hub,
    small_city,
)


def letter(dst: str, src: str, number: int = 0, lane: Lane = Lane.CASE) -> Mail:
    return Mail(mail(lane, dst, src), b"%d" % number, f"{lane}-{src}-{dst}-{number}")


# In one process, without a network.


@dataclass
class Country:
    """The small city's three hubs in memory, with a relay for each county and a bus for each place."""

    hubs: dict[Code, MemoryHub] = field(default_factory=dict)
    relays: dict[Code, Relay] = field(default_factory=dict)
    upper: dict[Code, MemoryBus] = field(default_factory=dict)
    buses: dict[Code, MemoryBus] = field(default_factory=dict)

    async def settle(self) -> None:
        """Until nothing moves."""
        while sum([await relay.drain() for relay in self.relays.values()]):
            pass

    async def received(self, place: Code) -> list[Delivery]:
        got = await self.buses[place].fetch(MAIL, 100, 0)
        await self.buses[place].ack(got)
        return got


@pytest.fixture
async def country() -> Country:
    roster, made = small_city(), Country()
    for code in (CITY, COUNTY, COUNTY_2):
        made.hubs[code] = MemoryHub()
        made.hubs[code].ensure(readers(roster, code))
    for place in roster:
        made.buses[place.code] = MemoryBus(made.hubs[roster.hub_of(place.code).code], place.code)
        await made.buses[place.code].connect()
    for code in (COUNTY, COUNTY_2):
        allowed = relay_permissions(code, roster.prefixes(code))
        lower = MemoryBus(made.hubs[code], code, reader=UP)
        made.upper[code] = MemoryBus(made.hubs[CITY], code, permissions=allowed)
        await lower.connect()
        await made.upper[code].connect()
        made.relays[code] = Relay(lower, made.upper[code], allowed, hold_s=0)
    return made


async def test_mail_goes_up_down_and_across(country: Country) -> None:
    await country.buses[VILLAGE].publish(
        [letter(CITY, VILLAGE), letter(VILLAGE_2, VILLAGE), letter(TOWN, VILLAGE)]
    )
    await country.buses[CITY].publish([letter(VILLAGE, CITY)])
    await country.settle()
    for place, source in ((CITY, VILLAGE), (VILLAGE_2, VILLAGE), (TOWN, VILLAGE), (VILLAGE, CITY)):
        assert [parse_mail(got.subject).src for got in await country.received(place)] == [source]
    assert [hub.depth(MAIL) for hub in country.hubs.values()] == [0, 0, 0]
    assert country.relays[COUNTY].up.carried == 2
    assert country.relays[COUNTY].down.carried == 1
    assert country.relays[COUNTY].up.last_at is not None


async def test_a_county_without_its_upper_line_keeps_serving_its_own(country: Country) -> None:
    country.upper[COUNTY].away = True
    await country.buses[VILLAGE].publish([letter(CITY, VILLAGE), letter(TOWN, VILLAGE)])
    await country.buses[CITY].publish([letter(VILLAGE, CITY)])
    await country.settle()
    assert len(await country.received(TOWN)) == 1
    assert await country.received(CITY) == []
    assert await country.relays[COUNTY].up.waiting() == 1
    assert await country.relays[COUNTY].down.waiting() is None
    country.upper[COUNTY].away = False
    await country.settle()
    assert len(await country.received(CITY)) == 1
    assert len(await country.received(VILLAGE)) == 1


async def test_lost_answers_make_repeats_not_losses(country: Country) -> None:
    country.upper[COUNTY].deaf = True
    await country.buses[VILLAGE].publish([letter(CITY, VILLAGE, i) for i in range(5)])
    await country.settle()
    assert country.hubs[CITY].depth(MAIL) == 1
    country.upper[COUNTY].deaf = False
    await country.settle()
    assert [got.data for got in await country.received(CITY)] == [b"0", b"1", b"2", b"3", b"4"]


async def test_what_the_upper_hub_refuses_waits_alone(country: Country) -> None:
    """A place that joined the county after its credentials were made: its mail waits, others' does not."""
    relay = country.relays[COUNTY]
    narrow = relay_permissions(COUNTY, ["640221101201"])
    country.upper[COUNTY]._permissions = narrow
    await country.buses[SIBLING].publish([letter(CITY, SIBLING, i) for i in range(3)])
    await country.buses[VILLAGE].publish([letter(CITY, VILLAGE, i) for i in range(3)])
    await country.settle()
    assert {parse_mail(got.subject).src for got in await country.received(CITY)} == {VILLAGE}
    assert relay.up.held == 1
    assert await relay.up.waiting() == 3
    country.upper[COUNTY]._permissions = None
    await country.settle()
    assert [got.data for got in await country.received(CITY)] == [b"0", b"1", b"2"]
    assert relay.up.held == 0


async def test_a_source_that_is_not_below_goes_no_further(country: Country) -> None:
    """A reply subject can make a server store bytes under another's name; the relay does not spread them."""
    assert country.hubs[COUNTY].store(letter(CITY, VILLAGE_2))
    await country.settle()
    assert country.relays[COUNTY].up.dropped == 1
    assert country.hubs[COUNTY].depth(MAIL) == 0
    assert country.hubs[CITY].depth(MAIL) == 0


async def test_the_catalogue_comes_down_and_again_after_a_wipe(country: Country) -> None:
    say = [catalogue(CITY, "a"), directory(TOWN), catalogue(CITY, "a"), catalogue(COUNTY_2, "not-ours")]
    await country.buses[CITY].publish([Mail(subject, b"%d" % i, str(i)) for i, subject in enumerate(say)])
    await country.settle()
    assert country.hubs[COUNTY].subjects(CAT) == [directory(TOWN), catalogue(CITY, "a")]
    country.hubs[COUNTY].wipe()
    country.hubs[COUNTY].ensure(readers(small_city(), COUNTY))
    country.upper[COUNTY].away = True
    await country.relays[COUNTY].refill()
    await country.settle()
    assert country.hubs[COUNTY].subjects(CAT) == []
    country.upper[COUNTY].away = False
    await country.settle()
    assert country.hubs[COUNTY].subjects(CAT) == [directory(TOWN), catalogue(CITY, "a")]
    assert [got.data for got in await country.buses[VILLAGE].fetch(CAT, 10, 0)] == [b"1", b"2"]


# Two real hubs, and everything that can happen to them.

LETTERS = 20


@dataclass
class Road:
    """A county's hub and the city's, the line between them, and a relay that runs."""

    city: RealHub
    county: RealHub
    line: LineSwitch
    upper: Bus
    relay: Relay


@asynccontextmanager
async def road(folder: Path) -> AsyncIterator[Road]:
    async with real_hub(folder / "city", CITY) as city, real_hub(folder / "county", COUNTY) as county:
        line = await city.switch()
        allowed = relay_permissions(COUNTY, county.roster.prefixes(COUNTY))
        lower = await county.hub_node(reader=UP)
        upper = await city.lower_hub(COUNTY, switch=line)
        relay = Relay(lower, upper, allowed, hold_s=0.2)

        async def fresh(made: object) -> None:
            if made == frozenset([MAIL, CAT]):
                await relay.refill()

        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(relay.run()),
                tasks.create_task(city.streams.run(fresh)),
                tasks.create_task(county.streams.run(fresh)),
            ]
            yield Road(city, county, line, upper, relay)
            for task in running:
                task.cancel()


@dataclass
class Post:
    """Senders with an outbox and readers with an inbox: each letter is offered until it is known to be there."""

    arrived: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, bus: Bus, subjects: list[str]) -> None:
        """One letter of each subject at a time, again and again until the hub has it."""
        for number in range(LETTERS):
            left = [Mail(subject, b"%d" % number, f"{subject}-{number}") for subject in subjects]
            while left:
                stored = await bus.publish(left)
                left = [one for one, ok in zip(left, stored, strict=True) if not ok]
                if left:
                    await asyncio.sleep(0.02)

    async def read(self, bus: Bus) -> None:
        while True:
            got = await bus.fetch(MAIL, 50, 1)
            for delivery in got:
                seen = self.arrived[delivery.subject]
                if int(delivery.data) not in seen:
                    seen.append(int(delivery.data))
            await bus.ack(got)
            if got:
                self.news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(40):
            while not condition():
                self.news.clear()
                await self.news.wait()

    @property
    def count(self) -> int:
        return sum(len(seen) for seen in self.arrived.values())


async def kill_county(road: Road) -> None:
    await road.county.kill()


async def kill_city(road: Road) -> None:
    await road.city.kill()


async def kill_both(road: Road) -> None:
    await road.city.kill()
    await road.county.kill()


async def cut(road: Road) -> None:
    road.line.cut()
    await offline(road.upper)
    road.line.restore()


async def black_hole(road: Road) -> None:
    road.line.black_hole()
    await offline(road.upper)
    road.line.restore()


@pytest.mark.parametrize("accident", [kill_county, kill_city, kill_both, cut, black_hole])
async def test_an_accident_in_mid_run_loses_nothing_and_keeps_the_order(
    tmp_path: Path, accident: Callable[[Road], Awaitable[None]]
) -> None:
    async with road(tmp_path) as way:
        post = Post()
        village, sibling = await way.county.node(VILLAGE), await way.county.node(SIBLING)
        up = {src: [mail(lane, CITY, src) for lane in Lane] for src in (VILLAGE, SIBLING)}
        down = [mail(lane, dst, CITY) for lane in Lane for dst in (VILLAGE, SIBLING)]
        total = LETTERS * (len(down) + sum(len(subjects) for subjects in up.values()))
        async with asyncio.TaskGroup() as tasks:
            reading = [tasks.create_task(post.read(bus)) for bus in (village, sibling, way.city.own)]
            tasks.create_task(post.send(village, up[VILLAGE]))
            tasks.create_task(post.send(sibling, up[SIBLING]))
            tasks.create_task(post.send(way.city.own, down))
            for share in (1, 2):
                await post.until(lambda share=share: post.count > total * share // 3)
                await accident(way)
            await post.until(lambda: post.count == total)
            for task in reading:
                task.cancel()
        assert set(post.arrived) == {*down, *up[VILLAGE], *up[SIBLING]}
        assert all(seen == list(range(LETTERS)) for seen in post.arrived.values())


async def test_a_wiped_county_is_made_again_and_the_senders_outboxes_lose_nothing(tmp_path: Path) -> None:
    """The broker's disk is gone in mid-run. Streams come back empty; senders offer again what has no receipt."""
    async with road(tmp_path) as way:
        post = Post()
        village = await way.county.node(VILLAGE)
        subjects = [mail(lane, CITY, VILLAGE) for lane in Lane]
        await way.city.own.publish([Mail(catalogue(CITY, "a"), b"7", "a")])
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(post.read(way.city.own))
            sending = tasks.create_task(post.send(village, subjects))
            await post.until(lambda: post.count > LETTERS)
            await way.county.server.stop()
            for store in (way.county.folder / "js").iterdir():
                await asyncio.to_thread(shutil.rmtree, store)
            await way.county.server.start()
            await sending
            await online(village)
            await _offer_again(post, village, subjects)
            await post.until(lambda: post.count == LETTERS * len(subjects))
            reading.cancel()
        assert all(sorted(seen) == list(range(LETTERS)) for seen in post.arrived.values())
        async with asyncio.timeout(10):
            while not (got := await village.fetch(CAT, 10, 1)):
                pass
        assert [one.data for one in got] == [b"7"]


async def _offer_again(post: Post, bus: Bus, subjects: list[str]) -> None:
    """What an outbox does with rows that no receipt has covered: publish again, under a fresh id."""
    missing = [
        Mail(subject, b"%d" % number, f"again-{subject}-{number}")
        for subject in subjects
        for number in range(LETTERS)
        if number not in post.arrived[subject]
    ]
    while missing:
        stored = await bus.publish(missing)
        missing = [one for one, ok in zip(missing, stored, strict=True) if not ok]
        await asyncio.sleep(0.02)


async def test_the_switch_breaks_and_mends_a_line(tmp_path: Path) -> None:
    async with real_hub(tmp_path) as hub:
        switch = await hub.switch()
        village = await hub.node(VILLAGE, switch=switch)
        switch.cut()
        await offline(village)
        assert await village.publish([letter(TOWN, VILLAGE)]) == [False]
        switch.restore()
        await online(village)
        assert await village.publish([letter(TOWN, VILLAGE)]) == [True]
