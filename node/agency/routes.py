"""Agency for programs: how it stands for a case, and investment projects with their cases."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from node.accounts.guard import node_of, officer
from node.accounts.officer import Officer
from node.agency import actions, entrusted, views

Who = Annotated[Officer, Depends(officer)]
Word = Annotated[str, Field(max_length=200)]

router = APIRouter(prefix="/api/agency", tags=["代办"])


class Input(BaseModel):
    """A request body: nothing unknown in it."""

    model_config = ConfigDict(extra="forbid")


class ProjectInput(Input):
    """全程代办 of an investment project."""

    number: Annotated[str, Field(max_length=60)]
    name: Word
    investor: Word
    person: Annotated[str, Field(max_length=40)]
    green: bool = True


class CaseInput(Input):
    """A case of a project."""

    no: Annotated[str, Field(max_length=50)]


class MoneyInput(Input):
    """代收 for a bill, in 分."""

    bill: Annotated[str, Field(max_length=60)]
    amount_fen: Annotated[int, Field(gt=0)]


class DepositInput(Input):
    """缴存 of a receipt's money."""

    receipt: Annotated[str, Field(max_length=60)]
    reference: Annotated[str, Field(max_length=100)]


class Receipt(BaseModel):
    """A numbered receipt."""

    receipt: str


class AgencyAnswer(BaseModel):
    """How the agency of a case stands."""

    state: str
    until: date | None
    handed_on: date | None
    marks: list[dict[str, Any]]
    held: dict[str, int]
    """分 not yet in the bank, by receipt."""


class ProjectAnswer(BaseModel):
    """A project, its named person and its cases."""

    number: str
    name: str
    investor: str
    person: str
    green: bool
    since: date
    closed_on: date | None
    cases: list[str]


def _project(node: Any, row: Any) -> ProjectAnswer:
    fields = {name: getattr(row, name) for name in ProjectAnswer.model_fields if name != "cases"}
    return ProjectAnswer(**fields, cases=node.read(views.cases_of, row.number))


@router.get("/cases/{no}")
async def agency(request: Request, _who: Who, no: str) -> AgencyAnswer:
    """How it stands."""
    found = node_of(request).read(entrusted.of_case, no)
    return AgencyAnswer(
        state=found.state.value,
        until=found.until,
        handed_on=found.handed_on,
        marks=[one.model_dump(mode="json", include={"mark", "person", "at", "on"}) for one in found.marks],
        held={name: one.amount for name, one in found.held.items()},
    )


@router.post("/cases/{no}/money", status_code=201)
async def hold(request: Request, who: Who, no: str, form: MoneyInput) -> Receipt:
    """代收 exactly a bill's sum, against a numbered receipt."""
    return Receipt(receipt=await node_of(request).do(actions.hold_money, who, no, form.bill, form.amount_fen))


@router.post("/cases/{no}/deposit", status_code=204)
async def deposit(request: Request, who: Who, no: str, form: DepositInput) -> None:
    """缴存."""
    await node_of(request).do(actions.deposit, who, no, form.receipt, form.reference)


@router.get("/projects")
async def projects(request: Request, _who: Who) -> list[ProjectAnswer]:
    """Investment projects, the newest first."""
    node = node_of(request)
    return [_project(node, row) for row in node.read(views.projects)]


@router.post("/projects", status_code=201)
async def open_project(request: Request, who: Who, form: ProjectInput) -> ProjectAnswer:
    """Begin the full-course agency of a project."""
    node = node_of(request)
    await node.do(actions.open_project, who, **form.model_dump())
    return _project(node, node.read(views.project, form.number))


@router.post("/projects/{number}/cases", status_code=201)
async def add_case(request: Request, who: Who, number: str, form: CaseInput) -> ProjectAnswer:
    """One more case of a project."""
    node = node_of(request)
    await node.do(actions.add_case, who, number, form.no)
    return _project(node, node.read(views.project, number))
