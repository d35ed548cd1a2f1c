"""Agency: only what was entrusted, while it was; papers in three working days; money only against a receipt."""

from collections.abc import AsyncIterator
from datetime import date

import pytest

from node.accounts.roles import Role
from node.agency import actions, entrusted, views
from node.cases import actions as cases
from node.cases import findings
from node.documents import issue
from node.errors import BadForm, Conflict, Forbidden, OnRecord
from node.fees import actions as fees
from node.fees import views as bills
from node.fees.actions import Charge
from protocol.agency import AgencyState
from tests.attack.rogue import Rogue, post, set_aside_at
from tests.databases import Databases
from tests.federation import (
    AGENT,
    CHIEF,
    CLERK,
    REVIEWER,
    Federation,
    divisions,
    form,
    officer,
    part_of,
    real_items,
)  # fmt: skip
from tests.handled import hire

CITY, COUNTY = "640200000000", "640221000000"
SECOND = officer("agent2", Role.AGENT)
DAY_S = 24 * 3600.0


@pytest.fixture
async def city(databases: Databases) -> AsyncIterator[Federation]:
    found = await Federation(part_of(divisions()), databases).open()
    yield found
    await found.close()


def village_of(city: Federation) -> str:
    return city.roster.children(city.roster.children(COUNTY)[0].code)[0].code


async def filed(city: Federation, **changes: object) -> str:
    no = await city[village_of(city)].do(cases.file_case, AGENT, form("SZS-019", **changes))
    await city.settle()
    return no


async def closed(city: Federation, **changes: object) -> str:
    no = await filed(city, **changes)
    await city[COUNTY].do(cases.accept, CLERK, no)
    await city[COUNTY].do(cases.review, REVIEWER, no, "同意", "齐全")
    await city[COUNTY].do(cases.decide, CHIEF, no, "granted", "")
    await city.settle()
    return no


def accused(city: Federation, place: str, no: str) -> list[str]:
    rows = city[place].read(findings.of_case, no)
    return [row.facts["why"] for row in rows if row.rule == "AB22"]


async def test_an_agent_fetches_only_what_was_entrusted(city: Federation) -> None:
    village, no = city[village_of(city)], await closed(city, entrust_scope=("交件",))
    with pytest.raises(Forbidden, match="不含领件或签收"):
        await village.do(cases.deliver, AGENT, no, "代办员送达", "王小明")
    await village.do(cases.deliver, AGENT, no, "现场领取", "王小明")
    other = await closed(city)
    await village.do(cases.deliver, SECOND, other, "代办员送达", "王小明")
    await city.settle()
    assert accused(city, COUNTY, other) == []


async def test_a_past_entrustment_is_renewed_before_anything_is_done(city: Federation) -> None:
    village, no = city[village_of(city)], await closed(city, entrust_until="2026-03-03")
    await city.later(3 * DAY_S)
    with pytest.raises(Forbidden, match="届满"):
        await village.do(cases.deliver, AGENT, no, "代办员送达", "王小明")
    with pytest.raises(BadForm):
        await village.do(actions.resume, AGENT, no, date(2026, 3, 3))
    await village.do(actions.resume, AGENT, no, date(2026, 12, 31))
    await village.do(cases.deliver, AGENT, no, "代办员送达", "王小明")
    await village.do(actions.finish, AGENT, no)
    await city.settle()
    assert city[COUNTY].read(entrusted.of_case, no).state is AgencyState.DONE
    kinds = [one.id for one in issue.offered(village.read(issue.subject_of, village.know, no))]
    assert {"D13", "D13-2"} <= set(kinds)


@pytest.mark.every_database
async def test_a_stopped_agency_does_nothing_until_it_is_taken_up_again(city: Federation) -> None:
    village, no = city[village_of(city)], await closed(city)
    with pytest.raises(BadForm):
        await village.do(actions.stop, AGENT, no, "没空", "原因")
    await village.do(actions.stop, AGENT, no, "委托人撤回委托", "本人来取")
    with pytest.raises(Forbidden, match="已中止"):
        await village.do(cases.deliver, AGENT, no, "代办员送达", "王小明")
    with pytest.raises(Conflict):
        await village.do(actions.stop, AGENT, no, "政策变化", "再次")
    subject = village.read(issue.subject_of, village.know, no)
    sheet = issue.content(subject, next(one for one in issue.offered(subject) if one.id == "D13-1"))
    assert any("本人来取" in line for line in sheet.paragraphs)
    await village.do(actions.stop, AGENT, no, "委托人撤回委托", "不再委托", final=True)
    with pytest.raises(Conflict):
        await village.do(actions.resume, AGENT, no, date(2026, 12, 31))


async def test_papers_are_handed_over_in_three_working_days(city: Federation) -> None:
    village = city[village_of(city)]
    in_time, late, never = await filed(city), await filed(city), await filed(city)
    await city.later(3 * DAY_S)
    await village.do(actions.look_after)
    await village.do(actions.hand_over, AGENT, in_time, 3, "clerk")
    with pytest.raises(Conflict):
        await village.do(actions.hand_over, AGENT, in_time, 3, "clerk")
    with pytest.raises(BadForm):
        await village.do(actions.hand_over, AGENT, late, 0, "clerk")
    await city.settle()
    assert [accused(city, village.place, no) for no in (in_time, late, never)] == [[], [], []]
    await city.later(DAY_S)
    await village.do(actions.hand_over, AGENT, late, 3, "clerk")
    await village.do(actions.look_after)
    await village.do(actions.look_after)
    await city.settle()
    assert [len(accused(city, village.place, no)) for no in (in_time, late, never)] == [0, 1, 1]
    assert len(accused(city, CITY, late)) == 1


async def with_fee(city: Federation, **changes: object) -> tuple[str, str]:
    """A case of an item with a fee, entrusted in a village, and its bill."""
    items, deeds = real_items()
    fee = next(one for one in items if one.id == "SZS-048").fee
    charged = tuple(
        one.model_copy(update={"fee": fee, "version": 2}) if one.id == "SZS-019" else one for one in items
    )
    await city.publish(2, charged, deeds)
    no = await filed(city, **changes)
    await city[COUNTY].do(cases.accept, CLERK, no)
    bill = await city[COUNTY].do(fees.bill, CLERK, no, Charge("住宅80元/件"))
    await city.settle()
    return no, bill


async def test_money_only_for_a_bill_against_a_receipt_and_into_the_bank_the_same_day(
    city: Federation,
) -> None:
    no, bill = await with_fee(city, entrust_scope=("交件", "缴费", "领件"))
    village = city[village_of(city)]
    assert village.read(bills.words, no, charge=True).endswith("待缴")
    for number, amount in (("", 8000), (bill, 8100), (f"{COUNTY}-2026-000099", 8000)):
        with pytest.raises(OnRecord):
            await village.do(actions.hold_money, AGENT, no, number, amount)
    assert len(accused(city, village.place, no)) == 3
    receipt = await village.do(actions.hold_money, AGENT, no, bill, 8000)
    assert receipt == f"SJ{village.place}-2026-00001"
    with pytest.raises(Conflict):
        await village.do(actions.hold_money, AGENT, no, bill, 8000)
    await city.later(DAY_S)
    await village.do(actions.look_after)
    assert "代收款项未当日缴存" in accused(city, village.place, no)
    with pytest.raises(BadForm, match="没有未缴存的收据 SJ0"):
        await village.do(actions.deposit, AGENT, no, "SJ0", "B1")
    await village.do(actions.deposit, AGENT, no, receipt, "B1")
    await city.settle()
    assert not city[COUNTY].read(entrusted.of_case, no).held


async def test_who_was_not_entrusted_with_money_takes_none(city: Federation) -> None:
    no, bill = await with_fee(city)
    with pytest.raises(Forbidden, match="不含缴费"):
        await city[village_of(city)].do(actions.hold_money, AGENT, no, bill, 8000)


async def test_special_ways_and_a_green_channel_with_its_person(city: Federation) -> None:
    village, no = city[village_of(city)], await filed(city)
    with pytest.raises(BadForm):
        await village.do(actions.mark, AGENT, no, "绿色通道")
    await village.do(actions.mark, AGENT, no, "上门", "agent", "3 月 4 日上午")
    await village.do(actions.mark, AGENT, no, "绿色通道", "agent2")
    await city.settle()
    marks = city[CITY].read(entrusted.of_case, no).marks
    assert [(one.mark, one.person) for one in marks] == [("上门", "agent"), ("绿色通道", "agent2")]


async def test_a_project_has_a_number_a_named_person_and_its_cases(city: Federation) -> None:
    village, no = city[village_of(city)], await filed(city)
    with pytest.raises(BadForm):
        await village.do(actions.open_project, AGENT, "2603-640221-04-01-1", "厂房", "某公司", "")
    with pytest.raises(BadForm, match="没有工号 agent"):
        await village.do(actions.open_project, AGENT, "2603-640221-04-01-1", "厂房", "某公司", "agent")
    hire(village, "agent")
    await village.do(actions.open_project, AGENT, "2603-640221-04-01-1", "厂房", "某公司", "agent")
    await village.do(actions.add_case, AGENT, "2603-640221-04-01-1", no)
    with pytest.raises(BadForm, match="已属于项目"):
        await village.do(actions.add_case, AGENT, "2603-640221-04-01-1", no)
    assert village.read(views.cases_of, "2603-640221-04-01-1") == [no]


async def test_nobody_speaks_for_another_station(city: Federation) -> None:
    no = await filed(city)
    rogue = Rogue(city, city.roster.children(COUNTY)[0].code)
    said = {"on": "2026-03-02", "by": "x", "no": no, "ground": "政策变化", "final": True}
    post(city, CITY, rogue.place, rogue.parcel(rogue.event("agency.stopped", said, [CITY])), "sup")
    await city.settle()
    assert "G-1" in {rule for rule, _ in set_aside_at(city, CITY).values()}
    assert city[CITY].read(entrusted.of_case, no).state is AgencyState.ACTING
