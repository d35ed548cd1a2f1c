"""The roster (节点名册): every place of one city, who stands above whom, and which of them are hubs.

One rule: the tree is the data given, never digits. A township may stand directly under the city, a
village directly under a county, and a development zone's code may lie outside its parent's; every
question about the line above a place is answered here and nowhere else. Immutable; all look-ups are
table reads.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from protocol.errors import RosterError
from protocol.places import Code, Place, Tier, prefix


class Roster:
    """Places of one city as a tree; iterates over `Place` in the order given, the city included."""

    __slots__ = (
        "__weakref__",
        "_children",
        "_lines",
        "_places",
        "_preorder",
        "_sorted",
        "_spans",
        "city",
        "hubs",
    )

    city: Place
    hubs: frozenset[Code]

    def __init__(self, places: Iterable[Place], hubs: Iterable[Code] | None = None) -> None:
        """`hubs`: the places that run a hub (枢纽), the city among them; default the city and every county.

        RosterError: a code twice, no city or two, an unknown parent, a parent not of a higher tier,
        an unknown hub, or a city that is no hub.
        """
        given = tuple(places)
        self._places = {place.code: place for place in given}
        if len(self._places) != len(given):
            raise RosterError("区划代码重复")
        self.city = _only_city(given)
        self._children = _children(self._places)
        self._lines = {code: _line(self._places, code) for code in self._places}
        self._preorder, self._spans = _walk(self.city, self._children)
        self._sorted = sorted(self._places)
        self.hubs = _hubs(self._places, hubs)

    def __getitem__(self, code: str) -> Place:
        return self._places[Code(code)]

    def __contains__(self, code: object) -> bool:
        return code in self._places

    def __iter__(self) -> Iterator[Place]:
        return iter(self._places.values())

    def __len__(self) -> int:
        return len(self._places)

    def __repr__(self) -> str:
        return f"Roster({self.city.name}, {len(self)} places)"

    def get(self, code: str) -> Place | None:
        """The place, or None where the roster has none."""
        return self._places.get(Code(code))

    def children(self, code: str) -> tuple[Place, ...]:
        """The places directly below, in the order of the roster."""
        return self._children[Code(code)]

    def ancestors(self, code: str) -> tuple[Place, ...]:
        """The places above, nearest first, without the place itself; ends with the city."""
        return self._lines[Code(code)][1:]

    def line(self, code: str) -> tuple[Place, ...]:
        """The place itself and everything above it, nearest first."""
        return self._lines[Code(code)]

    def is_under(self, code: str, ancestor: str) -> bool:
        """Whether `ancestor` is in the line of `code`; a place is under itself."""
        return any(place.code == ancestor for place in self._lines[Code(code)])

    def subtree(self, code: str) -> tuple[Place, ...]:
        """The place and everything below it, parents before children."""
        start, end = self._spans[Code(code)]
        return self._preorder[start:end]

    def at(self, code: str, tier: Tier) -> Place | None:
        """The member of the line of `code` that has this tier; None where the line skips it."""
        for place in self._lines[Code(code)]:
            if place.tier == tier:
                return place
        return None

    def of_tier(self, tier: Tier) -> tuple[Place, ...]:
        """Every place of one tier, in the order of the roster."""
        return tuple(place for place in self if place.tier == tier)

    def hub_of(self, code: str) -> Place:
        """The nearest hub at or above the place: the one it connects to, or is."""
        return next(place for place in self._lines[Code(code)] if place.code in self.hubs)

    def prefixes(self, code: str) -> tuple[str, ...]:
        """The fewest code prefixes that match the subtree of `code` and no other place of this roster.

        One prefix where the digits agree; full 12-digit codes where they do not. A prefix shorter than
        a code is given only if its owner (the place whose code is that prefix and zeros) is in the
        subtree, so that a place added later does not fall under a stranger. Sorted, none within another.
        """
        inside = {place.code for place in self.subtree(code)}
        found: list[str] = []
        for owned in sorted(
            {prefix(member) for member in inside} | inside, key=lambda text: (len(text), text)
        ):
            covered = any(owned.startswith(shorter) for shorter in found)
            if not covered and all(match in inside for match in self._matching(owned)):
                found.append(owned)
        return tuple(sorted(found))

    def _matching(self, start: str) -> list[Code]:
        """Every code of the roster that begins with `start`."""
        low = bisect_left(self._sorted, start)
        return self._sorted[low : bisect_left(self._sorted, start + ":")]  # ":" follows "9"


def _only_city(places: tuple[Place, ...]) -> Place:
    cities = [place for place in places if place.tier == Tier.CITY]
    if len(cities) != 1:
        raise RosterError(f"应当恰有一个市级，却有 {len(cities)} 个")
    if cities[0].parent is not None:
        raise RosterError(f"市级 {cities[0].code} 不应有上级")
    return cities[0]


def _children(places: dict[Code, Place]) -> dict[Code, tuple[Place, ...]]:
    """Children by parent; the tier rises strictly towards the city, so there can be no cycle."""
    below: dict[Code, list[Place]] = {code: [] for code in places}
    for place in places.values():
        if place.tier == Tier.CITY:
            continue
        parent = places.get(place.parent) if place.parent else None
        if parent is None:
            raise RosterError(f"{place.code} 的上级 {place.parent} 不在名册中")
        if parent.tier >= place.tier:
            raise RosterError(f"{place.code} 的上级 {parent.code} 层级不高于它")
        below[parent.code].append(place)
    return {code: tuple(members) for code, members in below.items()}


def _line(places: dict[Code, Place], code: Code) -> tuple[Place, ...]:
    line = [places[code]]
    while (parent := line[-1].parent) is not None:
        line.append(places[parent])
    return tuple(line)


def _walk(
    city: Place, children: dict[Code, tuple[Place, ...]]
) -> tuple[tuple[Place, ...], dict[Code, tuple[int, int]]]:
    """All places, parents first, and for each code the slice that is its subtree."""
    order: list[Place] = []
    spans: dict[Code, tuple[int, int]] = {}

    def visit(place: Place) -> None:
        start = len(order)
        order.append(place)
        for child in children[place.code]:
            visit(child)
        spans[place.code] = (start, len(order))

    visit(city)
    return tuple(order), spans


def _hubs(places: dict[Code, Place], hubs: Iterable[Code] | None) -> frozenset[Code]:
    if hubs is None:
        return frozenset(code for code, place in places.items() if place.tier <= Tier.COUNTY)
    chosen = frozenset(hubs)
    for code in sorted(chosen - places.keys()):
        raise RosterError(f"枢纽 {code} 不在名册中")
    if not any(places[code].tier == Tier.CITY for code in chosen):
        raise RosterError("市级必须是枢纽")
    return chosen
