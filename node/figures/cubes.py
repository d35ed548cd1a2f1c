"""Counting steps into the cubes, in memory first, then one write per cube and transaction."""

from collections import Counter, defaultdict
from typing import Any

from sqlmodel import Session, SQLModel

from node.db import upsert
from node.figures.model import MEASURES, DayPlaceRow, MonthItemRow, MonthTierRow
from protocol.lifecycle import Case, Step
from protocol.roster import Roster

_BY_KIND = {
    "case.filed": "filed",
    "case.taken": "taken",
    "case.accepted": "accepted",
    "case.not_accepted": "not_accepted",
    "case.returned": "returned",
    "case.forwarded": "forwarded",
    "case.redirected": "forwarded",
    "case.granted": "granted",
    "case.refused": "refused",
    "case.withdrawn": "withdrawn",
    "case.delivered": "delivered",
}


def measures(before: Case | None, after: Case, step: Step) -> list[str]:
    """What one step adds one to."""
    found = [_BY_KIND[step.kind]] if step.kind in _BY_KIND else []
    if after.closed_on and (before is None or before.closed_on is None):
        found.append("closed")
    if step.kind in ("case.granted", "case.refused") and after.due:
        found.append("late" if step.body.on > after.due else "ontime")
        if step.body.on < after.due:
            found.append("early")
    return found


class Tally:
    """What one transaction adds to the cubes."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._days: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
        self._items: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
        self._tiers: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)

    def count(self, before: Case | None, after: Case, step: Step) -> None:
        """Note one applied step."""
        found = measures(before, after, step)
        if not found:
            return
        day = step.body.on
        month = f"{day:%Y-%m}"
        county = self._roster.hub_of(after.origin).code if after.origin in self._roster else ""
        tier = int(self._roster[step.frm].tier) if step.frm in self._roster else 0
        for measure in found:
            self._days[day, step.frm][measure] += 1
            self._items[month, county, after.item][measure] += 1
            self._tiers[month, county, tier][measure] += 1

    def store(self, session: Session) -> None:
        """Add it all to the cubes."""
        for model, keys, counts in (
            (DayPlaceRow, ("day", "place"), self._days),
            (MonthItemRow, ("month", "county", "item"), self._items),
            (MonthTierRow, ("month", "county", "tier"), self._tiers),
        ):
            _add(session, model, keys, counts)
            counts.clear()


def _add(
    session: Session,
    model: type[SQLModel],
    keys: tuple[str, ...],
    counts: dict[tuple[Any, ...], Counter[str]],
) -> None:
    rows = [
        {**dict(zip(keys, key, strict=True)), **{name: found[name] for name in MEASURES}}
        for key, found in sorted(counts.items(), key=lambda one: one[0])
    ]
    upsert(session, model, rows, keys, (), add=MEASURES)
