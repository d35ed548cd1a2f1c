"""The sums as a page and as JSON."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from hub.boards.board import child, covering_words, kind
from hub.boards.standing import Contact, covering
from hub.boards.sums import Check, Sum, Sums, read, recent
from node.accounts.guard import node_of, officer
from node.accounts.officer import Officer
from node.desk.frame import Desk, Here
from node.desk.frame import show as answer
from node.node import Node
from node.pages import links, screens
from node.pages.views.boards import CityBoard, Declared, DeclaredRow, ItemSum, Month, TierSum
from node.pages.views.common import Fact, Kpi, Tab, Tone
from node.pages.words import ago, day, percent, thousands
from protocol.places import Place, Tier

router = APIRouter(include_in_schema=False)
api = APIRouter(prefix="/api", tags=["看板"])

Who = Annotated[Officer, Depends(officer)]
MOST_ITEMS = 12


async def _read(node: Node, asked: str) -> Sums:
    return await node.db.read_slow(
        lambda session: read(session, node.know, node.clock(), asked, connected=node.bus.connected)
    )


def _tabs(sums: Sums) -> tuple[Tab, ...]:
    today = sums.seen.today
    months = [
        Tab(
            label=f"{int(month[5:])}月" if month[:4] == f"{today:%Y}" else f"{month[:4]}年{int(month[5:])}月",
            href=links.query(links.SUMS, period=month),
            current=sums.period.name == month,
        )
        for month in reversed(recent(today))
    ]
    years = [
        Tab(
            label=f"{year}年",
            href=links.query(links.SUMS, period=str(year)),
            current=sums.period.name == str(year),
        )
        for year in (today.year, today.year - 1)
    ]
    return (*months, *years)


def _kpis(sums: Sums) -> tuple[Kpi, ...]:
    whole = sums.all
    ended = whole.on_time + whole.late
    overdue = sum(one.overdue for one in sums.rows)
    rate = percent((whole.on_time, ended))
    return (
        Kpi(label="登记", value=thousands(whole.filed), unit="件", detail="计在登记的站点"),
        Kpi(label="受理", value=thousands(whole.accepted), unit="件", detail="计在受理的单位"),
        Kpi(label="办结", value=thousands(whole.closed), unit="件", detail="含不予受理和撤回"),
        Kpi(
            label="按期办结率",
            value=rate.removesuffix("%"),
            unit="%" if ended else "",
            detail=f"按期 {thousands(whole.on_time)} ÷ 有时限的办结 {thousands(ended)}",
        ),
        Kpi(
            label="超期未结",
            value=thousands(overdue),
            unit="件",
            detail="此刻，按承诺办结日",
            tone=Tone.ALARM if overdue else Tone.PLAIN,
        ),
    )


def _declared(check: Check) -> DeclaredRow:
    one = check.agreement
    told = one.reports > 0
    notes = []
    if check.missing:
        notes.append(f"最近一日 {check.sites} 个站点中 {check.missing} 个日报未到")
    if one.beside:
        notes.append(f"日报未到的日子另有复算 {one.beside} 步，不在对照内")
    differs = one.accepted[0] != one.accepted[1] or one.closed[0] != one.closed[1]
    if differs:
        notes.insert(0, "两者不一致，请核对未到的步骤")
    return DeclaredRow(
        name=check.place.name,
        received=Declared(declared=one.accepted[0] if told else None, recomputed=one.accepted[1]),
        closed=Declared(declared=one.closed[0] if told else None, recomputed=one.closed[1]),
        note="；".join(notes),
    )


def _months(sums: Sums, tiers: list[int]) -> tuple[Month, ...]:
    return tuple(
        Month(
            label=f"{int(name[5:])}月",
            closed=tuple(found[tier].closed if tier in found else 0 for tier in tiers),
            on_time=(
                sum(one.on_time for one in found.values()),
                sum(one.on_time + one.late for one in found.values()),
            ),
        )
        for name, found in sums.months
    )


def _quality(sums: Sums) -> tuple[Fact, ...]:
    found = sums.health
    gaps = f"{found['senders_with_gaps']} 个来源，至多 {found['numbers_missing']} 条"
    return (
        Fact(label="昨日日报", value=f"{found['reported_yesterday']} / {found['sites']} 个站点"),
        Fact(label="不能采信的报文", value=f"{found['unbelievable']} 件", href=_aside(found["unbelievable"])),
        Fact(label="隔离的步骤", value=f"{found['quarantined']} 件", href=_aside(found["quarantined"])),
        Fact(label="等前一步", value=f"{found['waiting']} 件"),
        Fact(label="序号缺口待补", value=gaps if found["senders_with_gaps"] else "无"),
        Fact(label="证书 30 日内到期", value=f"{found['certificates_ending']} 个"),
    )


def _aside(count: int) -> str:
    return links.query(links.LINE, tab="quarantine") if count else ""


def _view(desk: Desk, sums: Sums) -> CityBoard:
    node, seen = desk.node, sums.seen
    roster = node.know.roster
    tiers = sorted({int(place.tier) for place in roster.subtree(node.place)}, reverse=True)
    heard, sites, silent = covering(seen, node.place)
    first, last = sums.period.first, sums.period.last
    return CityBoard(
        title=f"{roster[node.place].name}办件汇总",
        period=f"{day(first)}至{day(last)}",
        tabs=_tabs(sums),
        kpis=_kpis(sums),
        counties=tuple(child(seen, one) for one in sums.rows),
        items=tuple(_item(one) for one in sums.items[:MOST_ITEMS]),
        tier_words=tuple(Tier(tier).word for tier in tiers),
        tiers=tuple(
            TierSum(
                word=one.name,
                closed=one.closed,
                received=one.accepted,
                on_time=(one.on_time, one.on_time + one.late),
            )
            for one in sums.tiers
        ),
        months=_months(sums, tiers),
        declared=tuple(_declared(check) for check in sums.checks),
        townships=tuple(
            (group, tuple((place.name, *_square(one, line)) for place, one, line in members))
            for group, members in sums.townships
        ),
        quality=_quality(sums),
        coverage=f"覆盖 {sites} 个下级站点中的 {heard} 个",
        missing=tuple(
            f"{place.name} {ago(when, seen.now) if when else '从未'}联系" for place, when in silent[:5]
        ),
        heading=_kinds(roster.children(node.place)),
        below=_kinds([place for _, members in sums.townships for place, _, _ in members]),
        declared_until=_declared_until(sums),
    )


def _kinds(places: Iterable[Place]) -> str:
    return "、".join(dict.fromkeys(kind(place.tier) for place in places))


def _declared_until(sums: Sums) -> str:
    """The last finished day of the period: what stands beside each other ends there."""
    yesterday = sums.seen.today - timedelta(days=1)
    if sums.period.first > yesterday:
        return "今天是本期第一天，还没有日报"
    return (
        f"截至{'昨日（' + day(yesterday) + '）' if sums.period.last > yesterday else day(sums.period.last)}"
    )


def _item(one: Sum) -> ItemSum:
    return ItemSum(name=one.name, received=one.accepted, closed=one.closed, overdue=one.late, filed=one.filed)


def _square(one: Sum, line: Contact) -> tuple[tuple[int, int] | None, bool]:
    """The on-time fraction, None where nothing was ever heard, and whether it may be old."""
    if line is Contact.NEVER:
        return None, True
    return (one.on_time, one.on_time + one.late), line in (Contact.SILENT, Contact.OWING)


@router.get(links.SUMS)
async def sums_page(desk: Here, period: str = "") -> Response:
    """The sums of a month or a year."""
    sums = await _read(desk.node, period)
    return answer(screens.city_page(desk.page(covering_words(sums.seen, desk.node.place)), _view(desk, sums)))


@api.get("/sums")
async def sums_numbers(request: Request, _who: Who, period: str = "") -> dict[str, Any]:
    """The sums for programs; `period` is a month (2026-11) or a year (2026)."""
    node = node_of(request)
    sums = await _read(node, period)
    heard, sites, silent = covering(sums.seen, node.place)
    first: date = sums.period.first
    return {
        "as_of": sums.seen.now,
        "period": {"name": sums.period.name, "first": first, "last": sums.period.last},
        "covering": {"sites": sites, "heard": heard, "silent": [place.code for place, _ in silent]},
        "all": asdict(sums.all),
        "children": [asdict(one) for one in sums.children],
        "items": [asdict(one) for one in sums.items],
        "tiers": [asdict(one) for one in sums.tiers],
        "months": {name: [asdict(one) for one in found.values()] for name, found in sums.months},
        "declared": [
            {
                "place": one.place.code,
                "reports": one.agreement.reports,
                "accepted": {"declared": one.agreement.accepted[0], "recomputed": one.agreement.accepted[1]},
                "closed": {"declared": one.agreement.closed[0], "recomputed": one.agreement.closed[1]},
                "unreported_steps": one.agreement.beside,
                "sites_missing": one.missing,
            }
            for one in sums.checks
        ],
        "health": sums.health,
    }
