"""The common ground of all skeletons (骨架): the kinds of text in them, and the three shapes that others build on.

One rule: a reader ignores fields it does not know, so that later kinds of node may say more, and is strict about
those it knows.
"""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)

from protocol.places import code

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _day(found: Any, read: ValidatorFunctionWrapHandler) -> Any:
    """Pydantic alone also takes "1740009600", seconds since 1970, for a day: two spellings of one day."""
    if type(found) is not str:
        return read(found)
    if not _DAY.fullmatch(found):
        raise ValueError("日期应写作 2026-03-02")
    return date.fromisoformat(found)


Day = Annotated[date, WrapValidator(_day)]
"""A civil day (Asia/Shanghai), on the wire written 2026-03-02 and in no other way."""
PlaceCode = Annotated[str, AfterValidator(code), WithJsonSchema({"type": "string", "pattern": "^[0-9]{12}$"})]
Text = Annotated[str, Field(max_length=500)]
Staff = Annotated[str, Field(max_length=40)]
"""工号: whom to ask; not a name."""
Reason = Annotated[str, Field(min_length=1, max_length=500)]
Papers = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], Field(max_length=60)]
"""Materials by the names of the item's list, which is public."""


class Body(BaseModel):
    """What all skeletons share: frozen, strict about what it knows, silent about what it does not."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Act(Body):
    """One step of a case: the civil date (Asia/Shanghai) it counts on, and the staff number behind it."""

    on: Day
    by: Staff


class Clocked(Act):
    """A step that may move the case's days; the owner computes them, everybody else shows them."""

    due: Day | None = None
    """The last day of the stricter limit, the one told to the applicant; None: as before."""
    statutory_due: Day | None = None
    provisional: bool = False
    calendar: Text = ""
    part_due: Day | None = None
    """The last day of the holder's own part, where it has one."""


class ClockMoved(Clocked):
    """A step after which the days are told anew."""

    why: Text = ""
