"""The numbers of documents: given once, per body, word (文种字) and year, and never again.

One rule: only whoever issues a document numbers it. Notices and decisions have their number from the moment of the
step, and the step's sealed part tells it to the parties: what the village prints bears the township's number. So do
a joint handling's opinions and minutes, which their assists and the lead print.

A number is not given again when the database was set back to an older copy either. What acts told is left out as for
any serial number (`Work.serial`). What was only printed nobody else has heard of: before the first document of a kind
after a set-back, as many numbers are left out as the cases here could have had one without our remembering it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select

from node.cases.model import CaseRow
from node.db import insert_all, table_of
from node.documents.kinds import KINDS
from node.documents.model import DocumentIssueRow
from node.documents.sheet import Kind
from node.exchange.model import COUNTING, EventRow
from node.exchange.setback import alarm
from node.work import MOST_SKIPPED, Knowledge, Work, civil_date


def numbered(
    work: Work, no: str, step: str, by: str, private: Mapping[str, Any] | None
) -> Mapping[str, Any] | None:
    """The sealed part of an own step, with the numbers of the documents that the step makes."""
    made = [kind for kind in KINDS.values() if kind.at_once and step in kind.after]
    given = [_told(work, no, kind, _said(work, no, kind) + 1, by) for kind in made]
    return {**(private or {}), "documents": given} if given else private


def told(
    work: Work, no: str, n: int, kind_id: str, by: str, private: Mapping[str, Any] | None
) -> Mapping[str, Any] | None:
    """The sealed part of our own word in joint handling `n`, with the number of the document that it makes."""
    kind = KINDS.get(kind_id)
    return private if kind is None else {**(private or {}), "documents": [_told(work, no, kind, n, by)]}


def _told(work: Work, no: str, kind: Kind, occasion: int, by: str) -> Mapping[str, str]:
    return {"kind": kind.id, "number": register(work, by, no, kind, occasion)}


def _said(work: Work, no: str, kind: Kind) -> int:
    """How often a step that makes a document of this kind was said in the case so far."""
    event = table_of(EventRow).c
    ours = event.state.in_(COUNTING)
    said = select(func.count()).where(event.case_no == no, event.kind.in_(kind.after), ours)
    return work.session.execute(said).scalar() or 0


def register(work: Work, by: str, no: str, kind: Kind, occasion: int) -> str:
    """The number of our own document of a case; a new one if it has none yet."""
    table = table_of(DocumentIssueRow).c
    known = select(table.number).where(table.case_no == no, table.kind == kind.id, table.occasion == occasion)
    if found := work.session.execute(known).scalar():
        return str(found)
    year, alike = work.today.year, _alike(kind)
    last = select(func.max(table.serial)).where(table.kind.in_(alike), table.year == year)
    above = (work.session.execute(last).scalar() or 0) + _untold(work, alike)
    serial = work.serial(f"document {alike[0]}", str(year), above)
    given = number(work.know, kind, year, serial)
    _write(work, by, no, kind, occasion, given, serial)
    return given


def _alike(kind: Kind) -> list[str]:
    """The kinds that are counted together, because their numbers have the same word."""
    return [one.id for one in KINDS.values() if one.word == kind.word]


def _untold(work: Work, alike: Sequence[str]) -> int:
    """How many documents of a word may have been numbered and then forgotten, without an act that told of them.

    Not 0 once only, for the first after a set-back of this year: at most one for each case here that has none.
    """
    key, epoch = f"document {alike[0]}:epoch", work.meta("epoch") or ""
    if work.meta(key) == epoch:
        return 0
    work.set_meta(key, epoch)
    noticed = alarm(work.session).partition(" ")[0]
    if not noticed or civil_date(datetime.fromisoformat(noticed)).year < work.today.year:
        return 0
    case, table = table_of(CaseRow).c, table_of(DocumentIssueRow)
    has = select(table.c.case_no).where(table.c.kind.in_(alike))
    ours = or_(case.origin == work.me, case.holder == work.me)
    found = select(func.count()).where(ours, case.no.not_in(has))
    return min(work.session.execute(found).scalar() or 0, MOST_SKIPPED)


def keep(work: Work, by: str, no: str, kind: Kind, occasion: int, given: str) -> None:
    """A document that is printed here with the number that an act has told: no new one of our own."""
    _write(work, by, no, kind, occasion, given, None)


def _write(work: Work, by: str, no: str, kind: Kind, occasion: int, given: str, serial: int | None) -> None:
    row = {
        "case_no": no,
        "kind": kind.id,
        "occasion": occasion,
        "number": given,
        "year": work.today.year,
        "serial": serial,
        "made_on": work.today,
        "made_at": work.now,
        "by": by,
        "prints": 0,
    }
    insert_all(work.session, DocumentIssueRow, [row])


def number(know: Knowledge, kind: Kind, year: int, serial: int) -> str:
    """地区简称 + 机关 + 文种字〔年〕顺序号: 平黄受字〔2025〕00012号."""
    line: Sequence[Any] = know.roster.line(know.place)
    short = "".join(place.name[0] for place in reversed(line[:2]))
    return f"{short}{kind.word}字〔{year}〕{serial:05d}号"
