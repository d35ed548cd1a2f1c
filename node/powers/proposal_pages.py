"""待批: what one person has proposed and another must approve, of every capability on one page."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from node import proposals
from node.accounts.views import names
from node.desk.frame import Desk, Here, onward
from node.desk.frame import show as answer
from node.desk.written import Written, text
from node.errors import BadForm
from node.pages import links
from node.pages.views.cases import Action
from node.pages.views.common import Fact, Tab, Tag, Tone
from node.pages.views.powers import ProposalLine, ProposalsView
from node.powers.routes import decline, second, seconds_of
from node.work import Work

router = APIRouter(include_in_schema=False)
_DONE = {"approve": "已批准并生效。", "refuse": "已答复：未批准。", "withdraw": "已撤回。"}
_TABS = (("todo", "待批"), ("mine", "我提出的"), ("over", "已答复"))
_EMPTY = {
    "todo": "没有等待您或他人批准的申请",
    "mine": "您没有等待批准的申请",
    "over": "还没有答复过的申请",
}
_STATES = {
    "": Tag(text="待批", tone=Tone.WARN),
    "done": Tag(text="已批准", tone=Tone.GOOD),
    "refused": Tag(text="未批准", tone=Tone.ALARM),
    "withdrawn": Tag(text="已撤回"),
}


def _line(desk: Desk, work: Work, row: Any, known: dict[str, str], written: Written) -> ProposalLine:
    kind = seconds_of(desk.node).get(row.kind)
    refusal = kind.refusal(work, desk.who, row) if kind and not row.outcome else ""
    closed: datetime | None = row.closed_at
    return ProposalLine(
        id=row.id,
        name=kind.name if kind else row.kind,
        facts=tuple(Fact(label=label, value=words) for label, words in kind.told(work, row.content))
        if kind
        else (),
        by=known.get(row.by, row.by),
        at=row.at,
        state=_STATES[row.outcome],
        case=row.no if len(row.no) == 25 else "",
        closed=known.get(row.closed_by, row.closed_by),
        closed_at=closed,
        why=row.why,
        refusal=refusal,
        actions=_acts(desk, row, refusal, written) if not row.outcome else (),
    )


def _acts(desk: Desk, row: Any, refusal: str, written: Written) -> tuple[Action, ...]:
    at = f"{links.PROPOSALS}/{row.id}"
    back = written.of("refuse", row.id)
    own = row.by == desk.who.staff_no
    why = (back.field("why", "撤回的原因" if own else "不批准的理由", maxlength=500),)
    decline = Action(
        key=f"refuse-{row.id}", label="撤回" if own else "不批准", action=f"{at}/refuse", fields=why, error=back.error,
        open=back.back,
    )  # fmt: skip
    if own:
        return (decline,)
    if refusal:
        return ()
    approve = Action(
        key=f"approve-{row.id}", label="批准", action=f"{at}/approve", rank="main", confirm="以第二人身份批准，确定吗？",
    )  # fmt: skip
    return (approve, decline)


def _view(desk: Desk, tab: str, written: Written | None = None) -> ProposalsView:
    node = desk.node
    key = tab if tab in dict(_TABS) else "todo"
    waiting = node.read(proposals.waiting)
    mine = [row for row in waiting if row.by == desk.who.staff_no]
    boxes: dict[str, Any] = {"todo": waiting, "mine": mine, "over": ()}
    rows = node.db.read(lambda session: proposals.latest(session, over=True)) if key == "over" else boxes[key]
    known = node.read(names)
    counts = {"todo": len(waiting), "mine": len(mine)}
    return ProposalsView(
        tabs=tuple(
            Tab(
                label=label,
                href=links.query(links.PROPOSALS, tab=name),
                count=counts.get(name),
                current=name == key,
            )
            for name, label in _TABS
        ),
        rows=node.look(
            lambda work: tuple(_line(desk, work, row, known, written or Written()) for row in rows)
        ),
        empty=_EMPTY[key],
    )


def _answer(desk: Desk, view: ProposalsView, status: int = 200) -> Response:
    page = desk.page()
    return answer(page.pages.draw("proposals.html", page, view), status)


@router.get(links.PROPOSALS)
async def waiting(request: Request, desk: Here, tab: str = "todo", done: str = "") -> Response:
    """待批."""
    request.state.notice = _DONE.get(done, "")
    return _answer(desk, _view(desk, tab))


@router.post(links.PROPOSALS + "/{id}/approve")
async def approve(desk: Here, id: str) -> Response:  # noqa: A002
    """批准 as the second person."""
    await desk.node.do(second, desk.node, desk.who, id)
    return onward(links.query(links.PROPOSALS, done="approve"))


@router.post(links.PROPOSALS + "/{id}/refuse")
async def refuse(request: Request, desk: Here, id: str) -> Response:  # noqa: A002
    """Not approved, or taken back, with the reason."""
    form = await request.form()
    row = desk.node.db.read(lambda session: session.get(proposals.ProposalRow, id))
    own = row is not None and row.by == desk.who.staff_no
    try:
        await desk.node.do(decline, desk.node, desk.who, id, text(form, "why"))
    except BadForm as wrong:
        return _answer(desk, _view(desk, "todo", Written("refuse", id, form, wrong)), wrong.status)
    return onward(links.query(links.PROPOSALS, done="withdraw" if own else "refuse"))
