"""What each step does to a case's clock (时限账) and in whose hands its time then runs.

One rule: steps carry facts, and the ledger after a step follows from the ledger before it and the facts alone, so
every node has the same ledger; only dates that take a calendar are computed by the owner and travel.
The place that first takes a case has its local part; every later holder the upper part.
"""

from datetime import datetime

from protocol.errors import LedgerError
from protocol.ledger import (
    Extension,
    Ledger,
    Owner,
    Stretch,
    ledger_document,
    open_suspensions,
    read_ledger,
    resume,
    stop,
    suspend,
)
from protocol.limits import Limit, Unit
from protocol.messages import Act, CaseAccepted, Extended, HandedOver, Resumed, Suspended
from protocol.places import Code

Hands = tuple[Stretch, ...]
"""Whose time it was since filing: each stretch until the next begins."""

ENDS = frozenset(
    ("case.granted", "case.refused", "case.withdrawn", "case.terminated", "case.voided"),
)
"""Steps with which the clock stops for good."""
BACK = frozenset(
    (
        "case.returned",
        "case.not_accepted",
        "case.sent_back",
        "case.withdrawn",
        "case.terminated",
        "case.voided",
        "case.delivered",
    ),
)
"""Steps after which the case is in the applicant's hands."""


def opened(body: CaseAccepted) -> Ledger:
    """The ledger an acceptance begins; LedgerError unless it is a fresh one of that very day, written in the one way."""
    ledger = read_ledger(body.clock)
    fresh = Ledger(ledger.accepted, ledger.promised, ledger.statutory)
    if ledger_document(fresh) != body.clock or ledger.accepted != body.on:
        raise LedgerError(f"受理时的时限账须从受理日 {body.on} 起新立")
    return ledger


def moved(ledger: Ledger | None, kind: str, body: Act) -> Ledger | None:
    """The ledger after a step; LedgerError if the step may not do this to it."""
    if isinstance(body, CaseAccepted):
        return opened(body)
    if ledger is None:
        return None
    if isinstance(body, Suspended):
        return suspend(ledger, body.special, body.basis, body.on, body.why)
    if isinstance(body, Resumed):
        return resume(ledger, body.special, body.on)
    if isinstance(body, Extended):
        return _extended(ledger, body)
    return stop(ledger, max(body.on, ledger.accepted)) if kind in ENDS else ledger


def _extended(ledger: Ledger, body: Extended) -> Ledger:
    if ledger.extension is not None:
        raise LedgerError(f"已于 {ledger.extension.on} 延期过一次，不能再延")
    extension = Extension(Limit(body.days, Unit.WORKDAY), body.on, body.approver, body.why, body.basis)
    return Ledger(
        ledger.accepted, ledger.promised, ledger.statutory, ledger.suspensions, extension, ledger.stretches
    )


def still_suspended(ledger: Ledger | None) -> bool:
    """Whether a suspension is open."""
    return ledger is not None and bool(open_suspensions(ledger))


def passed(hands: Hands, kind: str, body: Act, *, frm: str, holder: str, origin: str, at: datetime) -> Hands:
    """In whose hands the time runs after a step: `holder` is the one after it; unchanged by most steps.

    `at` is the sender's clock; where it runs behind the step before, that one's instant counts.
    """
    if isinstance(body, HandedOver) or kind == "case.filed":
        return _hand(hands, Owner.TRANSIT, str(getattr(body, "to", "")), at)
    if kind == "case.taken":
        return _hand(hands, _owner(hands, frm), frm, at)
    if kind in ("case.handover_refused", "case.corrected"):
        return _hand(hands, _owner(hands, holder), holder, at)
    if kind == "case.closed":
        return _hand(hands, Owner.LOCAL, origin, at)
    if kind in BACK:
        return _hand(hands, Owner.APPLICANT, origin, at)
    return hands


def _owner(hands: Hands, place: str) -> Owner:
    for one in hands:
        if one.owner is Owner.LOCAL:
            return Owner.LOCAL if one.place == place else Owner.UPPER
    return Owner.LOCAL


def _hand(hands: Hands, owner: Owner, place: str, at: datetime) -> Hands:
    if hands:
        last = hands[-1]
        if (last.owner, last.place) == (owner, place):
            return hands
        at = max(at, last.at)
    return (*hands, Stretch(owner, Code(place), at))
