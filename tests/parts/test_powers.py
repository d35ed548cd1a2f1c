"""Giving, lending and taking back the power to decide; seals and their book; both over the API too."""

from collections.abc import AsyncIterator
from datetime import date

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from node import proposals
from node.accounts.guard import officer as officer_of
from node.accounts.officer import Officer
from node.accounts.roles import Role
from node.cases import actions
from node.cases.findings import latest
from node.cases.routes import router as cases_router
from node.errors import BadForm, Conflict, Forbidden, NodeError, RoleMissing
from node.powers import actions as powers
from node.powers import seals, views
from node.powers.actions import Grant
from node.powers.routes import router as powers_router
from node.powers.routes import second
from node.problems import add_handlers
from protocol.lifecycle import State
from tests.databases import Databases
from tests.federation import AGENT, CHIEF, CLERK, REVIEWER, officer
from tests.handled import CITY, COUNTY, TOWNSHIP, VILLAGE, Desk, hire, small_city

pytestmark = pytest.mark.asyncio(loop_scope="module")
ITEM = "SZS-019"
HEAD = officer("head", Role.CENTRE_HEAD)
NEW = officer("new", Role.CHIEF_REPRESENTATIVE)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(databases: Databases) -> AsyncIterator[Desk]:
    found = Desk(await small_city(databases, ITEM, "SZS-001"))
    hire(
        found.city[COUNTY],
        *("agent", "clerk", "reviewer", "head", "new", "away", "stand-in", "gone", "steady", "http"),
    )
    yield found
    await found.city.close()


def grant(person: str, **changes: object) -> Grant:
    fields: dict[str, object] = {
        "person": person,
        "items": (ITEM,),
        "since": date(2026, 1, 1),
        "until": date(2026, 12, 31),
        **changes,
    }
    return Grant(**fields)  # type: ignore[arg-type]


async def given(desk: Desk, place: str, person: str, **changes: object) -> str:
    proposal = await desk.at(place, powers.propose, CLERK, grant(person, **changes))
    await desk.at(place, second, desk.city[place], HEAD, proposal)
    return desk.city[place].read(views.of_person, place, person)[0].id


async def test_two_persons_authorise_and_everyone_in_the_line_hears(desk: Desk) -> None:
    proposal = await desk.at(COUNTY, powers.propose, CLERK, grant("new"))
    no = await desk.reviewed(ITEM, COUNTY)
    with pytest.raises(Forbidden, match="没有授权"):
        await desk.at(COUNTY, actions.decide, NEW, no, "granted", "")
    for who in (CLERK, REVIEWER, NEW):
        with pytest.raises(Forbidden):
            await desk.at(COUNTY, second, desk.city[COUNTY], who, proposal)
    await desk.at(COUNTY, second, desk.city[COUNTY], HEAD, proposal)
    await desk.heard()
    name = desk.city[COUNTY].read(views.of_person, COUNTY, "new")[0].id
    for place in (VILLAGE, TOWNSHIP, CITY):
        found = desk.city[place].read(views.authorisation, name)
        assert found is not None
        assert (found.person, found.items, found.approvers) == ("new", (ITEM,), ("clerk", "head"))
    await desk.at(COUNTY, actions.decide, NEW, no, "granted", "")
    assert (await desk.agreed(no)).decided_by == "new"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"items": ("SZS-999",)}, "items"),
        ({"items": ()}, "items"),
        ({"powers": ("一切",)}, "powers"),
        ({"rank": "皇帝"}, "rank"),
        ({"until": date(2025, 1, 1)}, "until"),
        ({"place": CITY}, "place"),
        ({"person": " "}, "person"),
    ],
)
async def test_a_faulty_grant_is_refused_at_its_field(
    desk: Desk, changes: dict[str, object], field: str
) -> None:
    with pytest.raises(BadForm) as refused:
        await desk.at(COUNTY, powers.propose, CLERK, grant(**{"person": "new", **changes}))
    assert set(refused.value.fields()) == {field}


async def test_nobody_authorises_himself(desk: Desk) -> None:
    proposal = await desk.at(COUNTY, powers.propose, CLERK, grant("head"))
    with pytest.raises(Forbidden, match="自己"):
        await desk.at(COUNTY, second, desk.city[COUNTY], HEAD, proposal)
    proposal = await desk.at(COUNTY, powers.propose, CLERK, grant("clerk"))
    with pytest.raises(NodeError, match="自己"):
        await desk.at(COUNTY, second, desk.city[COUNTY], HEAD, proposal)
    assert desk.city[COUNTY].read(views.of_person, COUNTY, "clerk") == []
    with pytest.raises(RoleMissing):
        await desk.at(COUNTY, powers.propose, AGENT, grant("agent"))


async def test_a_substitute_has_the_same_power_for_a_time_within_it(desk: Desk) -> None:
    name = await given(desk, COUNTY, "away")
    start, end = desk.today, desk.calendar.add(desk.today, 3).day
    with pytest.raises(BadForm, match="之内"):
        await desk.at(COUNTY, powers.substitute, CLERK, name, "stand-in", start, date(2028, 1, 1))
    proposal = await desk.at(COUNTY, powers.substitute, CLERK, name, "stand-in", start, end)
    await desk.at(COUNTY, second, desk.city[COUNTY], HEAD, proposal)
    stand_in = officer("stand-in", Role.CHIEF_REPRESENTATIVE)
    found = desk.city[COUNTY].read(views.of_person, COUNTY, "stand-in")[0]
    assert (found.substitutes, found.items) == ("away", (ITEM,))
    no, late = await desk.reviewed(ITEM, COUNTY), await desk.reviewed(ITEM, COUNTY)
    await desk.at(COUNTY, actions.decide, stand_in, no, "granted", "")
    await desk.workdays(4)
    with pytest.raises(Forbidden, match="期限"):
        await desk.at(COUNTY, actions.decide, stand_in, late, "granted", "")


async def test_revocation_is_told_to_everyone_and_unused_it_holds_at_once(desk: Desk) -> None:
    name = await given(desk, COUNTY, "gone")
    assert await desk.at(COUNTY, powers.revoke, HEAD, name, "调离") == desk.today
    await desk.heard()
    for place in (VILLAGE, TOWNSHIP, COUNTY, CITY):
        found = desk.city[place].read(views.authorisation, name)
        assert found is not None
        assert (found.version, found.revoked_on) == (2, desk.today)
    with pytest.raises(RoleMissing):
        await desk.at(COUNTY, powers.revoke, CLERK, name, "调离")


async def test_a_village_decides_under_its_townships_word(desk: Desk) -> None:
    proposal = await desk.at(TOWNSHIP, powers.propose, CLERK, grant("villager", place=VILLAGE))
    await desk.at(TOWNSHIP, second, desk.city[TOWNSHIP], HEAD, proposal)
    await desk.heard()
    name = desk.city[VILLAGE].read(views.of_person, VILLAGE, "villager")[0].id
    assert name.startswith(f"SQ{VILLAGE}")
    assert desk.city[CITY].read(views.authorisation, name) is not None


async def test_newcomers_are_told_what_is_in_force(desk: Desk) -> None:
    from sqlalchemy import delete

    from node.db import table_of
    from node.exchange.model import EventRow

    await desk.heard()
    node = desk.city[COUNTY]
    name = await given(desk, COUNTY, "steady")
    await desk.heard()
    told = table_of(EventRow)
    await node.do(
        lambda work: work.session.execute(
            delete(told).where(told.c.kind == powers.KIND, told.c.frm == COUNTY, told.c.state == "mine")
        )
    )
    await desk.at(COUNTY, powers.tell_newcomers)
    await desk.heard()
    assert desk.city[VILLAGE].read(views.authorisation, name) is not None
    before = await node.do(lambda work: int(work.meta("ord") or 0))
    await node.do(powers.tell_newcomers)
    assert await node.do(lambda work: int(work.meta("ord") or 0)) == before


# Seals


async def test_a_seal_is_used_by_its_keeper_for_what_is_decided_and_all_else_is_written_down(
    desk: Desk,
) -> None:
    seal = await desk.at(COUNTY, seals.register, HEAD, "审批专用章", "县审批专用章", "clerk")
    no = await desk.reviewed(ITEM, COUNTY)
    assert "尚未作出决定" in await desk.at(COUNTY, seals.use, CLERK, seal, no, "决定书")
    await desk.at(COUNTY, actions.decide, CHIEF, no, "granted", "")
    assert "保管" in await desk.at(COUNTY, seals.use, REVIEWER, seal, no, "决定书")
    assert "没有印章" in await desk.at(COUNTY, seals.use, CLERK, "YZ-none", no, "决定书")
    assert "没有这件" in await desk.at(COUNTY, seals.use, CLERK, seal, "nothing", "决定书")
    assert await desk.at(COUNTY, seals.use, CLERK, seal, no, "决定书", 2) == ""
    book = desk.city[COUNTY].read(views.uses, no=no)
    assert [bool(row.refused) for row in book] == [False, True, True, True]
    assert sum(row.rule == "AB18" for row in desk.city[COUNTY].read(latest, "AB18")) == 4
    with pytest.raises(BadForm):
        await desk.at(COUNTY, seals.use, CLERK, seal, no, " ")


async def test_custody_changes_hands_with_both_present(desk: Desk) -> None:
    seal = await desk.at(COUNTY, seals.register, HEAD, "受理专用章", "县受理专用章", "clerk")
    with pytest.raises(RoleMissing):
        await desk.at(COUNTY, seals.hand_over, REVIEWER, seal, "reviewer", "")
    proposal = await desk.at(COUNTY, seals.hand_over, CLERK, seal, "reviewer", "轮岗")
    with pytest.raises(Conflict, match="本人"):
        await desk.at(COUNTY, second, desk.city[COUNTY], CHIEF, proposal)
    await desk.at(COUNTY, second, desk.city[COUNTY], REVIEWER, proposal)
    rows = desk.city[COUNTY].read(views.custody, seal)
    assert [(row.giver, row.taker) for row in rows] == [("clerk", "reviewer"), ("", "clerk")]
    again = await desk.at(COUNTY, seals.register, HEAD, "受理专用章", "县受理专用章", "clerk")
    found = {row.id: row for row in desk.city[COUNTY].read(views.seals)}
    assert found[seal].retired_on == desk.today
    assert (found[again].version, found[again].retired_on) == (2, None)
    assert not desk.city[COUNTY].read(proposals.waiting, seal)


# Over HTTP


class Browser:
    """Requests to a node's API, as whoever is told."""

    def __init__(self, desk: Desk, place: str) -> None:
        self.desk, self.place = desk, place
        self.app = FastAPI()
        self.app.include_router(cases_router)
        self.app.include_router(powers_router)
        self.app.state.node = desk.city[place]
        add_handlers(self.app)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app), base_url="http://node")

    async def post(self, who: Officer, path: str, **body: object) -> httpx.Response:
        self.app.dependency_overrides[officer_of] = lambda: who
        await self.desk.heard(self.place)
        self.desk.acted = self.place
        return await self.client.post(f"/api{path}", json=body)


async def test_no_route_decides_without_an_authorisation(desk: Desk) -> None:
    browser = Browser(desk, COUNTY)
    no = await desk.reviewed(ITEM, COUNTY)
    nobody = officer("nobody", *Role)
    for body in ({"outcome": "granted"}, {"outcome": "refused", "text": "理由"}):
        answer = await browser.post(nobody, f"/cases/{no}/decide", **body)
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:liandong:forbidden")
        assert "没有授权" in answer.json()["detail"]
    answer = await browser.post(nobody, f"/cases/{no}/close")
    assert answer.status_code == 409
    assert (await desk.agreed(no)).state is State.DECIDING

    answer = await browser.post(
        CLERK, "/authorisations", person="http", items=[ITEM], since="2026-01-01", until="2026-12-31"
    )
    proposal = answer.json()["id"]
    assert (await browser.post(CLERK, f"/proposals/{proposal}/approve")).status_code == 403
    assert (await browser.post(HEAD, f"/proposals/{proposal}/approve")).json()["outcome"] == "done"
    http = officer("http", Role.CHIEF_REPRESENTATIVE)
    answer = await browser.post(http, f"/cases/{no}/decide", outcome="granted")
    assert answer.json()["state"] == "closed"


async def test_extension_and_void_over_http_wait_for_the_second_person(desk: Desk) -> None:
    browser = Browser(desk, COUNTY)
    no = await desk.accepted(ITEM, COUNTY)
    answer = await browser.post(CLERK, f"/cases/{no}/extend", days=5, why="复杂")
    assert answer.status_code == 202
    proposal = answer.json()["id"]
    for who in (CLERK, officer("other", Role.CHIEF_REPRESENTATIVE)):
        assert (await browser.post(who, f"/proposals/{proposal}/approve")).status_code == 403
    assert (await desk.agreed(no)).due == desk.calendar.add(desk.today, 10).day
    assert (await browser.post(CHIEF, f"/proposals/{proposal}/approve")).json()["closed_by"] == "chief"
    assert (await desk.agreed(no)).due == desk.calendar.add(desk.today, 15).day
    proposal = (await browser.post(CLERK, f"/cases/{no}/void", why="录入错误")).json()["id"]
    refused = await browser.post(CHIEF, f"/proposals/{proposal}/refuse", why="没有录错")
    assert refused.json()["outcome"] == "refused"
    assert (await desk.agreed(no)).state is State.ACCEPTED


async def test_a_seal_refused_over_http_is_in_the_book(desk: Desk) -> None:
    browser = Browser(desk, COUNTY)
    answer = await browser.post(HEAD, "/seals", kind="办结专用章", name="县办结专用章", keeper="clerk")
    seal = answer.json()["id"]
    no = await desk.accepted(ITEM, COUNTY)
    answer = await browser.post(CLERK, f"/seals/{seal}/uses", no=no, document="办结通知书")
    assert answer.status_code == 403
    assert "已登记" in answer.json()["detail"]
    assert desk.city[COUNTY].read(views.uses, seal=seal)[0].refused


async def test_a_staff_number_that_nobody_has_is_refused_at_its_field(desk: Desk) -> None:
    browser, node = Browser(desk, COUNTY), desk.city[COUNTY]
    said = {"items": [ITEM], "since": "2026-01-01", "until": "2026-12-31"}
    seal = await desk.at(COUNTY, seals.register, HEAD, "受理专用章", "县试用章", "clerk")
    name = await given(desk, COUNTY, "agent")
    proposals_before, seals_before = node.read(proposals.waiting, ""), node.read(views.seals)
    for field, who, path, form in (
        ("person", CLERK, "/authorisations", {**said, "person": "nobody"}),
        (
            "person",
            CLERK,
            f"/authorisations/{name}/substitute",
            {"person": "nobody", "since": "2026-06-01", "until": "2026-06-30"},
        ),
        ("keeper", HEAD, "/seals", {"kind": "受理专用章", "name": "县试用章", "keeper": "nobody"}),
        ("taker", CLERK, f"/seals/{seal}/hand-over", {"taker": "nobody", "why": "轮岗"}),
    ):
        answer = await browser.post(who, path, **form)
        assert answer.status_code == 422, path
        (error,) = answer.json()["errors"]
        assert error["field"] == field
        assert "本单位没有工号 nobody，请填写在岗人员的工号" in error.values()
    assert node.read(proposals.waiting, "") == proposals_before
    assert node.read(views.seals) == seals_before, "the seal in use is not retired either"

    # who works at the place below is known there alone
    below = await browser.post(CLERK, "/authorisations", **said, person="S101-09", place=TOWNSHIP)
    assert below.status_code == 201
