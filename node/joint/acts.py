"""What the lead's officers may do in joint handling on the case page: 发起联办, 约现场, 会议纪要, 结束联办."""

from collections.abc import Sequence
from datetime import date

from node.accounts.officer import Officer
from node.cases.acts import Act, Answers, Ask, one
from node.errors import BadForm
from node.joint import actions
from node.work import Work
from protocol.case import Case, State


def _bundles(work: Work, case: Case) -> Sequence[tuple[str, str]]:
    """Those of the item; yearly inspection is opened for a list of cases, from the desk of joint handling."""
    return [
        (
            found.id,
            f"{found.name}（{'、'.join(dict.fromkeys(step.department.name for step in found.steps))}）",
        )
        for found in actions.bundles_for(work.know.catalogue, case.item)
        if not found.yearly
    ]


def _parts(_work: Work, case: Case) -> Sequence[tuple[str, str]]:
    parts = case.joint.assists if case.joint else ()
    return [(part.key, f"{part.department_name}　{part.name}") for part in parts]


def _meetings(_work: Work, _case: Case) -> Sequence[tuple[str, str]]:
    return [(name, name) for name in actions.MEETINGS]


def _leads(case: Case, me: str) -> bool:
    return case.state is State.JOINT and case.speaker == me


def _day(answers: Answers, name: str) -> date:
    try:
        return date.fromisoformat(one(answers, name))
    except ValueError:
        raise BadForm({name: "请填写日期"}) from None


def _open(work: Work, officer: Officer, no: str, answers: Answers) -> None:
    actions.open_joint(work, officer, no, one(answers, "bundle"), text=one(answers, "text"))


def _visit(work: Work, officer: Officer, no: str, answers: Answers) -> None:
    actions.appoint_visit(
        work, officer, no, _day(answers, "day"), one(answers, "time"), one(answers, "where"),
        list(answers.get("parts", ())),
    )  # fmt: skip


def _minutes(work: Work, officer: Officer, no: str, answers: Answers) -> None:
    actions.record_minutes(
        work, officer, no, one(answers, "meeting"), _day(answers, "held_on"),
        list(answers.get("present", ())), one(answers, "points").splitlines(),
    )  # fmt: skip


def _close(work: Work, officer: Officer, no: str, answers: Answers) -> None:
    actions.close_joint(work, officer, no, one(answers, "text"))


ACTS: tuple[Act, ...] = (
    Act(
        "joint", "发起联办", "case.joint_opened", _open,
        done="联办已发起，申请表和材料已抄告各协办单位",
        asks=(
            Ask("bundle", "联办组合", "choice", options=_bundles),
            Ask("text", "说明", "long", needed=False),
        ),
        hint="一家受理，抄告各协办单位；申请表和材料一次共享，各环节同步开始", shortcut="j",
        first=lambda case: case.wants_joint,
    ),
    Act(
        "joint-visit", "约定联合踏勘", "joint.visit", _visit,
        done="联合踏勘已约定，各协办单位将收到",
        asks=(
            Ask("day", "日期", "date"),
            Ask("time", "时间", hint="24 小时制，如 09:30"),
            Ask("where", "地点"),
            Ask("parts", "参加的环节", "many", needed=False, options=_parts, hint="不选即全部协办单位"),
        ),
        hint="各部门同一次到场", fits=_leads,
    ),
    Act(
        "joint-minutes", "会议（踏勘）纪要", "joint.minutes", _minutes,
        done="纪要已签署，各协办单位将收到",
        asks=(
            Ask("meeting", "会议种类", "choice", options=_meetings),
            Ask("held_on", "日期", "date"),
            Ask("present", "到会单位", "many", needed=False, options=_parts, hint="未勾选的应到单位记为缺席"),
            Ask("points", "议定事项", "long", hint="每行一条"),
        ),
        fits=_leads,
    ),
    Act(
        "joint-close", "结束联办", "case.joint_closed", _close,
        done="联办已结束，可以审查",
        asks=(Ask("text", "说明", "long", needed=False),), rank="main",
        hint="汇总各协办意见；逾期未答复记为超时默许，缺席记为缺席默认，并记录责任人",
    ),
)  # fmt: skip
