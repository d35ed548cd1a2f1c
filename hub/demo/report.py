"""The demo's report: what every tier says of the same cases, and whether anything was lost or doubled."""

from collections import Counter
from typing import Any

from sqlalchemy import func, select

from hub.demo.city import DemoCity
from node.cases.model import CaseRow
from node.db import table_of
from node.exchange import views as exchange
from node.exchange.model import COUNTING, EventRow, EventState
from node.exchange.outbox import outstanding
from node.figures.model import DayPlaceRow
from node.node import Node
from protocol.places import Code


def report(city: DemoCity, nodes: dict[Code, Node], filed: list[str]) -> dict[str, Any]:
    """`lost`: (case, reader) pairs that lack a step the origin's line has; `doubled`: steps or filings counted twice."""
    events = {code: _events(node) for code, node in nodes.items()}
    quarantined = sum(_quarantined(node) for node in nodes.values())
    longest = {no: max(found.get(no, 0) for found in events.values()) for no in filed}
    lost = sum(
        events[place.code].get(no, 0) < longest[no]
        for no in filed
        for place in city.roster.line(no[:12])
        if place.code in nodes
    )
    tiers = {nodes[code].name: _seen(nodes[code]) for code in _one_per_tier(city)}
    doubled = sum(_repeats(node) for node in nodes.values()) + max(
        0, _filed_at_city(city, nodes) - len(filed)
    )
    rows = [_case(nodes[Code(no[:12])], no) for no in filed]
    return {
        "nodes": len(nodes),
        "cases": {
            "filed": len(filed),
            "forwarded": sum(_said(node, ("case.forwarded", "case.redirected")) for node in nodes.values()),
            "decided": sum(bool(row.outcome) for row in rows if row),
            "delivered": sum(bool(row.delivered_on) for row in rows if row),
        },
        "events": sum(longest.values()),
        "edition": {node.name: node.know.edition for node in nodes.values()},
        "tiers": tiers,
        "lost": lost,
        "doubled": doubled,
        "outstanding": sum(node.read(outstanding) for node in nodes.values()),
        "quarantined": quarantined,
    }


def _one_per_tier(city: DemoCity) -> list[Code]:
    """The first village and everything above it."""
    return [place.code for place in city.roster.line(city.villages[0].code)]


def _events(node: Node) -> dict[str, int]:
    """How many distinct steps of each case this node holds and has applied."""
    event = table_of(EventRow).c
    query = select(event.case_no, func.count(func.distinct(event.n))).where(
        event.n.is_not(None), event.state.in_(COUNTING)
    )
    return dict(node.db.read(lambda session: session.execute(query.group_by(event.case_no)).all()))


def _repeats(node: Node) -> int:
    """Steps that are here more often than once."""
    event = table_of(EventRow).c
    query = select(func.count() - 1).where(event.n.is_not(None), event.state.in_(COUNTING))
    grouped = query.group_by(event.case_no, event.n)
    return sum(node.db.read(lambda session: list(session.execute(grouped).scalars())))


def _quarantined(node: Node) -> int:
    counts = node.read(exchange.aside_counts)
    return sum(counts.values())


def _said(node: Node, kinds: tuple[str, ...]) -> int:
    event = table_of(EventRow).c
    query = select(func.count()).where(
        event.frm == node.place, event.kind.in_(kinds), event.state == EventState.MINE
    )
    return node.db.read(lambda session: session.execute(query).scalar() or 0)


def _seen(node: Node) -> dict[str, int]:
    """The cases a node knows, by state."""
    case = table_of(CaseRow).c
    states = node.db.read(lambda session: list(session.execute(select(case.state)).scalars()))
    return {"cases": len(states), **dict(sorted(Counter(states).items()))}


def _filed_at_city(city: DemoCity, nodes: dict[Code, Node]) -> int:
    tally = table_of(DayPlaceRow).c
    top = nodes[city.roster.city.code]
    return top.db.read(lambda session: session.execute(select(func.sum(tally.filed))).scalar() or 0)


def _case(node: Node, no: str) -> CaseRow | None:
    return node.db.read(lambda session: session.get(CaseRow, no))
