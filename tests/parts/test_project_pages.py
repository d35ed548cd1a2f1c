"""代办项目 and 服务方式 as people use them: one project, one named person; how a case is served, noted as it is filed."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from node.agency import views
from node.cases import actions
from tests.databases import Databases
from tests.desks import Desks, Window
from tests.federation import AGENT, divisions, form, part_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
COUNTY = "640221000000"
NUMBER = "2026-640221-13-01-583201"
PROJECT = {
    "number": NUMBER,
    "name": "羊肉加工厂",
    "investor": "某食品公司",
    "person": "T-clerk",
    "green": "yes",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desks(databases: Databases) -> AsyncIterator[Desks]:
    found = await Desks.open(part_of(divisions()), databases)
    yield found
    await found.city.close()


def village_of(desks: Desks) -> str:
    roster = desks.city.roster
    return next(place.code for place in roster if not roster.children(place.code))


async def posted(window: Window, path: str, fields: dict[str, object], status: int = 303) -> str:
    answer = await window.submit(path, fields)
    assert answer.status_code == status, answer.text
    return answer.text


async def test_a_project_from_registration_to_its_end(desks: Desks) -> None:
    village = village_of(desks)
    no = await desks.city[village].do(actions.file_case, AGENT, form("SZS-019"))
    await desks.city.settle()
    at = f"/projects/{NUMBER}"
    async with desks.at(COUNTY, "clerk") as clerk:
        await posted(clerk, "/projects", PROJECT)
        assert "某经办人（T-clerk）" in (await clerk.get("/projects")).text
        again = await posted(clerk, "/projects", {**PROJECT, "name": "另一个"}, 422)
        assert "已登记" in again
        assert 'value="另一个"' in again
        assert "没有工号 T-x" in await posted(clerk, "/projects", {**PROJECT, "person": "T-x"}, 422)
        assert "项目编号只能" in await posted(clerk, "/projects", {**PROJECT, "number": "a/b"}, 422)
        assert "没有这件办件" in await posted(clerk, f"{at}/case", {"no": "12345"}, 422)
        await posted(clerk, f"{at}/case", {"no": f" {no[:12]} {no[12:]} "})
        assert "已属于项目" in await posted(clerk, f"{at}/case", {"no": no}, 422)
        assert no in (await clerk.get(at)).text
        assert "羊肉加工厂" in (await clerk.get(f"/cases/{no}")).text
        assert "还有 1 件办件未办结" in await posted(clerk, f"{at}/close", {}, 409)
        await posted(clerk, f"{at}/person", {"person": "T-chief"})
        assert "某首席代表（T-chief）" in (await clerk.get(at)).text
    assert desks.city[COUNTY].read(views.project, NUMBER).closed_on is None


async def test_an_empty_project_can_end_and_then_takes_nothing_more(desks: Desks) -> None:
    async with desks.at(COUNTY, "clerk") as clerk:
        await posted(clerk, "/projects", {**PROJECT, "number": "B-1"})
        await posted(clerk, "/projects/B-1/close", {})
        assert "已办结" in (await clerk.get("/projects?tab=over")).text
        assert "归入办件" not in (await clerk.get("/projects/B-1")).text
        await posted(clerk, "/projects/B-1/person", {"person": "T-chief"}, 404)
    async with desks.at(COUNTY, "auditor") as auditor:
        assert "登记项目" not in (await auditor.get("/projects")).text
        await posted(auditor, "/projects", {**PROJECT, "number": "B-2"}, 403)


async def test_how_a_case_is_served_is_noted_as_it_is_filed(desks: Desks) -> None:
    village = village_of(desks)
    filled = {
        "step": "2", "name": "王小明", "id_type": "111", "id_no": "640221197001010010", "phone": "13895021234",
        "entrust_scope": "交件", "entrust_until": "2027-12-31", "entrusted": "yes", "serve": ["绿色通道", "上门"],
        "serve_at": "3月4日，三组",
    }  # fmt: skip
    async with desks.at(village, "agent") as agent:
        draft = "11111111-1111-7111-8111-111111111111"
        await posted(agent, "/file", {"step": "1", "item": "SZS-001", "draft": draft, "go": "next"}, 200)
        page = await posted(agent, "/file", {**filled, "draft": draft}, 422)
        assert "绿色通道须指定专人" in page
        await posted(agent, "/file", {**filled, "draft": draft, "serve_person": "T-agent"}, 200)
        papers = list(form("SZS-001").materials)
        page = await posted(agent, "/file", {"step": "3", "draft": draft, "material": papers}, 200)
        assert "绿色通道、上门" in page or "上门、绿色通道" in page
        answer = await agent.submit("/file", {"step": "4", "draft": draft, "again": "另一件"})
        assert answer.status_code == 303, answer.text
        no = answer.headers["location"].split("/")[2]
        await desks.city.settle()
        seen = (await agent.get("/cases?box=all")).text
        assert '<span class="tag calm">绿色通道</span>' in seen
    township = desks.city.roster[village].parent
    async with desks.at(str(township), "clerk") as clerk:
        page = (await clerk.get(f"/cases/{no}")).text
        assert "绿色通道（专人 T-agent，3月4日，三组）" in page
        assert "上门（3月4日，三组）" in page
