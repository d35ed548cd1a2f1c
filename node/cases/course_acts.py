"""The acts of `courses` as data: special procedures, extension, void, termination, and making the certificate."""

from collections.abc import Callable, Sequence

from node import proposals
from node.accounts.officer import Officer
from node.cases import actions, courses
from node.cases.acts import Act, Answers, Ask, one
from node.cases.seconds import SECONDS
from node.errors import BadForm, Conflict
from node.work import Work
from protocol.lifecycle import TRANSITIONS, Case
from protocol.modes import mode_of

Pairs = Sequence[tuple[str, str]]


def _choices(*words: str) -> Pairs:
    return [(word, word) for word in words]


def _specials(work: Work, case: Case) -> Pairs:
    """Those that do not run yet: at most one of a kind is open."""
    return [
        (one.name, f"{one.name}（最长 {one.max_days} 日）" if one.max_days else one.name)
        for one in courses.special_procedures(work, case)
        if one.name not in courses.open_kinds(case)
    ]


def _running(_work: Work, case: Case) -> Pairs:
    return _choices(*courses.open_kinds(case))


def _days(_work: Work, case: Case) -> Pairs:
    return [(str(day), f"{day} 个工作日") for day in range(1, mode_of(case.mode).extension.value + 1)]


def _waiting(work: Work, case: Case) -> Pairs:
    return [
        (row.id, f"{SECONDS[row.kind].name}（{row.by} 提出）：{row.content.get('why', '')}")
        for row in proposals.waiting(work.session, case.no)
        if row.kind in SECONDS
    ]


def _fits(kind: str) -> Callable[[Case, str], bool]:
    """The table's word for `kind`, for acts that do not make the step at once."""
    return lambda case, me: case.speaker == me and kind in TRANSITIONS[case.state]


def _number(text: str) -> int:
    if not (text.isdecimal() and len(text) < 5):
        raise BadForm(days="请填写工作日天数")
    return int(text)


def _second(work: Work, officer: Officer, no: str, answers: Answers) -> None:
    found = proposals.open_one(work, one(answers, "proposal"))
    kind = SECONDS.get(found.kind)
    if found.no != no or kind is None:
        raise Conflict("这项申请不是本件的延期或作废")
    if one(answers, "verdict") != "不批准":
        kind.approve(work, officer, proposals.second(work, officer, found.id))
        return
    if found.by != officer.staff_no:
        kind.admits(work, officer, found)
    proposals.refuse(work, officer, found.id, one(answers, "why"))


COURSE_ACTS: tuple[Act, ...] = (
    Act(
        "suspend", "启动特别程序", "case.suspended",
        lambda work, who, no, a: courses.suspend(work, who, no, one(a, "kind"), one(a, "basis"), one(a, "why")),
        done="已启动特别程序，计时中止，请打印告知书",
        asks=(
            Ask("kind", "种类", "choice", options=_specials),
            Ask("basis", "依据", needed=False, hint="不填则用目录里的依据"),
            Ask("why", "说明", needed=False),
        ),
        hint="停表，并书面告知申请人所需时间", shortcut="s",
    ),
    Act(
        "resume", "恢复计时", "case.resumed",
        lambda work, who, no, a: courses.resume(work, who, no, one(a, "kind"), one(a, "result")),
        done="特别程序已结束，恢复计时",
        asks=(Ask("kind", "结束哪一个特别程序", "choice", options=_running), Ask("result", "结果", "long")), rank="main",
    ),
    Act(
        "extend", "申请延期", "case.extended",
        lambda work, who, no, a: courses.propose_extension(work, who, no, _number(one(a, "days")), one(a, "why")),
        done="延期申请已提出，等第二人批准",
        asks=(Ask("days", "延期", "choice", options=_days), Ask("why", "理由", "long", hint="将告知申请人")),
        hint="只能一次，须另一人批准", fits=_fits("case.extended"),
    ),
    Act(
        "void", "申请作废", "case.voided",
        lambda work, who, no, a: courses.propose_void(work, who, no, one(a, "why")),
        done="作废申请已提出，等第二人批准",
        asks=(Ask("why", "作废的原因", "long"),), rank="danger", hint="录入错误，须另一人批准", fits=_fits("case.voided"),
    ),
    Act(
        "second", "批准延期或作废", "second", _second,
        done="已作出批准与否的决定",
        asks=(
            Ask("proposal", "待批的申请", "choice", options=_waiting),
            Ask("verdict", "意见", "choice", options=lambda _work, _case: _choices("批准", "不批准")),
            Ask("why", "不批准的理由", "long", needed=False),
        ),
        fits=_fits("case.voided"),
    ),
    Act(
        "send-back", "退件", "case.sent_back",
        lambda work, who, no, a: actions.send_back(work, who, no, one(a, "ground"), one(a, "reasons")),
        done="已退件",
        asks=(
            Ask("ground", "情形", "choice", options=lambda _work, _case: _choices(*actions.SENT_BACK)),
            Ask("reasons", "理由和申诉途径", "long"),
        ),
        rank="danger", confirm="退件后本件即告结束，确定吗？",
    ),
    Act(
        "terminate", "终止", "case.terminated",
        lambda work, who, no, a: courses.terminate(work, who, no, one(a, "ground"), one(a, "text")),
        done="已终止",
        asks=(
            Ask("ground", "情形", "choice", options=lambda _work, _case: _choices(*courses.TERMINATIONS)),
            Ask("text", "说明", "long", needed=False),
        ),
        rank="danger", confirm="终止办理，确定吗？",
    ),
    Act(
        "close", "制证完成，办结", "case.closed",
        lambda work, who, no, a: actions.close(work, who, no, one(a, "result")),
        done="已办结，结果发回受理起点",
        asks=(Ask("result", "证照或批文名称、编号", needed=False),), rank="main",
    ),
)  # fmt: skip
"""Beside `acts.ACTS`."""
