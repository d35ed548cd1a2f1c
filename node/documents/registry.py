"""The numbers of documents: given once, per body, kind and year, and never again.

One rule: only whoever issues a document numbers it. Notices and decisions have their number from the moment of the
step, and the step's sealed part tells it to the parties: what the village prints bears the township's number.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select

from node.db import insert_all, table_of
from node.documents.kinds import KINDS
from node.documents.model import DocumentIssueRow
from node.documents.sheet import Kind
from node.work import Knowledge, Work


def numbered(
    work: Work, no: str, step: str, by: str, private: Mapping[str, Any] | None
) -> Mapping[str, Any] | None:
    """The sealed part of an own step, with the numbers of the documents that the step makes."""
    made = [kind for kind in KINDS.values() if kind.at_once and step in kind.after]
    if not made:
        return private
    given = [{"kind": kind.id, "number": register(work, by, no, kind)} for kind in made]
    return {**(private or {}), "documents": given}


def register(work: Work, by: str, no: str, kind: Kind) -> str:
    """The number of our own document of a case; a new one if it has none yet."""
    table = table_of(DocumentIssueRow)
    known = select(table.c.number).where(table.c.case_no == no, table.c.kind == kind.id)
    if found := work.session.execute(known).scalar():
        return str(found)
    year = work.today.year
    last = select(func.max(table.c.serial)).where(table.c.kind == kind.id, table.c.year == year)
    serial = (work.session.execute(last).scalar() or 0) + 1
    given = number(work.know, kind, year, serial)
    _write(work, by, no, kind, given, serial)
    return given


def keep_copy(work: Work, by: str, no: str, kind: Kind, given: str) -> None:
    """A document of another's that is printed here: its number as its issuer has told it, none of our own."""
    _write(work, by, no, kind, given, None)


def _write(work: Work, by: str, no: str, kind: Kind, given: str, serial: int | None) -> None:
    row = {
        "case_no": no,
        "kind": kind.id,
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
