"""Keeping no longer than the law needs (保存期限): pictures of identity papers go first, the rest with the case.

One rule: what is deleted leaves a tombstone: the row stays, with the day and the rule. Every party deletes by the
same rule on its own; a blob that another case still needs stays. Drafts that were never filed go sooner.
Periods are parameters (`MaterialRules`); the law's words: 个人信息保护法 47, and the archive class of the item.
"""

import asyncio
from datetime import date, datetime, time
from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, func, or_, select, update
from sqlmodel import Session

from node import audit
from node.cases.model import CaseRow, DraftRow
from node.db import table_of
from node.materials import drafts
from node.materials.model import BlobRow, BlobState, CaseFileRow, SentFileRow, UploadRow, UploadState
from node.materials.rules import MaterialRules
from node.work import CIVIL, Work

if TYPE_CHECKING:
    from node.materials.collect import Materials

AT_ONCE = 200
_blobs, _files, _sent = table_of(BlobRow), table_of(CaseFileRow), table_of(SentFileRow)
_uploads, _cases, _forms = table_of(UploadRow), table_of(CaseRow), table_of(DraftRow)


async def sweep(part: "Materials") -> int:
    """Delete everything whose time is over; how many blobs went."""
    gone: list[str] = []
    while found := await part.node.do(bury, part.rules):
        for name in found:
            await asyncio.to_thread(part.store.forget, name)
        gone += found
    orphans, uploads = await part.node.do(clear_drafts, part.rules)
    for name in orphans:
        await asyncio.to_thread(part.store.forget, name)
    known = part.node.read(_upload_names)
    for name in [*uploads, *(one for one in part.store.uploads() if one not in known)]:
        await asyncio.to_thread(part.store.drop_upload, name)
    return len(gone) + len(orphans)


def bury(work: Work, rules: MaterialRules) -> list[str]:
    """Turn blobs whose time is over in every case into tombstones; their names, for the files to be deleted."""
    identity_before, before = (
        before_days(work.today, rules.id_days),
        before_years(work.today, rules.case_years),
    )
    ended = func.coalesce(_cases.c.delivered_on, _cases.c.closed_on)
    over = or_(and_(_files.c.identity, ended < identity_before), ended < before)
    still = (
        select(_files.c.sha256)
        .select_from(_files.outerjoin(_cases, _cases.c.no == _files.c.no))
        .where(or_(ended.is_(None), ~over))
    )
    names = list(
        work.session.execute(
            select(_files.c.sha256)
            .distinct()
            .join_from(_files, _cases, _cases.c.no == _files.c.no)
            .join(_blobs, _blobs.c.sha256 == _files.c.sha256)
            .where(over, _blobs.c.state != BlobState.GONE, _files.c.sha256.not_in(still))
            .limit(AT_ONCE)
        ).scalars()
    )
    waiting = select(_uploads.c.sha256).where(
        _uploads.c.sha256.in_(names), _uploads.c.state == UploadState.READY
    )
    kept = set(work.session.execute(waiting).scalars())
    names = [name for name in names if name not in kept]
    if names:
        why = f"证件照片办结送达满 {rules.id_days} 日，或其他材料满 {rules.case_years} 年"
        work.session.execute(
            update(_blobs)
            .where(_blobs.c.sha256.in_(names))
            .values(state=BlobState.GONE, at=work.now, why=why)
        )
        work.session.execute(delete(_sent).where(_sent.c.sha256.in_(names)))
        audit.record(work.session, "system", "material.deleted", f"{len(names)} 份", why, now=work.now)
    return names


def clear_drafts(work: Work, rules: MaterialRules) -> tuple[list[str], list[str]]:
    """Drop drafts that were never filed, with their files: (blobs nobody needs any more, uploads)."""
    old = before_days(work.today, rules.draft_days)
    work.session.execute(delete(_forms).where(_forms.c.changed_at < datetime.combine(old, time(), CIVIL)))
    rows = work.session.execute(
        select(_uploads.c.id, _uploads.c.sha256, _uploads.c.changed_at, _uploads.c.state)
        .where(_uploads.c.state != UploadState.FILED)
        .order_by(_uploads.c.changed_at, _uploads.c.id)
        .limit(AT_ONCE)
    ).all()
    ended = [row for row in rows if row.changed_at.date() < old]
    work.session.execute(delete(_uploads).where(_uploads.c.id.in_([row.id for row in ended])))
    orphans = {row.sha256 for row in ended if row.sha256 and not drafts.needed(work.session, row.sha256)}
    return sorted(orphans), [row.id for row in ended]


def _upload_names(session: Session) -> set[str]:
    states = (UploadState.COMING, UploadState.CHECKING)
    return set(session.execute(select(_uploads.c.id).where(_uploads.c.state.in_(states))).scalars())


def before_days(today: date, days: int) -> date:
    """The civil date `days` calendar days before."""
    return date.fromordinal(today.toordinal() - days)


def before_years(today: date, years: int) -> date:
    """The same date `years` before; 29 February becomes the 28th."""
    try:
        return today.replace(year=today.year - years)
    except ValueError:
        return today.replace(year=today.year - years, day=28)
