"""Looking at bills: of a case, of this place, and which of them keep a result back."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, bindparam, or_, select
from sqlmodel import Session

from node.db import table_of
from node.errors import NotFound
from node.fees.model import BillRow, FeeSaidRow
from protocol.fees import FEES, UNPAID, FeeAct, FeeBill, yuan

_BILLS = table_of(BillRow)
_UNPAID = (
    select(_BILLS.c.bill)
    .where(_BILLS.c.no == bindparam("no"), or_(*(_BILLS.c.state == str(one) for one in sorted(UNPAID))))
    .limit(1)
)
"""Made once: every closing step that comes in asks it, and making it costs more than running it."""


def bills(session: Session, *, state: str = "", words: str = "", limit: int = 200) -> Sequence[Row[Any]]:
    """Bills known here, the newest first; of one state, of one case or with one number."""
    table = table_of(BillRow)
    query = select(table).order_by(table.c.billed_on.desc(), table.c.bill.desc()).limit(limit)
    if state:
        query = query.where(table.c.state == state)
    if words:
        query = query.where((table.c.bill == words) | (table.c.no == words))
    return session.execute(query).all()


def of_case(session: Session, no: str) -> Sequence[Row[Any]]:
    """The bills of a case, the oldest first."""
    table = table_of(BillRow)
    return session.execute(select(table).where(table.c.no == no).order_by(table.c.bill)).all()


def one(session: Session, bill: str) -> Row[Any]:
    """The row of a bill; NotFound if none of that number counts here."""
    table = table_of(BillRow)
    row = session.execute(select(table).where(table.c.bill == bill)).first()
    if row is None:
        raise NotFound(f"没有缴款通知书 {bill}")
    return row


def unpaid(session: Session, no: str) -> str:
    """The number of a bill of the case whose money is not in the fiscal account; "" if there is none."""
    return str(session.connection().execute(_UNPAID, {"no": no}).scalar() or "")


def said(session: Session, bill: str) -> list[tuple[str, FeeAct]]:
    """(verdict, body) of everything said about a bill, the oldest first."""
    table = table_of(FeeSaidRow)
    rows = session.execute(select(table).where(table.c.bill == bill).order_by(table.c.at, table.c.hash))
    return [(row.verdict, FEES[row.kind].model_validate_json(row.doc)) for row in rows]


def bill_of(session: Session, number: str) -> FeeBill | None:
    """The bill of that number that counts here."""
    found = [body for verdict, body in said(session, number) if verdict == "counts"]
    return next((body for body in found if isinstance(body, FeeBill)), None)


def words(session: Session, no: str, *, charge: bool) -> str:
    """What the case page says about money: 不收费, or each bill with its sum and state."""
    found = of_case(session, no)
    if found:
        return "；".join(f"{row.bill}：{yuan(row.amount_fen)}，{row.state}" for row in found)
    return "按公布标准收费，尚未开具缴款通知书" if charge else "不收费"
