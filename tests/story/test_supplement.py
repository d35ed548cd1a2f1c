"""A supplement (补正) is in time by the day it was signed, however long its village's line was down."""

from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest

from node.cases import actions, deadlines, findings
from node.cases.model import SubmissionRow
from node.db import table_of
from node.figures.report import declare_due
from protocol.lifecycle import State
from tests.databases import Databases
from tests.desks import Desks
from tests.federation import AGENT, CLERK, form
from tests.handled import CITY, COUNTY, TOWNSHIP, VILLAGE, Desk, small_city

ITEM, WINDOW, PAPER = "SZS-001", "SZS-019", "居民身份证"
HEARERS = (VILLAGE, TOWNSHIP, COUNTY, CITY)


@pytest.fixture
async def desk(databases: Databases) -> AsyncIterator[Desk]:
    found = Desk(await small_city(databases, ITEM, WINDOW))
    yield found
    await found.city.close()


async def returned(desk: Desk) -> tuple[str, date]:
    """A case that waits for its supplement, the village's line cut: (number, last day to answer)."""
    no = await desk.filed(ITEM, materials=("最低生活保障申请表",))
    await desk.at(TOWNSHIP, actions.take, CLERK, no)
    defects = [{"material": PAPER, "problem": "缺"}]
    await desk.at(TOWNSHIP, actions.return_for_correction, CLERK, no, defects)
    last = (await desk.agreed(no)).reply_by
    assert last is not None
    desk.city.line(VILLAGE).away = True
    return no, last


async def swept(desk: Desk, day: date) -> State:
    """How the case stands at the township after that morning's sweep."""
    await desk.on(day)
    await desk.city.settle()
    await desk.city[TOWNSHIP].do(deadlines.sweep)
    (row,) = desk.city[TOWNSHIP].read(
        lambda s: s.connection().exec_driver_sql("SELECT state FROM cases").all()
    )
    return State(row[0])


async def reconnected(desk: Desk) -> None:
    desk.city.line(VILLAGE).away = False
    for _ in range(3):
        await desk.city.later(4000)


def answers(desk: Desk, place: str) -> list[str]:
    table = table_of(SubmissionRow)
    return [row.answered for row in desk.city[place].read(lambda s: s.execute(table.select()).all())]


def noted(desk: Desk, place: str, no: str) -> list[tuple[str, str]]:
    return [
        (row.rule, row.place) for row in desk.city[place].read(findings.of_case, no) if row.rule == "AB11"
    ]


async def test_a_term_does_not_end_while_its_village_has_not_been_heard(desk: Desk) -> None:
    no, last = await returned(desk)
    await desk.city[VILLAGE].do(actions.supplement, AGENT, no, [PAPER], "补上")
    assert await swept(desk, last + timedelta(days=10)) is State.CORRECTING
    await reconnected(desk)
    assert (await desk.agreed(no)).state is State.RECEIVED
    assert [answers(desk, place) for place in HEARERS] == [["case.corrected"]] * 4
    assert [noted(desk, place, no) for place in HEARERS] == [[]] * 4


async def test_a_term_ends_when_its_village_has_been_heard_and_has_sent_nothing(desk: Desk) -> None:
    _, last = await returned(desk)
    assert await swept(desk, last + timedelta(days=1)) is State.CORRECTING
    await desk.city[VILLAGE].do(declare_due)
    await reconnected(desk)
    assert await swept(desk, last + timedelta(days=2)) is State.TERMINATED


async def test_what_was_in_time_and_came_after_the_end_is_told_everywhere_and_shown_to_whom_it_concerns(
    desk: Desk,
) -> None:
    no, last = await returned(desk)
    await desk.city[VILLAGE].do(actions.supplement, AGENT, no, [PAPER], "补上")
    assert await swept(desk, last + timedelta(days=30)) is State.CORRECTING
    assert await swept(desk, last + timedelta(days=31)) is State.TERMINATED
    await reconnected(desk)
    assert (await desk.agreed(no)).state is State.TERMINATED
    assert [answers(desk, place) for place in HEARERS] == [["too_late"]] * 4
    assert [noted(desk, place, no) for place in HEARERS] == [[("AB11", TOWNSHIP)]] * 4
    desks = Desks(desk.city)  # people whose passwords are not ninety days old
    for place, told in ((VILLAGE, True), (TOWNSHIP, True), (COUNTY, False)):
        async with desks.at(place, "clerk") as browser:
            page = (await browser.get(f"/cases/{no}")).text
        assert ("请告知申请人并重新收件登记" in page) == told
        assert "申请人已按期补正，送到时本件已因期限届满终止" in page


async def test_what_was_late_and_came_after_the_end_is_told_and_is_no_finding(desk: Desk) -> None:
    no, last = await returned(desk)
    await swept(desk, last + timedelta(days=2))
    await desk.city[VILLAGE].do(actions.supplement, AGENT, no, [PAPER], "晚了")
    assert await swept(desk, last + timedelta(days=31)) is State.TERMINATED
    await reconnected(desk)
    assert [answers(desk, place) for place in HEARERS] == [["too_late"]] * 4
    assert [noted(desk, place, no) for place in HEARERS] == [[]] * 4


async def test_a_window_that_holds_its_own_case_takes_its_supplement_up_at_once(desk: Desk) -> None:
    county = desk.city[COUNTY]
    no = await county.do(actions.file_case, CLERK, form(WINDOW, agent=False))
    paper = form(WINDOW).materials[0]
    await county.do(actions.return_for_correction, CLERK, no, [{"material": paper, "problem": "看不清"}])
    await county.do(actions.supplement, CLERK, no, [paper], "")
    assert (await desk.case(no, COUNTY)).state is State.RECEIVED
    assert answers(desk, COUNTY) == ["case.corrected"]
