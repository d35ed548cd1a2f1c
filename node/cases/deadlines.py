"""What the law does by itself when a day passes: this node writes it down, dated as the law says, signed `system`.

- Five working days without a word after receipt: accepted from the day of receipt (行政许可法 32).
- No supplement for the time set after a correction notice: terminated, as soon as the origin has been heard since.
- A deed (收回 and the like) takes effect on its day: what is another's from then on goes there.
- Whatever else is overdue here is noted as a finding and left to people.
One rule: only the place whose turn it is writes, and only what nobody could lawfully do otherwise.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, FromClause, select
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from node.cases import clocks, findings
from node.cases.actions import taking
from node.cases.duties import new_day
from node.cases.findings import Finding
from node.cases.model import CaseRow, RecountRow
from node.cases.steps import Cases
from node.cases.submissions import SYSTEM
from node.catalogue.frozen import item_by_hash
from node.db import insert_ignore, table_of
from node.errors import NodeError
from node.exchange.model import ChannelRow
from node.figures.model import DailyReportRow
from node.loops import Wake, forever
from node.node import Node
from node.work import Work, civil_date
from protocol.ledger import open_suspensions
from protocol.lifecycle import IN_TRANSIT, STOPPED, Case, State
from protocol.limits import Limit, Unit, last_day
from protocol.modes import mode_of

log = logging.getLogger(__name__)
_MOST = 500
"""Cases treated in one transaction; the rest follow in the next."""


def sweep(work: Work) -> int:
    """Do and note what is due today; how many cases were moved."""
    if work.know.catalogue is None or work.know.catalogue.calendar is None:
        return 0
    new_day(work)
    moved = _deem(work) + _terminate(work)
    findings.keep(work, _overdue(work))
    return moved


def _ours(work: Work, *where: ColumnElement[bool]) -> list[str]:
    case = table_of(CaseRow).c
    rows = work.session.execute(
        select(case.no).where(case.speaker == work.me, case.closed_on.is_(None), *where).limit(_MOST)
    )
    return list(rows.scalars())


def _deem(work: Work) -> int:
    """视为受理 of what lay here for five working days without a word."""
    case = table_of(CaseRow).c
    late = _ours(work, case.state == State.RECEIVED, case.notice_by < work.today)
    untaken = _ours(work, case.state == State.FILED, case.received_on.is_(None))
    moved = 0
    for no in [*late, *untaken]:
        try:
            with work.session.begin_nested():
                moved += _deem_one(work, no)
        except NodeError as refused:
            log.warning("case %s cannot be accepted by time: %s", no, refused.detail)
    return moved


def _deem_one(work: Work, no: str) -> bool:
    cases = Cases(work)
    case = cases.need(no)
    item = work.catalogue().get(case.item)
    if item is None:
        return False
    if case.state in IN_TRANSIT:
        facts = taking(work, case)
        if not facts or facts["notice_by"] >= work.today:
            return False
        cases.say(no, "case.taken", {"by": SYSTEM, **facts})
        case = cases.need(no)
    cases.say(no, "case.accepted", {"by": SYSTEM, **clocks.acceptance(work, case, item, deemed=True)})
    cases.store()
    return True


def _terminate(work: Work) -> int:
    case = table_of(CaseRow).c
    silent = _ours(work, case.state == State.CORRECTING, case.reply_by < work.today)
    cases, moved = Cases(work), 0
    cases.load(silent)
    for no in silent:
        asked = cases.need(no)
        if asked.reply_by is None or not _heard(work, asked.origin, asked.reply_by):
            continue
        why = f"补正期限 {asked.reply_by} 届满，申请人未补正"
        cases.say(no, "case.terminated", {"by": SYSTEM, "why": why})
        moved += 1
    cases.store()
    return moved


def _heard(work: Work, origin: str, until: date) -> bool:
    """Whether all that the origin said until that day is here, or we have waited for it long enough.

    What the applicant handed in at a village whose line is down is in time, and nobody here knows of it yet.
    """
    if origin == work.me or work.today > until + timedelta(days=work.know.rules.line_wait_days):
        return True
    channel, report = table_of(ChannelRow).c, table_of(DailyReportRow).c
    channels = work.session.execute(
        select(channel.upto, channel.highest, channel.last_at).where(channel.frm == origin)
    ).all()
    if any(one.upto < one.highest for one in channels):
        return False
    if origin in work.know.roster and work.know.roster.is_under(origin, work.me):
        told = select(report.day).where(report.place == origin, report.day >= until).limit(1)
        return work.session.execute(told).first() is not None
    return any(one.last_at is not None and civil_date(one.last_at) > until for one in channels)


# What is overdue

Columns = ReadOnlyColumnCollection[str, Any]


def _runs(case: Columns) -> ColumnElement[bool]:
    found: ColumnElement[bool] = (case.outcome == "") & case.state.not_in(tuple(STOPPED))
    return found


OVERDUE: Mapping[str, tuple[str, Callable[[Columns, date], ColumnElement[bool]]]] = MappingProxyType(
    {
        "due": ("AB01", lambda case, today: (case.due < today) & _runs(case)),
        "statutory_due": ("AB01", lambda case, today: (case.statutory_due < today) & _runs(case)),
        "follow_up": ("AB02", lambda case, today: case.follow_up < today),
        "part_due": (
            "AB14",
            lambda case, today: (
                (case.part_due < today)
                & case.state.in_((State.ACCEPTED, State.DECIDING))
                & (case.outcome == "")
            ),
        ),
    },
)
"""What is overdue in a case that is still open, by the column of its day."""


def _overdue(work: Work) -> list[Finding]:
    found: list[Finding] = []
    table: FromClause = table_of(CaseRow)
    for name, (rule, late) in OVERDUE.items():
        rows = work.session.execute(
            select(table.c.no, table.c[name]).where(
                table.c.speaker == work.me, table.c.closed_on.is_(None), late(table.c, work.today)
            )
        )
        found += [findings.note(work, rule, row.no, name, place=work.me, due=row[1]) for row in rows]
    return [*found, *_unanswered(work), *_undelivered(work), *_long_suspensions(work)]


def _unanswered(work: Work) -> list[Finding]:
    """What must be answered sooner than in five working days (即办, 特急, 控制) and was not (AB02)."""
    case, found = table_of(CaseRow).c, []
    rows = work.session.execute(
        select(case.no, case.item, case.received_on).where(
            case.speaker == work.me, case.state == State.RECEIVED, case.received_on < work.today
        )
    )
    for row in rows:
        item = work.catalogue().get(row.item)
        limit = mode_of(item.seed_kind).answer if item else None
        if limit is None:
            continue
        last = last_day(row.received_on, limit, clocks.calendar_of(work)).day
        if last < work.today:
            found.append(findings.note(work, "AB02", row.no, "answer", place=work.me, due=last))
    return found


def _undelivered(work: Work) -> list[Finding]:
    """Replies not passed on (AB15) and results not delivered in time (AB02)."""
    case = table_of(CaseRow).c
    waiting = (case.speaker == work.me, case.state == State.CLOSED)
    found = []
    for name, rule in (("tell_by", "AB15"), ("deliver_by", "AB02")):
        column = table_of(CaseRow).c[name]
        rows = work.session.execute(select(case.no, column).where(*waiting, column < work.today))
        found += [findings.note(work, rule, row.no, name, place=work.me, due=row[1]) for row in rows]
    return found


def _long_suspensions(work: Work) -> list[Finding]:
    """Special procedures that take longer than the item's list lets them (AB13)."""
    case, found = table_of(CaseRow).c, []
    cases = Cases(work)
    numbers = _ours(work, case.state == State.SPECIAL)
    cases.load(numbers)
    for no in numbers:
        found += _too_long(work, cases.need(no))
    return found


def _too_long(work: Work, case: Case) -> list[Finding]:
    item = item_by_hash(work, case.item, case.item_hash)
    longest = {one.name: one.max_days for one in item.special_procedures} if item else {}
    found = []
    for one in open_suspensions(case.clock) if case.clock else ():
        days = longest.get(one.kind)
        if days is None:
            continue
        last = last_day(one.start, Limit(days, Unit.DAY), clocks.calendar_of(work)).day
        if work.today > last:
            about = f"{one.kind} {one.start}"
            found.append(findings.note(work, "AB13", case.no, about, place=work.me, kind=one.kind, due=last))
    return found


# A new calendar


def recount(work: Work) -> int:
    """Tell the days of our open cases anew by the calendar in force, the old ones logged; how many moved."""
    catalogue = work.know.catalogue
    if catalogue is None or catalogue.calendar is None:
        return 0
    case = table_of(CaseRow).c
    states = (State.ACCEPTED, State.SPECIAL, State.JOINT, State.DECIDING)
    numbers = list(
        work.session.execute(
            select(case.no).where(
                case.speaker == work.me, case.state.in_(states), case.calendar != catalogue.calendar.version
            )
        ).scalars()
    )
    cases, rows = Cases(work), []
    cases.load(numbers)
    for no in numbers:
        row = _recount_one(work, cases, cases.need(no))
        if row is not None:
            rows.append(row)
    insert_ignore(work.session, RecountRow, rows)
    cases.store()
    return len(rows)


def _recount_one(work: Work, cases: Cases, case: Case) -> dict[str, Any] | None:
    if case.clock is None or case.due is None:
        return None
    days = clocks.days(work, case, case.clock)
    before = (case.due, case.statutory_due, case.provisional)
    if before == (days["due"], days["statutory_due"], days["provisional"]):
        return None
    cases.say(case.no, "case.reckoned", {"by": SYSTEM, "why": f"工作日历 {days['calendar']}", **days})
    return {
        "no": case.no,
        "calendar": days["calendar"],
        "before": case.calendar,
        "due": days["due"],
        "due_before": case.due,
        "statutory_due": days["statutory_due"],
        "statutory_before": case.statutory_due,
        "at": work.now,
    }


async def run(node: Node) -> None:
    """Look once a while, as long as the node runs."""

    async def step() -> bool:
        return await node.do(sweep) >= _MOST

    await forever("deadlines", step, Wake(), node.config.pace.housekeeping_s)
