"""Looking at joint handling: the desk of an assist, one joint handling whole, batches, and how well assists answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, case, func, select
from sqlmodel import Session

from node.db import table_of
from node.joint.model import JointRow, PartRow

PAGE = 100

BOXES = {"todo": "待答复", "answered": "已答复", "over": "已结束", "all": "全部"}
"""Boxes of an assist's desk, by key."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How one department of one place answered in a period; counts of parts, by the day they were due."""

    place: str
    department: str
    department_name: str
    due: int
    """Parts whose day came, or that were closed, in the period."""
    on_time: int
    """Answered on or before that day."""
    late: int
    silent: int
    """超时默许."""
    absent: int
    """缺席默认."""
    absences: int
    """Meetings and visits missed, answered or not."""

    @property
    def on_time_percent(self) -> int | None:
        """按期答复率 in hundredths of a percent, half up; None (无数据) where nothing was due."""
        return (self.on_time * 20000 + self.due) // (2 * self.due) if self.due else None


def desk(
    session: Session, me: str, department: str, box: str = "todo", limit: int = PAGE
) -> Sequence[Row[Any]]:
    """Parts that a department here is asked to answer, the nearest day first; with "" those of every department."""
    part, joint = table_of(PartRow).c, table_of(JointRow).c
    query = (
        select(
            table_of(PartRow), joint.by, joint.item, joint.name.label("joint_name"), joint.batch, joint.ended
        )
        .join_from(table_of(PartRow), table_of(JointRow), (joint.no == part.no) & (joint.n == part.n))
        .where(part.place == me)
    )
    if department:
        query = query.where(part.department == department)
    if box == "todo":
        query = query.where(part.over.is_(False), part.opinion == "")
    elif box == "answered":
        query = query.where(part.over.is_(False), part.opinion != "")
    elif box == "over":
        query = query.where(part.over.is_(True))
    order = part.due.desc() if box == "over" else part.due
    return session.execute(query.order_by(order, part.no, part.part).limit(limit)).all()


def parts(session: Session, no: str, n: int) -> Sequence[Row[Any]]:
    """The answered parts of one joint handling, the nearest day first."""
    table = table_of(PartRow)
    query = select(table).where(table.c.no == no, table.c.n == n).order_by(table.c.due, table.c.part)
    return session.execute(query).all()


def of_case(session: Session, no: str) -> Sequence[Row[Any]]:
    """The joint handlings of a case, the newest first."""
    table = table_of(JointRow)
    return session.execute(select(table).where(table.c.no == no).order_by(table.c.n.desc())).all()


def led(session: Session, me: str, limit: int = PAGE) -> Sequence[Row[Any]]:
    """Open joint handlings led here, with how many of their parts are answered: (…, parts, answered, overdue-by)."""
    joint, part = table_of(JointRow).c, table_of(PartRow).c
    query = (
        select(
            joint.no,
            joint.n,
            joint.item,
            joint.name,
            joint.until,
            func.count().label("parts"),
            func.sum(case((part.opinion != "", 1), else_=0)).label("answered"),
        )
        .join_from(table_of(JointRow), table_of(PartRow), (joint.no == part.no) & (joint.n == part.n))
        .where(joint.by == me, joint.ended == "")
        .group_by(joint.no, joint.n, joint.item, joint.name, joint.until)
        .order_by(joint.until, joint.no)
        .limit(limit)
    )
    return session.execute(query).all()


def batches(session: Session, me: str) -> Sequence[Row[Any]]:
    """集中联合年检 led here: (batch, name, cases, closed, until), the last first."""
    table = table_of(JointRow).c
    closed = func.sum(case((table.ended != "", 1), else_=0))
    query = (
        select(
            table.batch,
            table.name,
            func.count().label("cases"),
            closed.label("closed"),
            func.max(table.until).label("until"),
        )
        .where(table.by == me, table.batch != "")
        .group_by(table.batch, table.name)
        .order_by(func.max(table.until).desc(), table.batch)
    )
    return session.execute(query).all()


def in_batch(session: Session, me: str, batch: str) -> Sequence[Row[Any]]:
    """The joint handlings of one batch led here."""
    table = table_of(JointRow)
    query = select(table).where(table.c.by == me, table.c.batch == batch).order_by(table.c.no)
    return session.execute(query).all()


def tallies(session: Session, since: date, until: date, today: date, place: str = "") -> list[Tally]:
    """按期答复率 and silence of every assist heard of here, for parts due in a period (both days included).

    A part still open counts once its day has passed.
    """
    part = table_of(PartRow).c

    def count(condition: Any) -> Any:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

    on_time = part.answered_on.is_not(None) & (part.answered_on <= part.due)
    query = (
        select(
            part.place,
            part.department,
            func.max(part.department_name),
            func.count(),
            count(on_time),
            count(part.answered_on.is_not(None) & (part.answered_on > part.due)),
            count(part.outcome == "超时默许"),
            count(part.outcome == "缺席默认"),
            func.coalesce(func.sum(part.absences), 0),
        )
        .where(part.due.between(since, until))
        .where((part.due < today) | (part.opinion != "") | (part.outcome != ""))
        .group_by(part.place, part.department)
        .order_by(part.place, part.department)
    )
    if place:
        query = query.where(part.place == place)
    return [Tally(*row) for row in session.execute(query)]
