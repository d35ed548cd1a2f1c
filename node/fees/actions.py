"""What officers do about fees: issue a bill, take in a bank statement, settle, refund. Nobody takes cash here.

One rule: every word is judged before it is signed exactly as others' are (`standing.refusal`); an attempt to charge
what is not owed stays on record although it is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Row, func, select

from node import audit, proposals
from node.accounts.officer import Officer
from node.cases.saying import must
from node.cases.steps import Cases
from node.catalogue.frozen import item_by_hash
from node.db import insert_all, table_of
from node.errors import BadForm, Conflict, Forbidden, OnRecord, Unavailable
from node.fees import standing, views
from node.fees.bank import Adapter, Fault, Payment
from node.fees.model import BankLineRow, BillRow
from node.fees.standing import Heard, Missing
from node.powers import views as powers
from node.work import Work
from protocol import fees as law
from protocol import routing
from protocol.errors import EnvelopeError
from protocol.fees import FEES, BillState, FeeBill
from protocol.lifecycle import Case
from protocol.messages import read_body
from protocol.powers import Power
from protocol.subjects import Lane


@dataclass(frozen=True, slots=True)
class Charge:
    """What a bill shall ask for, as an officer says it."""

    rate: str
    """A clause of the published standard."""
    quantity: int = 1
    price_fen: int | None = None
    """Only where the clause names no figure."""
    reckoning: str = ""
    amount_fen: int | None = None
    """What remains to be paid after a reduction (减免); None: all of it."""
    clause: str = ""


def bill(work: Work, officer: Officer, no: str, charge: Charge) -> str:
    """开具缴款通知书: its number; or the id of a proposal where a second person must agree first.

    OnRecord, with a finding, if the item has no such fee or the sum is above its standard.
    """
    must(officer, "fee.bill")
    case = Cases(work).need(no)
    if waiting := _open_bill(work, no):
        raise Conflict(f"本件已有缴款通知书 {waiting}，一件一次收费")
    words = _bill_words(work, case, charge, officer.staff_no)
    two = words["amount"] < words["full"] or words["lines"][0]["reckoning"]
    if not two:
        return _issue(work, case, words)
    if charge.amount_fen is not None and not charge.clause.strip():
        raise BadForm(clause="减免须写明依据的条款")
    return proposals.propose(work, officer, "fee.bill", no, words)


def approve_bill(work: Work, officer: Officer, row: Row[Any]) -> str:
    """批准 a reduction or a reckoned sum, as the second person: the number of the bill."""
    case = Cases(work).need(row.no)
    if waiting := _open_bill(work, row.no):
        raise Conflict(f"本件已有缴款通知书 {waiting}，一件一次收费")
    return _issue(work, case, {**row.content, **_second(work, case, officer)})


def admits(work: Work, officer: Officer, row: Row[Any]) -> None:
    """Forbidden, with the reason, to whoever could not be the second person of a proposal about money."""
    _second(work, Cases(work).need(row.no), officer)


def _second(work: Work, case: Case, officer: Officer) -> dict[str, str]:
    """The approver and what authorises him; Forbidden if nothing does."""
    name, why = powers.carries(
        work.session, place=work.me, person=officer.staff_no, item=case.item, power=Power.REDUCE,
        route=case.route, on=work.today,
    )  # fmt: skip
    if not name:
        raise Forbidden(why)
    return {"approver": officer.staff_no, "authorisation": name}


def _bill_words(work: Work, case: Case, charge: Charge, by: str) -> dict[str, Any]:
    if not case.accepted_on or case.closed_on:
        raise Conflict(f"“{case.state.label}”的办件不能开具缴款通知书")
    item = item_by_hash(work, case.item, case.item_hash)
    if item is None:
        raise Unavailable("本节点没有本件所冻结的事项版本")
    rate = next((one for one in law.rates(item.fee) if one.words == charge.rate), None)
    if not 1 <= charge.quantity <= 1_000_000:
        raise BadForm(quantity="数量应在 1 至 1000000 之间")
    price = charge.price_fen if charge.price_fen is not None else rate.price if rate else 0
    if price is None:
        raise BadForm(price="该标准没有定额，请填写核定的金额和计算依据")
    full = price * charge.quantity
    amount = full if charge.amount_fen is None else charge.amount_fen
    if price < 0 or amount < 0 or full > law.MOST_FEN:
        raise BadForm(price="金额不能为负，也不能超过一百亿元")
    line = {"rate": charge.rate[:500], "price": price, "quantity": charge.quantity,
            "reckoning": charge.reckoning.strip()[:500]}  # fmt: skip
    return {
        "by": by, "no": case.no, "item": item.id, "name": item.fee.name or item.name, "lines": [line],
        "full": full, "amount": amount, "clause": charge.clause.strip()[:500],
        "payee": work.know.rules.fiscal_account,
    }  # fmt: skip


def _issue(work: Work, case: Case, words: Mapping[str, Any]) -> str:
    year = work.today.year
    number = f"{work.me}-{year}-{work.serial('bills', str(year)):06d}"
    say(work, case, "fee.bill", {**words, "bill": number})
    return number


def _open_bill(work: Work, no: str) -> str:
    table = table_of(BillRow).c
    gone = (str(BillState.VOID), str(BillState.REFUNDED))
    query = select(func.max(table.bill)).where(table.no == no, table.state.not_in(gone))
    return str(work.session.execute(query).scalar() or "")


def say(work: Work, case: Case, kind: str, words: Mapping[str, Any]) -> None:
    """Sign a word about a bill and send it to everyone in the line of the case."""
    try:
        body = read_body(FEES[kind], {"on": work.today.isoformat(), **words})
    except EnvelopeError as wrong:
        raise BadForm(amount=wrong.reason) from None
    heard = Heard("", kind, work.me, work.know.edition, body)
    try:
        reason = standing.refusal(work, heard, views.bill_of(work.session, body.bill))
    except Missing as missing:
        raise Unavailable(str(missing)) from None
    if kind == "fee.bill" and case.holder != work.me:
        reason = standing.no_holder(work.me)
    if reason:
        raise OnRecord(reason, partial(standing.accuse, heard=heard, reason=reason))
    event = work.send(kind, body.model_dump(mode="json"), _readers(work, case))
    standing.keep(work, Heard(event.hash, kind, work.me, work.know.edition, body))
    standing.fold(work, body.bill)


def _readers(work: Work, case: Case) -> dict[str, Lane]:
    parties = {case.origin, case.holder}
    return {
        place.code: Lane.CASE if place.code in parties else Lane.SUP
        for place in routing.hearers(work.know.roster, case.origin, case.holder)
    }


# Money comes and goes


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a statement."""

    taken: int
    known: int
    """Lines taken before: nothing happened again."""
    faults: Sequence[Fault]


def take_statement(work: Work, officer: Officer, adapter: Adapter, raw: bytes) -> Report:
    """导入银行对账单: every line that matches a bill by number and amount; the others with line and reason."""
    must(officer, "fee.paid")
    reading = adapter.read(raw, work.today)
    faults = list(reading.faults)
    taken = known = 0
    for payment in reading.payments:
        before = _known_line(work, adapter, payment)
        if before is not None:
            known += before.bill == payment.bill and before.amount_fen == payment.amount_fen
            if (before.bill, before.amount_fen) != (payment.bill, payment.amount_fen):
                faults.append(Fault(payment.line, f"流水号 {payment.reference} 已用于 {before.bill}"))
            continue
        reason = _take_line(work, officer, adapter, payment)
        taken += not reason
        if reason:
            faults.append(Fault(payment.line, reason))
    words = f"{adapter.name}：入账 {taken}，已有 {known}，不符 {len(faults)}"
    audit.record(work.session, officer.login, "fee.statement", work.me, words, now=work.now)
    return Report(taken, known, sorted(faults, key=lambda one: one.line))


def _known_line(work: Work, adapter: Adapter, payment: Payment) -> BankLineRow | None:
    return work.session.get(BankLineRow, (adapter.name, payment.reference, payment.stage))


def _take_line(work: Work, officer: Officer, adapter: Adapter, payment: Payment) -> str:
    """Why the line is no payment of ours; "" once it is taken."""
    found = views.bill_of(work.session, payment.bill)
    if found is None:
        return f"没有缴款通知书 {payment.bill}"
    case = Cases(work).need(found.no)
    words: dict[str, Any] = {
        "by": officer.staff_no, "no": found.no, "bill": found.bill, "amount": payment.amount_fen,
        "stage": payment.stage, "reference": payment.reference,
    }  # fmt: skip
    back = payment.stage == BillState.REFUNDED
    state = views.one(work.session, found.bill).state
    if back and state != BillState.REFUNDING:
        return f"通知书 {found.bill} 现为{state}，没有批准退费"
    if not back and state == BillState.VOID:
        return f"通知书 {found.bill} 已作废，款项须查明后退回"
    if not back:
        words |= {"payee": payment.account, "adapter": adapter.name}
    try:
        say(work, case, "fee.refund" if back else "fee.paid", words)
    except OnRecord as refused:
        refused.keep(work)
        return refused.detail
    except (BadForm, Unavailable) as wrong:
        return wrong.detail
    row = {
        "adapter": adapter.name, "reference": payment.reference, "stage": payment.stage,
        "bill": found.bill, "amount_fen": payment.amount_fen, "on": payment.on, "by": officer.staff_no,
        "at": work.now,
    }  # fmt: skip
    insert_all(work.session, BankLineRow, [row])
    return ""


def settle(work: Work, officer: Officer, number: str) -> None:
    """核销: the bill is closed against its money, by somebody who did not issue it."""
    must(officer, "fee.paid")
    row, found = views.one(work.session, number), _need(work, number)
    if row.state != BillState.ARRIVED:
        raise Conflict(f"通知书 {number} 现为{row.state}，到账后才能核销")
    words = {
        "by": officer.staff_no, "no": found.no, "bill": number, "amount": found.amount, "payee": found.payee,
        "stage": str(BillState.SETTLED), "adapter": "核销", "reference": number,
    }  # fmt: skip
    say(work, Cases(work).need(found.no), "fee.paid", words)


def ask_refund(work: Work, officer: Officer, number: str, why: str) -> str:
    """退费 of what was paid, or 作废 of what was not, first person: the id of the proposal."""
    must(officer, "fee.refund")
    row = views.one(work.session, number)
    if not why.strip():
        raise BadForm(why="请写明退费（作废）的理由")
    if row.state in (BillState.REFUNDING, BillState.REFUNDED, BillState.VOID):
        raise Conflict(f"通知书 {number} 现为{row.state}")
    content = {"bill": number, "by": officer.staff_no, "why": why.strip()[:500]}
    return proposals.propose(work, officer, "fee.refund", row.no, content)


def approve_refund(work: Work, officer: Officer, row: Row[Any]) -> None:
    """批准 it as the second person; the money itself goes back through the bank."""
    found = _need(work, row.content["bill"])
    case = Cases(work).need(found.no)
    unpaid = views.one(work.session, found.bill).state == BillState.DUE
    words = {
        **row.content, **_second(work, case, officer), "no": found.no, "amount": found.amount,
        "stage": str(BillState.VOID if unpaid else BillState.REFUNDING),
    }  # fmt: skip
    say(work, case, "fee.refund", words)


def _need(work: Work, number: str) -> FeeBill:
    views.one(work.session, number)
    found = views.bill_of(work.session, number)
    assert found is not None
    return found
