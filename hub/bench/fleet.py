"""`liandong bench fleet`: the whole city in one process, beside one village in a process of its own.

One rule: everything is on: every node with its database, line, loops and pages, every hub with its own server, streams
and relay. At rest means that the first edition is in force everywhere, each node has served a page, and nothing waits.
"""

import asyncio
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from hub.bench import rest
from hub.bench.hands import Hand
from hub.bench.meter import machine, rounded
from hub.bench.stage import Source
from hub.demo.city import free_block
from hub.network import HubAddress, Network, Web
from hub.provision import Provision
from hub.server import find_server
from node.config import load
from node.work import utc_now
from protocol.divisions import read_divisions
from protocol.places import Tier
from protocol.roster import Roster

Say = Callable[[str], None]
PORT = 19000
PATIENCE_S = 300.0


async def fleet(
    folder: Path, source: Source, seconds: float, cases: int, say: Say, part: Roster | None = None
) -> dict[str, Any]:
    """The report; `part` is a smaller city for a quick look, `cases` the backlog of each village in the storm."""
    about = await machine(find_server())
    roster = part or read_divisions(source.divisions.read_bytes())
    say(f"为 {len(roster)} 个站点生成证书和凭证 …")
    await asyncio.to_thread(provision, folder, roster)
    alone, served = (place.code for place in roster.of_tier(Tier.VILLAGE)[:2])
    together = [place.code for place in roster.subtree(roster.city.code) if place.code not in (alone, served)]
    async with AsyncExitStack() as stack:
        city = await stack.enter_async_context(Hand("city"))
        village = await stack.enter_async_context(Hand("village"))
        say(
            f"在一个进程里打开 {len(together)} 个节点和 {len(roster.hubs)} 个枢纽；另开一个村站进程、一个 liandong serve …"
        )
        gathering = asyncio.create_task(city.do(rest.city, folder, together, source, seconds, cases))
        one = await asyncio.wait_for(village.do(rest.village, folder, alone, seconds), PATIENCE_S * 4)
        serving = await serve(folder / "sites" / served, seconds)
        (folder / rest.SEEN).touch()
        many = await gathering
    return report(about, many, one, serving)


def provision(folder: Path, roster: Roster) -> None:
    """The sites of every place, all on this machine."""
    places, hubs = list(roster.subtree(roster.city.code)), sorted(roster.hubs)
    port = free_block(PORT, len(hubs) + len(places))
    addresses = {
        code: HubAddress((f"nats://127.0.0.1:{port + at}",), port=port + at, monitor_port=-1)
        for at, code in enumerate(hubs)
    }
    pages = {place.code: Web("127.0.0.1", port + len(hubs) + at) for at, place in enumerate(places)}
    Provision(roster, folder, Network(addresses, pages), utc_now()).run()


async def serve(site: Path, seconds: float) -> rest.Rest:
    """A village's own `liandong serve`, once it has the catalogue and has served a page."""
    config = load(site)
    program = "import sys; from node.cli import main; sys.argv[:1] = ['liandong', 'serve']; main()"
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", program, str(site))
    address = f"http://{config.host}:{config.port}"
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not await asyncio.to_thread(rest.edition_at, address):
                await asyncio.sleep(0.5)
        await asyncio.to_thread(rest.page, address)
        await asyncio.sleep(rest.SETTLE_S)
        return await rest.look(1, child.pid, (), seconds)
    finally:
        child.terminate()
        await child.wait()


def report(about: dict[str, Any], many: rest.City, one: rest.Rest, serving: rest.Rest) -> dict[str, Any]:
    """What the fleet costs for each node beyond the first, and what a village's own process costs."""
    more = many.rest.nodes - one.nodes
    return {
        "nodes": many.rest.nodes,
        "hubs": len(many.rest.servers_mib),
        "per_further_node": {
            "rss_mib": rounded((many.rest.rss_mib - one.rss_mib) / more),
            "idle_core_percent": rounded((many.rest.share_percent - one.share_percent) / more),
        },
        "village_process_mib": rounded(serving.rss_mib),
        "fleet": _side(many.rest),
        "one": _side(one),
        "serve": _side(serving),
        "opened_s": rounded(many.opened_s),
        "ready_s": rounded(many.ready_s),
        "storm": many.storm,
        "machine": about,
    }


def _side(found: rest.Rest) -> dict[str, Any]:
    return {
        "rss_mib": rounded(found.rss_mib),
        "idle_core_percent": rounded(found.share_percent),
        "threads": found.threads,
        "files": found.files,
        "servers_mib": [rounded(one) for one in found.servers_mib],
        "servers_core_percent": rounded(found.servers_percent),
        "watched_s": rounded(found.wall_s),
    }
