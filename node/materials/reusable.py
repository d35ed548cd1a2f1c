"""What an applicant handed in before (材料复用): found by a keyed hash of his number, never by his name.

One rule: only what is still here, was handed in at a case this node may open, and fits the checklist is offered.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, select
from sqlmodel import Session

from node.db import table_of
from node.materials import index
from node.materials.model import BlobRow, BlobState, CaseFileRow
from node.work import Knowledge


def find(session: Session, know: Knowledge, item: str, id_type: str, id_no: str) -> Sequence[Row[Any]]:
    """(material, no, sha256, kind, on) of files that may be used again, the latest first."""
    known = know.catalogue.get(item) if know.catalogue else None
    if known is None or not id_no.strip():
        return []
    file, blob = table_of(CaseFileRow).c, table_of(BlobRow).c
    return session.execute(
        select(
            file.material,
            func.max(file.no).label("no"),
            file.sha256,
            file.kind,
            func.max(file.on).label("on"),
        )
        .join_from(table_of(CaseFileRow), table_of(BlobRow), blob.sha256 == file.sha256)
        .where(
            file.applicant == index.mark(know, id_type, id_no),
            file.material.in_([one.name for one in known.materials]),
            blob.state == BlobState.HERE,
        )
        .group_by(file.material, file.sha256, file.kind)
        .order_by(func.max(file.on).desc(), file.material, file.sha256)
        .limit(50)
    ).all()
