"""The agent's acts, as the case page of his station offers them."""

from collections.abc import Sequence

from node.accounts.officer import Officer
from node.agency import actions
from node.agency.entrusted import of_case, refusal
from node.cases.acts import Act, Answers, Ask, Options, _day, one
from node.errors import BadForm
from node.fees import views as fees
from node.work import Work
from protocol.agency import GROUNDS, MARKS
from protocol.fees import UNPAID, fen, yuan
from protocol.lifecycle import OVER, Case


def _among(values: Sequence[str]) -> Options:
    return lambda _work, _case: [(value, value) for value in values]


def _ours(case: Case, me: str) -> bool:
    return case.agent and case.origin == me


def _acting(case: Case, me: str) -> bool:
    return _ours(case, me) and case.state not in OVER


def _over(case: Case, me: str) -> bool:
    return _ours(case, me) and bool(case.delivered_on or case.closed_on)


def _away(case: Case, me: str) -> bool:
    return _acting(case, me) and (case.holder != me or case.target not in ("", me))


def _near(case: Case, me: str) -> bool:
    return me in (case.origin, case.holder) and case.state not in OVER


def _not_handed_on(work: Work, case: Case) -> bool:
    return of_case(work.session, case.no).handed_on is None


def _not_over(work: Work, case: Case) -> bool:
    return of_case(work.session, case.no).state in actions.UNDER_WAY


def _wants_renewal(work: Work, case: Case) -> bool:
    return _not_over(work, case) and actions.wants_renewal(work, case.no)


def _bills(work: Work, case: Case) -> Sequence[tuple[str, str]]:
    """What may be held for the applicant: nothing unless he has entrusted payment."""
    if refusal(work.session, work.know, case.no, actions.PAYING, work.today):
        return []
    held = {one.bill for one in of_case(work.session, case.no).held.values()}
    return [
        (row.bill, f"{row.bill}　{yuan(row.amount_fen)}")
        for row in fees.of_case(work.session, case.no)
        if row.state in UNPAID and row.bill not in held
    ]


def _held(work: Work, case: Case) -> Sequence[tuple[str, str]]:
    held = of_case(work.session, case.no).held.values()
    return [(one.receipt, f"{one.receipt}　{yuan(one.amount)}") for one in held]


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
        done="纸质材料已登记移交",
        asks=(Ask("papers", "材料份数"), Ask("receiver", "接收人工号")), hint="登记后三个工作日内移交", fits=_away, allows=_not_handed_on,
    ),
    Act(
        "hold-money", "代缴费用（出具收据）", "agency.money", _hold,
        done="已登记代收，请把收据交给申请人，款项须当日缴存",
        asks=(Ask("bill", "缴款通知书", "choice", options=_bills), Ask("amount", "金额（元）")),
        hint="只凭缴款通知书，当日缴存；代办本身免费", fits=_acting,
    ),
    Act(
        "deposit", "款项已缴存", "agency.money",
        lambda work, who, no, a: actions.deposit(work, who, no, one(a, "receipt").strip(), one(a, "reference")),
        done="缴存已登记",
        asks=(Ask("receipt", "收据", "choice", options=_held), Ask("reference", "银行流水号")), fits=_ours,
    ),
    Act(
        "agency-stop", "中止（终止）代办", "agency.stopped",
        lambda work, who, no, a: actions.stop(
            work, who, no, one(a, "ground"), one(a, "why"), final=one(a, "final") == "终止"
        ),
        done="代办已中止或终止，请打印代办中止（终止）单",
        asks=(
            Ask("final", "中止或终止", "choice", options=_among(("中止", "终止"))),
            Ask("ground", "原因", "choice", options=_among(GROUNDS)),
            Ask("why", "情况说明", "long"),
        ),
        rank="danger", fits=_acting, allows=_not_over,
    ),
    Act(
        "agency-resume", "续办代办", "agency.resumed",
        lambda work, who, no, a: actions.resume(work, who, no, _day(one(a, "until"))),
        done="已续办代办，请打印续办委托书，由委托人签名",
        asks=(Ask("until", "委托至", "date"),), fits=_acting, allows=_wants_renewal,
    ),
    Act(
        "agency-finish", "办结代办", "agency.finished",
        lambda work, who, no, _a: actions.finish(work, who, no),
        done="代办已办结，请打印代办终止（办结）单", fits=_over, allows=_not_over,
    ),
    Act(
        "mark", "登记服务方式", "agency.marked",
        lambda work, who, no, a: actions.mark(work, who, no, one(a, "mark"), one(a, "person"), one(a, "at")),
        done="服务方式已登记",
        asks=(
            Ask("mark", "服务方式", "choice", options=_among(MARKS)),
            Ask("person", "专人工号", needed=False, hint="绿色通道必填"),
            Ask("at", "时间、地点", needed=False),
        ),
        fits=_near,
    ),
)  # fmt: skip
