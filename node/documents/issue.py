"""Which documents a case has, what they say, and printing them; numbers are in `registry`."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, select, update
from sqlmodel import Session

from node import audit
from node.accounts.officer import Officer
from node.cases.dossier import dossier, events_of, open_private
from node.cases.model import to_case
from node.cases.views import one as case_row
from node.db import table_of
from node.documents import registry
from node.documents.kinds import KINDS
from node.documents.model import DocumentIssueRow
from node.documents.sheet import Content, Kind, Subject
from node.errors import NotFound
from node.work import Knowledge, Work
from protocol.envelope import Event


def subject_of(session: Session, know: Knowledge, no: str) -> Subject:
    """What the documents of a case are drawn from; NotFound if this node is no party to it."""
    case = to_case(case_row(session, no))
    private = dossier(session, know, no)
    if private is None:
        raise NotFound("本节点不是本件的办理方，不能出具文书")

    def name(code: str) -> str:
        place = know.roster.get(code) if code else None
        return place.name if place else code

    events = events_of(session, no)
    steps = {event.kind: event for event in events}
    item = know.catalogue.get(case.item) if know.catalogue else None

    def told(event: Event) -> dict[str, str]:
        return _numbers(open_private(event, know))

    return Subject(case, item, private, steps, name, events, told)


def _numbers(private: Mapping[str, Any] | None) -> dict[str, str]:
    given = (private or {}).get("documents", ())
    return {str(one.get("kind", "")): str(one.get("number", "")) for one in given}


def offered(subject: Subject) -> list[Kind]:
    """The documents that apply to the case as it stands."""
    return [
        kind
        for kind in KINDS.values()
        if any(step in subject.steps for step in kind.after) and kind.only(subject)
    ]


def content(subject: Subject, kind: Kind) -> Content:
    """What the sheet says."""
    return kind.draw(subject)


def issued(session: Session, subject: Subject) -> dict[str, Row[Any]]:
    """The documents of a case as it stands that have a number here, by kind."""
    table = table_of(DocumentIssueRow)
    rows = session.execute(select(table).where(table.c.case_no == subject.case.no)).all()
    return {row.kind: row for row in rows if row.occasion == KINDS[row.kind].occasion(subject)}


def number_of(subject: Subject, kind: Kind, known: Row[Any] | None) -> str:
    """The number it has: in our register, else as the event that makes it tells, else as the dossier handed to us does;
    "" while it has none that we know.
    """
    if known is not None and known.number:
        return str(known.number)
    made = kind.made_by(subject)
    own = subject.told(made).get(kind.id, "") if made is not None else ""
    return own or _numbers(subject.private).get(kind.id, "")


def print_document(work: Work, officer: Officer, no: str, kind_id: str) -> int:
    """Give the document its number if it has none, count the print; how often it had been printed before.

    NotFound if the document does not apply to the case.
    """
    kind = KINDS.get(kind_id)
    subject = subject_of(work.session, work.know, no)
    if kind is None or kind not in offered(subject):
        raise NotFound("本件现在没有这份文书")
    table = table_of(DocumentIssueRow)
    occasion, known = kind.occasion(subject), issued(work.session, subject).get(kind_id)
    if known is None:
        made, given = kind.made_by(subject), number_of(subject, kind, None)
        if given or (made is not None and made.frm != work.me):
            registry.keep(work, officer.staff_no, no, kind, occasion, given)
        else:
            registry.register(work, officer.staff_no, no, kind, occasion)
    before = known.prints if known else 0
    work.session.execute(
        update(table)
        .where(table.c.case_no == no, table.c.kind == kind_id, table.c.occasion == occasion)
        .values(prints=before + 1, printed_at=work.now)
    )
    audit.record(
        work.session, officer.login, "document.print", f"{no} {kind_id}", f"第 {before + 1} 次", now=work.now
    )
    return before


def lookup_code(first_hash: str) -> str:
    """查询码: six digits for the applicant, made from the filing's hash: the same wherever the slip is printed."""
    return f"{int(first_hash[:12], 16) % 1_000_000:06d}"
