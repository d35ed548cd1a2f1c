"""Who decides, who first receives, who may hold a case next, and who hears of it.

One rule: exactly one place is competent (有权决定) for an item, a place and a day. Power lies at the item's
home tier; a deed in force hands it down to a place in the line, the latest deed about that place counts,
and 收回 ends it on its day. Where the line skips the home tier, the nearest existing tier that may hold
the power takes it, upwards first; a village never decides a licence; the city is there for the rest.
"""

from dataclasses import dataclass
from datetime import date

from protocol.catalogue import Catalogue, Deed, DeedForm, Item, Rule, Status
from protocol.errors import RoutingError
from protocol.places import Code, Place, Tier
from protocol.roster import Roster


@dataclass(frozen=True, slots=True)
class Route:
    """Where a case goes: who takes it in and reviews it, who decides, and why, for people."""

    receives: Place
    decides: Place
    why: str


@dataclass(frozen=True, slots=True)
class HandOver:
    """The last hand-over (移交) of a case: to whom, under which edition, on which civil day."""

    to: Code
    edition: int
    on: date


def competent(
    catalogue: Catalogue, roster: Roster, item_id: str, place: str, on: date, accepted: date | None = None
) -> Place:
    """The one place that decides this item for `place` on this day.

    `accepted`: the day a running case was accepted; deeds whose rule is `stay` then count as they stood
    on that day, deeds whose rule is `move` as of `on`. RoutingError: unknown item or place.
    """
    rule = catalogue.rule(item_id)
    if rule is None or place not in roster:
        raise _unknown(catalogue, item_id, place)
    return _decider(rule, roster.line(place), on, accepted or on)


def route(
    catalogue: Catalogue, roster: Roster, item_id: str, place: str, on: date, accepted: date | None = None
) -> Route:
    """First receiver and decider of this item for `place` on this day; arguments as for `competent`.

    Only an item that the law has accepted and reviewed below (法定下级受理) and that is decided above the
    township is first received by the township of the place, where there is one.
    """
    decides = competent(catalogue, roster, item_id, place, on, accepted)
    rule = catalogue.rule(item_id)
    if rule is not None and rule.lower_accept and decides.tier < Tier.TOWNSHIP:
        township = roster.at(place, Tier.TOWNSHIP)
        if township is not None:
            return Route(township, decides, f"依法由{township.name}受理并初审，报{decides.name}决定")
    return Route(decides, decides, f"由{decides.name}受理并决定")


def next_holder(way: Route, holder: str, *, reviewed: bool = False) -> Place | None:
    """To whom `holder` hands the case on this route; None if the holder is the one who decides.

    `reviewed`: the lower review is done, so that the case goes straight to the decider.
    """
    if holder == way.decides.code:
        return None
    return way.decides if reviewed or holder == way.receives.code else way.receives


def hand_over(
    catalogue: Catalogue,
    roster: Roster,
    item_id: str,
    place: str,
    holder: str,
    to: str,
    on: date,
    previous: HandOver | None = None,
    *,
    accepted: date | None = None,
    reviewed: bool = False,
) -> HandOver:
    """The hand-over from `holder` to `to` if it may be made; RoutingError says why it may not.

    It may only go where the catalogue sends the case next, and neither its edition nor its day may be
    older than those of the previous hand-over. Each edition has one decider for a day, so a case cannot
    go round: to come back takes a newer edition, or a deed whose day has come since.
    """
    if previous is not None:
        if catalogue.edition < previous.edition:
            raise RoutingError(
                f"移交须依据不早于第 {previous.edition} 版的目录，本节点为第 {catalogue.edition} 版"
            )
        if on < previous.on:
            raise RoutingError(f"移交日期 {on} 早于上次移交的 {previous.on}")
    way = route(catalogue, roster, item_id, place, on, accepted)
    target = next_holder(way, holder, reviewed=reviewed)
    if target is None:
        raise RoutingError(f"按第 {catalogue.edition} 版目录，本件由{way.decides.name}决定，无须移交")
    if target.code != to:
        raise RoutingError(f"按第 {catalogue.edition} 版目录，本件只能移交{target.name}（{target.code}）")
    return HandOver(target.code, catalogue.edition, on)


def may_hand_over(
    catalogue: Catalogue,
    roster: Roster,
    item_id: str,
    place: str,
    holder: str,
    to: str,
    on: date,
    previous: HandOver | None = None,
    *,
    accepted: date | None = None,
    reviewed: bool = False,
) -> bool:
    """Whether `hand_over` would succeed."""
    try:
        hand_over(
            catalogue, roster, item_id, place, holder, to, on, previous, accepted=accepted, reviewed=reviewed
        )
    except RoutingError:
        return False
    return True


def hearers(roster: Roster, origin: str, holder: str, *others: str) -> tuple[Place, ...]:
    """Everyone who hears a step: the lines of origin, holder and others up to the city, each place once.

    RoutingError if one of them is not in the roster.
    """
    found: dict[Code, Place] = {}
    for code in (origin, holder, *others):
        if code not in roster:
            raise RoutingError(f"{code} 不在节点名册中")
        found.update((place.code, place) for place in roster.line(code))
    return tuple(found.values())


def check_filing(item: Item, at: Place, *, by_agent: bool) -> None:
    """RoutingError if this item may not be filed here in this way.

    The item is not in use, it must be filed in person (不得代办), or the village only explains it.
    """
    if item.status is not Status.ACTIVE:
        raise RoutingError(f"“{item.name}”现为{item.status.value}状态，不能申请")
    if by_agent and not item.proxy_allowed:
        raise RoutingError(f"“{item.name}”须申请人本人办理，不得代办")
    if at.tier is Tier.VILLAGE and not item.village_receives:
        raise RoutingError(f"“{item.name}”村（社区）只作告知，不收件，请到上级政务服务大厅办理或网上申请")


def _unknown(catalogue: Catalogue, item_id: str, place: str) -> RoutingError:
    if catalogue.rule(item_id) is None:
        return RoutingError(f"第 {catalogue.edition} 版目录中没有事项 {item_id}")
    return RoutingError(f"{place} 不在节点名册中")


def _decider(rule: Rule, line: tuple[Place, ...], on: date, accepted: date) -> Place:
    """Walks from the holder of the power down the line, wherever a deed of someone at or above it leads."""
    at = _home(rule, line, on, accepted)
    if rule.deeds:
        for lower in range(at - 1, -1, -1):
            if _given(rule, line, lower, at, on, accepted):
                at = lower
    return line[at]


def _home(rule: Rule, line: tuple[Place, ...], on: date, accepted: date) -> int:
    """The index in the line of the place that holds the power where no deed moves it."""
    last = len(line) - 1
    above = last
    for at, place in enumerate(line):
        if place.tier == rule.home:
            return at
        if place.tier < rule.home:
            above = at
            break
    for at in range(above, last + 1):
        if line[at].tier in rule.levels:
            return at
    for at in range(above - 1, -1, -1):
        place = line[at]
        fits = place.tier <= rule.decision and place.tier in rule.levels and _may_decide(rule, place)
        if fits and not _taken_back(rule, line, at, on, accepted):
            return at
    return above


def _may_decide(rule: Rule, place: Place) -> bool:
    return place.tier < Tier.VILLAGE or not rule.licence


def _given(rule: Rule, line: tuple[Place, ...], lower: int, at: int, on: date, accepted: date) -> bool:
    """Whether the latest deed in force about line[lower], by someone at or above line[at], gives it the power."""
    if not _may_decide(rule, line[lower]):
        return False
    for deed in rule.deeds:
        if _applies(deed, line, lower, at, on, accepted):
            return deed.form is not DeedForm.RECALL
    return False


def _taken_back(rule: Rule, line: tuple[Place, ...], lower: int, on: date, accepted: date) -> bool:
    for deed in rule.deeds:
        if _applies(deed, line, lower, lower + 1, on, accepted):
            return deed.form is DeedForm.RECALL
    return False


def _applies(deed: Deed, line: tuple[Place, ...], lower: int, at: int, on: date, accepted: date) -> bool:
    place, every, giver = line[lower], deed.to_every, deed.giver
    if every is not None and place.tier != every:
        return False
    if every is None and place.code not in deed.to:
        return False
    for upper in line[at:]:  # most deeds fall here: they are another county's
        if upper.code == giver:
            return deed.in_force(accepted if deed.in_flight == "stay" else on)
    return False
