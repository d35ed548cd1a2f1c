"""The list of bills as a page: states at a glance, statements taken in, settlement and refund."""

from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.datastructures import UploadFile

from node.desk.frame import Desk, Here, onward
from node.desk.frame import show as answer
from node.errors import BadForm
from node.fees import actions, views
from node.fees.actions import Report
from node.fees.bank import COLUMNS, MOST_BYTES, Statement
from node.pages import links
from node.pages.views.cases import Filters
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
    settle_action: str
    refund_action: str
    refund_label: str


@dataclass(frozen=True, slots=True)
class FeesView:
    """The list of bills."""

    bills: tuple[BillLine, ...]
    filters: Filters
    import_action: str
    columns: str
    report: Report | None = None
    error: str = ""


def _view(desk: Desk, state: str = "", words: str = "", **more: object) -> FeesView:
    rows = desk.node.read(views.bills, state=state, words=words.strip())
    choices = (Choice(value="", label="全部"), *(Choice(value=one, label=one) for one in BillState))
    return FeesView(
        bills=tuple(_line(row) for row in rows),
        filters=Filters(
            action=PATH,
            fields=(
                Field(name="state", label="状态", kind="select", value=state, choices=choices, half=True),
                Field(name="q", label="通知书或办件编号", value=words, half=True),
            ),
        ),
        import_action=f"{PATH}/statement",
        columns="、".join(COLUMNS),
        **more,  # type: ignore[arg-type]
    )


def _line(row: object) -> BillLine:
    found = {name: getattr(row, name) for name in ("bill", "no", "name", "billed_on", "issuer")}
    state = BillState(row.state)  # type: ignore[attr-defined]
    full, amount = row.full_fen, row.amount_fen  # type: ignore[attr-defined]
    over = state in (BillState.REFUNDING, BillState.REFUNDED, BillState.VOID)
    return BillLine(
        **found,
        amount=yuan(amount),
        reduced=yuan(full) if full != amount else "",
        state=Tag(text=state.value, tone=_TONES.get(state, Tone.GOOD)),
        settle_action=f"{PATH}/{found['bill']}/settle" if state is BillState.ARRIVED else "",
        refund_action="" if over else f"{PATH}/{found['bill']}/refund",
        refund_label="申请作废" if state is BillState.DUE else "申请退费",
    )


@router.get(PATH)
async def fees_page(request: Request, desk: Here, state: str = "", q: str = "", done: str = "") -> Response:
    """缴款通知书."""
    request.state.notice = {"settle": "已核销", "refund": "已提交，待另一人批准"}.get(done, "")
    page = desk.page()
    return answer(page.pages.draw("fees.html", page, _view(desk, state, q)))


@router.post(PATH + "/statement")
async def take(request: Request, desk: Here) -> Response:
    """导入银行对账单."""
    file = (await request.form()).get("file")
    try:
        raw = await file.read(MOST_BYTES + 1) if isinstance(file, UploadFile) else b""
        report = await desk.node.do(actions.take_statement, desk.who, Statement(), raw)
        view, status = _view(desk, report=report), 200
    except BadForm as wrong:
        view, status = _view(desk, error=wrong.detail), 422
    page = desk.page()
    return answer(page.pages.draw("fees.html", page, view), status)


@router.post(PATH + "/{number}/settle")
async def settle(desk: Here, number: str) -> Response:
    """核销."""
    await desk.node.do(actions.settle, desk.who, number)
    return onward(links.query(PATH, done="settle"))


@router.post(PATH + "/{number}/refund")
async def refund(request: Request, desk: Here, number: str) -> Response:
    """申请退费（作废）."""
    why = str((await request.form()).get("why", ""))
    try:
        await desk.node.do(actions.ask_refund, desk.who, number, why)
    except BadForm as wrong:
        page = desk.page()
        return answer(page.pages.draw("fees.html", page, _view(desk, words=number, error=wrong.detail)), 422)
    return onward(links.query(PATH, done="refund"))
