"""A document as PDF is the printed page: same number, same count, A4, drawn without asking the network for anything."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from io import BytesIO

import pytest
import pytest_asyncio
from pypdf import PdfReader

from node.cases import actions
from node.documents import issue, pdf
from tests.databases import Databases
from tests.desks import Desks
from tests.federation import AGENT, CLERK, divisions, form, part_of
from tests.handled import issued

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(bool(pdf.lacking()) and "CI" not in os.environ, reason=pdf.lacking()),
]
COUNTY = "640221000000"
A4_POINTS, A5_POINTS = (595, 842), (420, 595)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desks(databases: Databases) -> AsyncIterator[Desks]:
    found = await Desks.open(part_of(divisions()), databases)
    yield found
    await found.city.close()


async def accepted(desks: Desks) -> tuple[str, str]:
    """A case of the county with its 受理通知书: its number, and the address of the sheet."""
    city = desks.city
    village = next(place.code for place in city.roster if not city.roster.children(place.code))
    no = await city[village].do(actions.file_case, AGENT, form("SZS-019"))
    await city.settle()
    await city[COUNTY].do(actions.accept, CLERK, no)
    return no, f"/cases/{no}/documents/D02"


def prints(desks: Desks, no: str) -> int:
    row = issued(desks.city[COUNTY], no).get("D02")
    return int(row.prints) if row else 0


def squeezed(text: str) -> str:
    return "".join(text.split())


async def test_the_pdf_is_the_printed_page_and_a_second_one_says_so(desks: Desks) -> None:
    no, sheet = await accepted(desks)
    number = issued(desks.city[COUNTY], no)["D02"].number
    async with desks.at(COUNTY, "clerk") as clerk:
        assert 'name="to" value="pdf"' in (await clerk.get(sheet)).text
        assert (await clerk.get(f"{sheet}.pdf")).status_code == 409
        drawn = []
        for nth in (1, 2):
            sent = await clerk.submit(f"{sheet}/print", {"to": "pdf"})
            assert (sent.status_code, prints(desks, no)) == (303, nth)
            answer = await clerk.get(sent.headers["location"])
            assert answer.headers["content-type"] == "application/pdf"
            assert answer.headers["cache-control"] == "no-store"
            drawn.append(PdfReader(BytesIO(answer.content)))
        assert prints(desks, no) == 2
    assert "weasyprint" not in sys.modules, "the node itself never loads it"
    first, second = ([squeezed(page.extract_text()) for page in one.pages] for one in drawn)
    (page,) = drawn[0].pages
    assert (round(page.mediabox.width), round(page.mediabox.height)) == A4_POINTS
    assert len(first) == len(second) == 1
    for text in (first[0], second[0]):
        assert "受理通知书" in text
        assert squeezed(number) in text
        assert "退出登录" not in text
    assert "补打" not in first[0]
    assert "补打第1次" in second[0]


async def test_the_receipt_slip_comes_on_its_own_paper(desks: Desks) -> None:
    city = desks.city
    village = next(place.code for place in city.roster if not city.roster.children(place.code))
    no = await city[village].do(actions.file_case, AGENT, form("SZS-019"))
    async with desks.at(village, "agent") as agent, desks.at(village) as nobody:
        page = await agent.get(f"/cases/{no}/slip")
        assert f'href="/cases/{no}/slip.pdf"' in page.text
        answer = await agent.get(f"/cases/{no}/slip.pdf")
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.headers["cache-control"] == "no-store"
        assert (await nobody.get(f"/cases/{no}/slip.pdf")).status_code == 303
        (sheet,) = PdfReader(BytesIO(answer.content)).pages
        assert (round(sheet.mediabox.width), round(sheet.mediabox.height)) == A5_POINTS
        said = squeezed(sheet.extract_text())
        for text in ("收件凭证", "查询码", "尚未受理", "申请人王*收件人"):
            assert text in said
        assert "再办一件" not in said
    assert "640221197001010010" not in said


async def test_the_page_is_dressed_in_our_own_style_sheet(desks: Desks) -> None:
    sheet = desks.apps[COUNTY].state.pages.assets.url("ld.css")
    html = f"<html><link rel=stylesheet href='{sheet}'><p>见<p class=noprint>不见"
    (page,) = PdfReader(BytesIO(await pdf.Press().draw(html))).pages
    assert squeezed(page.extract_text()) == "见"


async def test_who_may_not_see_the_sheet_gets_no_pdf(desks: Desks) -> None:
    no, sheet = await accepted(desks)
    await desks.city[COUNTY].do(issue.print_document, CLERK, no, "D02")
    async with desks.at(COUNTY) as nobody, desks.at(COUNTY, "clerk") as clerk:
        assert (await nobody.get(f"{sheet}.pdf")).status_code == 303
        assert (await clerk.get(f"/cases/{no}/documents/D08.pdf")).status_code == 404


async def test_nothing_is_fetched_from_anywhere() -> None:
    calls = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.append(await reader.readline())
        writer.close()

    async with await asyncio.start_server(hear, "127.0.0.1", 0) as server:
        there = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        drawn = await pdf.Press().draw(
            f"<link rel=stylesheet href='{there}/a.css'><style>@import '{there}/b.css';"
            f"p{{background:url({there}/d.png)}}</style>"
            f"<p>申请人<img src='{there}/e.png'><img src='file://{__file__}'><object data='{there}/f'></object></p>"
            f"<svg><image href='{there}/g.svg'/></svg><link rel=attachment href='{there}/h'>"
            f"<link rel=attachment href='file://{__file__}'>"
        )
    assert calls == []
    found = PdfReader(BytesIO(drawn))
    assert "申请人" in found.pages[0].extract_text()
    assert not found.attachments


async def test_without_the_extra_the_page_is_still_printed_and_the_address_says_what_to_install(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    no, sheet = await accepted(desks)
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    async with desks.at(COUNTY, "clerk") as clerk:
        assert 'value="pdf"' not in (await clerk.get(sheet)).text
        for answer in (await clerk.get(f"{sheet}.pdf"), await clerk.submit(f"{sheet}/print", {"to": "pdf"})):
            assert answer.status_code == 501
            assert "liandong[pdf]" in answer.text
        assert prints(desks, no) == 0
        assert (await clerk.submit(f"{sheet}/print")).status_code == 303
    assert prints(desks, no) == 1


async def test_without_the_system_library_its_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "LIBRARY", "libnowhere.so.0")
    assert "libpangoft2-1.0-0" in pdf.lacking()
