"""Fees for programs: bills, bank statements, settlement and refunds."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Request, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from node.accounts.guard import node_of, officer
from node.accounts.officer import Officer
from node.fees import actions, views
from node.fees.actions import Charge
from node.fees.bank import MOST_BYTES, Statement
from protocol.fees import rates

Who = Annotated[Officer, Depends(officer)]
Text = Annotated[str, Field(max_length=500)]
Sum = Annotated[int, Field(ge=0)]

router = APIRouter(prefix="/api/fees", tags=["收费"])


class Input(BaseModel):
    """A request body: nothing unknown in it."""

    model_config = ConfigDict(extra="forbid")


class ChargeInput(Input):
    """A bill to be issued; sums in 分."""

    no: Annotated[str, Field(max_length=50)]
    rate: Text
    quantity: Annotated[int, Field(ge=1)] = 1
    price_fen: Sum | None = None
    reckoning: Text = ""
    amount_fen: Sum | None = None
    clause: Text = ""


class Why(Input):
    """A reason."""

    why: Text


class Named(BaseModel):
    """The number of a bill, or the id of a proposal that waits for a second person."""

    id: str


class RateAnswer(BaseModel):
    """A clause of the published standard; without a price the sum is reckoned."""

    words: str
    price_fen: int | None
    unit: str


class BillAnswer(BaseModel):
    """A bill and how it stands; sums in 分."""

    bill: str
    no: str
    item: str
    name: str
    place: str
    issuer: str
    full_fen: int
    amount_fen: int
    billed_on: date
    state: str


class FaultAnswer(BaseModel):
    """A line of a statement that was not taken."""

    line: int
    reason: str


class ReportAnswer(BaseModel):
    """What became of a statement."""

    taken: int
    known: int
    faults: list[FaultAnswer]


def _bill(row: object) -> BillAnswer:
    return BillAnswer(**{name: getattr(row, name) for name in BillAnswer.model_fields})


@router.get("")
async def list_bills(request: Request, _who: Who, state: str = "", q: str = "") -> list[BillAnswer]:
    """Bills known here, the newest first; `q` is a bill's or a case's number."""
    return [_bill(row) for row in node_of(request).read(views.bills, state=state, words=q)]


@router.get("/rates/{item}")
async def item_rates(request: Request, _who: Who, item: str) -> list[RateAnswer]:
    """The published standard of an item, clause by clause; empty: 不收费."""
    catalogue = node_of(request).know.catalogue
    found = catalogue.get(item) if catalogue else None
    listed = rates(found.fee) if found else ()
    return [RateAnswer(words=one.words, price_fen=one.price, unit=one.unit) for one in listed]


@router.post("", status_code=201)
async def bill(request: Request, who: Who, form: ChargeInput) -> Named:
    """开具缴款通知书; a reduction or a reckoned sum waits for a second person."""
    charge = Charge(**form.model_dump(exclude={"no"}))
    return Named(id=await node_of(request).do(actions.bill, who, form.no, charge))


@router.post("/statement")
async def statement(request: Request, who: Who, file: UploadFile) -> ReportAnswer:
    """导入银行对账单 (CSV)."""
    raw = await file.read(MOST_BYTES + 1)
    report = await node_of(request).do(actions.take_statement, who, Statement(), raw)
    faults = [FaultAnswer(line=one.line, reason=one.reason) for one in report.faults]
    return ReportAnswer(taken=report.taken, known=report.known, faults=faults)


@router.post("/{number}/settle")
async def settle(request: Request, who: Who, number: str) -> BillAnswer:
    """核销."""
    node = node_of(request)
    await node.do(actions.settle, who, number)
    return _bill(node.read(views.one, number))


@router.post("/{number}/refund", status_code=201)
async def refund(request: Request, who: Who, number: str, form: Why) -> Named:
    """Ask for 退费, or for 作废 of an unpaid bill; a second person approves it at /api/proposals."""
    return Named(id=await node_of(request).do(actions.ask_refund, who, number, form.why))
