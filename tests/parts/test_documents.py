"""Documents are drawn from the signed steps, numbered once, and marked when printed again."""

from collections.abc import AsyncIterator

import pytest

from node.cases import actions
from node.documents import issue
from node.errors import NotFound
from tests.federation import AGENT, CLERK, Federation, divisions, form, part_of

COUNTY = "640221000000"


@pytest.fixture
async def city() -> AsyncIterator[Federation]:
    found = await Federation(part_of(divisions())).open()
    yield found
    await found.close()


def village_of(city: Federation) -> str:
    township = city.roster.children(COUNTY)[0]
    return city.roster.children(township.code)[0].code


def kinds(city: Federation, place: str, no: str) -> list[str]:
    node = city[place]
    return [kind.id for kind in issue.offered(node.read(issue.subject_of, node.know, no))]


async def test_a_document_exists_once_its_step_is_said_and_keeps_its_number(city: Federation) -> None:
    village = village_of(city)
    no = await city[village].do(actions.file_case, AGENT, form("SZS-019"))
    await city.settle()
    assert kinds(city, village, no) == ["D01", "D11", "D12", "D14"]
    assert "D02" not in kinds(city, COUNTY, no)

    await city[COUNTY].do(actions.accept, CLERK, no)
    await city.settle()
    assert "D02" in kinds(city, COUNTY, no)
    assert await city[COUNTY].do(issue.print_document, CLERK, no, "D02") == 0
    first = city[COUNTY].read(issue.issued, no)["D02"]
    assert first.number == "石平受字〔2026〕00001号"
    assert await city[COUNTY].do(issue.print_document, CLERK, no, "D02") == 1
    again = city[COUNTY].read(issue.issued, no)["D02"]
    assert (again.number, again.prints) == (first.number, 2)


async def test_what_the_acceptance_says_is_what_was_signed(city: Federation) -> None:
    village = village_of(city)
    no = await city[village].do(actions.file_case, AGENT, form("SZS-019"))
    await city.settle()
    await city[COUNTY].do(actions.accept, CLERK, no)
    node = city[COUNTY]
    subject = node.read(issue.subject_of, node.know, no)
    sheet = issue.content(subject, next(kind for kind in issue.offered(subject) if kind.id == "D02"))
    assert sheet.to == "王小明"
    assert ("承诺办结日", "2026年3月16日") in sheet.facts


async def test_no_document_without_its_step_and_none_at_a_supervisor(city: Federation) -> None:
    village = village_of(city)
    no = await city[village].do(actions.file_case, AGENT, form("SZS-019"))
    await city.settle()
    with pytest.raises(NotFound):
        await city[village].do(issue.print_document, AGENT, no, "D07")
    with pytest.raises(NotFound, match="不是本件的办理方"):
        await city[city.roster.city.code].do(issue.print_document, CLERK, no, "D01")
