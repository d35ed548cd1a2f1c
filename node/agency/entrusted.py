"""Whether an agent may do this for the applicant: what was entrusted, until when, and whether it still holds.

One rule: the entrustment speaks of the station, so its second agent (B 岗) acts under it as the first does; both are
named in what is signed.
"""

from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import select
from sqlmodel import Session

from node.cases.dossier import dossier
from node.cases.steps import Cases
from node.db import table_of
from node.errors import Forbidden
from node.exchange.model import COUNTING, EventRow
from node.work import Knowledge, Work
from protocol import agency as law
from protocol.agency import AGENCY, Agency
from protocol.envelope import Event, read_event

Moment = tuple[str, int]
"""When a station said something: by its clock, and within a millisecond by its own numbers."""


def said(session: Session, no: str, kinds: Collection[str]) -> list[tuple[Moment, Event]]:
    """What was said of these kinds about a case and counts here, in the order in which it was said."""
    event = table_of(EventRow).c
    counts = event.state.in_(COUNTING)
    rows = session.execute(
        select(event.raw, event.ord).where(event.case_no == no, event.kind.in_(kinds), counts)
    )
    found = [(read_event(row.raw), row.ord) for row in rows]
    return sorted((((one.iat, number), one) for one, number in found), key=lambda one: one[0])


def of_case(session: Session, no: str, before: Moment | None = None) -> Agency:
    """How the agency of a case stands; or stood when its station said something else."""
    words = said(session, no, AGENCY)
    counting = (one for at, one in words if before is None or at < before)
    return law.standing(AGENCY[one.kind].model_validate(one.body) for one in counting)


def refusal(
    session: Session,
    know: Knowledge,
    no: str,
    scopes: Sequence[str],
    today: date,
    before: Moment | None = None,
) -> str:
    """Why an agent may not do what one of `scopes` allows, or might not then; "" if he may, or if this node cannot know."""
    entrusted = (dossier(session, know, no) or {}).get("entrustment")
    if not entrusted:
        return ""
    if scopes and not set(scopes) & set(entrusted.get("scope", ())):
        return f"委托范围是{'、'.join(entrusted.get('scope', ()))}，不含{'或'.join(scopes)}"
    text = str(entrusted.get("until", ""))
    try:
        until = date.fromisoformat(text) if text else None
    except ValueError:
        return f"委托期限“{text[:20]}”不是日期"
    return law.out_of_time(of_case(session, no, before), until, today)


def must_be_entrusted(work: Work, no: str, scopes: Sequence[str]) -> None:
    """Forbidden unless the applicant has entrusted this and it still holds; nothing to ask of a case without agent."""
    work.session.flush()
    if not Cases(work).need(no).agent:
        return
    if reason := refusal(work.session, work.know, no, scopes, work.today):
        raise Forbidden(reason)
