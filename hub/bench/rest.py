"""Nodes at rest, and in a storm: what the fleet benchmark's processes do and how they are looked at.

One rule: they run as `liandong serve` runs them (`Running`), nothing is shortened or switched off.
"""

import asyncio
import json
import os
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session

from hub.bench.meter import cpu_of, rounded, rss_mib
from hub.bench.stage import Source
from hub.demo.run import edition_documents
from hub.demo.story import PEOPLE
from hub.publishing import documents_total, publish_edition
from hub.server import EmbeddedServer
from node.accounts.officer import Officer
from node.accounts.roles import Role
from node.cases import actions
from node.cases.filing import Filing
from node.cases.model import CaseRow
from node.config import load
from node.db import table_of
from node.exchange.outbox import outstanding
from node.exchange.views import aside_counts
from node.node import Node
from node.pages.links import LOGIN
from node.serve import TIDY_S, Running
from protocol.places import Code, Tier

SEEN = "seen"
"""A file in the folder: everybody has looked, the storm may begin."""
PATIENCE_S = 900.0
SETTLE_S = TIDY_S + 8.0
"""After the last receipt, before looking: one turn of every poll, and memory handed back once."""
ITEM = "SZS-019"
"""Filed in a village, decided at the county."""


@dataclass(frozen=True, slots=True)
class Rest:
    """A process at rest, watched for `wall_s`."""

    nodes: int
    rss_mib: float
    cpu_s: float
    wall_s: float
    threads: int
    files: int
    servers_mib: tuple[float, ...]
    servers_cpu_s: float

    @property
    def share_percent(self) -> float:
        """Of one core."""
        return self.cpu_s / self.wall_s * 100

    @property
    def servers_percent(self) -> float:
        """Of one core, all its hub servers together."""
        return self.servers_cpu_s / self.wall_s * 100


@dataclass(frozen=True, slots=True)
class City:
    """The process with all nodes."""

    rest: Rest
    opened_s: float
    """Until every database was made and every node opened."""
    ready_s: float
    """From then until the first edition was in force everywhere and receipted."""
    storm: dict[str, Any]


async def look(nodes: int, pid: int, servers: Sequence[int], seconds: float) -> Rest:
    """Watch a process for a while."""
    before, theirs, began = cpu_of(pid), sum(map(cpu_of, servers)), time.monotonic()
    await asyncio.sleep(seconds)
    return Rest(
        nodes,
        rss_mib(pid),
        cpu_of(pid) - before,
        time.monotonic() - began,
        len(os.listdir(f"/proc/{pid}/task")),  # noqa: PTH208
        len(os.listdir(f"/proc/{pid}/fd")),  # noqa: PTH208
        tuple(rss_mib(one) for one in servers),
        sum(map(cpu_of, servers)) - theirs,
    )


async def village(folder: Path, place: Code, seconds: float) -> Rest:
    """One node in a process, at rest."""
    running = Running()
    try:
        node = running.open(load(folder / "sites" / place))
        async with running.up([node]):
            await _until(lambda: node.know.edition and not node.read(outstanding))
            await _pages([node])
            await asyncio.sleep(SETTLE_S)
            return await look(1, os.getpid(), (), seconds)
    finally:
        running.close()


async def city(folder: Path, places: Sequence[Code], source: Source, seconds: float, cases: int) -> City:
    """All these nodes in a process, at rest, and then through a storm."""
    running, began = Running(sites=len(places)), time.monotonic()
    try:
        nodes = [running.open(load(folder / "sites" / place)) for place in places]
        opened = time.monotonic()
        async with running.up(nodes):
            await _first_edition(nodes, source)
            await _until(lambda: _informed(nodes) and not busy(nodes))
            ready = time.monotonic()
            await _pages(nodes)
            await asyncio.sleep(SETTLE_S)
            servers = _servers(nodes)
            found = await look(len(nodes), os.getpid(), [one.pid for one in servers if one.pid], seconds)
            await _until((folder / SEEN).exists)
            storm = await _storm(nodes, servers, cases) if cases else {}
        return City(found, opened - began, ready - opened, storm)
    finally:
        running.close()


def _informed(nodes: Sequence[Node]) -> bool:
    """Whether the edition is in force everywhere, and every node has every document there is."""
    if not all(node.know.edition for node in nodes):
        return False
    most = _top(nodes).read(documents_total)
    return all(node.read(documents_total) >= most for node in nodes)


async def _first_edition(nodes: Sequence[Node], source: Source) -> None:
    """The city publishes; its hub hands it on as soon as it looks."""
    top = _top(nodes)
    documents = edition_documents(top.know.roster, source.items, source.holidays)
    today = date.today()  # noqa: DTZ011 - the day printed on the edition
    await top.do(publish_edition, 1, today, documents, ("主管部门", "法制审核"))


def _top(nodes: Sequence[Node]) -> Node:
    return next(node for node in nodes if node.know.roster.city.code == node.place)


def _servers(nodes: Sequence[Node]) -> list[EmbeddedServer]:
    hubs = [node.parts["hub"] for node in nodes if "hub" in node.parts]
    return [hub.server for hub in hubs if hub.server is not None]


def waiting(nodes: Sequence[Node]) -> int:
    """How many acts wait for a reader somewhere."""
    return sum(node.read(outstanding) for node in nodes)


def busy(nodes: Sequence[Node]) -> bool:
    """Whether some act waits for a reader; a city of busy nodes is told by the first."""
    return any(node.read(outstanding) for node in nodes)


async def _storm(nodes: Sequence[Node], servers: Sequence[EmbeddedServer], cases: int) -> dict[str, Any]:
    """Every hub goes down, every village files meanwhile, the hubs come back: until the last receipt."""
    for one in servers:
        await one.stop()
    villages = [node for node in nodes if node.know.roster[node.place].tier is Tier.VILLAGE]
    for node in villages:
        for at in range(cases):
            await node.do(actions.file_case, _agent(node), _form(node, at))
    backlog = waiting(nodes)
    began, used = time.monotonic(), time.process_time()
    await asyncio.gather(*(one.start() for one in servers))
    await _until(lambda: not busy(nodes))
    taken = time.monotonic() - began
    return {
        "villages": len(villages),
        "cases": len(villages) * cases,
        "deliveries": backlog,
        "drained_s": rounded(taken),
        "deliveries_per_s": rounded(backlog / taken),
        "cpu_s": rounded(time.process_time() - used),
        "cases_at_city": _top(nodes).read(_cases),
        "set_aside": sum(sum(node.read(aside_counts).values()) for node in nodes),
    }


def _cases(session: Session) -> int:
    return int(session.execute(select(func.count()).select_from(table_of(CaseRow))).scalar_one())


def _agent(node: Node) -> Officer:
    return Officer(0, "agent", "代办员", "C-01", frozenset((Role.AGENT,)), node.place)


def _form(node: Node, at: int) -> Filing:
    """A resident's papers in an agent's hands."""
    name, id_no, phone = PEOPLE[at % len(PEOPLE)]
    assert node.know.catalogue is not None
    needed = tuple(one.name for one in node.know.catalogue[ITEM].materials if one.need == "必要")
    return Filing(
        item=ITEM, name=name, id_no=id_no, phone=phone, address=node.name, agent=True, entrusted=True,
        entrust_scope=("交件", "领件"), entrust_until="2035-12-31", materials=needed,
    )  # fmt: skip


async def _until(holds: Callable[[], Any]) -> None:
    """Look now and then; TimeoutError if it takes longer than anybody would wait."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0.25)


async def _pages(nodes: Sequence[Node]) -> None:
    """Have each node serve one page, from outside the loop it runs on."""
    for node in nodes:
        await asyncio.to_thread(page, f"http://{node.config.host}:{node.config.port}")


def page(address: str) -> None:
    """Read the login page."""
    with urllib.request.urlopen(address + LOGIN, timeout=30) as answer:  # noqa: S310 - our own http address
        answer.read()


def edition_at(address: str) -> int:
    """The edition that a running node holds; 0 while it does not answer."""
    try:
        with urllib.request.urlopen(address + "/api/node", timeout=5) as answer:  # noqa: S310 - our own http address
            return int(json.load(answer)["edition"])
    except (OSError, ValueError):
        return 0
