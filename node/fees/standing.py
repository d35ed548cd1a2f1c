"""How bills stand: each word is kept first, then judged as soon as everything needed is here, then counted.

One rule: what is judged is the same on every node and every road: the signed body, the frozen version of the item,
the edition it was said under, the authorisation it names. What is refused stays on record with a finding (AB09).
"""

from dataclasses import dataclass

from sqlalchemy import bindparam, select, update

from node.cases import findings
from node.cases.apply import revive
from node.cases.steps import Cases
from node.catalogue.frozen import edition_names, item_by_hash
from node.db import insert_ignore, table_of, upsert
from node.fees import views
from node.fees.model import BillRow, FeeSaidRow
from node.powers import views as powers
from node.work import Work
from protocol import fees as law
from protocol.catalogue import Item
from protocol.fees import FEES, FeeAct, FeeBill, FeePaid, FeeRefund
from protocol.lifecycle import Case
from protocol.powers import Power, objections

RULE = "AB09"


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


def refusal(work: Work, heard: Heard) -> str:
    """Why this word does not count; "" if it does. Missing if that cannot be known yet."""
    case = Cases(work).get(heard.body.no)
    if case is None:
        raise Missing(f"等待办件 {heard.body.no}")
    if isinstance(heard.body, FeeBill):
        return _bill(work, case, heard, heard.body)
    bill = views.bill_of(work.session, heard.body.bill)
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


def _bill(work: Work, case: Case, heard: Heard, body: FeeBill) -> str:
    if not case.item_hash:
        raise Missing("等待受理")
    if case.holder != heard.frm:
        return f"{heard.frm} 不是本件的承办单位，不能开具缴款通知书"
    if body.bill[:12] != heard.frm:
        return f"缴款通知书 {body.bill} 不是 {heard.frm} 编的号"
    known = views.bill_of(work.session, body.bill)
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


def hear(work: Work, heard: Heard) -> str:
    """Keep a word, judge it if that can be, count what follows; why it was refused, or ""."""
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
    return _judge(work, heard)


_SAID = table_of(FeeSaidRow)
_UNJUDGED = select(_SAID).where(_SAID.c.verdict == "").order_by(_SAID.c.kind, _SAID.c.hash)
_UNJUDGED_OF_CASE = _UNJUDGED.where(_SAID.c.no == bindparam("no"))
"""Made once: most steps that come in ask it, and making it costs more than running it."""


def reconsider(work: Work, no: str = "") -> None:
    """Judge what could not be judged before: of one case, or all."""
    query = _UNJUDGED_OF_CASE if no else _UNJUDGED
    for row in work.session.connection().execute(query, {"no": no} if no else {}).all():
        body = FEES[row.kind].model_validate_json(row.doc)
        _judge(work, Heard(row.hash, row.kind, row.frm, row.edition, body))


def _judge(work: Work, heard: Heard) -> str:
    try:
        reason = refusal(work, heard)
    except Missing as missing:
        _write(work, heard.hash, "", str(missing))
        return ""
    _write(work, heard.hash, "refused" if reason else "counts", reason)
    if reason:
        accuse(work, heard, reason)
        return reason
    if isinstance(heard.body, FeeBill):
        _count(work, heard.body, heard.frm)
        reconsider(work, heard.body.no)
    bill = views.bill_of(work.session, heard.body.bill)
    if bill is not None:
        _count(work, bill, bill.bill[:12])
    return ""


def _write(work: Work, name: str, verdict: str, why: str) -> None:
    table = table_of(FeeSaidRow)
    work.session.execute(update(table).where(table.c.hash == name).values(verdict=verdict, why=why[:500]))


def accuse(work: Work, heard: Heard, reason: str) -> None:
    """违规收费 goes on record, once for each bill and reason."""
    about = f"{heard.kind} {heard.body.bill} {reason}"
    found = findings.note(
        work, RULE, heard.body.no, about, place=heard.frm, person=heard.body.by, why=reason,
        amount_fen=heard.body.amount,
    )  # fmt: skip
    findings.keep(work, [found])


def _count(work: Work, bill: FeeBill, place: str) -> None:
    counted = [body for verdict, body in views.said(work.session, bill.bill) if verdict == "counts"]
    row = {
        "bill": bill.bill,
        "no": bill.no,
        "item": bill.item,
        "name": bill.name,
        "place": place,
        "issuer": bill.by,
        "full_fen": bill.full,
        "amount_fen": bill.amount,
        "billed_on": bill.on,
        "state": str(law.state_of(bill, counted)),
        "at": work.now,
    }
    upsert(work.session, BillRow, [row], ["bill"], ["state", "at"])
    if row["state"] not in law.UNPAID:
        work.at_the_end(revive)
