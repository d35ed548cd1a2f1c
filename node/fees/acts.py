"""The act of billing, as the case page offers it; where nothing is charged there is nothing to choose and no act."""

from collections.abc import Sequence

from node.accounts.officer import Officer
from node.cases.acts import Act, Answers, Ask, one
from node.errors import BadForm
from node.fees import actions
from node.fees.actions import Charge
from node.work import Work
from protocol import fees as law
from protocol.lifecycle import Case


def _rates(work: Work, case: Case) -> Sequence[tuple[str, str]]:
    item = work.know.catalogue.get(case.item) if work.know.catalogue else None
    return [(rate.words, rate.words) for rate in law.rates(item.fee)] if item else []


def _sum(answers: Answers, name: str) -> int | None:
    text = one(answers, name).strip()
    if not text:
        return None
    found = law.fen(text)
    if found is None:
        raise BadForm({name: "金额应写作 120 或 120.50（元）"})
    return found


def _bill(work: Work, officer: Officer, no: str, answers: Answers) -> None:
    quantity = one(answers, "quantity").strip() or "1"
    if not (quantity.isascii() and quantity.isdigit() and len(quantity) < 8):
        raise BadForm(quantity="数量应为整数")
    charge = Charge(
        one(answers, "rate"), int(quantity), _sum(answers, "price"), one(answers, "reckoning"),
        _sum(answers, "amount"), one(answers, "clause"),
    )  # fmt: skip
    actions.bill(work, officer, no, charge)


def _fits(case: Case, me: str) -> bool:
    return case.holder == me and case.speaker == me and bool(case.accepted_on) and not case.closed_on


FEE_ACTS: tuple[Act, ...] = (
    Act(
        "bill", "开缴款通知书", "fee.bill", _bill,
        done="缴款通知书已开具（减免、核定的待另一人批准）",
        asks=(
            Ask("rate", "收费标准", "choice", options=_rates),
            Ask("quantity", "数量", needed=False, hint="不填为 1"),
            Ask("price", "核定单价（元）", needed=False, hint="只在标准没有定额时填写，须另一人批准"),
            Ask("reckoning", "计算依据", needed=False),
            Ask("amount", "减免后应缴（元）", needed=False, hint="减免须写明条款，并由另一人批准"),
            Ask("clause", "减免依据的条款", needed=False),
        ),
        hint="款项只缴入财政专户，开票人不经手收款", fits=_fits,
    ),
)  # fmt: skip
