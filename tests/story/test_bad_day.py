"""Bad days on real servers: kill -9, dead and black-holed lines, brokers' disks wiped, a database set back.

Village, township, county and city run as they do in production, on two nats-servers with a relay between them. The
village goes on filing and the township accepting, whatever happens. Each day ends with nothing lost and nothing
doubled; and while the trouble lasts nobody's list says more than is so.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic

import pytest
import pytest_asyncio

from hub.proxy import LineSwitch
from hub.relay import Relay
from node.cases import actions
from node.config import Pace
from node.exchange import reach, views
from node.exchange.outbox import outstanding
from protocol.lifecycle import State
from protocol.places import Code
from protocol.subjects import CAT, MAIL, UP, relay_permissions
from tests.agreement import agree, cases_of, truthful
from tests.databases import Databases
from tests.federation import AGENT, CLERK, START, Federation, form
from tests.handled import CITY, COUNTY, ROSTER, TOWNSHIP, VILLAGE, chosen, publish
from tests.hubs import RealHub, offline, online, real_hub

pytestmark = pytest.mark.asyncio(loop_scope="module")
ITEM = "SZS-052"
"""Decided by the township."""
LINE = (VILLAGE, TOWNSHIP, COUNTY, CITY)
PACE = Pace(
    outbox_poll_s=0.3, receipt_s=0.1, resend_first_s=0.5, resend_last_s=2.0, housekeeping_s=60.0, fetch_s=1.0
)


class Town(Federation):
    """The small city, its clock running, its lines to be replaced by real ones."""

    def __init__(self, databases: Databases) -> None:
        self._began = monotonic()
        super().__init__(ROSTER, databases, publish=False)

    def clock(self) -> datetime:
        return START + timedelta(seconds=monotonic() - self._began)


class Morning:
    """A running city with everything that can be broken, and officers who work on."""

    def __init__(
        self, town: Federation, city: RealHub, county: RealHub, village: LineSwitch, upper: LineSwitch
    ) -> None:
        self.town = town
        self.city = city
        self.county = county
        self.village = village
        self.upper = upper
        self.filed: list[str] = []

    async def file(self, count: int = 3) -> None:
        for _ in range(count):
            self.filed.append(await self.town[VILLAGE].do(actions.file_case, AGENT, form(ITEM)))

    async def accept(self) -> None:
        """The township accepts what has come."""
        for no, case in self.town[TOWNSHIP].read(cases_of).items():
            if case.state is State.FILED:
                await self.town[TOWNSHIP].do(actions.accept, CLERK, no)

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Until it holds; no list may lie meanwhile."""
        try:
            async with asyncio.timeout(30):
                while not condition():
                    truthful(self.town, LINE)
                    await asyncio.sleep(0.1)
        except TimeoutError:
            found = {
                place: [dict(row._mapping) for row in self.town[place].read(views.unfinished)][:3]
                for place in LINE
            }
            raise AssertionError(f"{what}: {found}") from None

    async def over(self) -> None:
        """The township works off what was filed, and everybody hears of everything."""
        township = self.town[TOWNSHIP]
        await self.until(lambda: set(self.filed) <= set(township.read(cases_of)), "everything filed arrives")
        await self.accept()
        await self.until(
            lambda: not any(self.town[place].read(outstanding) for place in LINE), "everything is receipted"
        )
        agree(self.town, LINE)
        assert set(self.town[CITY].read(cases_of)) == set(self.filed)
        assert {case.state for case in self.town[VILLAGE].read(cases_of).values()} == {State.ACCEPTED}


@asynccontextmanager
async def running(folder: Path, databases: Databases) -> AsyncIterator[Morning]:
    """The whole city at work."""
    town = Town(databases)
    await town.open()
    await publish(town, 1, chosen(ITEM))
    async with AsyncExitStack() as stack:
        city = await stack.enter_async_context(real_hub(folder / "city", Code(CITY), ROSTER))
        county = await stack.enter_async_context(real_hub(folder / "county", Code(COUNTY), ROSTER))
        village, upper = await county.switch(), await city.switch()
        allowed = relay_permissions(Code(COUNTY), ROSTER.prefixes(Code(COUNTY)))
        relay = Relay(
            await county.hub_node(reader=UP),
            await city.lower_hub(Code(COUNTY), switch=upper),
            allowed,
            hold_s=0.2,
        )
        buses = {
            VILLAGE: await county.node(VILLAGE, switch=village),
            TOWNSHIP: await county.node(TOWNSHIP),
            COUNTY: await county.hub_node(),
            CITY: await city.hub_node(),
        }

        async def fresh(made: object) -> None:
            if made == frozenset([MAIL, CAT]):
                await relay.refill()

        work = [relay.run(), city.streams.run(fresh), county.streams.run(fresh)]
        for place, bus in buses.items():
            town[place].bus = bus
            work.append(town[place].run())
        tasks = [asyncio.create_task(one) for one in work]
        try:
            yield Morning(town, city, county, village, upper)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await town.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def morning(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> AsyncIterator[Morning]:
    async with running(tmp_path_factory.mktemp("morning"), databases) as found:
        yield found


async def kill_the_countys_server(day: Morning) -> None:
    await day.county.kill()


async def kill_the_citys_server(day: Morning) -> None:
    await day.city.kill()


async def kill_both(day: Morning) -> None:
    await day.city.kill()
    await day.county.kill()


async def wipe(hub: RealHub) -> None:
    """The broker's disk is gone: mail, consumers, everything."""
    await hub.server.stop()
    for store in (hub.folder / "js").iterdir():
        await asyncio.to_thread(shutil.rmtree, store)
    await hub.server.start()


async def wipe_the_countys_disk(day: Morning) -> None:
    await wipe(day.county)


async def wipe_the_citys_disk(day: Morning) -> None:
    await wipe(day.city)


async def cut_the_upper_line(day: Morning) -> None:
    day.upper.cut()
    await day.file()
    day.upper.restore()


@pytest.mark.parametrize(
    "accident",
    [
        kill_the_countys_server,
        kill_the_citys_server,
        kill_both,
        wipe_the_countys_disk,
        wipe_the_citys_disk,
        cut_the_upper_line,
    ],
)
async def test_an_accident_in_mid_run(
    morning: Morning, accident: Callable[[Morning], Awaitable[None]]
) -> None:
    """Work goes on before, during and after it."""
    await morning.file()
    await morning.accept()
    async with asyncio.TaskGroup() as both:
        both.create_task(accident(morning))
        both.create_task(morning.file())
    await morning.accept()
    await morning.over()


@pytest.mark.parametrize("dead", ["cut", "black_hole"])
async def test_a_dead_line_and_what_the_list_says_meanwhile(morning: Morning, dead: str) -> None:
    node = morning.town[VILLAGE]
    getattr(morning.village, dead)()
    await offline(node.bus)
    before = node.read(outstanding)
    await morning.file()
    told = node.read(views.reach_counts)
    assert told["stored"] == node.read(outstanding) == before + 9  # to the township, the county and the city
    assert {place: one.acts for place, one in node.read(reach.waiting).items()} == dict.fromkeys(
        (TOWNSHIP, COUNTY, CITY), 3
    )
    assert not node.bus.connected
    assert node.bus.trouble
    truthful(morning.town, LINE)
    morning.village.restore()
    await online(node.bus)
    await morning.over()
