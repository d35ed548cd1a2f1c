"""The life of a case as a sequence: whatever is tried in whatever order, by whomever, these hold after every step.

`test_every_transition` tries each step once from each state; this one walks, and keeps a book of its own beside the
case: who has the turn, how often it ended, and a clock told again from the steps alone.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from protocol.errors import TransitionRefused
from protocol.ledger import Extension, Ledger, Owner, Suspension, ledger_document, read_ledger
from protocol.lifecycle import IN_TRANSIT, TRANSITIONS, Case, State, Step, advance, begin
from protocol.limits import Limit, Unit
from protocol.messages import STEPS, Act, Extended, Resumed, Suspended, read_body

CITY, COUNTY, TOWNSHIP, VILLAGE = "640200000000", "640221000000", "640221101000", "640221101201"
PLACES = (VILLAGE, TOWNSHIP, COUNTY, CITY)
FINAL = frozenset(state for state, moves in TRANSITIONS.items() if not moves)
EARLY = FINAL - {State.ARCHIVED}
STOPS = ("case.granted", "case.refused", "case.withdrawn", "case.terminated", "case.voided")
START = datetime(2026, 3, 2, 1, tzinfo=UTC)
PROMISED, STATUTORY = Limit(10, Unit.WORKDAY), Limit(20, Unit.WORKDAY)
PART = {
    "key": "a", "name": "规划", "department": "ZR", "department_name": "自然资源局", "place": COUNTY, "workdays": 3,
}  # fmt: skip

chosen = st.integers(0, 1000)


class Life(RuleBasedStateMachine):
    """One case; every act is tried by a place, and either advances it or leaves it as it was."""

    @initialize(to=st.sampled_from((TOWNSHIP, COUNTY)), missing=st.booleans())
    def filed(self, to: str, missing: bool) -> None:
        self.now = START
        self.number = 0
        self.steps: list[Step] = []
        self.ends: list[State] = []
        self.no = VILLAGE + "20260302" + "00015"
        body = {"item": "SZS-001", "to": to, "agent": True, "missing": ["申请表"] if missing else []}
        step = self.said("case.filed", VILLAGE, body, 1, "")
        self.case = begin(step)
        self.steps.append(step)

    @property
    def today(self) -> date:
        return (self.now + timedelta(hours=8)).date()

    def said(self, kind: str, frm: str, body: dict[str, Any], n: int, prev: str, edition: int = 1) -> Step:
        self.number += 1
        act: Act = read_body(STEPS[kind], {"on": self.today.isoformat(), "by": "clerk", **body})
        return Step(kind, frm, self.no, n, prev, f"{self.number:064x}", edition, act, self.now)

    def body(self, kind: str, pick: int) -> dict[str, Any]:
        """A body of this kind, of the sorts that matter to the case."""
        later = (self.today + timedelta(days=30)).isoformat()
        who = ("clerk", "reviewer", "chief")[pick % 3]
        second = {"by": who, "approver": ("chief", "clerk")[pick // 3 % 2], "authorisation": "SQ-1"}
        clock = ledger_document(Ledger(self.today, PROMISED, STATUTORY))
        decided = {"by": who, "authorisation": "SQ-1", "reasons": pick % 2 == 0, "minutes": "纪要1号"}
        place = {"to": PLACES[pick % 4], "why": "依目录"}
        part = {**PART, "due": self.today.isoformat()}
        bodies: dict[str, dict[str, Any]] = {
            "case.filed": {"item": "SZS-001", "to": TOWNSHIP},
            "case.taken": {"received_on": self.today.isoformat(), "notice_by": later},
            "case.handover_refused": {"why": "不属本地"},
            "case.redirected": place,
            "case.forwarded": place,
            "case.accepted": {
                "due": later, "calendar": "1", "clock": clock, "item_hash": "a" * 64, "two_person": pick % 4 != 0,
                "mode": ("一般承诺", "即办", "上报")[pick % 3], "pending": ["申请表"] if pick % 5 == 0 else [],
                "follow_up": later,
            },
            "case.not_accepted": {"ground": "不需要申请"},
            "case.sent_back": {"ground": ("申请人要求退回材料", "补正后仍不齐全")[pick % 2]},
            "case.returned": {"defects": 1, "materials": ["申请表"]},
            "case.corrected": {"materials": ["申请表"] if pick % 2 else []},
            "case.supplied": {"materials": ["申请表"]},
            "case.suspended": {"special": ("听证", "公示")[pick % 2], "basis": "第四十五条", "due": later},
            "case.resumed": {"special": ("听证", "公示")[pick % 2], "due": later},
            "case.extended": {**second, "days": 1 + pick % 12, "why": "复杂", "due": later},
            "case.reckoned": {"due": later},
            "case.joint_opened": {
                "bundle": "B1", "name": "联办", "lead": "NY", "lead_name": "农业农村局", "parts": [part],
                "until": part["due"],
            },
            "case.joint_closed": {"answers": [{"part": "a", "outcome": "同意", "opinion": "a" * 64, "person": "x"}]},
            "case.reviewed": {"opinion": "同意", "by": who},
            "case.granted": decided,
            "case.refused": decided,
            "case.delivered": {"way": "现场领取"},
            "case.terminated": {"why": "主体灭失"},
            "case.voided": {**second, "why": "录入错误"},
        }  # fmt: skip
        return bodies.get(kind, {})

    def attempt(self, step: Step) -> None:
        before = self.case
        try:
            after = advance(before, step)
        except TransitionRefused:
            assert self.case == before
            return
        assert before.state not in FINAL
        assert step.frm == before.speaker
        self.case = after
        self.steps.append(step)
        if after.state in FINAL:
            self.ends.append(after.state)

    @rule(minutes=st.integers(1, 60 * 24 * 9))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(tries=st.lists(st.tuples(chosen, chosen, st.booleans()), min_size=4, max_size=16))
    def whose_turn_it_is_goes_on(self, tries: list[tuple[int, int, bool]]) -> None:
        """Steps the table offers, by whoever has the turn; those that end the case come seldom."""
        for which, pick, newer in tries:
            moves = TRANSITIONS[self.case.state]
            kinds = sorted(kind for kind, move in moves.items() if move.to not in EARLY or which % 20 == 0)
            if kinds:
                kind = kinds[which % len(kinds)]
                edition = self.case.edition + newer
                body = self.body(kind, pick)
                self.attempt(
                    self.said(kind, self.case.speaker, body, self.case.n + 1, self.case.head, edition)
                )

    @rule(kind=st.sampled_from(sorted(STEPS)), frm=st.sampled_from(PLACES), pick=chosen)
    def anybody_tries_anything(self, kind: str, frm: str, pick: int) -> None:
        self.attempt(self.said(kind, frm, self.body(kind, pick), self.case.n + 1, self.case.head))

    @rule(at=chosen, skew=st.integers(-2, 3))
    def what_was_said_comes_again(self, at: int, skew: int) -> None:
        """A repeat, or a step out of its chain, changes nothing."""
        step, before = self.steps[at % len(self.steps)], self.case
        self.attempt(step)
        self.attempt(replace(step, n=self.case.n + skew, prev="0" * 64))
        assert self.case == before

    @invariant()
    def one_place_has_the_turn(self) -> None:
        case = self.case
        if case.state in FINAL:
            assert case.speaker == case.target == ""
            return
        assert case.speaker in PLACES
        assert case.holder in PLACES
        if case.state in IN_TRANSIT:
            assert case.speaker == case.target
        elif case.state is State.CLOSED:
            assert (case.speaker, case.target) == (case.origin, "")
        else:
            assert (case.speaker, case.target) == (case.holder, "")

    @invariant()
    def it_ends_once(self) -> None:
        case, kinds = self.case, [step.kind for step in self.steps]
        assert len(self.ends) == (case.state in FINAL)
        assert sum(kind in ("case.granted", "case.refused") for kind in kinds) == bool(case.outcome)
        closings = ("case.closed", "case.not_accepted", "case.sent_back", *STOPS[2:])
        assert sum(kind in closings for kind in kinds) == (case.closed_on is not None)
        assert kinds.count("case.accepted") == (case.accepted_on is not None)
        assert kinds.count("case.returned") == case.corrections <= 1
        assert kinds.count("case.delivered") == (case.delivered_on is not None)
        if case.outcome and case.two_person:
            assert case.reviewer
            assert case.reviewer != case.decided_by

    @invariant()
    def the_fold_is_the_case(self) -> None:
        told = begin(self.steps[0])
        for step in self.steps[1:]:
            told = advance(told, step)
        assert told == self.case
        assert [step.n for step in self.steps] == list(range(1, self.case.n + 1))

    @invariant()
    def the_clock_is_what_the_steps_say(self) -> None:
        assert self.case.clock == clock_of(self.steps)
        ledger = self.case.ledger
        if ledger is not None:
            assert read_ledger(ledger_document(ledger)) == ledger

    @invariant()
    def every_minute_is_somebodys(self) -> None:
        hands, case = self.case.hands, self.case
        assert hands[0].at == self.steps[0].at
        for one, then in pairwise(hands):
            assert one.at <= then.at <= self.now
            assert (one.owner, one.place) != (then.owner, then.place)
        assert (hands[-1].owner, hands[-1].place) in expected_hands(case)


def clock_of(steps: list[Step]) -> Ledger | None:
    """The ledger by a book of its own: one entry after the other, with no rule of the ledger's."""
    found: Ledger | None = None
    for step in steps:
        body = step.body
        if step.kind == "case.accepted":
            found = Ledger(body.on, PROMISED, STATUTORY)
        if found is None:
            continue
        if isinstance(body, Suspended):
            begun = Suspension(body.special, body.basis, body.on, reason=body.why)
            found = replace(found, suspensions=(*found.suspensions, begun))
        elif isinstance(body, Resumed):
            ended = [
                replace(one, end=body.on) if one.end is None and one.kind == body.special else one
                for one in found.suspensions
            ]
            found = replace(found, suspensions=tuple(ended))
        elif isinstance(body, Extended):
            by = Limit(body.days, Unit.WORKDAY)
            found = replace(found, extension=Extension(by, body.on, body.approver, body.why, body.basis))
        elif step.kind in STOPS:
            found = replace(found, stopped=max(body.on, found.accepted))
    return found


def expected_hands(case: Case) -> set[tuple[Owner, str]]:
    """In whose hands the time runs in this state."""
    if case.state in IN_TRANSIT:
        return {(Owner.TRANSIT, case.target)}
    if case.state is State.CLOSED:
        return {(Owner.LOCAL, case.origin)}
    if case.state in FINAL or case.state in (State.CORRECTING, State.DELIVERED):
        return {(Owner.APPLICANT, case.origin)}
    return {(Owner.LOCAL, case.holder), (Owner.UPPER, case.holder)}


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=80, stateful_step_count=15, deadline=None)
