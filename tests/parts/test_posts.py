"""AB角: who stands where is a matter of the roster and the leaves alone, and every list of cases says it."""

from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest
import pytest_asyncio

from node.cases import actions as cases
from node.errors import BadForm, NodeError, NotFound, RoleMissing
from node.posts import actions, views
from node.posts.actions import Post
from tests.databases import Databases
from tests.desks import Desks
from tests.federation import AGENT, divisions, form, officer, part_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
COUNTY = "640221000000"
FIRST, LAST = date(2026, 3, 1), date(2026, 12, 31)
TODAY = date(2026, 3, 2)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desks(databases: Databases) -> AsyncIterator[Desks]:
    found = await Desks.open(part_of(divisions()), databases)
    yield found
    await found.city.close()


def who(login: str) -> object:
    from dataclasses import replace

    from tests.desks import PEOPLE

    return replace(officer(login, PEOPLE[login], place=COUNTY), staff_no=f"T-{login}")


def standing(desks: Desks, on: date = TODAY) -> dict[str, tuple[str, str]]:
    return {one.name: (one.person, one.stands) for one in desks.city[COUNTY].read(views.stands, on)}


async def test_b_takes_over_while_a_is_away_and_nobody_hands_anything_over(desks: Desks) -> None:
    node = desks.city[COUNTY]
    await node.do(
        actions.set_up, who("head"), Post("社保窗口", "T-clerk", "T-reviewer", FIRST, LAST, ("SZS-019",))
    )
    await node.do(actions.set_up, who("admin"), Post("综合窗口", "T-chief", "T-clerk", FIRST, LAST))
    assert standing(desks) == {"社保窗口": ("T-clerk", "A角"), "综合窗口": ("T-chief", "A角")}
    await node.do(actions.leave, who("clerk"), "T-clerk", TODAY, TODAY + timedelta(days=2), "培训")
    assert standing(desks)["社保窗口"] == ("T-reviewer", "B角")
    await node.do(actions.leave, who("head"), "T-reviewer", TODAY, TODAY, "")
    assert standing(desks)["社保窗口"] == ("", "无人在岗")
    assert standing(desks, TODAY + timedelta(days=1))["社保窗口"] == ("T-reviewer", "B角")
    assert standing(desks, TODAY + timedelta(days=3))["社保窗口"] == ("T-clerk", "A角")
    assert standing(desks, FIRST - timedelta(days=1)) == {}
    found = node.read(views.stands, TODAY)
    named, other = views.stand_for(found, "SZS-019"), views.stand_for(found, "SZS-001")
    assert named is not None
    assert other is not None
    assert (named.name, other.name) == ("社保窗口", "综合窗口")
    away = {row.person: row.id for row in node.read(views.leaves_from, TODAY)}
    await node.do(actions.back, who("reviewer"), away["T-reviewer"])
    assert standing(desks)["社保窗口"] == ("T-reviewer", "B角")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"a": "T-nobody"}, "a"),
        ({"a": ""}, "a"),
        ({"b": "T-reviewer", "a": "T-reviewer"}, "b"),
        ({"name": " "}, "name"),
        ({"until": date(2026, 3, 1)}, "until"),
        ({"items": ("SZS-019", "SZS-020")}, "items"),
        ({"items": ()}, "items"),
    ],
)
async def test_a_faulty_post_is_refused_at_its_field(
    desks: Desks, changes: dict[str, object], field: str
) -> None:
    said = {
        "name": "另一岗位",
        "a": "T-chief",
        "b": "T-reviewer",
        "since": TODAY,
        "until": LAST,
        "items": ("SZS-001",),
    }
    before = standing(desks)
    with pytest.raises(BadForm) as refused:
        await desks.city[COUNTY].do(actions.set_up, who("head"), Post(**{**said, **changes}))  # type: ignore[arg-type]
    assert set(refused.value.fields()) == {field}
    assert standing(desks) == before


async def test_only_those_who_keep_the_posts_change_them(desks: Desks) -> None:
    node = desks.city[COUNTY]
    post = Post("另一岗位", "T-chief", "T-reviewer", TODAY, LAST, ("SZS-001",))
    (one, *_) = node.read(views.posts_from, TODAY)
    (away, *_) = [row for row in node.read(views.leaves_from, TODAY) if row.person == "T-clerk"]
    tried = (
        (actions.set_up, post),
        (actions.change, one.id, "T-chief", "T-reviewer", LAST),
        (actions.end, one.id),
        (actions.leave, "T-clerk", TODAY, TODAY, ""),
        (actions.back, away.id),
    )
    for action, *args in tried:
        with pytest.raises(RoleMissing):
            await node.do(action, who("reviewer"), *args)  # type: ignore[arg-type]
    for login in ("head", "chief", "admin"):
        await node.do(actions.change, who(login), one.id, "T-clerk", "T-reviewer", LAST)
    with pytest.raises(NotFound):
        await node.do(actions.end, who("head"), 10_000)


async def test_home_queue_and_case_say_who_stands_there(desks: Desks) -> None:
    city = desks.city
    village = next(place.code for place in city.roster if not city.roster.children(place.code))
    no = await city[village].do(cases.file_case, AGENT, form("SZS-019"))
    await city.settle()
    posts = {one.name: one.id for one in city[COUNTY].read(views.stands, TODAY)}
    async with desks.at(COUNTY, "reviewer") as reviewer, desks.at(COUNTY, "clerk") as clerk:
        home = (await reviewer.get("/")).text
        assert "今日在岗" in home
        assert "B角顶岗" in home
        assert "A角 某经办人（T-clerk） 离岗至 3月4日" in home
        assert "我岗位的件" in home
        assert "在岗 某审核人（T-reviewer）" in (await reviewer.get("/cases?box=all")).text
        assert "社保窗口：某审核人（T-reviewer）" in (await reviewer.get(f"/cases/{no}")).text
        for query, seen in (
            (f"post={posts['社保窗口']}", True),
            ("post=mine", True),
            (f"post={posts['综合窗口']}", False),
        ):
            assert (no in (await reviewer.get(f"/cases?box=all&{query}")).text) is seen, query
        assert "我在岗的" not in (await clerk.get("/cases")).text
        answer = await clerk.submit(
            "/posts/leaves", {"person": "T-clerk", "since": "2026-05-01", "until": ""}
        )
        assert answer.status_code == 422
        assert "请填写日期" in answer.text
        answer = await clerk.submit("/posts", {"name": "x", "since": "2026-05-01", "until": "2026-05-02"})
        assert answer.status_code == 403
    async with desks.at(COUNTY, "head") as head:
        said = {
            "name": "社保二窗",
            "a": "T-chief",
            "b": "T-chief",
            "since": "2026-03-02",
            "until": "2026-04-01",
        }
        answer = await head.submit("/posts", {**said, "items": ["SZS-020"]})
        assert answer.status_code == 422
        assert "须是两个人" in answer.text
        assert 'value="社保二窗"' in answer.text
        assert (
            await head.submit("/posts", {**said, "b": "T-clerk", "items": ["SZS-020"]})
        ).status_code == 303
        assert (await head.submit(f"/posts/{posts['社保窗口']}/end")).status_code == 303
        assert "社保窗口" not in (await head.get("/posts")).text
        assert (await head.submit("/posts/1/nothing")).status_code == 404
    assert issubclass(RoleMissing, NodeError)
