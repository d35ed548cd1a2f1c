"""Joint handling (联审联办) of a case: what opens it, who may answer, how answers are counted, what closes it.

One rule: silence and empty words are recorded, with the person, as what the rules take them for (超时默许, 缺席默认,
视为同意); they let the lead go on and never make a licence. What was said is counted as a set: the highest version of
a part counts, whatever the order in which replies came. Source: DOMAIN 7, 行政许可法 26 and 42.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

from protocol.bodies import Body, Day, PlaceCode
from protocol.bundles import CENTRE, HUB, LONGEST_WORKDAYS, Bundle, BundleStep, ends, structure
from protocol.errors import TransitionRefused
from protocol.joint_acts import (
    SILENT,
    Answer,
    JointClosed,
    JointOpened,
    JointOpinion,
    JointReply,
    JointTerms,
    Outcome,
    Part,
)
from protocol.places import Code
from protocol.roster import Roster
from protocol.workdays import Calendar

R = TypeVar("R", bound=JointReply)
THREE = ("同意", "不同意", "同意但需转报")
"""The three opinions an assist may give."""


class Joint(Body):
    """A joint handling as everybody who hears of it knows it: the step that opened it, and how it was closed."""

    n: int
    """The step of the case that opened it: its name within the case."""
    by: PlaceCode
    """The lead's place, the holder of the case."""
    opened_on: Day
    terms: JointTerms
    answers: tuple[Answer, ...] = ()
    minutes: tuple[str, ...] = ()
    closed_on: Day | None = None

    @property
    def assists(self) -> tuple[Part, ...]:
        """The parts that are answered."""
        return tuple(part for part in self.terms.parts if part.assists)

    def part(self, key: str) -> Part | None:
        """The part of that key."""
        return next((part for part in self.terms.parts if part.key == key), None)

    @property
    def objections(self) -> tuple[str, ...]:
        """The keys of parts that ended in 不同意."""
        return tuple(answer.part for answer in self.answers if answer.outcome == "不同意")


@dataclass(frozen=True, slots=True)
class Said(Generic[R]):
    """A reply as it counts: the signed event's hash, who signed it, on which civil day by his clock, what it says."""

    hash: str
    frm: str
    signed_on: date
    body: R

    @property
    def on(self) -> date:
        """The day it counts on: never before it was signed."""
        return max(self.body.on, self.signed_on)


def begun(n: int, place: str, body: JointOpened) -> Joint:
    """The joint handling that a step opens."""
    terms = JointTerms(**{name: getattr(body, name) for name in JointTerms.model_fields})
    return Joint(n=n, by=place, opened_on=body.on, terms=terms)


def ended(joint: Joint, body: JointClosed) -> Joint:
    """The joint handling once it is closed."""
    return joint.model_copy(update={"answers": body.answers, "minutes": body.minutes, "closed_on": body.on})


# Opening


def lay_out(
    bundle: Bundle,
    roster: Roster,
    calendar: Calendar,
    *,
    holder: Code,
    on: date,
    last: date | None,
    places: Mapping[str, str] | None = None,
) -> tuple[Part, ...]:
    """The parts of a bundle opened on this day: where each department sits and by when it must answer.

    `last`: the case's own last day. Where the days left are fewer than the bundle's, every sub-limit shrinks in
    proportion, so that none goes beyond it; a case already at or past its last day gets the bundle's own.
    `places` by key wins over the bundle. TransitionRefused if a place is not in the roster.
    """
    days = ends(bundle.steps)
    left, longest = calendar.between(on, last) if last else 0, max(days.values())
    if last and last > on and left < longest:
        days = {key: max(min(left, 1), end * left // longest) for key, end in days.items()}
    due = {key: calendar.add(on, end).day for key, end in days.items()}
    return tuple(
        Part(
            key=step.key,
            name=step.name,
            department=step.department.code,
            department_name=step.department.name,
            place=_place(step, roster, holder, places or {}),
            workdays=step.workdays,
            after=step.after,
            due=due[step.key],
            assists=step.department.code != bundle.lead.code,
        )
        for step in bundle.steps
    )


def _place(step: BundleStep, roster: Roster, holder: Code, places: Mapping[str, str]) -> str:
    usual = {CENTRE: str(holder), HUB: str(roster.hub_of(holder).code)}.get(step.at, step.at)
    chosen = places.get(step.key) or usual
    if chosen not in roster:
        raise TransitionRefused(f"环节“{step.name}”的承办地 {chosen} 不在节点名册中")
    return chosen


def refused_opening(body: JointTerms, on: date, due: date | None) -> str | None:
    """Why this joint handling may not be opened on that day for a case due then; None if it may."""
    if wrong := structure(body.parts):
        return wrong[0]
    if not any(part.assists for part in body.parts):
        return "联办须有两个以上部门"
    if any(part.assists and part.department == body.lead for part in body.parts):
        return "牵头部门不能协办自己"
    if (longest := max(ends(body.parts).values())) > LONGEST_WORKDAYS:
        return f"各环节最长路径 {longest} 个工作日，超过 {LONGEST_WORKDAYS} 个工作日"
    return _days_fit(body, on, due)


def _days_fit(body: JointTerms, on: date, due: date | None) -> str | None:
    by_key = {part.key: part for part in body.parts}
    for part in body.parts:
        if not on <= part.due <= body.until:
            return f"环节“{part.name}”的期限 {part.due} 不在 {on} 至 {body.until} 之内"
        if any(by_key[earlier].due > part.due for earlier in part.after):
            return f"环节“{part.name}”的期限早于其前置环节"
    if due is not None and on < due < body.until:
        return f"联办期限 {body.until} 超过本件的办结日 {due}"
    return None


# Answering


def refused_reply(joint: Joint, frm: str, body: JointReply) -> str | None:
    """Why this place may not say this of this joint handling; None if it may: only the invited, of their own part."""
    part = joint.part(body.part)
    if part is None or not part.assists:
        return f"联办中没有由协办单位答复的环节“{body.part}”"
    if part.place != frm:
        return f"环节“{part.name}”由 {part.place} {part.department_name}答复，不是 {frm}"
    if joint.closed_on is not None and body.on > joint.closed_on:
        return f"联办已于 {joint.closed_on} 结束"
    return None


def counts_as(body: JointOpinion) -> Outcome:
    """What an opinion is taken for: itself, or 视为同意 where it says nothing or gives no reasons."""
    if body.opinion == "不同意":
        return "不同意" if body.reasons else "视为同意"
    if body.opinion == "同意":
        return "同意"
    return "同意但需转报" if body.opinion == "同意但需转报" else "视为同意"


def standing(joint: Joint, said: Iterable[Said[R]]) -> dict[str, Said[R]]:
    """By key, the reply that counts for each part: the highest version by the one who is asked.

    Two that a place signed under one version: the smaller hash, so that every node counts the same.
    """
    found: dict[str, Said[R]] = {}
    for one in said:
        if refused_reply(joint, one.frm, one.body) is not None:
            continue
        known = found.get(one.body.part)
        if known is None or (-one.body.version, one.hash) < (-known.body.version, known.hash):
            found[one.body.part] = one
    return found


def waits_for(joint: Joint, key: str, answered: Iterable[str], on: date) -> tuple[Part, ...]:
    """The parts that must be answered before this one and are neither answered nor past their day."""
    part, here = joint.part(key), set(answered)
    if part is None:
        return ()
    before = [joint.part(earlier) for earlier in part.after]
    return tuple(one for one in before if one and one.assists and one.key not in here and on <= one.due)


# Closing


def outcomes(
    joint: Joint,
    opinions: Mapping[str, Said[JointOpinion]],
    absent: Iterable[str],
    handlers: Mapping[str, str],
    on: date,
) -> tuple[list[Answer], list[Part]]:
    """How each part ends if the lead closes on this day, and the parts it must still wait for.

    An opinion counts, late or not. Without one: absent from the meeting or the visit, 缺席默认; past its day,
    超时默许, with whoever promised to answer as the responsible person, else the department's head.
    """
    away = set(absent)
    found: list[Answer] = []
    waiting: list[Part] = []
    for part in joint.assists:
        said = opinions.get(part.key)
        if said is not None:
            late = said.on > part.due
            found.append(
                Answer(part=part.key, outcome=counts_as(said.body), opinion=said.hash, person=said.body.by, late=late)
            )  # fmt: skip
        elif part.key in away or on > part.due:
            silent: Outcome = "缺席默认" if part.key in away else "超时默许"
            found.append(Answer(part=part.key, outcome=silent, person=responsible(part, handlers), late=True))
        else:
            waiting.append(part)
    return found, waiting


def responsible(part: Part, handlers: Mapping[str, str]) -> str:
    """Who answers for the silence of a part: the one who was promised, else the department's head."""
    return handlers.get(part.key) or f"{part.department_name}负责人"[:40]


def refused_closing(joint: Joint | None, body: JointClosed) -> str | None:
    """Why a joint handling may not be closed so; None if it may: every part once, each silence on record."""
    if joint is None or joint.closed_on is not None:
        return "没有正在进行的联办"
    named = [answer.part for answer in body.answers]
    wanted = [part.key for part in joint.assists]
    if sorted(named) != sorted(wanted):
        odd = sorted(set(named) ^ set(wanted)) or [key for key in wanted if named.count(key) > 1]
        return f"结束联办须对每个协办环节各记一次意见（{'、'.join(odd)}）"
    for answer in body.answers:
        if wrong := _refused_answer(joint, answer, body):
            return wrong
    return None


def _refused_answer(joint: Joint, answer: Answer, body: JointClosed) -> str | None:
    part = joint.part(answer.part)
    assert part is not None
    if answer.outcome not in SILENT:
        return None if answer.opinion else f"环节“{part.name}”记为{answer.outcome}，却没有协办单位签署的意见"
    if answer.opinion:
        return f"环节“{part.name}”已有意见，不能记为{answer.outcome}"
    if not answer.person:
        return f"环节“{part.name}”记为{answer.outcome}，须写明责任人"
    if answer.outcome == "超时默许" and body.on <= part.due:
        return f"环节“{part.name}”的期限 {part.due} 未过，不能记为超时默许"
    if answer.outcome == "缺席默认" and not body.minutes:
        return f"环节“{part.name}”记为缺席默认，须有会议纪要"
    return None


def needs_meeting(joint: Joint | None, minutes: str) -> str | None:
    """Why a licence may not be granted yet: an assist's 不同意 that no meeting has dealt with; None if it may."""
    if joint is None or not joint.objections or joint.minutes or minutes:
        return None
    names = [part.department_name for part in joint.assists if part.key in joint.objections]
    return f"协办单位不同意（{'、'.join(names)}），须经联审会议协调并有会议纪要，才能准予"


def contradictions(answers: Sequence[Answer], opinions: Iterable[Said[JointOpinion]]) -> list[str]:
    """The keys of parts whose closing names an opinion and says another thing of it than it says."""
    by_hash = {one.hash: one for one in opinions}
    return [
        answer.part
        for answer in answers
        if (one := by_hash.get(answer.opinion)) is not None
        and (one.body.part != answer.part or counts_as(one.body) != answer.outcome)
    ]
