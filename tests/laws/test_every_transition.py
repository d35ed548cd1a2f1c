"""Every step from every state: only the table's moves succeed, by whoever has the turn, on every road in.

Three roads: the pure lifecycle; officers' acts by every role; envelopes with true keys. What is refused leaves the
case as it was and says why.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select
from sqlmodel import Session

from node import proposals
from node.accounts.roles import Role
from node.cases import courses
from node.cases.acts import ACTS, Act
from node.cases.course_acts import COURSE_ACTS
from node.cases.dossier import events_of
from node.cases.model import CaseRow, to_values
from node.cases.saying import ROLES
from node.cases.steps import as_written
from node.db import table_of, upsert
from node.errors import NodeError
from node.exchange.model import EventRow
from node.powers import views as powers
from node.work import Work
from protocol import joint, lifecycle
from protocol.errors import TransitionRefused
from protocol.ledger import suspend
from protocol.lifecycle import TRANSITIONS, Case, State, Step, Turn, advance
from protocol.messages import STEPS, read_body
from protocol.places import Code
from tests.attack.rogue import Fields, Rogue, line, name, post
from tests.databases import Databases
from tests.federation import officer
from tests.handled import CITY, COUNTY, TOWNSHIP, VILLAGE, Desk, small_city

pytestmark = pytest.mark.asyncio(loop_scope="module")
LOCAL, UP = "SZS-052", "SZS-001"
"""One item that the township decides, one that it reports up."""
SPECIAL, PAPER = "村级公示", "农村宅基地和建房(规划许可)申请表"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(databases: Databases) -> AsyncIterator[Desk]:
    found = Desk(await small_city(databases, LOCAL, UP))
    yield found
    await found.city.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bases(desk: Desk) -> dict[str, Case]:
    """One accepted and reviewed case of each item, held by the township."""
    return {item: await desk.agreed(await desk.reviewed(item)) for item in (LOCAL, UP)}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bodies(desk: Desk, bases: dict[str, Case]) -> dict[str, dict[str, Any]]:
    """A lawful body for every kind of step."""
    base = bases[LOCAL]
    node = desk.city[TOWNSHIP]
    said = {event.kind: event.body for event in node.read(events_of, base.no)}
    authorisation = node.read(powers.of_person, TOWNSHIP, "chief")[0].id
    assert base.due is not None
    later = {"due": desk.calendar.add(base.due, 5).day.isoformat(), "calendar": base.calendar}
    second = {"by": "clerk", "approver": "chief", "authorisation": authorisation}
    decided = {"by": "chief", "authorisation": authorisation, "reasons": True, "minutes": "纪要1号"}
    part = {
        "key": "a", "name": "规划", "department": "ZR", "department_name": "自然资源局", "place": COUNTY,
        "workdays": 3, "due": desk.calendar.add(desk.today, 3).day.isoformat(),
    }  # fmt: skip
    terms = {
        "bundle": "B1", "name": "联办", "lead": "NY", "lead_name": "农业农村局", "parts": [part],
        "until": part["due"], "calendar": base.calendar,
    }  # fmt: skip
    given = {
        "case.filed": {"item": LOCAL, "to": TOWNSHIP},
        "case.handover_refused": {"why": "不属本地"},
        "case.redirected": {"to": COUNTY, "why": "新目录"},
        "case.forwarded": {"to": COUNTY, "why": "上报"},
        "case.accepted": said["case.accepted"],
        "case.not_accepted": {"ground": "不需要申请"},
        "case.sent_back": {"ground": "申请人要求退回材料"},
        "case.returned": {"defects": 1, "materials": [PAPER]},
        "case.supplied": {"materials": [PAPER]},
        "case.suspended": {"special": SPECIAL, "basis": "清单", "max_days": 5, **later},
        "case.resumed": {"special": SPECIAL, **later},
        "case.extended": {**second, "days": 5, "why": "复杂", **later},
        "case.voided": {**second, "why": "录入错误"},
        "case.terminated": {"why": "主体灭失"},
        "case.reviewed": {"opinion": "同意", "by": "reviewer"},
        "case.granted": decided,
        "case.refused": decided,
        "case.delivered": {"way": "现场领取"},
        "case.joint_opened": terms,
        "case.joint_closed": {
            "answers": [{"part": "a", "outcome": "同意", "opinion": "a" * 64, "person": "x"}]
        },
    }
    stated = {"on": desk.today.isoformat(), "by": "clerk"}
    return {kind: {**stated, **given.get(kind, {})} for kind in STEPS}


def turn_of(state: State) -> Turn:
    """Who has the turn in a state, by how the table leads there."""
    if state in lifecycle.IN_TRANSIT:
        return Turn.TARGET
    turns = {move.turn for moves in TRANSITIONS.values() for move in moves.values() if move.to is state}
    assert len(turns) == 1
    return turns.pop()


def standing(base: Case, state: State, terms: dict[str, Any], no: str = "") -> Case:
    """The base case as it would be in this state."""
    held = VILLAGE if state in (State.FILED, State.BOUNCED) else TOWNSHIP
    target = TOWNSHIP if state in lifecycle.IN_TRANSIT else ""
    speakers = {Turn.HOLDER: held, Turn.TARGET: target, Turn.ORIGIN: VILLAGE, Turn.NOBODY: ""}
    early = state in (State.FILED, State.BOUNCED, State.RECEIVED, State.CORRECTING)
    decided = state in (
        State.GRANTED,
        State.REFUSED,
        State.PRODUCING,
        State.CLOSED,
        State.DELIVERED,
        State.ARCHIVED,
    )
    found = base._replace(
        no=no or base.no,
        state=state,
        holder=held,
        target=target,
        speaker=speakers[turn_of(state)],
        resume=State.RECEIVED if early else State.ACCEPTED,
        outcome="granted" if decided else "",
        edition=0 if state in lifecycle.IN_TRANSIT else base.edition,
        pending=() if early or decided else (PAPER,),
        mode="特急" if base.mode == "特急" else base.mode,
        closed_on=base.filed_on if state in lifecycle.OVER else None,
    )
    if early:
        found = found._replace(accepted_on=None, clock=None, item_hash="", reviewer="", due=None)
    if state is State.SPECIAL and found.clock:
        found = found._replace(clock=suspend(found.clock, SPECIAL, "清单", found.clock.accepted))
    if state is State.JOINT:
        found = found._replace(
            joint=joint.begun(found.n, TOWNSHIP, read_body(STEPS["case.joint_opened"], terms))
        )  # type: ignore[arg-type]
    return found


def step_for(case: Case, kind: str, body: dict[str, Any], frm: str, edition: int = 1) -> Step:
    act = read_body(STEPS[kind], body)
    said = datetime(2026, 3, 2, 1, tzinfo=UTC)
    return Step(kind, frm, case.no, case.n + 1, case.head, "f" * 64, edition, act, said)


def fitting(case: Case, kind: str) -> Case:
    """Without what would stop a lawful step for another reason than the table."""
    if kind == "case.suspended" and case.state is State.SPECIAL and case.clock:
        running = replace(case.clock, suspensions=())
        return case._replace(clock=suspend(running, "听证", "第四十五条", running.accepted))
    return case._replace(pending=()) if kind in ("case.granted", "case.closed") else case


# The pure lifecycle


@pytest.mark.parametrize("state", State)
async def test_the_table_is_all_there_is(
    state: State, bases: dict[str, Case], bodies: dict[str, dict[str, Any]]
) -> None:
    for kind, body in bodies.items():
        case = fitting(standing(bases[LOCAL], state, bodies["case.joint_opened"]), kind)
        move = TRANSITIONS[state].get(kind)
        for frm in (VILLAGE, TOWNSHIP, COUNTY, CITY):
            step = step_for(case, kind, body, frm)
            if move is None or frm != case.speaker:
                with pytest.raises(TransitionRefused) as refused:
                    advance(case, step)
                assert len(str(refused.value)) > 6
                continue
            after = advance(case, step)
            came_from = case.resume if kind == "case.taken" else state
            assert after.state in ({move.to, state} if move.stays else {move.to or came_from})
            assert (after.n, after.head) == (case.n + 1, step.hash)
            assert after.holder
            assert bool(after.speaker) == bool(TRANSITIONS[after.state])


async def test_a_step_out_of_turn_or_chain_is_refused(
    bases: dict[str, Case], bodies: dict[str, dict[str, Any]]
) -> None:
    case = bases[LOCAL]
    step = step_for(case, "case.remanded", bodies["case.remanded"], TOWNSHIP)
    for wrong in (replace(step, n=case.n), replace(step, n=case.n + 2), replace(step, prev="0" * 64)):
        with pytest.raises(TransitionRefused, match="接不上"):
            advance(case, wrong)


# Officers


class _Undo(Exception):
    """Take back what an attempt has done."""


ANSWERS: dict[str, dict[str, list[str]]] = {
    "return": {"material": [PAPER], "problem": ["看不清"]},
    "not-accept": {"ground": ["不需要申请"], "reasons": ["不需要"]},
    "send-back": {"ground": ["申请人要求退回材料"], "reasons": ["申请人要求"]},
    "review": {"opinion": ["同意"], "text": ["同意"]},
    "grant": {"text": ["准予"], "minutes": ["纪要"]},
    "refuse": {"text": ["理由和救济途径"]},
    "remand": {"why": ["再审"]},
    "forward": {"why": ["上报"]},
    "refuse-handover": {"why": ["不属本地"]},
    "supplement": {"materials": [PAPER]},
    "withdraw": {"why": ["不办了"]},
    "deliver": {"way": ["现场领取"], "receiver": ["本人"]},
    "suspend": {"kind": [SPECIAL]},
    "resume": {"kind": [SPECIAL], "result": ["无异议"]},
    "extend": {"days": ["5"], "why": ["复杂"]},
    "void": {"why": ["录入错误"]},
    "terminate": {"ground": [courses.TERMINATIONS[1]]},
}
PERSON = {Role.AGENT: "agent", Role.CHIEF_REPRESENTATIVE: "chief", Role.CENTRE_HEAD: "chief"}


def attempt(work: Work, act: Act, case: Case, role: Role) -> str:
    """ "" if the act succeeds, else why not; everything is taken back."""
    who = officer(PERSON.get(role, role.value), role)
    why = ""
    try:
        with work.session.begin_nested():
            answers: dict[str, list[str]] = dict(ANSWERS.get(act.key, {}))
            if act.key == "forward":
                answers["to"] = [COUNTY if work.me == TOWNSHIP else TOWNSHIP]
            if act.key == "second":
                first = officer("clerk")
                answers["proposal"] = [proposals.propose(work, first, courses.VOID, case.no, {"why": "错"})]
            act.run(work, who, case.no, answers)
            raise _Undo  # noqa: TRY301
    except _Undo:
        work._events.clear()
        work._outbox.clear()
    except NodeError as refused:
        why = refused.detail
        assert why
    return why


def attempts(work: Work, act: Act, cases: list[Case]) -> dict[tuple[State, Role], str]:
    """Every role at every one of these cases."""
    found = {}
    for case in cases:
        row = {**to_values(case), "county": COUNTY, "township": TOWNSHIP, "changed_at": work.now}
        with work.session.begin_nested() as laid:
            upsert(work.session, CaseRow, [row], ["no"], [one for one in row if one != "no"])
            found |= {(case.state, role): attempt(work, act, case, role) for role in Role}
            laid.rollback()
    return found


@pytest.mark.parametrize("place", [TOWNSHIP, VILLAGE])
async def test_officers_make_only_the_moves_of_the_table(
    desk: Desk, bases: dict[str, Case], bodies: dict[str, dict[str, Any]], place: str
) -> None:
    node = desk.city[place]
    terms = bodies["case.joint_opened"]
    trace = node.read(lambda session: len(session.execute(select(EventRow.hash)).all()))
    rows = [await desk.case(base.no, place) for base in bases.values()]
    wrong = []
    for act in (*ACTS, *COURSE_ACTS):
        base = bases[UP if act.key == "forward" else LOCAL]
        cases = [fitting(standing(base, state, terms), act.kind) for state in State]
        tried = await node.do(attempts, act, cases)
        for case in cases:
            for role in Role:
                may = role in ROLES[act.kind] and expected(act, case, place, role)
                why = tried[case.state, role]
                if may == bool(why):
                    wrong.append((act.key, case.state, role, why or "did it"))
    assert wrong == []
    assert node.read(lambda session: len(session.execute(select(EventRow.hash)).all())) == trace
    assert [await desk.case(base.no, place) for base in bases.values()] == rows


def expected(act: Act, case: Case, place: str, role: Role) -> bool:
    """Whether the table offers the act here, and this person is authorised where that is asked."""
    if not act.offered(case, place):
        return False
    person = PERSON.get(role, role.value)
    if act.key in ("grant", "refuse", "second"):
        return person == ("chief" if place == TOWNSHIP else "agent") and place in (
            (TOWNSHIP, VILLAGE) if act.key == "second" else (TOWNSHIP,)
        )
    if act.key == "forward":
        return place == TOWNSHIP or case.state is State.BOUNCED
    return True


# Envelopes


def every_step(
    rogues: dict[str, Rogue],
    bases: dict[str, Case],
    bodies: dict[str, dict[str, Any]],
    seconds: dict[str, dict[str, str]],
) -> Iterator[tuple[Case, str, str, Fields]]:
    """A case in every state, and every step of every place about it: (case, kind, who says it, event)."""
    for state in State:
        for kind, body in bodies.items():
            for frm, rogue in rogues.items():
                base = bases[UP if kind in ("case.forwarded", "case.redirected") else LOCAL]
                case = standing(base, state, bodies["case.joint_opened"], rogues[VILLAGE].number())
                case = fitting(case, kind)
                said = {**body, **seconds[frm]} if kind == "case.voided" else body
                yield case, kind, frm, rogue.step(kind, case.no, case.n + 1, case.head, (CITY,), **said)


async def test_envelopes_make_only_the_moves_of_the_table(
    desk: Desk, bases: dict[str, Case], bodies: dict[str, dict[str, Any]]
) -> None:
    await desk.heard()
    city = desk.city[CITY]
    rogues = {place: Rogue(desk.city, place) for place in (VILLAGE, TOWNSHIP, COUNTY)}
    seconds = {
        place: {"approver": who, "authorisation": city.read(powers.of_person, place, who)[0].id}
        for place, who in ((VILLAGE, "agent"), (TOWNSHIP, "chief"), (COUNTY, "chief"))
    }
    said = list(every_step(rogues, bases, bodies, seconds))
    await city.do(_lay, [case for case, *_ in said], desk.city.now)
    for place, rogue in rogues.items():
        events = [event for *_, frm, event in said if frm == place]
        for at in range(0, len(events), 64):
            post(desk.city, CITY, place, rogue.parcel(*events[at : at + 64]))
    await desk.city.settle()
    fates = city.read(_fates)
    wrong = []
    for case, kind, frm, event in said:
        state, rule, reason = fates[name(line(event))]
        may = kind in TRANSITIONS[case.state] and frm == case.speaker
        if (state, rule) != (("applied", "") if may else ("quarantined", refused(desk, frm, kind))):
            wrong.append((case.state, kind, frm, state, rule, reason))
        elif not may and (await desk.case(case.no, CITY) != case or not reason):
            wrong.append((case.state, kind, frm, "left a trace", reason))
    assert wrong == []


async def test_no_envelope_begins_a_case_but_a_filing(desk: Desk, bodies: dict[str, dict[str, Any]]) -> None:
    """A defect of ours (N-1) would be mended by nobody: what the sender did wrong is told him by its own code."""
    await desk.heard()
    rogue = Rogue(desk.city, VILLAGE)
    readers = (TOWNSHIP, COUNTY, CITY)
    said = {kind: rogue.step(kind, rogue.number(), 1, "", readers, **body) for kind, body in bodies.items()}
    for reader in readers:
        post(desk.city, reader, VILLAGE, rogue.parcel(*said.values()))
    await desk.city.settle()
    for reader in readers:
        fates = desk.city[reader].read(_fates)
        found = {kind: fates[name(line(event))][:2] for kind, event in said.items()}
        assert found.pop("case.filed") == ("applied", "")
        assert found == {kind: ("quarantined", refused(desk, VILLAGE, kind)) for kind in found}


def refused(desk: Desk, place: str, kind: str) -> str:
    """The code of a step that the lifecycle has no place for: it says so before any rule of the kind does."""
    return "L-1" if kind in desk.city.certificates[Code(place)].may else "P-10"


def _fates(session: Session) -> dict[str, tuple[str, str, str]]:
    table = table_of(EventRow).c
    rows = session.execute(select(table.hash, table.state, table.rule, table.reason))
    return {row.hash: (row.state, row.rule, row.reason) for row in rows}


def _lay(work: Work, cases: list[Case], now: datetime) -> None:
    rows = [
        {**to_values(case), "county": COUNTY, "township": TOWNSHIP, "changed_at": as_written(now)}
        for case in cases
    ]
    upsert(work.session, CaseRow, rows, ["no"], ["state"])


async def test_every_state_is_reached_and_named() -> None:
    reached = {move.to for moves in TRANSITIONS.values() for move in moves.values()} | {State.FILED}
    assert reached >= set(State)
    assert all(state.label for state in State)
    assert all(kind in lifecycle.VERBS for kind in STEPS)
