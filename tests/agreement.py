"""What must be true of a city once all is quiet, and what a sender's list must never say while it is not."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from node.cases.model import CaseRow, to_case
from node.cases.steps import read_step
from node.db import table_of
from node.exchange import reach, views
from node.exchange.model import EventRow, EventState, OutboxRow, OutState
from node.exchange.outbox import outstanding
from node.exchange.setback import CONTRADICTED
from node.figures.cubes import measures
from node.figures.model import MEASURES, DayPlaceRow, MonthItemRow, MonthTierRow
from node.node import Node
from protocol.envelope import read_event
from protocol.lifecycle import Case, Step, advance, begin
from protocol.places import Code
from tests.federation import Federation

AT_READER = {
    OutState.APPLIED: {EventState.APPLIED},
    OutState.RECEIVED: {EventState.WAITING, EventState.APPLIED},
    OutState.QUARANTINED: {EventState.QUARANTINED},
}
"""What a stage on a sender's list says of the reader: there it stands so, or better."""


def agree(city: Federation, places: Sequence[str]) -> None:
    """Nothing lost, doubled or stuck: the same cases at each of these places, told by the same steps, counted once."""
    for place in places:
        node = city[place]
        assert node.read(outstanding) == 0, [dict(row._mapping) for row in node.read(views.unfinished)]
        assert set(node.read(views.aside_counts).values()) == {0}, place
        told = folded(node)
        assert node.read(cases_of) == {no: steps[-1][1] for no, steps in told.items()}, place
        assert node.read(cases_of) == city[places[0]].read(cases_of), place
        assert node.read(tallies) == sums(city, told), place


def truthful(city: Federation, places: Sequence[str]) -> None:
    """No list says more than is so: what is called applied is applied there, and what is not is on the list.

    First what the senders say, then what the readers have: mail may go on arriving meanwhile.
    """
    lists = {place: city[place].read(_list, place) for place in places}
    stands = {place: city[place].read(_states) for place in places}
    for place, (rows, said) in lists.items():
        for row in rows:
            if row.place not in stands or row.state not in AT_READER:
                continue
            name, state = stands[row.place].get((place, row.ep, row.seq), ("", ""))
            if row.rule == CONTRADICTED:
                assert name != said[row.ep, row.ord]
            else:
                assert name == said[row.ep, row.ord], dict(row._mapping)
                assert state in AT_READER[row.state], (dict(row._mapping), state)


def _list(session: Any, place: str) -> tuple[Sequence[Any], dict[tuple[str, int], str]]:
    """Every row of a sender's outbox, and its own events by name; its pages count and list just what is open."""
    rows = session.execute(select(table_of(OutboxRow))).all()
    opened = [row for row in rows if row.done_at is None]
    assert sum(views.reach_counts(session).values()) == outstanding(session) == len(opened)
    assert sum(one.acts for one in reach.waiting(session).values()) == len(opened)
    assert {act.ord for act in reach.unfinished(session, place, 0, 10_000)} == {row.ord for row in opened}
    event = table_of(EventRow).c
    own = session.execute(select(event.ep, event.ord, event.hash).where(event.state == EventState.MINE))
    return rows, {(row.ep, row.ord): row.hash for row in own}


def _states(session: Any) -> dict[tuple[str, str, int], tuple[str, str]]:
    event = table_of(EventRow).c
    rows = session.execute(select(event.frm, event.ep, event.ord, event.hash, event.state))
    return {(row.frm, row.ep, row.ord): (row.hash, row.state) for row in rows}


def cases_of(session: Any) -> dict[str, Case]:
    return {row.no: to_case(row) for row in session.execute(select(table_of(CaseRow)))}


Folded = dict[str, list[tuple[Case | None, Case, Step]]]


def folded(node: Node) -> Folded:
    """Every case told again from its signed steps alone: each step once, in the order of its numbers."""
    event = table_of(EventRow).c
    rows = node.read(
        lambda s: s.execute(
            select(event.case_no, event.raw).where(event.n.is_not(None)).order_by(event.case_no, event.n)
        ).all()
    )
    found: Folded = {}
    for row in rows:
        step, steps = read_step(read_event(row.raw)), found.setdefault(row.case_no, [])
        case = steps[-1][1] if steps else None
        steps.append((case, begin(step) if case is None else advance(case, step), step))
    return found


def sums(city: Federation, told: Folded) -> Counter[tuple[str, ...]]:
    """The cubes by brute force."""
    found: Counter[tuple[str, ...]] = Counter()
    for steps in told.values():
        for before, after, step in steps:
            day, county = step.body.on, city.roster.hub_of(after.origin).code
            month, tier = f"{day:%Y-%m}", int(city.roster[Code(step.frm)].tier)
            for name in measures(before, after, step):
                found[str(day), step.frm, name] += 1
                found[month, county, after.item, name] += 1
                found[month, county, str(tier), name] += 1
    return found


def tallies(session: Any) -> Counter[tuple[str, ...]]:
    """The cubes as they are kept."""
    found: Counter[tuple[str, ...]] = Counter()
    for model in (DayPlaceRow, MonthItemRow, MonthTierRow):
        table = table_of(model)
        keys = [one.name for one in table.primary_key]
        for row in session.execute(select(table)):
            for name in MEASURES:
                if count := getattr(row, name):
                    found[*(str(getattr(row, key)) for key in keys), name] = count
    return found
