"""Taking a case in and ending it early: receipt, correction, 容缺, modes, two applications, void."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from node import proposals
from node.cases import actions, courses, deadlines
from node.errors import BadForm, Conflict, Forbidden, NodeError
from node.figures.report import declare_due
from node.powers.routes import second
from protocol.lifecycle import State
from protocol.modes import MODES, mode_of
from tests.databases import Databases
from tests.federation import AGENT, CHIEF, CLERK, REVIEWER, form
from tests.handled import COUNTY, TOWNSHIP, VILLAGE, Desk, small_city

pytestmark = pytest.mark.asyncio(loop_scope="module")

UP, COUNTYS, INSTANT, URGENT, JOINT, STRICT = (
    "SZS-001", "SZS-019", "SZS-055", "SZS-003", "SZS-052", "SZS-098",
)  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(databases: Databases) -> AsyncIterator[Desk]:
    found = Desk(await small_city(databases, UP, COUNTYS, INSTANT, URGENT, JOINT, STRICT))
    yield found
    await found.city.close()


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def monday(desk: Desk) -> None:
    await desk.next_monday()


async def test_received_after_hours_counts_from_the_next_working_day(desk: Desk) -> None:
    friday = await desk.workdays(4)
    await desk.on(friday, hour=18)
    no = await desk.accepted(COUNTYS, COUNTY)
    case = await desk.agreed(no)
    assert case.filed_on == friday
    assert case.received_on == desk.calendar.add(friday, 1).day
    assert case.accepted_on == friday


async def test_five_silent_days_accept_a_case_from_the_day_of_receipt(desk: Desk) -> None:
    taken, untaken = await desk.filed(COUNTYS), await desk.filed(COUNTYS)
    monday = desk.today
    await desk.at(COUNTY, actions.take, CLERK, taken)
    await desk.workdays(5)
    await desk.at(COUNTY, deadlines.sweep)
    assert (await desk.case(taken)).accepted_on is None
    await desk.workdays(1)
    defects = [{"material": "居民身份证", "problem": "不清"}]
    with pytest.raises(NodeError, match="即为受理"):
        await desk.at(COUNTY, actions.return_for_correction, CLERK, taken, defects)
    assert await desk.at(COUNTY, deadlines.sweep) == 2
    for no in (taken, untaken):
        case = await desk.agreed(no)
        assert (case.state, case.accepted_on) == (State.ACCEPTED, monday)
        assert case.due == desk.calendar.add(monday, 10).day
        assert "AB03" in await desk.findings(no)


async def test_correction_once_within_the_list_and_terminated_in_silence(desk: Desk) -> None:
    no = await desk.filed(UP, materials=("最低生活保障申请表",))
    await desk.at(TOWNSHIP, actions.take, CLERK, no)
    with pytest.raises(NodeError, match="应一次性告知补正"):
        await desk.at(TOWNSHIP, actions.accept, CLERK, no)
    for defects, why in (
        ([{"material": "其他材料", "problem": "请补"}], "具体"),
        ([{"material": "居民身份证", "problem": "补交相关材料"}], "具体"),
        ([{"material": "房产证", "problem": "请补房产证"}], "不得增设"),
        ([], "逐条"),
    ):
        with pytest.raises(NodeError, match=why):
            await desk.at(TOWNSHIP, actions.return_for_correction, CLERK, no, defects)
    first = [{"material": name, "problem": f"缺{name}"} for name in ("居民身份证", "居民户口簿")]
    await desk.at(TOWNSHIP, actions.return_for_correction, CLERK, no, first)
    case = await desk.agreed(no)
    assert case.state is State.CORRECTING
    assert case.reply_by is not None
    await desk.at(VILLAGE, actions.supplement, AGENT, no, ["居民身份证"], "补来了")
    case = await desk.agreed(no)
    assert case.state is State.RECEIVED
    assert "居民身份证" not in case.missing
    assert "居民户口簿" in case.missing
    with pytest.raises(NodeError, match="一次性"):
        await desk.at(TOWNSHIP, actions.return_for_correction, CLERK, no, first)
    await desk.at(TOWNSHIP, actions.send_back, CLERK, no, "补正后仍不齐全", "户口簿未补；可向业务科申诉")
    assert (await desk.agreed(no)).state is State.SENT_BACK

    silent = await desk.filed(UP, materials=("最低生活保障申请表",))
    await desk.at(TOWNSHIP, actions.take, CLERK, silent)
    await desk.at(TOWNSHIP, actions.return_for_correction, CLERK, silent, first)
    last = (await desk.agreed(silent)).reply_by
    assert last is not None
    await desk.on(last)
    await desk.at(TOWNSHIP, deadlines.sweep)
    assert (await desk.agreed(silent)).state is State.CORRECTING
    await desk.workdays(1)
    await desk.at(VILLAGE, declare_due)
    await desk.at(TOWNSHIP, deadlines.sweep)
    assert (await desk.agreed(silent)).state is State.TERMINATED


async def test_missing_papers_are_no_ground_to_refuse_acceptance(desk: Desk) -> None:
    no = await desk.filed(UP)
    await desk.at(TOWNSHIP, actions.take, CLERK, no)
    for ground, body in (("材料不齐", ""), ("", ""), ("不属于本机关职权", "")):
        with pytest.raises(BadForm):
            await desk.at(TOWNSHIP, actions.refuse_acceptance, CLERK, no, "材料不齐", ground, body)
    with pytest.raises(Conflict, match="先一次性告知"):
        await desk.at(TOWNSHIP, actions.send_back, CLERK, no, "补正后仍不齐全", "不齐")
    await desk.at(TOWNSHIP, actions.refuse_acceptance, CLERK, no, "另有机关", "不属于本机关职权", "县民政局")
    assert (await desk.agreed(no)).state is State.NOT_ACCEPTED


async def test_what_may_follow_is_named_with_a_day(desk: Desk) -> None:
    optional = "残疾、重病、就学等情况说明材料"
    no = await desk.filed(UP)
    with pytest.raises(Forbidden, match="不得容缺"):
        await desk.at(TOWNSHIP, actions.accept, CLERK, no, ("居民身份证",))
    await desk.at(TOWNSHIP, actions.accept, CLERK, no, (optional,))
    case = await desk.agreed(no)
    assert (case.pending, case.follow_up) == ((optional,), desk.calendar.add(desk.today, 10).day)
    await desk.workdays(11)
    await desk.at(TOWNSHIP, deadlines.sweep)
    assert "AB02" in await desk.findings(no, TOWNSHIP)
    await desk.sent_up(no)
    await desk.at(COUNTY, actions.review, REVIEWER, no, "同意", "符合")
    with pytest.raises(Conflict, match="容缺"):
        await desk.at(COUNTY, actions.decide, CHIEF, no, "granted", "")
    await desk.at(VILLAGE, actions.supplement, AGENT, no, [optional], "")
    assert (await desk.agreed(no)).pending == ()
    await desk.at(COUNTY, actions.decide, CHIEF, no, "granted", "")
    assert (await desk.agreed(no)).state is State.CLOSED


async def test_modes_differ_as_their_data_say(desk: Desk) -> None:
    instant = await desk.accepted(INSTANT)
    case = await desk.agreed(instant)
    assert (case.due, case.reviewer) == (desk.today, "clerk")
    await desk.at(TOWNSHIP, actions.decide, CHIEF, instant, "granted", "")
    assert (await desk.agreed(instant)).decided_on == desk.today

    urgent = await desk.filed(URGENT, materials=("临时救助申请表", "居民身份证"))
    missing = (await desk.agreed(urgent)).missing
    await desk.at(TOWNSHIP, actions.accept, CLERK, urgent, missing)
    await desk.at(TOWNSHIP, actions.review, REVIEWER, urgent, "同意", "紧急")
    await desk.at(TOWNSHIP, actions.decide, CHIEF, urgent, "granted", "")
    assert (await desk.agreed(urgent)).pending == missing

    joint = await desk.agreed(await desk.accepted(JOINT))
    assert (joint.mode, joint.route) == ("联合", "分管领导")
    assert set(MODES) == {"即办", "一般承诺", "联合", "特急", "上报", "控制"}
    assert mode_of("控制").answer is not None
    assert mode_of("上报").feedback is not None


async def test_two_slots_for_one_applicant_are_seen(desk: Desk) -> None:
    person = {"id_no": "640221197512122209", "name": "马秀英", "again": ""}
    first = await desk.filed(COUNTYS, **person)
    with pytest.raises(BadForm, match=first):
        await desk.filed(COUNTYS, **person)
    other = await desk.filed(COUNTYS, **{**person, "again": "前一件已口头撤回"})
    assert "AB05" in await desk.findings(other)
    await desk.at(COUNTY, actions.accept, CLERK, other)
    assert "AB05" in await desk.findings(other, COUNTY)


async def test_void_takes_two_and_comes_before_the_decision(desk: Desk) -> None:
    no = await desk.accepted(UP)
    with pytest.raises(BadForm):
        await desk.at(TOWNSHIP, courses.propose_void, CLERK, no, " ")
    proposal = await desk.at(TOWNSHIP, courses.propose_void, CLERK, no, "录入错误")
    with pytest.raises(Forbidden):
        await desk.at(TOWNSHIP, second, desk.city[TOWNSHIP], CLERK, proposal)
    with pytest.raises(Conflict, match="已提交"):
        await desk.at(TOWNSHIP, courses.propose_void, CLERK, no, "录入错误")
    await desk.at(TOWNSHIP, second, desk.city[TOWNSHIP], CHIEF, proposal)
    assert (await desk.agreed(no)).state is State.VOIDED
    decided = await desk.reviewed(JOINT)
    await desk.at(TOWNSHIP, actions.decide, CHIEF, decided, "granted", "", produce=True)
    assert (await desk.agreed(decided)).state is State.PRODUCING
    with pytest.raises(Conflict):
        await desk.at(TOWNSHIP, courses.propose_void, CLERK, decided, "录入错误")
    await desk.at(TOWNSHIP, actions.close, CLERK, decided, "农村宅基地批准书")
    assert (await desk.agreed(decided)).state is State.CLOSED
    assert not desk.city[TOWNSHIP].read(proposals.waiting, decided)


async def test_what_must_be_answered_the_same_day_is_noted_when_it_is_not(desk: Desk) -> None:
    no = str(await desk.at(COUNTY, actions.file_case, CLERK, form(STRICT, agent=False)))
    await desk.at(COUNTY, deadlines.sweep)
    assert "AB02" not in await desk.findings(no, COUNTY)
    await desk.workdays(1)
    await desk.at(COUNTY, deadlines.sweep)
    assert "AB02" in await desk.findings(no, COUNTY)
    await desk.at(COUNTY, actions.accept, CLERK, no)
    case = await desk.case(no, COUNTY)
    assert (case.mode, case.due) == ("控制", desk.calendar.add(desk.today, 15).day)
    assert case.due is not None
    await desk.on(desk.calendar.add(case.due, 1).day)
    await desk.at(COUNTY, deadlines.sweep)
    assert "AB01" in await desk.findings(no, COUNTY)
