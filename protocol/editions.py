"""Editions (目录版本) opened: from published bytes to a catalogue, every document exactly the one that was named.

One rule: what is published is compact JSON (P-1) and read strictly, so that no two readers see two meanings.
"""

from collections.abc import Mapping
from typing import TypeVar

from protocol import strict
from protocol.bundles import BUNDLE_KEY, Bundle, read_bundle
from protocol.catalogue import CALENDAR_KEY, DEED_KEY, ITEM_KEY, Catalogue, Deed, Edition, Item, document_hash
from protocol.errors import CatalogueError, EnvelopeError
from protocol.workdays import read_calendar

_Of = TypeVar("_Of", Item, Deed, Bundle)


def read_edition(raw: bytes) -> Edition:
    """The edition a document tells; CatalogueError if it tells none, or its hash is another's."""
    try:
        strict.loads(raw)
        return Edition.model_validate_json(raw)
    except (EnvelopeError, ValueError) as wrong:
        raise CatalogueError(f"目录版本无法读取：{wrong}") from None


def open_catalogue(edition: Edition, documents: Mapping[str, bytes]) -> Catalogue:
    """The catalogue of an edition from its documents by key.

    CatalogueError: a document is missing, is not the one the edition names, or cannot be read.
    """
    items, deeds, bundles, calendar = [], [], [], None
    for key, name in edition.documents.items():
        raw = documents.get(key)
        if raw is None:
            raise CatalogueError(f"第 {edition.number} 版目录缺少 {key}")
        if document_hash(raw) != name:
            raise CatalogueError(f"第 {edition.number} 版目录的 {key} 与公布的哈希不符")
        try:
            fields = strict.loads(raw)
            if key.startswith(ITEM_KEY):
                items.append(_named(key, ITEM_KEY, Item.model_validate_json(raw)))
            elif key.startswith(DEED_KEY):
                deeds.append(_named(key, DEED_KEY, Deed.model_validate_json(raw)))
            elif key.startswith(BUNDLE_KEY):
                bundles.append(_named(key, BUNDLE_KEY, read_bundle(raw)))
            elif key == CALENDAR_KEY:
                calendar = read_calendar(fields)
        except (EnvelopeError, ValueError) as wrong:
            raise CatalogueError(f"第 {edition.number} 版目录的 {key} 无法读取：{wrong}") from None
    hashes = {
        key.removeprefix(ITEM_KEY): name
        for key, name in edition.documents.items()
        if key.startswith(ITEM_KEY)
    }
    return Catalogue(edition.number, items, deeds, calendar, hashes, bundles)


def _named(key: str, start: str, found: _Of) -> _Of:
    """The document, if the key is its own: so no id stands twice in an edition; ValueError if it is another's."""
    if key != f"{start}{found.id}":
        raise ValueError(f"文件的编号是 {found.id}")
    return found
