"""提交 (补正, 撤回申请): what the origin has asked about a case, and what became of it, told alike at every node.

One rule: a step that answers names what it answers; what none has named when the case is decided or over came too late.
Nobody has the turn then to say so, so everybody who hears both sees it for himself, the origin included.
A supplement dated within its term that came after the term had ended the case is a finding: the applicant had answered,
and his case has to be taken up anew.
"""

from typing import Any

import orjson
from sqlalchemy import Row, select, update
from sqlmodel import Session

from node.cases import findings
from node.cases.dossier import events_of
from node.cases.model import CaseRow, SubmissionRow
from node.cases.steps import CHUNK
from node.db import insert_ignore, table_of
from node.work import Work
from protocol.case import Case, State, Step
from protocol.envelope import Event
from protocol.lifecycle import ENDINGS
from protocol.messages import Submission

SYSTEM = "system"
HERE = "submissions"
TOO_LATE = "too_late"
ANSWERS = ("case.corrected", "case.supplied", "case.withdrawn")
FOLLOWS = (*ANSWERS, "case.granted", "case.refused", *ENDINGS)
RULE, IN_TIME = "AB11", "supplement in time"


def keep(work: Work, event: Event, asked: Submission) -> None:
    """Keep what was asked, by us or by another; `answered` stays empty until a step takes it up."""
    row: dict[str, Any] = {
        "hash": event.hash,
        "no": asked.no,
        "kind": event.kind,
        "frm": event.frm,
        "on": asked.on,
        "materials": orjson.dumps(asked.materials).decode(),
        "answered": "",
        "at": work.now,
    }
    insert_ignore(work.session, SubmissionRow, [row])
    _look_again(work, asked.no)


def answer(work: Work, name: str, by: str) -> None:
    """Note the kind of the step that answers a submission, or `TOO_LATE`."""
    table = table_of(SubmissionRow)
    work.session.execute(update(table).where(table.c.hash == name).values(answered=by))


def moved(work: Work, _before: Case | None, after: Case, _step: Step) -> None:
    """A step may be the answer, or the end."""
    _look_again(work, after.no)


def _look_again(work: Work, no: str) -> None:
    """Once, when all that came is stored."""
    work.kept.setdefault(HERE, set()).add(no)
    work.at_the_end(_settle)


def _settle(work: Work) -> None:
    """Say of each open submission by which step it was answered, or that none can answer it any more."""
    numbers = sorted(work.kept.pop(HERE, ()))
    for at in range(0, len(numbers), CHUNK):
        _settle_some(work, numbers[at : at + CHUNK])


def _settle_some(work: Work, numbers: list[str]) -> None:
    asked, case = table_of(SubmissionRow), table_of(CaseRow)
    rows = work.session.execute(
        select(asked, case.c.state, case.c.outcome, case.c.closed_on, case.c.reply_by, case.c.holder)
        .join_from(asked, case, case.c.no == asked.c.no)
        .where(asked.c.no.in_(numbers), asked.c.answered == "")
    ).all()
    for row in rows:
        by = _answered(work.session, row)
        if by:
            answer(work, row.hash, by)
        elif row.outcome or row.closed_on:
            answer(work, row.hash, TOO_LATE)
            if _in_time(work.session, row):
                _note(work, row)


def _answered(session: Session, row: Row[Any]) -> str:
    named = (one for one in events_of(session, row.no, *ANSWERS) if one.body.get("submission") == row.hash)
    return next((one.kind for one in named), "")


def _in_time(session: Session, row: Row[Any]) -> bool:
    """Whether it was dated within the term whose end has ended the case."""
    if row.kind != "case.supplement_sent" or row.state != State.TERMINATED or row.reply_by is None:
        return False
    ended = events_of(session, row.no, "case.terminated")
    return row.on <= row.reply_by and any(one.body.get("by") == SYSTEM for one in ended)


def _note(work: Work, row: Row[Any]) -> None:
    what = "申请人已按期补正，送到时本件已因期限届满终止：须重新收件办理"
    found = findings.note(
        work, RULE, row.no, f"{IN_TIME} {row.hash[:16]}", place=row.holder, what=what, on=row.on, due=row.reply_by
    )  # fmt: skip
    findings.keep(work, [found])


def advice(session: Session, case: Case, place: str) -> str:
    """What the origin and the holder must do about a supplement that was in time and came too late; "" otherwise."""
    if place not in (case.origin, case.holder):
        return ""
    found = [one for one in findings.of_case(session, case.no) if one.about.startswith(IN_TIME)]
    if not found:
        return ""
    return (
        f"申请人已于 {found[0].facts['on']} 按期补正（期限 {found[0].facts['due']}），送到时本件已因期限届满终止。"
        "请告知申请人并重新收件登记，已交的材料不再要求提交。"
    )
