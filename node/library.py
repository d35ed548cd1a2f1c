"""The library (共用书架): catalogues already opened and rosters already built, for all nodes of one process.

One rule: what stands here never changes; a node that wants another takes another.
"""

import asyncio
from collections.abc import Iterable
from weakref import WeakValueDictionary

from protocol.catalogue import Catalogue
from protocol.places import Code, Place
from protocol.roster import Roster

READERS = 2
"""How many nodes of a process read a new edition at once: one works while another waits for its hub."""


class Library:
    """Opened editions by their hash, the rosters that some node still uses, and whose turn it is to read."""

    def __init__(self) -> None:
        self.turns = asyncio.Semaphore(READERS)
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
