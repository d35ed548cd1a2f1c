"""A city of separate processes, as in production: filed in a village over HTTP, decided at the county, through kills."""

import asyncio
import json
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from node.work import civil_date, utc_now
from tests.databases import Databases
from tests.deploy.sites import embedded_hub, free_ports, kill_process, provisioned, server_of, until
from tests.federation import ROOT
from tests.story.machines import RESIDENT, Desk, Machine, id_no, items_for, liandong, program, required

CITY, COUNTY, TOWN, VILLAGE = "640200000000", "640221000000", "640221100000", "640221100001"
LATER = "640221100002"
DIVISIONS = f"""code,name,level,parent
{CITY},石嘴山市,city,
{COUNTY},平罗县,county,{CITY}
{TOWN},城关镇,township,{COUNTY}
{VILLAGE},古城居委会,village,{TOWN}
"""
ITEMS = ROOT / "data/items.json"
ITEM = "SZS-019"
"""Decided by the county."""


class Town:
    """The machines of the story, where they were provisioned, and who works there."""

    def __init__(self, floor: Path, databases: Databases) -> None:
        self.floor = floor
        self.databases = databases
        self.out = floor / "out"
        self.machines: dict[str, Machine] = {}
        self.filed = 0
        self.agent: Desk
        self.county: dict[str, Desk]

    def __getitem__(self, code: str) -> Machine:
        return self.machines[code]

    def provision(self) -> None:
        city, county, *pages = free_ports(7)
        network = "\n".join([embedded_hub(CITY, city), embedded_hub(COUNTY, county)])
        provisioned(DIVISIONS, self.out, network)
        self.pages = pages
        for code in (CITY, COUNTY, TOWN, VILLAGE):
            self.carry(code)

    def carry(self, code: str) -> Machine:
        self.machines[code] = Machine.carry(
            self.out, code, self.floor / "machines", self.pages.pop(), self.databases.setting()
        )
        return self.machines[code]

    def publish(self) -> str:
        items = items_for({"640221"}, ITEMS, self.floor / "items.json")
        return liandong(
            "catalogue", "publish", "--site", self[CITY].site, "--items", items,
            "--holidays", ROOT / "data/regional-holidays-640000.csv", "--approve", "主管部门 张", "--approve", "法制 李",
        )  # fmt: skip

    async def file(self, desk: Desk) -> str:
        """File a case for another resident; its number."""
        self.filed += 1
        form = {**RESIDENT, "id_no": id_no(self.filed), "item": ITEM, "materials": required(ITEMS, ITEM)}
        return str((await desk.post("/api/cases", form, status=201))["no"])

    async def state(self, desk: Desk, no: str) -> str:
        answer = await desk.client.get(f"/api/cases/{no}")
        return answer.json()["state"] if answer.status_code == 200 else ""

    async def arrives(self, desk: Desk, no: str, state: str) -> None:
        async def there() -> bool:
            return await self.state(desk, no) == state

        await until(there, f"{no} {state}")

    async def decide(self, no: str) -> None:
        """The county's three officers decide it."""
        await self.county["clerk"].post(f"/api/cases/{no}/accept")
        await self.county["reviewer"].post(f"/api/cases/{no}/review", {"opinion": "同意", "text": "材料齐全"})
        await self.county["chief"].post(f"/api/cases/{no}/decide", {"outcome": "granted"})

    async def all_told(self) -> None:
        """Until every act of every node has its receipt, and nothing stands aside."""
        for machine in self.machines.values():
            desk = await machine.login("keeper")

            async def done(desk: Desk = desk) -> bool:
                line = await desk.get("/api/line")
                return not sum(line["stages"].values())

            await until(done, f"{machine.code}: every act applied by its reader")
            line = await desk.get("/api/line")
            assert not sum(line["aside_counts"].values()), line["aside"]


@pytest.fixture
async def town(tmp_path: Path, databases: Databases) -> AsyncIterator[Town]:
    found = Town(tmp_path, databases)
    found.provision()
    try:
        yield found
    finally:
        for machine in found.machines.values():
            await machine.close()


async def test_a_city_of_processes(town: Town) -> None:
    await open_the_city(town)
    no = await one_case(town)
    await the_county_dies_in_mid_run(town)
    await the_village_dies(town)
    await a_village_joins_later(town)
    await town.all_told()
    await evidence(town, no)
    for machine in town.machines.values():
        assert "✗" not in liandong("doctor", "--site", machine.site)
    for machine in town.machines.values():
        assert machine.program
        assert machine.program.stop(signal.SIGTERM) == 0, machine.code
        assert "Traceback" not in machine.program.log.read_text(), machine.code


async def open_the_city(town: Town) -> None:
    """First administrators, four processes, and a first edition published beside them."""
    for machine in town.machines.values():
        machine.administrator()
        machine.start()
    await asyncio.gather(*(machine.up() for machine in town.machines.values()))
    assert await town[CITY].edition() == 0
    assert "已公布第 1 版：事项 109（新增 109，变更 0，取消 0）" in town.publish()
    told = program("serve", town[VILLAGE].site, fails=True)
    assert "另一个进程正在运行站点" in told

    async def everywhere() -> bool:
        return all([await machine.edition() == 1 for machine in town.machines.values()])

    await until(everywhere, "the first edition everywhere")
    town.agent = (await town[VILLAGE].officers(agent=["agent"]))["agent"]
    town.county = await town[COUNTY].officers(
        clerk=["clerk"], reviewer=["reviewer"], chief=["chief_representative"], head=["centre_head"]
    )
    await authorise(town.county)


async def authorise(county: dict[str, Desk]) -> None:
    """Nobody decides without an authorisation, which two persons give."""
    today = civil_date(utc_now())
    grant = {
        "person": "S-chief",
        "items": ["*"],
        "rank": "分管领导",
        "since": str(today),
        "until": "2035-12-31",
    }
    proposal = (await county["clerk"].post("/api/authorisations", grant, status=201))["id"]
    await county["head"].post(f"/api/proposals/{proposal}/approve")


async def one_case(town: Town) -> str:
    no = await town.file(town.agent)
    await town.arrives(town.county["clerk"], no, "filed")
    await town.decide(no)
    await town.arrives(town.agent, no, "closed")
    await town.agent.post(f"/api/cases/{no}/deliver", {"way": "代办员送达", "receiver": "王小明"})
    await town.arrives(town.county["clerk"], no, "delivered")
    return no


async def the_county_dies_in_mid_run(town: Town) -> None:
    """kill -9 of the county's node with its server, then of the server alone."""
    first = await town.file(town.agent)
    town[COUNTY].kill()
    second = await town.file(town.agent)
    town[COUNTY].start()
    await town[COUNTY].up()
    for no in (first, second):
        await town.arrives(town.county["clerk"], no, "filed")

    program = town[COUNTY].program
    assert program
    kill_process(server_of(program))
    third = await town.file(town.agent)
    await town.arrives(town.county["clerk"], third, "filed")
    for no in (first, second, third):
        await town.decide(no)
        await town.arrives(town.agent, no, "closed")


async def the_village_dies(town: Town) -> None:
    """kill -9 of the village while the result of its case is on the way."""
    no = await town.file(town.agent)
    await town.arrives(town.county["clerk"], no, "filed")
    town[VILLAGE].kill()
    await town.decide(no)
    town[VILLAGE].start()
    await town[VILLAGE].up()
    await town.arrives(town.agent, no, "closed")


async def a_village_joins_later(town: Town) -> None:
    """A second run of provision; only its own folder and the city's directory are carried."""
    before = (town.out / "network.toml").read_bytes()
    provisioned(f"{DIVISIONS}{LATER},东苑居委会,village,{TOWN}\n", town.out)
    assert (town.out / "network.toml").read_bytes() == before
    shutil.copy(town.out / "sites" / CITY / "directory.ndjson", town[CITY].site)
    new = town.carry(LATER)
    new.administrator()
    new.start()
    await new.up()

    async def has_catalogue() -> bool:
        return await new.edition() == 1

    await until(has_catalogue, "the catalogue at the new village")
    agent = (await new.officers(agent=["agent"]))["agent"]
    no = await town.file(agent)
    assert no.startswith(LATER)
    await town.arrives(town.county["clerk"], no, "filed")
    await town.decide(no)
    await town.arrives(agent, no, "closed")


async def evidence(town: Town, no: str) -> None:
    """One file from the village's command, one from the county's API; both hold, until one byte is changed."""
    path = town.floor / "one.evidence"
    program("case", "export", no, "--site", town[VILLAGE].site, "--out", path)
    answer = await town.county["clerk"].client.get(f"/api/cases/{no}/evidence")
    (town.floor / "two.evidence").write_bytes(answer.content)
    root = town.out / "authority/root.cert"
    for file in (path, town.floor / "two.evidence"):
        found = json.loads(liandong("verify", file, "--root", root, "--json"))
        assert found["holds"]
        assert found["state"] == "delivered"
    lines = path.read_bytes().splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if b'"kind":"case.granted"' in line)
    lines[at] = lines[at].replace(b"S-chief", b"S-cheif")
    path.write_bytes(b"".join(lines))
    found = json.loads(program("verify", path, "--root", root, "--json", fails=True))
    assert at + 1 in {one["line"] for one in found["problems"]}


async def test_a_wrong_items_file_is_refused_with_every_problem(town: Town, tmp_path: Path) -> None:
    told = liandong(
        "catalogue", "publish", "--site", town[CITY].site, "--items", ITEMS, "--approve", "甲", "--approve", "乙",
        fails=True,
    )  # fmt: skip
    assert "SZS-001-640202 deed：640202000000 不在节点名册中" in told
    assert "没有公布" in told
    told = liandong(
        "catalogue", "publish", "--site", town[CITY].site, "--items", ITEMS, "--approve", "甲", "--approve", "甲",
        fails=True,
    )  # fmt: skip
    assert "两位不同的人" in told
    body = json.loads(ITEMS.read_text())
    body["items"][0]["name"] = ""
    body["items"][1]["promised_limit"] = {"value": 900, "unit": "工作日"}
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps(body, ensure_ascii=False))
    told = liandong(
        "catalogue", "publish", "--site", town[CITY].site, "--items", wrong, "--approve", "甲", "--approve", "乙",
        fails=True,
    )  # fmt: skip
    assert "SZS-001 name" in told
    assert "SZS-002 promised_limit" in told
    ours = items_for({"640221"}, ITEMS, tmp_path / "ours.json")
    told = liandong("catalogue", "publish", "--site", town[CITY].site, "--items", ours, "--check")
    assert "检查通过，尚未公布" in told
    assert "还没有收到目录" in liandong("catalogue", "show", "--site", town[CITY].site)
    assert "第 1 版" in town.publish()
    assert "与第 1 版相同" in town.publish()
    assert "第 1 版，109 个事项" in liandong("catalogue", "show", "--site", town[CITY].site)


def test_a_password_is_never_an_argument_and_a_weak_one_is_refused(tmp_path: Path) -> None:
    out = provisioned(DIVISIONS, tmp_path / "out")
    site = out / "sites" / VILLAGE
    words = ["user", "add", "--site", site, "--login", "keeper", "--name", "王芳", "--staff-no", "C-09"]
    told = liandong(*words, typed="short\n", fails=True)
    assert "至少 10 个字符" in told
    assert "No such option" in liandong(*words, "--password", "Ping-Luo-2026", fails=True)
    program(*words, typed="Ping-Luo-2026\n")
    assert "keeper\t王芳\tC-09\t管理员" in liandong("user", "list", "--site", site)
    liandong("user", "password", "--site", site, "keeper", typed="Ping-Luo-2027\n")


def test_the_doctor_names_what_is_wrong(tmp_path: Path) -> None:
    out = provisioned(DIVISIONS, tmp_path / "out", embedded_hub(CITY, 1) + embedded_hub(COUNTY, 2))
    site = out / "sites" / VILLAGE
    told = liandong("doctor", "--site", site, fails=True)
    assert "! 数据库：还没有" in told
    assert "✗ 枢纽" in told
    (site / "keys.json").chmod(0o644)
    (site / "chain.ndjson").rename(site / "chain.away")
    told = liandong("doctor", "--site", site, fails=True)
    assert "缺少 chain.ndjson" in told
    assert f"chmod 600 {site / 'keys.json'}" in told
    (site / "chain.away").rename(site / "chain.ndjson")
    shutil.copy(out / "sites" / TOWN / "keys.json", site / "keys.json")
    found = json.loads(liandong("doctor", "--site", site, "--json", fails=True))
    assert any("不配" in one["words"] for one in found)
