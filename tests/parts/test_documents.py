"""Documents are drawn from the signed steps, numbered once, and marked when printed again."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from node.accounts.roles import Role
from node.cases import actions, courses
from node.documents import issue
from node.documents.kinds import KINDS
from node.errors import NotFound
from node.joint import actions as joint
from node.work import civil_date
from tests.databases import Databases
from tests.federation import AGENT, CLERK, Federation, divisions, form, officer, part_of
from tests.handled import issued

COUNTY = "640221000000"


@pytest.fixture
async def city(databases: Databases) -> AsyncIterator[Federation]:
    found = await Federation(part_of(divisions()), databases).open()
    yield found
    await found.close()


def village_of(city: Federation) -> str:
    township = city.roster.children(COUNTY)[0]
    return city.roster.children(township.code)[0].code


async def homestead(city: Federation) -> tuple[str, str]:
    """A case for a joint handling, and the township that has accepted it."""
    township = city.roster.children(COUNTY)[0].code
    no = await city[village_of(city)].do(actions.file_case, AGENT, form("SZS-052"))
    await city.settle()
    await city[township].do(actions.accept, CLERK, no)
    return no, township


def kinds(city: Federation, place: str, no: str) -> list[str]:
    node = city[place]
    return [kind.id for kind in issue.offered(node.read(issue.subject_of, node.know, no))]


async def test_a_document_exists_once_its_step_is_said_and_keeps_its_number(city: Federation) -> None:
    village = village_of(city)
    no = await city[village].do(actions.file_case, AGENT, form("SZS-019"))
    await city.settle()
    assert kinds(city, village, no) == ["D01", "D11", "D12", "D14"]
    assert "D02" not in kinds(city, COUNTY, no)

    await city[COUNTY].do(actions.accept, CLERK, no)
    await city.settle()
    assert "D02" in kinds(city, COUNTY, no)
    assert await city[COUNTY].do(issue.print_document, CLERK, no, "D02") == 0
    first = issued(city[COUNTY], no)["D02"]
    assert first.number == "石平受字〔2026〕00001号"
    assert await city[COUNTY].do(issue.print_document, CLERK, no, "D02") == 1
    again = issued(city[COUNTY], no)["D02"]
    assert (again.number, again.prints) == (first.number, 2)


async def test_what_the_acceptance_says_is_what_was_signed(city: Federation) -> None:
    village = village_of(city)
    no = await city[village].do(actions.file_case, AGENT, form("SZS-019"))
    await city.settle()
    await city[COUNTY].do(actions.accept, CLERK, no)
    node = city[COUNTY]
    subject = node.read(issue.subject_of, node.know, no)
    sheet = issue.content(subject, next(kind for kind in issue.offered(subject) if kind.id == "D02"))
    assert sheet.to == "王小明"
    assert ("承诺办结日", "2026年3月16日") in sheet.facts


async def test_no_document_without_its_step_and_none_at_a_supervisor(city: Federation) -> None:
    village = village_of(city)
    no = await city[village].do(actions.file_case, AGENT, form("SZS-019"))
    await city.settle()
    with pytest.raises(NotFound):
        await city[village].do(issue.print_document, AGENT, no, "D07")
    with pytest.raises(NotFound, match="不是本件的办理方"):
        await city[city.roster.city.code].do(issue.print_document, CLERK, no, "D01")


async def test_the_village_prints_the_number_that_the_issuer_gave(city: Federation) -> None:
    village = village_of(city)
    no = await city[village].do(actions.file_case, AGENT, form("SZS-019"))
    await city.settle()
    await city[COUNTY].do(actions.accept, CLERK, no)
    await city.settle()
    node = city[village]
    subject = node.read(issue.subject_of, node.know, no)
    kind = KINDS["D02"]
    assert (made := kind.made_by(subject)) is not None
    assert made.frm == COUNTY
    assert issue.number_of(subject, kind, None) == "石平受字〔2026〕00001号"
    for before in (0, 1):
        assert await node.do(issue.print_document, AGENT, no, "D02") == before
    row = issued(node, no)["D02"]
    assert (row.number, row.serial, row.prints) == ("石平受字〔2026〕00001号", None, 2)
    await node.do(issue.print_document, AGENT, no, "D01")
    assert issued(node, no)["D01"].serial == 1


async def test_joint_handling_has_its_notice_opinions_and_minutes(city: Federation) -> None:
    no, township = await homestead(city)
    node, county = city[township], city[COUNTY]
    n = await node.do(joint.open_joint, CLERK, no, "rural-house")
    await city.settle()
    land = replace(officer("land", Role.REVIEWER), department="ZR")
    await county.do(joint.answer, land, no, n, "用地", "同意但需转报", "占用林地", "市自然资源局")
    today = civil_date(city.now)
    agreed = ["一层半", "水务局缺席"]
    await node.do(joint.record_minutes, CLERK, no, "联审会议", today, ["用地", "建房"], agreed)
    await city.settle()
    subject = node.read(issue.subject_of, node.know, no)
    offered = {kind.id: kind for kind in issue.offered(subject)}
    assert {"D15", "D16-1", "D17-1"} <= set(offered)
    assert "D16-2" not in offered
    notice = issue.content(subject, offered["D15"])
    assert [row[1] for row in notice.rows] == ["自然资源局", "住房和城乡建设局", "水务局"]
    answer = issue.content(subject, offered["D16-1"])
    assert "意见：同意但需转报" in answer.paragraphs
    assert "理由：占用林地" in answer.paragraphs
    assert offered["D16-1"].title(subject) == "协办意见回复单（自然资源局）"
    assert (made := offered["D16-1"].made_by(subject)) is not None
    assert made.frm == COUNTY
    minutes = issue.content(subject, offered["D17-1"])
    assert "2. 水务局缺席" in minutes.paragraphs
    assert ("缺席", "平罗县水务局") in minutes.facts


async def test_the_lead_prints_an_opinion_and_the_assist_the_minutes_with_their_issuers_number(
    city: Federation,
) -> None:
    numbers = []
    for _ in range(2):
        no, township = await homestead(city)
        node, county = city[township], city[COUNTY]
        n = await node.do(joint.open_joint, CLERK, no, "rural-house")
        await city.settle()
        land = replace(officer("land", Role.REVIEWER), department="ZR")
        await county.do(joint.answer, land, no, n, "用地", "同意")
        await node.do(
            joint.record_minutes, CLERK, no, "联审会议", civil_date(city.now), ["用地"], ["同意选址"]
        )
        await city.settle()
        found = {}
        for place in (node, county):
            for kind in ("D16-1", "D17-1"):
                await place.do(issue.print_document, CLERK, no, kind)
                found[place.place, kind] = issued(place, no)[kind]
        for kind, issuer in (("D16-1", COUNTY), ("D17-1", township)):
            mine = found[issuer, kind]
            (copy,) = (row for key, row in found.items() if key[1] == kind and key[0] != issuer)
            assert mine.number == copy.number != ""
            assert (copy.serial, mine.serial) == (None, len(numbers) // 2 + 1)
            numbers.append(mine.number)
    assert len(set(numbers)) == 4


async def test_a_corrected_opinion_keeps_its_number_and_numbers_no_other_document(
    city: Federation,
) -> None:
    no, township = await homestead(city)
    node, county = city[township], city[COUNTY]
    n = await node.do(joint.open_joint, CLERK, no, "rural-house")
    await city.settle()
    land = replace(officer("land", Role.REVIEWER), department="ZR")
    await county.do(joint.answer, land, no, n, "用地", "同意")
    await county.do(joint.answer, land, no, n, "用地", "不同意", "占用基本农田", correct=True)
    await city.settle()
    subject = node.read(issue.subject_of, node.know, no)
    kind = next(one for one in issue.offered(subject) if one.id == "D16-1")
    assert "意见：不同意" in issue.content(subject, kind).paragraphs
    number = issue.number_of(subject, kind, None)
    assert number == "石平协字〔2026〕00001号"
    said = [one for one in subject.events if one.kind == "joint.opinion"]
    assert [subject.told(one) for one in said] == [{"D16-1": number}] * 2
    others = [issue.number_of(subject, one, None) for one in issue.offered(subject) if one.id != "D16-1"]
    assert number not in others


async def test_two_departments_of_one_place_and_two_joint_handlings_share_no_number(city: Federation) -> None:
    no, township = await homestead(city)
    node, county = city[township], city[COUNTY]
    numbers: dict[str, list[str]] = {kind: [] for kind in ("D15", "D16-1", "D16-2", "D17-1")}
    for _ in range(2):
        n = await node.do(joint.open_joint, CLERK, no, "rural-house")
        await city.settle()
        for who, part in (("ZR", "用地"), ("ZJ", "建房"), ("SL", "河道")):
            reviewer = replace(officer(who, Role.REVIEWER), department=who)
            await county.do(joint.answer, reviewer, no, n, part, "同意")
        await city.settle()
        agreed = ["同意选址"]
        await node.do(joint.record_minutes, CLERK, no, "联审会议", civil_date(city.now), ["用地"], agreed)
        await node.do(joint.close_joint, CLERK, no)
        await city.settle()
        for kind, given in numbers.items():
            assert await node.do(issue.print_document, CLERK, no, kind) == 0
            given.append(issued(node, no)[kind].number)
    every = [number for given in numbers.values() for number in given]
    assert numbers["D16-1"] == ["石平协字〔2026〕00001号", "石平协字〔2026〕00004号"]
    assert numbers["D16-2"] == ["石平协字〔2026〕00002号", "石平协字〔2026〕00005号"]
    assert len(set(every)) == len(every) == 8


async def test_a_second_suspension_has_a_notice_of_its_own(city: Federation) -> None:
    village = village_of(city)
    town = city[city.roster.children(COUNTY)[0].code]
    no = await city[village].do(actions.file_case, AGENT, form("SZS-063"))
    await city.settle()
    await town.do(actions.accept, CLERK, no)
    seen = []
    for special in ("公示", "房屋安全鉴定"):
        await town.do(courses.suspend, CLERK, no, special)
        assert [await town.do(issue.print_document, CLERK, no, "D05") for _ in range(2)] == [0, 1]
        seen.append(issued(town, no)["D05"].number)
        await town.do(courses.resume, CLERK, no, special, "结束")
    assert seen == ["平城特字〔2026〕00001号", "平城特字〔2026〕00002号"]
