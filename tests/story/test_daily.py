"""The daily report (日报) and what a hub counts itself agree, on whichever day the steps are dated."""

from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest

from node.cases import actions, deadlines
from node.figures import views
from node.figures.report import declare_due
from tests.databases import Databases
from tests.federation import AGENT, CLERK, form
from tests.handled import COUNTY, TOWNSHIP, VILLAGE, Desk, small_city

ITEM = "SZS-052"
RECEIVED, ACCEPTED = date(2026, 3, 26), date(2026, 4, 3)
"""A Thursday; and the first day on which five working days are over: in another month."""


@pytest.fixture
async def desk(databases: Databases) -> AsyncIterator[Desk]:
    found = Desk(await small_city(databases, ITEM))
    yield found
    await found.city.close()


async def next_day(desk: Desk) -> None:
    """A morning everywhere: what is due by time is done, then yesterday is declared."""
    await desk.on(desk.today + timedelta(days=1))
    await desk.city.settle()
    for node in desk.city.nodes.values():
        await node.do(deadlines.sweep)
        await node.do(declare_due)
    await desk.city.settle()


async def test_an_acceptance_by_time_is_declared_on_the_day_of_receipt(desk: Desk) -> None:
    await desk.on(RECEIVED)
    for node in desk.city.nodes.values():
        await node.do(declare_due)
    no = await desk.city[VILLAGE].do(actions.file_case, AGENT, form(ITEM))
    await desk.city.settle()
    await desk.city[TOWNSHIP].do(actions.take, CLERK, no)
    await next_day(desk)
    before = desk.city[COUNTY].read(views.agreement, RECEIVED, RECEIVED)[TOWNSHIP]
    assert (before.reports, before.accepted) == (1, (0, 0))
    while desk.today < ACCEPTED + timedelta(days=2):
        await next_day(desk)
    assert (await desk.case(no, COUNTY)).accepted_on == RECEIVED
    after = desk.city[COUNTY].read(views.agreement, RECEIVED, RECEIVED)[TOWNSHIP]
    assert (after.reports, after.accepted, after.beside) == (1, (1, 1), 0)
    later = desk.city[COUNTY].read(
        views.agreement, RECEIVED + timedelta(days=1), ACCEPTED + timedelta(days=1)
    )
    assert all(one.accepted == (0, 0) and not one.beside for one in later.values())
    for at in range((ACCEPTED - RECEIVED).days + 2):
        day = RECEIVED + timedelta(days=at)
        rows = desk.city[COUNTY].read(views.compared, day, (VILLAGE, TOWNSHIP))
        assert not [row for row in rows if row.differs or row.declared is None], day


async def test_a_day_is_declared_once_if_nothing_is_dated_back_to_it(desk: Desk) -> None:
    await desk.on(RECEIVED)
    town = desk.city[TOWNSHIP]
    assert await town.do(declare_due) == 1
    assert await town.do(declare_due) == 0
    await desk.on(RECEIVED + timedelta(days=3))
    assert await town.do(declare_due) == 3
