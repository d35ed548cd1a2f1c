"""Authorisations (授权) of persons: who may decide what, where, when; and what a decision must rest on.

One rule: an authorisation is judged by its content and by the civil date of the step alone, so every node judges
alike in whatever order things arrive. It is signed by the place it speaks of or by one above it; each change is
a new version, the highest counts; a revocation holds from its day on, what was decided before it stands.
"""

from collections.abc import Iterable
from datetime import date
from enum import StrEnum

from protocol.catalogue import Item
from protocol.messages import AuthorisationUpdate
from protocol.modes import mode_of
from protocol.roster import Roster

EVERY_ITEM = "*"


class Power(StrEnum):
    """What a person may be authorised to do as the one who decides, or as the second of two."""

    DECIDE = "决定"
    EXTEND = "延期"
    VOID = "作废"
    REDUCE = "减免"


RANKS = ("窗口", "分管领导", "集体讨论")
"""Decision routes (审批权限) from the least: who may decide in a meeting's name may also decide at the window."""

NEEDS = {
    "case.granted": Power.DECIDE,
    "case.refused": Power.DECIDE,
    "case.extended": Power.EXTEND,
    "case.voided": Power.VOID,
    "fee.reduced": Power.REDUCE,
}
"""Which power a step rests on."""


def route_of(item: Item) -> str:
    """Who decides this item: as its list says, else the deputy head for joint matters and the window for others."""
    return item.decision_route or ("分管领导" if mode_of(item.seed_kind).joint else "窗口")


def may_sign(signer: str, place: str, roster: Roster) -> bool:
    """Whether `signer` may authorise people of `place`: itself, or a place above it."""
    return signer == place or (place in roster and signer in roster and roster.is_under(place, signer))


def objections(
    found: AuthorisationUpdate, *, place: str, person: str, item: str, power: str, route: str, on: date
) -> Iterable[str]:
    """Every reason why this authorisation does not carry the act; none if it does."""
    if found.place != place:
        yield f"授权 {found.id} 是 {found.place} 的，不是 {place} 的"
    if found.person != person:
        yield f"授权 {found.id} 不是给 {person} 的"
    if EVERY_ITEM not in found.items and item not in found.items:
        yield f"授权 {found.id} 不含事项 {item}"
    if power not in found.powers:
        yield f"授权 {found.id} 不含“{power}”"
    if power == Power.DECIDE and route in RANKS and RANKS.index(found.rank) < RANKS.index(route):
        yield f"本事项须由{route}决定，授权 {found.id} 只到{found.rank}"
    if not found.since <= on <= found.until:
        yield f"授权 {found.id} 的期限是 {found.since} 至 {found.until}"
    if found.revoked_on is not None and on >= found.revoked_on:
        yield f"授权 {found.id} 已于 {found.revoked_on} 撤销"
