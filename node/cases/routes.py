"""Cases for programs: parse, one action, answer. What pages do, they do through the same actions."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any, Concatenate, ParamSpec

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from node.accounts.guard import node_of, officer
from node.accounts.officer import Officer
from node.cases import actions, courses, evidence, findings, views
from node.cases.dossier import dossier, masked
from node.cases.filing import Filing
from node.cases.model import to_case
from node.cases.standing import clock_of
from node.work import Work
from protocol.envelope import read_event
from protocol.lifecycle import State

Who = Annotated[Officer, Depends(officer)]
Text = Annotated[str, Field(max_length=2000)]
P = ParamSpec("P")

router = APIRouter(prefix="/api/cases", tags=["办件"])


class Input(BaseModel):
    """A request body: nothing unknown in it."""

    model_config = ConfigDict(extra="forbid")


class FilingInput(Input):
    """登记."""

    item: str
    name: str
    id_type: str = "111"
    id_no: str
    phone: str
    address: str = ""
    agent: bool = False
    entrusted: bool = False
    entrust_scope: tuple[str, ...] = ()
    entrust_until: str = ""
    materials: tuple[str, ...] = ()
    note: Text = ""
    again: Text = ""
    """Why, where the applicant has a case of this item open."""
    draft: Annotated[str, Field(max_length=64)] = ""


class Why(Input):
    """An act that needs a reason."""

    why: Text


class Acceptance(Input):
    """受理; `pending` may follow (容缺) by `follow_up`; `leader` is in charge of an urgent case."""

    pending: Annotated[tuple[str, ...], Field(max_length=60)] = ()
    follow_up: date | None = None
    leader: Annotated[str, Field(max_length=40)] = ""


class NotAcceptance(Why):
    """不予受理: the law's ground, and the right body where it is another's power."""

    ground: str
    body: Annotated[str, Field(max_length=500)] = ""


class SendingBack(Why):
    """退件: the ground; `why` holds the reasons and where to appeal."""

    ground: str


class Suspension(Input):
    """启动特别程序."""

    kind: Annotated[str, Field(max_length=100)]
    basis: Annotated[str, Field(max_length=500)] = ""
    why: Annotated[str, Field(max_length=500)] = ""


class Resumption(Input):
    """恢复计时."""

    kind: Annotated[str, Field(max_length=100)]
    result: Text


class Extension(Input):
    """延期, proposed; another approves."""

    days: int
    why: Annotated[str, Field(max_length=500)]


class Termination(Input):
    """终止."""

    ground: str
    text: Text = ""


class Closing(Input):
    """办结 after making the certificate."""

    result: Annotated[str, Field(max_length=200)] = ""


class Forwarding(Why):
    """转办 / 上报."""

    to: str


class Defect(Input):
    """One thing to put right: which material, what is wrong, what is required."""

    material: Annotated[str, Field(max_length=200)]
    problem: Text
    required: Text = ""


class Correction(Input):
    """一次性告知补正: every defect at once."""

    defects: list[Defect]


class Supplement(Input):
    """补正提交."""

    materials: list[str] = []
    note: Text = ""


class Review(Input):
    """审查意见: 同意 or 不同意."""

    opinion: str
    text: Text


class Decision(Input):
    """决定: granted or refused, with reasons when refused, and the result's name."""

    outcome: str
    text: Text = ""
    result: Annotated[str, Field(max_length=200)] = ""
    minutes: Annotated[str, Field(max_length=100)] = ""
    produce: bool = False
    """制证: the certificate is still to be made."""


class Delivery(Input):
    """送达."""

    way: Annotated[str, Field(max_length=100)]
    receiver: Annotated[str, Field(max_length=100)]


class CaseAnswer(BaseModel):
    """A case as this node sees it."""

    no: str
    item: str
    item_name: str
    state: State
    state_label: str
    origin: str
    holder: str
    speaker: str
    """Who may write the next step; empty when nobody may."""
    target: str
    step: int
    filed_on: date
    accepted_on: date | None
    received_on: date | None
    notice_by: date | None
    mode: str
    route: str
    due: date | None
    statutory_due: date | None
    provisional: bool
    part_due: date | None
    follow_up: date | None
    deliver_by: date | None
    outcome: str
    decided_on: date | None
    closed_on: date | None
    delivered_on: date | None


class StepAnswer(BaseModel):
    """One signed event of a case and where it stands here."""

    n: int | None
    kind: str
    by: str
    frm: str
    hash: str
    state: str
    rule: str
    reason: str
    stored_at: datetime
    body: dict[str, Any]


class ReachAnswer(BaseModel):
    """How far one of our acts got with one reader."""

    kind: str
    place: str
    state: str
    rule: str
    reason: str
    stored_at: datetime
    sent_at: datetime | None
    done_at: datetime | None
    tries: int


class ShareAnswer(BaseModel):
    """Whose time it was: office minutes, working days, and those that count for the limit."""

    owner: str
    place: str
    minutes: int
    workdays: int
    counted: int


class ClockAnswer(BaseModel):
    """The clock of a case as facts (时限账), its light, and whose time it was."""

    ledger: dict[str, Any] | None
    light: str
    remaining: int | None
    elapsed_minutes: int
    shares: list[ShareAnswer]
    calendar: str


class FindingAnswer(BaseModel):
    """发现: a rule of supervision that a case touches, and the facts."""

    rule: str
    no: str
    about: str
    place: str
    person: str
    facts: dict[str, Any]
    on: date


class Proposed(BaseModel):
    """What waits for a second person now."""

    id: str


class CaseDetail(CaseAnswer):
    """A case with its story, the reach of our acts, and its personal part if we are a party to it."""

    steps: list[StepAnswer]
    reach: list[ReachAnswer]
    private: dict[str, Any] | None
    """Masked unless asked for with a reason; None if this node is not a party."""


class CaseList(BaseModel):
    """A page of cases; `next` asks for the page after."""

    cases: list[CaseAnswer]
    next: str | None


class Filed(BaseModel):
    """The number of the new case."""

    no: str


def _answer(request: Request, row: Any) -> CaseAnswer:
    catalogue = node_of(request).know.catalogue
    item = catalogue.get(row.item) if catalogue else None
    return CaseAnswer(
        **{name: getattr(row, name) for name in CaseAnswer.model_fields if hasattr(row, name)},
        item_name=item.name if item else row.item,
        state_label=State(row.state).label,
        step=row.n,
    )


async def _act(
    request: Request,
    action: Callable[Concatenate[Work, Officer, str, P], object],
    who: Officer,
    no: str,
    *args: P.args,
    **kwargs: P.kwargs,
) -> CaseAnswer:
    node = node_of(request)
    await node.do(action, who, no, *args, **kwargs)
    return _answer(request, node.read(views.one, no))


@router.get("")
async def list_cases(
    request: Request,
    _who: Who,
    box: str = "todo",
    q: str = "",
    after: str = "",
    limit: Annotated[int, Query(ge=1, le=200)] = views.PAGE,
) -> CaseList:
    """A page of the work queue, the nearest promised day first."""
    node = node_of(request)
    rows = node.read(views.find, node.place, views.Search(box, q, after, limit))
    return CaseList(
        cases=[_answer(request, row) for row in rows], next=rows[-1].no if len(rows) == limit else None
    )


@router.post("", status_code=201)
async def file_case(request: Request, who: Who, form: FilingInput) -> Filed:
    """登记 a case; it goes to the place the catalogue names."""
    return Filed(no=await node_of(request).do(actions.file_case, who, Filing(**form.model_dump())))


@router.get("/{no}")
async def show(request: Request, _who: Who, no: str) -> CaseDetail:
    """A case with its story."""
    node = node_of(request)
    row = node.read(views.one, no)
    private = node.read(dossier, node.know, no)
    return CaseDetail(
        **_answer(request, row).model_dump(),
        steps=[_step(one) for one in node.read(views.events, no)],
        reach=[
            ReachAnswer(**{name: getattr(one, name) for name in ReachAnswer.model_fields})
            for one in node.read(views.reach, no)
        ],
        private=masked(private) if private else None,
    )


def _step(row: Any) -> StepAnswer:
    event = read_event(row.raw)
    return StepAnswer(
        n=row.n,
        kind=row.kind,
        by=str(event.body.get("by", "")),
        frm=row.frm,
        hash=row.hash,
        state=row.state,
        rule=row.rule,
        reason=row.reason,
        stored_at=row.at,
        body=event.body,
    )


@router.get(
    "/{no}/evidence", response_class=Response, responses={200: {"content": {"application/x-ndjson": {}}}}
)
async def export(request: Request, _who: Who, no: str) -> Response:
    """The evidence file: every signed step and the certificates needed."""
    node = node_of(request)
    raw = node.read(evidence.export, node.know, no, node.clock())
    head = {"Content-Disposition": f'attachment; filename="{no}.evidence"'}
    return Response(raw, media_type="application/x-ndjson", headers=head)


@router.post("/{no}/take")
async def take(request: Request, who: Who, no: str) -> CaseAnswer:
    """签收."""
    return await _act(request, actions.take, who, no)


@router.post("/{no}/refuse-handover")
async def refuse_handover(request: Request, who: Who, no: str, form: Why) -> CaseAnswer:
    """退回移交."""
    return await _act(request, actions.refuse_handover, who, no, form.why)


@router.post("/{no}/accept")
async def accept(request: Request, who: Who, no: str, form: Acceptance | None = None) -> CaseAnswer:
    """受理."""
    said = form or Acceptance()
    return await _act(request, actions.accept, who, no, said.pending, said.follow_up, said.leader)


@router.post("/{no}/not-accept")
async def refuse_acceptance(request: Request, who: Who, no: str, form: NotAcceptance) -> CaseAnswer:
    """不予受理."""
    return await _act(request, actions.refuse_acceptance, who, no, form.why, form.ground, form.body)


@router.post("/{no}/send-back")
async def send_back(request: Request, who: Who, no: str, form: SendingBack) -> CaseAnswer:
    """退件."""
    return await _act(request, actions.send_back, who, no, form.ground, form.why)


@router.post("/{no}/suspend")
async def suspend(request: Request, who: Who, no: str, form: Suspension) -> CaseAnswer:
    """启动特别程序: the clock stands still."""
    return await _act(request, courses.suspend, who, no, form.kind, form.basis, form.why)


@router.post("/{no}/resume")
async def resume(request: Request, who: Who, no: str, form: Resumption) -> CaseAnswer:
    """恢复计时."""
    return await _act(request, courses.resume, who, no, form.kind, form.result)


@router.post("/{no}/extend", status_code=202)
async def extend(request: Request, who: Who, no: str, form: Extension) -> Proposed:
    """延期, proposed: POST /api/proposals/{id}/approve by another makes it."""
    node = node_of(request)
    return Proposed(id=await node.do(courses.propose_extension, who, no, form.days, form.why))


@router.post("/{no}/void", status_code=202)
async def void(request: Request, who: Who, no: str, form: Why) -> Proposed:
    """作废, proposed: POST /api/proposals/{id}/approve by another makes it."""
    return Proposed(id=await node_of(request).do(courses.propose_void, who, no, form.why))


@router.post("/{no}/terminate")
async def terminate(request: Request, who: Who, no: str, form: Termination) -> CaseAnswer:
    """终止."""
    return await _act(request, courses.terminate, who, no, form.ground, form.text)


@router.post("/{no}/close")
async def close(request: Request, who: Who, no: str, form: Closing) -> CaseAnswer:
    """制证完成, 办结."""
    return await _act(request, actions.close, who, no, form.result)


@router.get("/{no}/clock")
async def clock(request: Request, _who: Who, no: str) -> ClockAnswer:
    """时限账: both limits, pauses, whose time it was."""
    node = node_of(request)
    row = node.read(views.one, no)
    found = node.read(clock_of, node.know, to_case(row), node.clock())
    return ClockAnswer(
        ledger=found.ledger,
        light=found.light,
        remaining=found.remaining,
        elapsed_minutes=found.elapsed_minutes,
        shares=[ShareAnswer(**asdict(one)) for one in found.shares],
        calendar=row.calendar,
    )


@router.get("/{no}/findings")
async def list_findings(request: Request, _who: Who, no: str) -> list[FindingAnswer]:
    """What supervision will want to know of this case."""
    rows = node_of(request).read(findings.of_case, no)
    return [
        FindingAnswer(**{name: getattr(row, name) for name in FindingAnswer.model_fields}) for row in rows
    ]


@router.post("/{no}/return")
async def return_for_correction(request: Request, who: Who, no: str, form: Correction) -> CaseAnswer:
    """一次性告知补正."""
    return await _act(
        request, actions.return_for_correction, who, no, [one.model_dump() for one in form.defects]
    )


@router.post("/{no}/supplement")
async def supplement(request: Request, who: Who, no: str, form: Supplement) -> CaseAnswer:
    """补正提交."""
    return await _act(request, actions.supplement, who, no, form.materials, form.note)


@router.post("/{no}/forward")
async def forward(request: Request, who: Who, no: str, form: Forwarding) -> CaseAnswer:
    """上报 / 转办."""
    return await _act(request, actions.forward, who, no, form.to, form.why)


@router.post("/{no}/review")
async def review(request: Request, who: Who, no: str, form: Review) -> CaseAnswer:
    """审查意见 (一审)."""
    return await _act(request, actions.review, who, no, form.opinion, form.text)


@router.post("/{no}/remand")
async def remand(request: Request, who: Who, no: str, form: Why) -> CaseAnswer:
    """退回重审."""
    return await _act(request, actions.remand, who, no, form.why)


@router.post("/{no}/decide")
async def decide(request: Request, who: Who, no: str, form: Decision) -> CaseAnswer:
    """决定 (一核), and 办结."""
    return await _act(
        request,
        actions.decide,
        who,
        no,
        form.outcome,
        form.text,
        form.result,
        form.minutes,
        produce=form.produce,
    )


@router.post("/{no}/withdraw")
async def withdraw(request: Request, who: Who, no: str, form: Why) -> CaseAnswer:
    """撤回, or ask for it."""
    return await _act(request, actions.withdraw, who, no, form.why)


@router.post("/{no}/deliver")
async def deliver(request: Request, who: Who, no: str, form: Delivery) -> CaseAnswer:
    """送达."""
    return await _act(request, actions.deliver, who, no, form.way, form.receiver)


@router.post("/{no}/archive")
async def archive(request: Request, who: Who, no: str) -> CaseAnswer:
    """归档."""
    return await _act(request, actions.archive, who, no)
