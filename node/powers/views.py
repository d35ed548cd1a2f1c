"""Looking at powers: authorisations in force, seals, their custody and their uses."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, bindparam, func, select
from sqlmodel import Session

from node.db import table_of
from node.powers.model import AuthorisationRow, CustodyRow, SealRow, SealUseRow
from protocol.messages import AuthorisationUpdate
from protocol.powers import objections

_KEPT = table_of(AuthorisationRow)
_NEWEST = select(_KEPT.c.doc).where(_KEPT.c.id == bindparam("name")).order_by(_KEPT.c.version.desc()).limit(1)
"""Made once: asked for each decision that comes in, it would cost more to make than to run."""


def authorisation(session: Session, name: str) -> AuthorisationUpdate | None:
    """The highest version of the authorisation of that id; None if it is not here."""
    doc = session.connection().execute(_NEWEST, {"name": name}).scalar()
    return None if doc is None else AuthorisationUpdate.model_validate_json(doc)


def of_person(session: Session, place: str, person: str) -> list[AuthorisationUpdate]:
    """Every authorisation of a person at a place, each in its highest version, the newest first."""
    return [one for one in of_place(session, place) if one.person == person]


def of_place(session: Session, place: str = "") -> list[AuthorisationUpdate]:
    """Every authorisation for a place (or all that are here), each in its highest version, the newest first."""
    table = table_of(AuthorisationRow).c
    newest = select(table.id, func.max(table.version).label("version")).group_by(table.id).subquery()
    query = (
        select(table.doc)
        .join(newest, (newest.c.id == table.id) & (newest.c.version == table.version))
        .order_by(table.at.desc(), table.id)
    )
    docs = session.execute(query.where(table.place == place) if place else query.limit(500)).scalars()
    return [AuthorisationUpdate.model_validate_json(doc) for doc in docs]


def carries(
    session: Session, *, place: str, person: str, item: str, power: str, route: str, on: date
) -> tuple[str, str]:
    """(id of an authorisation that carries the act, ""), or ("", why none does).

    Somebody whose authorisation has been revoked acts under it no more from that moment on.
    """
    why = f"{person} 没有授权，不能{power}"
    for one in of_person(session, place, person):
        found = list(objections(one, place=place, person=person, item=item, power=power, route=route, on=on))
        if one.revoked_on is not None and not found:
            found = [f"授权 {one.id} 已撤销"]
        if not found:
            return one.id, ""
        why = found[0]
    return "", why


def seals(session: Session) -> Sequence[Row[Any]]:
    """Every seal of this place."""
    table = table_of(SealRow)
    return session.execute(select(table).order_by(table.c.id)).all()


def custody(session: Session, seal: str) -> Sequence[Row[Any]]:
    """In whose hands a seal has been, the newest first."""
    table = table_of(CustodyRow)
    return session.execute(select(table).where(table.c.seal == seal).order_by(table.c.id.desc())).all()


def uses(session: Session, *, seal: str = "", no: str = "", limit: int = 200) -> Sequence[Row[Any]]:
    """Uses and refused uses of a seal or for a case, the newest first."""
    table = table_of(SealUseRow)
    query = select(table).order_by(table.c.id.desc()).limit(limit)
    if seal:
        query = query.where(table.c.seal == seal)
    if no:
        query = query.where(table.c.no == no)
    return session.execute(query).all()


def used(session: Session) -> dict[str, tuple[int, datetime]]:
    """How often each seal has been used and when last; refused uses are not counted."""
    table = table_of(SealUseRow).c
    query = (
        select(table.seal, func.count(), func.max(table.at)).where(table.refused == "").group_by(table.seal)
    )
    return {seal: (count, at) for seal, count, at in session.execute(query)}
