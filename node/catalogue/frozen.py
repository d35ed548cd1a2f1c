"""Published versions by name: what a case froze at acceptance, whatever the edition in force says today."""

from functools import lru_cache

from sqlalchemy import select

from node.catalogue.model import DocumentRow
from node.catalogue.replica import opened
from node.db import table_of
from node.work import Work
from protocol.catalogue import ITEM_KEY, Catalogue, Item
from protocol.editions import read_edition


@lru_cache(maxsize=512)
def _read_item(raw: bytes) -> Item:
    return Item.model_validate_json(raw)


@lru_cache(maxsize=64)
def _read_names(raw: bytes) -> dict[str, str]:
    edition = read_edition(raw)
    return {
        key.removeprefix(ITEM_KEY): name
        for key, name in edition.documents.items()
        if key.startswith(ITEM_KEY)
    }


def catalogue_of(work: Work, number: int) -> Catalogue | None:
    """The edition of that number, opened; None if this node does not hold all of it."""
    know = work.know
    if know.catalogue is not None and know.catalogue.edition == number:
        return know.catalogue
    known: dict[int, Catalogue | None] = work.kept.setdefault("editions", {})
    if number not in known:
        table = table_of(DocumentRow).c
        raw = work.session.execute(
            select(table.doc).where(table.kind == "catalogue.edition", table.number == number)
        ).scalar()
        known[number] = None if raw is None else opened(work.session, know, bytes(raw))
    return known[number]


def item_by_hash(work: Work, item_id: str, name: str) -> Item | None:
    """The item's version of that name; None if this node has never held it (it joined later)."""
    catalogue = work.know.catalogue
    if catalogue is not None and item_id in catalogue and catalogue.hash_of(item_id) == name:
        return catalogue[item_id]
    table = table_of(DocumentRow).c
    raw = work.session.execute(select(table.doc).where(table.hash == name)).scalar()
    found = _read_item(bytes(raw)) if raw is not None else None
    return found if found is not None and found.id == item_id else None


def edition_names(work: Work, number: int) -> dict[str, str] | None:
    """Document names by item in the edition of that number; None if this node has never held it."""
    table = table_of(DocumentRow).c
    raw = work.session.execute(
        select(table.doc).where(table.kind == "catalogue.edition", table.number == number)
    ).scalar()
    return None if raw is None else _read_names(bytes(raw))
