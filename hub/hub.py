"""A hub (枢纽) at work: its server if it is embedded, its streams, the relay to the hub above, what it publishes.

One rule: whatever the broker has lost is made again from the database: streams from the roster, documents from
what was published, mail from everybody's outbox.
"""

import asyncio
import json
import logging
import os
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

from sqlalchemy import select

from hub.operator import Trust
from hub.publishing import broadcast, current_documents, documents_total, newest_number
from hub.relay import Relay
from hub.server import EmbeddedServer, ServerConfig, TlsFiles, find_server
from hub.streams import Streams
from node.bus.nats import NatsBus
from node.capability import Capability
from node.catalogue.replica import adopt
from node.config import ConfigError, HubConfig
from node.credentials import open_bus
from node.db import table_of
from node.exchange.model import PeerRow
from node.loops import Wake, forever
from node.node import Node
from node.site import read_directory
from protocol.subjects import CAT, MAIL, UP, Stream, clients, relay_permissions, upper_hub

log = logging.getLogger(__name__)

BEHIND_S = 120.0
"""A child that says it holds an older edition this long after ours came into force gets everything again."""


class Hub:
    """The parts of one hub beside its node. `run` keeps them going until cancelled."""

    def __init__(self, node: Node, config: HubConfig) -> None:
        self.node = node
        self.config = config
        self.server = embedded_server(node.config.site, config, node.name) if config.embedded else None
        self.streams: Streams | None = None
        self.relay: Relay | None = None
        self.publish_wake = Wake()
        self._roster = node.know.roster
        self._published: set[str] = set()
        """Names of the documents that our CAT stream has had from us since it was made."""
        self._documents_seen = 0
        self._edition_at = node.clock()
        self._edition = node.know.edition

    async def run(self) -> None:
        """Start the server, then keep streams, relay and publications going."""
        try:
            if self.server is not None:
                await self.server.start()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_streams())
                group.create_task(self._run_relay())
                group.create_task(forever("publish", self._publish, self.publish_wake, 5.0))
                group.create_task(
                    forever("hub", self._look_after, Wake(), self.node.config.pace.housekeeping_s)
                )
        finally:
            if self.server is not None:
                await self.server.stop()

    async def _keep_streams(self) -> None:
        bus = self.node.bus
        assert isinstance(bus, NatsBus)
        self._roster = self.node.know.roster
        self.streams = Streams(bus.line, self._roster, self.node.place, replicas=self.config.replicas)
        async with asyncio.TaskGroup() as group:
            group.create_task(self.streams.run(self._fresh))
            group.create_task(forever("roster", self._follow_roster, Wake(), 1.0))

    async def _follow_roster(self) -> bool:
        assert self.streams is not None
        if self._roster is not self.node.know.roster and self.node.bus.connected:
            roster = self.node.know.roster
            await self.streams.adopt(roster)
            if self.relay is not None:
                self.relay.allow(relay_permissions(self.node.place, roster.prefixes(self.node.place)))
            self._roster = roster
        return False

    async def _fresh(self, made: frozenset[Stream]) -> None:
        """Streams came up empty: publish again what we hold, and have everyone's mail sent again by a hello."""
        if CAT in made:
            self._published.clear()
            self._documents_seen = 0
            self.publish_wake.ring()
            if self.relay is not None:
                await self.relay.refill()
        if MAIL in made:
            await self.node.tell(hello=True)

    async def _publish(self) -> bool:
        """Hand to our CAT stream what we hold and have not handed to it since it was made."""
        if not self.node.bus.connected or self.streams is None:
            return False
        await self._follow_edition()
        count = self.node.read(documents_total)
        if count == self._documents_seen:
            return False
        documents = self.node.read(current_documents)
        new = {sha256(one[2]).hexdigest(): one for one in documents}
        new = {name: one for name, one in new.items() if name not in self._published}
        if await broadcast(list(new.values()), self.node.know, self.node.bus) < len(new):
            await asyncio.sleep(1.0)
            return True
        self._published |= new.keys()
        self._documents_seen = count
        return False

    async def _follow_edition(self) -> None:
        """Put in force what `liandong catalogue publish` laid into our database while we run."""
        known = self.node.know.edition
        if self.node.read(newest_number) > known and await self.node.do(adopt):
            await self.node.react()
        if self._edition != self.node.know.edition:
            self._edition, self._edition_at = self.node.know.edition, self.node.clock()

    async def _run_relay(self) -> None:
        upper, place = self.config.upper, self.node.place
        own = self.node.config.bus
        if upper is None or own is None or upper_hub(self.node.know.roster, place) is None:
            return
        below = open_bus(place, own, reader=UP)
        above = open_bus(place, upper)
        allowed = relay_permissions(place, self.node.know.roster.prefixes(place))
        self.relay = Relay(below, above, allowed, now=self.node.clock)
        await below.connect()
        await above.connect()
        try:
            await self.relay.run()
        finally:
            await above.close()
            await below.close()

    async def _look_after(self) -> bool:
        """Read a newer directory file; give the catalogue again to clients that stay behind."""
        await asyncio.to_thread(read_directory, self.node)
        now = self.node.clock()
        if self.streams is None or now - self._edition_at < timedelta(seconds=BEHIND_S):
            return False
        table = table_of(PeerRow).c
        query = select(table.place).where(
            table.edition < self.node.know.edition, table.heard_at > now - timedelta(seconds=BEHIND_S)
        )
        behind = set(self.node.db.read(lambda session: list(session.execute(query).scalars())))
        children = [one for one in clients(self.node.know.roster, self.node.place) if one in behind]
        if children:
            for child in await self.streams.rearm(children):
                log.info("%s is behind with the catalogue; giving it again", child)
        return False


def embedded_server(site: Path, config: HubConfig, name: str) -> EmbeddedServer:
    """The server of this site's hub; ConfigError if its trust file is missing or wrong."""
    path = config.directory / "trust.json"
    try:
        trusted = Trust(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise ConfigError(f"没有找到 {path}：站点 {site} 不是枢纽") from None
    except (ValueError, TypeError):
        raise ConfigError(f"{path} 读不懂") from None
    server = ServerConfig(
        name=f"hub-{name}",
        trust=trusted,
        store=config.directory,
        listen=config.listen,
        port=config.port,
        monitor_port=config.monitor_port,
        tls=TlsFiles(config.tls_cert, config.tls_key) if config.tls_cert and config.tls_key else None,
    )
    return EmbeddedServer(config.directory / "server", server, find_server(os.environ))


async def _run_hub(node: Node) -> None:
    assert node.config.hub is not None
    hub = Hub(node, node.config.hub)
    node.parts["hub"] = hub
    await hub.run()


HUB = Capability(name="hub", loops=(_run_hub,))
"""Being a hub, as a capability of a node."""
