"""The ledger as a page and as a workbook."""

from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter
from fastapi.responses import Response

from node import audit
from node.agency.ledger import COLUMNS, Ledger, as_xlsx, rows
from node.desk.frame import AtWork, Desk
from node.desk.frame import show as answer
from node.errors import BadForm
from node.pages import links
from node.pages.views.cases import Filters
from node.pages.views.common import Field
from node.work import Work, civil_date

router = APIRouter(include_in_schema=False)
PATH = "/ledger"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class LedgerView:
    """The ledger of a period."""

    ledger: Ledger
    columns: tuple[str, ...]
    filters: Filters
    export_href: str


async def _ledger(desk: Desk, first: str, last: str) -> Ledger:
    today = civil_date(desk.now)
    begin, end = _day(first, today.replace(day=1), "first"), _day(last, today, "last")
    if end < begin:
        raise BadForm({"last": "止日早于起日"})
    node = desk.node
    found = await node.db.read_slow(lambda session: rows(session, node.know, begin, end))
    return Ledger(desk.page().centre, begin, end, found, desk.now, desk.who.name)


def _day(text: str, otherwise: date, field: str) -> date:
    try:
        return date.fromisoformat(text) if text else otherwise
    except ValueError:
        raise BadForm({field: "日期应写作 2026-11-22"}) from None


@router.get(PATH)
async def ledger_page(desk: AtWork, first: str = "", last: str = "") -> Response:
    """代办台账."""
    found = await _ledger(desk, first, last)
    days = (("first", "自", found.first), ("last", "至", found.last))
    view = LedgerView(
        ledger=found,
        columns=COLUMNS,
        filters=Filters(
            action=PATH,
            fields=tuple(
                Field(name=name, label=label, kind="date", value=day.isoformat(), half=True)
                for name, label, day in days
            ),
        ),
        export_href=links.query(f"{PATH}.xlsx", first=found.first.isoformat(), last=found.last.isoformat()),
    )
    page = desk.page()
    return answer(page.pages.draw("ledger.html", page, view))


@router.get(f"{PATH}.xlsx")
async def ledger_book(desk: AtWork, first: str = "", last: str = "") -> Response:
    """The workbook; who took it is in the audit log."""
    found = await _ledger(desk, first, last)
    await desk.node.do(_note, desk.who.login, found.scope)
    name = f"ledger-{desk.node.place}-{found.first:%Y%m%d}-{found.last:%Y%m%d}.xlsx"
    return Response(
        as_xlsx(found), media_type=XLSX, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _note(work: Work, login: str, scope: str) -> None:
    audit.record(work.session, login, "ledger.export", scope[:200], now=work.now)
