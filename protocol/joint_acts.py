"""What is said in joint handling (联审联办): the two steps of the chain, and what lead and assists tell each other.

One rule: a joint handling is named by its case and by the step that opened it, so an answer can never be taken for
that of another round. Reasons, agreed points and places of visits are sealed; bodies hold what supervisors count.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field

from protocol.bodies import Act, Body, ClockMoved, Day, PlaceCode, Staff, Text

Key = Annotated[str, Field(min_length=1, max_length=20)]
"""环节: what one part of a joint handling is called by."""
Keys = Annotated[tuple[Key, ...], Field(max_length=40)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Department = Annotated[str, Field(min_length=1, max_length=20)]
"""Code of a department (部门) in the items file."""
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Number = Annotated[str, Field(min_length=1, max_length=50)]
Version = Annotated[int, Field(ge=1, le=1000)]
StepNumber = Annotated[int, Field(ge=2, le=1_000_000)]

Outcome = Literal["同意", "不同意", "同意但需转报", "视为同意", "超时默许", "缺席默认"]
"""How a part ended: as answered; taken as 同意 for want of content; or by silence, on record."""
SILENT = frozenset(("超时默许", "缺席默认"))


class Part(Body):
    """One part (环节) of a joint handling: who answers for it, in how many working days, after which others."""

    key: Key
    name: Name
    department: Department
    department_name: Name
    place: PlaceCode
    workdays: Annotated[int, Field(ge=1, le=45)]
    after: Keys = ()
    due: Day
    assists: bool = True
    """False: a part of the lead's own, which counts for the days and is not answered."""


class Answer(Body):
    """How one part ended: by which opinion, or by silence of whom."""

    part: Key
    outcome: Outcome
    opinion: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    """Hash of the signed opinion; "" where there is none."""
    person: Staff = ""
    """Who answered; or who is responsible for the silence."""
    late: bool = False


class JointTerms(Body):
    """What a joint handling is: who leads, which parts, by when all of it."""

    bundle: Number
    name: Name
    lead: Department
    lead_name: Name
    parts: Annotated[tuple[Part, ...], Field(min_length=1, max_length=40)]
    until: Day
    """The last day of the longest path."""
    batch: Text = ""
    """集中联合年检: period and name of the batch it belongs to."""


class JointOpened(ClockMoved, JointTerms):
    """发起联办: one acceptance, copied to all (统一受理, 抄告相关). `calendar` is the one the days come from."""


class JointClosed(ClockMoved):
    """联办结束: every part with its opinion by hash, or with the silence on record; the lead then decides as usual."""

    answers: Annotated[tuple[Answer, ...], Field(max_length=40)]
    minutes: Annotated[tuple[Sha256, ...], Field(max_length=20)] = ()
    """Hashes of the minutes (会议纪要)."""


class JointAct(Act):
    """Said within the joint handling of case `no` that its step `joint` opened."""

    no: Number
    joint: StepNumber


class JointNotice(JointAct, JointTerms):
    """联合审批办理通知单（抄告单）: to every assist; the form and the shared materials are sealed to them."""

    item: Number
    opened_on: Day


class JointReply(JointAct):
    """What an assist says of its part; a higher version replaces a lower."""

    part: Key
    version: Version = 1


class JointPromise(JointReply):
    """承诺办理: who will answer, and when."""

    handler: Annotated[Staff, Field(min_length=1)]
    by_day: Day


class JointOpinion(JointReply):
    """协办意见回复单. Other words than the three, or 不同意 without reasons, count as 同意 and are recorded so."""

    opinion: Annotated[str, Field(max_length=50)]
    reasons: bool = False
    """Whether reasons are given; they are sealed."""
    report_to: Text = ""
    """To whom it must be reported (转报)."""


class JointVisit(JointAct):
    """联合踏勘 as one appointment for all; a later one replaces it. Where is sealed."""

    day: Day
    time: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    parts: Annotated[Keys, Field(min_length=1)]


class JointMinutes(JointAct):
    """联审会议纪要 or a record of the visit: who came, who did not; the agreed points are sealed."""

    meeting: Literal["联审会议", "联合踏勘"]
    held_on: Day
    present: Keys = ()
    absent: Keys = ()
    points: Annotated[int, Field(ge=0, le=100)] = 0


class JointResult(JointAct):
    """联办结果抄告 to assists who do not hear the case's chain: how each part ended, or how the case itself did."""

    answers: Annotated[tuple[Answer, ...], Field(max_length=40)] = ()
    ended: Text = ""
    """Kind of the step that ended the case before the joint handling was closed."""


JOINTS: Mapping[str, type[JointAct]] = MappingProxyType(
    {
        "joint.notice": JointNotice,
        "joint.promise": JointPromise,
        "joint.opinion": JointOpinion,
        "joint.visit": JointVisit,
        "joint.minutes": JointMinutes,
        "joint.result": JointResult,
    },
)
"""By kind."""
