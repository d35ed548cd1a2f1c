"""The day a step is dated: never after it was signed, and noted where it is long before. Only its own two days are compared."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select

from node.cases import actions
from node.db import table_of
from node.exchange.model import EventRow
from node.work import civil_date
from protocol.lifecycle import State
from tests.attack.rogue import Rogue, line, name, post
from tests.databases import Databases
from tests.federation import REVIEWER
from tests.handled import CITY, COUNTY, TOWNSHIP, VILLAGE, Desk, small_city

pytestmark = pytest.mark.asyncio(loop_scope="module")
ITEM = "SZS-001"
HEARERS = (VILLAGE, COUNTY, CITY)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(databases: Databases) -> AsyncIterator[Desk]:
    found = Desk(await small_city(databases, ITEM))
    yield found
    await found.city.close()


async def reviewed(desk: Desk, no: str, days: int, **more: Any) -> str:
    """The township's program dates its review so many days from the day it signs it; the name of the event."""
    case = await desk.agreed(no)
    rogue = Rogue(desk.city, TOWNSHIP)
    on = civil_date(desk.city.now) + timedelta(days=days)
    said = {"on": on.isoformat(), "by": "reviewer", "opinion": "同意", **more}
    event = line(rogue.step("case.reviewed", no, case.n + 1, case.head, HEARERS, **said))
    for reader in HEARERS:
        post(desk.city, reader, TOWNSHIP, rogue.parcel(event))
    await desk.city.settle()
    return name(event)


async def fate(desk: Desk, place: str, event: str) -> tuple[str, str]:
    table = table_of(EventRow).c
    row = desk.city[place].read(
        lambda session: session.execute(select(table.state, table.rule).where(table.hash == event)).one()
    )
    return row.state, row.rule


@pytest.mark.parametrize("days", [1, 7, 3000])
async def test_a_step_dated_after_it_was_signed_is_refused_and_noted(desk: Desk, days: int) -> None:
    no = await desk.accepted(ITEM)
    event = await reviewed(desk, no, days)
    for reader in HEARERS:
        assert await fate(desk, reader, event) == ("quarantined", "L-10")
        assert (await desk.case(no, reader)).state is State.ACCEPTED
        assert "AB17" in await desk.findings(no, reader)
    # the case is not held up by it: the honest step under the same number counts
    await desk.at(TOWNSHIP, actions.review, REVIEWER, no, "同意", "齐全")
    assert (await desk.agreed(no)).state is State.DECIDING


@pytest.mark.parametrize(("days", "noted"), [(0, False), (-3, False), (-4, True), (-30, True)])
async def test_a_step_dated_before_it_was_signed_counts_and_is_noted_where_it_is_long_before(
    desk: Desk, days: int, noted: bool
) -> None:
    desk.city.now = datetime(2026, 4, 20, 2, 0, tzinfo=UTC)  # a Monday; Friday is one working day before
    no = await desk.accepted(ITEM)
    event = await reviewed(desk, no, days)
    for reader in HEARERS:
        assert await fate(desk, reader, event) == ("applied", "")
        assert ("AB17" in await desk.findings(no, reader)) is noted


async def test_the_day_is_the_civil_day_and_the_readers_clock_is_not_asked(desk: Desk) -> None:
    desk.city.now = datetime(2026, 5, 11, 1, 0, tzinfo=UTC)
    no = await desk.accepted(ITEM)
    desk.city.now = datetime(2026, 5, 11, 16, 30, tzinfo=UTC)  # half past midnight of the 12th in Shanghai
    event = await reviewed(desk, no, 0, on="2026-05-12")
    assert await fate(desk, CITY, event) == ("applied", "")

    desk.city.now = datetime(2026, 5, 13, 1, 0, tzinfo=UTC)
    no = await desk.accepted(ITEM)
    case, rogue = await desk.agreed(no), Rogue(desk.city, TOWNSHIP)
    said = {"on": "2026-05-14", "by": "reviewer", "opinion": "同意"}
    parcel = line(rogue.step("case.reviewed", no, case.n + 1, case.head, HEARERS, **said))
    kept = rogue.parcel(parcel)
    desk.city.now += timedelta(days=5)  # carried by hand, read when the day has long come
    post(desk.city, VILLAGE, TOWNSHIP, kept)
    await desk.city.settle()
    assert await fate(desk, VILLAGE, name(parcel)) == ("quarantined", "L-10")
