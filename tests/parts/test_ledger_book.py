"""The agency ledger: the law's columns, masked, a workbook that opens and holds no formula."""

import zipfile
from collections.abc import AsyncIterator
from datetime import date
from io import BytesIO

import pytest

from node.agency.ledger import COLUMNS, Ledger, as_xlsx, rows
from node.cases import actions
from tests.databases import Databases
from tests.federation import AGENT, Federation, divisions, form, part_of


@pytest.fixture
async def city(databases: Databases) -> AsyncIterator[Federation]:
    found = await Federation(part_of(divisions()), databases).open()
    yield found
    await found.close()


async def test_the_ledger_of_a_station(city: Federation) -> None:
    county = city.roster.children(city.roster.city.code)[0]
    township = city.roster.children(county.code)[0]
    village = city[city.roster.children(township.code)[0].code]
    no = await village.do(actions.file_case, AGENT, form("SZS-019", note="=HYPERLINK(1)"))
    found = village.read(rows, village.know, date(2026, 3, 1), date(2026, 3, 31))
    assert len(found) == 1
    row = dict(zip(COLUMNS, found[0], strict=True))
    assert row["办件编号"] == no
    assert row["申请人"] == "王*"
    assert row["联系电话"] == "138****1234"
    assert row["收件日期"] == "2026-03-02"
    assert row["报送日期与去向"].endswith("待签收")
    assert row["受理日期"] == ""
    assert village.read(rows, village.know, date(2026, 4, 1), date(2026, 4, 30)) == []

    book = as_xlsx(Ledger("站", date(2026, 3, 1), date(2026, 3, 31), found, village.clock(), "杨志强"))
    inside = zipfile.ZipFile(BytesIO(book))
    sheet = inside.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "统计口径" in inside.read("xl/sharedStrings.xml").decode()
    assert "640221197001010010" not in inside.read("xl/sharedStrings.xml").decode()
