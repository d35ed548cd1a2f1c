"""What verified steps do here: the mirror of actions.py.

Per-case lanes: steps of one case apply in the order of their numbers. One that comes early waits in its lane;
one that cannot be is set aside with its reason and blocks only its own case. Afterwards, what this node
itself owes is done: pass on what a newer catalogue gives to another, answer what was asked of it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import select

from node.cases import duties, findings, submissions
from node.cases.permits import Breach, Early, permit
from node.cases.steps import Cases, read_step
from node.db import table_of
from node.exchange.arrivals import Arrival
from node.exchange.model import EventRow, EventState
from node.exchange.waiting import restate, stored
from node.materials.index import note as note_files
from node.work import Work
from protocol.errors import EnvelopeError, ProtocolError
from protocol.lifecycle import Case
from protocol.messages import STEPS, SUBMISSIONS, read_body


def apply_steps(work: Work, arrivals: Sequence[Arrival]) -> None:
    """Apply case steps in their lanes; see the module."""
    lanes: dict[str, list[Arrival]] = defaultdict(list)
    for one in arrivals:
        if one.event.case is None:
            one.quarantine("P-14", f"{one.event.kind} 没有办件号")
        else:
            lanes[one.event.case.no].append(one)
    _run(work, lanes)


def revive(work: Work) -> None:
    """Try every lane that waits again: after a newer catalogue, an authorisation, a payment."""
    event = table_of(EventRow).c
    waiting = select(event.case_no).where(event.state == EventState.WAITING, event.n.is_not(None)).distinct()
    numbers = [no for no in work.session.execute(waiting).scalars() if no]
    _run(work, {no: [] for no in numbers})


def _run(work: Work, lanes: dict[str, list[Arrival]]) -> None:
    cases = Cases(work)
    cases.load(lanes)
    waiting = _waiting(work, lanes)
    touched = []
    for no, fresh in lanes.items():
        old = waiting.get(no, [])
        if _run_lane(work, cases, no, [*fresh, *old]):
            touched.append(no)
    for old in waiting.values():
        for one in old:
            if one.state != EventState.WAITING:
                restate(work, one)
    cases.store()
    duties.attend(work, touched)


def _run_lane(work: Work, cases: Cases, no: str, lane: list[Arrival]) -> bool:
    """Apply what follows the case's last step; whether anything did."""
    moved = False
    for one in sorted(lane, key=_number):
        case = cases.get(no)
        at = case.n if case else 0
        number = _number(one)
        if number <= at:
            one.quarantine("P-16", f"办件 {no} 第 {number} 步已有另一个事件")
        elif number > at + 1:
            one.wait(f"等待第 {at + 1} 步")
        else:
            moved |= _try(work, cases, case, one)
    return moved


def _number(one: Arrival) -> int:
    assert one.event.case is not None
    return one.event.case.n


def _try(work: Work, cases: Cases, case: Case | None, one: Arrival) -> bool:
    try:
        step = read_step(one.event)
        after = cases.after(
            step
        )  # before the rest, which speaks of a case that is there and a turn that is its own
        permit(work, case, step)
        cases.take(step, after)
    except Early as early:
        one.wait(str(early))
        return False
    except EnvelopeError as wrong:
        one.quarantine(wrong.rule, wrong.reason)
        _note(work, one, wrong.finding if isinstance(wrong, Breach) else "", wrong.reason)
        return False
    except ProtocolError as refused:
        one.quarantine("L-1", str(refused))
        _note(work, one, findings.REFUSED.get(one.event.kind, ""), str(refused))
        return False
    one.state, one.rule, one.reason = EventState.APPLIED, "", ""
    note_files(work, one.event, step.no)
    return True


def _note(work: Work, one: Arrival, rule: str, reason: str) -> None:
    """Keep what supervision will want to know of a step that was refused here."""
    event = one.event
    if rule and event.case is not None:
        person = str(event.body.get("by", ""))
        found = findings.note(
            work, rule, event.case.no, event.hash, place=event.frm, person=person, why=reason, kind=event.kind
        )
        findings.keep(work, [found])


def _waiting(work: Work, lanes: Iterable[str]) -> dict[str, list[Arrival]]:
    """Events that wait in these lanes."""
    event = table_of(EventRow).c
    waits = event.state == EventState.WAITING
    numbers = list(lanes)
    found: dict[str, list[Arrival]] = defaultdict(list)
    if not work.session.execute(select(event.ord).where(waits).limit(1)).first():
        return found
    for at in range(0, len(numbers), 500):
        for one in stored(work, waits, event.n.is_not(None), event.case_no.in_(numbers[at : at + 500])):
            assert one.event.case is not None
            found[one.event.case.no].append(one)
    return found


def apply_submissions(work: Work, arrivals: Sequence[Arrival]) -> None:
    """Keep what the origin asks (补正, 撤回) and answer it if the turn is ours."""
    for one in arrivals:
        try:
            asked = read_body(SUBMISSIONS[one.event.kind], one.event.body)
        except EnvelopeError as wrong:
            one.quarantine(wrong.rule, wrong.reason)
            continue
        if asked.no[:12] != one.event.frm:
            one.quarantine("L-3", f"{one.event.frm} 不是办件 {asked.no} 的受理起点")
            continue
        submissions.keep(work, one.event, asked)
        note_files(work, one.event, asked.no)
    duties.attend(
        work, {str(one.event.body.get("no")) for one in arrivals if one.state == EventState.APPLIED}
    )


HANDLERS = {**dict.fromkeys(STEPS, apply_steps), **dict.fromkeys(SUBMISSIONS, apply_submissions)}
