"""The agent's acts, as the case page of his station offers them."""

from collections.abc import Sequence

from node.accounts.officer import Officer
from node.agency import actions
from node.cases.acts import Act, Answers, Ask, Options, _day, one
from node.errors import BadForm
from node.work import Work
from protocol.agency import GROUNDS, MARKS
from protocol.fees import fen
from protocol.lifecycle import OVER, Case


def _among(values: Sequence[str]) -> Options:
    return lambda _work, _case: [(value, value) for value in values]


def _acting(case: Case, me: str) -> bool:
    return case.agent and case.origin == me and case.state not in OVER


def _over(case: Case, me: str) -> bool:
    return case.agent and case.origin == me and bool(case.delivered_on or case.closed_on)


def _away(case: Case, me: str) -> bool:
    return _acting(case, me) and (case.holder != me or case.target not in ("", me))


def _near(case: Case, me: str) -> bool:
    return me in (case.origin, case.holder) and case.state not in OVER


def _hand_over(work: Work, officer: Officer, no: str, answers: Answers) -> None:
    papers = one(answers, "papers").strip()
    if not (papers.isascii() and papers.isdigit() and len(papers) < 5):
        raise BadForm(papers="材料份数应为整数")
    actions.hand_over(work, officer, no, int(papers), one(answers, "receiver"))


def _hold(work: Work, officer: Officer, no: str, answers: Answers) -> None:
    amount = fen(one(answers, "amount"))
    if not amount:
        raise BadForm(amount="金额应写作 120 或 120.50（元）")
    actions.hold_money(work, officer, no, one(answers, "bill").strip(), amount)


AGENCY_ACTS: tuple[Act, ...] = (
    Act(
        "hand-papers", "移交纸质材料", "agency.handed_over", _hand_over,
        asks=(Ask("papers", "材料份数"), Ask("receiver", "接收人工号")), hint="登记后三个工作日内移交", fits=_away,
    ),
    Act(
        "hold-money", "代缴费用（出具收据）", "agency.money", _hold,
        asks=(Ask("bill", "缴款通知书编号"), Ask("amount", "金额（元）")),
        hint="只凭缴款通知书，当日缴存；代办本身免费", fits=_acting,
    ),
    Act(
        "deposit", "款项已缴存", "agency.money",
        lambda work, who, no, a: actions.deposit(work, who, no, one(a, "receipt").strip(), one(a, "reference")),
        asks=(Ask("receipt", "收据编号"), Ask("reference", "银行流水号")), fits=_acting,
    ),
    Act(
        "agency-stop", "中止（终止）代办", "agency.stopped",
        lambda work, who, no, a: actions.stop(
            work, who, no, one(a, "ground"), one(a, "why"), final=one(a, "final") == "终止"
        ),
        asks=(
            Ask("final", "中止或终止", "choice", options=_among(("中止", "终止"))),
            Ask("ground", "原因", "choice", options=_among(GROUNDS)),
            Ask("why", "情况说明", "long"),
        ),
        rank="danger", fits=_acting,
    ),
    Act(
        "agency-resume", "续办代办", "agency.resumed",
        lambda work, who, no, a: actions.resume(work, who, no, _day(one(a, "until"))),
        asks=(Ask("until", "委托至", "date"),), fits=_acting,
    ),
    Act(
        "agency-finish", "办结代办", "agency.finished",
        lambda work, who, no, _a: actions.finish(work, who, no), fits=_over,
    ),
    Act(
        "mark", "登记服务方式", "agency.marked",
        lambda work, who, no, a: actions.mark(work, who, no, one(a, "mark"), one(a, "person"), one(a, "at")),
        asks=(
            Ask("mark", "服务方式", "choice", options=_among(MARKS)),
            Ask("person", "专人工号", needed=False, hint="绿色通道必填"),
            Ask("at", "时间、地点", needed=False),
        ),
        fits=_near,
    ),
)  # fmt: skip
