"""授权: who may decide what until when; proposed here, lent for a time, taken back."""

from datetime import date
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from node.accounts.views import names
from node.desk import show, staff
from node.desk.frame import Desk, Here, onward
from node.desk.frame import show as answer
from node.desk.written import Written, days, text
from node.errors import BadForm
from node.pages import links
from node.pages.views.cases import Action, Filters
from node.pages.views.common import Field, Tab, Tag, Tone
from node.pages.views.powers import AuthorisationLine, AuthorisationsView
from node.powers import actions, views
from node.powers.actions import MAY_APPROVE, MAY_PROPOSE
from node.powers.grant_form import grant_form, read_grant
from node.work import civil_date
from protocol.messages import AuthorisationUpdate
from protocol.powers import EVERY_ITEM, may_sign

router = APIRouter(include_in_schema=False)
RowAct = Literal["substitute", "revoke"]
MOST = 100
SOON_DAYS = 30
_DONE = {
    "grant": "授权已提交，待另一人在“待批”中批准后生效。",
    "substitute": "临时代理已提交，待另一人在“待批”中批准后生效。",
    "revoke": "授权已撤销，并已告知上下级。",
}
_TABS = (("now", "本单位现行"), ("below", "其他单位现行"), ("over", "已失效"))


# The list


def _over(one: AuthorisationUpdate, today: date) -> bool:
    return one.until < today or (one.revoked_on is not None and one.revoked_on <= today)


def _state(one: AuthorisationUpdate, today: date) -> Tag:
    if one.revoked_on is not None:
        day = f"自 {one.revoked_on.month}月{one.revoked_on.day}日 起撤销"
        return Tag(text="已撤销" if one.revoked_on <= today else day, tone=Tone.WARN)
    if not one.since <= today <= one.until:
        return Tag(text="尚未生效", tone=Tone.CALM) if today < one.since else Tag(text="已到期")
    if one.substitutes:
        return Tag(text="临时代理", tone=Tone.CALM)
    if (left := (one.until - today).days) <= SOON_DAYS:
        return Tag(text=f"{left} 天后到期" if left else "今天到期", tone=Tone.WARN)
    return Tag(text="生效中", tone=Tone.GOOD)


def _line(desk: Desk, one: AuthorisationUpdate, known: dict[str, str], written: Written) -> AuthorisationLine:
    node = desk.node
    notes = [f"代 {known.get(one.substitutes, one.substitutes)}"] if one.substitutes else []
    if one.revoked_on is not None:
        notes.append(f"撤销：{one.why}")
    elif one.why and not one.substitutes:
        notes.append(one.why)
    every = EVERY_ITEM in one.items
    return AuthorisationLine(
        id=one.id,
        person=known.get(one.person, one.person),
        place=show.place_name(node, one.place),
        state=_state(one, civil_date(desk.now)),
        items=("全部事项",) if every else tuple(show.item_name(node, item) for item in one.items),
        powers=f"{'、'.join(one.powers)} · {one.rank}",
        since=one.since,
        until=one.until,
        approvers="、".join(known.get(person, person) for person in one.approvers),
        note="；".join(notes),
        actions=_acts(desk, one, written),
    )


def _acts(desk: Desk, one: AuthorisationUpdate, written: Written) -> tuple[Action, ...]:
    """Lending it for a time and taking it back, of what this place may sign, for those who may."""
    node, today = desk.node, civil_date(desk.now)
    signs = may_sign(node.place, one.place, node.know.roster)
    if one.revoked_on is not None or _over(one, today) or not signs:
        return ()
    found = []
    if desk.who.roles & MAY_PROPOSE and not one.substitutes:
        found.append(_substitution(desk, one, written.of("substitute", one.id)))
    if desk.who.roles & MAY_APPROVE:
        found.append(_revocation(one, written.of("revoke", one.id)))
    return tuple(found)


def _substitution(desk: Desk, one: AuthorisationUpdate, written: Written) -> Action:
    first = max(one.since, civil_date(desk.now)).isoformat()
    people = staff.suggestions(desk) if one.place == desk.node.place else ()
    return Action(
        key=f"substitute-{one.id}",
        label="临时代理",
        action=f"{links.AUTHORISATIONS}/{one.id}/substitute",
        fields=(
            written.field("person", "由谁代理（工号）", maxlength=40, suggest=people),
            written.field("since", "自", first, kind="date", half=True),
            written.field("until", "至", kind="date", half=True),
        ),
        hint=f"代理人在期间内享有同样的授权，期间须在 {one.since} 至 {one.until} 之内；须另一人批准。",
        error=written.error,
        open=written.back,
    )


def _revocation(one: AuthorisationUpdate, written: Written) -> Action:
    return Action(
        key=f"revoke-{one.id}",
        label="撤销",
        action=f"{links.AUTHORISATIONS}/{one.id}/revoke",
        rank="danger",
        fields=(written.field("why", "撤销的理由", maxlength=500),),
        hint="撤销不能恢复；今天已据此作出决定的，自明日起失效，已作的决定不变。",
        error=written.error,
        open=written.back,
    )


def _matches(line: AuthorisationLine, words: str) -> bool:
    return all(word in f"{line.person} {line.place} {line.id} {line.note}" for word in words.split())


def _view(
    desk: Desk, tab: str = "now", words: str = "", written: Written | None = None, *, unfold: bool = False
) -> AuthorisationsView:
    node, today, written = desk.node, civil_date(desk.now), written or Written()
    known = node.read(names)
    boxes: dict[str, list[AuthorisationUpdate]] = {name: [] for name, _ in _TABS}
    for one in node.read(views.of_place):
        boxes["over" if _over(one, today) else "now" if one.place == node.place else "below"].append(one)
    key = tab if tab in boxes else "now"
    lines = [_line(desk, one, known, written) for one in boxes[key]]
    search = Field(name="q", label="姓名、工号、单位或授权编号", value=words, kind="search")
    may_propose = bool(desk.who.roles & MAY_PROPOSE)
    return AuthorisationsView(
        tabs=tuple(
            Tab(
                label=label,
                href=links.query(links.AUTHORISATIONS, tab=name),
                count=len(boxes[name]),
                current=name == key,
            )
            for name, label in _TABS
        ),
        filters=Filters(
            action=links.AUTHORISATIONS,
            fields=(search,),
            active=1 if words else 0,
            carried=(("tab", key),),
        ),
        rows=tuple([line for line in lines if _matches(line, words)][:MOST]),
        grant=grant_form(desk, written.of("grant")) if may_propose else None,
        open=unfold or written.of("grant").back,
    )


# Addresses


def _answer(desk: Desk, view: AuthorisationsView, status: int = 200) -> Response:
    page = desk.page()
    return answer(page.pages.draw("authorisations.html", page, view), status)


@router.get(links.AUTHORISATIONS)
async def authorisations(
    request: Request, desk: Here, tab: str = "now", q: str = "", done: str = "", new: str = ""
) -> Response:
    """授权."""
    request.state.notice = _DONE.get(done, "")
    return _answer(desk, _view(desk, tab, q.strip(), unfold=bool(new)))


@router.post(links.AUTHORISATIONS)
async def propose(request: Request, desk: Here) -> Response:
    """A new authorisation, first person."""
    form = await request.form()
    try:
        await desk.node.do(actions.propose, desk.who, read_grant(form))
    except BadForm as wrong:
        return _answer(desk, _view(desk, written=Written("grant", "", form, wrong)), wrong.status)
    return onward(links.query(links.AUTHORISATIONS, done="grant"))


@router.post(links.AUTHORISATIONS + "/{name}/{act}")
async def substitute_or_revoke(request: Request, desk: Here, name: str, act: RowAct) -> Response:
    """临时代理 (临时顶岗), first person; or 撤销."""
    form = await request.form()
    try:
        if act == "substitute":
            await _substitute(desk, name, form)
        else:
            await desk.node.do(actions.revoke, desk.who, name, text(form, "why"))
    except BadForm as wrong:
        return _answer(desk, _back(desk, Written(act, name, form, wrong)), wrong.status)
    return onward(links.query(links.AUTHORISATIONS, done=act))


async def _substitute(desk: Desk, name: str, form: FormData) -> None:
    person = text(form, "person")
    since, until = days(form, "since", "until")
    await desk.node.do(actions.substitute, desk.who, name, person, since, until)


def _back(desk: Desk, written: Written) -> AuthorisationsView:
    found = desk.node.read(views.authorisation, written.about)
    here = found is None or found.place == desk.node.place
    return _view(desk, "now" if here else "below", written=written)
