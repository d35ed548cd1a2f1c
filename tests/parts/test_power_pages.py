"""授权, 待批 and 印章 as people use them: proposed by one, approved by another, every fault at its field, nothing lost."""

import re
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from node import proposals
from node.cases import actions
from node.documents import issue
from node.powers import seals, views
from tests.databases import Databases
from tests.desks import Desks, Window
from tests.federation import AGENT, CLERK, divisions, form, part_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
COUNTY = "640221000000"
ITEM = "SZS-019"
GRANT = {
    "place": COUNTY, "person": "T-chief", "powers": ["决定", "延期"], "rank": "窗口", "since": "2026-03-01",
    "until": "2026-12-31", "why": "授权书 3 号", "scope": "some", "items": [ITEM, "SZS-020"],
}  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desks(databases: Databases) -> AsyncIterator[Desks]:
    found = await Desks.open(part_of(divisions()), databases)
    yield found
    await found.city.close()


def waiting(desks: Desks) -> list[str]:
    return [row.id for row in desks.city[COUNTY].read(proposals.waiting)]


def powers_of(desks: Desks, person: str) -> list[object]:
    return list(desks.city[COUNTY].read(views.of_person, COUNTY, person))


async def refused(window: Window, path: str, fields: dict[str, object], *words: str) -> str:
    answer = await window.submit(path, fields)
    assert answer.status_code in (403, 409, 422), answer.status_code
    for word in words:
        assert word in answer.text, word
    return answer.text


async def done(window: Window, path: str, fields: dict[str, object] | None = None) -> str:
    answer = await window.submit(path, fields)
    assert answer.status_code == 303, answer.text
    return (
        await window.get(urlsplit(answer.headers["location"])._replace(scheme="", netloc="").geturl())
    ).text


async def test_one_proposes_another_approves_and_the_list_says_so(desks: Desks) -> None:
    async with desks.at(COUNTY, "clerk") as clerk, desks.at(COUNTY, "head") as head:
        assert "待另一人" in await done(clerk, "/authorisations", GRANT)
        (one,) = waiting(desks)
        own = (await clerk.get("/proposals")).text
        assert "您本人提出的，须由另一人批准" in own
        assert f"/proposals/{one}/approve" not in own
        await refused(clerk, f"/proposals/{one}/approve", {}, "不能自己批准")
        assert powers_of(desks, "T-chief") == []
        assert 'class="badge">1<' in (await head.get("/proposals")).text
        assert "已批准" in await done(head, f"/proposals/{one}/approve")
        page = (await clerk.get("/authorisations")).text
    assert "某首席代表（T-chief）" in page
    assert "授权书 3 号" in page
    assert len(powers_of(desks, "T-chief")) == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"person": "T-nobody"}, "本单位没有工号 T-nobody"),
        ({"until": ""}, "请填写日期"),
        ({"until": "2025-01-01"}, "截止日须晚于"),
        ({"scope": ""}, "请选择全部事项"),
        ({"items": []}, "请选择授权的事项"),
        ({"powers": []}, "请选择授权内容"),
    ],
)
async def test_a_faulty_grant_comes_back_as_it_was_written(
    desks: Desks, changes: dict[str, object], words: str
) -> None:
    before = waiting(desks)
    async with desks.at(COUNTY, "clerk") as clerk:
        page = await refused(clerk, "/authorisations", {**GRANT, **changes}, words, "aria-invalid")
    assert 'value="授权书 3 号"' in page
    assert waiting(desks) == before


async def test_who_may_not_propose_sees_no_form_and_cannot_post_one(desks: Desks) -> None:
    async with desks.at(COUNTY, "auditor") as auditor:
        assert "新的授权" not in (await auditor.get("/authorisations")).text
        await refused(auditor, "/authorisations", GRANT, "需要")
    assert waiting(desks) == []


async def test_a_substitute_for_a_time_then_revoked(desks: Desks) -> None:
    (known,) = desks.city[COUNTY].read(views.of_person, COUNTY, "T-chief")
    at = f"/authorisations/{known.id}"
    days = {"since": "2026-03-02", "until": "2026-03-06"}
    async with desks.at(COUNTY, "clerk") as clerk, desks.at(COUNTY, "head") as head:
        await refused(clerk, f"{at}/substitute", {**days, "person": "T-chief"}, "不能是被授权人本人")
        await refused(
            clerk, f"{at}/substitute", {"person": "T-reviewer", "since": "2026-03-02"}, "请填写日期"
        )
        await done(clerk, f"{at}/substitute", {**days, "person": "T-reviewer"})
        (one,) = waiting(desks)
        assert "代 某首席代表（T-chief）" in (await head.get("/proposals")).text
        await done(head, f"/proposals/{one}/approve")
        assert "临时代理" in (await head.get("/authorisations")).text
        await refused(head, f"{at}/revoke", {"why": " "}, "请写明撤销的理由")
        assert "授权已撤销" in await done(head, f"{at}/revoke", {"why": "调离"})
        assert "撤销：调离" in (await head.get("/authorisations?tab=over")).text


async def test_only_those_who_could_approve_can_decline(desks: Desks) -> None:
    async with desks.at(COUNTY, "clerk") as clerk, desks.at(COUNTY, "head") as head:
        await done(clerk, "/authorisations", GRANT)
        (one,) = waiting(desks)
        for login in ("reviewer", "auditor", "admin"):
            async with desks.at(COUNTY, login) as other:
                await refused(other, f"/proposals/{one}/refuse", {"why": "不行"}, "需要中心主任岗位")
        await refused(head, f"/proposals/{one}/refuse", {"why": ""}, "请写明理由")
        assert waiting(desks) == [one]
        assert "未批准" in await done(head, f"/proposals/{one}/refuse", {"why": "期限过长"})
        assert "期限过长" in (await clerk.get("/proposals?tab=over")).text


async def test_a_seal_is_kept_used_at_the_document_and_handed_over(desks: Desks) -> None:
    city = desks.city
    village = next(place.code for place in city.roster if not city.roster.children(place.code))
    no = await city[village].do(actions.file_case, AGENT, form(ITEM))
    await city.settle()
    await city[COUNTY].do(actions.accept, CLERK, no)
    await city[COUNTY].do(issue.print_document, CLERK, no, "D02")
    seal = {"kind": "受理专用章", "name": "平罗县受理专用章", "keeper": "T-clerk"}
    async with desks.at(COUNTY, "head") as head, desks.at(COUNTY, "clerk") as clerk:
        await refused(head, "/seals", {**seal, "keeper": "T-x"}, "本单位没有工号 T-x")
        await done(head, "/seals", seal)
        (row,) = city[COUNTY].read(views.seals)
        at, sheet = f"/seals/{row.id}", f"/cases/{no}/documents/D02"
        assert "由 某经办人（T-clerk） 保管" in (await head.get(sheet)).text
        page = (await clerk.get(sheet)).text
        hidden = dict(re.findall(r'<input type="hidden" name="(no|document|back)" value="([^"]*)">', page))
        assert hidden["no"] == no
        assert "已登入" in await done(clerk, f"{at}/uses", {**hidden, "copies": "2"})
        assert "2 份" in (await clerk.get(sheet)).text
        away = {**hidden, "copies": "1", "back": "//evil.example/"}
        assert urlsplit(str((await clerk.submit(f"{at}/uses", away)).headers["location"])).path == at
        await refused(clerk, f"{at}/uses", {**hidden, "copies": "x"}, "份数")
        await refused(head, f"{at}/uses", {**hidden, "copies": "1"}, "由 T-clerk 保管", "这次尝试已登记")
        await done(clerk, f"{at}/hand-over", {"taker": "T-reviewer", "why": "轮岗"})
        (one,) = waiting(desks)
        await refused(head, f"/proposals/{one}/approve", {}, "须由接管人 T-reviewer 本人确认")
        async with desks.at(COUNTY, "reviewer") as reviewer:
            await done(reviewer, f"/proposals/{one}/approve")
            page = (await reviewer.get(at)).text
    assert "某审核人（T-reviewer）" in page
    assert "轮岗" in page
    uses = city[COUNTY].db.read(lambda session: views.uses(session, seal=row.id))
    assert [(use.copies, bool(use.refused)) for use in uses] == [(1, True), (1, False), (2, False)]
    assert city[COUNTY].read(views.custody, row.id)[0].giver == "T-clerk"
    assert seals.WHEN.keys() >= {row.kind}
