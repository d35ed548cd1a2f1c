"""The six ways of handling a case (办理方式), as data: what each changes in clocks and flow.

One rule: the mode is the item's `seed_kind`, frozen at acceptance; nothing asks for a mode by name, only for
what it says here. 补办 and 退回 are states of any case, not modes. Source: DOMAIN 4.1, docs/law.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from protocol.limits import (
    DEFAULT_JOINT_LIMIT,
    DEFAULT_LIMIT,
    LONGEST_EXTENSION,
    LONGEST_JOINT_EXTENSION,
    Limit,
)


@dataclass(frozen=True, slots=True)
class Mode:
    """What one way of handling changes; the defaults are those of 一般承诺."""

    name: str
    answer: Limit | None = None
    """To accept, return or refuse at all; None: the law's five working days."""
    whole: Limit = DEFAULT_LIMIT
    """The statutory limit of an item that names none."""
    extension: Limit = LONGEST_EXTENSION
    report_up: Limit | None = None
    """The local part: to report up after acceptance, where another decides."""
    feedback: Limit | None = None
    """To pass the reply on to the applicant."""
    accepting_reviews: bool = False
    """Who accepts has reviewed (受理即审): no review of its own; the decider is still another person."""
    late_formalities: bool = False
    """Essential papers may follow too (手续后补), and the licence need not wait for them."""
    leader: bool = False
    """A person in charge must be named at acceptance."""
    joint: bool = False


SAME_DAY = Limit(0)
MODES: Mapping[str, Mode] = MappingProxyType(
    {
        one.name: one
        for one in (
            Mode("即办", answer=SAME_DAY, accepting_reviews=True),
            Mode("一般承诺"),
            Mode("联合", whole=DEFAULT_JOINT_LIMIT, extension=LONGEST_JOINT_EXTENSION, joint=True),
            Mode("特急", answer=SAME_DAY, late_formalities=True, leader=True),
            Mode("上报", report_up=Limit(3), feedback=Limit(2)),
            Mode("控制", answer=SAME_DAY),
        )
    },
)
"""By `seed_kind`."""
_PLAIN = MODES["一般承诺"]


def mode_of(name: str) -> Mode:
    """The mode of this name; an unknown or empty one is handled as 一般承诺."""
    return MODES.get(name, _PLAIN)
