"""Joint handling for programs: parse, one action, answer."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from node.accounts.guard import Here, node_of
from node.cases import views as cases
from node.cases.dossier import events_of, open_private
from node.errors import NotFound
from node.joint import actions, standing, views
from node.node import Node
from node.work import civil_date
from protocol.joint_acts import Answer, JointMinutes, JointVisit

Text = Annotated[str, Field(max_length=2000)]
Short = Annotated[str, Field(max_length=200)]

router = APIRouter(prefix="/api/joint", tags=["联审联办"])


class Input(BaseModel):
    """A request body: nothing unknown in it."""

    model_config = ConfigDict(extra="forbid")


class Opening(Input):
    """发起联办."""

    bundle: Short
    places: dict[str, str] = {}
    """Part to the 12-digit code of the place that shall answer, where it is not the bundle's."""
    text: Text = ""


class Visit(Input):
    """约定联合踏勘."""

    day: date
    time: Short
    where: Short
    parts: list[str] = []


class Minutes(Input):
    """会议（踏勘）纪要."""

    meeting: Short
    held_on: date
    present: list[str] = []
    points: list[Text]


class Closing(Input):
    """结束联办."""

    text: Text = ""


class Promise(Input):
    """承诺办理."""

    handler: Short
    by_day: date | None = None


class Opinion(Input):
    """协办意见."""

    opinion: Short
    reasons: Text = ""
    report_to: Short = ""
    correct: bool = False


class Batch(Input):
    """集中联合年检: which cases, for which period."""

    bundle: Short
    period: Short
    numbers: list[str]


class Opened(BaseModel):
    """The step that opened it."""

    no: str
    joint: int


class BatchLine(BaseModel):
    """One case of a batch: opened, or why not."""

    no: str
    refused: str


class PartAnswer(BaseModel):
    """One part as it stands."""

    no: str
    joint: int
    part: str
    name: str
    place: str
    department: str
    department_name: str
    due: date
    handler: str
    by_day: date | None
    opinion: str
    answered_on: date | None
    absences: int
    outcome: str
    person: str
    late: bool
    over: bool


class JointAnswer(BaseModel):
    """One joint handling; `remarks` are what this node may open of what was said."""

    no: str
    joint: int
    item: str
    bundle: str
    name: str
    lead: str
    opened_on: date
    until: date
    closed_on: date | None
    ended: str
    batch: str
    parts: list[PartAnswer]
    visit: JointVisit | None
    minutes: list[JointMinutes]
    answers: list[Answer]
    remarks: list[dict[str, Any]]


class BundleAnswer(BaseModel):
    """A bundle offered for an item."""

    id: str
    name: str
    lead: str
    departments: list[str]
    workdays: int
    yearly: bool


class TallyAnswer(BaseModel):
    """按期答复率 of one department; `on_time_percent` in hundredths of a percent, null: 无数据."""

    model_config = ConfigDict(from_attributes=True)

    place: str
    department: str
    department_name: str
    due: int
    on_time: int
    late: int
    silent: int
    absent: int
    absences: int
    on_time_percent: int | None


def _part(row: Any) -> PartAnswer:
    names = [name for name in PartAnswer.model_fields if name != "joint"]
    return PartAnswer(joint=row.n, **{name: getattr(row, name) for name in names})


def _whole(node: Node, no: str, n: int) -> JointAnswer:
    found = node.read(standing.find, no, n)
    if found is None:
        raise NotFound("没有这次联办")
    joint, terms = found.joint, found.joint.terms
    return JointAnswer(
        no=no,
        joint=n,
        item=found.item,
        bundle=terms.bundle,
        name=terms.name,
        lead=joint.by,
        opened_on=joint.opened_on,
        until=terms.until,
        closed_on=joint.closed_on,
        ended=found.ended,
        batch=terms.batch,
        parts=[_part(row) for row in node.read(views.parts, no, n)],
        visit=found.visit,
        minutes=[body for _, body in found.minutes],
        answers=list(joint.answers),
        remarks=remarks(node, no, n),
    )


def remarks(node: Node, no: str, n: int) -> list[dict[str, Any]]:
    """The sealed remarks of one joint handling that this node may open, as they came."""
    found = []
    for event in node.read(events_of, no):
        if event.kind.startswith("joint.") and event.kind != "joint.notice" and event.body.get("joint") == n:
            private = open_private(event, node.know) or {}
            found += [{"place": event.frm, "hash": event.hash, **one} for one in private.get("notes", ())]
    return found


@router.get("")
async def desk(request: Request, who: Here, box: str = "todo") -> list[PartAnswer]:
    """The parts that the officer's department is asked to answer; of every department for one without."""
    node = node_of(request)
    return [_part(row) for row in node.read(views.desk, node.place, who.department, box)]


@router.get("/bundles")
async def bundles(request: Request, _who: Here, item: str) -> list[BundleAnswer]:
    """The bundles a case of this item may be handled in."""
    return [
        BundleAnswer(
            id=one.id,
            name=one.name,
            lead=one.lead.name,
            departments=list(dict.fromkeys(step.department.name for step in one.steps)),
            workdays=one.workdays,
            yearly=one.yearly,
        )
        for one in actions.bundles_for(node_of(request).know.catalogue, item)
    ]


@router.get("/figures")
async def figures(
    request: Request, _who: Here, since: date, until: date, place: str = ""
) -> list[TallyAnswer]:
    """How well assists answer: parts due in the period."""
    node = node_of(request)
    found = node.read(views.tallies, since, until, civil_date(node.clock()), place)
    return [TallyAnswer.model_validate(one) for one in found]


@router.post("/batches")
async def open_batch(request: Request, who: Here, form: Batch) -> list[BatchLine]:
    """集中联合年检: open each case of the list; each line says what became of it."""
    found = await node_of(request).do(actions.open_batch, who, form.bundle, form.period, form.numbers)
    return [BatchLine(no=no, refused=why) for no, why in found]


@router.get("/batches")
async def in_batch(
    request: Request, _who: Here, batch: Annotated[str, Query(min_length=1)]
) -> list[JointAnswer]:
    """The joint handlings of a batch led here."""
    node = node_of(request)
    return [_whole(node, row.no, row.n) for row in node.read(views.in_batch, node.place, batch)]


@router.get("/{no}")
async def of_case(request: Request, _who: Here, no: str) -> list[JointAnswer]:
    """The joint handlings of a case, the newest first."""
    node = node_of(request)
    return [_whole(node, no, row.n) for row in node.read(views.of_case, no)]


@router.post("/{no}/open", status_code=201)
async def open_joint(request: Request, who: Here, no: str, form: Opening) -> Opened:
    """发起联办."""
    n = await node_of(request).do(actions.open_joint, who, no, form.bundle, form.places, form.text)
    return Opened(no=no, joint=n)


@router.post("/{no}/visit")
async def visit(request: Request, who: Here, no: str, form: Visit) -> JointAnswer:
    """约定联合踏勘: one appointment for all."""
    node = node_of(request)
    await node.do(actions.appoint_visit, who, no, form.day, form.time, form.where, form.parts)
    return _latest(node, no)


@router.post("/{no}/minutes")
async def minutes(request: Request, who: Here, no: str, form: Minutes) -> JointAnswer:
    """会议（踏勘）纪要."""
    node = node_of(request)
    await node.do(actions.record_minutes, who, no, form.meeting, form.held_on, form.present, form.points)
    return _latest(node, no)


@router.post("/{no}/close")
async def close(request: Request, who: Here, no: str, form: Closing) -> JointAnswer:
    """结束联办."""
    node = node_of(request)
    await node.do(actions.close_joint, who, no, form.text)
    return _latest(node, no)


@router.post("/{no}/{n}/{part}/promise")
async def promise(request: Request, who: Here, no: str, n: int, part: str, form: Promise) -> JointAnswer:
    """承诺办理."""
    node = node_of(request)
    await node.do(actions.promise, who, no, n, part, form.handler, form.by_day)
    return _whole(node, no, n)


@router.post("/{no}/{n}/{part}/opinion")
async def opinion(request: Request, who: Here, no: str, n: int, part: str, form: Opinion) -> JointAnswer:
    """协办意见."""
    node = node_of(request)
    await node.do(
        actions.answer, who, no, n, part, form.opinion, form.reasons, form.report_to, correct=form.correct
    )
    return _whole(node, no, n)


def _latest(node: Node, no: str) -> JointAnswer:
    case = node.read(cases.one, no)
    row = node.read(views.of_case, case.no)[0]
    return _whole(node, no, row.n)
