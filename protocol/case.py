"""A case (办件) as the fold of its steps, and one step about to be applied: the nouns of `lifecycle`."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import Enum, StrEnum
from typing import NamedTuple

from protocol.clockwork import Hands
from protocol.joint import Joint
from protocol.ledger import Ledger, Owner
from protocol.messages import Act
from protocol.modes import mode_of
from protocol.terms import LABELS


class State(StrEnum):
    """Where a case stands; the value travels and is stored, `label` is for people."""

    FILED = "filed"
    BOUNCED = "bounced"
    RECEIVED = "received"
    CORRECTING = "correcting"
    NOT_ACCEPTED = "not_accepted"
    SENT_BACK = "sent_back"
    ACCEPTED = "accepted"
    SPECIAL = "special"
    JOINT = "joint"
    FORWARDED = "forwarded"
    DECIDING = "deciding"
    GRANTED = "granted"
    REFUSED = "refused"
    PRODUCING = "producing"
    CLOSED = "closed"
    DELIVERED = "delivered"
    ARCHIVED = "archived"
    WITHDRAWN = "withdrawn"
    TERMINATED = "terminated"
    VOIDED = "voided"

    @property
    def label(self) -> str:
        """The Chinese word on screens and documents."""
        return LABELS[self]


OVER = frozenset(
    (
        State.NOT_ACCEPTED,
        State.SENT_BACK,
        State.CLOSED,
        State.DELIVERED,
        State.ARCHIVED,
        State.WITHDRAWN,
        State.TERMINATED,
        State.VOIDED,
    )
)
"""States in which nobody works on the case any more: it counts as closed (办结)."""
IN_TRANSIT = frozenset((State.FILED, State.FORWARDED))
STOPPED = frozenset((State.CORRECTING, State.SPECIAL))
"""States in which the case's clock does not run."""


class Turn(Enum):
    """Who may write the next step."""

    HOLDER = "承办单位"
    TARGET = "移交的接收方"
    ORIGIN = "受理起点"
    NOBODY = "无"


class Case(NamedTuple):
    """The fold of a case's steps: what every replica agrees on.

    A tuple, because each step makes a new one: `_replace` costs a seventh of what it does for a dataclass.
    """

    no: str
    item: str
    origin: str
    state: State
    n: int
    head: str
    """SHA-256 of step n; the next step names it as `prev`."""
    holder: str
    speaker: str
    target: str
    """To whom the case is being handed over; "" when it is not in transit."""
    resume: State
    """The state a taken hand-over goes back to."""
    edition: int
    """Catalogue edition under which the last hand-over was made."""
    filed_on: date
    materials: int = 0
    missing: tuple[str, ...] = ()
    """Essential materials not handed in."""
    agent: bool = False
    received_on: date | None = None
    """The legal day of receipt, from which the five working days run."""
    notice_by: date | None = None
    """The last day to tell defects; after it the case is accepted from the day of receipt."""
    reply_by: date | None = None
    """The last day to answer a correction notice."""
    accepted_on: date | None = None
    item_hash: str = ""
    """The document of the item's version that counts for this case."""
    mode: str = ""
    route: str = ""
    """Who must decide: 窗口, 分管领导 or 集体讨论."""
    due: date | None = None
    statutory_due: date | None = None
    provisional: bool = False
    part_due: date | None = None
    calendar: str = ""
    """Version of the calendar the days were computed with."""
    clock: Ledger | None = None
    """时限账 since acceptance, without the stretches: see `ledger`."""
    hands: Hands = ()
    """Whose time it was since filing."""
    pending: tuple[str, ...] = ()
    """容缺: accepted as missing, to come by `follow_up`."""
    follow_up: date | None = None
    joint: Joint | None = None
    """The last joint handling (联办): open while the state is JOINT, else as it was closed."""
    two_person: bool = True
    corrections: int = 0
    reviewer: str = ""
    outcome: str = ""
    """granted, refused or ""."""
    decided_by: str = ""
    decided_on: date | None = None
    deliver_by: date | None = None
    tell_by: date | None = None
    closed_on: date | None = None
    delivered_on: date | None = None

    @property
    def wants_joint(self) -> bool:
        """Whether it is to be handled jointly (联合) and has not been yet."""
        return self.state is State.ACCEPTED and self.joint is None and mode_of(self.mode).joint

    @property
    def over(self) -> bool:
        """Whether nobody works on it any more: no place becomes its holder now."""
        return self.state in OVER

    @property
    def holders(self) -> frozenset[str]:
        """Every place that has held it (承办单位) so far; of an accepted case none is ever taken away again."""
        held = [one.place for one in self.hands if one.owner in (Owner.LOCAL, Owner.UPPER)]
        if self.state in (State.CLOSED, State.DELIVERED, State.ARCHIVED):
            held.pop()  # since the closing the origin has it to deliver, and holds nothing
        return frozenset((*held, self.holder))

    @property
    def ledger(self) -> Ledger | None:
        """The whole ledger, whose time it was included; None before acceptance."""
        return None if self.clock is None else replace(self.clock, stretches=self.hands)


@dataclass(frozen=True, slots=True)
class Step:
    """One step about to be applied: its place in the chain, who says it, under which edition, and its body."""

    kind: str
    frm: str
    no: str
    n: int
    prev: str
    hash: str
    edition: int
    body: Act
    at: datetime
    """The sender's clock when it was said."""
