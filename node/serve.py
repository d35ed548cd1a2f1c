"""Running nodes: one for a site, or many in one process, until told to stop."""

import asyncio
import fcntl
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from importlib.metadata import entry_points
from pathlib import Path

from node.capabilities import EVERY_TIER
from node.capability import Capability
from node.config import ConfigError, NodeConfig
from node.credentials import open_bus
from node.db import Workers
from node.heap import collect, give_back
from node.library import Library
from node.loops import Wake, forever
from node.node import Node
from node.site import open_node
from node.web import Server, Web, server
from node.work import utc_now

log = logging.getLogger(__name__)

TIDY_S = 30.0
"""How often a process hands memory it has left free back to the system: milliseconds each time."""


SWITCH_S = 0.0005
"""How long a thread computes while the loop wants to go on; Python's own 5 ms, after each row the loop reads from a
database, would hold up every page and letter while another thread verifies a long one."""


def capabilities_of(config: NodeConfig) -> tuple[Capability, ...]:
    """What every tier can do, and what installed packages add for this site."""
    found = list(EVERY_TIER)
    for entry in entry_points(group="liandong.capabilities"):
        found += entry.load()(config)
    return tuple(found)


class Running:
    """Some nodes with their pages in one process, sharing threads, caches and opened catalogues.

    `sites` is how many are expected: it says how much memory each may keep for speed.
    """

    def __init__(self, clock: Callable[[], datetime] = utc_now, *, sites: int = 1) -> None:
        self._clock = clock
        self.nodes: list[Node] = []
        self._workers = Workers(databases=sites)
        self._library = Library()
        self._webs: dict[tuple[str, ...], Web] = {}
        self._servers: list[Server] = []
        self._held: list[int] = []

    def open(self, config: NodeConfig) -> Node:
        """Open the node of a site; ConfigError if it cannot be."""
        if config.bus is None:
            raise ConfigError(f"{config.site / 'node.toml'} 没有 [bus]：不知道枢纽在哪里")
        self._held.append(hold(config.site))
        node = open_node(
            config,
            open_bus(config.place, config.bus),
            capabilities_of(config),
            workers=self._workers,
            library=self._library,
            clock=self._clock,
        )
        self.nodes.append(node)
        return node

    def web(self, node: Node) -> Web:
        """The routes for what this node can do, built once for all nodes that can do the same."""
        names = tuple(one.name for one in node.capabilities)
        if names not in self._webs:
            self._webs[names] = Web(node.capabilities)
        return self._webs[names]

    @asynccontextmanager
    async def up(self, nodes: Sequence[Node], *, pages: bool = True) -> AsyncIterator[None]:
        """The nodes' loops and pages for the length of the block."""
        sys.setswitchinterval(SWITCH_S)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(forever("tidy", self._tidy, Wake(), TIDY_S))]
            for node in nodes:
                tasks.append(group.create_task(node.run(), name=f"node {node.place}"))
                if pages:
                    config = node.config
                    web = server(self.web(node).app(node), config.host, config.port)
                    self._servers.append(web)
                    tasks.append(group.create_task(web.serve(), name=f"web {node.place}"))
            try:
                yield
            finally:
                for web in self._servers:
                    web.stop()
                await asyncio.sleep(0.15)
                for task in tasks:
                    task.cancel()

    async def _tidy(self) -> bool:
        """In a crowd there is nothing to let go of but the heap, and too much to look through."""
        if not self._workers.crowded:
            for node in self.nodes:
                node.db.give_back()
            collect()
        await asyncio.to_thread(give_back)
        return False

    def close(self) -> None:
        """Let go of databases and threads."""
        for node in self.nodes:
            node.db.close()
        self._workers.close()
        while self._held:
            os.close(self._held.pop())


def hold(site: Path) -> int:
    """A lock on the site for as long as the handle is open: two processes would send and apply everything twice."""
    handle = os.open(site, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise ConfigError(f"另一个进程正在运行站点 {site}") from None
    return handle


async def until_stopped() -> None:
    """Until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, stop.set)
    await stop.wait()


async def serve(configs: Sequence[NodeConfig]) -> None:
    """Run the nodes of these sites until told to stop."""
    running = Running(sites=len(configs))
    try:
        nodes = [running.open(config) for config in configs]
        async with running.up(nodes):
            for node in nodes:
                log.info("%s %s at http://%s:%d", node.place, node.name, node.config.host, node.config.port)
            await until_stopped()
    finally:
        running.close()
