"""事项目录: search, one item with its 八公开 and where it goes from here, who holds which edition."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from fastapi import APIRouter
from fastapi.responses import Response

from node.cases import actions
from node.catalogue import replica, views
from node.catalogue.search import find
from node.catalogue.views import Held
from node.desk import items
from node.desk.frame import Desk, Here
from node.desk.frame import show as answer
from node.errors import NotFound, Unavailable
from node.pages import links, screens
from node.pages.page import Covering
from node.pages.views.catalogue import CatalogueView, HolderRow, HoldersView
from node.pages.views.common import Choice, Cursor, Light
from node.pages.words import ago
from node.work import civil_date
from protocol.catalogue import Catalogue, Item

router = APIRouter(include_in_schema=False)

PAGE = 40
_ALL = Choice(value="", label="")


def _catalogue(desk: Desk) -> Catalogue:
    if desk.node.know.catalogue is None:
        raise Unavailable("本节点还没有收到事项目录，线路接通后自动收到")
    return desk.node.know.catalogue


def _behind(desk: Desk) -> str:
    know = desk.node.know
    newest, missing = desk.node.read(replica.missing, know)
    if newest <= know.edition:
        return ""
    return f"上级已公布第 {newest} 版，本站还差 {missing} 份文件，收齐后自动启用。已受理的办件仍按受理时的版本办理。"


def _selects(
    catalogue: Catalogue, chosen: dict[str, str]
) -> tuple[tuple[str, str, str, tuple[Choice, ...]], ...]:
    departments = dict(sorted({(one.department.code, one.department.name) for one in catalogue}))
    modes = sorted({str(one.village_mode) for one in catalogue if one.village_mode})
    asked = (
        ("theme", "主题", "全部主题", {theme: theme for theme in catalogue.themes()}),
        ("department", "部门", "全部部门", departments),
        ("mode", "村级方式", "全部方式", {mode: f"村{mode}" for mode in modes}),
    )
    return tuple(
        (
            name,
            label,
            chosen[name],
            (replace(_ALL, label=every), *(Choice(value=v, label=w) for v, w in values.items())),
        )
        for name, label, every, values in asked
        if values
    )


def _fits(item: Item, chosen: dict[str, str]) -> bool:
    return (
        (not chosen["theme"] or chosen["theme"] in item.themes)
        and (not chosen["department"] or chosen["department"] == item.department.code)
        and (not chosen["mode"] or chosen["mode"] == str(item.village_mode or ""))
    )


def _cursor(asked: dict[str, str], start: int, shown: int, total: int) -> Cursor:
    def at(first: int) -> str:
        return links.query(links.CATALOGUE, **asked, start=str(first) if first else "")

    return Cursor(
        newer=at(max(0, start - PAGE)) if start else "",
        older=at(start + PAGE) if start + shown < total else "",
        words=f"共 {total} 项，第 {start + 1}–{start + shown} 项" if shown else "",
    )


@router.get(links.CATALOGUE)
async def catalogue_page(
    desk: Here, q: str = "", theme: str = "", department: str = "", mode: str = "", start: int = 0
) -> Response:
    """The items of the edition in force, by name, pinyin initials, theme, department, what the village does."""
    catalogue = _catalogue(desk)
    chosen = {"theme": theme, "department": department, "mode": mode}
    found = [item for item in find(catalogue, q) if _fits(item, chosen)]
    start = max(0, min(start, max(0, len(found) - 1)))
    part = found[start : start + PAGE]
    edition = desk.node.read(views.edition, catalogue.edition)
    view = CatalogueView(
        edition=f"第 {catalogue.edition} 版",
        published=edition.issued if edition else civil_date(desk.now),
        digest=edition.hash if edition else "",
        search=q,
        selects=_selects(catalogue, chosen),
        items=tuple(items.card(desk, one) for one in part),
        total=len(catalogue),
        cursor=_cursor({"q": q, **chosen}, start, len(part), len(found)),
        behind=_behind(desk),
        holders_href=links.HOLDERS if desk.node.know.roster.children(desk.node.place) else "",
    )
    return answer(screens.catalogue_page(desk.page(), view))


# Who holds which edition


def _row(desk: Desk, held: Held, newest: int, depth: int) -> HolderRow:
    behind = newest - held.edition
    light, words = Light.NONE, "从未上报"
    if held.edition:
        light = Light.OK if behind <= 0 else Light.DUE if behind == 1 else Light.OVER
        words = "已到位" if behind <= 0 else f"落后 {behind} 版"
    return HolderRow(
        place=held.place.name,
        word=held.place.tier.word,
        indent=depth,
        edition=f"第 {held.edition} 版" if held.edition else "未报",
        light=light,
        words=words,
        reported=held.heard_at,
        line=f"最近联系 {ago(held.heard_at, desk.now)}" if held.heard_at else "尚未联系上",
    )


def _sorted(found: Sequence[Held], newest: int) -> list[Held]:
    """Those behind first, the furthest first; within that the order of the roster."""
    return sorted(found, key=lambda held: min(held.edition, newest))


@router.get(links.HOLDERS)
async def holders_page(desk: Here, start: int = 0) -> Response:
    """Who below this node holds which edition, as their receipts say."""
    know = desk.node.know
    found = desk.node.read(views.holders, know.roster, desk.node.place)
    own = len(know.roster.line(desk.node.place))
    newest = know.edition
    current = sum(held.edition >= newest > 0 for held in found)
    start = max(0, min(start, max(0, len(found) - 1)))
    part = _sorted(found, newest)[start : start + PAGE]
    view = HoldersView(
        edition=f"第 {newest} 版",
        current=current,
        total=len(found),
        rows=tuple(_row(desk, held, newest, len(know.roster.line(held.place.code)) - own) for held in part),
        cursor=Cursor(
            newer=links.query(links.HOLDERS, start=str(max(0, start - PAGE))) if start else "",
            older=links.query(links.HOLDERS, start=str(start + PAGE))
            if start + len(part) < len(found)
            else "",
            words="落后的在前，其余按名册次序" if len(found) > 1 else "",
        ),
    )
    told = sum(held.edition > 0 for held in found)
    covering = Covering(
        as_of=desk.now, words=f"{len(found)} 个下级站点中 {told} 个报过持有的版本，依据其签名回执"
    )
    return answer(screens.holders_page(desk.page(covering), view))


# One item


def _changes(desk: Desk, catalogue: Catalogue, item: Item) -> tuple[str, tuple[tuple[date, str], ...]]:
    """(the deed in force here, every deed that concerns this line with its day)."""
    know, today = desk.node.know, civil_date(desk.now)
    deeds = views.deeds_of(catalogue, know.roster, item.id, desk.node.place)
    words = [
        (deed.effective, f"{deed.form.value}（{views.standing(deed, today)}）：{deed.source}")
        for deed in deeds
    ]
    active = next((deed for deed in deeds if deed.in_force(today)), None)
    return (f"{active.form.value}，{active.source}" if active else ""), tuple(words)


@router.get(links.CATALOGUE + "/{item_id}")
async def item_page(desk: Here, item_id: str) -> Response:
    """One item: everything that must be public, and who receives and decides it from here today."""
    catalogue = _catalogue(desk)
    item = catalogue.get(item_id)
    if item is None:
        raise NotFound(f"第 {catalogue.edition} 版目录中没有事项 {item_id}")
    view = items.whole(desk, item)
    deed, changes = _changes(desk, catalogue, item)
    may_file = actions.may(desk.who, "case.filed")
    view = replace(
        view,
        deed=deed or view.deed,
        changes=changes,
        file_href=view.file_href if may_file else "",
    )
    return answer(screens.item_page(desk.page(), view))
