"""What must hold for a step beside the table: each guard gives the reason to refuse in the user's words, or None.

One rule: a guard judges by the case and the step alone. What takes the catalogue, an authorisation or today's
date is asked by the nodes, of every step on every road.
"""

from collections.abc import Callable

from protocol import joint
from protocol.case import Case, Step
from protocol.messages import (
    CaseAccepted,
    CaseDecided,
    CaseReturned,
    CaseSupplied,
    Extended,
    HandedOver,
    JointClosed,
    JointOpened,
    NotAccepted,
    SentBack,
    Suspended,
    Voided,
)
from protocol.modes import mode_of

Guard = Callable[[Case, Step], str | None]


def two_persons(case: Case, step: Step) -> str | None:
    """一审一核: somebody has reviewed, and somebody else decides."""
    if case.two_person and not case.reviewer:
        return "须先由审查人提出审查意见（一审一核）"
    if case.two_person and case.reviewer == step.body.by:
        return f"审查人与决定人不得为同一人（{step.body.by}）"
    return None


def authorised(case: Case, step: Step) -> str | None:
    """A decision names its authorisation, and the minutes where the item asks for a meeting."""
    assert isinstance(step.body, CaseDecided)
    if not step.body.authorisation:
        return "决定须写明所依据的授权"
    if case.route == "集体讨论" and not step.body.minutes:
        return "本事项须集体讨论决定，请写明会议纪要编号"
    return None


def reasons(_case: Case, step: Step) -> str | None:
    """A refusal has reasons and remedies."""
    assert isinstance(step.body, CaseDecided)
    return None if step.body.reasons else "不予许可须说明理由并告知救济途径（行政许可法第三十八条）"


def supplied(case: Case, _step: Step) -> str | None:
    """What was accepted as missing has come before the licence, unless the mode lets it follow."""
    if case.pending and not mode_of(case.mode).late_formalities:
        return f"容缺材料未补齐（{'、'.join(case.pending)}），不能准予"
    return None


def once(case: Case, _step: Step) -> str | None:
    """One correction notice and no second."""
    return "补正只能一次性告知，本件已告知过（行政许可法第三十二条）" if case.corrections else None


def in_time(case: Case, step: Step) -> str | None:
    """After five working days of silence the case is accepted, whatever is said then."""
    if isinstance(step.body, CaseReturned) and step.body.defects < len(step.body.materials):
        return "补正告知的条数少于所列材料"
    if case.notice_by is not None and step.body.on > case.notice_by:
        return (
            f"收件后五个工作日（至 {case.notice_by}）未告知，自收到材料之日起即为受理（行政许可法第三十二条）"
        )
    return None


def refusable(_case: Case, step: Step) -> str | None:
    """Another organ's power: then that organ is named."""
    assert isinstance(step.body, NotAccepted)
    if step.body.ground == "不属于本机关职权" and not step.body.body.strip():
        return "不属于本机关职权的，须告知向哪个机关申请"
    return None


def still_lacking(case: Case, step: Step) -> str | None:
    """Papers go back for being incomplete only after the one notice, and only if something is missing."""
    assert isinstance(step.body, SentBack)
    if step.body.ground == "申请人要求退回材料":
        return None
    if not case.corrections:
        return "材料不齐应先一次性告知补正，不能直接退件"
    if step.body.ground == "补正后仍不齐全" and not case.missing:
        return "必要材料已经齐全，不能以材料不齐退件"
    return None


def elsewhere(case: Case, step: Step) -> str | None:
    """A hand-over goes to somebody else, under an edition not older than the one before."""
    assert isinstance(step.body, HandedOver)
    if step.body.to == step.frm:
        return "不能移交给自己"
    if step.edition < case.edition:
        return f"移交须依据不早于第 {case.edition} 版的目录，本次为第 {step.edition} 版"
    return None


def newer(case: Case, step: Step) -> str | None:
    """Passing on what was addressed to us takes a newer edition than its sender had."""
    if step.edition <= case.edition:
        return f"转办须依据比第 {case.edition} 版更新的目录"
    return elsewhere(case, step)


def accepted_rightly(case: Case, step: Step) -> str | None:
    """The day, the limits and what may follow fit together."""
    body = step.body
    assert isinstance(body, CaseAccepted)
    if body.due < body.on:
        return f"承诺办结日 {body.due} 早于受理日 {body.on}"
    if body.pending and body.follow_up is None:
        return "容缺受理须写明补齐的日期"
    if body.deemed:
        return _deemed(case, body)
    if mode_of(body.mode).leader and not body.leader:
        return f"{body.mode}件须指定到场负责的人"
    return in_time(case, step) or _complete(case, body)


def _deemed(case: Case, body: CaseAccepted) -> str | None:
    if case.received_on is not None and body.on != case.received_on:
        return f"视为受理的，受理日为收到材料之日 {case.received_on}"
    return None


def _complete(case: Case, body: CaseAccepted) -> str | None:
    lacking = [name for name in case.missing if name not in body.pending]
    if lacking and not case.corrections:
        return f"必要材料未齐（{'、'.join(lacking)}），应一次性告知补正"
    return None


def suspendable(_case: Case, step: Step) -> str | None:
    """A special procedure has its basis in the law."""
    assert isinstance(step.body, Suspended)
    return None if step.body.basis.strip() else "特别程序须写明依据"


def extendable(case: Case, step: Step) -> str | None:
    """Once, before the limit passes, no longer than the law lets, by a second person (行政许可法 42)."""
    body = step.body
    assert isinstance(body, Extended)
    if body.approver == body.by:
        return f"延期须由另一人批准（{body.by}）"
    last = case.statutory_due or case.due
    if last is not None and body.on > last:
        return f"时限已于 {last} 届满，不能再延期"
    longest = mode_of(case.mode).extension
    if body.days > longest.value:
        return f"最多延期 {longest}，不能延期 {body.days} 个工作日"
    if body.due is None or (case.due is not None and body.due < case.due):
        return "延期须写明新的办结日，且不早于原来的"
    return None


def voidable(_case: Case, step: Step) -> str | None:
    """By two persons."""
    assert isinstance(step.body, Voided)
    return f"作废须由另一人批准（{step.body.by}）" if step.body.approver == step.body.by else None


def pending(case: Case, step: Step) -> str | None:
    """Only what was accepted as missing can follow."""
    assert isinstance(step.body, CaseSupplied)
    strange = [name for name in step.body.materials if name not in case.pending]
    return f"“{strange[0]}”不在容缺清单里" if strange else None


def joint_rightly(case: Case, step: Step) -> str | None:
    """Two departments or more, no circle of preconditions, no sub-limit beyond the limit."""
    assert isinstance(step.body, JointOpened)
    return joint.refused_opening(step.body, step.body.on, case.due)


def joint_answered(case: Case, step: Step) -> str | None:
    """Every part with its opinion, or with its silence on record."""
    assert isinstance(step.body, JointClosed)
    return joint.refused_closing(case.joint, step.body)


def agreed(case: Case, step: Step) -> str | None:
    """An assist that does not agree is heard in a meeting before a licence is granted."""
    return joint.needs_meeting(case.joint, getattr(step.body, "minutes", ""))


def clocked(case: Case, _step: Step) -> str | None:
    """There is a clock."""
    return None if case.clock is not None else "本件没有在计时"
