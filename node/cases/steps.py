"""The only code that changes a case, for our steps and others' alike.

`Cases` is one transaction's view of the cases it touches: loaded together, advanced in memory, stored together
with what they add to the figures. `after` applies one step or refuses it before anything changes, `take` has it count;
`say` makes one of our own.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from node.cases import findings
from node.cases.model import FOLD, CaseRow, to_case, to_values
from node.db import table_of, upsert
from node.errors import Conflict, NotFound
from node.figures.cubes import Tally
from node.materials.index import note as note_files
from node.work import Work
from protocol import routing
from protocol.certificates import instant
from protocol.envelope import CaseRef, Event
from protocol.errors import ProtocolError
from protocol.lifecycle import Case, Step, advance, begin
from protocol.messages import STEPS, Act, read_body
from protocol.places import Tier
from protocol.subjects import Lane

_STORED = (*FOLD, "county", "township", "changed_at")
CHUNK = 500


class Cases:
    """The cases one transaction touches."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._known: dict[str, Case | None] = {}
        """As far as loaded; None: this node has not heard of it."""
        self._changed: set[str] = set()
        self._tally = Tally(work.know.roster)
        self._findings: list[findings.Finding] = []
        self._moves: list[tuple[Case | None, Case, Step]] = []

    def load(self, numbers: Iterable[str]) -> None:
        """Fetch these cases together."""
        wanted = [no for no in dict.fromkeys(numbers) if no not in self._known]
        self._known |= dict.fromkeys(wanted)
        table = table_of(CaseRow)
        for at in range(0, len(wanted), CHUNK):
            rows = self._work.session.execute(select(table).where(table.c.no.in_(wanted[at : at + CHUNK])))
            self._known |= {row.no: to_case(row) for row in rows}

    def get(self, no: str) -> Case | None:
        """The case as it stands now, loaded before or not."""
        if no not in self._known:
            self.load([no])
        return self._known[no]

    def need(self, no: str) -> Case:
        """The case; NotFound if this node has never heard of it."""
        case = self.get(no)
        if case is None:
            raise NotFound(f"没有找到办件 {no}")
        return case

    def after(self, step: Step) -> Case:
        """The case as `step` leaves it; TransitionRefused if it is not allowed. Nothing is changed yet."""
        before = self.get(step.no)
        return begin(step) if before is None else advance(before, step)

    def take(self, step: Step, after: Case) -> None:
        """Have the step count, which leaves the case as `after` says."""
        self._keep(self.get(step.no), after, step)

    def say(
        self,
        no: str,
        kind: str,
        body: Mapping[str, Any],
        private: Mapping[str, Any] | None = None,
    ) -> Event:
        """Our own step: checked by the lifecycle first, then said to everyone in the line of the case."""
        work, before = self._work, self.get(no)
        act = read_body(STEPS[kind], {"on": work.today, **body})
        step = Step(
            kind,
            work.me,
            no,
            (before.n if before else 0) + 1,
            before.head if before else "",
            "",
            work.know.edition,
            act,
            as_written(work.now),
        )
        try:
            after = self.after(step)
        except ProtocolError as refused:
            raise Conflict(str(refused)) from None
        event = work.send(
            kind,
            act.model_dump(mode="json", exclude_defaults=True),
            self._readers(before, after),
            case=CaseRef(no, step.n, step.prev),
            private=private,
            parties=_parties(before, after),
        )
        note_files(work, event, no)
        self._keep(before, after._replace(head=event.hash), step)
        return event

    def store(self) -> None:
        """Write the changed cases and what they add to the figures."""
        rows = [self._row(case) for no in sorted(self._changed) if (case := self._known[no])]
        upsert(self._work.session, CaseRow, rows, ["no"], [name for name in _STORED if name != "no"])
        self._tally.store(self._work.session)
        findings.keep(self._work, self._findings)
        self._findings.clear()
        self._changed.clear()
        moves, self._moves = self._moves, []
        for before, after, step in moves:
            for follow in self._work.follow[step.kind]:
                follow(self._work, before, after, step)

    def _keep(self, before: Case | None, after: Case, step: Step) -> None:
        self._known[after.no] = after
        self._changed.add(after.no)
        self._tally.count(before, after, step)
        if step.kind in self._work.follow:
            self._moves.append((before, after, step))
        self._findings += findings.seen(self._work, before, after, step)

    def _row(self, case: Case) -> dict[str, Any]:
        county, township = places_of(self._work, case.origin)
        return {**to_values(case), "county": county, "township": township, "changed_at": self._work.now}

    def _readers(self, before: Case | None, after: Case) -> dict[str, Lane]:
        """Everyone in the line of the origin and of the parties: parties on `case`, supervisors on `sup`."""
        parties = set(_parties(before, after))
        roster = self._work.know.roster
        return {
            place.code: Lane.CASE if place.code in parties else Lane.SUP
            for place in routing.hearers(roster, after.origin, *parties)
        }


def places_of(work: Work, origin: str) -> tuple[str, str]:
    """The county (or hub) and the township (or the place itself) that a case from `origin` is shown under."""
    roster = work.know.roster
    if origin not in roster:
        return "", origin
    township = roster.at(origin, Tier.TOWNSHIP)
    return roster.hub_of(origin).code, township.code if township else origin


def _parties(before: Case | None, after: Case) -> list[str]:
    """Who may open the sealed part of a step: origin, holder and addressee, before and after it."""
    found = [after.origin, after.holder, after.target]
    if before is not None:
        found += [before.holder]
    return [place for place in dict.fromkeys(found) if place]


def as_written(moment: datetime) -> datetime:
    """To the millisecond, as it stands in the event."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def read_step(event: Event) -> Step:
    """The step an event carries; EnvelopeError P-14 if its skeleton is not right."""
    assert event.case is not None
    act: Act = read_body(STEPS[event.kind], event.body)
    return Step(
        event.kind,
        event.frm,
        event.case.no,
        event.case.n,
        event.case.prev,
        event.hash,
        event.cat,
        act,
        instant(event.iat),
    )
