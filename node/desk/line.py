"""节点与线路: how far every act got, who owes a receipt, what stands in quarantine; mail carried by hand (摆渡)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.datastructures import UploadFile

from node import ferry
from node.accounts.roles import Role
from node.desk import show
from node.desk.frame import Desk, Here, holding, onward
from node.desk.frame import show as answer
from node.desk.quarantine import set_aside
from node.errors import BadForm, NodeError, NotFound
from node.exchange import reach, release, views
from node.exchange.model import EventState, OutState
from node.materials import reached
from node.materials.rules import MIB
from node.pages import links, screens
from node.pages.render import SECURITY_HEADERS, answer_live
from node.pages.views.common import Cursor, Fact, Tab, Tag, Tone
from node.pages.views.line import Act, Ferry, FerryFiles, LineState, LineView, Reach, Reader
from node.pages.words import case_tail, day, fingerprint, short_code
from protocol.lifecycle import VERBS
from protocol.roster import Roster

router = APIRouter(include_in_schema=False)

Keeper = Annotated[Desk, Depends(holding(Role.ADMINISTRATOR))]

PAGE = 30
MOST_READERS = 40
_STAGES = (
    (OutState.STORED, "已存", Tone.WARN),
    (OutState.SENT, "已发", Tone.WARN),
    (OutState.RECEIVED, "已收", Tone.PLAIN),
    (OutState.QUARANTINED, "被隔离", Tone.ALARM),
)
_DONE = {
    EventState.APPLIED: "已放行，重试成立：这一条已经办理。",
    EventState.WAITING: "已放行，还缺别的才能办理：这一条现在等待，到了自动继续；等什么见下方。",
    EventState.QUARANTINED: "重试仍不成立，已再次隔离；违反的规则和原因见下方。",
    "brought": "摆渡文件已读入，内容逐条验签；结果见下方。",
}


# Acts


def _reach(desk: Desk, row: Any, files: Mapping[reached.Key, reached.Progress]) -> Reach:
    one = show.reach(desk.node, row, files)
    late = row.done_at is None and desk.now - row.stored_at > timedelta(seconds=reach.LATE_S)
    reason = one.reason
    if row.state == OutState.STORED:
        reason = "等线路接通" if not desk.node.bus.connected else "即将发出"
    elif row.state == OutState.SENT:
        reason = f"等回执，已发 {row.tries} 次" if row.tries > 1 else "等回执"
    return replace(one, reason=reason, late=late)


def _case_no(one: reach.Act) -> str:
    return one.event.case.no if one.event.case else str(one.event.body.get("no", ""))


def _act(
    desk: Desk, one: reach.Act, items: dict[str, str], files: Mapping[reached.Key, reached.Progress]
) -> Act:
    event, no = one.event, _case_no(one)
    about = str(event.body.get("on", ""))
    if no:
        item = show.item_name(desk.node, items[no]) if no in items else ""
        about = f"{item} {case_tail(no)}".strip()
    return Act(
        what=VERBS.get(event.kind, event.kind),
        about=about,
        href=links.case(no) if no else "",
        at=one.at,
        seq=f"#{one.ord}",
        by=str(event.body.get("by", "")),
        reaches=tuple(_reach(desk, row, files) for row in one.readers),
    )


# The page


def _upper(roster: Roster, me: str) -> str:
    """The hub this node connects to, or its own."""
    parent = roster[me].parent
    return roster.hub_of(parent).code if parent else me


def _lines(desk: Desk, owed: dict[str, reach.Waiting], peers: dict[str, Any]) -> tuple[LineState, ...]:
    node = desk.node
    roster = node.know.roster
    hub = roster.hub_of(node.place).code
    receipts = [row.receipt_at for row in peers.values() if row.receipt_at]
    own = LineState(
        peer=f"{roster[hub].name}枢纽",
        role="本站枢纽" if hub == node.place else "上级枢纽",
        connected=node.bus.connected,
        since=node.line_since,
        waiting=sum(one.acts for one in owed.values()),
        last_receipt=max(receipts, default=None),
        note="自动重连中，期间照常办件" if not node.bus.connected else "",
    )
    return (own,)


def _readers(desk: Desk, owed: dict[str, reach.Waiting], peers: dict[str, Any]) -> tuple[Reader, ...]:
    """Everybody above, and whoever owes us a receipt; those who owe the longest first."""
    node = desk.node
    above = [place.code for place in node.know.roster.ancestors(node.place)]
    late = desk.now - timedelta(seconds=reach.LATE_S)
    keeper = Role.ADMINISTRATOR in desk.who.roles

    def draw(code: str) -> Reader:
        one, peer = owed.get(code), peers.get(code)
        return Reader(
            place=show.place_name(node, code),
            waiting=one.acts if one else 0,
            since=one.since if one else None,
            late=one is not None and one.since < late,
            last_receipt=peer.receipt_at if peer else None,
            refusal=peer.refusal if peer else "",
            carry_href=links.parcels(code) if keeper and code in node.know.roster else "",
        )

    others = sorted((code for code in owed if code not in above), key=lambda code: owed[code].since)
    return tuple(draw(code) for code in [*above, *others][:MOST_READERS])


def _tabs(tab: str, unfinished: int, aside: int) -> tuple[Tab, ...]:
    return (
        Tab(label="未到达", href=links.LINE, count=unfinished, current=tab == "open"),
        Tab(label="全部动作", href=links.query(links.LINE, tab="all"), current=tab == "all"),
        Tab(
            label="隔离区",
            href=links.query(links.LINE, tab="quarantine"),
            count=aside,
            current=tab == "quarantine",
            tone=Tone.ALARM,
        ),
    )


def _list(desk: Desk, tab: str, after: int) -> tuple[Sequence[reach.Act], Cursor]:
    node = desk.node
    if tab == "quarantine":
        return (), Cursor()
    look = reach.latest if tab == "all" else reach.unfinished
    found = node.read(look, node.place, after, PAGE)
    kept = {"tab": tab if tab == "all" else ""}
    return found, Cursor(
        newer=links.query(links.LINE, **kept) if after else "",
        older=links.query(links.LINE, **kept, after=str(found[-1].ord)) if len(found) == PAGE else "",
        words="新的在前" if tab == "all" else "等得最久的在前" if found else "",
    )


def _view(desk: Desk, tab: str, after: int, error: str = "") -> LineView:
    node = desk.node
    tab = tab if tab in ("all", "quarantine") else "open"
    stages = node.read(views.reach_counts)
    aside = node.read(views.aside_counts)
    owed = node.read(reach.waiting)
    peers = {row.place: row for row in node.read(views.peers)}
    found, cursor = _list(desk, tab, after)
    items = node.read(reach.items_of, {_case_no(one) for one in found})
    files = node.read(reached.of_acts, [(one.event.ep, one.ord) for one in found])
    on_the_way = node.read(reached.on_the_way)
    set_apart = sum(aside.values())
    counts = [
        Tag(text=f"{word} {stages[state]}", tone=tone) for state, word, tone in _STAGES if stages[state]
    ]
    if on_the_way:
        counts.append(Tag(text=f"材料在路上 {on_the_way}", tone=Tone.CALM))
    return LineView(
        lines=_lines(desk, owed, peers),
        counts=tuple(counts) or (Tag(text="全部已办理", tone=Tone.GOOD),),
        tabs=_tabs(tab, sum(stages.values()) + on_the_way, set_apart),
        acts=tuple(_act(desk, one, items, files) for one in found),
        quarantine=set_aside(desk) if tab == "quarantine" else (),
        cursor=cursor,
        facts=_facts(desk),
        show="quarantine" if tab == "quarantine" else "acts",
        readers=_readers(desk, owed, peers),
        ferry=_ferry(desk, error),
        live_href=links.query("/live/acts", tab=tab if tab != "open" else "", after=str(after or "")),
    )


def _ferry(desk: Desk, error: str) -> Ferry | None:
    if Role.ADMINISTRATOR not in desk.who.roles:
        return None
    return Ferry(action=links.PARCELS, error=error)


def _facts(desk: Desk) -> tuple[Fact, ...]:
    node = desk.node
    own, root = node.know.certificate, node.know.ring.root
    return (
        Fact(label="节点地址", value=short_code(node.place), number=True),
        Fact(label="证书", value=f"第 {own.generation} 代，有效至 {day(own.not_after)}"),
        Fact(label="证书指纹", value=fingerprint(own.fingerprint), number=True),
        Fact(label="市级信任根", value=fingerprint(root.fingerprint), number=True),
        Fact(label="持有的事件", value=f"{node.read(views.events_total):,} 条", number=True),
    )


@router.get(links.LINE)
async def line_page(
    request: Request, desk: Here, tab: str = "", after: int = 0, done: str = "", held: str = ""
) -> Response:
    """The line, our acts and how far they got, the quarantine."""
    request.state.notice = _DONE.get(done, "") + (
        f"读到 {held[:200]}。" if done == "brought" and held else ""
    )
    return answer(screens.line_page(desk.page(), _view(desk, tab, after)))


@router.get("/live/acts")
async def line_live(request: Request, desk: Here, tab: str = "", after: int = 0) -> Response:
    """The part of the line page that refreshes."""
    return answer_live(screens.line_live(desk.page(), _view(desk, tab, after)), request.headers)


# What an administrator may do


@router.post(links.LINE + "/release")
async def release_one(request: Request, desk: Keeper) -> Response:
    """Have an event in quarantine tried again."""
    form = await request.form()
    number = str(form.get("ord", ""))
    if not number.isdecimal():
        raise NotFound("隔离区里没有这一条")
    frm, epoch = str(form.get("frm", "")), str(form.get("ep", ""))
    found = await desk.node.do(release.release, desk.node.inbox, desk.who, frm, epoch, int(number))
    return onward(links.query(links.LINE, tab="quarantine", done=found.state))


@router.get(links.LINE + "/quarantine/{sha}")
async def refused_message(desk: Keeper, sha: str) -> Response:
    """A message that could not be believed, as it came, for inspection."""
    raw = desk.node.read(reach.refused_bytes, sha)
    if raw is None:
        raise NotFound("隔离区里没有这一条")
    return _file(raw, f"{sha[:16]}.quarantine")


@router.get(links.PARCELS + "/{place}")
async def carry(desk: Keeper, place: str, part: int = 0) -> Response:
    """摆渡: what `place` has not confirmed, in one file; a page that lists them where one does not hold it all."""
    packed = await ferry.pack(desk.node, desk.who, place, part or 1)
    if packed.parts > 1 and not part:
        view = FerryFiles(
            place=show.place_name(desk.node, place),
            files=tuple(
                (f"第 {one} 个", links.query(links.parcels(place), part=str(one)))
                for one in range(1, packed.parts + 1)
            ),
            limit=f"{desk.node.config.materials.carried_max // MIB} MB",
        )
        return answer(screens.ferry_page(desk.page(), view))
    return _file(packed.raw, ferry.file_name(desk.node, place, packed))


@router.post(links.PARCELS)
async def bring(request: Request, desk: Keeper) -> Response:
    """摆渡: take a carried file in."""
    given = (await request.form()).get("file")
    try:
        raw = await _carried(given) if isinstance(given, UploadFile) else b""
        brought = await ferry.bring(desk.node, desk.who, raw)
    except BadForm as wrong:
        view = _view(desk, "", 0, error=_first(wrong))
        return answer(screens.line_page(desk.page(), view), wrong.status)
    return onward(links.query(links.LINE, done="brought", held=brought.words))


async def _carried(given: UploadFile) -> bytes:
    """The bytes of the file; BadForm before they are read, if they are too many."""
    if (given.size or 0) > ferry.LARGEST:
        raise ferry.too_large(given.size or 0)
    return await given.read()


def _first(wrong: NodeError) -> str:
    return next(iter(wrong.fields().values()), wrong.detail)


def _file(raw: bytes, name: str) -> Response:
    head = {
        **SECURITY_HEADERS,
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
    return Response(raw, media_type="application/octet-stream", headers=head)
