"""县级运行: the board of a hub, its children and theirs, as a page, a live part and JSON."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from hub.boards.standing import Contact, Seen, Standing, covering, look, standings, total, urgent
from node.accounts.guard import node_of, officer
from node.accounts.officer import Officer
from node.desk import show
from node.desk.frame import Desk, Here
from node.desk.frame import show as answer
from node.errors import NotFound
from node.node import Node
from node.pages import links, screens
from node.pages.page import Covering
from node.pages.render import answer_live
from node.pages.views.boards import Board, ChildRow
from node.pages.views.common import Kpi, Tone
from node.pages.words import ago, percent, thousands
from protocol.places import Tier

router = APIRouter(include_in_schema=False)
api = APIRouter(prefix="/api", tags=["看板"])

Who = Annotated[Officer, Depends(officer)]


def seen_by(node: Node) -> Seen:
    """What the hub sees now."""
    return node.db.read(lambda session: look(session, node.know, node.clock(), connected=node.bus.connected))


def placed(node: Node, at: str) -> str:
    """The place the board is about: this hub, or a place below it; NotFound for any other."""
    wanted = at or node.place
    if wanted not in node.know.roster or not node.know.roster.is_under(wanted, node.place):
        raise NotFound(f"{wanted} 不在本枢纽之下")
    return wanted


def child(seen: Seen, one: Standing) -> ChildRow:
    """One row of a board."""
    words = {Contact.HERE: "本站", Contact.NEVER: "尚未联系上"}
    own_level = one.alone and seen.roster.children(one.place.code)
    below = f"{one.below} 个站点" if one.below else ""
    if below and one.quiet:
        below += f"，{one.quiet} 个一天以上无消息"
    return ChildRow(
        name=f"{one.place.name}本级" if own_level else one.place.name,
        word=one.place.tier.word,
        href=links.query(links.BOARD, at=one.place.code),
        open=one.open,
        due=one.due,
        overdue=one.overdue,
        on_time=(one.on_time, one.on_time + one.late),
        connected=one.contact is not Contact.OWING,
        line_since=one.waiting_since,
        line_words=words.get(one.contact) or f"{ago(one.heard_at, seen.now)}有消息",
        quiet=one.contact in (Contact.SILENT, Contact.NEVER),
        waiting=one.waiting,
        edition=f"第 {one.edition} 版" if one.edition else "未报",
        edition_behind=max(0, seen.edition - one.edition) if one.edition else 0,
        trend=one.trend,
        below=below,
    )


def kind(tier: Tier) -> str:
    """What the places of a tier are called on a board."""
    return {Tier.COUNTY: "县区", Tier.TOWNSHIP: "乡镇街道", Tier.VILLAGE: "村社区"}.get(tier, "站点")


def covering_words(seen: Seen, at: str) -> Covering:
    """As of which minute (no finer, or a live part would change at every look), and who was not heard within the day."""
    heard, sites, silent = covering(seen, at)
    words = f"覆盖 {sites} 个下级站点中的 {heard} 个"
    if silent:
        named = "，".join(
            f"{place.name}{' ' + ago(when, seen.now) if when else '从未'}联系" for place, when in silent[:3]
        )
        words += f"；{named}{f' 等 {len(silent)} 个' if len(silent) > 3 else ''}"
    return Covering(as_of=seen.now.replace(second=0, microsecond=0), words=words)


def _kpis(found: list[Standing]) -> tuple[Kpi, ...]:
    sums = total(found)
    closed = sums["on_time"] + sums["late"]
    rate = percent((sums["on_time"], closed))
    return (
        Kpi(label="今日登记", value=thousands(sums["filed_today"]), unit="件", detail="按登记的站点"),
        Kpi(
            label="在办",
            value=thousands(sums["open"]),
            unit="件",
            detail="按承办单位",
            href=links.query(links.CASES, box="all"),
        ),
        Kpi(
            label="临期",
            value=thousands(sums["due"]),
            unit="件",
            detail="今日或下一个工作日到期",
            tone=Tone.WARN if sums["due"] else Tone.PLAIN,
        ),
        Kpi(
            label="超期",
            value=thousands(sums["overdue"]),
            unit="件",
            detail="按承诺办结日，中止计时的不算",
            tone=Tone.ALARM if sums["overdue"] else Tone.PLAIN,
        ),
        Kpi(
            label="本月按期办结率",
            value=rate.removesuffix("%"),
            unit="%" if closed else "",
            detail=f"按期 {thousands(sums['on_time'])} ÷ 有时限的办结 {thousands(closed)}",
        ),
    )


def _board(desk: Desk, at: str) -> tuple[Board, Covering]:
    node = desk.node
    roster = node.know.roster
    seen = seen_by(node)
    found = standings(seen, at)
    rows = node.db.read(lambda session: urgent(session, roster, node.place, at))
    children = roster.children(at)
    above = [place for place in reversed(roster.line(at)) if roster.is_under(place.code, node.place)]
    return Board(
        title=f"{roster[at].name}办件运行",
        kpis=_kpis(found),
        children=tuple(child(seen, one) for one in found),
        heading="、".join(dict.fromkeys(kind(place.tier) for place in children)) or "站点",
        crumbs=tuple((place.name, links.query(links.BOARD, at=place.code)) for place in above[:-1]),
        urgent=tuple(show.case_row(desk, row, "—") for row in rows),
        cut=tuple(
            (one.place.name, one.waiting_since, one.waiting)
            for one in found
            if one.contact is Contact.OWING and one.waiting_since
        ),
        live_href=links.query("/live/board", at=at if at != node.place else ""),
    ), covering_words(seen, at)


@router.get(links.BOARD)
async def board(desk: Here, at: str = "") -> Response:
    """The hub's children, or those of a place below it."""
    view, said = _board(desk, placed(desk.node, at))
    return answer(screens.board_page(desk.page(said), view))


@router.get("/live/board")
async def board_live(request: Request, desk: Here, at: str = "") -> Response:
    """Figures and rows of the board, and as of when they are."""
    view, said = _board(desk, placed(desk.node, at))
    return answer_live(screens.board_live(desk.page(said), view), request.headers)


def _plain(seen: Seen, one: Standing) -> dict[str, Any]:
    return {
        "place": one.place.code,
        "name": one.place.name,
        "tier": one.place.tier.label,
        "open": one.open,
        "due": one.due,
        "overdue": one.overdue,
        "filed_today": one.filed_today,
        "on_time": one.on_time,
        "late": one.late,
        "trend": one.trend,
        "contact": one.contact,
        "heard_at": one.heard_at,
        "waiting": one.waiting,
        "waiting_since": one.waiting_since,
        "edition": one.edition,
        "edition_behind": max(0, seen.edition - one.edition) if one.edition else None,
        "sites_below": one.below,
        "sites_quiet": one.quiet,
    }


@api.get("/board")
async def board_numbers(request: Request, _who: Who, at: str = "") -> dict[str, Any]:
    """The board for programs: the children of `at` (default: this hub), then what `at` holds itself."""
    node = node_of(request)
    at = placed(node, at)
    seen = seen_by(node)
    heard, sites, silent = covering(seen, at)
    return {
        "as_of": seen.now,
        "at": at,
        "edition": seen.edition,
        "covering": {"sites": sites, "heard": heard, "silent": [place.code for place, _ in silent]},
        "rows": [_plain(seen, one) for one in standings(seen, at)],
    }
