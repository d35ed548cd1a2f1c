"""放行重试: what an administrator releases from quarantine is tried at once and as if it came now, and harms nothing."""

import random
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from sqlalchemy import Row, select, update

from node.cases import actions
from node.cases.model import SubmissionRow
from node.db import table_of
from node.errors import Conflict
from node.exchange import release, views
from node.exchange.arrivals import Arrival
from node.exchange.model import EventRow, EventState
from node.work import Work
from tests.agreement import agree, cases_of, truthful
from tests.attack.rogue import Rogue, post
from tests.databases import Databases
from tests.desks import Desks
from tests.federation import AGENT, CLERK, Federation, divisions, officer, part_of
from tests.handled import CITY, COUNTY, TOWNSHIP, VILLAGE, Desk, chosen, publish
from tests.laws.test_delivery import LOCAL, UP, eventful, own_reports, reports

NEIGHBOUR = "640221100002"
LINE = (VILLAGE, TOWNSHIP, COUNTY, CITY)
KEEPER = officer("admin")


@pytest.fixture
async def city(databases: Databases) -> AsyncIterator[Federation]:
    """Two villages under one township."""
    found = await Federation(part_of(divisions(), villages=2), databases, publish=False).open()
    await publish(found, 1, chosen(LOCAL, UP))
    yield found
    await found.close()


def defective(_work: Work, _arrivals: Sequence[Arrival]) -> None:
    raise ZeroDivisionError


def aside(city: Federation, place: str) -> Sequence[Row[Any]]:
    return city[place].read(views.aside, 500)


async def released(city: Federation, place: str, one: Row[Any]) -> str:
    node = city[place]
    found = await node.do(release.release, node.inbox, KEEPER, one.frm, one.ep, one.ord)
    return str(found.state)


async def trespass(city: Federation, no: str) -> Row[Any]:
    """A step of another village's case stands in quarantine at the township (P-11): its row."""
    await city.settle()
    rogue = Rogue(city, NEIGHBOUR)
    step = rogue.step("case.taken", no, 2, city[TOWNSHIP].read(cases_of)[no].head, (TOWNSHIP,))
    post(city, TOWNSHIP, NEIGHBOUR, rogue.parcel(step))
    await city.settle()
    (found,) = [one for one in aside(city, TOWNSHIP) if one.rule == "P-11"]
    return found


async def goes_on(city: Federation, *numbers: str) -> None:
    """The township still takes mail about these cases, acts on them, and reacts to a new edition."""
    for no in numbers:
        await city[VILLAGE].do(actions.withdraw, AGENT, no, "不办了")
    await city.settle()
    await publish(city, 2, chosen(LOCAL, UP))
    assert city[TOWNSHIP].know.edition == 2
    assert {str(city[TOWNSHIP].read(cases_of)[no].state) for no in numbers} == {"withdrawn"}
    assert city[TOWNSHIP].read(cases_of) == city[CITY].read(cases_of)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.every_database
async def test_a_node_whose_program_was_defective_catches_up_by_releases_in_any_order(
    city: Federation, seed: int
) -> None:
    """Steps, submissions, authorisations and reports: all were set aside under N-1."""
    node = city[CITY]
    city.line(CITY).away = True
    await eventful(Desk(city))
    mended, node.inbox._handlers = node.inbox._handlers, dict.fromkeys(node.inbox._handlers, defective)
    city.line(CITY).away = False
    await city.settle()
    node.inbox._handlers = mended
    found = list(aside(city, CITY))
    assert {one.rule for one in found} == {"N-1"}
    assert {"case.granted", "case.withdrawal_asked", "authorisation.update", "report.daily"} <= {
        one.kind for one in found
    }

    random.Random(seed).shuffle(found)
    for one in found:
        assert await released(city, CITY, one) in (EventState.APPLIED, EventState.WAITING)
    await city.later(60)
    agree(city, LINE)
    truthful(city, LINE)
    assert node.read(reports) == city[COUNTY].read(reports) | own_reports(city)
    table = table_of(SubmissionRow).c
    asked = [city[place].read(lambda s: set(s.execute(select(table.hash)).scalars())) for place in LINE[1:]]
    assert asked[0] == asked[1] == asked[2] != set()


async def test_what_a_certificate_does_not_entitle_is_not_released_and_harms_nothing(
    city: Federation,
) -> None:
    no, other = [await Desk(city).accepted(LOCAL) for _ in range(2)]
    one = await trespass(city, no)
    with pytest.raises(Conflict, match="证书无权"):
        await released(city, TOWNSHIP, one)
    assert [row.rule for row in aside(city, TOWNSHIP)] == ["P-11"]
    await goes_on(city, no, other)


async def test_an_event_that_waits_and_cannot_be_proved_is_set_aside_again(city: Federation) -> None:
    """As an older program left it, which released whatever it was asked to."""
    no, other = [await Desk(city).filed(LOCAL) for _ in range(2)]
    one = await trespass(city, no)
    event = table_of(EventRow)
    await city[TOWNSHIP].do(
        lambda work: work.session.execute(
            update(event)
            .where(event.c.frm == one.frm, event.c.ep == one.ep, event.c.ord == one.ord)
            .values(state=EventState.WAITING, rule="")
        )
    )
    await city[TOWNSHIP].react()
    assert [(row.state, row.rule) for row in aside(city, TOWNSHIP)] == [(EventState.QUARANTINED, "P-11")]
    for number in (no, other):
        await city[TOWNSHIP].do(actions.accept, CLERK, number)
    await goes_on(city, no, other)


async def test_the_page_says_what_came_of_a_release(databases: Databases) -> None:
    desks = await Desks.open(part_of(divisions(), villages=2), databases)
    city = desks.city
    rogue = Rogue(city, VILLAGE)
    never = rogue.step("case.forwarded", rogue.number(), 1, "", (TOWNSHIP,), to=COUNTY, why="越级")
    post(city, TOWNSHIP, VILLAGE, rogue.parcel(never))
    node = city[TOWNSHIP]
    mended, node.inbox._handlers = node.inbox._handlers, dict.fromkeys(node.inbox._handlers, defective)
    await city.authorise(VILLAGE, "agent9")
    await Desk(city).filed("SZS-020")
    await city.settle()
    node.inbox._handlers = mended
    rows = {one.kind: one for one in aside(city, TOWNSHIP)}
    filed, wrong = rows["case.filed"], rows["case.forwarded"]
    async with desks.at(TOWNSHIP, "admin") as admin:
        said = await submitted(admin, filed)
        assert "已经办理" in said
        assert "已再次隔离" in await submitted(admin, wrong)
        barred = await trespass(city, str(filed.case_no))
        page = (await admin.get("/line?tab=quarantine")).text
        assert "P-11" in page
        assert f'value="{barred.ep}"' not in page
        assert f'value="{wrong.ep}"' in page
        refused = await admin.submit("/line/release", fields(barred))
        assert refused.status_code == 409
        again = f"/api/line/release/{wrong.frm}/{wrong.ep}/{wrong.ord}"
        told = (await admin.post(again, headers={"X-CSRF-Token": await admin.token("/password")})).json()
        assert (told["state"], told["rule"]) == ("quarantined", "L-1")
    await city.close()


def fields(one: Row[Any]) -> dict[str, object]:
    return {"frm": one.frm, "ep": one.ep, "ord": str(one.ord)}


async def submitted(admin: Any, one: Row[Any]) -> str:
    """The page after the release."""
    answer = await admin.submit("/line/release", fields(one))
    assert answer.status_code == 303, answer.text
    return str((await admin.get(answer.headers["location"])).text)
