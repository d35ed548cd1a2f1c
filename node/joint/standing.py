"""How a joint handling stands: the fold of what opened it and of everything said in it, written as rows.

One rule: what was said is kept first and counted afterwards, all of it each time; so a reply that overtook the step
it answers, or came twice, changes nothing.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import select
from sqlmodel import Session

from node.cases import findings
from node.db import insert_ignore, table_of, upsert
from node.joint.model import JointRow, PartRow, SaidRow
from node.work import Work, civil_date
from protocol import joint as law
from protocol import routing
from protocol.certificates import instant
from protocol.envelope import Event
from protocol.joint import Joint, Said
from protocol.joint_acts import (
    JOINTS,
    SILENT,
    JointAct,
    JointMinutes,
    JointOpinion,
    JointPromise,
    JointReply,
    JointResult,
    JointVisit,
    Part,
)
from protocol.subjects import Lane

A = TypeVar("A", bound=JointAct)
R = TypeVar("R", bound=JointReply)


@dataclass(frozen=True, slots=True)
class Word:
    """One thing said, as it is kept."""

    hash: str
    kind: str
    frm: str
    signed_on: date
    body: JointAct


@dataclass(frozen=True, slots=True)
class Standing:
    """A joint handling with all that was said in it, counted."""

    no: str
    item: str
    joint: Joint
    in_chain: bool
    ended: str
    """Kind of the step that closed it or ended the case; "" while it is open."""
    words: tuple[Word, ...] = ()

    @property
    def opinions(self) -> dict[str, Said[JointOpinion]]:
        """By part, the opinion that counts."""
        return law.standing(self.joint, self._replies(JointOpinion))

    @property
    def promises(self) -> dict[str, Said[JointPromise]]:
        """By part, the promise that counts."""
        return law.standing(self.joint, self._replies(JointPromise))

    @property
    def handlers(self) -> dict[str, str]:
        """By part, the person who was promised to answer."""
        return {key: said.body.handler for key, said in self.promises.items()}

    @property
    def minutes(self) -> list[tuple[str, JointMinutes]]:
        """(hash, minutes) of every meeting and visit recorded by the lead."""
        return [(one.hash, one.body) for one in self._led(JointMinutes)]  # type: ignore[misc]

    @property
    def visit(self) -> JointVisit | None:
        """The appointment that holds: the one made last."""
        made = sorted(self._led(JointVisit), key=lambda one: (one.body.on, one.signed_on, one.hash))
        return made[-1].body if made else None  # type: ignore[return-value]

    @property
    def absences(self) -> Counter[str]:
        """By part, how many meetings and visits it did not come to."""
        return Counter(key for _, body in self.minutes for key in dict.fromkeys(body.absent))

    def _replies(self, model: type[R]) -> list[Said[R]]:
        return [
            Said(one.hash, one.frm, one.signed_on, one.body)
            for one in self.words
            if isinstance(one.body, model)
        ]

    def _led(self, model: type[A]) -> list[Word]:
        return [one for one in self.words if isinstance(one.body, model) and one.frm == self.joint.by]


def find(session: Session, no: str, n: int) -> Standing | None:
    """The joint handling that step `n` of the case opened, with everything said in it; None if not heard of."""
    joints = table_of(JointRow)
    row = session.execute(select(joints).where(joints.c.no == no, joints.c.n == n)).first()
    if row is None:
        return None
    joint = Joint.model_validate_json(row.doc)
    return Standing(no, row.item, joint, row.in_chain, row.ended, tuple(words(session, no, n)))


def words(session: Session, no: str, n: int) -> Iterable[Word]:
    """Everything said in it, whether it counts or not."""
    said = table_of(SaidRow)
    rows = session.execute(select(said).where(said.c.no == no, said.c.n == n).order_by(said.c.hash))
    for row in rows:
        body = JOINTS[row.kind].model_validate_json(row.doc)
        yield Word(row.hash, row.kind, row.frm, row.signed_on, body)


def keep(work: Work, event: Event, body: JointAct) -> None:
    """Keep something said, ours or another's, and count anew if its joint handling is known here."""
    row = {
        "hash": event.hash,
        "no": body.no,
        "n": body.joint,
        "kind": event.kind,
        "frm": event.frm,
        "signed_on": civil_date(instant(event.iat)),
        "doc": body.model_dump_json(),
        "at": work.now,
    }
    insert_ignore(work.session, SaidRow, [row])
    known = find(work.session, body.no, body.joint)
    if known is not None:
        write(work, known)


def lay(work: Work, no: str, item: str, joint: Joint, *, in_chain: bool, ended: str = "") -> None:
    """Write a joint handling that was opened, or closed, as its lead has said."""
    known = tuple(words(work.session, no, joint.n))
    write(work, Standing(no, item, joint, in_chain, ended, known))


def write(work: Work, standing: Standing) -> None:
    """Count everything and write the rows; note what supervision will want to know once it is closed."""
    standing = _as_told(standing)
    joint, terms = standing.joint, standing.joint.terms
    row = {
        "no": standing.no,
        "n": joint.n,
        "by": joint.by,
        "item": standing.item,
        "name": terms.name,
        "batch": terms.batch,
        "opened_on": joint.opened_on,
        "until": terms.until,
        "closed_on": joint.closed_on,
        "ended": standing.ended,
        "in_chain": standing.in_chain,
        "doc": joint.model_dump_json(),
        "at": work.now,
    }
    changing = ["closed_on", "ended", "doc", "at"]
    upsert(work.session, JointRow, [row], ["no", "n"], changing)
    opinions, promises, absences = standing.opinions, standing.promises, standing.absences
    rows = [
        _part(standing, part, opinions.get(part.key), promises.get(part.key), absences[part.key])
        for part in joint.assists
    ]
    if rows:
        fixed = {"no", "n", "part", "place", "department", "department_name", "name", "opened_on", "due"}
        upsert(work.session, PartRow, rows, ["no", "n", "part"], [key for key in rows[0] if key not in fixed])
    if joint.closed_on is not None:
        findings.keep(work, _seen(work, standing))


def _as_told(standing: Standing) -> Standing:
    """Outside the case's line the end is known from the lead's word alone."""
    if standing.in_chain or standing.ended:
        return standing
    told = [one.body for one in standing.words if one.frm == standing.joint.by]
    for body in told:
        if isinstance(body, JointResult):
            update: dict[str, Any] = {"answers": body.answers}
            if not body.ended:
                update["closed_on"] = body.on
            ended = body.ended or "case.joint_closed"
            return replace(standing, joint=standing.joint.model_copy(update=update), ended=ended)
    return standing


def _part(
    standing: Standing,
    part: Part,
    opinion: Said[JointOpinion] | None,
    promise: Said[JointPromise] | None,
    absences: int,
) -> dict[str, Any]:
    """The row of one part."""
    answer = next((one for one in standing.joint.answers if one.part == part.key), None)
    row: dict[str, Any] = {
        "no": standing.no,
        "n": standing.joint.n,
        "part": part.key,
        "place": part.place,
        "department": part.department,
        "department_name": part.department_name,
        "name": part.name,
        "opened_on": standing.joint.opened_on,
        "due": part.due,
        "handler": promise.body.handler if promise else "",
        "by_day": promise.body.by_day if promise else None,
        "opinion": law.counts_as(opinion.body) if opinion else "",
        "opinion_hash": opinion.hash if opinion else "",
        "answered_on": opinion.on if opinion else None,
        "absences": absences,
        "outcome": answer.outcome if answer else "",
        "person": answer.person if answer else opinion.body.by if opinion else "",
        "late": answer.late if answer else bool(opinion and opinion.on > part.due),
        "over": bool(standing.ended),
    }
    return row


def _seen(work: Work, standing: Standing) -> list[findings.Finding]:
    """Silence and late answers (环节超时), and a closing that says of an opinion what it does not say (虚报)."""
    joint = standing.joint
    found = []
    for answer in joint.answers:
        part = joint.part(answer.part)
        if part is None or not (answer.late or answer.outcome in SILENT):
            continue
        about = f"joint {joint.n} {part.key}"
        found.append(
            findings.note(
                work, "AB02", standing.no, about, place=part.place, person=answer.person,
                outcome=answer.outcome if answer.outcome in SILENT else "逾期答复",
                grade="红牌" if answer.outcome in SILENT else "黄牌",
                department=part.department_name, due=part.due, closed_on=joint.closed_on, lead=joint.by,
            )
        )  # fmt: skip
    said = [
        Said(one.hash, one.frm, one.signed_on, one.body)
        for one in standing.words
        if isinstance(one.body, JointOpinion)
    ]
    found += [
        findings.note(
            work, "AB17", standing.no, f"joint {joint.n} {key}", place=joint.by, what="联办结束所记与意见不符"
        )
        for key in law.contradictions(joint.answers, said)
    ]
    return found


def readers(work: Work, standing: Standing) -> dict[str, Lane]:
    """Everyone who hears what is said in it: lead and assists on `case`, all above them on `sup`."""
    joint = standing.joint
    assists = [part.place for part in joint.assists]
    parties = {joint.by, *assists}
    return {
        place.code: Lane.CASE if place.code in parties else Lane.SUP
        for place in routing.hearers(work.know.roster, standing.no[:12], joint.by, *assists)
    }


def parties(standing: Standing) -> list[str]:
    """Who opens what is sealed in it: the lead and every assist."""
    return list(dict.fromkeys([standing.joint.by, *(part.place for part in standing.joint.assists)]))


def invited(work: Work, standing: Standing) -> dict[str, Lane]:
    """Who hears the notice: the assists, and those above them who do not hear the case's own steps."""
    roster = work.know.roster
    return {
        place: lane
        for place, lane in readers(work, standing).items()
        if lane is Lane.CASE or not roster.is_under(standing.no[:12], place)
    }
