"""Joint handling: which bundles may be defined, and what is refused on every road in."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import orjson
import pytest
import pytest_asyncio
from sqlalchemy import update

from node.accounts.model import User
from node.cases import actions, findings
from node.cases.dossier import dossier
from node.cases.views import one as one_case
from node.cases.views import waiting as waiting_of
from node.db import table_of
from node.errors import BadForm, Conflict, Forbidden, NodeError, NotFound, RoleMissing
from node.joint import actions as joint
from node.joint import standing, views
from node.work import Work
from protocol.bundles import LONGEST_WORKDAYS, default_bundle, ends, faults, read_bundle, read_bundles
from protocol.errors import CatalogueError
from protocol.joint_acts import JOINTS
from protocol.messages import MAY
from protocol.places import Tier
from protocol.subjects import Lane
from tests.attack.rogue import Rogue, post, set_aside_at
from tests.databases import Databases
from tests.desks import Desks
from tests.federation import AGENT, CHIEF, CLERK, ROOT, Federation, divisions, form, part_of, real_items
from tests.story.test_joint import HOUSING, LAND, WATER

pytestmark = pytest.mark.asyncio(loop_scope="module")

CITY, COUNTY = "640200000000", "640221000000"
TOWNSHIP = part_of(divisions()).children(COUNTY)[0].code
VILLAGE = part_of(divisions()).children(TOWNSHIP)[0].code


# Bundles


def bundle(*steps: tuple[str, int, tuple[str, ...]], **changes: object) -> bytes:
    """A bundles file of one bundle; each step is a department's."""
    row = {
        "id": "b",
        "name": "联办",
        "lead": {"code": "LEAD", "name": "牵头局"},
        "workdays": 20,
        "steps": [
            {
                "key": key,
                "name": key,
                "department": {"code": key, "name": key},
                "workdays": days,
                "after": after,
            }
            for key, days, after in steps
        ],
        **changes,
    }
    return orjson.dumps({"bundles": [row]})


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (bundle(("国土", 1, ("规划",)), ("规划", 1, ("建设",)), ("建设", 1, ("国土",))), "前置条件循环：国土 → 建设 → 规划 → 国土"),
        (bundle(("国土", 1, ("国土",))), "前置条件循环：国土 → 国土"),
        (bundle(("国土", 1, ("无",))), "前置“无”不存在"),
        (bundle(("国土", 1, ()), ("国土", 2, ())), "环节“国土”重复"),
        (bundle(("LEAD", 5, ())), "两个以上部门"),
        (bundle(("国土", 12, ()), ("规划", 9, ("国土",))), "最长路径 21 个工作日，超过总时限 20"),
        (bundle(("国土", 5, ()), workdays=46), "workdays"),
        (bundle(("国土", 0, ())), "workdays"),
        (bundle(("国土", 5, ()), steps=[]), "steps"),
        (b"[]", "bundles"),
        (b"{", "bundles"),
    ],
)  # fmt: skip
async def test_a_bundle_that_cannot_work_is_refused_when_it_is_defined(raw: bytes, words: str) -> None:
    with pytest.raises(CatalogueError, match=words):
        read_bundles(raw)


async def test_the_citys_bundles_work_and_the_construction_bundle_is_among_them() -> None:
    found = {one.id: one for one in read_bundles((ROOT / "data/bundles.json").read_bytes())}
    construction = found["construction"]
    assert {"国土", "规划", "园林", "人防", "地震", "建设"} <= {step.key for step in construction.steps}
    assert max(ends(construction.steps).values()) == 24 <= construction.workdays <= LONGEST_WORKDAYS
    known = {item.id for item in real_items()[0]}
    assert {item for one in found.values() for item in one.items} <= known


async def test_every_item_that_names_departments_has_a_bundle(city: Federation) -> None:
    named = [item for item in real_items()[0] if item.joint_departments]
    assert len(named) == 21
    for item in named:
        first = joint.bundles_for(city[COUNTY].know.catalogue, item.id)[0]
        assert not faults(first)
        wanted = {one.code for one in item.joint_departments}
        assert wanted & {step.department.code for step in first.steps}
        assert item.id in first.items or first.id == f"item-{item.id}"
    assert default_bundle(joint.wanted(real_items()[0][0])) is None


async def test_one_bundle_alone() -> None:
    row = orjson.loads(bundle(("国土", 5, ())))["bundles"][0]
    assert read_bundle(orjson.dumps(row)).id == "b"
    with pytest.raises(CatalogueError):
        read_bundle(b"{}")
    with pytest.raises(CatalogueError):
        read_bundle(b"{")


async def test_a_village_neither_leads_nor_assists() -> None:
    assert not MAY[Tier.VILLAGE] & {*JOINTS, "case.joint_opened", "case.joint_closed"}
    assert MAY[Tier.TOWNSHIP] >= set(JOINTS)


# The road of officers


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def city(databases: Databases) -> AsyncIterator[Federation]:
    found = await Federation(part_of(divisions(), counties=2), databases).open()
    yield found
    await found.close()


async def accepted(city: Federation) -> str:
    no = await city[VILLAGE].do(actions.file_case, AGENT, form("SZS-052"))
    await city.settle()
    await city[TOWNSHIP].do(actions.accept, CLERK, no)
    await city.settle()
    return no


async def opened(city: Federation) -> tuple[str, int]:
    no = await accepted(city)
    n = await city[TOWNSHIP].do(joint.open_joint, CLERK, no, "rural-house")
    await city.settle()
    return no, n


async def test_opening_is_refused_with_the_reason(city: Federation) -> None:
    no = await accepted(city)
    node = city[TOWNSHIP]
    with pytest.raises(BadForm, match="联办组合"):
        await node.do(joint.open_joint, CLERK, no, "construction")
    with pytest.raises(BadForm, match="不在节点名册"):
        await node.do(joint.open_joint, CLERK, no, "rural-house", {"用地": "640299000000"})
    with pytest.raises(BadForm, match="不能协办"):
        await node.do(joint.open_joint, CLERK, no, "rural-house", {"用地": VILLAGE})
    with pytest.raises(RoleMissing):
        await node.do(joint.open_joint, AGENT, no, "rural-house")
    with pytest.raises(Conflict, match="现在应由"):
        await city[COUNTY].do(joint.open_joint, CLERK, no, "rural-house")
    with pytest.raises(Conflict, match="没有正在进行的联办"):
        await node.do(joint.close_joint, CLERK, no)
    await node.do(joint.open_joint, CLERK, no, "rural-house")
    with pytest.raises(Conflict, match="联办中"):
        await node.do(joint.open_joint, CLERK, no, "rural-house")


async def test_an_assist_answers_its_own_part_once_and_corrects_it_before_the_close(city: Federation) -> None:
    no, n = await opened(city)
    node = city[COUNTY]
    refusals: tuple[tuple[type[NodeError], str, tuple[Any, ...]], ...] = (
        (Forbidden, "不属于该部门", (HOUSING, no, n, "用地", "同意")),
        (NotFound, "没有这项协办", (LAND, no, n, "审批", "同意")),
        (NotFound, "没有这项协办", (LAND, no, n + 1, "用地", "同意")),
        (BadForm, "不同意须说明理由", (LAND, no, n, "用地", "不同意", " ")),
        (BadForm, "之一", (LAND, no, n, "用地", "再研究")),
        (BadForm, "转报", (LAND, no, n, "用地", "同意但需转报")),
    )
    for kind, words, said in refusals:
        with pytest.raises(kind, match=words):
            await node.do(joint.answer, *said)
    with pytest.raises(BadForm, match="承诺日期"):
        await node.do(joint.promise, LAND, no, n, "用地", "L-1", date(2026, 3, 31))
    await node.do(joint.promise, LAND, no, n, "用地", "L-1")
    await node.do(joint.answer, LAND, no, n, "用地", "不同意", "占用耕地")
    with pytest.raises(Conflict, match="更正"):
        await node.do(joint.answer, LAND, no, n, "用地", "同意")
    await node.do(joint.answer, LAND, no, n, "用地", "同意", correct=True)
    await city.settle()
    for place in (TOWNSHIP, COUNTY, CITY):
        found = city[place].read(standing.find, no, n)
        assert found is not None
        assert {key: one.body.opinion for key, one in found.opinions.items()} == {"用地": "同意"}


async def test_a_part_waits_for_those_before_it(city: Federation) -> None:
    no = await city[COUNTY].do(actions.file_case, CLERK, form("SZS-066", agent=False))
    await city[COUNTY].do(actions.accept, CLERK, no)
    n = await city[COUNTY].do(joint.open_joint, CLERK, no, "construction")
    found = city[COUNTY].read(standing.find, no, n)
    assert found is not None
    due = {part.key: part.due for part in found.joint.terms.parts}
    assert (
        due["国土"] <= due["规划"] <= due["园林"] <= due["建设"] <= date(2026, 3, 5)
    )  # three working days promised
    planner = replace(HOUSING, department="GH")
    with pytest.raises(Conflict, match="建设用地审查"):
        await city[COUNTY].do(joint.answer, planner, no, n, "规划", "同意")
    await city[COUNTY].do(joint.answer, LAND, no, n, "国土", "同意")
    await city[COUNTY].do(joint.answer, planner, no, n, "规划", "同意")


async def test_the_leads_acts_are_checked(city: Federation) -> None:
    no, _ = await opened(city)
    node = city[TOWNSHIP]
    with pytest.raises(BadForm, match="早于今天"):
        await node.do(joint.appoint_visit, CLERK, no, date(2026, 3, 1), "09:30", "村东")
    with pytest.raises(BadForm, match="24 小时"):
        await node.do(joint.appoint_visit, CLERK, no, date(2026, 3, 4), "9点半", "村东")
    with pytest.raises(BadForm, match="没有协办环节"):
        await node.do(joint.appoint_visit, CLERK, no, date(2026, 3, 4), "09:30", "村东", ["审批"])
    with pytest.raises(Conflict, match="还没有约定"):
        await node.do(joint.record_minutes, CLERK, no, "联合踏勘", date(2026, 3, 2), [], ["一"])
    with pytest.raises(BadForm, match="议定事项"):
        await node.do(joint.record_minutes, CLERK, no, "联审会议", date(2026, 3, 2), [], [" "])
    with pytest.raises(BadForm, match="日期须在"):
        await node.do(joint.record_minutes, CLERK, no, "联审会议", date(2026, 3, 9), [], ["一"])
    with pytest.raises(BadForm, match="请选择"):
        await node.do(joint.record_minutes, CLERK, no, "碰头", date(2026, 3, 2), [], ["一"])
    with pytest.raises(Forbidden, match="牵头"):
        await city[COUNTY].do(joint.close_joint, CLERK, no)


# The road of messages


async def heard(
    city: Federation, place: str, frm: str, kind: str, body: Mapping[str, Any]
) -> tuple[str, str]:
    """What `place` does with a message signed with the true key of `frm`: (rule, reason), ("", "") if it is taken."""
    rogue = Rogue(city, frm)
    said = rogue.event(kind, {"on": "2026-03-02", "by": "rogue", **body}, [place])
    raw = orjson.dumps(said)
    before = set_aside_at(city, place)
    post(city, place, frm, rogue.parcel(raw, chain=_chain(city, frm)))
    await city[place].take(0)
    new = {name: why for name, why in set_aside_at(city, place).items() if name not in before}
    return next(iter(new.values()), ("", ""))


def _chain(city: Federation, frm: str) -> list[bytes]:
    line = [city.certificates[place.code].line for place in city.roster.line(frm)]  # type: ignore[index]
    return list(reversed(line))


async def test_what_may_not_be_said_is_refused_by_lead_and_supervisor_alike(city: Federation) -> None:
    no, n = await opened(city)
    about = {"no": no, "joint": n}
    yes = {**about, "part": "用地", "opinion": "同意"}
    other = "640202000000"
    for place in (TOWNSHIP, CITY):
        assert await heard(city, place, other, "joint.opinion", yes) == (
            "J-1", f"环节“用地和规划审查”由 {COUNTY} 自然资源局答复，不是 {other}"
        )  # fmt: skip
        rule, words = await heard(city, place, COUNTY, "joint.opinion", {**yes, "part": "审批"})
        assert (rule, "没有由协办单位答复" in words) == ("J-1", True)
        rule, _ = await heard(city, place, COUNTY, "joint.opinion", {**yes, "joint": 2})
        assert rule == "J-4"
        rule, words = await heard(
            city, place, COUNTY, "joint.minutes", {**about, "meeting": "联审会议", "held_on": "2026-03-02"}
        )
        assert (rule, "牵头" in words) == ("J-2", True)
        rule, _ = await heard(city, place, COUNTY, "joint.opinion", {**yes, "version": 0})
        assert rule == "P-14"
    for kind in ("joint.opinion", "joint.notice"):
        rule, _ = await heard(city, TOWNSHIP, VILLAGE, kind, yes)
        assert rule.startswith("P-")  # its certificate does not let a village say this
    assert not city[TOWNSHIP].read(standing.find, no, n).opinions  # type: ignore[union-attr]


async def test_a_strangers_invitation_is_refused(city: Federation) -> None:
    no, n = await opened(city)
    found = city[TOWNSHIP].read(standing.find, no, n)
    assert found is not None
    terms = found.joint.terms.model_dump(mode="json")
    notice = {"no": no, "joint": n, "item": "SZS-052", "opened_on": "2026-03-02", **terms}
    stranger = "640202000000"
    assert (await heard(city, COUNTY, stranger, "joint.notice", notice))[0] == "J-2"
    assert (await heard(city, stranger, COUNTY, "joint.notice", {**notice, "parts": []}))[0] == "P-14"
    circle = [{**part, "after": [part["key"]]} for part in terms["parts"]]
    rule, words = await heard(city, stranger, COUNTY, "joint.notice", {**notice, "parts": circle})
    assert (rule, "循环" in words) == ("J-4", True)
    changed = {**notice, "until": "2026-03-31"}
    assert (await heard(city, COUNTY, TOWNSHIP, "joint.notice", changed))[0] == "J-2"
    below = city.roster.children(stranger)[0].code
    assert (await heard(city, stranger, below, "joint.notice", notice))[0] == "J-2"
    assert not city[stranger].read(views.desk, stranger, "")


async def test_an_opinion_comes_before_what_it_answers_and_a_strangers_never_counts(city: Federation) -> None:
    no = await accepted(city)
    case = city[CITY].read(one_case, no)
    yes = {"no": no, "joint": case.n + 1, "part": "用地", "opinion": "同意"}
    for frm in (COUNTY, "640202000000"):
        assert await heard(city, CITY, frm, "joint.opinion", yes) == ("", "")
    waiting = city[CITY].read(waiting_of, no)
    assert [row.reason for row in waiting] == [f"等待办件 {no} 第 {case.n + 1} 步发起联办"] * 2
    n = await city[TOWNSHIP].do(joint.open_joint, CLERK, no, "rural-house")
    await city.settle()
    assert n == case.n + 1
    (left,) = city[CITY].read(waiting_of, no)
    assert (left.frm, left.rule) == ("640202000000", "J-1")
    found = city[CITY].read(standing.find, no, n)
    assert found is not None
    assert {key: one.frm for key, one in found.opinions.items()} == {"用地": COUNTY}


async def test_an_assist_adds_remarks_and_changes_nothing_of_the_application(city: Federation) -> None:
    no, n = await opened(city)

    def spoil(work: Work) -> None:
        body = {"on": "2026-03-02", "by": "x", "no": no, "joint": n, "part": "用地", "opinion": "同意"}
        private = {
            "applicant": {"name": "张冠李"},
            "materials": [],
            "notes": [{"what": "自然资源局协办意见：同意", "text": "可"}],
        }
        work.send("joint.opinion", body, {TOWNSHIP: Lane.CASE}, private=private, parties=[TOWNSHIP])

    await city[COUNTY].do(spoil)
    await city.settle()
    seen = city[TOWNSHIP].read(dossier, city[TOWNSHIP].know, no)
    assert seen is not None
    assert seen["applicant"]["name"] == "王小明"
    assert seen["materials"]
    assert seen["notes"][-1]["text"] == "可"


async def test_empty_words_count_as_consent_and_are_recorded_so(city: Federation) -> None:
    no, n = await opened(city)
    body = {"no": no, "joint": n, "part": "用地", "opinion": "不同意", "reasons": False}
    assert await heard(city, TOWNSHIP, COUNTY, "joint.opinion", body) == ("", "")
    assert await heard(
        city, TOWNSHIP, COUNTY, "joint.opinion", {**body, "part": "建房", "opinion": "待研究"}
    ) == ("", "")
    await city[COUNTY].do(joint.answer, WATER, no, n, "河道", "同意")
    await city.settle()
    await city[TOWNSHIP].do(joint.close_joint, CLERK, no)
    rows = city[TOWNSHIP].read(views.parts, no, n)
    assert {row.part: row.outcome for row in rows} == {"用地": "视为同意", "建房": "视为同意", "河道": "同意"}


async def test_nobody_but_the_holder_closes_and_not_with_words_nobody_signed(city: Federation) -> None:
    no, _ = await opened(city)
    case = city[TOWNSHIP].read(one_case, no)
    answers = [
        {"part": key, "outcome": "同意", "opinion": "0" * 64, "person": "x"}
        for key in ("用地", "建房", "河道")
    ]

    async def closing(frm: str, said: list[dict[str, Any]]) -> str:
        rogue = Rogue(city, frm)
        step = rogue.step("case.joint_closed", no, case.n + 1, case.head, [COUNTY, CITY], answers=said)
        raw = orjson.dumps(step)
        post(city, CITY, frm, rogue.parcel(raw, chain=_chain(city, frm)))
        before = set_aside_at(city, CITY)
        await city[CITY].take(0)
        return next((why for key, (_, why) in set_aside_at(city, CITY).items() if key not in before), "")

    assert "现在应由" in await closing(COUNTY, answers)
    assert "每个协办环节各记一次" in await closing(TOWNSHIP, answers[:2])
    assert "每个协办环节各记一次" in await closing(TOWNSHIP, [*answers[:2], answers[2] | {"part": "用地"}])
    unsigned = [{**one, "opinion": ""} for one in answers]
    assert "没有协办单位签署的意见" in await closing(TOWNSHIP, unsigned)
    silent = [{**one, "opinion": "", "outcome": "超时默许"} for one in answers]
    assert "未过，不能记为超时默许" in await closing(TOWNSHIP, silent)
    absent = [{**one, "opinion": "", "outcome": "缺席默认"} for one in answers]
    assert "须有会议纪要" in await closing(TOWNSHIP, absent)


async def test_a_closing_that_says_what_no_opinion_says_is_noted(city: Federation) -> None:
    no, n = await opened(city)
    for who, part in ((LAND, "用地"), (HOUSING, "建房"), (WATER, "河道")):
        await city[COUNTY].do(joint.answer, who, no, n, part, "不同意", "理由")
    await city.settle()
    found = city[CITY].read(standing.find, no, n)
    assert found is not None
    case = city[CITY].read(one_case, no)
    answers = [
        {"part": key, "outcome": "同意", "opinion": one.hash, "person": "x"}
        for key, one in found.opinions.items()
    ]
    rogue = Rogue(city, TOWNSHIP)
    step = rogue.step("case.joint_closed", no, case.n + 1, case.head, [COUNTY, CITY], answers=answers)
    post(city, CITY, TOWNSHIP, rogue.parcel(orjson.dumps(step)))
    await city[CITY].take(0)
    noted = [row for row in city[CITY].read(findings.of_case, no) if row.rule == "AB17"]
    assert {row.place for row in noted} == {TOWNSHIP}
    assert len(noted) == 3


async def test_no_data_is_no_rate(city: Federation) -> None:
    assert views.Tally("x", "ZR", "自然资源局", 0, 0, 0, 0, 0, 0).on_time_percent is None
    assert views.Tally("x", "ZR", "自然资源局", 3, 2, 0, 1, 0, 0).on_time_percent == 6667


# Pages and programs


async def test_desk_page_and_interface(databases: Databases) -> None:
    desks = await Desks.open(part_of(divisions()), databases)
    city = desks.city
    items, deeds = real_items()
    await city.publish(
        2, tuple(i for i in items if i.id == "SZS-052"), tuple(d for d in deeds if d.item == "SZS-052")
    )
    users = table_of(User)
    await city[COUNTY].db.write(
        lambda s: s.execute(update(users).where(users.c.login == "reviewer").values(department="ZR"))
    )
    no = await accepted(city)
    async with desks.at(TOWNSHIP, "clerk") as lead:
        assert "发起联办" in (await lead.get(f"/cases/{no}")).text
        token = {"X-CSRF-Token": await lead.token("/password")}
        offered = (await lead.get("/api/joint/bundles", params={"item": "SZS-052"})).json()
        assert offered[0]["id"] == "rural-house"
        answer = await lead.post(f"/api/joint/{no}/open", json={"bundle": "rural-house"}, headers=token)
        assert answer.status_code == 201, answer.text
        n = answer.json()["joint"]
    await city.settle()
    async with desks.at(COUNTY, "reviewer") as assist:
        assert "用地和规划审查" in (await assist.get("/joint")).text
        page = await assist.get(f"/joint/{no}/{n}/用地")
        assert "王*" in page.text
        assert "640221197001010010" not in page.text
        assert "不属于该部门" in (await assist.get(f"/joint/{no}/{n}/建房")).text
        wrong = await assist.submit(f"/joint/{no}/{n}/用地/opinion", {"opinion": "不同意", "reasons": ""})
        assert (wrong.status_code, "不同意须说明理由" in wrong.text) == (422, True)
        done = await assist.submit(
            f"/joint/{no}/{n}/用地/opinion", {"opinion": "不同意", "reasons": "占用耕地"}
        )
        assert done.status_code == 303
        again = await assist.submit(f"/joint/{no}/{n}/用地/opinion", {"opinion": "同意"})
        assert (again.status_code, "更正意见" in again.text) == (409, True)
        promised = await assist.submit(f"/joint/{no}/{n}/用地/promise", {"handler": "L-1", "by_day": ""})
        assert promised.status_code == 303
        (mine,) = (await assist.get("/api/joint", params={"box": "answered"})).json()
        assert (mine["part"], mine["opinion"], mine["handler"]) == ("用地", "不同意", "L-1")
        assert (await assist.get("/api/joint/figures?since=2026-01-01&until=2026-12-31")).json()[0][
            "on_time"
        ] == 1
        assert (await assist.get(f"/joint/{no}/99/用地")).status_code == 404
        assert (await assist.submit(f"/joint/{no}/{n}/用地/nothing")).status_code == 404
    await city.settle()
    async with desks.at(TOWNSHIP, "clerk") as lead:
        assert "已答复 1 / 3 个环节" in (await lead.get("/joint")).text
        assert "占用耕地" in (await lead.get(f"/joint/{no}/{n}")).text
        (whole,) = (await lead.get(f"/api/joint/{no}")).json()
        assert [one["text"] for one in whole["remarks"]] == ["占用耕地"]
        case = (await lead.get(f"/cases/{no}")).text
        assert re.search("结束联办", case)
        step = re.search(r'name="n" value="(\d+)"', case)
        assert step
        refused = await lead.submit(f"/cases/{no}/do/joint-close", {"n": step[1]})
        assert refused.status_code in (404, 409)
    async with desks.at(CITY, "clerk") as stranger:
        page = await stranger.get(f"/joint/{no}/{n}/用地")
        assert page.status_code == 404
    assert CHIEF.department == ""
    await city.close()
