"""What can be done to a case, as data: the one list that pages, shortcuts and checks are made from.

An act names the step it makes, what must be said with it, and how it is done. Whether it is offered now is asked of
the lifecycle (`TRANSITIONS`), of whose turn it is, and of the officer's roles; capabilities add acts of their own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session

from node.accounts.officer import Officer
from node.accounts.views import names
from node.cases import actions
from node.cases.dossier import events_of
from node.cases.steps import Cases
from node.errors import BadForm, Conflict
from node.work import Work
from protocol.lifecycle import OVER, TRANSITIONS, Case, State
from protocol.modes import mode_of

Answers = Mapping[str, Sequence[str]]
"""What a form said, by field; a field may come several times."""
Options = Callable[[Work, Case], Sequence[tuple[str, str]]]
"""(value, label) pairs to choose from."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing an act must be told."""

    name: str
    label: str
    kind: str = "text"
    """text, long, date, choice, many, or defects."""
    needed: bool = True
    hint: str = ""
    options: Options | None = None
    beside: str = ""
    """The question it belongs to: it is not asked where that one has nothing to choose from."""


@dataclass(frozen=True, slots=True)
class Act:
    """One act on a case."""

    key: str
    label: str
    kind: str
    """The step or submission it makes: decides who may do it and when."""
    run: Callable[[Work, Officer, str, Answers], object]
    done: str
    """What is said once it was done."""
    asks: tuple[Ask, ...] = ()
    rank: str = "plain"
    """main, plain or danger."""
    hint: str = ""
    confirm: str = ""
    shortcut: str = ""
    page: str = ""
    """Its own page, under the case's address, where it wants more than a form beside the case."""
    fits: Callable[[Case, str], bool] | None = None
    """Instead of the table: whether the act fits the case at this place."""
    allows: Callable[[Work, Case], bool] | None = None
    """Whether what stands beside the case (an entrustment, a hand-over of papers) leaves room for it."""
    first: Callable[[Case], bool] | None = None
    """Whether the case should have this act before any other: it is the main one then."""
    doubted: Callable[[Work, Case], bool] | None = None
    """Whether somebody has spoken against it: it is not the main one then."""

    def offered(self, case: Case, me: str) -> bool:
        """Whether the case's state and turn allow it here now."""
        if self.fits is not None:
            return self.fits(case, me)
        return case.speaker == me and self.kind in TRANSITIONS[case.state]

    def asked(self, work: Work, case: Case) -> list[Ask]:
        """What it must be told about this case: not what there is nothing to choose from for."""
        empty = {
            ask.name
            for ask in self.asks
            if ask.kind == "many" and ask.options and not ask.options(work, case)
        }
        return [ask for ask in self.asks if ask.name not in empty and ask.beside not in empty]


def one(answers: Answers, name: str) -> str:
    """The single answer to a question; "" if it was left open."""
    given = answers.get(name) or ("",)
    return given[0]


def _defects(answers: Answers) -> list[dict[str, str]]:
    """Each ticked material with its line of the text, or with the whole text where the lines do not match."""
    materials = list(answers.get("material", ()))
    text = one(answers, "problem")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    each = lines if len(lines) == len(materials) else [text] * len(materials)
    return [
        {"material": name, "problem": said, "required": ""}
        for name, said in zip(materials, each, strict=True)
    ]


def _destinations(work: Work, case: Case) -> Sequence[tuple[str, str]]:
    return [(place.code, f"{place.tier.label} {place.name}") for place in actions.next_holders(work, case)]


def _opinions(_work: Work, _case: Case) -> Sequence[tuple[str, str]]:
    return [(AGREED, AGREED), ("不同意", "不同意")]


def opinion_of(session: Session, no: str) -> str:
    """What the last review of a case came to, 同意 or 不同意; "" if it was never reviewed."""
    said = events_of(session, no, "case.reviewed")
    return str(said[-1].body.get("opinion", "")) if said else ""


def _advised_against(work: Work, case: Case) -> bool:
    return bool(case.reviewer) and opinion_of(work.session, case.no) != AGREED


def _ways(_work: Work, _case: Case) -> Sequence[tuple[str, str]]:
    return [(way, way) for way in ("现场领取", "代办员送达", "邮寄")]


def _materials(work: Work, case: Case) -> Sequence[tuple[str, str]]:
    item = work.know.catalogue.get(case.item) if work.know.catalogue else None
    return [(found.name, found.name) for found in item.materials] if item else []


def _can_accept(case: Case, me: str) -> bool:
    return case.speaker == me and case.state in (State.FILED, State.RECEIVED) and not case.accepted_on


def _can_return(case: Case, me: str) -> bool:
    return case.speaker == me and "case.returned" in TRANSITIONS[case.state] and not case.corrections


def _can_decide(case: Case, me: str) -> bool:
    ready = not case.two_person or bool(case.reviewer)
    return case.speaker == me and "case.granted" in TRANSITIONS[case.state] and ready


def _can_withdraw(case: Case, me: str) -> bool:
    return case.origin == me and not case.outcome and case.state not in OVER


def _can_supply(case: Case, me: str) -> bool:
    awaited = case.state is State.CORRECTING or (case.pending and case.state in actions.SUPPLIABLE)
    return case.origin == me and bool(awaited)


def _may_follow(work: Work, case: Case) -> Sequence[tuple[str, str]]:
    item = work.know.catalogue.get(case.item) if work.know.catalogue else None
    if item is None:
        return []
    late = mode_of(item.seed_kind).late_formalities
    return [(found.name, found.name) for found in item.materials if late or found.need != "必要"]


def _grounds(_work: Work, _case: Case) -> Sequence[tuple[str, str]]:
    return [(ground, ground) for ground in actions.NOT_ACCEPTED]


def _yes_or_no(_work: Work, _case: Case) -> Sequence[tuple[str, str]]:
    return [("否", "否，现在办结"), ("是", "是，制证后办结")]


def _day(text: str) -> date | None:
    """A date from a form; None if it was left open, BadForm if it is none."""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise BadForm(follow_up="日期应写作 2026-03-02") from None


AGREED = "同意"
WHY = Ask("why", "理由", "long")

ACTS: tuple[Act, ...] = (
    Act(
        "accept", "受理", "case.accepted",
        lambda work, who, no, a: actions.accept(
            work, who, no, tuple(a.get("pending", ())), _day(one(a, "follow_up")), one(a, "leader")
        ),
        done="已受理，开始计时，受理起点将收到告知",
        asks=(
            Ask("pending", "容缺：可以后补的材料", "many", needed=False, options=_may_follow),
            Ask("follow_up", "补齐日期", "date", needed=False, beside="pending"),
        ),
        rank="main", hint="开始计时，并告知受理起点", shortcut="a", fits=_can_accept,
    ),
    Act("take", "签收", "case.taken", lambda work, who, no, _a: actions.take(work, who, no), done="已签收，由本站承办", rank="main", hint="成为承办单位", shortcut="t"),
    Act(
        "return", "一次性告知补正", "case.returned",
        lambda work, who, no, a: actions.return_for_correction(work, who, no, _defects(a)),
        done="已一次性告知补正，计时中止",
        asks=(Ask("defects", "需补正的材料", "defects", options=_materials),),
        hint="须一次告知全部需要补正的内容，只能告知一次", shortcut="c", fits=_can_return,
    ),
    Act(
        "not-accept", "不予受理", "case.not_accepted",
        lambda work, who, no, a: actions.refuse_acceptance(
            work, who, no, one(a, "reasons"), one(a, "ground"), one(a, "body")
        ),
        done="已作出不予受理",
        asks=(
            Ask("ground", "情形", "choice", options=_grounds),
            Ask("body", "应向哪个机关申请", needed=False),
            Ask("reasons", "理由", "long"),
        ),
        rank="danger", confirm="不予受理后本件即告结束，确定吗？",
    ),
    Act(
        "review", "审查", "case.reviewed",
        lambda work, who, no, a: actions.review(work, who, no, one(a, "opinion"), one(a, "text")),
        done="审查意见已签署，待审签",
        asks=(Ask("opinion", "审查意见", "choice", options=_opinions), Ask("text", "说明", "long")), rank="main", shortcut="r",
    ),
    Act(
        "grant", "准予", "case.granted",
        lambda work, who, no, a: actions.decide(
            work, who, no, "granted", one(a, "text"), one(a, "result"), one(a, "minutes"), produce=one(a, "produce") == "是"
        ),
        done="已准予并办结，结果已发回受理起点",
        asks=(
            Ask("text", "决定意见", "long", needed=False),
            Ask("result", "证照或批文名称", needed=False, hint="不填则用目录里的结果名称"),
            Ask("minutes", "会议纪要编号", needed=False, hint="须集体讨论的事项必填"),
            Ask("produce", "还要制证", "choice", needed=False, options=_yes_or_no),
        ),
        rank="main", hint="办结，结果回到受理起点", fits=_can_decide, doubted=_advised_against, shortcut="g",
    ),
    Act(
        "refuse", "不予许可", "case.refused",
        lambda work, who, no, a: actions.decide(
            work, who, no, "refused", one(a, "text"), minutes=one(a, "minutes")
        ),
        done="已作出不予许可的决定，结果已发回受理起点",
        asks=(
            Ask("text", "事实、理由和救济途径", "long"),
            Ask("minutes", "会议纪要编号", needed=False, hint="须集体讨论的事项必填"),
        ),
        fits=_can_decide, rank="danger", confirm="作出不予许可的决定，确定吗？",
    ),
    Act(
        "remand", "退回重审", "case.remanded",
        lambda work, who, no, a: actions.remand(work, who, no, one(a, "why")), done="已退回重审", asks=(WHY,),
    ),
    Act(
        "forward", "上报（转办）", "case.forwarded",
        lambda work, who, no, a: actions.forward(work, who, no, one(a, "to"), one(a, "why")),
        done="已移交，等待对方签收",
        asks=(Ask("to", "去向", "choice", options=_destinations), WHY), shortcut="f",
    ),
    Act(
        "refuse-handover", "退回移交", "case.handover_refused",
        lambda work, who, no, a: actions.refuse_handover(work, who, no, one(a, "why")), done="已退回移交", asks=(WHY,), rank="danger",
    ),
    Act(
        "supplement", "提交补正", "case.supplement_sent",
        lambda work, who, no, a: actions.supplement(work, who, no, list(a.get("materials", ())), one(a, "note")),
        done="补正已提交，等待承办单位收件",
        asks=(Ask("materials", "补正的材料", "many", options=_materials), Ask("note", "说明", "long", needed=False)),
        rank="main", fits=_can_supply, page="correction", shortcut="s",
    ),
    Act(
        "withdraw", "撤回", "case.withdrawal_asked",
        lambda work, who, no, a: actions.withdraw(work, who, no, one(a, "why")),
        done="撤回已提交",
        asks=(Ask("why", "申请人撤回的原因", "long"),), rank="danger", confirm="按申请人意愿撤回本件，确定吗？", fits=_can_withdraw,
    ),
    Act(
        "deliver", "送达", "case.delivered",
        lambda work, who, no, a: actions.deliver(work, who, no, one(a, "way"), one(a, "receiver")),
        done="已送达",
        asks=(Ask("way", "送达方式", "choice", options=_ways), Ask("receiver", "签收人")), rank="main", shortcut="d",
    ),
    Act("archive", "归档", "case.archived", lambda work, who, no, _a: actions.archive(work, who, no), done="已归档"),
)  # fmt: skip
"""The acts every tier has, in the order pages show them."""


def do(work: Work, officer: Officer, act: Act, no: str, answers: Answers, seen: int | None) -> None:
    """Do an act the officer chose on a page that showed step `seen`.

    Conflict, naming who was first, if the case has moved since.
    """
    case = Cases(work).need(no)
    if seen is not None and seen != case.n:
        raise Conflict(
            f"办件已由{_last(work, case)}办理到第 {case.n} 步（{case.state.label}），您看到的是第 {seen} 步，请核对后再办"
        )
    act.run(work, officer, no, answers)


def _last(work: Work, case: Case) -> str:
    """Who took the newest step: a colleague by name, somebody elsewhere by his place."""
    found = next((one for one in events_of(work.session, case.no) if one.case and one.case.n == case.n), None)
    if found is None:
        return "他人"
    by, place = str(found.body.get("by", "")), work.know.roster.get(found.frm)
    if found.frm == work.me:
        return f" {names(work.session).get(by, by)} " if by else "他人"
    return f"{place.name if place else found.frm}（{by}）"
