"""What programs say and hear about cases: request bodies and answers of the API."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from protocol.lifecycle import State

Text = Annotated[str, Field(max_length=2000)]


class Input(BaseModel):
    """A request body: nothing unknown in it."""

    model_config = ConfigDict(extra="forbid")


class FilingInput(Input):
    """登记."""

    item: str
    name: str
    id_type: str = "111"
    id_no: str
    phone: str
    address: str = ""
    agent: bool = False
    entrusted: bool = False
    entrust_scope: tuple[str, ...] = ()
    entrust_until: str = ""
    materials: tuple[str, ...] = ()
    note: Text = ""
    again: Text = ""
    """Why, where the applicant has a case of this item open."""
    draft: Annotated[str, Field(max_length=64)] = ""


class Why(Input):
    """An act that needs a reason."""

    why: Text


class Acceptance(Input):
    """受理; `pending` may follow (容缺) by `follow_up`; `leader` is in charge of an urgent case."""

    pending: Annotated[tuple[str, ...], Field(max_length=60)] = ()
    follow_up: date | None = None
    leader: Annotated[str, Field(max_length=40)] = ""


class NotAcceptance(Why):
    """不予受理: the law's ground, and the right body where it is another's power."""

    ground: str
    body: Annotated[str, Field(max_length=500)] = ""


class SendingBack(Why):
    """退件: the ground; `why` holds the reasons and where to appeal."""

    ground: str


class Suspension(Input):
    """启动特别程序."""

    kind: Annotated[str, Field(max_length=100)]
    basis: Annotated[str, Field(max_length=500)] = ""
    why: Annotated[str, Field(max_length=500)] = ""


class Resumption(Input):
    """恢复计时."""

    kind: Annotated[str, Field(max_length=100)]
    result: Text


class Extension(Input):
    """延期, proposed; another approves."""

    days: int
    why: Annotated[str, Field(max_length=500)]


class Termination(Input):
    """终止."""

    ground: str
    text: Text = ""


class Closing(Input):
    """办结 after making the certificate."""

    result: Annotated[str, Field(max_length=200)] = ""


class Forwarding(Why):
    """转办 / 上报."""

    to: str


class Defect(Input):
    """One thing to put right: which material, what is wrong, what is required."""

    material: Annotated[str, Field(max_length=200)]
    problem: Text
    required: Text = ""


class Correction(Input):
    """一次性告知补正: every defect at once."""

    defects: list[Defect]


class Supplement(Input):
    """补正提交."""

    materials: list[str] = []
    note: Text = ""
    absent: dict[str, Text] = {}
    """What was asked for and cannot be given, with the reason."""


class Review(Input):
    """审查意见: 同意 or 不同意."""

    opinion: str
    text: Text


class Decision(Input):
    """决定: granted or refused, with reasons when refused, and the result's name."""

    outcome: str
    text: Text = ""
    result: Annotated[str, Field(max_length=200)] = ""
    minutes: Annotated[str, Field(max_length=100)] = ""
    produce: bool = False
    """制证: the certificate is still to be made."""


class Delivery(Input):
    """送达."""

    way: Annotated[str, Field(max_length=100)]
    receiver: Annotated[str, Field(max_length=100)]


class CaseAnswer(BaseModel):
    """A case as this node sees it."""

    no: str
    item: str
    item_name: str
    state: State
    state_label: str
    origin: str
    holder: str
    speaker: str
    """Who may write the next step; empty when nobody may."""
    target: str
    step: int
    filed_on: date
    accepted_on: date | None
    received_on: date | None
    notice_by: date | None
    mode: str
    route: str
    due: date | None
    statutory_due: date | None
    provisional: bool
    part_due: date | None
    follow_up: date | None
    deliver_by: date | None
    outcome: str
    decided_on: date | None
    closed_on: date | None
    delivered_on: date | None


class StepAnswer(BaseModel):
    """One signed event of a case and where it stands here."""

    n: int | None
    kind: str
    by: str
    frm: str
    hash: str
    state: str
    rule: str
    reason: str
    stored_at: datetime
    body: dict[str, Any]


class ReachAnswer(BaseModel):
    """How far one of our acts got with one reader."""

    kind: str
    place: str
    state: str
    rule: str
    reason: str
    stored_at: datetime
    sent_at: datetime | None
    done_at: datetime | None
    tries: int


class ShareAnswer(BaseModel):
    """Whose time it was: office minutes, working days, and those that count for the limit."""

    owner: str
    place: str
    minutes: int
    workdays: int
    counted: int


class ClockAnswer(BaseModel):
    """The clock of a case as facts (时限账), its light, and whose time it was."""

    ledger: dict[str, Any] | None
    light: str
    remaining: int | None
    elapsed_minutes: int
    shares: list[ShareAnswer]
    calendar: str


class FindingAnswer(BaseModel):
    """发现: a rule of supervision that a case touches, and the facts."""

    rule: str
    no: str
    about: str
    place: str
    person: str
    facts: dict[str, Any]
    on: date


class Proposed(BaseModel):
    """What waits for a second person now."""

    id: str


class CaseDetail(CaseAnswer):
    """A case with its story, the reach of our acts, and its personal part if we are a party to it."""

    steps: list[StepAnswer]
    reach: list[ReachAnswer]
    private: dict[str, Any] | None
    """Masked unless asked for with a reason; None if this node is not a party."""


class CaseList(BaseModel):
    """A page of cases; `next` asks for the page after."""

    cases: list[CaseAnswer]
    next: str | None


class Filed(BaseModel):
    """The number of the new case."""

    no: str
