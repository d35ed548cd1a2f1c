"""Setting up posts, changing who stands there, and saying who is away.

One rule: A and B are two people who work here; an item has one post at a time.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import delete

from node import audit
from node.accounts.officer import Officer
from node.accounts.roles import Role
from node.accounts.views import colleagues
from node.db import table_of
from node.errors import BadForm, NotFound, RoleMissing
from node.posts import views
from node.posts.model import LeaveRow, PostRow
from node.work import Work

KEEPERS = frozenset((Role.CENTRE_HEAD, Role.CHIEF_REPRESENTATIVE, Role.ADMINISTRATOR))
"""Who sets up posts; a village has its administrator."""


@dataclass(frozen=True, slots=True)
class Post:
    """A post as it shall be."""

    name: str
    a: str
    b: str
    since: date
    until: date
    items: tuple[str, ...] = ()
    """Empty: whatever no other post handles."""


def set_up(work: Work, officer: Officer, post: Post) -> int:
    """The id of a new post; BadForm with every faulty field."""
    _must_keep(officer)
    if errors := _faults(work, post):
        raise BadForm(errors)
    row = PostRow(
        name=post.name.strip(), items=list(post.items), a=post.a.strip(), b=post.b.strip(), since=post.since,
        until=post.until,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()
    _note(work, officer, "post.set_up", row)
    assert row.id is not None
    return row.id


def change(work: Work, officer: Officer, id: int, a: str, b: str, until: date) -> None:  # noqa: A002
    """Other persons, or another last day."""
    _must_keep(officer)
    row = _need(work, id)
    post = Post(row.name, a, b, row.since, until, tuple(row.items))
    if errors := _faults(work, post, but=id):
        raise BadForm(errors)
    row.a, row.b, row.until = a.strip(), b.strip(), until
    work.session.add(row)
    _note(work, officer, "post.change", row)


def end(work: Work, officer: Officer, id: int) -> None:  # noqa: A002
    """撤销 a post: yesterday was its last day; one that has not begun goes altogether."""
    _must_keep(officer)
    row = _need(work, id)
    _note(work, officer, "post.end", row)
    row.until = work.today - timedelta(days=1)
    if row.until < row.since:
        work.session.delete(row)
    else:
        work.session.add(row)


def leave(work: Work, officer: Officer, person: str, since: date, until: date, why: str = "") -> None:
    """离岗: said by oneself, or by whoever keeps the posts."""
    person = person.strip()
    if person != officer.staff_no and not officer.roles & KEEPERS:
        raise RoleMissing("只能登记自己的离岗；他人的由中心主任、首席代表或管理员登记")
    if person not in _here(work):
        raise BadForm(person=f"本单位没有工号 {person or '（未填）'}")
    if until < since or until < work.today:
        raise BadForm(until="截止日须不早于起始日和今天")
    work.session.add(LeaveRow(person=person, since=since, until=until, why=why.strip()[:200]))
    audit.record(work.session, officer.login, "post.leave", person, f"{since} 至 {until} {why}", now=work.now)


def back(work: Work, officer: Officer, id: int) -> None:  # noqa: A002
    """到岗: back before the last day, or not away after all."""
    row = work.session.get(LeaveRow, id)
    if row is None:
        raise NotFound("没有这条离岗登记")
    if row.person != officer.staff_no and not officer.roles & KEEPERS:
        raise RoleMissing("只能登记自己到岗；他人的由中心主任、首席代表或管理员登记")
    audit.record(
        work.session, officer.login, "post.back", row.person, f"{row.since} 至 {row.until}", now=work.now
    )
    if row.since < work.today:
        row.until = work.today - timedelta(days=1)
        work.session.add(row)
    else:
        work.session.execute(delete(table_of(LeaveRow)).where(table_of(LeaveRow).c.id == id))


def _faults(work: Work, post: Post, but: int | None = None) -> dict[str, str]:
    errors = {}
    here = _here(work)
    for name, person in (("a", post.a.strip()), ("b", post.b.strip())):
        if person not in here:
            errors[name] = f"本单位没有工号 {person}" if person else "请填写工号"
    if "b" not in errors and post.a.strip() == post.b.strip():
        errors["b"] = "A角和B角须是两个人"
    if not 0 < len(post.name.strip()) <= 100:
        errors["name"] = "请填写岗位名称"
    if post.until < post.since or post.until < work.today:
        errors["until"] = "截止日须不早于起始日和今天"
    if doubled := _doubled(work, post, but):
        errors["items"] = doubled
    return errors


def _doubled(work: Work, post: Post, but: int | None) -> str:
    for row in views.posts_from(work.session, post.since):
        if row.id == but or row.since > post.until:
            continue
        if not post.items and not row.items:
            return f"“{row.name}”已负责其余全部事项，同一时间只能有一个这样的岗位"
        if shared := set(post.items) & set(row.items):
            known = work.know.catalogue.get(min(shared)) if work.know.catalogue else None
            return f"“{known.name if known else min(shared)}”在同一时间已由“{row.name}”负责"
    return ""


def _here(work: Work) -> set[str]:
    return {one.staff_no for one in colleagues(work.session)}


def _need(work: Work, id: int) -> PostRow:  # noqa: A002
    row = work.session.get(PostRow, id)
    if row is None or row.until < work.today:
        raise NotFound("没有这个岗位")
    return row


def _must_keep(officer: Officer) -> None:
    if not officer.roles & KEEPERS:
        raise RoleMissing("岗位由中心主任、首席代表或管理员设置")


def _note(work: Work, officer: Officer, act: str, row: PostRow) -> None:
    audit.record(
        work.session,
        officer.login,
        act,
        f"post:{row.name}"[:60],
        f"A {row.a} B {row.b} 至 {row.until}",
        now=work.now,
    )
