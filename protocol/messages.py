"""Every kind of event, who may be given the power to say it, and what its skeleton carries.

The body (骨架) is what every addressee and the supervising hubs read: numbers, steps, places, dates, staff
numbers. Names, ID numbers, opinions and reasons of a person's case live in the sealed part. A reader
ignores body fields it does not know, so that later kinds of node may say more.
"""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from protocol import strict
from protocol.errors import EnvelopeError
from protocol.places import Tier, code

PlaceCode = Annotated[str, AfterValidator(code)]
Text = Annotated[str, Field(max_length=500)]
Staff = Annotated[str, Field(max_length=40)]
"""工号: whom to ask; not a name."""


class Body(BaseModel):
    """What all skeletons share: frozen, strict about what it knows, silent about what it does not."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Act(Body):
    """One step of a case: the civil date (Asia/Shanghai) it counts on, and the staff number behind it."""

    on: date
    by: Staff


class CaseFiled(Act):
    """登记: the agent or window hands the case to the place that shall take it."""

    item: Annotated[str, Field(max_length=50)]
    to: PlaceCode
    channel: Text = "村站代办"
    agent: bool = False
    materials: Annotated[int, Field(ge=0, le=200)] = 0
    why: Text = ""


class CaseTaken(Act):
    """签收: the addressee of a hand-over becomes the holder (承办单位)."""


class HandoverRefused(Act):
    """退回移交: the addressee sends the case back to whom it came from, with the reason."""

    why: Annotated[str, Field(min_length=1, max_length=500)]


class HandedOver(Act):
    """A hand-over (转办 / 上报) to `to`; `forwarded` by the holder, `redirected` by an addressee with a newer catalogue."""

    to: PlaceCode
    why: Annotated[str, Field(min_length=1, max_length=500)]
    auto: bool = False


class CaseAccepted(Act):
    """受理, with the facts of the clock; `due` is the promised, `statutory_due` the law's last day."""

    due: date | None
    statutory_due: date | None = None
    provisional: bool = False
    calendar: Text
    clock: dict[str, Any] = Field(default_factory=dict)
    two_person: bool = True


class CaseReturned(Act):
    """一次性告知补正: all defects at once; the texts are sealed."""

    defects: Annotated[int, Field(ge=1, le=100)]
    reply_by: date | None = None


class CaseCorrected(Act):
    """补正收件: answers a supplement; `submission` is the hash of that signed event."""

    submission: Annotated[str, Field(max_length=64)] = ""


class CaseReviewed(Act):
    """审查意见: the first of the two persons (一审)."""

    opinion: Literal["同意", "不同意"]


class CaseDecided(Act):
    """准予 / 不予: the second person (一核); reasons and remedies are sealed."""

    reasons: bool = False


class CaseClosed(Act):
    """办结: the result is made and waits at the origin."""

    result: Text = ""


class CaseDelivered(Act):
    """送达 to the applicant, and how."""

    way: Text


class CaseWithdrawn(Act):
    """撤回 by the applicant before the decision; `submission` names the signed request if one came."""

    submission: Annotated[str, Field(max_length=64)] = ""


class ClockMoved(Act):
    """A step that stops, restarts or lengthens the clock; `clock` is the ledger after it."""

    why: Text = ""
    due: date | None = None
    statutory_due: date | None = None
    clock: dict[str, Any] = Field(default_factory=dict)


class PlainAct(Act):
    """A step that needs no more than who and when."""

    why: Text = ""


class Submission(Act):
    """提交: what the origin asks of the holder about case `no`; never a step of the chain by itself."""

    no: Annotated[str, Field(max_length=50)]
    why: Text = ""


class Figures(Body):
    """日报: a node's own totals for one civil day. `totals` maps item id to indicator to count."""

    on: date
    edition: int
    events: int
    totals: dict[str, dict[str, int]]


B = TypeVar("B", bound=Body)

STEPS: Mapping[str, type[Act]] = MappingProxyType(
    {
        "case.filed": CaseFiled,
        "case.taken": CaseTaken,
        "case.handover_refused": HandoverRefused,
        "case.redirected": HandedOver,
        "case.forwarded": HandedOver,
        "case.accepted": CaseAccepted,
        "case.not_accepted": PlainAct,
        "case.returned": CaseReturned,
        "case.corrected": CaseCorrected,
        "case.suspended": ClockMoved,
        "case.resumed": ClockMoved,
        "case.extended": ClockMoved,
        "case.joint_opened": ClockMoved,
        "case.joint_closed": ClockMoved,
        "case.reviewed": CaseReviewed,
        "case.remanded": PlainAct,
        "case.granted": CaseDecided,
        "case.refused": CaseDecided,
        "case.closed": CaseClosed,
        "case.delivered": CaseDelivered,
        "case.archived": PlainAct,
        "case.withdrawn": CaseWithdrawn,
        "case.terminated": PlainAct,
        "case.voided": PlainAct,
    },
)
"""Steps of the case's chain: only the one node whose turn it is may say them."""

SUBMISSIONS: Mapping[str, type[Submission]] = MappingProxyType(
    {"case.supplement_sent": Submission, "case.withdrawal_asked": Submission},
)
PUBLISHED = frozenset(
    ("catalogue.item", "catalogue.deed", "catalogue.calendar", "catalogue.edition", "roster.place"),
)
"""Signed documents for everybody: no recipients; the newest version under a key counts."""

JOINT = frozenset(("joint.notice", "joint.opinion", "joint.minutes"))
MONEY = frozenset(("fee.bill", "fee.paid", "fee.refund"))
UPWARD = frozenset(
    ("report.daily", "supervise.reply", "supervise.appeal", "rating.filed", "complaint.filed", "line.down")
)
DOWNWARD = frozenset(
    (
        "supervise.card",
        "supervise.order",
        "authorisation.update",
        "rating.rectified",
        "complaint.answered",
        "certificate.revoked",
    ),
)
_DESK = frozenset(STEPS) | frozenset(SUBMISSIONS) | JOINT | MONEY | UPWARD

MAY: Mapping[Tier, frozenset[str]] = MappingProxyType(
    {
        Tier.VILLAGE: _DESK - JOINT,
        Tier.TOWNSHIP: _DESK | {"authorisation.update"},
        Tier.COUNTY: _DESK | DOWNWARD | {"roster.place"},
        Tier.CITY: _DESK | DOWNWARD | PUBLISHED,
    },
)
"""The powers a certificate of each tier is issued with."""

EVERY_KIND = _DESK | DOWNWARD | PUBLISHED


def read_body(model: type[B], fields: dict[str, Any]) -> B:
    """The skeleton as its model; EnvelopeError P-14 naming the field that is wrong.

    Read as JSON and strictly: "3" is no number, "yes" no truth, and a day is written 2026-03-02 and in no other way.
    """
    try:
        return model.model_validate_json(strict.dumps(fields), strict=True)
    except ValidationError as wrong:
        first = wrong.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise EnvelopeError("P-14", f"{where}：{first['msg']}") from None
