"""The channels of others to us: which numbers are here, which are new, where the gaps are.

One rule: a number means one event. The first that came under it stands; a second meaning is set aside.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from sqlalchemy import delete, select

from node.db import table_of, upsert
from node.exchange.arrivals import BARRED, Arrival, Entry
from node.exchange.aside import Unbelievable, set_aside
from node.exchange.model import ChannelRow, EventRow
from node.work import Work

CHUNK = 500


class Channels:
    """The channels a batch touches: which numbers are here, which are new, where the gaps are."""

    def __init__(self, work: Work, entries: list[Entry]) -> None:
        self._work = work
        self._entries = entries
        self._numbers: dict[tuple[str, str], list[int]] = defaultdict(list)
        for one in entries:
            self._numbers[one.event.frm, one.event.ep].append(one.seq)
        self._known = self._channels()

    def _channels(self) -> dict[tuple[str, str], tuple[int, int]]:
        """(upto, highest) of what is known of these senders."""
        channel = table_of(ChannelRow).c
        columns = (channel.frm, channel.ep, channel.upto, channel.highest)
        senders = sorted({frm for frm, _ in self._numbers})
        found: dict[tuple[str, str], tuple[int, int]] = {}
        for at in range(0, len(senders), CHUNK):
            query = select(*columns).where(channel.frm.in_(senders[at : at + CHUNK]))
            found |= {(row.frm, row.ep): (row.upto, row.highest) for row in self._work.session.execute(query)}
        return found

    def without_repeats(self) -> list[Entry]:
        """The entries that are not here yet; a second meaning for a number is set aside, the first stands.

        What was barred and comes again under a certificate that entitles it is as good as new.
        """
        here, barred = self._here()
        fresh: list[Entry] = []
        for one in self._entries:
            key = (one.event.frm, one.event.ep, one.seq)
            if key in barred and here[key] == one.event.hash and isinstance(one, Arrival):
                self._forget(key)
                barred.discard(key)
                fresh.append(one)
            elif key not in here:
                here[key] = one.event.hash
                fresh.append(one)
            elif here[key] != one.event.hash:
                set_aside(self._work, [_conflict(one)])
        return fresh

    def _here(self) -> tuple[dict[tuple[str, str, int], str], set[tuple[str, str, int]]]:
        """The events that are here among the numbers that came, by name; and which of them were barred."""
        here: dict[tuple[str, str, int], str] = {}
        barred: set[tuple[str, str, int]] = set()
        for (frm, ep), numbers in self._numbers.items():
            _, highest = self._known.get((frm, ep), (0, 0))
            if min(numbers) > highest:
                continue  # above it nothing of this channel can be here
            for number, name, rule in self._stored(frm, ep, numbers):
                here[frm, ep, number] = name
                if rule in BARRED:
                    barred.add((frm, ep, number))
        return here, barred

    def _stored(self, frm: str, ep: str, numbers: list[int]) -> Iterator[tuple[int, str, str]]:
        event = table_of(EventRow).c
        for part in _close_together(numbers):
            query = select(event.ord, event.hash, event.rule).where(
                event.frm == frm, event.ep == ep, event.ord.between(part[0], part[-1])
            )
            yield from ((row.ord, row.hash, row.rule) for row in self._work.session.execute(query))

    def _forget(self, key: tuple[str, str, int]) -> None:
        event = table_of(EventRow)
        frm, ep, number = key
        self._work.session.execute(
            delete(event).where(event.c.frm == frm, event.c.ep == ep, event.c.ord == number)
        )

    def store(self, fresh: list[Entry]) -> None:
        """Move each channel's contiguous end, and mark it for a receipt (repeats too: the sender missed ours)."""
        came: dict[tuple[str, str], set[int]] = defaultdict(set)
        for one in fresh:
            came[one.event.frm, one.event.ep].add(one.seq)
        rows = []
        for frm, ep in self._numbers:
            upto, highest = self._known.get((frm, ep), (0, 0))
            numbers = came[frm, ep]
            if highest > upto:
                numbers = self._above(frm, ep, upto)
            while upto + 1 in numbers:
                upto += 1
            rows.append(
                {
                    "frm": frm,
                    "ep": ep,
                    "upto": upto,
                    "highest": max(highest, *self._numbers[frm, ep]),
                    "changes": 1,
                    "last_at": self._work.now,
                }
            )
        upsert(
            self._work.session,
            ChannelRow,
            rows,
            ["frm", "ep"],
            ["upto", "highest", "last_at"],
            add=["changes"],
        )

    def _above(self, frm: str, ep: str, upto: int) -> set[int]:
        event = table_of(EventRow).c
        found = self._work.session.execute(
            select(event.ord).where(event.frm == frm, event.ep == ep, event.ord > upto)
        ).scalars()
        return set(found)


def _close_together(numbers: list[int], apart: int = 1000) -> Iterable[list[int]]:
    """The numbers, sorted, cut wherever two neighbours lie far apart, so that nobody can make us read everything."""
    found: list[int] = []
    for number in sorted(numbers):
        if found and number - found[-1] > apart:
            yield found
            found = []
        found.append(number)
    if found:
        yield found


def _conflict(one: Entry) -> Unbelievable:
    reason = f"第 {one.seq} 号已有另一个事件（对方的数据库可能被回退）"
    return Unbelievable(one.event.raw, one.event.frm, "", "P-15", reason)
