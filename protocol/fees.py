"""Fees (收费): what a bill may ask for, who may take the money, and how a bill stands. Money is whole 分.

One rule: a fee is owed only under the item's published fee, by its published standard, to the fiscal account; whoever
issues the bill never takes the money (票款分离). How a bill stands is a function of everything said about it, in
whatever order it came. Source: SEEDS FEE-01 to FEE-14, DOMAIN 12; breaches are finding AB09.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field

from protocol.bodies import Act, Body, Staff, Text
from protocol.catalogue import Fee, Item

FEN = 100
"""分 in one 元."""
MOST_FEN = 10**12
Money = Annotated[int, Field(ge=0, le=MOST_FEN)]
Word = Annotated[str, Field(max_length=100)]
_PRICE = re.compile(r"(\d{1,9})(?:\.(\d{1,2}))?\s*(万?)元(?:[/／每](\w{1,10}))?")
_YUAN = re.compile(r"(\d{1,10})(?:\.(\d{1,2}))?")


class BillState(StrEnum):
    """Where a bill stands."""

    DUE = "待缴"
    PAID = "已缴"
    ARRIVED = "已到账"
    SETTLED = "已核销"
    REFUNDING = "退费中"
    REFUNDED = "已退"
    VOID = "已作废"


PAID_BACK: Literal["已退"] = "已退"
UNPAID = frozenset((BillState.DUE, BillState.PAID))
"""The money is not in the fiscal account yet: the result stays where it is."""


@dataclass(frozen=True, slots=True)
class Rate:
    """One clause of a published standard."""

    words: str
    price: int | None
    """分 per unit; None: the clause names no figure, so the sum is reckoned and a second person approves it."""
    unit: str = ""


class FeeLine(Body):
    """One line of a bill: a clause of the standard, and how often."""

    rate: Text
    price: Money
    quantity: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    reckoning: Text = ""
    """How the price was found, where the clause names no figure."""


class FeeAct(Act):
    """Something said about the bill of case `no`."""

    no: Annotated[str, Field(max_length=50)]
    bill: Annotated[str, Field(min_length=1, max_length=60)]
    amount: Money


class FeeBill(FeeAct):
    """缴款通知书: `by` issues it; `amount` is what is to be paid after any reduction of `full`."""

    item: Word
    name: Text
    lines: Annotated[tuple[FeeLine, ...], Field(min_length=1, max_length=20)]
    full: Money
    clause: Text = ""
    """On which clause of the law it is reduced (减免)."""
    approver: Staff = ""
    authorisation: Annotated[str, Field(max_length=60)] = ""
    payee: Text


class FeePaid(FeeAct):
    """The money, as a payment adapter has seen it; or its 核销 by a person who did not issue the bill."""

    stage: Literal["已缴", "已到账", "已核销"]
    payee: Text
    adapter: Word
    reference: Word
    """The bank's own number."""


class FeeRefund(FeeAct):
    """退费, agreed by two and then paid back by the bank; or a bill made by mistake taken back (作废)."""

    stage: Literal["退费中", "已退", "已作废"]
    why: Text = ""
    approver: Staff = ""
    authorisation: Annotated[str, Field(max_length=60)] = ""
    reference: Word = ""


FEES: Mapping[str, type[FeeAct]] = MappingProxyType(
    {"fee.bill": FeeBill, "fee.paid": FeePaid, "fee.refund": FeeRefund}
)


@dataclass(frozen=True, slots=True)
class Said:
    """One signed word about a bill: who signed it, and what."""

    frm: str
    body: FeeAct


def yuan(fen: int) -> str:
    """120.00 元."""
    return f"{fen // FEN}.{fen % FEN:02d} 元"


def fen(text: str) -> int | None:
    """Whole 分 of an amount written in 元 with at most two decimals; None if it is not one. Never through floats."""
    found = _YUAN.fullmatch(text.strip())
    if found is None:
        return None
    return int(found[1]) * FEN + int((found[2] or "").ljust(2, "0"))


def rates(fee: Fee) -> tuple[Rate, ...]:
    """The clauses of the standard; none if nothing is charged. Where a clause names a span, its upper end."""
    if not fee.charge:
        return ()
    clauses = [one.strip() for one in re.split("[;；]", fee.standard) if one.strip()]
    return tuple(_rate(one) for one in clauses or [fee.name])


def _rate(clause: str) -> Rate:
    prices = list(_PRICE.finditer(clause))
    if not prices:
        return Rate(clause, 0 if re.search("免收|免费|不收", clause) else None)
    last = prices[-1]
    price = int(last[1]) * FEN + int((last[2] or "").ljust(2, "0"))
    return Rate(clause, price * (10_000 if last[3] else 1), last[4] or "")


def refused_bill(body: FeeBill, frozen: Item, now: Item | None, account: str) -> str:
    """Why nobody may ask for this money; "" if it is owed.

    `frozen` is the version of the item that counts for the case, `now` the one in the edition of the bill.
    """
    if body.item != frozen.id or not frozen.fee.charge:
        return f"“{frozen.name}”不收费"
    if now is not None and not now.fee.charge:
        return f"“{frozen.fee.name}”已取消，不得再收"
    if body.name != frozen.fee.name:
        return f"“{body.name}”不是目录公布的收费项目（应为“{frozen.fee.name}”）"
    if body.payee != account:
        return f"收款方“{body.payee}”不是{account}，只能缴入{account}"
    return _above(body, frozen) or _unapproved(body)


def _above(body: FeeBill, frozen: Item) -> str:
    known = {one.words: one for one in rates(frozen.fee)}
    for line in body.lines:
        rate = known.get(line.rate)
        if rate is None:
            return f"公布的标准里没有“{line.rate}”"
        if rate.price is not None and line.price > rate.price:
            return f"“{line.rate}”每单位 {yuan(rate.price)}，不得收 {yuan(line.price)}"
        if rate.price is None and not line.reckoning.strip():
            return f"“{line.rate}”没有定额，须写明计算依据"
    total = sum(line.price * line.quantity for line in body.lines)
    if body.full != total or body.amount > total:
        return f"应收 {yuan(total)}，不得收 {yuan(max(body.full, body.amount))}"
    return "" if body.amount or body.full else "按标准免收，不用缴款"


def two_needed(body: FeeBill) -> bool:
    """A reduction, or a sum that no figure of the standard gives, takes a second person."""
    return body.amount < body.full or any(line.reckoning for line in body.lines)


def _unapproved(body: FeeBill) -> str:
    if body.amount < body.full and not body.clause.strip():
        return "减免须写明依据的条款"
    if two_needed(body) and (not body.approver or body.approver == body.by or not body.authorisation):
        return "减免或核定的金额须由另一名获授权的人批准"
    return ""


def refused_paid(bill: FeeBill, body: FeePaid) -> str:
    """Why this is no payment of the bill; "" if it is."""
    if body.by == bill.by:
        return f"票款分离：开票人 {bill.by} 不得经手收款"
    if body.payee != bill.payee:
        return f"款项进入“{body.payee}”，不是{bill.payee}"
    if body.amount != bill.amount:
        return f"通知书 {bill.bill} 应缴 {yuan(bill.amount)}，实缴 {yuan(body.amount)}"
    return ""


def refused_refund(bill: FeeBill, body: FeeRefund) -> str:
    """Why this does not give the money back; "" if it does."""
    if body.amount != bill.amount:
        return f"通知书 {bill.bill} 的金额是 {yuan(bill.amount)}，不是 {yuan(body.amount)}"
    if body.stage == PAID_BACK:
        return "" if body.reference else "退款须有银行流水号"
    if not body.why.strip():
        return "退费须写明理由"
    if not body.approver or body.approver == body.by or not body.authorisation:
        return "退费、作废须由另一名获授权的人批准"
    return ""


def state_of(bill: FeeBill, said: Iterable[FeeAct]) -> BillState:
    """How the bill stands after all that was said of it; words that do not count change nothing."""
    words = list(said)
    paid = {one.stage for one in words if isinstance(one, FeePaid) and not refused_paid(bill, one)}
    back = {one.stage for one in words if isinstance(one, FeeRefund) and not refused_refund(bill, one)}
    if not paid:
        return BillState.VOID if "已作废" in back else BillState.DUE
    if "退费中" in back:
        return BillState.REFUNDED if "已退" in back else BillState.REFUNDING
    if "已到账" not in paid:
        return BillState.PAID if "已缴" in paid else BillState.DUE
    return BillState.SETTLED if "已核销" in paid else BillState.ARRIVED
