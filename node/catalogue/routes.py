"""The catalogue for programs: what can be done here, what it takes, who decides it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from node.accounts.guard import node_of
from node.catalogue.search import find
from node.errors import NotFound, Unavailable
from node.node import Node
from node.work import civil_date
from protocol.catalogue import Catalogue, Item
from protocol.errors import RoutingError
from protocol.routing import route

router = APIRouter(prefix="/api/catalogue", tags=["事项目录"])


def _catalogue(node: Node) -> Catalogue:
    if node.know.catalogue is None:
        raise Unavailable("本节点还没有收到事项目录")
    return node.know.catalogue


def _short(item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "name": item.name,
        "department": item.department.name,
        "kind": item.case_kind,
        "promised": str(item.promised_limit),
        "proxy_allowed": item.proxy_allowed,
        "village_mode": item.village_mode,
        "themes": item.themes,
    }


@router.get("")
async def list_items(
    request: Request, q: str = "", theme: str = "", limit: Annotated[int, Query(ge=1, le=500)] = 200
) -> dict[str, Any]:
    """The items of the edition in force, by name, number or theme."""
    node = node_of(request)
    catalogue = _catalogue(node)
    found = catalogue.of_theme(theme) if theme else find(catalogue, q) if q else tuple(catalogue)
    return {
        "edition": catalogue.edition,
        "total": len(catalogue),
        "themes": catalogue.themes(),
        "items": [_short(item) for item in found[:limit]],
    }


@router.get("/{item_id}")
async def show(request: Request, item_id: str, place: str = "") -> dict[str, Any]:
    """One item whole, and where a case from `place` (default: here) would go today."""
    node = node_of(request)
    catalogue = _catalogue(node)
    item = catalogue.get(item_id)
    if item is None:
        raise NotFound(f"目录中没有事项 {item_id}")
    try:
        way = route(catalogue, node.know.roster, item_id, place or node.place, civil_date(node.clock()))
    except RoutingError as nobody:
        return {
            "edition": catalogue.edition,
            "item": item.model_dump(mode="json"),
            "route": {"why": str(nobody)},
        }
    return {
        "edition": catalogue.edition,
        "item": item.model_dump(mode="json"),
        "route": {"receives": way.receives.code, "decides": way.decides.code, "why": way.why},
    }
