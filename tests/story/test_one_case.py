"""One case, from a village to the one level that may decide it, and back."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, select
from sqlmodel import Session

from node.accounts.roles import Role
from node.capabilities import EVERY_TIER
from node.cases import actions
from node.cases.model import CaseRow
from node.db import Database, table_of
from node.errors import Conflict
from node.exchange.outbox import outstanding
from node.exchange.views import aside_counts
from node.figures.model import DailyReportRow
from node.figures.report import declare
from node.node import Node
from node.powers.views import authorisation
from protocol.lifecycle import State
from tests.agreement import agree
from tests.databases import Databases
from tests.federation import AGENT, CHIEF, CLERK, REVIEWER, Federation, divisions, form, officer, part_of

pytestmark = pytest.mark.every_database
CITY, COUNTY = "640200000000", "640221000000"


@pytest.fixture
async def city(databases: Databases) -> AsyncIterator[Federation]:
    found = await Federation(part_of(divisions(), townships=1, villages=2), databases).open()
    yield found
    await found.close()


def villages(city: Federation) -> tuple[str, str]:
    township = city.roster.children(COUNTY)[0]
    return city.roster.children(township.code)[0].code, township.code


def state(city: Federation, place: str, no: str) -> State | None:
    row = city[place].read(lambda session: session.get(CaseRow, no))
    return State(row.state) if row else None


async def test_a_case_the_county_decides(city: Federation) -> None:
    village, township = villages(city)
    no = await city[village].do(actions.file_case, AGENT, form("SZS-019"))
    await city.settle()
    assert {state(city, place, no) for place in (village, township, COUNTY, CITY)} == {State.FILED}

    await city[COUNTY].do(actions.accept, CLERK, no)
    await city[COUNTY].do(actions.review, REVIEWER, no, "同意", "材料齐全")
    await city[COUNTY].do(actions.decide, CHIEF, no, "granted", "")
    await city.settle()
    assert state(city, village, no) is State.CLOSED

    await city[village].do(actions.deliver, AGENT, no, "代办员送达", "王小明")
    await city.settle()
    assert {state(city, place, no) for place in (village, township, COUNTY, CITY)} == {State.DELIVERED}
    assert all(node.read(outstanding) == 0 for node in city.nodes.values())


async def test_the_line_is_down_all_morning(city: Federation) -> None:
    village, _ = villages(city)
    city.line(village).away = True
    no = await city[village].do(actions.file_case, AGENT, form("SZS-019"))
    await city.settle()
    assert state(city, COUNTY, no) is None
    assert city[village].read(outstanding) == 3

    city.line(village).away = False
    await city.hello(village)
    assert state(city, COUNTY, no) is State.FILED
    assert city[village].read(outstanding) == 0


async def test_clerks_at_two_windows_and_a_command_take_the_same_cases_at_once(city: Federation) -> None:
    """One of them has each case, and is told so; the others are told too late; everybody hears of one acceptance."""
    village, township = villages(city)
    node = city[COUNTY]
    forms = (form("SZS-019", again=f"第 {number} 宗") for number in range(4))
    numbers = await asyncio.gather(*(city[village].do(actions.file_case, AGENT, one) for one in forms))
    assert len(set(numbers)) == 4
    await city.settle()
    with Database(node.db.url, city.workers) as other:
        command = Node(node.config, node.know, other, node.bus, EVERY_TIER, city.clock)
        for no in numbers:
            answers = await asyncio.gather(
                *(
                    at.do(actions.accept, officer(who, Role.CLERK), no)
                    for at in (node, command)
                    for who in "ab"
                ),
                return_exceptions=True,
            )
            assert [type(one) for one in answers if one is not None] == [Conflict] * 3, answers
    await city.settle()
    agree(city, (village, township, COUNTY, CITY))
    assert {state(city, CITY, no) for no in numbers} == {State.ACCEPTED}


async def test_who_hears_of_a_new_village_late_waits_and_refuses_nothing(city: Federation) -> None:
    village, township = villages(city)
    late = city[township]
    await city.unaware(township, village)
    await city[village].do(lambda work: declare(work, work.today))
    no = await city[village].do(actions.file_case, AGENT, form("SZS-019"))
    await city.settle()
    await city[COUNTY].do(actions.accept, CLERK, no)
    await city[COUNTY].do(actions.review, REVIEWER, no, "同意", "材料齐全")
    await city[COUNTY].do(actions.decide, CHIEF, no, "granted", "")
    await city.settle()
    assert late.read(aside_counts)["quarantined"] == 0
    assert late.read(declared_by, village) == 1
    assert late.read(aside_counts)["waiting"] > 0
    assert state(city, township, no) is State.DECIDING

    await city.aware(township)
    assert state(city, township, no) is State.CLOSED
    assert not any(late.read(aside_counts).values())
    assert all(node.read(outstanding) == 0 for node in city.nodes.values())


async def test_who_is_authorised_in_a_village_that_is_not_known_yet_is_known_with_it(
    city: Federation,
) -> None:
    """What the township signed for its new village waits at whoever hears of the village later, and holds then."""
    village, township = villages(city)
    late = city[COUNTY]
    await city.unaware(COUNTY, village)
    (name,) = await city.authorise(village, "newcomer")
    await city.settle()
    assert late.read(aside_counts) == {"waiting": 1, "quarantined": 0, "unbelievable": 0}
    assert late.read(authorisation, name) is None

    await city.aware(COUNTY)
    assert not any(late.read(aside_counts).values())
    found = late.read(authorisation, name)
    assert found is not None
    assert found.person == "newcomer"
    assert city[township].read(outstanding) == 0


def declared_by(session: Session, place: str) -> int:
    """How many daily reports of this place are kept."""
    kept = table_of(DailyReportRow).c
    return session.execute(select(func.count()).where(kept.place == place)).scalar_one()
