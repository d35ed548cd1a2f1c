"""Powers for programs: authorisations, what waits for a second person, seals and their uses."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from node import proposals
from node.accounts.guard import node_of, officer
from node.accounts.officer import Officer
from node.errors import Forbidden, NotFound
from node.node import Node
from node.powers import actions, seals, views
from node.proposals import Second
from node.work import Work
from protocol.messages import AuthorisationUpdate
from protocol.powers import RANKS, Power

Who = Annotated[Officer, Depends(officer)]
Word = Annotated[str, Field(max_length=100)]
Reason = Annotated[str, Field(max_length=500)]

router = APIRouter(prefix="/api", tags=["授权与用章"])


class Input(BaseModel):
    """A request body: nothing unknown in it."""

    model_config = ConfigDict(extra="forbid")


class GrantInput(Input):
    """授权: whom, for which items ("*" for all), for what and how long."""

    person: Word
    items: Annotated[tuple[str, ...], Field(max_length=400)]
    since: date
    until: date
    powers: tuple[str, ...] = (Power.DECIDE,)
    rank: str = RANKS[0]
    place: Annotated[str, Field(max_length=12)] = ""
    seal: Annotated[str, Field(max_length=60)] = ""
    why: Reason = ""


class Substitution(Input):
    """临时顶岗."""

    person: Word
    since: date
    until: date


class Why(Input):
    """A reason."""

    why: Reason


class SealInput(Input):
    """A new seal and its keeper."""

    kind: Word
    name: Word
    keeper: Word


class Handing(Input):
    """交接 of a seal."""

    taker: Word
    why: Reason = ""


class Use(Input):
    """用章."""

    no: Annotated[str, Field(max_length=50)]
    document: Word
    copies: Annotated[int, Field(ge=1, le=99)] = 1


class Named(BaseModel):
    """The id of what was made."""

    id: str


class AuthorisationAnswer(BaseModel):
    """An authorisation in its newest version."""

    id: str
    version: int
    place: str
    person: str
    items: tuple[str, ...]
    powers: tuple[str, ...]
    rank: str
    since: date
    until: date
    seal: str
    substitutes: str
    approvers: tuple[str, str]
    revoked_on: date | None
    why: str


class ProposalAnswer(BaseModel):
    """What waits for a second person, or what became of it."""

    id: str
    kind: str
    no: str
    content: dict[str, Any]
    by: str
    at: datetime
    outcome: str
    closed_by: str
    closed_at: datetime | None
    why: str


class SealAnswer(BaseModel):
    """A seal."""

    id: str
    kind: str
    name: str
    version: int
    keeper: str
    since: date
    retired_on: date | None


class UseAnswer(BaseModel):
    """One use, or refused use, of a seal."""

    seal: str
    no: str
    document: str
    copies: int
    person: str
    refused: str
    at: datetime


def _authorisation(one: AuthorisationUpdate) -> AuthorisationAnswer:
    return AuthorisationAnswer(**{name: getattr(one, name) for name in AuthorisationAnswer.model_fields})


def _proposal(row: Any) -> ProposalAnswer:
    return ProposalAnswer(**{name: getattr(row, name) for name in ProposalAnswer.model_fields})


@router.get("/authorisations")
async def authorisations(request: Request, _who: Who, place: str = "") -> list[AuthorisationAnswer]:
    """Authorisations for this place, or for another one in its line."""
    node = node_of(request)
    return [_authorisation(one) for one in node.read(views.of_place, place or node.place)]


@router.post("/authorisations", status_code=201)
async def propose(request: Request, who: Who, form: GrantInput) -> Named:
    """Propose an authorisation; it counts once the centre head has approved it."""
    grant = actions.Grant(**form.model_dump())
    return Named(id=await node_of(request).do(actions.propose, who, grant))


@router.post("/authorisations/{name}/substitute", status_code=201)
async def substitute(request: Request, who: Who, name: str, form: Substitution) -> Named:
    """Propose that somebody else acts for a time."""
    return Named(
        id=await node_of(request).do(actions.substitute, who, name, form.person, form.since, form.until)
    )


@router.post("/authorisations/{name}/revoke")
async def revoke(request: Request, who: Who, name: str, form: Why) -> AuthorisationAnswer:
    """Take an authorisation back."""
    node = node_of(request)
    await node.do(actions.revoke, who, name, form.why)
    found = node.read(views.authorisation, name)
    if found is None:
        raise NotFound(f"没有授权 {name}")
    return _authorisation(found)


@router.get("/proposals")
async def waiting(request: Request, _who: Who, no: str = "") -> list[ProposalAnswer]:
    """What waits for a second person; of one case, or all."""
    return [_proposal(row) for row in node_of(request).read(proposals.waiting, no)]


@router.post("/proposals/{id}/approve")
async def approve(request: Request, who: Who, id: str) -> ProposalAnswer:  # noqa: A002
    """批准 as the second person."""
    node = node_of(request)
    await node.do(second, node, who, id)
    return _proposal(node.read(_one, id))


@router.post("/proposals/{id}/refuse")
async def refuse(request: Request, who: Who, id: str, form: Why) -> ProposalAnswer:  # noqa: A002
    """Not approve, or take back one's own."""
    node = node_of(request)
    await node.do(decline, node, who, id, form.why)
    return _proposal(node.read(_one, id))


def _one(session: Any, id: str) -> Any:  # noqa: A002
    found = session.get(proposals.ProposalRow, id)
    if found is None:
        raise NotFound("没有这项申请")
    return found


def seconds_of(node: Node) -> dict[str, Second]:
    """Every kind of proposals that this node's capabilities know."""
    return {kind: one for capability in node.capabilities for kind, one in capability.seconds.items()}


def second(work: Work, node: Node, who: Officer, id: str) -> None:  # noqa: A002
    """Approve a proposal: what that does is its capability's to say; all or nothing."""
    row = proposals.second(work, who, id)
    _kind(node, row).approve(work, who, row)


def decline(work: Work, node: Node, who: Officer, id: str, why: str) -> None:  # noqa: A002
    """Not approve, by somebody who could; or take back one's own."""
    row = proposals.open_one(work, id)
    if row.by != who.staff_no:
        _kind(node, row).admits(work, who, row)
    proposals.refuse(work, who, id, why)


def _kind(node: Node, row: Any) -> Second:
    found = seconds_of(node).get(row.kind)
    if found is None:
        raise NotFound(f"本节点不办理 {row.kind}")
    return found


@router.get("/seals")
async def list_seals(request: Request, _who: Who) -> list[SealAnswer]:
    """The register of seals."""
    rows = node_of(request).read(views.seals)
    return [SealAnswer(**{name: getattr(row, name) for name in SealAnswer.model_fields}) for row in rows]


@router.post("/seals", status_code=201)
async def register(request: Request, who: Who, form: SealInput) -> Named:
    """登记 a seal."""
    return Named(id=await node_of(request).do(seals.register, who, form.kind, form.name, form.keeper))


@router.post("/seals/{seal}/hand-over", status_code=201)
async def hand_over(request: Request, who: Who, seal: str, form: Handing) -> Named:
    """交接: counts once the taker has approved."""
    return Named(id=await node_of(request).do(seals.hand_over, who, seal, form.taker, form.why))


@router.post("/seals/{seal}/uses", status_code=201)
async def use(request: Request, who: Who, seal: str, form: Use) -> UseAnswer:
    """用章, for a case and a document; a use that is refused is written down too."""
    node = node_of(request)
    if refused := await node.do(seals.use, who, seal, form.no, form.document, form.copies):
        raise Forbidden(f"{refused}（已登记）")
    return _use(node.read(views.uses, seal=seal, limit=1)[0])


@router.get("/seals/{seal}/uses")
async def uses(request: Request, _who: Who, seal: str) -> list[UseAnswer]:
    """What a seal was used for, the newest first."""
    return [_use(row) for row in node_of(request).read(views.uses, seal=seal)]


def _use(row: Any) -> UseAnswer:
    return UseAnswer(**{name: getattr(row, name) for name in UseAnswer.model_fields})
