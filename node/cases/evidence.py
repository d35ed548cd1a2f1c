"""Exporting the evidence of a case, and telling its story in words."""

from datetime import UTC, datetime

from sqlalchemy import select
from sqlmodel import Session

from node.db import table_of
from node.errors import Conflict, NotFound
from node.exchange.model import AS_THEY_CAME, COUNTING, EventRow, StatementRow
from node.work import CIVIL, Knowledge
from protocol import evidence
from protocol.certificates import Certificate
from protocol.evidence import Finding, Proof, Told
from protocol.lifecycle import VERBS
from protocol.verify import open_statement


def export(session: Session, know: Knowledge, no: str, now: datetime) -> bytes:
    """The evidence file of case `no` as this node holds it.

    NotFound if it has no step of it; Conflict while an own step is not signed yet (it will be within a second of
    the line being up).
    """
    event, statement = table_of(EventRow).c, table_of(StatementRow).c
    rows = session.execute(
        select(event.raw, event.n, statement.line)
        .join_from(
            table_of(EventRow), table_of(StatementRow), event.statement == statement.hash, isouter=True
        )
        .where(event.case_no == no, event.state.in_(COUNTING))
        .order_by(event.n.is_(None), event.n, *AS_THEY_CAME)
    ).all()
    if not rows:
        raise NotFound(f"没有找到办件 {no}")
    if any(row.line is None for row in rows):
        raise Conflict("有步骤还没有签封（线路接通后自动签封），请稍后再导出")
    proofs = [Proof(row.raw, row.line) for row in rows]
    certificates = [one.line for one in needed(know, {one.statement for one in proofs})]
    return evidence.write(no, proofs, certificates, know.keys, know.certificate, now)


def needed(know: Knowledge, statements: set[bytes]) -> list[Certificate]:
    """The certificates that prove these statements and our own seal, the root first, issuers before the issued."""
    wanted: dict[str, Certificate] = {}
    leaves = [open_statement(line, know.ring)[1] for line in statements]
    for leaf in (know.certificate, *leaves):
        at: Certificate | None = leaf
        while at is not None:
            wanted[at.fingerprint] = at
            at = know.ring.get(at.issued_by)
    order = {one.fingerprint: number for number, one in enumerate(know.ring)}
    return sorted(wanted.values(), key=lambda one: order[one.fingerprint])


def tell(finding: Finding) -> list[str]:
    """The story of the case, a line per proved event, and how it stands."""
    lines = [_line(told) for told in finding.story]
    case = finding.case
    if case is not None:
        lines.append(f"现状：{case.state.label}；事项 {case.item}；承办单位 {case.holder}")
    return lines


def _line(told: Told) -> str:
    event = told.event
    said = datetime.fromisoformat(event.iat).replace(tzinfo=UTC).astimezone(CIVIL)
    number = f"第 {event.case.n:>2} 步" if event.case else "提交    "
    verb = VERBS.get(event.kind, event.kind)
    body = event.body
    more = [f"工号 {body['by']}"] if body.get("by") else []
    if body.get("to"):
        more.append(f"交 {body['to']}")
    if body.get("why"):
        more.append(str(body["why"]))
    if body.get("due"):
        more.append(f"承诺办结日 {body['due']}")
    return f"{number}  {said:%Y-%m-%d %H:%M}  {told.speaker.name}（{event.frm}）{verb}  {'；'.join(more)}".rstrip()
