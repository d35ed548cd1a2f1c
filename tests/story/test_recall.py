"""Power handed down and taken back (下放、收回): a case reaches the one level that may decide it, and no other can decide."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from node.cases import actions
from node.cases.deadlines import sweep
from node.errors import Conflict, NodeError
from node.exchange.model import OutState
from node.exchange.outbox import outstanding
from node.exchange.views import unfinished
from node.work import civil_date
from protocol.catalogue import Deed, DeedForm
from protocol.lifecycle import Case, State
from protocol.places import Code, Place, Tier
from protocol.roster import Roster
from tests.agreement import agree, cases_of
from tests.databases import Databases
from tests.federation import AGENT, CHIEF, CLERK, REVIEWER, Federation, divisions, form, part_of, real_items
from tests.handled import chosen

ITEM = "SZS-071"
"""Handed down to every township of one county only; the others' county decides."""
ANYWHERE = "SZS-029"
"""Handed down in the same county, and of all three tiers."""
CITY, DEVOLVED, OTHER = "640200000000", "640205000000", "640202000000"
STREET, BLOCK = "640200100000", "640200100201"
"""A township without a county above it, as in a city without counties."""


def roster() -> Roster:
    part = part_of(divisions(), counties=2, first=DEVOLVED)
    street = Place(Code(STREET), "市直街道", Tier.TOWNSHIP, Code(CITY))
    return Roster([*part, street, Place(Code(BLOCK), "市直社区", Tier.VILLAGE, street.code)])


ITEMS = chosen(ITEM, ANYWHERE)
DEEDS = tuple(deed for deed in real_items()[1] if deed.item in (ITEM, ANYWHERE) and deed.giver == DEVOLVED)
WHOLE = roster()
TOWNSHIP = WHOLE.children(DEVOLVED)[0].code
VILLAGE = WHOLE.children(TOWNSHIP)[0].code
OTHER_VILLAGE = WHOLE.children(WHOLE.children(OTHER)[0].code)[0].code
LINE = (VILLAGE, TOWNSHIP, DEVOLVED, CITY)


@dataclass
class Power:
    """The city, and what is done there with the item and the power over it."""

    city: Federation
    edition: int = 1

    @property
    def today(self) -> date:
        return civil_date(self.city.now)

    async def recall(self, in_flight: str = "stay", days: int = 0) -> None:
        """The county takes the power back from its townships, so many days from now; published by the city today."""
        self.edition += 1
        back = Deed(
            id=f"{ITEM}-back", item=ITEM, form=DeedForm.RECALL, giver=DEVOLVED, to_every=Tier.TOWNSHIP,
            effective=self.today + timedelta(days=days), in_flight=in_flight, source="收回决定",
            approvers=("部门", "法制"),
        )  # type: ignore[arg-type]  # fmt: skip
        await self.city.publish(self.edition, ITEMS, (*DEEDS, back))

    async def next_day(self) -> None:
        await self.city.later(86400)
        for node in self.city.nodes.values():
            await node.do(sweep)
        await self.city.settle()

    async def filed(self, village: str = VILLAGE, item: str = ITEM) -> str:
        no = str(await self.city[village].do(actions.file_case, AGENT, form(item)))
        await self.city.settle()
        return no

    async def accepted(self) -> str:
        no = await self.filed()
        await self.city[TOWNSHIP].do(actions.accept, CLERK, no)
        await self.city.settle()
        return no

    def case(self, no: str, place: str = CITY) -> Case:
        return self.city[place].read(cases_of)[no]

    async def decides(self, place: str, no: str) -> None:
        """`place` brings the case to its end; nobody else in the line could."""
        others = [one.code for one in WHOLE.line(Code(no[:12])) if one.code != place]
        for other in others:
            with pytest.raises(NodeError):
                await self.city[other].do(actions.decide, CHIEF, no, "granted", "")
        node = self.city[place]
        if self.case(no, place).state in (State.FILED, State.FORWARDED):
            await node.do(actions.take, CLERK, no)
        if self.case(no, place).state is State.RECEIVED:
            await node.do(actions.accept, CLERK, no)
        await node.do(actions.review, REVIEWER, no, "同意", "齐全")
        await node.do(actions.decide, CHIEF, no, "granted", "")
        await self.city.settle()
        assert (self.case(no, no[:12]).state, self.case(no, no[:12]).holder) == (State.CLOSED, place)


async def opened(roster: Roster, databases: Databases) -> Power:
    city = await Federation(roster, databases, publish=False).open()
    await city.publish(1, ITEMS, DEEDS)
    return Power(city)


@pytest.fixture
async def power(databases: Databases) -> AsyncIterator[Power]:
    """One line from a village to the city."""
    found = await opened(part_of(divisions(), first=DEVOLVED), databases)
    yield found
    await found.city.close()


async def test_the_same_item_ends_at_three_levels(databases: Databases) -> None:
    power = await opened(WHOLE, databases)
    for village, decides in ((VILLAGE, TOWNSHIP), (OTHER_VILLAGE, OTHER), (BLOCK, CITY)):
        no = await power.filed(village, ANYWHERE)
        assert power.case(no).speaker == decides
        await power.decides(decides, no)
    assert all(node.read(outstanding) == 0 for node in power.city.nodes.values())
    await power.city.close()


async def test_recalled_while_in_transit(power: Power) -> None:
    """Filed for the township, not taken yet: it passes the case on by itself, and the resident notices nothing."""
    no = await power.filed()
    await power.recall()
    case = power.case(no)
    assert (case.state, case.target, case.edition) == (State.FILED, DEVOLVED, 2)
    with pytest.raises(Conflict):
        await power.city[TOWNSHIP].do(actions.take, CLERK, no)
    await power.decides(DEVOLVED, no)
    agree(power.city, LINE)


async def test_recalled_while_the_township_holds_it(power: Power) -> None:
    no = await power.filed()
    await power.city[TOWNSHIP].do(actions.take, CLERK, no)
    await power.recall()
    assert (power.case(no).state, power.case(no).target) == (State.FORWARDED, DEVOLVED)
    await power.decides(DEVOLVED, no)
    agree(power.city, LINE)


async def test_recalled_after_acceptance_and_the_deed_says_stay(power: Power) -> None:
    no = await power.accepted()
    await power.next_day()
    await power.recall("stay")
    await power.next_day()
    assert (power.case(no).state, power.case(no).holder) == (State.ACCEPTED, TOWNSHIP)
    with pytest.raises(NodeError):
        await power.city[TOWNSHIP].do(actions.forward, CHIEF, no, DEVOLVED, "收回了")
    await power.decides(TOWNSHIP, no)
    await power.decides(DEVOLVED, await power.filed())
    agree(power.city, LINE)


async def test_recalled_after_acceptance_and_the_deed_says_move(power: Power) -> None:
    no = await power.accepted()
    await power.recall("move")
    assert (power.case(no).state, power.case(no).target) == (State.FORWARDED, DEVOLVED)
    due = power.case(no).due
    await power.decides(DEVOLVED, no)
    assert power.case(no).due == due  # no limit moves against the applicant
    agree(power.city, LINE)


@pytest.mark.parametrize("in_flight", ["stay", "move"])
async def test_a_recall_told_ahead_takes_effect_on_its_day(power: Power, in_flight: str) -> None:
    """Everybody holds the edition for days; nothing moves before the day, and on the day nothing is left behind."""
    await power.recall(in_flight, days=2)
    accepted, held, on_its_way = await power.accepted(), await power.filed(), await power.filed()
    await power.city[TOWNSHIP].do(actions.take, CLERK, held)
    await power.next_day()
    assert {power.case(no).holder for no in (accepted, held)} == {TOWNSHIP}
    await power.next_day()
    moved = {accepted: in_flight == "move", held: True}
    for no, moves in moved.items():
        assert (power.case(no).target == DEVOLVED) == moves, no
    await power.city[TOWNSHIP].do(actions.take, CLERK, on_its_way)
    await power.city.settle()
    assert power.case(on_its_way).target == DEVOLVED
    for no, moves in {**moved, on_its_way: True}.items():
        await power.decides(DEVOLVED if moves else TOWNSHIP, no)
    agree(power.city, LINE)


async def test_a_village_offline_files_under_the_old_edition(power: Power) -> None:
    """What it files goes to the township it knows, which knows better; the agent and the resident do nothing again."""
    power.city.line(VILLAGE).away = True
    await power.recall()
    await power.next_day()
    no = await power.filed()
    assert power.case(no, VILLAGE).target == TOWNSHIP
    power.city.line(VILLAGE).away = False
    await power.city.hello(VILLAGE)
    case = power.case(no)
    assert (case.state, case.target, case.edition) == (State.FILED, DEVOLVED, 2)
    assert power.case(no, VILLAGE) == case
    await power.decides(DEVOLVED, no)
    assert power.city[VILLAGE].know.edition == 2
    agree(power.city, LINE)


async def test_a_township_offline_decides_without_power(power: Power) -> None:
    """It cannot know; but who knows does not believe it, and its own list says so."""
    no = await power.accepted()
    await power.city[TOWNSHIP].do(actions.review, REVIEWER, no, "同意", "齐全")
    await power.city.settle()
    power.city.line(TOWNSHIP).away = True
    await power.recall("move")
    await power.next_day()
    await power.city[TOWNSHIP].do(actions.decide, CHIEF, no, "granted", "")
    power.city.line(TOWNSHIP).away = False
    await power.city.hello(TOWNSHIP)
    for place in (VILLAGE, DEVOLVED, CITY):
        assert power.case(no, place).state is State.DECIDING
        assert power.case(no, place).outcome == ""
    rows = power.city[TOWNSHIP].read(unfinished)
    granted = [row for row in rows if row.kind == "case.granted"]
    assert {(row.place, row.state, row.rule) for row in granted} == {
        (place, OutState.QUARANTINED, "L-2") for place in (VILLAGE, DEVOLVED, CITY)
    }


async def test_a_decision_on_its_way_when_the_recall_came_stands(power: Power) -> None:
    no = await power.accepted()
    await power.city[TOWNSHIP].do(actions.review, REVIEWER, no, "同意", "齐全")
    await power.city.settle()
    power.city.line(TOWNSHIP).away = True
    await power.city[TOWNSHIP].do(actions.decide, CHIEF, no, "granted", "")
    await power.city.later(86400)
    await power.recall("move")
    power.city.line(TOWNSHIP).away = False
    await power.city.hello(TOWNSHIP)
    assert {power.case(no, place).state for place in LINE} == {State.CLOSED}
    agree(power.city, LINE)
