"""Parameters of handling (办理参数): where the law leaves a number open, it stands here and nowhere else.

One rule: what follows from a parameter travels in the step as a date; so nodes with other parameters agree on
every case, and only what a node does of itself differs. Limits that the law fixes are in `limits`, what
differs by way of handling in `modes`, when lights change in `ledger.Thresholds`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from protocol.limits import Limit, Unit
from protocol.shares import OfficeHours

SIXTY_DAYS = Limit(60, Unit.DAY)
TEN_WORKDAYS = Limit(10)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a city may set; the same on all its nodes. See docs/law.md for each."""

    hours: OfficeHours = field(default_factory=OfficeHours)
    roll: bool = True
    """Received after closing or on a day off counts as the next working day."""
    correction_silence: Limit = SIXTY_DAYS
    """No supplement for so long after the notice: the case is terminated."""
    line_wait_days: int = 30
    """So many days after that it waits at most for word from an origin that has not been heard since."""
    follow_up: Limit = TEN_WORKDAYS
    """By when a paper accepted as missing (容缺) must come, if no date is given."""
    special_notice_percent: int = 10
    """A special procedure begun when no more than this part of the limit is left is noted (AB13)."""
    backdated_workdays: int = 1
    """A step dated more working days before it was signed is noted (AB17)."""
    fiscal_account: str = "财政专户"
    """The only payee of any fee (收支两条线)."""
    pay_before_release: bool = True
    """A case with an unpaid bill is not closed with its result released."""


_LIMITS = {
    "correction_silence_days": ("correction_silence", Unit.DAY),
    "follow_up_workdays": ("follow_up", Unit.WORKDAY),
}


def read_rules(table: Mapping[str, Any]) -> Rules:
    """The rules of a configuration table; ValueError names what it does not know or cannot take.

    Limits are numbers (`correction_silence_days`, `follow_up_workdays`), hours are "09:00-12:00" strings.
    """
    found: dict[str, Any] = {}
    plain = {one.name: type(getattr(Rules(), one.name)) for one in fields(Rules)}
    for name, value in table.items():
        if name == "hours":
            found["hours"] = OfficeHours(tuple(_span(text) for text in value))
        elif name in _LIMITS and type(value) is int:
            field_name, unit = _LIMITS[name]
            found[field_name] = Limit(value, unit)
        elif plain.get(name) in (bool, int, str) and type(value) is plain[name]:
            found[name] = value
        else:
            raise ValueError(f"办理参数 {name} = {value!r} 不认识")
    return replace(Rules(), **found)


def _span(text: str) -> tuple[int, int]:
    start, end = (
        sum(int(part) * weight for part, weight in zip(half.split(":"), (60, 1), strict=True))
        for half in text.split("-")
    )
    if not 0 < start < end < 24 * 60:
        raise ValueError(f"上班时间应写作 09:00-12:00：{text}")
    return start, end
