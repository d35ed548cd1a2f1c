"""Hand-overs (移交接收) and the receipt slip (收件凭证)."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from node.accounts.views import names
from node.cases import views
from node.cases.dossier import dossier, events_of
from node.cases.model import to_case
from node.desk import show
from node.desk.cases import offered
from node.desk.frame import Desk, Here
from node.desk.frame import show as answer
from node.documents import pdf
from node.documents.issue import lookup_code
from node.errors import NotFound
from node.pages import links, screens
from node.pages.render import answer_live
from node.pages.views.common import Cursor, Tab
from node.pages.views.filing import ReceiptView
from node.pages.views.handovers import HandoverRow, HandoverView
from node.work import civil_date
from protocol.lifecycle import IN_TRANSIT, State

router = APIRouter(include_in_schema=False)


# Hand-overs


def _handovers(desk: Desk, tab: str) -> HandoverView:
    node = desk.node
    incoming = node.read(views.find, node.place, views.Search("incoming", limit=100))
    leaving = [
        row
        for row in node.read(views.find, node.place, views.Search("elsewhere", limit=100))
        if State(row.state) in IN_TRANSIT and row.holder == node.place
    ]
    back = [
        row
        for row in node.read(views.find, node.place, views.Search("working", limit=100))
        if row.state == State.BOUNCED
    ]
    boxes = {"in": ("待接收", incoming), "out": ("已移出待接收", leaving), "back": ("被拒收", back)}
    key = tab if tab in boxes else "in"
    return HandoverView(
        tabs=tuple(
            Tab(
                label=label, href=links.query(links.HANDOVERS, tab=name), count=len(rows), current=name == key
            )
            for name, (label, rows) in boxes.items()
        ),
        rows=tuple(_handover(desk, row) for row in boxes[key][1]),
        cursor=Cursor(words=f"{len(boxes[key][1])} 件"),
    )


def _handover(desk: Desk, row: Any) -> HandoverRow:
    node = desk.node
    events = node.read(events_of, row.no)
    handed = next(
        (e for e in reversed(events) if e.kind in ("case.filed", "case.forwarded", "case.redirected")), None
    )
    wanted = {"take", "refuse-handover"}
    return HandoverRow(
        no=row.no,
        item=show.item_name(node, row.item),
        origin=show.place_name(node, handed.frm if handed else row.holder),
        to=show.place_name(node, row.target or row.holder),
        reason=str(handed.body.get("why", "")) if handed else "",
        sent_at=show.said_at(handed) if handed else row.changed_at,
        limit=show.limit_of(row, show.calendar_of(node.know.catalogue), civil_date(desk.now)),
        state=show.state_tag(row),
        materials=f"{row.materials} 份",
        actions=tuple(one for one in offered(desk, to_case(row)) if one.key in wanted),
    )


@router.get(links.HANDOVERS)
async def handovers(desk: Here, tab: str = "in") -> Response:
    """移交接收."""
    return answer(screens.handover_page(desk.page(), _handovers(desk, tab)))


# The slip


def _receipt(desk: Desk, no: str) -> ReceiptView:
    node = desk.node
    row = node.read(views.one, no)
    private = node.read(dossier, node.know, no)
    if private is None:
        raise NotFound("本节点不是本件的办理方，没有收件凭证")
    item = show.item_of(node, row.item)
    events = node.read(events_of, no)
    filed = next(event for event in events if event.kind == "case.filed")
    given = [str(name) for name in private.get("materials", ())]
    copies = {one.name: one.copies or 1 for one in item.materials} if item else {}
    by = str(filed.body.get("by", ""))
    needed = [one.name for one in item.materials if one.need == "必要"] if item else []
    return ReceiptView(
        no=no,
        item=show.item_name(node, row.item),
        applicant=show.applicant_of(private),
        station=desk.page().centre,
        officer=node.read(names).get(by, by),
        received_at=show.said_at(filed),
        materials=tuple((name, f"{copies.get(name, 1)} 份") for name in given),
        missing=tuple(name for name in needed if name not in given),
        promise=f"自受理起 {item.promised_limit}" if item else "",
        due=row.due,
        lookup_code=lookup_code(filed.hash),
        lookup_href=no,
        phone="见本站公示栏",
        complain="12345",
        reaches=tuple(
            one
            for _, one in show.reaches(
                node, [row for row in node.read(views.reach, no) if row.kind == "case.filed"]
            )
        ),
        stops=show.stops(node, row, events),
        live_href=f"/live/slip/{no}",
        pdf_href="" if pdf.lacking() else f"{links.slip(no)}.pdf",
    )


@router.get(links.CASES + "/{no}/slip")
async def slip(desk: Here, no: str) -> Response:
    """收件凭证."""
    return answer(screens.receipt_page(desk.page(), _receipt(desk, no)))


@router.get(links.CASES + "/{no}/slip.pdf")
async def slip_pdf(request: Request, desk: Here, no: str) -> Response:
    """收件凭证 as PDF, on the slip's paper; NotInstalled without the extra."""
    return await pdf.answer(request, screens.receipt_page(desk.page(), _receipt(desk, no)), f"收件凭证 {no}")


@router.get("/live/slip/{no}")
async def slip_live(request: Request, desk: Here, no: str) -> Response:
    """How far the filing got."""
    return answer_live(screens.receipt_live(desk.page(), _receipt(desk, no)), request.headers)
