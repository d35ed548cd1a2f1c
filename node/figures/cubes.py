"""Counting steps into the cubes, in memory first, then one write per cube and transaction."""

from collections import Counter, defaultdict
from datetime import date
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
    """What one transaction adds to the cubes.

    One counter over what tells steps apart; the cubes are summed from it once, when it is stored.
    """

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._counts: Counter[tuple[date, str, str, str, str]] = Counter()
        """By day, acting place, origin, item and measure."""

    def count(self, before: Case | None, after: Case, step: Step) -> None:
        """Note one applied step."""
        for measure in measures(before, after, step):
            self._counts[step.body.on, step.frm, after.origin, after.item, measure] += 1

    def store(self, session: Session) -> None:
        """Add it all to the cubes."""
        days, items, tiers = _Cube(), _Cube(), _Cube()
        for (day, place, origin, item, measure), count in self._counts.items():
            month, county, tier = f"{day:%Y-%m}", self._county(origin), self._tier(place)
            days[day, place][measure] += count
            items[month, county, item][measure] += count
            tiers[month, county, tier][measure] += count
        _add(session, DayPlaceRow, ("day", "place"), days)
        _add(session, MonthItemRow, ("month", "county", "item"), items)
        _add(session, MonthTierRow, ("month", "county", "tier"), tiers)
        self._counts.clear()

    def _county(self, origin: str) -> str:
        return self._roster.hub_of(origin).code if origin in self._roster else ""

    def _tier(self, place: str) -> int:
        return int(self._roster[place].tier) if place in self._roster else 0


class _Cube(defaultdict[tuple[Any, ...], Counter[str]]):
    """Counts of measures by key."""

    def __init__(self) -> None:
        super().__init__(Counter)


def _add(session: Session, model: type[SQLModel], keys: tuple[str, ...], counts: _Cube) -> None:
    rows = [
        {**dict(zip(keys, key, strict=True)), **{name: found[name] for name in MEASURES}}
        for key, found in sorted(counts.items(), key=lambda one: one[0])
    ]
    upsert(session, model, rows, keys, (), add=MEASURES)
