"""Payment adapters: the only road by which money becomes known here. The default reads a bank statement (CSV).

One rule: an adapter says what the bank has seen and changes nothing; each line that cannot be read is named by its
number, and the others stand. A program for an online bank is another `Adapter`.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from io import StringIO
from typing import Protocol

from node.errors import BadForm
from protocol import fees as law
from protocol.fees import BillState

COLUMNS = ("流水号", "交易日期", "缴款通知书编号", "金额", "收款账户", "状态")
STAGES = (BillState.PAID, BillState.ARRIVED, BillState.REFUNDED)
"""What a bank can see: money taken, money in the account, money paid back."""
MOST_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Payment:
    """One movement of money."""

    line: int
    """Of the file, the header is 1."""
    reference: str
    on: date
    bill: str
    amount_fen: int
    account: str
    stage: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that was not taken, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file holds."""

    payments: Sequence[Payment]
    faults: Sequence[Fault]


class _Rows(Protocol):
    """A reader of CSV, as the standard library makes them."""

    @property
    def line_num(self) -> int: ...

    def __iter__(self) -> Iterator[list[str]]: ...


class Adapter(Protocol):
    """Something that knows of payments."""

    @property
    def name(self) -> str:
        """Stands in every signed payment."""

    def read(self, raw: bytes, today: date) -> Reading:
        """The payments in what it was given; BadForm if it is nothing of this kind."""


@dataclass(frozen=True, slots=True)
class Statement:
    """银行对账单 as CSV: UTF-8 or GB 18030, a header line with `COLUMNS` in any order, amounts in 元."""

    name: str = "bank-statement"

    def read(self, raw: bytes, today: date) -> Reading:
        """Every line that can be read, and the faults of the others."""
        if len(raw) > MOST_BYTES:
            raise BadForm(file=f"对账单超过 {MOST_BYTES // 1024 // 1024} MB")
        rows = csv.reader(StringIO(_text(raw), newline=""))
        try:
            head = [cell.strip() for cell in next(rows, [])]
            if lacking := [name for name in COLUMNS if name not in head]:
                raise BadForm(file=f"第 1 行：缺少“{lacking[0]}”一列")
            return _read(rows, [head.index(name) for name in COLUMNS], today)
        except csv.Error as wrong:
            raise BadForm(file=f"第 {rows.line_num} 行：不是 CSV（{wrong}）") from None


def _text(raw: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadForm(file="对账单的编码既不是 UTF-8，也不是 GB 18030")


def _read(rows: "_Rows", order: list[int], today: date) -> Reading:
    payments: list[Payment] = []
    faults: list[Fault] = []
    for cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        line = rows.line_num
        if len(cells) <= max(order):
            faults.append(Fault(line, f"只有 {len(cells)} 列"))
            continue
        found = _payment(line, [cells[at].strip() for at in order], today)
        if isinstance(found, Payment):
            payments.append(found)
        else:
            faults.append(found)
    return Reading(payments, faults)


def _payment(line: int, cells: list[str], today: date) -> Payment | Fault:
    reference, day, bill, amount, account, stage = cells
    if not 1 <= len(reference) <= 100:
        return Fault(line, "流水号应为 1 至 100 字")
    try:
        on = date.fromisoformat(day)
    except ValueError:
        return Fault(line, f"交易日期“{day}”应写作 2026-03-02")
    if on > today:
        return Fault(line, f"交易日期 {on} 在今天之后")
    money = law.fen(amount)
    if not money or money > law.MOST_FEN:
        return Fault(line, f"金额“{amount}”应为大于零的元，最多两位小数")
    if stage not in STAGES:
        return Fault(line, f"状态“{stage}”应为{'、'.join(STAGES)}")
    return Payment(line, reference, on, bill, money, account, stage)
