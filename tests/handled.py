"""A small city with a few items, for tests of handling: who sits where, how days pass, how a case gets somewhere.

city = await small_city(databases, "SZS-001")
desk = Desk(city)
no = await desk.filed("SZS-001")
await desk.at(TOWNSHIP, actions.accept, CLERK, no)
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, select

from node.accounts import actions as accounts
from node.accounts.roles import Role
from node.cases import actions
from node.cases.model import CaseRow, FindingRow, to_case
from node.db import table_of
from node.documents import issue
from node.node import Node
from node.work import civil_date
from protocol.catalogue import Item
from protocol.lifecycle import Case
from protocol.workdays import Calendar
from tests.databases import Databases
from tests.federation import AGENT, CHIEF, CLERK, REVIEWER, Federation, divisions, form, part_of, real_items

ROSTER = part_of(divisions())
CITY, COUNTY, TOWNSHIP, VILLAGE = (place.code for place in ROSTER.subtree(ROSTER.city.code))


def chosen(*ids: str) -> tuple[Item, ...]:
    """Some of the real items."""
    return tuple(item for item in real_items()[0] if item.id in ids)


async def publish(city: Federation, number: int, items: tuple[Item, ...]) -> None:
    """An edition of just these items and their deeds."""
    ids = {item.id for item in items}
    await city.publish(number, items, tuple(deed for deed in real_items()[1] if deed.item in ids))


async def small_city(databases: Databases, *ids: str) -> Federation:
    """City, county, township and village, with these items published."""
    city = await Federation(ROSTER, databases, publish=False).open()
    await publish(city, 1, chosen(*ids))
    return city


def hire(node: Node, *people: str) -> None:
    """Have these people work at a node: each one's login, name and staff number are the same word."""
    for name in people:
        node.db.write_now(
            lambda session, name=name: accounts.create_user(
                session, node.clock(), None, login=name, name=name, staff_no=name, place=node.place,
                roles=[Role.CLERK], password_hash="x", must_change=False,
            )
        )  # fmt: skip


class Desk:
    """Short ways through a small city."""

    def __init__(self, city: Federation) -> None:
        self.city = city
        self.acted = ""
        """The node that has said something nobody else may have heard yet."""

    @property
    def today(self) -> date:
        return civil_date(self.city.now)

    @property
    def calendar(self) -> Calendar:
        catalogue = self.city[CITY].know.catalogue
        assert catalogue is not None
        assert catalogue.calendar is not None
        return catalogue.calendar

    async def next_monday(self) -> date:
        """Nine in the morning of the next Monday that is worked."""
        day = self.today + timedelta(days=1)
        while day.weekday() or not self.calendar.is_workday(day):
            day += timedelta(days=1)
        return await self.on(day)

    async def on(self, day: date, hour: int = 9) -> date:
        """That civil day, at that hour in China."""
        self.city.now = datetime(day.year, day.month, day.day, hour, tzinfo=UTC) - timedelta(hours=8)
        for hub in self.city.hubs.values():
            hub.forget()
        self.acted = self.acted or "time"
        return day

    async def workdays(self, count: int) -> date:
        """So many working days on."""
        return await self.on(self.calendar.add(self.today, count).day)

    async def at(self, place: str, action: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Do something at a node, after everything said elsewhere has arrived."""
        await self.heard(place)
        self.acted = place
        return await self.city[place].do(action, *args, **kwargs)

    async def heard(self, place: str = "") -> None:
        """Until nothing moves, unless only `place` itself has said something."""
        if self.acted and self.acted != place:
            await self.city.settle()
            self.acted = ""

    async def filed(self, item: str, **changes: Any) -> str:
        """A case filed at the village, for the place the catalogue names."""
        return str(await self.at(VILLAGE, actions.file_case, AGENT, form(item, **changes)))

    async def accepted(self, item: str, place: str = TOWNSHIP, **changes: Any) -> str:
        """A case accepted today."""
        no = await self.filed(item, **changes)
        await self.at(place, actions.accept, CLERK, no)
        return no

    async def reviewed(self, item: str, place: str = TOWNSHIP) -> str:
        """A case that waits for its decision."""
        no = await self.accepted(item, place)
        await self.at(place, actions.review, REVIEWER, no, "同意", "齐全")
        return no

    async def sent_up(self, no: str) -> None:
        """Reviewed at the township, and taken at the county."""
        await self.at(TOWNSHIP, actions.review, REVIEWER, no, "同意", "初审同意")
        await self.at(TOWNSHIP, actions.forward, CHIEF, no, COUNTY, "初审同意，报请决定")
        await self.at(COUNTY, actions.take, CLERK, no)

    async def case(self, no: str, place: str = VILLAGE) -> Case:
        """The fold as a node has it."""
        await self.heard(place)
        row = self.city[place].read(lambda session: session.get(CaseRow, no))
        assert row is not None
        return to_case(row)

    async def agreed(self, no: str) -> Case:
        """The fold, the same at every tier."""
        await self.heard()
        found = [await self.case(no, place) for place in (VILLAGE, TOWNSHIP, COUNTY, CITY)]
        assert all(one == found[0] for one in found)
        return found[0]

    async def findings(self, no: str, place: str = CITY) -> set[str]:
        """Rules that a node noted about a case."""
        await self.heard(place)
        table = table_of(FindingRow).c
        return set(
            self.city[place].read(
                lambda session: session.execute(select(table.rule).where(table.no == no)).scalars().all()
            )
        )


__all__ = ["CITY", "COUNTY", "TOWNSHIP", "VILLAGE", "Desk", "chosen", "hire", "publish", "small_city"]


def issued(node: Node, no: str) -> dict[str, Row[Any]]:
    """The numbered documents of a case at a node, by kind."""
    return node.read(issue.issued, node.read(issue.subject_of, node.know, no))
