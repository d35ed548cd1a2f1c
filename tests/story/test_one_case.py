"""One case, from a village to the one level that may decide it, and back."""

from collections.abc import AsyncIterator

import pytest

from node.cases import actions
from node.cases.model import CaseRow
from node.exchange.outbox import outstanding
from protocol.lifecycle import State
from tests.databases import Addresses
from tests.federation import AGENT, CHIEF, CLERK, REVIEWER, Federation, divisions, form, part_of

CITY, COUNTY = "640200000000", "640221000000"


@pytest.fixture
async def city(addresses: Addresses) -> AsyncIterator[Federation]:
    """On SQLite, and on PostgreSQL: each node has a database of its own there."""
    found = await Federation(part_of(divisions(), townships=1, villages=2), address=addresses).open()
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
