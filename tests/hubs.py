"""Hubs for tests: a small city, and real nats-servers with everything a client of theirs needs."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hub.operator import HubKeys, Trust, account_jwt, hub_user, node_user, relay_user, trust
from hub.proxy import LineSwitch
from hub.server import EmbeddedServer, ServerConfig, push_account
from hub.streams import HubSilent, Streams
from node.bus import Bus
from node.bus.line import Credentials, Pace
from node.bus.nats import NatsBus
from node.bus.nkeys import Kind, new_seed, public_key
from protocol.places import Code, Place, Tier
from protocol.roster import Roster
from protocol.subjects import MAIL

CITY = Code("640200000000")
COUNTY = Code("640221000000")
TOWN = Code("640221101000")
VILLAGE = Code("640221101201")
SIBLING = Code("640221101202")
COUNTY_2 = Code("640205000000")
TOWN_2 = Code("640205001000")
VILLAGE_2 = Code("640205001201")

QUICK = Pace(ping_s=1, connect_s=5, retry_s=0.02, retry_max_s=0.2, reply_s=5, publish_s=10)
"""Soon up again; patient enough for a server that a busy disk holds up for a second."""


def small_city() -> Roster:
    """One city, two counties, two townships, three villages."""
    return Roster(
        [
            Place(CITY, "石嘴山市", Tier.CITY, None),
            Place(COUNTY, "平罗县", Tier.COUNTY, CITY),
            Place(TOWN, "城关镇", Tier.TOWNSHIP, COUNTY),
            Place(VILLAGE, "和平村", Tier.VILLAGE, TOWN),
            Place(SIBLING, "团结村", Tier.VILLAGE, TOWN),
            Place(COUNTY_2, "惠农区", Tier.COUNTY, CITY),
            Place(TOWN_2, "红果子镇", Tier.TOWNSHIP, COUNTY_2),
            Place(VILLAGE_2, "马家湾村", Tier.VILLAGE, TOWN_2),
        ]
    )


async def until(condition: Callable[[], bool], change: Callable[[], Awaitable[None]]) -> None:
    """Wait for changes until the condition holds; a test that hangs here fails."""
    async with asyncio.timeout(20):
        while not condition():
            await change()


async def online(bus: Bus) -> None:
    """Wait until the bus is connected."""
    await until(lambda: bus.connected, bus.changed.wait)


async def waits_for(bus: Bus, count: int) -> None:
    """Wait until so much mail waits for the bus: a hub that has stored a message counts it a moment later."""
    async with asyncio.timeout(20):
        while await bus.backlog(MAIL) != count:
            await asyncio.sleep(0.02)


async def offline(bus: Bus) -> None:
    """Wait until the bus has noticed that its line is down."""
    await until(lambda: not bus.connected, bus.changed.wait)


async def streams_made(streams: Streams, bus: Bus) -> None:
    """Have the streams of a hub, however often a busy server has to be asked."""
    async with asyncio.timeout(60):
        while True:
            await online(bus)
            with suppress(HubSilent):
                await streams.ensure()
                return
            await asyncio.sleep(0.1)


@dataclass
class RealHub:
    """A nats-server with keys, streams and as many clients as a test asks for."""

    code: Code
    roster: Roster
    folder: Path
    keys: HubKeys = field(default_factory=HubKeys.generate)
    buses: list[NatsBus] = field(default_factory=list)
    switches: list[LineSwitch] = field(default_factory=list)
    server: EmbeddedServer = field(init=False)
    own: NatsBus = field(init=False)
    streams: Streams = field(init=False)

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    @property
    def trust(self) -> Trust:
        """As configured a minute ago: a server keeps the newest account it has seen, by its second."""
        return trust(self.keys, self.code, self.now - timedelta(minutes=1))

    async def start(self) -> None:
        config = ServerConfig(f"h{self.code[:6]}", self.trust, self.folder, port=-1, monitor_port=-1)
        self.server = EmbeddedServer(self.folder, config)
        await self.server.start()
        self.own = await self.hub_node()
        self.streams = Streams(self.own.line, self.roster, self.code)
        await streams_made(self.streams, self.own)

    async def stop(self) -> None:
        for bus in self.buses:
            await bus.close()
        for switch in self.switches:
            await switch.stop()
        await self.server.stop()

    def credentials(self, place: str, mint: Callable[[str], str]) -> Credentials:
        seed = new_seed(Kind.USER)
        return Credentials(mint(public_key(seed)), seed)

    async def hub_node(self, reader: str | None = None) -> NatsBus:
        made = self.credentials(self.code, lambda user: hub_user(self.keys, self.code, user, self.now))
        return await self.connect(self.code, made, reader=reader)

    async def node(self, place: str, *, switch: LineSwitch | None = None) -> NatsBus:
        made = self.credentials(place, lambda user: node_user(self.keys, place, user, self.now))
        return await self.connect(place, made, switch=switch)

    async def lower_hub(self, place: Code, *, switch: LineSwitch | None = None) -> NatsBus:
        covered = self.roster.prefixes(place)
        made = self.credentials(place, lambda user: relay_user(self.keys, place, covered, user, self.now))
        return await self.connect(place, made, switch=switch)

    async def connect(
        self, place: str, made: Credentials, *, reader: str | None = None, switch: LineSwitch | None = None
    ) -> NatsBus:
        url = f"nats://127.0.0.1:{switch.port}" if switch else self.server.url
        bus = NatsBus(place, [url], made, reader=reader, pace=QUICK)
        self.buses.append(bus)
        await bus.connect()
        await online(bus)
        return bus

    async def kill(self) -> None:
        """kill -9 of the server, once it runs."""
        async with asyncio.timeout(20):
            while (pid := self.server.pid) is None:
                await asyncio.sleep(0.01)
        os.kill(pid, signal.SIGKILL)

    async def switch(self, bytes_per_s: int | None = None) -> LineSwitch:
        """A line to this hub that can be cut, or is slow."""
        made = LineSwitch("127.0.0.1", self.server.port, bytes_per_s=bytes_per_s)
        await made.start()
        self.switches.append(made)
        return made

    async def push_revoked(self, *users: str) -> bool:
        """Void every credential of these users that was made until now."""
        revoked = {user: self.now + timedelta(seconds=1) for user in users}
        return await push_account([self.server.url], self.keys, account_jwt(self.keys, self.now, revoked))


@asynccontextmanager
async def real_hub(folder: Path, code: Code = COUNTY, roster: Roster | None = None) -> AsyncIterator[RealHub]:
    """A started hub with its streams, stopped with all its clients."""
    hub = RealHub(code, roster or small_city(), folder)
    try:
        await hub.start()
        yield hub
    finally:
        await hub.stop()
