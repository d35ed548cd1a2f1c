"""A homestead's subsidy with its clock: reported up, published, corrected once, extended, decided, delivered.

Everybody keeps the same account of the time, the evidence file tells the same, and nobody is late but who was.
"""

from collections.abc import AsyncIterator

import pytest

from node.cases import actions, courses, deadlines, evidence
from node.cases.standing import clock_of
from node.powers.routes import second
from protocol import evidence as proof
from protocol.ledger import Owner
from protocol.lifecycle import State
from tests.databases import Databases
from tests.federation import AGENT, CHIEF, CLERK, REVIEWER
from tests.handled import CITY, COUNTY, TOWNSHIP, VILLAGE, Desk, small_city

ITEM = "SZS-001"


@pytest.fixture
async def desk(databases: Databases) -> AsyncIterator[Desk]:
    found = Desk(await small_city(databases, ITEM))
    yield found
    await found.city.close()


async def test_the_time_of_one_case(desk: Desk) -> None:
    monday = desk.today
    no = await desk.filed(ITEM, materials=("最低生活保障申请表", "居民身份证"))
    await desk.at(TOWNSHIP, actions.take, CLERK, no)
    missing = (await desk.agreed(no)).missing
    defects = [{"material": name, "problem": f"未交{name}"} for name in missing]
    await desk.at(TOWNSHIP, actions.return_for_correction, CLERK, no, defects)

    await desk.workdays(2)  # the applicant's time
    await desk.at(VILLAGE, actions.supplement, AGENT, no, list(missing), "")
    await desk.at(TOWNSHIP, actions.accept, CLERK, no)
    accepted = desk.today
    case = await desk.agreed(no)
    assert case.accepted_on == accepted == desk.calendar.add(monday, 2).day
    assert case.due == desk.calendar.add(accepted, 20).day

    await desk.workdays(1)
    await desk.at(TOWNSHIP, courses.suspend, REVIEWER, no, "公示")
    await desk.workdays(5)  # nobody's time counts
    await desk.at(TOWNSHIP, courses.resume, REVIEWER, no, "公示", "公示期间无异议")
    desk.city.line(TOWNSHIP).away = True
    await desk.at(TOWNSHIP, actions.review, REVIEWER, no, "同意", "符合条件")
    await desk.at(TOWNSHIP, actions.forward, CHIEF, no, COUNTY, "初审同意，报请决定")
    await desk.workdays(1)  # in transit: the line is down
    desk.city.line(TOWNSHIP).away = False
    await desk.city.hello(TOWNSHIP)
    await desk.at(COUNTY, actions.take, CLERK, no)

    proposal = await desk.at(COUNTY, courses.propose_extension, CLERK, no, 10, "须入户复核")
    await desk.at(COUNTY, second, desk.city[COUNTY], CHIEF, proposal)
    await desk.workdays(3)
    await desk.at(COUNTY, actions.review, REVIEWER, no, "同意", "符合")
    await desk.at(COUNTY, actions.decide, CHIEF, no, "granted", "")
    case = await desk.agreed(no)
    assert case.due == desk.calendar.add(accepted, 20 + 5 + 10).day
    assert case.clock is not None
    assert case.clock.stopped == desk.today == case.decided_on

    await desk.workdays(2)
    await desk.at(VILLAGE, deadlines.sweep)
    await desk.at(VILLAGE, actions.deliver, AGENT, no, "代办员送达", "王小明")
    await told_alike(desk, no)


async def told_alike(desk: Desk, no: str) -> None:
    """Every tier and the evidence file have one account of whose time it was."""
    case = await desk.agreed(no)
    assert case.state is State.DELIVERED
    standings = [
        desk.city[place].read(clock_of, desk.city[place].know, case, desk.city.now)
        for place in (VILLAGE, TOWNSHIP, COUNTY, CITY)
    ]
    assert all(one == standings[0] for one in standings)
    days = {(one.owner, one.place): (one.workdays, one.counted) for one in standings[0].shares}
    assert days == {
        (Owner.TRANSIT, TOWNSHIP): (0, 0),
        (Owner.LOCAL, TOWNSHIP): (6, 1),
        (Owner.APPLICANT, VILLAGE): (2, 0),
        (Owner.TRANSIT, COUNTY): (1, 1),
        (Owner.UPPER, COUNTY): (3, 3),
        (Owner.LOCAL, VILLAGE): (2, 2),
    }
    assert sum(one.minutes for one in standings[0].shares) == standings[0].elapsed_minutes == 14 * 7 * 60
    assert not await desk.findings(no)
    for place in (VILLAGE, COUNTY, CITY):
        node = desk.city[place]
        found = proof.examine(node.read(evidence.export, node.know, no, desk.city.now))
        assert found.holds
        assert found.case == case
