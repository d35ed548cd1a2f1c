"""The clock of a case, its joint handlings, what waits for a second person, and findings, as the case page shows them.

One rule: nothing is computed here that a node does not compute elsewhere: days come from the case, shares from
`cases.standing`, parts from `joint.views`.
"""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

from node import proposals
from node.cases import findings
from node.cases.standing import Standing, clock_of
from node.desk import show
from node.desk.frame import Desk
from node.joint import views as joint
from node.joint.pages import part_light, part_state, whole
from node.pages.views.clock import ClockView, FindingLine, JointBrief, JointLine, PauseLine, ShareLine
from node.pages.views.common import Fact
from node.pages.words import day
from node.work import civil_date
from protocol.catalogue import Item
from protocol.ledger import Owner, Suspension
from protocol.lifecycle import VERBS, Case, State
from protocol.workdays import Calendar

OWNERS: Mapping[Owner, str] = MappingProxyType(
    {
        Owner.LOCAL: "本级办理",
        Owner.UPPER: "上级办理",
        Owner.TRANSIT: "在途",
        Owner.APPLICANT: "申请人",
    }
)
FACTS: Mapping[str, str] = MappingProxyType(
    {
        "due": "期限", "on": "日期", "signed": "签名日期", "accepted": "受理", "notice_by": "告知期限",
        "outcome": "结果", "department": "部门", "lead": "牵头", "kind": "程序", "what": "情况",
        "others": "其他办件", "closed_on": "结束", "grade": "等级", "item": "事项", "reason": "原因",
    }
)  # fmt: skip
"""What a finding's facts are called."""


def clock_view(desk: Desk, case: Case, item: Item | None) -> ClockView:
    """时限账: the limits, the pauses and whose time it was until now."""
    found = desk.node.read(clock_of, desk.node.know, case, desk.now)
    calendar = show.calendar_of(desk.node.know.catalogue)
    return ClockView(
        facts=_facts(_limits(case)),
        coming=_facts(_coming(case)),
        pauses=tuple(_pause(one, item, calendar) for one in (case.clock.suspensions if case.clock else ())),
        shares=_shares(desk, found),
        elapsed=hours(found.elapsed_minutes),
    )


def _facts(pairs: list[tuple[str, str]]) -> tuple[Fact, ...]:
    return tuple(Fact(label=label, value=value) for label, value in pairs if value)


def _limits(case: Case) -> list[tuple[str, str]]:
    """The limits and what moved them; "" where there is none."""
    ledger, found = case.clock, []
    if case.state is State.RECEIVED and not case.accepted_on:
        found.append(("收件日", _day(case.received_on)))
    if ledger is not None:
        found.append(("承诺", f"{ledger.promised}，{_until(case.due)}" if case.due else str(ledger.promised)))
        if ledger.statutory is not None:
            found.append(("法定", f"{ledger.statutory}，{_until(case.statutory_due)}"))
        if ledger.extension is not None:
            by = ledger.extension
            found.append(("延期", f"{by.by}，{_day(by.on)} 由 {by.approver} 批准：{by.reason}"))
        if case.provisional:
            found.append(("暂定", "日历尚未公布到办结日，公布后重新计算并留痕"))
        if case.calendar:
            # Its version is the last published year and a digest, which says nothing to anybody here.
            found.append(("工作日历", f"公布至{case.calendar.partition('-')[0]}年"))
    return [*found, ("送达日期", _day(case.delivered_on))]


def _coming(case: Case) -> list[tuple[str, str]]:
    """Every other day somebody still has to keep, with what it is called; "" where there is none."""
    found = []
    if case.state is State.RECEIVED and not case.accepted_on:
        found.append(("受理或告知补正", _until(case.notice_by)))
    if case.state is State.CORRECTING:
        found.append(("申请人补正", _until(case.reply_by)))
    if not case.outcome:
        found.append(("本级报送", _until(case.part_due)))
        if case.pending:
            found.append(("容缺后补", f"{'、'.join(case.pending)}，{_until(case.follow_up)}"))
    if not case.delivered_on:
        found += [("答复转告", _until(case.tell_by)), ("送达", _until(case.deliver_by))]
    return found


def _day(value: date | None) -> str:
    return day(value) if value else ""


def _until(value: date | None) -> str:
    return f"{day(value)}前" if value else ""


def _pause(one: Suspension, item: Item | None, calendar: Calendar | None) -> PauseLine:
    listed = (
        next((found for found in item.special_procedures if found.name == one.kind), None) if item else None
    )
    if one.end is None:
        longest = f"，最长 {listed.max_days} 日" if listed and listed.max_days else ""
        words = f"{day(one.start)}起，进行中{longest}；期间不计入，办结日顺延"
    else:
        days = f"，{calendar.between(one.start, one.end)} 个工作日不计入" if calendar else ""
        words = f"{day(one.start)}至{day(one.end)}{days}"
    return PauseLine(kind=one.kind, basis=one.basis, words=words, open=one.end is None)


def _shares(desk: Desk, found: Standing) -> tuple[ShareLine, ...]:
    return tuple(
        ShareLine(
            owner=OWNERS[one.owner],
            place=show.place_name(desk.node, one.place),
            workdays=one.workdays,
            counted=one.counted,
            hours=hours(one.minutes),
        )
        for one in found.shares
    )


def hours(minutes: int) -> str:
    """3小时05分."""
    return f"{minutes // 60}小时{minutes % 60:02d}分"


def joint_briefs(desk: Desk, no: str) -> tuple[JointBrief, ...]:
    """The joint handlings of a case, the newest first."""
    return tuple(_brief(desk, row) for row in desk.node.read(joint.of_case, no))


def _brief(desk: Desk, row: Any) -> JointBrief:
    parts = desk.node.read(joint.parts, row.no, row.n)
    answered = sum(bool(one.opinion) for one in parts)
    ended = f"，{day(row.closed_on)}结束" if row.closed_on else f"，期限{day(row.until)}"
    calendar, today = show.calendar_of(desk.node.know.catalogue), civil_date(desk.now)
    return JointBrief(
        name=row.name,
        words=f"已答复 {answered} / {len(parts)} 个环节{ended}",
        href=whole(row.no, row.n),
        lines=tuple(
            JointLine(
                name=one.name,
                department=f"{show.place_name(desk.node, one.place)}　{one.department_name}",
                limit=part_light(one, calendar, today),
                state=part_state(one),
            )
            for one in parts
        ),
    )


def waiting(desk: Desk, no: str) -> tuple[str, ...]:
    """What one person has proposed and another must still approve."""
    return tuple(
        f"{VERBS.get(row.kind, row.kind)}：{row.by_name or row.by} 于 {day(row.at)}提出，等另一人批准"
        + (f"。理由：{row.content['why']}" if row.content.get("why") else "")
        for row in desk.node.read(proposals.waiting, no)
    )


def finding_lines(desk: Desk, no: str) -> tuple[FindingLine, ...]:
    """监督发现 about the case, the oldest first."""
    return tuple(
        FindingLine(
            rule=row.rule,
            what=findings.NAMES.get(row.rule, row.rule),
            words="，".join(
                [
                    f"{show.place_name(desk.node, row.place)}{f' {show.person(row.person)}' if row.person else ''}",
                    day(row.on),
                    *(
                        f"{FACTS[name]}：{show.place_name(desk.node, value)}"
                        for name, value in row.facts.items()
                        if name in FACTS
                    ),
                ]
            ),
        )
        for row in desk.node.read(findings.of_case, no)
    )
