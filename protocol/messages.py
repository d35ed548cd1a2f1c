"""Every kind of event, who may be given the power to say it, and what its skeleton carries.

The body (骨架) is what every addressee and the supervising hubs read: numbers, steps, places, dates, staff
numbers. Names, ID numbers, opinions and reasons of a person's case live in the sealed part. A reader
ignores body fields it does not know, so that later kinds of node may say more.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, ValidationError

from protocol import strict
from protocol.agency import AGENCY
from protocol.bodies import Act, Body, Clocked, ClockMoved, Day, Papers, PlaceCode, Reason, Staff, Text
from protocol.envelope import Event
from protocol.errors import EnvelopeError
from protocol.joint_acts import JOINTS, JointClosed, JointOpened
from protocol.places import Tier

__all__ = ["Act", "Body", "ClockMoved", "Clocked", "JointClosed", "JointOpened"]


class CaseFiled(Act):
    """登记: the agent or window hands the case to the place that shall take it."""

    item: Annotated[str, Field(max_length=50)]
    to: PlaceCode
    channel: Text = "村站代办"
    agent: bool = False
    materials: Annotated[int, Field(ge=0, le=200)] = 0
    missing: Papers = ()
    """Essential materials that were not handed in."""
    again: bool = False
    """Filed although the applicant has a case of this item open; the reason is sealed."""
    why: Text = ""


class CaseTaken(Clocked):
    """签收: the addressee of a hand-over becomes the holder (承办单位).

    `received_on` is the legal day of receipt, `notice_by` the last day to tell defects (行政许可法 32).
    """

    received_on: Day | None = None
    notice_by: Day | None = None


class HandoverRefused(Act):
    """退回移交: the addressee sends the case back to whom it came from, with the reason."""

    why: Reason


class HandedOver(Clocked):
    """A hand-over (转办 / 上报) to `to`; `forwarded` by the holder, `redirected` by an addressee with a newer catalogue."""

    to: PlaceCode
    why: Reason
    auto: bool = False


class CaseAccepted(Clocked):
    """受理: the clock begins, and the version of the item that counts for this case from now on is named."""

    due: Day
    calendar: Annotated[str, Field(min_length=1, max_length=100)]
    clock: dict[str, Any]
    """The ledger (时限账) as it begins."""
    item_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    mode: Annotated[str, Field(max_length=8)] = "一般承诺"
    route: Annotated[str, Field(max_length=8)] = "窗口"
    two_person: bool = True
    deemed: bool = False
    """视为受理: nobody told the applicant anything in five working days."""
    pending: Papers = ()
    """容缺: what may follow, by `follow_up`."""
    follow_up: Day | None = None
    leader: Staff = ""
    """Who is in charge in person, where the mode asks for it."""


class CaseReturned(Act):
    """一次性告知补正: all defects at once; the texts are sealed, the materials' names are public."""

    defects: Annotated[int, Field(ge=1, le=100)]
    materials: Papers = ()
    reply_by: Day | None = None
    """After this day without an answer the case is terminated."""


class CaseCorrected(Act):
    """补正收件: answers a supplement; `submission` is the hash of that signed event."""

    submission: Annotated[str, Field(max_length=64)] = ""
    materials: Papers = ()
    received_on: Day | None = None
    notice_by: Day | None = None


class CaseSupplied(Act):
    """容缺补齐: what was accepted as missing has come."""

    submission: Annotated[str, Field(max_length=64)] = ""
    materials: Annotated[Papers, Field(min_length=1)]


class NotAccepted(Act):
    """不予受理: on which of the law's grounds; where it is another organ's power, that organ. Texts are sealed."""

    ground: Literal["不需要申请", "不属于本机关职权", "依法不得申请"]
    body: Text = ""


class SentBack(Act):
    """退件: on which ground the papers go back; the reasons and where to appeal are sealed."""

    ground: Literal["补正后仍不齐全", "补正后仍不符合法定形式", "申请人要求退回材料"]


class CaseReviewed(Act):
    """审查意见: the first of the two persons (一审)."""

    opinion: Literal["同意", "不同意"]


class CaseDecided(Act):
    """准予 / 不予: the second person (一核), by which authorisation; reasons and remedies are sealed."""

    reasons: bool = False
    authorisation: Annotated[str, Field(max_length=60)] = ""
    minutes: Annotated[str, Field(max_length=100)] = ""
    """Of the meeting that decided, where the item asks for one (集体讨论)."""
    deliver_by: Day | None = None
    """The last day to issue and deliver (行政许可法 44)."""


class CaseClosed(Act):
    """办结: the result is made and waits at the origin."""

    result: Text = ""
    tell_by: Day | None = None
    """The last day to pass the reply on to the applicant, where the mode has one."""


class CaseDelivered(Act):
    """送达 to the applicant, and how."""

    way: Text


class CaseWithdrawn(Act):
    """撤回 by the applicant before the decision; `submission` names the signed request if one came."""

    submission: Annotated[str, Field(max_length=64)] = ""


class Suspended(ClockMoved):
    """启动特别程序: the clock stands still from `on`; a kind of the frozen item, with its basis (行政许可法 45)."""

    special: Annotated[str, Field(min_length=1, max_length=100)]
    basis: Reason
    max_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    """The longest it may take by the item's list; None: the list names no number."""


class Resumed(ClockMoved):
    """恢复计时: the special procedure of this kind has ended; `on` is the last day not counted."""

    special: Annotated[str, Field(min_length=1, max_length=100)]


class Extended(ClockMoved):
    """延期, once: `by` asks for it, `approver` grants it, under an authorisation (行政许可法 42)."""

    days: Annotated[int, Field(ge=1, le=60)]
    """Working days."""
    approver: Annotated[str, Field(min_length=1, max_length=40)]
    authorisation: Annotated[str, Field(min_length=1, max_length=60)]
    basis: Reason = "《行政许可法》第四十二条"
    why: Reason


class Voided(Act):
    """作废 of a case recorded by mistake, before any decision: `by` asks, `approver` agrees."""

    approver: Annotated[str, Field(min_length=1, max_length=40)]
    authorisation: Annotated[str, Field(min_length=1, max_length=60)]
    why: Reason


class Terminated(Act):
    """终止: the applicant never answered, or is no more."""

    why: Reason


class PlainAct(Act):
    """A step that needs no more than who and when."""

    why: Text = ""


class Submission(Act):
    """提交: what the origin asks of the holder about case `no`; never a step of the chain by itself."""

    no: Annotated[str, Field(max_length=50)]
    why: Text = ""
    materials: Papers = ()


class AuthorisationUpdate(Body):
    """授权: one version of one authorisation, whole; see protocol/powers.py for what it means."""

    id: Annotated[str, Field(min_length=1, max_length=60)]
    version: Annotated[int, Field(ge=1)]
    place: PlaceCode
    person: Annotated[str, Field(min_length=1, max_length=40)]
    items: Annotated[tuple[Annotated[str, Field(max_length=50)], ...], Field(min_length=1, max_length=400)]
    powers: Annotated[tuple[Literal["决定", "延期", "作废", "减免"], ...], Field(min_length=1)]
    rank: Literal["窗口", "分管领导", "集体讨论"] = "窗口"
    since: Day
    until: Day
    seal: Annotated[str, Field(max_length=60)] = ""
    substitutes: Staff = ""
    approvers: tuple[Staff, Staff]
    revoked_on: Day | None = None
    why: Text = ""


class Figures(Body):
    """日报: a node's own totals for one civil day. `totals` maps item id to indicator to count."""

    on: Day
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
        "case.not_accepted": NotAccepted,
        "case.sent_back": SentBack,
        "case.returned": CaseReturned,
        "case.corrected": CaseCorrected,
        "case.supplied": CaseSupplied,
        "case.suspended": Suspended,
        "case.resumed": Resumed,
        "case.extended": Extended,
        "case.reckoned": ClockMoved,
        "case.joint_opened": JointOpened,
        "case.joint_closed": JointClosed,
        "case.reviewed": CaseReviewed,
        "case.remanded": PlainAct,
        "case.granted": CaseDecided,
        "case.refused": CaseDecided,
        "case.producing": PlainAct,
        "case.closed": CaseClosed,
        "case.delivered": CaseDelivered,
        "case.archived": PlainAct,
        "case.withdrawn": CaseWithdrawn,
        "case.terminated": Terminated,
        "case.voided": Voided,
    },
)
"""Steps of the case's chain: only the one node whose turn it is may say them."""

SUBMISSIONS: Mapping[str, type[Submission]] = MappingProxyType(
    {"case.supplement_sent": Submission, "case.withdrawal_asked": Submission},
)
PUBLISHED = frozenset(
    (
        "catalogue.item",
        "catalogue.deed",
        "catalogue.bundle",
        "catalogue.calendar",
        "catalogue.edition",
        "roster.place",
    ),
)
"""Signed documents for everybody: no recipients; the newest version under a key counts."""

JOINT = frozenset(JOINTS)
"""联审联办 among the places invited; a village neither leads nor assists."""
MONEY = frozenset(("fee.bill", "fee.paid", "fee.refund"))
BESIDE = frozenset(SUBMISSIONS) | JOINT | MONEY | frozenset(AGENCY)
"""Words about a case beside its chain: they name it in their body."""
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
_DESK = frozenset(STEPS) | frozenset(SUBMISSIONS) | JOINT | MONEY | frozenset(AGENCY) | UPWARD

MAY: Mapping[Tier, frozenset[str]] = MappingProxyType(
    {
        Tier.VILLAGE: _DESK - JOINT - {"case.joint_opened", "case.joint_closed"},
        Tier.TOWNSHIP: _DESK | {"authorisation.update"},
        Tier.COUNTY: _DESK | DOWNWARD | {"roster.place"},
        Tier.CITY: _DESK | DOWNWARD | PUBLISHED,
    },
)
"""The powers a certificate of each tier is issued with."""

EVERY_KIND = _DESK | DOWNWARD | PUBLISHED


def case_of(event: Event) -> str | None:
    """The number of the case that an event speaks of; None for a kind that speaks of none, whatever its body says."""
    if event.case is not None:
        return event.case.no
    no = event.body.get("no") if event.kind in BESIDE else None
    return no[:50] if isinstance(no, str) else None


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
