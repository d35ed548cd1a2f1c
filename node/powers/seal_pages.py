"""印章: the register, who keeps what, hand-over, and the book of uses; also beside a document to be stamped."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from node import proposals
from node.accounts.roles import Role
from node.accounts.views import names
from node.desk import staff
from node.desk.frame import Desk, Here, onward
from node.desk.frame import show as answer
from node.desk.written import Written, text
from node.errors import BadForm, Forbidden, NotFound
from node.pages import links
from node.pages.views.cases import Action
from node.pages.views.common import Choice, FormView, Tag, Tone
from node.pages.views.powers import CustodyLine, SealLine, SealsView, SealView, UseLine
from node.powers import seals, views

router = APIRouter(include_in_schema=False)
_DONE = {
    "register": "印章已登记。",
    "hand-over": "交接已提出，待接管人本人在“待批”中确认。",
    "use": "已登入用章登记簿。",
}


def _line(row: Any, known: dict[str, str], used: dict[str, tuple[int, Any]]) -> SealLine:
    count, last = used.get(row.id, (0, None))
    retired = row.retired_on is not None
    return SealLine(
        id=row.id,
        kind=row.kind,
        name=row.name,
        version=row.version,
        keeper=known.get(row.keeper, row.keeper),
        since=row.since,
        state=Tag(text=f"{row.retired_on} 停用") if retired else Tag(text="在用", tone=Tone.GOOD),
        href=links.seal(row.id),
        uses=count,
        last_used=last,
    )


def use_line(row: Any, known: dict[str, str]) -> UseLine:
    """One line of the book."""
    return UseLine(
        at=row.at,
        no=row.no,
        document=row.document,
        copies=row.copies,
        person=known.get(row.person, row.person),
        refused=row.refused,
    )


# The register


def _register(desk: Desk, written: Written | None = None) -> SealsView:
    node, written = desk.node, written or Written()
    known, used = node.read(names), node.read(views.used)
    rows = sorted(node.read(views.seals), key=lambda row: (row.retired_on is not None, row.id))
    form = FormView(
        action=links.SEALS,
        fields=(
            written.field("kind", "种类", kind="select", half=True,
                          choices=tuple(Choice(value=one, label=one) for one in seals.WHEN)),
            written.field("keeper", "保管人工号", maxlength=40, suggest=staff.suggestions(desk), half=True),
            written.field("name", "印章名称", maxlength=100,
                          hint="照印模填写，如 平罗县黄渠桥镇审批专用章；与在用印章同名的，登记为新一版，旧版停用"),
        ),
        submit="登记印章",
        error=written.error,
    )  # fmt: skip
    return SealsView(
        rows=tuple(_line(row, known, used) for row in rows),
        form=form if Role.CENTRE_HEAD in desk.who.roles else None,
        open=written.back,
    )


def _answer(desk: Desk, template: str, view: object, status: int = 200) -> Response:
    page = desk.page()
    return answer(page.pages.draw(template, page, view), status)


@router.get(links.SEALS)
async def register_page(request: Request, desk: Here, done: str = "") -> Response:
    """印章登记."""
    request.state.notice = _DONE.get(done, "")
    return _answer(desk, "seals.html", _register(desk))


@router.post(links.SEALS)
async def register(request: Request, desk: Here) -> Response:
    """登记 a seal."""
    form = await request.form()
    kind, name, keeper = (text(form, field) for field in ("kind", "name", "keeper"))
    try:
        await desk.node.do(seals.register, desk.who, kind, name, keeper)
    except BadForm as wrong:
        return _answer(desk, "seals.html", _register(desk, Written("register", "", form, wrong)), wrong.status)  # fmt: skip
    return onward(links.query(links.SEALS, done="register"))


# One seal


def _seal(desk: Desk, id: str, written: Written | None = None) -> SealView:  # noqa: A002
    node, written = desk.node, written or Written()
    row = next((one for one in node.read(views.seals) if one.id == id), None)
    if row is None:
        raise NotFound(f"没有印章 {id}")
    known = node.read(names)
    pending = [one for one in node.read(proposals.waiting, id) if one.kind == seals.CUSTODY]
    taker = pending[0].content["taker"] if pending else ""
    mine, head = row.keeper == desk.who.staff_no, Role.CENTRE_HEAD in desk.who.roles
    acts = []
    if mine and row.retired_on is None:
        acts.append(use_action(row, written.of("use", id)))
    if (mine or head) and row.retired_on is None and not pending:
        acts.append(_handing(desk, row, written.of("hand-over", id)))
    return SealView(
        seal=_line(row, known, node.read(views.used)),
        uses=tuple(use_line(one, known) for one in node.db.read(lambda s: views.uses(s, seal=id))),
        custody=tuple(
            CustodyLine(
                at=one.at,
                giver=known.get(one.giver, one.giver),
                taker=known.get(one.taker, one.taker),
                witness=known.get(one.witness, one.witness),
                why=one.why,
            )
            for one in node.read(views.custody, id)
        ),
        actions=tuple(acts),
        waiting=f"交给 {known.get(taker, taker)}，待其本人在“待批”中确认" if pending else "",
        nothing=""
        if acts
        else "印章已停用。"
        if row.retired_on
        else "用章由保管人登记，交接由保管人或中心主任提出。",
    )


def use_action(row: Any, written: Written, *, no: str = "", document: str = "", back: str = "") -> Action:
    """The form of one use by the keeper; on a document's page the case and the document are known."""
    fields = () if no else (
        written.field("no", "办件编号", maxlength=50, number=True),
        written.field("document", "文书名称（文号）", maxlength=100),
    )  # fmt: skip
    carried = (("no", no), ("document", document), ("back", back)) if no else ()
    return Action(
        key=f"use-{row.id}",
        label=f"登记用章：{row.name}" if no else "登记用章",
        action=f"{links.seal(row.id)}/uses",
        fields=(*fields, written.field("copies", "份数", "1", inputmode="numeric", maxlength=2)),
        rank="main",
        hint="印章由保管人本人加盖；不合规定的用章也会登记并报监督。",
        error=written.error,
        carried=tuple(carried),
        open=written.back,
    )


def _handing(desk: Desk, row: Any, written: Written) -> Action:
    return Action(
        key=f"hand-over-{row.id}",
        label="交接保管",
        action=f"{links.seal(row.id)}/hand-over",
        fields=(
            written.field("taker", "接管人工号", maxlength=40, suggest=staff.suggestions(desk)),
            written.field("why", "事由", required=False, maxlength=500, hint="如轮岗、请假"),
        ),
        hint="接管人本人确认后才算交接；在此之前仍由原保管人负责。",
        error=written.error,
        open=written.back,
    )


@router.get(links.SEALS + "/{id}")
async def seal_page(request: Request, desk: Here, id: str, done: str = "") -> Response:  # noqa: A002
    """One seal."""
    request.state.notice = _DONE.get(done, "")
    return _answer(desk, "seal.html", _seal(desk, id))


@router.post(links.SEALS + "/{id}/hand-over")
async def hand_over(request: Request, desk: Here, id: str) -> Response:  # noqa: A002
    """交接, first person."""
    form = await request.form()
    try:
        await desk.node.do(seals.hand_over, desk.who, id, text(form, "taker"), text(form, "why"))
    except BadForm as wrong:
        return _answer(desk, "seal.html", _seal(desk, id, Written("hand-over", id, form, wrong)), wrong.status)  # fmt: skip
    return onward(links.query(links.seal(id), done="hand-over"))


@router.post(links.SEALS + "/{id}/uses")
async def use(request: Request, desk: Here, id: str) -> Response:  # noqa: A002
    """One use; refused or not it is on the book."""
    form = await request.form()
    copies = text(form, "copies")
    said = (
        text(form, "no"),
        text(form, "document"),
        int(copies) if copies.isdecimal() and len(copies) < 4 else 0,
    )
    try:
        refused = await desk.node.do(seals.use, desk.who, id, *said)
    except BadForm as wrong:
        return _answer(desk, "seal.html", _seal(desk, id, Written("use", id, form, wrong)), wrong.status)
    if refused:
        on_record = Forbidden(f"{refused}。这次尝试已登记。")
        view = _seal(desk, id, Written("use", id, form, on_record))
        if not any(one.open for one in view.actions):
            raise on_record
        return _answer(desk, "seal.html", view, on_record.status)
    back = text(form, "back")
    own = back.startswith(f"{links.CASES}/") and "\\" not in back
    return onward(links.query(back if own else links.seal(id), done="use"))
