"""What the protocol can refuse. Knows no HTTP and no database.

ProtocolError
├── DivisionsError      a divisions file (区划表) is not usable; carries the line
├── RosterError         places do not form one city's tree
├── CatalogueError      an item, deed or edition is not consistent; carries every problem found
├── CalendarError       calendar data is not usable
├── LedgerError         a clock would be set in a way the law does not know
├── EnvelopeError       a line, statement, parcel or certificate is not genuine; carries the rule
├── SealError           the personal part cannot be sealed or opened
├── TransitionRefused   the lifecycle has no such move, or its guard says no
└── RoutingError        nobody, or not this place, may hold or decide
"""

from collections.abc import Sequence
from dataclasses import dataclass


class ProtocolError(Exception):
    """Something broke a rule of the protocol; nothing was changed."""


class DivisionsError(ProtocolError):
    """A divisions file is refused; `line` is the 1-based line in the file."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"第 {line} 行：{reason}")
        self.line = line
        self.reason = reason


class RosterError(ProtocolError):
    """The places given do not form the tree of one city."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one part of a catalogue: the item or deed, the field, and the reason in Chinese."""

    subject: str
    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.subject} {self.field}：{self.reason}"


class CatalogueError(ProtocolError):
    """An item, a deed or an edition of the catalogue contradicts itself; `problems` lists all that was found."""

    def __init__(self, reason: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__("\n".join((reason, *map(str, problems))))
        self.reason = reason
        self.problems = tuple(problems)


class CalendarError(ProtocolError):
    """Calendar data (工作日历) cannot be used."""


class LedgerError(ProtocolError):
    """The clock of a case (时限账) would be set in a way the law does not know; it is unchanged."""


class EnvelopeError(ProtocolError):
    """A message is not genuine or not for us; `rule` is the number in docs/protocol.md."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(f"{rule} {reason}")
        self.rule = rule
        self.reason = reason


class SealError(ProtocolError):
    """The sealed part cannot be sealed to, or opened by, this party."""


class TransitionRefused(ProtocolError):
    """The lifecycle does not allow this step now; the case is unchanged."""


class RoutingError(ProtocolError):
    """No place, or not this place, may hold or decide the case."""
