"""Who keeps the system and who audits it do not see whom the cases are about."""

from collections.abc import AsyncIterator

import pytest

from node.cases import actions
from node.documents.kinds import KINDS
from tests.databases import Databases
from tests.desks import Desks
from tests.federation import AGENT, CLERK, divisions, form, part_of

COUNTY = "640221000000"
PERSONAL = ("王小明", "640221197001010010", "13895021234")


@pytest.fixture
async def desks(databases: Databases) -> AsyncIterator[Desks]:
    found = await Desks.open(part_of(divisions(), townships=1, villages=1), databases)
    yield found
    await found.city.close()


async def test_who_keeps_the_system_or_audits_it_sees_no_applicant(desks: Desks) -> None:
    city = desks.city
    township = city.roster.children(COUNTY)[0].code
    village = city.roster.children(township)[0].code
    no = await city[village].do(actions.file_case, AGENT, form("SZS-019"))
    await city.settle()
    await city[COUNTY].do(actions.accept, CLERK, no)
    case = f"/cases/{no}"
    for who in ("admin", "auditor"):
        async with desks.at(COUNTY, who) as browser:
            page = await browser.get(case)
            assert page.status_code == 200
            assert "查看并留痕" not in page.text
            assert (await browser.submit(f"{case}/reveal", {"reason": "看看"})).status_code == 403
            for kind in KINDS:
                assert (await browser.get(f"{case}/documents/{kind}")).status_code == 403
                assert (await browser.submit(f"{case}/documents/{kind}/print", {})).status_code == 403
            for path in ("/ledger", "/ledger.xlsx", f"/api/cases/{no}/materials"):
                assert (await browser.get(path)).status_code == 403
            seen = [
                await browser.get(path)
                for path in (case, f"{case}/slip", f"/live{case}?part=materials", "/cases")
            ]
            assert not [word for one in seen for word in PERSONAL if word in one.text]
    async with desks.at(COUNTY, "clerk") as browser:
        shown = await browser.submit(f"{case}/reveal", {"reason": "核对证件"})
        assert all(word in shown.text for word in PERSONAL)
