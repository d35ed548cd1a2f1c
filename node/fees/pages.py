"""The list of bills as a page: states at a glance, statements taken in, settlement and refund."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.datastructures import UploadFile

from node.accounts.views import names
from node.cases.saying import may
from node.desk.frame import Desk, Here, onward
from node.desk.frame import show as answer
from node.desk.written import Written, text
from node.errors import BadForm
from node.fees import actions, views
from node.fees.actions import Report
from node.fees.bank import COLUMNS, MOST_BYTES, Statement
from node.pages import links
from node.pages.views.cases import Action, Filters
from node.pages.views.common import Choice, Field, Tag, Tone
from protocol.fees import BillState, yuan

router = APIRouter(include_in_schema=False)
PATH = "/fees"
_TONES = {BillState.DUE: Tone.WARN, BillState.PAID: Tone.CALM, BillState.REFUNDING: Tone.WARN}


@dataclass(frozen=True, slots=True)
class BillLine:
    """One bill on the list."""

    bill: str
    no: str
    name: str
    amount: str
    reduced: str
    """What it was before a reduction; "" without one."""
    billed_on: date
    issuer: str
    state: Tag
    actions: tuple[Action, ...] = ()
    """核销 and 退费（作废）, for those who may."""


@dataclass(frozen=True, slots=True)
class FeesView:
    """The list of bills."""

    bills: tuple[BillLine, ...]
    filters: Filters
    import_action: str
    """Where a statement is posted; "" for those who may not."""
    columns: str
    report: Report | None = None
    error: str = ""
    """Why a statement could not be read."""


def _view(
    desk: Desk, state: str = "", words: str = "", written: Written | None = None, report: Report | None = None,
    error: str = "",
) -> FeesView:  # fmt: skip
    rows = desk.node.read(views.bills, state=state, words=words.strip())
    known = desk.node.read(names)
    choices = (Choice(value="", label="全部状态"), *(Choice(value=one, label=one) for one in BillState))
    return FeesView(
        bills=tuple(_line(desk, row, known, written or Written()) for row in rows),
        filters=Filters(
            action=PATH,
            fields=(
                Field(name="q", label="通知书或办件编号", value=words, kind="search"),
                Field(name="state", label="状态", kind="select", value=state, choices=choices),
            ),
            active=bool(state) + bool(words),
        ),
        import_action=f"{PATH}/statement" if may(desk.who, "fee.paid") else "",
        columns="、".join(COLUMNS),
        report=report,
        error=error,
    )


def _line(desk: Desk, row: Any, known: dict[str, str], written: Written) -> BillLine:
    state = BillState(row.state)
    return BillLine(
        bill=row.bill,
        no=row.no,
        name=row.name,
        amount=yuan(row.amount_fen),
        reduced=yuan(row.full_fen) if row.full_fen != row.amount_fen else "",
        billed_on=row.billed_on,
        issuer=known.get(row.issuer, row.issuer),
        state=Tag(text=state.value, tone=_TONES.get(state, Tone.GOOD)),
        actions=_acts(desk, row.bill, state, written.of("refund", row.bill)),
    )


def _acts(desk: Desk, bill: str, state: BillState, written: Written) -> tuple[Action, ...]:
    found = []
    if state is BillState.ARRIVED and may(desk.who, "fee.paid"):
        found.append(Action(key=f"settle-{bill}", label="核销", action=f"{PATH}/{bill}/settle", rank="main"))
    over = state in (BillState.REFUNDING, BillState.REFUNDED, BillState.VOID)
    if not over and may(desk.who, "fee.refund"):
        label = "申请作废" if state is BillState.DUE else "申请退费"
        found.append(
            Action(
                key=f"refund-{bill}", label=label, action=f"{PATH}/{bill}/refund", open=written.back, error=written.error,
                fields=(written.field("why", "理由", maxlength=500),), hint="须另一人在“待批”中批准。",
            )
        )  # fmt: skip
    return tuple(found)


def _answer(desk: Desk, view: FeesView, status: int = 200) -> Response:
    page = desk.page()
    return answer(page.pages.draw("fees.html", page, view), status)


@router.get(PATH)
async def fees_page(request: Request, desk: Here, state: str = "", q: str = "", done: str = "") -> Response:
    """缴款通知书."""
    request.state.notice = {"settle": "已核销", "refund": "已提交，待另一人批准"}.get(done, "")
    return _answer(desk, _view(desk, state, q))


@router.post(PATH + "/statement")
async def take(request: Request, desk: Here) -> Response:
    """导入银行对账单."""
    file = (await request.form()).get("file")
    try:
        raw = await file.read(MOST_BYTES + 1) if isinstance(file, UploadFile) else b""
        report = await desk.node.do(actions.take_statement, desk.who, Statement(), raw)
    except BadForm as wrong:
        return _answer(desk, _view(desk, error=wrong.detail), wrong.status)
    return _answer(desk, _view(desk, report=report))


@router.post(PATH + "/{number}/settle")
async def settle(desk: Here, number: str) -> Response:
    """核销."""
    await desk.node.do(actions.settle, desk.who, number)
    return onward(links.query(PATH, done="settle"))


@router.post(PATH + "/{number}/refund")
async def refund(request: Request, desk: Here, number: str) -> Response:
    """申请退费（作废）."""
    form = await request.form()
    try:
        await desk.node.do(actions.ask_refund, desk.who, number, text(form, "why"))
    except BadForm as wrong:
        view = _view(desk, words=number, written=Written("refund", number, form, wrong))
        return _answer(desk, view, wrong.status)
    return onward(links.query(PATH, done="refund"))
