"""Whoever sent photos sees on his pages, and over the API, how many have come: by the receiver's word, file by file."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from node.cases import actions
from node.node import Node
from tests.databases import Databases
from tests.desks import Desks
from tests.federation import AGENT, divisions, form, part_of
from tests.story.test_materials import bulk, names

pytestmark = pytest.mark.asyncio(loop_scope="module")
ITEM = "SZS-001"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desks(databases: Databases) -> AsyncIterator[Desks]:
    found = await Desks.open(part_of(divisions()), databases)
    yield found
    await found.city.close()


def full_disk(node: Node, free_min: int) -> None:
    """The node again, with a rule by which its disk has room for materials or has not."""
    node.config = replace(node.config, materials=replace(node.config.materials, free_min=free_min))
    node.parts.pop("materials", None)


async def test_the_list_of_acts_and_the_case_page_tell_how_many_have_come(desks: Desks) -> None:
    city = desks.city
    village = next(place.code for place in city.roster if not city.roster.children(place.code))
    township = city.roster[village].parent or village
    for number in range(3):
        bulk(city[village], "draft-0001", names()[0], bytes([number]) * 50_000)
    full_disk(city[township], 2**60)
    no = await city[village].do(actions.file_case, AGENT, form(ITEM, draft="draft-0001"))
    await city.settle()
    async with desks.at(village, "agent") as agent:
        for address in ("/line", "/live/acts", f"/cases/{no}", f"/live/cases/{no}?part=materials"):
            shown = (await agent.get(address)).text
            assert "材料已到 0 / 3 份" in shown, address
        line = (await agent.get("/line")).text
        assert "材料在路上 1" in line
        assert "已办理" in line, "the step itself has long been applied"
        (told,) = (await agent.get("/api/line")).json()["materials"]
        assert (told["no"], told["place"], told["here"], told["total"]) == (no, township, 0, 3)

        full_disk(city[township], 0)
        await city.settle()
        assert "材料已到" not in (await agent.get("/line")).text, "nothing is unfinished"
        assert "材料已到 3 / 3 份" in (await agent.get("/line?tab=all")).text
        assert "材料已到 3 / 3 份" in (await agent.get(f"/cases/{no}")).text
        assert (await agent.get("/api/line")).json()["materials"] == []
