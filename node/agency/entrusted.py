"""Whether an agent may do this for the applicant: what was entrusted, until when, and whether it still holds.

One rule: the entrustment speaks of the station, so its second agent (B 岗) acts under it as the first does; both are
named in what is signed.
"""

from collections.abc import Sequence
from datetime import date

from sqlmodel import Session

from node.cases.dossier import dossier, events_of
from node.cases.steps import Cases
from node.errors import Forbidden
from node.work import Knowledge, Work
from protocol import agency as law
from protocol.agency import AGENCY, Agency


def of_case(session: Session, no: str) -> Agency:
    """How the agency of a case stands."""
    events = [one for one in events_of(session, no) if one.kind in AGENCY]
    events.sort(key=lambda one: one.iat)
    return law.standing(AGENCY[one.kind].model_validate(one.body) for one in events)


def refusal(session: Session, know: Knowledge, no: str, scopes: Sequence[str], today: date) -> str:
    """Why an agent may not do what one of `scopes` allows; "" if he may, or if this node cannot know."""
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
    return law.out_of_time(of_case(session, no), until, today)


def must_be_entrusted(work: Work, no: str, scopes: Sequence[str]) -> None:
    """Forbidden unless the applicant has entrusted this and it still holds; nothing to ask of a case without agent."""
    work.session.flush()
    if not Cases(work).need(no).agent:
        return
    if reason := refusal(work.session, work.know, no, scopes, work.today):
        raise Forbidden(reason)
