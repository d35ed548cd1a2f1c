"""What a node owes a case without being asked by a person.

- Pass on (转办): a hand-over came to us under an older catalogue, and ours names another place; the resident is
  never sent back to start over.
- Move by the deed's rule: we hold a case that is not decided, and the catalogue gives it to another: a newer edition,
  or a deed whose day has come.
- Answer what the origin has asked (补正, 撤回) as soon as the turn is ours.
All of it is ordinary, signed steps by `system` (工号 "system").
"""

from collections.abc import Iterable
from typing import Any

import orjson
from sqlalchemy import Row, select

from node.cases import clocks, submissions
from node.cases.dossier import dossier
from node.cases.model import CaseRow, SubmissionRow
from node.cases.steps import Cases
from node.cases.submissions import SYSTEM, TOO_LATE
from node.db import table_of
from node.work import Work
from protocol.errors import RoutingError
from protocol.lifecycle import IN_TRANSIT, TRANSITIONS, Case, State, Step
from protocol.routing import Route, route

RECONSIDERED = "reconsidered"
"""Meta: the day on which the cases in our hands were last held against the catalogue."""
_OPEN = (State.RECEIVED, State.CORRECTING, State.ACCEPTED, State.DECIDING)


def attend(work: Work, numbers: Iterable[str]) -> None:
    """Do what is owed for these cases."""
    wanted = list(numbers)
    cases = Cases(work)
    cases.load(wanted)
    for no in wanted:
        case = cases.get(no)
        if case is None or case.speaker != work.me:
            continue
        if case.state in IN_TRANSIT:
            _pass_on(work, cases, case)
        elif case.state is not State.CLOSED:
            _answer(work, cases, case)
    cases.store()


def reconsider(work: Work) -> None:
    """After a newer catalogue, and each day: pass on what waits for us and is another's now, move what a recall moves."""
    table = table_of(CaseRow)
    rows = work.session.execute(
        select(table.c.no).where(table.c.speaker == work.me, table.c.closed_on.is_(None))
    )
    numbers = list(rows.scalars())
    attend(work, numbers)
    cases = Cases(work)
    cases.load(numbers)
    for no in numbers:
        _move(work, cases, no)
    cases.store()
    work.set_meta(RECONSIDERED, work.today.isoformat())


def new_day(work: Work) -> None:
    """`reconsider`, once a day: a deed takes effect on its day, whether an edition comes then or not."""
    if work.meta(RECONSIDERED) != work.today.isoformat():
        reconsider(work)


def taken(work: Work, _before: Case | None, after: Case, step: Step) -> None:
    """What we took that the catalogue gives to another goes on at once: a deed's day came while it was on its way."""
    if step.frm != work.me:
        return

    def move(work: Work) -> None:
        cases = Cases(work)
        _move(work, cases, after.no)
        cases.store()

    work.at_the_end(move)


def _move(work: Work, cases: Cases, no: str) -> None:
    """Forward a case in our hands that is not decided and is neither ours to receive nor to decide."""
    case = cases.get(no)
    if case is None or case.speaker != work.me or case.holder != work.me or case.state not in _OPEN:
        return
    way = _way(work, case)
    if way is None or work.know.edition < case.edition or work.me in (way.receives.code, way.decides.code):
        return
    named = way.decides if case.accepted_on else way.receives
    _forward(work, cases, case, named.code, f"第 {work.know.edition} 版目录：{way.why}")


def _way(work: Work, case: Case) -> Route | None:
    """The route of a case today by the edition in force; None where it names nobody."""
    if work.know.catalogue is None:
        return None
    try:
        return route(
            work.know.catalogue,
            work.know.roster,
            case.item,
            case.origin,
            work.today,
            accepted=case.accepted_on,
        )
    except RoutingError:
        return None


def _pass_on(work: Work, cases: Cases, case: Case) -> None:
    """Redirect a hand-over that a newer catalogue gives to another; otherwise leave it for a person to take."""
    way = _way(work, case) if work.know.edition > case.edition else None
    if way is None:
        return
    named = way.decides if case.accepted_on else way.receives
    if named.code == work.me:
        return
    body = {"by": SYSTEM, "to": named.code, "why": f"第 {work.know.edition} 版目录：{way.why}", "auto": True}
    cases.say(case.no, "case.redirected", body, private=_dossier(work, case))


def _forward(work: Work, cases: Cases, case: Case, to: str, why: str) -> None:
    body = {"by": SYSTEM, "to": to, "why": why, "auto": True}
    cases.say(case.no, "case.forwarded", body, private=_dossier(work, case))


def _dossier(work: Work, case: Case) -> dict[str, object] | None:
    """The personal part to hand on, as far as this node can open it."""
    return dossier(work.session, work.know, case.no)


def _answer(work: Work, cases: Cases, case: Case) -> None:
    table = table_of(SubmissionRow)
    asked = work.session.execute(
        select(table.c.hash, table.c.kind, table.c.materials)
        .where(table.c.no == case.no, table.c.answered == "")
        .order_by(table.c.at, table.c.kind, table.c.hash)
    ).all()
    for row in asked:
        now = cases.need(case.no)
        step = _step_for(now, row.kind)
        if step == "":
            continue
        if step != TOO_LATE:
            cases.say(case.no, step, {"by": SYSTEM, "submission": row.hash, **_more(work, now, step, row)})
        submissions.answer(work, row.hash, step)


def _step_for(case: Case, kind: str) -> str:
    """Which step answers a submission now: a kind, `TOO_LATE`, or "" for not yet."""
    if case.outcome or case.closed_on:
        return TOO_LATE
    if kind == "case.withdrawal_asked":
        return "case.withdrawn"
    if case.state is State.CORRECTING:
        return "case.corrected"
    return "case.supplied" if case.pending and "case.supplied" in TRANSITIONS[case.state] else ""


def _more(work: Work, case: Case, step: str, row: Row[Any]) -> dict[str, Any]:
    """What was handed in; a corrected set is received anew, with five working days of its own."""
    materials = tuple(orjson.loads(row.materials))
    if step == "case.corrected":
        return {"materials": materials, **clocks.receipt(work, work.now)}
    if step == "case.supplied":
        return {"materials": tuple(one for one in materials if one in case.pending) or case.pending}
    return {}
