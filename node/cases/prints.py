"""两头受理: whether the same applicant has another case of the same item open here.

One rule: what is kept is a keyed hash that only this node can make (`materials.index.mark`); it tells that two
cases are one person's, and of no case whose. Between nodes nothing is compared: see docs/law.md.
"""

from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from node.cases import findings
from node.cases.dossier import dossier
from node.cases.model import CaseRow, PrintRow
from node.db import insert_ignore, table_of
from node.materials import index
from node.work import Work
from protocol.lifecycle import Case

_MOST = 2000
"""Open cases of one item whose sealed parts are opened to compare them, in one act."""


def doubles(work: Work, item: str, mark: str, but: str = "") -> list[str]:
    """Open cases of this item by this applicant, as far as this node can read them; without case `but`."""
    if not mark:
        return []
    _learn(work, item)
    return marked(work.session, item, mark, but)


def marked(session: Session, item: str, mark: str, but: str = "") -> list[str]:
    """Of the cases marked so far, the open ones of this item with this mark."""
    case, known = table_of(CaseRow).c, table_of(PrintRow).c
    rows = session.execute(
        select(case.no)
        .join_from(table_of(CaseRow), table_of(PrintRow), known.no == case.no)
        .where(known.print == mark, case.item == item, case.closed_on.is_(None), case.no != but)
        .order_by(case.no)
    )
    return list(rows.scalars())


def keep(work: Work, no: str, mark: str) -> None:
    """Remember whose case it is, as a mark."""
    if mark:
        insert_ignore(work.session, PrintRow, [{"no": no, "print": mark}])


def seen_again(work: Work, case: Case) -> dict[str, Any] | None:
    """Note it, if the applicant of a case being accepted has another of the item open; what the step seals of it."""
    mark = index.applicant_mark(work.know, dossier(work.session, work.know, case.no))
    found = doubles(work, case.item, mark, case.no)
    if not found:
        return None
    others = "、".join(found[:5])
    findings.keep(
        work,
        [findings.note(work, "AB05", case.no, "accepted", place=work.me, others=others, item=case.item)],
    )
    return {"notes": [{"by": "system", "name": "", "what": "同一申请人在办", "text": others}]}


def _learn(work: Work, item: str) -> None:
    """Mark the open cases of an item that are not marked yet and that are sealed to us."""
    case, known = table_of(CaseRow).c, table_of(PrintRow).c
    rows = work.session.execute(
        select(case.no)
        .join_from(table_of(CaseRow), table_of(PrintRow), known.no == case.no, isouter=True)
        .where(case.item == item, case.closed_on.is_(None), known.no.is_(None))
        .limit(_MOST)
    )
    for no in list(rows.scalars()):
        mark = index.applicant_mark(work.know, dossier(work.session, work.know, no))
        insert_ignore(work.session, PrintRow, [{"no": no, "print": mark}])
