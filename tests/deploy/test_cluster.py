"""The city's hub as production runs it: three servers from generated files, streams on all three, one killed."""

import asyncio
import json
import subprocess
import urllib.request
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from hub.server import find_server
from node.config import load
from node.db import table_of
from node.exchange.outbox import outstanding
from node.figures.model import DailyReportRow
from node.figures.report import declare
from node.node import Node
from node.serve import Running
from tests.databases import Databases
from tests.deploy.sites import (
    Program,
    embedded_hub,
    free_ports,
    healthy,
    monitor_port,
    provisioned,
    server,
    until,
)

CITY, COUNTY, TOWN, VILLAGE = "640200000000", "640221000000", "640221100000", "640221100001"
DIVISIONS = f"""code,name,level,parent
{CITY},石嘴山市,city,
{COUNTY},平罗县,county,{CITY}
{TOWN},城关镇,township,{COUNTY}
{VILLAGE},古城居委会,village,{TOWN}
"""
REPORTS = 200
DAY_1 = date(2024, 1, 1)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A provisioned city: a cluster of three for the city, an embedded server for the county, TLS on both."""
    *ports, monitor, county = free_ports(8)
    etc = tmp_path / "out/sites" / CITY / "hub"
    network = f"""
[hubs.{CITY}]
embedded = false
urls = {json.dumps([f"nats://127.0.0.1:{port}" for port in ports[:3]])}
listen = "127.0.0.1"
members = {json.dumps([f"127.0.0.1:{port}" for port in ports[3:6]])}
monitor_port = {monitor}
store = {json.dumps(str(tmp_path / "stores"))}
etc = {json.dumps(str(etc))}
tls = "own"
{embedded_hub(COUNTY, county, tls="own")}"""
    return provisioned(DIVISIONS, tmp_path / "out", network)


def confs(out: Path) -> list[Path]:
    return sorted((out / "sites" / CITY / "hub").glob("hub-*.conf"))


def test_the_server_accepts_every_generated_configuration(out: Path) -> None:
    assert len(confs(out)) == 3
    for conf in confs(out):
        ran = subprocess.run([find_server(), "-t", "-c", conf], capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        assert "password" not in ran.stderr


@asynccontextmanager
async def cluster(out: Path) -> AsyncIterator[dict[str, Program]]:
    """The three servers, ready, by name."""
    members = {conf.stem: server(conf) for conf in confs(out)}
    try:
        for conf in confs(out):
            await until(lambda conf=conf: healthy(monitor_port(conf)), f"{conf.stem} ready")
        yield members
    finally:
        for member in members.values():
            member.kill()


async def leader(node: Node, stream: str) -> str:
    """Name of the member that leads a stream; empty while there is none."""
    info = await node.bus.line.ask_json(f"$JS.API.STREAM.INFO.{stream}")  # type: ignore[attr-defined]
    return str((info or {}).get("cluster", {}).get("leader", ""))


def reports(node: Node) -> int:
    """How many of the declared daily reports of the village a node has."""
    table = table_of(DailyReportRow).c
    query = select(func.count()).where(table.place == VILLAGE, table.day < DAY_1 + timedelta(days=REPORTS))
    return node.db.read(lambda session: session.execute(query).scalar() or 0)


async def declare_days(village: Node, first: int, last: int) -> None:
    """The village declares these days, one act each."""
    for number in range(first, last):
        await village.do(declare, DAY_1 + timedelta(days=number))


async def test_a_killed_leader_loses_nothing(out: Path, databases: Databases) -> None:
    running = Running()
    async with AsyncExitStack() as stack:
        stack.callback(running.close)
        members = await stack.enter_async_context(cluster(out))
        nodes = {code: opened(running, out, code, databases) for code in (CITY, COUNTY, TOWN, VILLAGE)}
        await stack.enter_async_context(running.up(list(nodes.values()), pages=False))
        city, village = nodes[CITY], nodes[VILLAGE]
        await until(lambda: all(node.bus.connected for node in nodes.values()), "lines up")
        await until(lambda: ready(city), "streams on three members")

        await declare_days(village, 0, REPORTS // 2)
        await until(lambda: reports(city) > 10, "mail flows up through the county's relay")
        members[await leader(city, "MAIL")].kill()
        await declare_days(village, REPORTS // 2, REPORTS)
        await until(lambda: reports(city) == REPORTS, "every report at the city")
        assert reports(nodes[COUNTY]) == reports(nodes[TOWN]) == REPORTS
        await until(lambda: village.read(outstanding) == 0, "a receipt for every act")


def opened(running: Running, out: Path, code: str, databases: Databases) -> Node:
    site = out / "sites" / code
    (site / "local.toml").write_text(databases.setting())
    config = load(site)
    return running.open(replace(config, pace=replace(config.pace, resend_first_s=4.0, receipt_s=0.2)))


async def ready(city: Node) -> bool:
    """Whether both streams are on three members, all of them current."""
    for stream in ("MAIL", "CAT"):
        info = await city.bus.line.ask_json(f"$JS.API.STREAM.INFO.{stream}")  # type: ignore[attr-defined]
        if not info or "config" not in info:
            return False
        assert info["config"]["num_replicas"] == 3
        replicas = info["cluster"].get("replicas") or []
        if len(replicas) != 2 or not all(one["current"] for one in replicas):
            return False
    return True


async def test_who_does_not_know_the_password_is_no_member(out: Path, tmp_path: Path) -> None:
    """A server with a good certificate and the cluster's name, but not its password, is not let in."""
    async with cluster(out):
        stranger = server(strange(confs(out)[0].read_text(), tmp_path))
        try:
            await until(
                lambda: "Authorization Violation" in stranger.log.read_text(), "the stranger is turned away"
            )
            known = await asyncio.to_thread(route_names, monitor_port(confs(out)[0]))
            assert known == {conf.stem for conf in confs(out)[1:]}
        finally:
            stranger.kill()


def strange(conf: str, folder: Path) -> Path:
    """The configuration of a member, for another server with ports and store of its own and a wrong password."""
    port, routes, monitor = free_ports(3)
    password = conf.split('password: "')[1].split('"', maxsplit=1)[0]
    own = {
        "server_name": '"stranger"',
        "listen": f'"127.0.0.1:{port}"',
        "  listen": f'"127.0.0.1:{routes}"',
        "http": f'"127.0.0.1:{monitor}"',
        "  store_dir": json.dumps(str(folder / "strange")),
    }
    lines = conf.replace(password, "0" * len(password)).splitlines()
    path = folder / "stranger.conf"
    path.write_text(
        "\n".join(f"{key}: {own[key]}" if (key := line.partition(":")[0]) in own else line for line in lines)
    )
    return path


def route_names(port: int) -> set[str]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/routez", timeout=3) as answer:
        return {one["remote_name"] for one in json.load(answer)["routes"]}
