"""The case page tells an officer what he must know, offers only what makes sense now, and says what was done."""

import re
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
import pytest_asyncio

from node.agency import actions as agency
from node.agency import entrusted
from node.cases import actions, views
from node.errors import Conflict
from node.fees import actions as fees
from node.fees.actions import Charge
from tests.databases import Databases
from tests.desks import Desks, Window
from tests.federation import AGENT, CHIEF, CLERK, REVIEWER, divisions, part_of, real_items

pytestmark = pytest.mark.asyncio(loop_scope="module")
CITY, COUNTY = "640200000000", "640221000000"
SOFTENED, STRICT = "SZS-001", "SZS-019"
"""An item whose papers may partly follow later, and one that wants them all."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desks(databases: Databases) -> AsyncIterator[Desks]:
    found = await Desks.open(part_of(divisions(), townships=1, villages=1), databases)
    yield found
    await found.city.close()


async def text(window: Window, path: str) -> str:
    """What a page says, without its marks."""
    answer = await window.get(path)
    assert answer.status_code == 200, answer.text
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


async def buttons(window: Window, no: str) -> list[str]:
    """The keys of the acts offered, in their order."""
    return re.findall(r'id="do-([\w-]+)"', (await window.get(f"/cases/{no}")).text)


def main_one(page: str) -> list[str]:
    """What the main buttons among the acts say."""
    return re.findall(r'<(?:summary|a|button) class="b main" [^>]*data-key-label="([^"]+)"', page)


async def test_every_act_says_what_was_done(desks: Desks) -> None:
    acts = [act for capability in desks.city[COUNTY].capabilities for act in capability.acts]
    assert {"mark", "hand-papers", "hold-money", "deposit", "bill", "joint"} <= {act.key for act in acts}
    assert [act.key for act in acts if not act.done] == []
    no = await desks.filed()
    async with desks.at(desks.village, "agent") as agent:
        sent = await agent.submit(f"/cases/{no}/mark", {"mark": "上门"})
        assert "服务方式已登记" in await text(agent, sent.headers["location"])


async def test_whoever_decides_is_told_that_the_reviewer_is_against_it(desks: Desks) -> None:
    for opinion, main in (("同意", ["准予"]), ("不同意", [])):
        no = await desks.filed()
        await desks.city[COUNTY].do(actions.accept, CLERK, no)
        await desks.city[COUNTY].do(actions.review, REVIEWER, no, opinion, "社保关系不在本县")
        async with desks.at(COUNTY, "chief") as chief:
            page = (await chief.get(f"/cases/{no}")).text
        (note,) = re.findall(
            r'<div class="note (\w+)"[^>]*>(?:(?!</div>).)*审查意见：(.*?)</span>', page, re.DOTALL
        )
        assert note[0] == ("calm" if main else "warn")
        assert note[1].startswith(f"{opinion}（")
        assert note[1].endswith("社保关系不在本县")
        assert main_one(page) == main
        await desks.city[COUNTY].do(actions.decide, CHIEF, no, "granted", "")
        await desks.city.settle()


async def test_an_act_is_not_asked_for_what_there_is_nothing_to_choose_from(desks: Desks) -> None:
    async with desks.at(COUNTY, "clerk") as clerk:
        strict = await text(clerk, f"/cases/{await desks.filed(STRICT)}")
        assert "容缺" not in strict
        assert "补齐日期" not in strict
    township = desks.city.roster.children(COUNTY)[0].code
    async with desks.at(township, "clerk") as clerk:
        soft = await text(clerk, f"/cases/{await desks.filed(SOFTENED)}")
    assert "容缺：可以后补的材料" in soft
    assert "补齐日期" in soft


async def test_a_clerk_is_told_to_take_a_case_before_he_has_it_corrected(desks: Desks) -> None:
    no = await desks.filed()
    async with desks.at(COUNTY, "clerk") as clerk:
        assert "return" not in await buttons(clerk, no)
        assert "请先签收，签收后可以一次性告知补正" in await text(clerk, f"/cases/{no}")
        await clerk.submit(f"/cases/{no}/take")
        assert "return" in await buttons(clerk, no)
        assert "请先签收" not in await text(clerk, f"/cases/{no}")


# The agent's acts


async def test_an_agency_is_taken_up_again_only_after_it_was_stopped(desks: Desks) -> None:
    village, no = desks.city[desks.village], await desks.filed()
    async with desks.at(village.place, "agent") as agent:
        offered = await buttons(agent, no)
        assert not {"agency-resume", "hold-money", "deposit", "agency-finish"} & set(offered)
        assert {"agency-stop", "mark", "hand-papers"} <= set(offered)
        assert offered[0] not in ("withdraw", "agency-stop"), "what ends it is not the first to be pressed"
        with pytest.raises(Conflict, match="不需要续办"):
            await village.do(agency.resume, AGENT, no, date(2026, 12, 31))
        await village.do(agency.hand_over, AGENT, no, 3, "clerk")
        assert "hand-papers" not in await buttons(agent, no)
        await village.do(agency.stop, AGENT, no, "委托人撤回委托", "本人来取")
        assert {"agency-stop", "agency-resume"} <= set(await buttons(agent, no))
        await village.do(agency.resume, AGENT, no, date(2026, 12, 31))
        await village.do(agency.stop, AGENT, no, "委托人撤回委托", "不再委托", final=True)
        assert not {"agency-stop", "agency-resume"} & set(await buttons(agent, no))
        with pytest.raises(Conflict, match="已终止"):
            await village.do(agency.stop, AGENT, no, "政策变化", "再次", final=True)


async def test_money_is_held_for_a_bill_and_paid_in_by_its_receipt(databases: Databases) -> None:
    desks = await Desks.open(part_of(divisions(), townships=1, villages=1), databases)
    items, deeds = real_items()
    fee = next(one for one in items if one.id == "SZS-048").fee
    charged = tuple(one.model_copy(update={"fee": fee, "version": 2}) for one in items if one.id == STRICT)
    await desks.city.publish(2, charged, tuple(one for one in deeds if one.item == STRICT))
    village = desks.city[desks.village]
    unasked = await desks.filed()
    no = await desks.filed(entrust_scope=("交件", "缴费"))
    for one in (unasked, no):
        await desks.city[COUNTY].do(actions.accept, CLERK, one)
    async with desks.at(village.place, "agent") as agent:
        assert "hold-money" not in await buttons(agent, no), "there is no bill yet"
        (_, bill) = [
            await desks.city[COUNTY].do(fees.bill, CLERK, one, Charge("住宅80元/件")) for one in (unasked, no)
        ]
        await desks.city.settle()
        assert "hold-money" not in await buttons(agent, unasked), "payment was not entrusted"
        assert "hold-money" in await buttons(agent, no)
        assert "deposit" not in await buttons(agent, no)
        await agent.submit(f"/cases/{no}/hold-money", {"bill": bill, "amount": "80"})
        (receipt,) = village.read(entrusted.of_case, no).held
        assert {"deposit"} == {"deposit", "hold-money"} & set(await buttons(agent, no))
        wrong = await agent.submit(f"/cases/{no}/deposit", {"receipt": "", "reference": "YH-20260302"})
        assert wrong.status_code == 422
        assert "没有未缴存的收据" in wrong.text
        assert 'value="YH-20260302"' in wrong.text, "what was written is still there"
        await agent.submit(f"/cases/{no}/deposit", {"receipt": receipt, "reference": "YH-20260302"})
        assert "deposit" not in await buttons(agent, no)
    await desks.city.close()


async def test_what_is_not_found_comes_back_as_a_form(desks: Desks) -> None:
    no = await desks.filed()
    async with desks.at(COUNTY, "chief") as chief:
        answer = await chief.submit(f"/cases/{no}/second", {"proposal": "nothing", "verdict": "批准"})
        assert answer.status_code == 404
        assert no in answer.text
        assert 'class="err' not in answer.text
        assert (await chief.submit("/cases/nothing/second", {"proposal": "x"})).status_code == 404


async def test_a_page_is_of_one_moment_though_a_step_comes_while_it_is_drawn(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    no = await desks.filed()
    county = desks.city[COUNTY]
    read, looks = county.read, []

    def meanwhile(action: Any, *args: Any, **more: Any) -> Any:
        """The county accepts the case just after a page has begun to look at it."""
        found = read(action, *args, **more)
        if action is views.one and not looks:
            looks.append(no)
            county.do_now(actions.accept, CLERK, no)
        return found

    async with desks.at(COUNTY, "clerk") as clerk:
        monkeypatch.setattr(county, "read", meanwhile)
        page = await clerk.get(f"/cases/{no}")
        assert looks == [no]
        assert "受理通知书" in page.text
        assert "do-accept" not in page.text
