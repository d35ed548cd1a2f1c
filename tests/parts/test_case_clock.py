"""The clock of a case as nodes keep it: every change by its rule, the same ledger everywhere."""

from collections.abc import AsyncIterator
from datetime import date

import pytest
import pytest_asyncio
from sqlalchemy import select

from node.cases import actions, courses, deadlines
from node.cases.model import RecountRow
from node.cases.standing import clock_of
from node.db import table_of
from node.errors import BadForm, Conflict, Forbidden, NodeError
from node.powers.routes import second
from protocol.ledger import Owner
from protocol.lifecycle import State
from tests.databases import Databases
from tests.federation import CHIEF, CLERK, REVIEWER
from tests.handled import CITY, COUNTY, TOWNSHIP, VILLAGE, Desk, chosen, publish, small_city

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


async def extend(desk: Desk, place: str, no: str, days: int) -> None:
    node = desk.city[place]
    proposal = await desk.at(place, courses.propose_extension, CLERK, no, days, "案情复杂")
    await desk.at(place, second, node, CHIEF, proposal)


async def test_acceptance_freezes_the_item_and_starts_both_limits(desk: Desk) -> None:
    no = await desk.accepted(UP)
    case, today = await desk.agreed(no), desk.today
    assert case.clock is not None
    assert case.clock.accepted == today
    assert (case.due, case.statutory_due) == (
        desk.calendar.add(today, 20).day,
        desk.calendar.add(today, 30).day,
    )
    assert case.part_due == desk.calendar.add(today, 3).day
    catalogue = desk.city[CITY].know.catalogue
    assert catalogue is not None
    assert case.item_hash == catalogue.hash_of(UP)
    assert (case.mode, case.route, case.calendar) == ("上报", "窗口", desk.calendar.version)
    assert case.received_on == today
    assert case.notice_by == desk.calendar.add(today, 5).day


async def test_a_special_procedure_stops_the_clock_and_moves_both_days(desk: Desk) -> None:
    no = await desk.accepted(UP)
    before = await desk.agreed(no)
    await desk.workdays(1)
    await desk.at(TOWNSHIP, courses.suspend, REVIEWER, no, "公示")
    assert (await desk.agreed(no)).state is State.SPECIAL
    with pytest.raises(NodeError, match="正在进行"):
        await desk.at(TOWNSHIP, courses.suspend, REVIEWER, no, "公示")
    await desk.workdays(5)
    await desk.at(TOWNSHIP, courses.resume, REVIEWER, no, "公示", "无异议")
    after = await desk.agreed(no)
    assert before.due
    assert after.due
    assert after.statutory_due
    assert before.statutory_due
    assert desk.calendar.between(before.due, after.due) == 5
    assert desk.calendar.between(before.statutory_due, after.statutory_due) == 5
    assert after.state is State.ACCEPTED
    assert after.clock is not None
    assert [one.kind for one in after.clock.suspensions] == ["公示"]


@pytest.mark.parametrize("kind", ["听证", "其他", ""])
async def test_only_procedures_of_the_frozen_item_stop_it(desk: Desk, kind: str) -> None:
    no = await desk.accepted(UP)
    with pytest.raises(BadForm):
        await desk.at(TOWNSHIP, courses.suspend, REVIEWER, no, kind, "依据")
    assert (await desk.agreed(no)).state is State.ACCEPTED


async def test_a_procedure_that_counts_does_not_stop_it(desk: Desk) -> None:
    no = await desk.accepted(JOINT)
    with pytest.raises(BadForm):
        await desk.at(TOWNSHIP, courses.suspend, REVIEWER, no, "现场审查(三到场)", "依据")


async def test_one_extension_by_a_second_person(desk: Desk) -> None:
    no = await desk.accepted(UP)
    before = await desk.agreed(no)
    proposal = await desk.at(TOWNSHIP, courses.propose_extension, CLERK, no, 10, "案情复杂")
    with pytest.raises(Forbidden, match="另一人"):
        await desk.at(TOWNSHIP, second, desk.city[TOWNSHIP], CLERK, proposal)
    assert await desk.agreed(no) == before
    await desk.at(TOWNSHIP, second, desk.city[TOWNSHIP], CHIEF, proposal)
    after = await desk.agreed(no)
    assert after.due == desk.calendar.add(desk.today, 30).day
    assert after.statutory_due == desk.calendar.add(desk.today, 40).day
    with pytest.raises(Conflict, match="延期过一次"):
        await desk.at(TOWNSHIP, courses.propose_extension, CLERK, no, 1, "再延")
    with pytest.raises(Conflict, match="已由"):
        await desk.at(TOWNSHIP, second, desk.city[TOWNSHIP], CHIEF, proposal)


async def test_extension_only_as_long_as_the_law_lets_and_before_the_end(desk: Desk) -> None:
    plain, joint = await desk.accepted(UP), await desk.accepted(JOINT)
    with pytest.raises(BadForm, match="1 至 10"):
        await desk.at(TOWNSHIP, courses.propose_extension, CLERK, plain, 11, "复杂")
    await extend(desk, TOWNSHIP, joint, 15)
    await desk.workdays(31)
    with pytest.raises(Conflict, match="届满"):
        await desk.at(TOWNSHIP, courses.propose_extension, CLERK, plain, 5, "复杂")


async def test_whose_time_it_was_sums_to_the_elapsed_time(desk: Desk) -> None:
    no = await desk.filed(UP)
    await desk.workdays(1)
    await desk.at(TOWNSHIP, actions.take, CLERK, no)
    await desk.at(TOWNSHIP, actions.accept, CLERK, no)
    await desk.workdays(2)
    await desk.at(TOWNSHIP, actions.review, REVIEWER, no, "同意", "初审同意")
    await desk.at(TOWNSHIP, actions.forward, CHIEF, no, COUNTY, "报请决定")
    await desk.workdays(1)
    await desk.at(COUNTY, actions.take, CLERK, no)
    await desk.workdays(3)
    for place in (VILLAGE, TOWNSHIP, COUNTY, CITY):
        case = await desk.case(no, place)
        standing = desk.city[place].read(clock_of, desk.city[place].know, case, desk.city.now)
        assert sum(one.minutes for one in standing.shares) == standing.elapsed_minutes == 7 * 7 * 60
        days = {(one.owner, one.place): one.workdays for one in standing.shares}
        assert days == {
            (Owner.TRANSIT, TOWNSHIP): 1,
            (Owner.LOCAL, TOWNSHIP): 2,
            (Owner.TRANSIT, COUNTY): 1,
            (Owner.UPPER, COUNTY): 3,
        }


async def test_the_clock_stops_at_the_decision_and_delivery_has_its_own(desk: Desk) -> None:
    no = await desk.accepted(UP)
    await desk.sent_up(no)
    await desk.workdays(2)
    await desk.at(COUNTY, actions.review, REVIEWER, no, "同意", "符合")
    await desk.at(COUNTY, actions.decide, CHIEF, no, "granted", "")
    case = await desk.agreed(no)
    assert case.clock is not None
    assert case.clock.stopped == desk.today
    assert case.deliver_by == desk.calendar.add(desk.today, 10).day
    assert case.tell_by == desk.calendar.add(desk.today, 2).day
    await desk.workdays(3)
    await desk.at(VILLAGE, deadlines.sweep)
    assert await desk.findings(no, VILLAGE) >= {"AB15"}
    await desk.workdays(8)
    await desk.at(VILLAGE, deadlines.sweep)
    assert await desk.findings(no, VILLAGE) >= {"AB15", "AB02"}


async def test_reporting_up_late_is_noted(desk: Desk) -> None:
    no = await desk.accepted(UP)
    await desk.workdays(4)
    await desk.sent_up(no)
    assert "AB14" in await desk.findings(no)
    assert (await desk.agreed(no)).part_due is None


async def test_a_later_catalogue_moves_no_limit_of_a_running_case(desk: Desk) -> None:
    no = await desk.accepted(UP)
    before = await desk.agreed(no)
    changed = tuple(
        item.model_copy(
            update={
                "version": item.version + 1,
                "promised_limit": item.promised_limit.__class__(5),
                "special_procedures": (),
            }
        )
        if item.id == UP
        else item
        for item in chosen(UP, COUNTYS, INSTANT, URGENT, JOINT, STRICT)
    )
    await publish(desk.city, 2, changed)
    assert await desk.agreed(no) == before
    await desk.at(TOWNSHIP, courses.suspend, REVIEWER, no, "公示")
    assert (await desk.agreed(no)).state is State.SPECIAL
    later = await desk.agreed(await desk.accepted(UP))
    assert later.due == desk.calendar.add(desk.today, 5).day
    assert later.item_hash != before.item_hash


async def test_a_new_calendar_moves_open_cases_and_is_logged(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from protocol.workdays import RegionalDay, make_calendar
    from tests import federation

    no, closed = await desk.accepted(COUNTYS, COUNTY), await desk.accepted(COUNTYS, COUNTY)
    await desk.at(COUNTY, actions.review, REVIEWER, closed, "同意", "齐")
    await desk.at(COUNTY, actions.decide, CHIEF, closed, "granted", "")
    before, ended = await desk.agreed(no), await desk.agreed(closed)
    old = desk.calendar
    extra = RegionalDay(desk.calendar.add(desk.today, 2).day, "自治区成立纪念")
    new = make_calendar(
        old.region,
        old.published_from,
        old.published_through,
        old.off,
        old.work,
        regional=(*old.regional, extra),
    )
    monkeypatch.setattr(federation, "official_calendar", lambda *_: new)
    items = chosen(UP, COUNTYS, INSTANT, URGENT, JOINT, STRICT)
    await publish(desk.city, 3, items)
    after = await desk.agreed(no)
    assert before.due
    assert after.due
    assert new.between(before.due, after.due) == 1
    assert after.calendar == new.version != before.calendar
    assert await desk.agreed(closed) == ended
    table = table_of(RecountRow).c
    row = desk.city[COUNTY].read(lambda session: session.execute(select(table).where(table.no == no)).one())
    assert (row.due_before, row.due, row.before) == (before.due, after.due, before.calendar)
    assert isinstance(row.due, date)
