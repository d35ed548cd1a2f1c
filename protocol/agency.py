"""Agency (代办): what a station says about acting for an applicant, and how the entrustment stands.

One rule: an agent does what was entrusted, while it was entrusted, free of charge. Whoever entrusts may stop it at any
time. How it stands is a function of what the station has signed. Source: DOMAIN 11, D11 to D13; breaches are AB22.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field

from protocol.bodies import Act, Day, PlaceCode, Staff, Text

SCOPES = ("交件", "缴费", "领件", "签收")
"""What an entrustment may allow."""
FETCHES = ("领件", "签收")
"""Either lets the agent take the result to the applicant."""
MARKS = ("预约", "上门", "延时", "下乡", "绿色通道")
GROUNDS = ("委托人撤回委托", "申请人拒不提供材料", "政策变化", "本人自行办理")
HAND_IN_WORKDAYS = 3
"""Materials are with the one who handles them within so many working days."""


class AgencyState(StrEnum):
    """How the entrustment stands."""

    ACTING = "代办中"
    PAUSED = "已中止"
    ENDED = "已终止"
    DONE = "已办结"


class AgencyAct(Act):
    """Something the station says about case `no`."""

    no: Annotated[str, Field(max_length=50)]


class Stopped(AgencyAct):
    """代办中止单, or with `final` the 代办终止单; the remarks are sealed."""

    ground: Literal["委托人撤回委托", "申请人拒不提供材料", "政策变化", "本人自行办理"]
    final: bool = False


class Resumed(AgencyAct):
    """续办委托书: entrusted again, until that day."""

    until: Day


class Finished(AgencyAct):
    """代办办结单."""


class PapersHandedOver(AgencyAct):
    """The materials on paper were handed to `to`; `receiver` is the staff number of who took them."""

    to: PlaceCode
    papers: Annotated[int, Field(ge=1, le=1000)]
    receiver: Staff


class MoneyHeld(AgencyAct):
    """The applicant's money for a bill, against a numbered receipt: held (代收), then paid into the bank (缴存)."""

    receipt: Annotated[str, Field(min_length=1, max_length=60)]
    bill: Annotated[str, Field(min_length=1, max_length=60)]
    amount: Annotated[int, Field(gt=0)]
    """分."""
    stage: Literal["代收", "缴存"]
    reference: Annotated[str, Field(max_length=100)] = ""


class Marked(AgencyAct):
    """In which special way the case is served; a green channel has a named person."""

    mark: Literal["预约", "上门", "延时", "下乡", "绿色通道"]
    person: Staff = ""
    at: Text = ""


AGENCY: Mapping[str, type[AgencyAct]] = MappingProxyType(
    {
        "agency.stopped": Stopped,
        "agency.resumed": Resumed,
        "agency.finished": Finished,
        "agency.handed_over": PapersHandedOver,
        "agency.money": MoneyHeld,
        "agency.marked": Marked,
    }
)


@dataclass(frozen=True, slots=True)
class Agency:
    """How the agency of a case stands."""

    state: AgencyState = AgencyState.ACTING
    until: Day | None = None
    """From a renewed entrustment; None: the first one's own day counts."""
    handed_on: Day | None = None
    marks: tuple[Marked, ...] = ()
    held: Mapping[str, MoneyHeld] = field(default_factory=dict)
    """Money not yet in the bank, by receipt."""


def standing(said: Iterable[AgencyAct]) -> Agency:
    """How it stands after all that was said, in that order."""
    found = Agency()
    for one in said:
        match one:
            case Stopped():
                found = replace(found, state=AgencyState.ENDED if one.final else AgencyState.PAUSED)
            case Resumed():
                found = replace(found, state=AgencyState.ACTING, until=one.until)
            case Finished():
                found = replace(found, state=AgencyState.DONE)
            case PapersHandedOver():
                found = replace(found, handed_on=found.handed_on or one.on)
            case Marked():
                found = replace(found, marks=(*found.marks, one))
            case MoneyHeld():
                others = {name: held for name, held in found.held.items() if name != one.receipt}
                found = replace(found, held=others | ({one.receipt: one} if one.stage == "代收" else {}))
    return found


def out_of_time(agency: Agency, until: date | None, today: date) -> str:
    """Why nothing may be done for the applicant now; "" if it may. `until` is the first entrustment's last day."""
    if agency.state is not AgencyState.ACTING:
        return f"代办{agency.state.value}，须由委托人签署续办委托书"
    last = agency.until or until
    if last is not None and today > last:
        return f"委托期限已于 {last} 届满，须由委托人续办"
    return ""
