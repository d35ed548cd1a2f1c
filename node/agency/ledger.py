"""代办台账: one row per case filed here, in the columns the rules ask for, drawn from the signed steps.

One rule: names and numbers are masked; what has not happened yet is empty, never guessed. Source: DOMAIN 11.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from node.cases.dossier import dossier, events_of, masked
from node.cases.model import CaseRow
from node.db import table_of
from node.fees import views as fees
from node.work import CIVIL, Knowledge
from protocol.envelope import Event
from protocol.lifecycle import State

COLUMNS = (
    "序号", "办件编号", "收件日期", "申请人", "联系电话", "事项名称", "代办方式", "委托期限", "材料份数", "收费金额/票号",
    "报送日期与去向", "受理日期", "承诺办结日", "实际办结日", "办理结果", "送达日期与签收人", "回访日期与满意度", "代办员", "备注",
)  # fmt: skip
_WIDTHS = (6, 28, 12, 10, 14, 32, 10, 12, 9, 14, 28, 12, 12, 12, 14, 22, 16, 16, 20)
MOST = 5000


@dataclass(frozen=True, slots=True)
class Ledger:
    """The rows of a period, with what stands around them on paper."""

    station: str
    first: date
    last: date
    rows: Sequence[tuple[str, ...]]
    made_at: datetime
    made_by: str

    @property
    def scope(self) -> str:
        """统计口径: what is counted, in one sentence."""
        return (
            f"统计口径：{self.station}登记、收件日期在 {self.first.isoformat()} 至 {self.last.isoformat()} 的办件，"
            f"共 {len(self.rows)} 件；数据截至 {self.made_at.astimezone(CIVIL):%Y-%m-%d %H:%M}；个人信息已脱敏"
        )


def rows(session: Session, know: Knowledge, first: date, last: date) -> list[tuple[str, ...]]:
    """The ledger's rows: cases filed here in these days, oldest first, at most 5,000."""
    table = table_of(CaseRow)
    found = session.execute(
        select(table)
        .where(table.c.origin == know.place, table.c.filed_on.between(first, last))
        .order_by(table.c.filed_on, table.c.no)
        .limit(MOST)
    ).all()
    return [_row(session, know, at, one) for at, one in enumerate(found, 1)]


def _row(session: Session, know: Knowledge, at: int, case: Any) -> tuple[str, ...]:
    whole = dossier(session, know, case.no) or {}
    private = masked(whole)
    person = private.get("applicant") or {}
    entrusted = private.get("entrustment") or {}
    agent = entrusted.get("agent") or {}
    steps = {event.kind: event for event in events_of(session, case.no)}
    item = know.catalogue.get(case.item) if know.catalogue else None
    return (
        str(at),
        case.no,
        _day(case.filed_on),
        str(person.get("name", "")),
        str(person.get("phone", "")),
        item.name if item else str(private.get("item_name", case.item)),
        _way(steps, agent=case.agent),
        str(entrusted.get("until", "")),
        str(case.materials),
        _money(session, case.no, charge=bool(item and item.fee.charge)),
        _handed(steps, know),
        _day(case.accepted_on),
        _day(case.due),
        _day(case.closed_on),
        _result(case),
        _delivered(case, private),
        "",
        f"{agent.get('name', '')} {agent.get('no', '')}".strip(),
        str(private.get("note", "")),
    )


def _money(session: Session, no: str, *, charge: bool) -> str:
    """Each bill with its sum and state, 不收费, or empty while no bill has been made."""
    bills = fees.of_case(session, no)
    if not bills and charge:
        return ""
    return fees.words(session, no, charge=False)


def _way(steps: dict[str, Event], *, agent: bool) -> str:
    """代办 or 窗口, with the special way last noted."""
    mark = steps.get("agency.marked")
    word = "代办" if agent else "窗口"
    return f"{word}（{mark.body.get('mark', '')}）" if mark else word


def _day(found: date | None) -> str:
    return found.isoformat() if found else ""


def _handed(steps: dict[str, Event], know: Knowledge) -> str:
    """When and to whom the case was handed on, and whether it has been taken."""
    event = steps.get("case.redirected") or steps.get("case.filed")
    if event is None:
        return ""
    to = str(event.body.get("to", ""))
    place = know.roster.get(to) if to else None
    taken = steps.get("case.taken")
    words = f"{event.body.get('on', '')} 报{place.name if place else to}"
    return words + (f"，{taken.body.get('on', '')} 签收" if taken else "，待签收")


def _result(case: Any) -> str:
    if case.outcome:
        return "准予" if case.outcome == "granted" else "不予"
    return State(case.state).label if case.closed_on else "在办"


def _delivered(case: Any, private: dict[str, Any]) -> str:
    if not case.delivered_on:
        return ""
    receiver = (private.get("delivery") or {}).get("receiver", "")
    return f"{_day(case.delivered_on)} {receiver}".strip()


def as_xlsx(ledger: Ledger) -> bytes:
    """The ledger as a workbook: title, what is counted, header, rows, who made it and when."""
    made = BytesIO()
    import xlsxwriter  # 3 MB, for one button

    book = xlsxwriter.Workbook(
        made, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    title = book.add_format({"bold": True, "font_size": 16, "align": "center"})
    small = book.add_format({"font_size": 9, "font_color": "#555555"})
    head = book.add_format(
        {"bold": True, "border": 1, "bg_color": "#eef0eb", "text_wrap": True, "valign": "vcenter"}
    )
    cell = book.add_format({"border": 1, "text_wrap": True, "valign": "top"})
    sheet = book.add_worksheet("代办台账")
    for at, width in enumerate(_WIDTHS):
        sheet.set_column(at, at, width)
    sheet.merge_range(0, 0, 0, len(COLUMNS) - 1, f"{ledger.station}代办台账", title)
    sheet.write_string(1, 0, ledger.scope, small)
    for at, name in enumerate(COLUMNS):
        sheet.write_string(2, at, name, head)
    for line, row in enumerate(ledger.rows, 3):
        for at, text in enumerate(row):
            sheet.write_string(line, at, text, cell)
    foot = f"制表人：{ledger.made_by}　　审核人：　　　　　　打印时间：{ledger.made_at.astimezone(CIVIL):%Y-%m-%d %H:%M}"
    sheet.write_string(len(ledger.rows) + 4, 0, foot, small)
    sheet.freeze_panes(3, 2)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(2)
    book.close()
    return made.getvalue()
