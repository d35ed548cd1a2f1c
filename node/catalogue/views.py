"""Looking at the catalogue: the edition as published, deeds about an item, who holds which edition."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlmodel import Session

from node.catalogue.model import DocumentRow
from node.db import table_of
from node.exchange.model import PeerRow
from protocol.catalogue import Catalogue, Deed, Edition
from protocol.editions import read_edition
from protocol.places import Place
from protocol.roster import Roster


def edition(session: Session, number: int) -> Edition | None:
    """The edition of that number as it was published; None if it is not here."""
    table = table_of(DocumentRow).c
    raw = session.execute(
        select(table.doc).where(table.kind == "catalogue.edition", table.number == number).limit(1)
    ).scalar()
    return read_edition(raw) if raw else None


@dataclass(frozen=True, slots=True)
class Held:
    """What one node said it holds."""

    place: Place
    edition: int
    """0: it has never said."""
    heard_at: datetime | None


def holders(session: Session, roster: Roster, above: str) -> list[Held]:
    """Every place under `above` with the edition it last named, parents before children."""
    peer = table_of(PeerRow).c
    rows = session.execute(select(peer.place, peer.edition, peer.heard_at))
    said = {row.place: row for row in rows}
    found = []
    for place in roster.subtree(above):
        if place.code != above:
            row = said.get(place.code)
            found.append(Held(place, row.edition if row else 0, row.heard_at if row else None))
    return found


def deeds_of(catalogue: Catalogue, roster: Roster, item_id: str, place: str) -> list[Deed]:
    """The deeds about an item that concern the line of `place`, the latest effective first."""
    line = {one.code for one in roster.line(place)}
    tiers = {one.tier for one in roster.line(place)}
    found = [
        deed
        for deed in catalogue.deeds
        if deed.item == item_id and deed.giver in line and (deed.to_every in tiers or line & set(deed.to))
    ]
    return sorted(found, key=lambda deed: (deed.effective, deed.id), reverse=True)


def standing(deed: Deed, today: date) -> str:
    """生效中, 未生效, 已到期."""
    return "生效中" if deed.in_force(today) else "未生效" if deed.effective > today else "已到期"
