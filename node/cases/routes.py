"""Cases for programs: parse, one action, answer. What pages do, they do through the same actions."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any, Concatenate, ParamSpec

from fastapi import APIRouter, Depends, Query, Request, Response

from node.accounts.guard import node_of, officer
from node.accounts.officer import Officer
from node.cases import actions, courses, evidence, findings, views
from node.cases.dossier import dossier, masked
from node.cases.filing import Filing
from node.cases.forms import (
    Acceptance,
    CaseAnswer,
    CaseDetail,
    CaseList,
    ClockAnswer,
    Closing,
    Correction,
    Decision,
    Delivery,
    Extension,
    Filed,
    FilingInput,
    FindingAnswer,
    Forwarding,
    NotAcceptance,
    Proposed,
    ReachAnswer,
    Resumption,
    Review,
    SendingBack,
    ShareAnswer,
    StepAnswer,
    Supplement,
    Suspension,
    Termination,
    Why,
)
from node.cases.model import to_case
from node.cases.standing import clock_of
from node.work import Work
from protocol.envelope import read_event
from protocol.lifecycle import State

Who = Annotated[Officer, Depends(officer)]
P = ParamSpec("P")

router = APIRouter(prefix="/api/cases", tags=["办件"])


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
    return await _act(request, actions.supplement, who, no, form.materials, form.note, form.absent)


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
