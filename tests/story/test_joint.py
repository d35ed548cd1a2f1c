"""One acceptance, copied to all: a township leads, county departments assist, one agrees, one refuses, one is silent."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date

import pytest

from node.accounts.officer import Officer
from node.accounts.roles import Role
from node.cases import actions, findings
from node.cases.dossier import dossier
from node.cases.model import to_case
from node.cases.views import one
from node.errors import Conflict, Forbidden
from node.exchange.outbox import outstanding
from node.exchange.views import aside_counts
from node.joint import actions as joint
from node.joint import standing, views
from node.materials import index
from protocol.case import Case, State
from tests.databases import Databases
from tests.federation import AGENT, CHIEF, CLERK, REVIEWER, Federation, divisions, form, officer, part_of
from tests.photos import photo
from tests.story.test_materials import opened, shown, upload

CITY, COUNTY, OTHER = "640200000000", "640221000000", "640202000000"
ITEM = "SZS-052"


def of(department: str, name: str) -> Officer:
    """An officer of a department."""
    return replace(officer(name, Role.REVIEWER), department=department)


LAND, HOUSING, WATER = of("ZR", "land"), of("ZJ", "housing"), of("SL", "water")


@pytest.fixture
async def city(databases: Databases) -> AsyncIterator[Federation]:
    found = await Federation(part_of(divisions(), counties=2, townships=2, villages=1), databases).open()
    yield found
    await found.close()


def places(city: Federation) -> tuple[str, str]:
    township = city.roster.children(COUNTY)[0]
    return city.roster.children(township.code)[0].code, township.code


def case(city: Federation, place: str, no: str) -> Case:
    return to_case(city[place].read(one, no))


async def accepted(city: Federation, **changes: object) -> tuple[str, str]:
    """(number, township) of a case that the township has accepted and decides."""
    village, township = places(city)
    no = await city[village].do(actions.file_case, AGENT, form(ITEM, **changes))
    await city.settle()
    await city[township].do(actions.accept, CLERK, no)
    await city.settle()
    return no, township


async def days(city: Federation, number: int) -> None:
    await city.later(number * 86400)


async def test_one_agrees_one_refuses_one_is_silent(city: Federation) -> None:
    no, township = await accepted(city)
    county = city[COUNTY]
    n = await city[township].do(joint.open_joint, CLERK, no, "rural-house", text="请各部门同步审查")
    await city.settle()

    # one form, shared materials, parallel start: on the county's desks, by department, with their own limits
    assert {case(city, place, no).state for place in (township, COUNTY, CITY)} == {State.JOINT}
    due = date(2026, 3, 9)
    for who in (LAND, HOUSING, WATER):
        (row,) = county.read(views.desk, COUNTY, who.department)
        assert (row.no, row.due, row.by) == (no, due, township)
    shared = county.read(dossier, county.know, no)
    assert shared is not None
    assert shared["applicant"]["name"] == "王小明"
    assert city[CITY].read(dossier, city[CITY].know, no) is None

    await county.do(joint.promise, WATER, no, n, "河道", "W-7", date(2026, 3, 6))
    await county.do(joint.answer, LAND, no, n, "用地", "同意")
    await county.do(joint.answer, HOUSING, no, n, "建房", "不同意", "屋脊高度超过村庄规划")
    await city.settle()
    with pytest.raises(Conflict, match=r"水务局.*至 2026-03-09"):
        await city[township].do(joint.close_joint, CLERK, no)

    await days(city, 8)  # Tuesday the 10th: the silent one's day has passed
    await city[township].do(joint.close_joint, CLERK, no)
    await city.settle()

    for place in (places(city)[0], township, COUNTY, CITY):
        closed = case(city, place, no)
        assert closed.state is State.ACCEPTED
        assert closed.joint is not None
        outcome = {answer.part: (answer.outcome, answer.person) for answer in closed.joint.answers}
        assert outcome == {
            "用地": ("同意", "land"),
            "建房": ("不同意", "housing"),
            "河道": ("超时默许", "W-7"),
        }
        assert all(answer.opinion for answer in closed.joint.answers if answer.part != "河道")
    (noted,) = [row for row in city[CITY].read(findings.of_case, no) if row.rule == "AB02"]
    assert (noted.place, noted.person, noted.facts["outcome"]) == (COUNTY, "W-7", "超时默许")

    # silence made no licence: two persons and an authorisation decide, and an objection is heard first
    await city[township].do(actions.review, REVIEWER, no, "同意", "材料齐全")
    with pytest.raises(Conflict, match=r"住房和城乡建设局.*会议纪要"):
        await city[township].do(actions.decide, CHIEF, no, "granted", "")
    await city[township].do(
        actions.decide, CHIEF, no, "refused", "建房高度不符合村庄规划，可在六十日内申请复议"
    )
    await city.settle()
    assert case(city, places(city)[0], no).outcome == "refused"
    assert all(node.read(outstanding) == 0 for node in city.nodes.values())


async def test_a_meeting_settles_what_one_refused_and_another_missed(city: Federation) -> None:
    no, township = await accepted(city)
    node, county = city[township], city[COUNTY]
    n = await node.do(joint.open_joint, CLERK, no, "rural-house")
    await city.settle()
    await node.do(joint.appoint_visit, CLERK, no, date(2026, 3, 4), "09:30", "村东三队")
    await city.settle()
    seen = county.read(standing.find, no, n)
    assert seen is not None
    assert seen.visit is not None
    assert seen.visit.parts == ("用地", "建房", "河道")
    assert "村东三队" in str(county.read(dossier, county.know, no))

    await county.do(joint.answer, HOUSING, no, n, "建房", "不同意", "屋脊过高")
    await county.do(joint.answer, LAND, no, n, "用地", "同意但需转报", "", "市自然资源局")
    await city.settle()
    await days(city, 2)
    agreed = ["屋脊降低半米", "三日内重报图纸"]
    await node.do(joint.record_minutes, CLERK, no, "联合踏勘", date(2026, 3, 4), ["用地", "建房"], agreed)
    await node.do(joint.close_joint, CLERK, no)
    await city.settle()

    closed = case(city, COUNTY, no).joint
    assert closed is not None
    assert {one.part: one.outcome for one in closed.answers} == {
        "用地": "同意但需转报", "建房": "不同意", "河道": "缺席默认",
    }  # fmt: skip
    (row,) = [row for row in county.read(views.parts, no, n) if row.part == "河道"]
    assert (row.absences, row.person, row.over) == (1, "水务局负责人", True)
    await node.do(actions.review, REVIEWER, no, "同意", "按纪要办理")
    await node.do(actions.decide, CHIEF, no, "granted", "")
    await city.settle()
    assert case(city, COUNTY, no).outcome == "granted"


async def test_departments_in_one_hall_and_a_node_in_another_county(city: Federation) -> None:
    no, township = await accepted(city)
    node, other = city[township], city[OTHER]
    n = await node.do(
        joint.open_joint, CLERK, no, "rural-house", {"用地": township, "建房": OTHER, "河道": CITY}
    )
    await city.settle()
    (row,) = other.read(views.desk, OTHER, "ZJ")
    assert row.by == township
    with pytest.raises(Exception, match="没有找到办件"):
        case(city, OTHER, no)  # not in the case's line: the notice is all it hears

    await node.do(joint.answer, LAND, no, n, "用地", "同意")
    await other.do(joint.answer, HOUSING, no, n, "建房", "同意")
    await city[CITY].do(joint.answer, WATER, no, n, "河道", "同意")
    await city.settle()
    await node.do(joint.close_joint, CLERK, no)
    await city.settle()
    (row,) = other.read(views.desk, OTHER, "ZJ", "over")
    assert (row.outcome, row.person, row.late) == ("同意", "housing", False)
    with pytest.raises(Conflict, match="已结束"):
        await other.do(joint.answer, HOUSING, no, n, "建房", "不同意", "改主意了", correct=True)
    assert case(city, CITY, no).state is State.ACCEPTED
    assert all(found.read(outstanding) == 0 for found in city.nodes.values())


async def test_an_invitation_about_a_village_not_heard_of_yet_waits_for_it(city: Federation) -> None:
    village, _ = places(city)
    await city.unaware(OTHER, village)
    no, township = await accepted(city)
    n = await city[township].do(
        joint.open_joint, CLERK, no, "rural-house", {"用地": township, "建房": OTHER, "河道": CITY}
    )
    await city.settle()
    set_aside = city[OTHER].read(aside_counts)
    assert (set_aside["quarantined"], set_aside["waiting"]) == (0, 1)
    assert not city[OTHER].read(views.desk, OTHER, "ZJ")

    await city.aware(OTHER)
    await city[township].do(joint.answer, LAND, no, n, "用地", "同意")
    await city[OTHER].do(joint.answer, HOUSING, no, n, "建房", "同意")
    await city[CITY].do(joint.answer, WATER, no, n, "河道", "同意")
    await city.settle()
    await city[township].do(joint.close_joint, CLERK, no)
    await city.settle()
    (row,) = city[OTHER].read(views.desk, OTHER, "ZJ", "over")
    assert (row.outcome, row.person) == ("同意", "housing")
    assert not any(city[OTHER].read(aside_counts).values())
    assert all(found.read(outstanding) == 0 for found in city.nodes.values())


async def test_an_assist_outside_the_cases_line_fetches_the_photos_from_the_lead(city: Federation) -> None:
    village, township = places(city)
    material = form(ITEM).materials[0]
    await upload(city[village], "draft-0001", material, photo(seed=11))
    no, _ = await accepted(city, draft="draft-0001")
    city.line(village).away = True
    await city[township].do(joint.open_joint, CLERK, no, "rural-house", {"建房": OTHER})
    await city.settle()
    assert city[OTHER].read(index.sources, OTHER, no) == [township, village]
    for place in (COUNTY, OTHER):
        (file,) = shown(city[place], no).files
        assert file.state == "here"
        assert opened(city[place], no, file.entry.sha256).startswith(b"\xff\xd8\xff")
    with pytest.raises(Forbidden):
        shown(city[CITY], no)


async def test_an_answer_on_the_way_when_the_lead_closes(city: Federation) -> None:
    no, township = await accepted(city)
    node, county = city[township], city[COUNTY]
    n = await node.do(joint.open_joint, CLERK, no, "rural-house")
    await city.settle()
    for who, part in ((HOUSING, "建房"), (WATER, "河道")):
        await county.do(joint.answer, who, no, n, part, "同意")
    await city.settle()
    city.line(township).away = True
    await county.do(joint.answer, LAND, no, n, "用地", "不同意", "占用基本农田")
    await days(city, 8)
    await node.do(joint.close_joint, CLERK, no)
    city.line(township).away = False
    await city.hello(township)
    await days(city, 1)

    # the record stands as the lead had to make it; the answer is kept, in time, beside it
    (row,) = [row for row in node.read(views.parts, no, n) if row.part == "用地"]
    assert (row.outcome, row.opinion, row.answered_on) == ("超时默许", "不同意", date(2026, 3, 2))
    (tally,) = [one for one in node.read(views.tallies, date(2026, 3, 1), date(2026, 3, 31), city.now.date())
                if one.department == "ZR"]  # fmt: skip
    assert (tally.due, tally.on_time, tally.silent, tally.on_time_percent) == (1, 1, 1, 10000)


async def test_a_batch_of_yearly_inspection(city: Federation) -> None:
    node = city[COUNTY]
    numbers = []
    for _ in range(2):
        no = await node.do(actions.file_case, CLERK, form("SZS-100", agent=False))
        await node.do(actions.accept, CLERK, no)
        numbers.append(no)
    found = await node.do(
        joint.open_batch, CLERK, "annual-inspection", "2026 年度", [*numbers, numbers[0], "没有"]
    )
    assert found[:2] == [(no, "") for no in numbers]
    assert found[2][1] == "没有找到办件 没有"
    again = await node.do(joint.open_batch, CLERK, "annual-inspection", "2026 年度", numbers[:1])
    assert "联办中" in again[0][1]
    (batch,) = node.read(views.batches, COUNTY)
    assert (batch.batch, batch.cases, batch.closed) == ("2026 年度", 2, 0)
    for who, part in (
        (of("GA", "police"), "公安"),
        (of("YJ", "safety"), "应急"),
        (of("WJ", "health"), "卫健"),
    ):
        for row in node.read(views.desk, COUNTY, who.department):
            await node.do(joint.answer, who, row.no, row.n, part, "同意")
    await node.do(joint.close_joint, CLERK, numbers[0])
    await city.settle()
    (batch,) = node.read(views.batches, COUNTY)
    assert batch.closed == 1


async def test_the_applicant_withdraws_in_the_middle(city: Federation) -> None:
    no, township = await accepted(city)
    n = await city[township].do(joint.open_joint, CLERK, no, "rural-house", {"建房": OTHER})
    await city.settle()
    await city[places(city)[0]].do(actions.withdraw, AGENT, no, "不建了")
    await city.settle()
    assert case(city, COUNTY, no).state is State.WITHDRAWN
    for place, who, part in ((COUNTY, LAND, "用地"), (OTHER, HOUSING, "建房")):
        assert not city[place].read(views.desk, place, who.department)
        with pytest.raises(Conflict, match="已结束"):
            await city[place].do(joint.answer, who, no, n, part, "同意")


async def test_only_whoever_is_asked_answers(city: Federation) -> None:
    no, township = await accepted(city)
    n = await city[township].do(joint.open_joint, CLERK, no, "rural-house")
    await city.settle()
    with pytest.raises(Forbidden, match="不属于该部门"):
        await city[COUNTY].do(joint.answer, HOUSING, no, n, "用地", "同意")
    with pytest.raises(Forbidden, match="不属于该部门"):
        await city[COUNTY].do(joint.answer, CLERK, no, n, "用地", "同意")
    with pytest.raises(Exception, match="没有这项协办"):
        await city[CITY].do(joint.answer, LAND, no, n, "用地", "同意")
