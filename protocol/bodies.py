"""The common ground of all skeletons (骨架): the kinds of text in them, and the three shapes that others build on.

One rule: a reader ignores fields it does not know, so that later kinds of node may say more, and is strict about
those it knows.
"""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from protocol.places import code

PlaceCode = Annotated[str, AfterValidator(code)]
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

    on: date
    by: Staff


class Clocked(Act):
    """A step that may move the case's days; the owner computes them, everybody else shows them."""

    due: date | None = None
    """The last day of the stricter limit, the one told to the applicant; None: as before."""
    statutory_due: date | None = None
    provisional: bool = False
    calendar: Text = ""
    part_due: date | None = None
    """The last day of the holder's own part, where it has one."""


class ClockMoved(Clocked):
    """A step after which the days are told anew."""

    why: Text = ""
