"""The library (共用书架): catalogues already opened and rosters already built, for all nodes of one process.

One rule: what stands here never changes; a node that wants another takes another.
"""

from collections.abc import Iterable
from weakref import WeakValueDictionary

from protocol.catalogue import Catalogue
from protocol.places import Code, Place
from protocol.roster import Roster


class Library:
    """Opened editions by their hash, and the rosters that some node still uses."""

    def __init__(self) -> None:
        self.catalogues: dict[str, Catalogue] = {}
        self._rosters: WeakValueDictionary[tuple[tuple[Place, ...], frozenset[Code]], Roster] = (
            WeakValueDictionary()
        )

    def roster(self, places: Iterable[Place], hubs: Iterable[Code]) -> Roster:
        """The roster of these; RosterError if they do not form a tree."""
        name = (tuple(places), frozenset(hubs))
        found = self._rosters.get(name)
        if found is None:
            found = self._rosters[name] = Roster(*name)
        return found
