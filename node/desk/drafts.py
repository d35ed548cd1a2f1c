"""暂存: a form being filled in, kept at every step, right or wrong, until it is filed or thrown away.

One rule: a draft is its officer's; nobody else reads, changes or drops it. What is left lying is deleted with its
files (`MaterialRules.draft_days`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlmodel import Session

from node.cases.filing import Filing
from node.cases.model import DraftRow
from node.db import table_of, upsert
from node.ids import uuid7
from node.work import Work

_MOST = 20
_drafts = table_of(DraftRow)


@dataclass(slots=True)
class Draft:
    """A form on its way: what was chosen and written so far."""

    id: str
    item: str = ""
    content: dict[str, Any] = field(default_factory=dict)
    changed_at: datetime | None = None

    def text(self, name: str) -> str:
        """One written value."""
        return str(self.content.get(name, ""))

    def filing(self, agent: bool) -> Filing:
        """The form as it would be filed."""
        return Filing(
            item=self.item,
            name=self.text("name"),
            id_type=self.text("id_type") or "111",
            id_no=self.text("id_no"),
            phone=self.text("phone"),
            address=self.text("address"),
            agent=agent,
            entrusted=bool(self.content.get("entrusted")),
            entrust_scope=tuple(self.content.get("entrust_scope", ())),
            entrust_until=self.text("entrust_until"),
            materials=tuple(self.content.get("materials", ())),
            note=self.text("note"),
            again=self.text("again"),
            draft=self.id,
        )


def load(session: Session, name: str, officer: int) -> Draft | None:
    """An officer's draft; None if he has none of this name."""
    found = session.execute(select(_drafts).where(*_own(name, officer))).one_or_none()
    return Draft(found.id, found.item, dict(found.content), found.changed_at) if found else None


def keep(work: Work, draft: Draft, officer: int) -> None:
    """Store a draft; one whose name is somebody else's gets another."""
    owner = work.session.execute(select(_drafts.c.officer).where(_drafts.c.id == draft.id)).scalar()
    if owner not in (None, officer):
        draft.id = str(uuid7(work.now))
    row = {
        "id": draft.id,
        "officer": officer,
        "item": draft.item,
        "content": draft.content,
        "changed_at": work.now,
    }
    upsert(work.session, DraftRow, [row], ["id"], ["item", "content", "changed_at"])
    draft.changed_at = work.now


def forget(work: Work, name: str, officer: int) -> None:
    """Throw an officer's draft away; nothing if it is gone already."""
    work.session.execute(delete(_drafts).where(*_own(name, officer)))


def unfinished(session: Session, officer: int) -> list[Draft]:
    """The drafts of an officer in which somebody is named, the latest first."""
    rows = session.execute(
        select(_drafts)
        .where(_drafts.c.officer == officer)
        .order_by(_drafts.c.changed_at.desc(), _drafts.c.id)
        .limit(_MOST)
    )
    found = (Draft(row.id, row.item, dict(row.content), row.changed_at) for row in rows)
    return [draft for draft in found if draft.text("name")]


def _own(name: str, officer: int) -> Sequence[Any]:
    return _drafts.c.id == name, _drafts.c.officer == officer
