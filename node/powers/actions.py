"""Giving, lending and taking back the power to decide (授权). Two persons give; one may take back.

One rule: what counts is the signed version that everybody above and below was sent; a row here is its replica.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from sqlalchemy import Row, delete, select
from sqlmodel import Session

from node import audit, proposals
from node.accounts.officer import Officer
from node.accounts.roles import Role
from node.accounts.views import strangers
from node.cases.model import CaseRow
from node.db import insert_ignore, table_of
from node.errors import BadForm, Conflict, Forbidden, NotFound, RoleMissing
from node.exchange.model import EventRow, EventState
from node.powers import views
from node.powers.model import AuthorisationRow
from node.work import Work
from protocol.envelope import read_event
from protocol.errors import EnvelopeError
from protocol.messages import AuthorisationUpdate, read_body
from protocol.places import Code
from protocol.powers import EVERY_ITEM, RANKS, Power, may_sign
from protocol.subjects import Lane

KIND = "authorisation.update"
MAY_PROPOSE = frozenset((Role.CLERK, Role.REVIEWER, Role.CHIEF_REPRESENTATIVE, Role.CENTRE_HEAD))
MAY_APPROVE = frozenset((Role.CENTRE_HEAD,))
MOST_READERS = 60
"""Readers of one event; more make further events with the same words."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What an authorisation shall say, before two persons have agreed to it."""

    person: str
    items: tuple[str, ...]
    since: date
    until: date
    powers: tuple[str, ...] = (Power.DECIDE,)
    rank: str = RANKS[0]
    place: str = ""
    """"" for this place; a place below, for people who decide there."""
    seal: str = ""
    substitutes: str = ""
    why: str = ""


def propose(work: Work, officer: Officer, grant: Grant) -> str:
    """First person: the id of the proposal; BadForm with every faulty field."""
    _must(officer, MAY_PROPOSE)
    if errors := check(work, grant):
        raise BadForm(errors)
    content = {**_words(work, grant), "since": grant.since.isoformat(), "until": grant.until.isoformat()}
    return proposals.propose(work, officer, KIND, "", content)


def admits(_work: Work, officer: Officer, row: Row[Any]) -> None:
    """Forbidden, with the reason, to whoever could not approve this authorisation."""
    _must(officer, MAY_APPROVE)
    if row.content["person"] == officer.staff_no:
        raise Forbidden("不能给自己批准授权")


def approve(work: Work, officer: Officer, row: Row[Any]) -> str:
    """Second person: sign the authorisation and send it; its id."""
    admits(work, officer, row)
    return issue(work, row.content, (row.by, officer.staff_no))


def substitute(work: Work, officer: Officer, name: str, person: str, since: date, until: date) -> str:
    """临时顶岗, first person: somebody else with the same powers for a time within the authorisation's own."""
    known = _need(work.session, name)
    if known.revoked_on is not None:
        raise Conflict(f"授权 {name} 已撤销")
    if person.strip() == known.person:
        raise BadForm(person="代理人不能是被授权人本人")
    if not known.since <= since <= until <= known.until:
        raise BadForm(since=f"顶岗期间须在授权期间 {known.since} 至 {known.until} 之内")
    return propose(
        work,
        officer,
        Grant(
            person, known.items, since, until, known.powers, known.rank, known.place, known.seal, known.person,
            f"顶岗 {known.person}",
        ),
    )  # fmt: skip


def revoke(work: Work, officer: Officer, name: str, why: str) -> date:
    """撤销: from which day on it does not hold. Here nobody acts under it from this moment on.

    From tomorrow where the person has decided today, or decides at another place: what he did stays done.
    """
    _must(officer, MAY_APPROVE)
    known = _need(work.session, name)
    if not may_sign(work.me, known.place, work.know.roster):
        raise Forbidden(f"授权 {name} 是 {known.place} 的，只能由该单位或其上级撤销")
    if known.revoked_on is not None:
        raise Conflict(f"授权 {name} 已于 {known.revoked_on} 撤销")
    if not why.strip():
        raise BadForm(why="请写明撤销的理由")
    case = table_of(CaseRow).c
    today = select(case.no).where(case.decided_on == work.today, case.decided_by == known.person).limit(1)
    used = known.place != work.me or work.session.execute(today).first() is not None
    day = date.fromordinal(work.today.toordinal() + 1) if used else work.today
    _send(
        work,
        known.model_copy(
            update={"version": known.version + 1, "revoked_on": day, "why": why.strip()[:500]},
        ),
    )
    audit.record(work.session, officer.login, "authorisation.revoke", name, why, now=work.now)
    return day


def issue(work: Work, content: Mapping[str, Any], approvers: tuple[str, str]) -> str:
    """Sign a new authorisation and send it to everyone who checks decisions; its id.

    Also what an installation begins with, before anybody could approve anything here.
    """
    place = str(content.get("place") or work.me)
    name = _new_name(work, place)
    fields = {**content, "id": name, "version": 1, "place": place, "approvers": list(approvers)}
    try:
        body = read_body(AuthorisationUpdate, fields)
    except EnvelopeError as wrong:
        raise BadForm(person=wrong.reason) from None
    if reason := refusal(body):
        raise BadForm(person=reason)
    _send(work, body)
    return name


def _new_name(work: Work, place: str) -> str:
    """An id that no other signer gives: a place above, which counts for itself, writes its own code into it."""
    signer = "" if place == work.me else f"{work.me}-"
    while True:
        name = f"SQ{place}-{signer}{work.today:%Y%m%d}-{work.serial('authorisations'):03d}"
        if views.authorisation(work.session, name) is None:
            return name


def refusal(body: AuthorisationUpdate) -> str:
    """Why nobody may sign these words; "" if one may."""
    if body.approvers[0] == body.approvers[1] or not all(body.approvers):
        return "授权须由两人批准"
    if body.person in body.approvers:
        return "不能给自己批准授权"
    if body.until < body.since:
        return f"授权期间倒置：{body.since} 至 {body.until}"
    return ""


def check(work: Work, grant: Grant) -> dict[str, str]:
    """Every fault of a grant by field."""
    errors: dict[str, str] = {}
    place = grant.place or work.me
    catalogue = work.catalogue()
    if not grant.person.strip():
        errors["person"] = "请填写被授权人的工号"
    elif place == work.me:
        errors |= strangers(work.session, person=grant.person)
    if not may_sign(work.me, place, work.know.roster):
        errors["place"] = f"{place} 不是本级或下级"
    strange = [one for one in grant.items if one != EVERY_ITEM and one not in catalogue]
    if not grant.items or strange:
        errors["items"] = f"目录中没有事项 {strange[0]}" if strange else "请选择授权的事项"
    if not grant.powers or set(grant.powers) - set(Power):
        errors["powers"] = "请选择授权内容：" + "、".join(Power)
    if grant.rank not in RANKS:
        errors["rank"] = "请选择审批权限：" + "、".join(RANKS)
    if grant.until < grant.since or grant.until < work.today:
        errors["until"] = "授权截止日须晚于起始日和今天"
    return errors


def tell_newcomers(work: Work) -> None:
    """Send our authorisations to whoever has joined the roster since they were signed."""
    told = _told(work)
    for one in views.of_place(work.session):
        row = work.session.get(AuthorisationRow, (one.id, one.version))
        if row is not None and row.signer == work.me and one.until >= work.today:
            _tell(
                work,
                one,
                [
                    code
                    for code in readers(work, one.place)
                    if code not in told.get((one.id, one.version), ())
                ],
            )


def readers(work: Work, place: str) -> list[Code]:
    """Everyone above and below a place: they hear its decisions."""
    roster = work.know.roster
    if place not in roster:
        return []
    found = dict.fromkeys(one.code for one in (*roster.line(place), *roster.subtree(place)))
    found.pop(work.me, None)
    return list(found)


def _told(work: Work) -> dict[tuple[str, int], set[str]]:
    event = table_of(EventRow).c
    raws = work.session.execute(
        select(event.raw).where(event.frm == work.me, event.kind == KIND, event.state == EventState.MINE)
    ).scalars()
    found: dict[tuple[str, int], set[str]] = {}
    for event_read in map(read_event, raws):
        key = (str(event_read.body["id"]), int(event_read.body["version"]))
        found.setdefault(key, set()).update(place for place, _ in event_read.to)
    return found


def _send(work: Work, body: AuthorisationUpdate) -> None:
    keep(work, body, work.me)
    _tell(work, body, readers(work, body.place), at_least_once=True)


def _tell(work: Work, body: AuthorisationUpdate, to: Iterable[str], *, at_least_once: bool = False) -> None:
    words = body.model_dump(mode="json", exclude_defaults=True)
    everyone = list(to)
    starts = range(0, len(everyone), MOST_READERS) or (range(1) if at_least_once else ())
    for at in starts:
        work.send(KIND, words, dict.fromkeys(everyone[at : at + MOST_READERS], Lane.CASE))


def keep(work: Work, body: AuthorisationUpdate, signer: str) -> None:
    """Store a version of an authorisation, once; a revocation is the last word, whatever was said under its number."""
    if body.revoked_on is not None:
        table = table_of(AuthorisationRow)
        work.session.execute(
            delete(table).where(
                table.c.id == body.id, table.c.version >= body.version, table.c.revoked_on.is_(None)
            )
        )
    row = {
        "id": body.id,
        "version": body.version,
        "place": body.place,
        "person": body.person,
        "since": body.since,
        "until": body.until,
        "revoked_on": body.revoked_on,
        "signer": signer,
        "doc": orjson.dumps(body.model_dump(mode="json")).decode(),
        "at": work.now,
    }
    insert_ignore(work.session, AuthorisationRow, [row])


def _words(work: Work, grant: Grant) -> dict[str, Any]:
    return {
        "place": grant.place or work.me,
        "person": grant.person.strip(),
        "items": list(grant.items),
        "powers": [str(one) for one in grant.powers],
        "rank": grant.rank,
        "seal": grant.seal.strip(),
        "substitutes": grant.substitutes,
        "why": grant.why.strip()[:500],
    }


def _need(session: Session, name: str) -> AuthorisationUpdate:
    found = views.authorisation(session, name)
    if found is None:
        raise NotFound(f"没有授权 {name}")
    return found


def _must(officer: Officer, roles: frozenset[Role]) -> None:
    if not roles & officer.roles:
        raise RoleMissing(f"需要{'或'.join(sorted(role.label for role in roles))}岗位")
