"""How bills stand: each word is kept first, then judged as soon as everything needed is here, then counted.

One rule: what is judged is the same on every node, every road and in every order: the signed body, the frozen version
of the item, the edition it was said under, the authorisation it names, the places that have held the case. Everything
said under a number is judged together, anew with each word. What is refused stays on record with a finding (AB09).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from node.agency import apply as agency
from node.cases import findings
from node.cases.apply import revive
from node.cases.steps import Cases
from node.catalogue.frozen import edition_names, item_by_hash
from node.db import insert_ignore, table_of, upsert
from node.exchange.model import EventRow, EventState
from node.exchange.waiting import rewrite
from node.fees.model import BillRow, FeeSaidRow
from node.powers import views as powers
from node.work import Work
from protocol import fees as law
from protocol.catalogue import Item
from protocol.fees import FEES, FeeAct, FeeBill, FeePaid, FeeRefund
from protocol.lifecycle import Case
from protocol.powers import Power, objections

RULE = "AB09"
REFUSED = "F-1"


class Missing(Exception):
    """Something is not here yet without which it cannot be judged."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One word about a bill as it is judged."""

    hash: str
    kind: str
    frm: str
    edition: int
    body: FeeAct


def refusal(work: Work, heard: Heard, bill: FeeBill | None) -> str:
    """Why this word does not count; "" if it does. Missing if that cannot be known yet.

    `bill` is the one that counts under its number, if one does.
    """
    case = Cases(work).get(heard.body.no)
    if case is None:
        raise Missing(f"等待办件 {heard.body.no}")
    if isinstance(heard.body, FeeBill):
        return _bill(work, case, heard, heard.body, bill)
    if bill is None:
        raise Missing(f"等待缴款通知书 {heard.body.bill}")
    if bill.no != case.no:
        return f"缴款通知书 {bill.bill} 不是办件 {case.no} 的"
    place, roster = bill.bill[:12], work.know.roster
    for one in (place, heard.frm):
        if one not in roster:
            raise Missing(f"等待名册里的 {one}")
    if not roster.is_under(place, heard.frm):
        return f"{heard.frm} 不是 {place} 或其上级，不能处理它的缴款"
    if isinstance(heard.body, FeePaid):
        return law.refused_paid(bill, heard.body)
    assert isinstance(heard.body, FeeRefund)
    reason = law.refused_refund(bill, heard.body)
    if reason or heard.body.stage == law.PAID_BACK:
        return reason
    return _unauthorised(work, case, heard, heard.body.approver, heard.body.authorisation)


def no_holder(place: str) -> str:
    """What is said to a place that bills and does not hold the case."""
    return f"{place} 不是本件的承办单位，不能开具缴款通知书"


def _bill(work: Work, case: Case, heard: Heard, body: FeeBill, known: FeeBill | None) -> str:
    """By a place that holds the case or has held it: whoever does not yet may be one whose 签收 is on its way."""
    if not case.item_hash:
        if case.over:
            return "本件没有受理，不能收费"
        raise Missing("等待受理")
    if heard.frm not in case.holders:
        if case.over:
            return no_holder(heard.frm)
        raise Missing(f"等待 {heard.frm} 签收本件")
    if body.bill[:12] != heard.frm:
        return f"缴款通知书 {body.bill} 不是 {heard.frm} 编的号"
    if known is not None and known != body:
        return f"缴款通知书 {body.bill} 已用过"
    frozen = item_by_hash(work, case.item, case.item_hash)
    if frozen is None:
        raise Missing("等待所冻结的事项版本")
    account = work.know.rules.fiscal_account
    reason = law.refused_bill(body, frozen, _item_then(work, heard.edition, case.item), account)
    if reason or not law.two_needed(body):
        return reason
    return _unauthorised(work, case, heard, body.approver, body.authorisation)


def _item_then(work: Work, edition: int, item_id: str) -> Item | None:
    """The item in the edition under which a bill was made; Missing while that edition is not here."""
    catalogue = work.catalogue()
    if edition == catalogue.edition:
        return catalogue.get(item_id)
    if edition > catalogue.edition:
        raise Missing(f"等待第 {edition} 版目录")
    names = edition_names(work, edition) or {}
    return item_by_hash(work, item_id, names[item_id]) if item_id in names else None


def _unauthorised(work: Work, case: Case, heard: Heard, person: str, name: str) -> str:
    found = powers.authorisation(work.session, name)
    if found is None:
        raise Missing(f"等待授权 {name}")
    against = objections(
        found, place=heard.frm, person=person, item=case.item, power=Power.REDUCE, route=case.route,
        on=heard.body.on,
    )  # fmt: skip
    return next(iter(against), "")


def keep(work: Work, heard: Heard) -> None:
    """Keep a word, ours or another's; `fold` judges it."""
    body = heard.body
    row = {
        "hash": heard.hash,
        "no": body.no,
        "bill": body.bill,
        "kind": heard.kind,
        "frm": heard.frm,
        "edition": heard.edition,
        "doc": body.model_dump_json(),
        "verdict": "",
        "why": "",
        "at": work.now,
    }
    insert_ignore(work.session, FeeSaidRow, [row])


_SAID = table_of(FeeSaidRow)
_UNJUDGED = select(_SAID.c.bill).where(_SAID.c.verdict == "").distinct().order_by(_SAID.c.bill)
"""Made once: most steps that come in ask it, and making it costs more than running it."""


def reconsider(work: Work) -> None:
    """Judge what could not be judged before."""
    for number in work.session.connection().execute(_UNJUDGED).scalars().all():
        fold(work, number)


def fold(work: Work, number: str) -> None:
    """Judge everything said under a bill's number anew, and count it: bills first, the earliest of them stands."""
    rows = work.session.execute(select(_SAID).where(_SAID.c.bill == number)).all()
    words = [(row, Heard(row.hash, row.kind, row.frm, row.edition, _read(row))) for row in rows]
    words.sort(key=lambda one: (one[1].kind, one[1].body.on, one[1].hash))
    bill: FeeBill | None = None
    counted: list[FeeAct] = []
    for row, heard in words:
        verdict, why = _verdict(work, heard, bill)
        if verdict == "counts":
            counted.append(heard.body)
            bill = bill or (heard.body if isinstance(heard.body, FeeBill) else None)
        if (verdict, why) != (row.verdict, row.why):
            _write(work, heard, verdict, why, before=row.verdict)
    if bill is not None:
        _count(work, bill, counted)


def _read(row: Any) -> FeeAct:
    return FEES[row.kind].model_validate_json(row.doc)


def _verdict(work: Work, heard: Heard, bill: FeeBill | None) -> tuple[str, str]:
    try:
        reason = refusal(work, heard, bill)
    except Missing as missing:
        return "", str(missing)[:500]
    return ("refused", reason[:500]) if reason else ("counts", "")


_STATES = {"": EventState.WAITING, "counts": EventState.APPLIED, "refused": EventState.QUARANTINED}


def stands(work: Work, name: str) -> tuple[EventState, str, str]:
    """(state, rule, reason) of the event that carried a word."""
    row = work.session.execute(select(_SAID.c.verdict, _SAID.c.why).where(_SAID.c.hash == name)).one()
    return _STATES[row.verdict], REFUSED if row.verdict == "refused" else "", row.why


def _write(work: Work, heard: Heard, verdict: str, why: str, before: str) -> None:
    work.session.execute(update(_SAID).where(_SAID.c.hash == heard.hash).values(verdict=verdict, why=why))
    if verdict == "refused":
        accuse(work, heard, why)
    elif before == "refused":
        findings.drop(work, RULE, heard.body.no, _about(heard))
    event = table_of(EventRow).c
    said = select(event.frm, event.ep, event.ord).where(
        event.case_no == heard.body.no, event.hash == heard.hash, event.state != EventState.MINE
    )
    for row in work.session.execute(said).all():
        state, rule, reason = stands(work, heard.hash)
        rewrite(work, row.frm, row.ep, row.ord, state, rule, reason)


def accuse(work: Work, heard: Heard, reason: str) -> None:
    """违规收费 goes on record, once for each word."""
    found = findings.note(
        work, RULE, heard.body.no, _about(heard, reason), place=heard.frm, person=heard.body.by, why=reason,
        amount_fen=heard.body.amount,
    )  # fmt: skip
    findings.keep(work, [found])


def _about(heard: Heard, reason: str = "") -> str:
    """What tells a word's finding from others; an attempt of our own that was never signed has no name but its reason."""
    return f"{heard.kind} {heard.body.bill} {heard.hash[:16] or reason}"


def _count(work: Work, bill: FeeBill, counted: Sequence[FeeAct]) -> None:
    row = {
        "bill": bill.bill,
        "no": bill.no,
        "item": bill.item,
        "name": bill.name,
        "place": bill.bill[:12],
        "issuer": bill.by,
        "full_fen": bill.full,
        "amount_fen": bill.amount,
        "billed_on": bill.on,
        "state": str(law.state_of(bill, counted)),
        "at": work.now,
    }
    upsert(work.session, BillRow, [row], ["bill"], [name for name in row if name != "bill"])
    work.at_the_end(agency.revive)
    if row["state"] not in law.UNPAID:
        work.at_the_end(revive)
