"""A form that was begun is found again by whoever began it, by nobody else, and not for ever."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from node.desk import drafts
from node.materials import retention
from node.materials.rules import MaterialRules
from protocol.identity import mask_name
from tests.databases import Databases
from tests.desks import Desks
from tests.federation import divisions, part_of

COUNTY = "640221000000"
MASKED = mask_name("王小明")
WRITTEN = {"name": "王小明", "phone": "13895021234", "id_type": "111", "id_no": "640221197001010010"}


@pytest.fixture
async def desks(databases: Databases) -> AsyncIterator[Desks]:
    found = await Desks.open(part_of(divisions(), townships=1, villages=1), databases)
    yield found
    await found.city.close()


def name_in(page: httpx.Response) -> str:
    found = re.search(r'name="draft" value="([^"]+)"', page.text)
    assert found is not None
    return found[1]


async def test_a_draft_is_offered_again_goes_on_and_can_be_thrown_away(desks: Desks) -> None:
    async with desks.at(COUNTY, "clerk") as clerk, desks.at(COUNTY, "reviewer") as other:
        name = name_in(await clerk.submit("/file", {"step": "1", "item": "SZS-019", "go": "next"}))
        saved = await clerk.submit("/file", {"draft": name, "step": "2", **WRITTEN, "go": "save"})
        assert saved.headers["location"] == f"/file?draft={name}&step=2"
        assert "1 份暂存" in (await clerk.get("/")).text
        listed = (await clerk.get("/file")).text
        assert MASKED in listed
        assert "王小明" not in listed
        assert 'value="王小明"' in (await clerk.get(f"/file?draft={name}&step=2")).text
        for path in ("/", "/file", f"/file?draft={name}&step=2"):
            assert "王" not in (await other.get(path)).text
        await other.submit("/file/drop", {"draft": name})
        assert MASKED in (await clerk.get("/file")).text
        await clerk.submit("/file/drop", {"draft": name})
        assert MASKED not in (await clerk.get("/file")).text


async def test_whoever_knows_its_name_cannot_write_into_anothers_draft(desks: Desks) -> None:
    async with desks.at(COUNTY, "clerk") as clerk, desks.at(COUNTY, "reviewer") as other:
        name = name_in(await clerk.submit("/file", {"step": "1", "item": "SZS-019", "go": "next"}))
        await clerk.submit("/file", {"draft": name, "step": "2", **WRITTEN, "go": "save"})
        taken = await other.submit("/file", {"draft": name, "step": "1", "item": "SZS-020", "go": "next"})
        assert name_in(taken) != name
        assert 'value="王小明"' in (await clerk.get(f"/file?draft={name}&step=2")).text


async def test_the_entrustment_is_printed_before_it_is_signed_and_filed(desks: Desks) -> None:
    village = desks.city.roster.children(desks.city.roster.children(COUNTY)[0].code)[0].code
    async with desks.at(village, "agent") as agent, desks.at(village, "clerk") as clerk:
        page = await agent.submit("/file", {"step": "1", "item": "SZS-019", "go": "next"})
        assert "打印委托书" in page.text
        form = {"draft": name_in(page), "step": "2", **WRITTEN, "entrust_scope": "交件", "go": "print"}
        printed = await agent.get((await agent.submit("/file", form)).headers["location"])
        for words in ("代办委托书", "王小明", "社会保障卡", "交件", "至 ＿＿", "签名"):
            assert words in printed.text
        assert (await clerk.get(f"/file/entrustment?draft={form['draft']}")).status_code == 404


async def test_who_may_not_file_is_told_before_he_has_written(desks: Desks) -> None:
    async with desks.at(COUNTY, "admin") as admin:
        assert "/file" not in (await admin.get("/")).text
        assert (await admin.get("/file")).status_code == 403


async def test_a_draft_left_lying_is_deleted_with_its_files(desks: Desks) -> None:
    node, rules = desks.city[COUNTY], MaterialRules()
    draft = drafts.Draft("left-lying", "SZS-019", dict(WRITTEN))
    await node.do(drafts.keep, draft, 1)
    for days, left in ((rules.draft_days, 1), (1, 0)):
        desks.city.now += timedelta(days=days)
        await node.do(retention.clear_drafts, rules)
        assert len(node.read(drafts.unfinished, 1)) == left
