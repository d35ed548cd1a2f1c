"""Pages name places, people, departments, documents and calendars; no code stands where a reader wants a name."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from node.accounts.officer import Officer
from node.accounts.roles import Role
from node.cases import actions
from node.documents import issue
from node.posts import actions as posts
from node.posts.actions import Post
from node.powers import seals
from tests.databases import Databases
from tests.desks import Desks, Window
from tests.federation import AGENT, CHIEF, REVIEWER, divisions, part_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
CITY, COUNTY = "640200000000", "640221000000"
CLERK = Officer(1, "clerk", "某经办人", "T-clerk", frozenset({Role.CLERK}), COUNTY)
HEAD = Officer(2, "head", "某中心主任", "T-head", frozenset({Role.CENTRE_HEAD}), COUNTY)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desks(databases: Databases) -> AsyncIterator[Desks]:
    found = await Desks.open(part_of(divisions(), townships=1, villages=1), databases)
    yield found
    await found.city.close()


async def text(window: Window, path: str) -> str:
    """What a page says, without its marks."""
    answer = await window.get(path)
    assert answer.status_code == 200, answer.text
    return plain(answer.text)


def plain(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


async def test_what_nobody_did_was_done_by_the_system(desks: Desks) -> None:
    no = await desks.filed()
    await desks.city[COUNTY].do(actions.accept, CLERK, no)
    await desks.city.settle()
    await desks.city[desks.village].do(actions.withdraw, AGENT, no, "不办了")
    await desks.city.settle()
    async with desks.at(COUNTY, "clerk") as clerk:
        page = await text(clerk, f"/cases/{no}")
        assert "system" not in page
        assert "系统" in page
        assert re.search(r"工作日历 公布至\d{4}年", page)
        raw = (await clerk.get(f"/cases/{no}/evidence/file")).content
        said = plain((await clerk.submit("/evidence", file=raw)).text)
    assert "都成立" in said
    assert "system" not in said
    assert "导出 平罗县，" in said
    assert "交平罗县" in said
    assert COUNTY not in said


async def test_a_document_names_who_made_it_and_bears_the_seal_of_its_kind(desks: Desks) -> None:
    county, no = desks.city[COUNTY], await desks.filed()
    for kind in ("受理专用章", "审批专用章"):
        await county.do(seals.register, HEAD, kind, f"平罗县{kind}", "T-clerk")
    await county.do(actions.accept, CLERK, no)
    await county.do(actions.review, REVIEWER, no, "同意", "齐全")
    await county.do(actions.decide, CHIEF, no, "granted", "")
    for kind in ("D02", "D07"):
        await county.do(issue.print_document, CLERK, no, kind)
    sheets = {}
    for login in ("clerk", "chief"):
        async with desks.at(COUNTY, login) as window:
            sheets[login] = [await text(window, f"/cases/{no}/documents/{kind}") for kind in ("D02", "D07")]
    for accepted, granted in sheets.values():
        assert "经办 某经办人（T-clerk）" in accepted
        assert "经办 T-chief" not in accepted + granted
        assert "（受理专用章）" in accepted
        assert "（审批专用章）" in granted
    accepted, granted = sheets["clerk"]
    assert ("登记用章：平罗县受理专用章" in accepted, "登记用章：平罗县审批专用章" in accepted) == (
        True,
        False,
    )
    assert ("登记用章：平罗县受理专用章" in granted, "登记用章：平罗县审批专用章" in granted) == (False, True)


async def test_the_audit_log_names_what_it_is_about(desks: Desks) -> None:
    county, no = desks.city[COUNTY], await desks.filed()
    await county.do(actions.accept, CLERK, no)
    async with desks.at(COUNTY, "clerk") as clerk, desks.at(COUNTY, "auditor") as auditor:
        await clerk.submit(f"/cases/{no}/documents/D02/print")
        today = desks.city.now.date()
        await county.do(posts.set_up, HEAD, Post("综合窗口", "T-clerk", "T-reviewer", today, today))
        page = (await auditor.get("/audit")).text
    assert re.search(rf'<a href="/cases/{no}">办件 [\dX-]+《受理通知书》</a>', page)
    assert "岗位 综合窗口" in page
    assert "post:" not in page
    assert " D02" not in page


async def test_a_department_without_anything_to_answer_has_its_name(desks: Desks) -> None:
    node = desks.city[COUNTY]
    item = next(one for one in node.know.catalogue or () if one.id == "SZS-019")
    async with desks.at(COUNTY, "admin") as admin, desks.at(COUNTY, "reviewer") as reviewer:
        fields = {"name": "某审核人", "staff_no": "T-reviewer", "roles": "reviewer"}
        await admin.submit("/users/reviewer", {**fields, "department": item.department.code})
        page = await text(reviewer, "/joint")
    assert f"{item.department.name}：承诺办理，限时反馈" in page


async def test_the_guide_says_the_same_of_the_way_as_the_rail(desks: Desks) -> None:
    async with desks.at(desks.village, "agent") as agent:
        page = await text(agent, "/catalogue/SZS-019")
    assert "受理（平罗县）" in page
    assert "决定（平罗县）" in page
    assert "镇级" not in page
    assert "法定 无法定时限" not in page
    assert "10个工作日；无法定时限" in page


async def test_what_a_department_fetches_itself_is_not_missing(desks: Desks) -> None:
    async with desks.at(COUNTY, "clerk") as clerk:
        begun = await clerk.submit("/file", {"step": "1", "item": "SZS-019", "go": "next"})
        (draft,) = set(re.findall(r'name="draft" value="([^"]+)"', begun.text))
        written = {"name": "王小明", "phone": "13895021234", "id_type": "111", "id_no": "640221197001010010"}
        page = (await clerk.submit("/file", {"step": "2", "draft": draft, **written, "go": "next"})).text
    slot = page[page.index('data-photo-slot="居民身份证"') :].partition("</label>")[0]
    assert 'data-need="免交"' in slot
    assert "部门自取" in slot
    assert "居民身份证" not in page[page.index("data-missing") :].partition("</p>")[0]


async def test_the_sums_have_the_words_of_their_tier(desks: Desks) -> None:
    for place, below, tier in ((CITY, "乡镇街道按期办结率", "市级"), (COUNTY, "村社区按期办结率", "县级")):
        async with desks.at(place, "clerk") as clerk:
            page = await text(clerk, "/sums")
        assert below in page
        assert f"复算由{tier}节点" in page
        assert "截至昨日（" in page or "还没有日报" in page


async def test_the_board_and_the_moment_it_is_of_are_renewed_together(desks: Desks) -> None:
    async with desks.at(COUNTY, "clerk") as clerk:
        whole, live = await text(clerk, "/board"), await text(clerk, "/live/board")
    assert whole.count("数据截至") == 1
    assert live.count("数据截至") == 1
