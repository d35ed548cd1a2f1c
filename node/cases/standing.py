"""How a case's clock stands now: its light, what is left, and whose time it was."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from node.work import Knowledge, civil_date
from protocol import ledger as clock
from protocol.ledger import Ledger, ledger_document
from protocol.lifecycle import OVER, Case, State
from protocol.limits import Limit
from protocol.shares import Share, shares, working_minutes


@dataclass(frozen=True, slots=True)
class Standing:
    """The clock of a case at a moment; the shares sum to the elapsed office minutes."""

    ledger: dict[str, Any] | None
    light: str
    """`protocol.ledger.Light`, or "" before acceptance."""
    remaining: int | None
    elapsed_minutes: int
    shares: tuple[Share, ...]


def clock_of(_session: Session, know: Knowledge, case: Case, now: datetime) -> Standing:
    """How the clock stands at `now`, or stood when the case ended; without a calendar only the facts."""
    ledger = case.ledger
    calendar = know.catalogue.calendar if know.catalogue else None
    document = ledger_document(ledger) if ledger else None
    if calendar is None or not case.hands:
        return Standing(document, "", None, 0, ())
    hours = know.rules.hours
    whole = ledger or Ledger(civil_date(now), Limit(0), stretches=case.hands)
    until = case.hands[-1].at if case.state in OVER - {State.CLOSED} else now
    parts = shares(whole, calendar, until, hours)
    elapsed = working_minutes(case.hands[0].at, until, calendar, hours)
    if ledger is None:
        return Standing(None, "", None, elapsed, parts)
    today = civil_date(now)
    return Standing(
        document,
        clock.light(ledger, calendar, today).value,
        clock.remaining(ledger, calendar, today),
        elapsed,
        parts,
    )
