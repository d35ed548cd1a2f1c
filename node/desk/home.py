"""Home and the lists of cases."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from node.agency import serving
from node.cases import actions, views
from node.cases.dossier import applicant
from node.desk import drafts, show
from node.desk.cases import case_view
from node.desk.frame import Desk, Here, waiting_acts
from node.desk.frame import show as answer
from node.errors import NodeError
from node.exchange import views as exchange
from node.pages import links, screens
from node.pages.render import answer_live
from node.pages.views.cases import CasePeek, CaseRow, Filters, HomeCount, HomeView, QueueView
from node.pages.views.common import Choice, Cursor, Fact, Field, Tab, Tone
from node.posts import shown
from node.work import CIVIL, civil_date

router = APIRouter(include_in_schema=False)

_TABS = ("todo", "incoming", "correcting", "working", "deciding", "deliver", "elsewhere", "over", "all")
_TILES = (
    ("incoming", "待签收", "inbox"),
    ("correcting", "待补正", "alert"),
    ("working", "审查中", "list"),
    ("deciding", "待审签", "proof"),
    ("elsewhere", "他处办理中", "send"),
    ("deliver", "待送达", "hand"),
)


_EMPTY = {
    "todo": "现在没有轮到本站办的办件；已经交出去的在「他处办理中」",
    "elsewhere": "现在没有在别处办理的办件",
    "over": "还没有办结的办件",
}


def case_rows(desk: Desk, found: Sequence[Any]) -> tuple[CaseRow, ...]:
    """Rows of cases as every list shows them."""
    node = desk.node
    marks = serving.marks(desk, [row.no for row in found])
    posts = shown.today(desk)

    def draw(row: Any) -> CaseRow:
        opened = node.read(applicant, node.know, row.no)
        drawn = show.case_row(desk, row, show.applicant_of(opened))
        officer = posts.person_for(row.item) if row.speaker == node.place else ""
        return replace(drawn, marks=marks.get(row.no, ()), officer=officer)

    return tuple(draw(row) for row in found)


# Home


def _home(desk: Desk) -> HomeView:
    node = desk.node
    posts = shown.today(desk)
    counts = node.read(views.counts, node.place)
    waiting, since = waiting_acts(node)
    found = node.read(views.find, node.place, views.Search("todo", limit=8))
    late = node.read(views.late, civil_date(desk.now), node.place)
    hour = desk.now.astimezone(CIVIL).hour
    catalogue = node.know.catalogue
    return HomeView(
        greeting=f"{'上午好' if hour < 12 else '下午好' if hour < 18 else '晚上好'}，{desk.who.name}",
        counts=tuple(
            HomeCount(
                label=label,
                count=counts[key],
                href=links.query(links.CASES, box=key),
                icon=icon,
                detail=f"其中 {late} 件超期" if key == "working" and late else "",
                tone=_tone(key, counts[key], late),
            )
            for key, label, icon in _TILES
        ),
        rows=case_rows(desk, found),
        waiting=waiting,
        waiting_since=since,
        last_sync=max((row.receipt_at for row in node.read(exchange.peers) if row.receipt_at), default=None),
        themes=tuple(
            Choice(value=links.query(links.FILE, theme=theme), label=theme)
            for theme in catalogue.themes()[:12]
        )
        if catalogue
        else (),
        drafts=len(node.read(drafts.unfinished, desk.who.id)),
        can_file=actions.may(desk.who, "case.filed"),
        posts=tuple(posts.line(one) for one in posts.stands),
        live_href="/live/home",
    )


def _tone(key: str, count: int, late: int) -> Tone:
    if key == "working" and late:
        return Tone.ALARM
    return Tone.WARN if key == "correcting" and count else Tone.PLAIN


@router.get(links.HOME)
async def home(desk: Here) -> Response:
    """我的待办."""
    return answer(screens.home_page(desk.page(), _home(desk)))


@router.get("/live/home")
async def home_live(request: Request, desk: Here) -> Response:
    """Counts and urgent cases."""
    return answer_live(screens.home_live(desk.page(), _home(desk)), request.headers)


# Lists


def _queue(desk: Desk, box: str, words: str, after: str, peek: str, post: str) -> QueueView:
    node, posts = desk.node, shown.today(desk)
    key = "all" if words else box if box in views.BOXES else "todo"
    counts = node.read(views.counts, node.place)
    found = node.read(views.find, node.place, posts.narrow(views.Search(key, words, after), post))
    today = civil_date(desk.now)
    late = node.read(views.late, today, node.place)
    again = {"box": key, "q": words, "post": post}
    more = links.query(links.CASES, **again, after=found[-1].no) if len(found) == views.PAGE else ""
    return QueueView(
        title="办件队列",
        summary=f"本站在办 {counts['open']} 件，超期 {late} 件",
        tabs=tuple(
            Tab(
                label=views.BOXES[name],
                href=links.query(links.CASES, box=name, post=post),
                count=counts.get(name) if not post else None,
                current=name == key,
            )
            for name in _TABS
        ),
        filters=Filters(
            action=links.CASES,
            fields=(
                Field(name="q", label="办件编号", value=words, kind="search", hint="全号或末几位", half=True),
                *_by_post(posts, post),
            ),
            active=bool(words) + bool(post),
            carried=(("box", box),),
        ),
        rows=case_rows(desk, found),
        empty="没有这个编号的办件" if words else _EMPTY.get(key, "没有符合条件的办件"),
        cursor=Cursor(older=more, words=f"{len(found)} 件" if not more else f"每页 {views.PAGE} 件"),
        peek=_peek(desk, peek) if peek else None,
        can_file=actions.may(desk.who, "case.filed"),
        live_href=links.query("/live/queue", **again, after=after),
    )


def _by_post(posts: shown.Today, post: str) -> tuple[Field, ...]:
    """The filter by post, where there are any."""
    if not posts.stands:
        return ()
    return (Field(name="post", label="岗位", kind="select", value=post, choices=posts.choices()),)


def _peek(desk: Desk, no: str) -> CasePeek | None:
    try:
        view = case_view(desk, no)
    except NodeError:
        return None
    return CasePeek(
        no=no,
        item=view.item,
        limit=view.limit,
        facts=tuple(Fact(label=one.label, value=one.masked) for one in view.personal[:1]) + view.facts[:4],
        stops=view.stops,
        actions=tuple(one for one in view.actions if not one.refused)[:3],
    )


@router.get(links.CASES)
async def queue(
    desk: Here, box: str = "todo", q: str = "", after: str = "", peek: str = "", post: str = ""
) -> Response:
    """办件队列."""
    return answer(screens.queue_page(desk.page(), _queue(desk, box, q.strip(), after, peek, post)))


@router.get("/live/queue")
async def queue_live(
    request: Request, desk: Here, box: str = "todo", q: str = "", after: str = "", post: str = ""
) -> Response:
    """The rows of the list."""
    view = _queue(desk, box, q.strip(), after, "", post)
    return answer_live(screens.queue_live(desk.page(), view), request.headers)
