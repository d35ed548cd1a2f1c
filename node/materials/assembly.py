"""Putting pieces together (拼接): whatever order they come in, however often, the bytes come out in theirs.

One rule: what is on the disk is contiguous from the first byte, so its length is the whole memory of a transfer;
what came early waits in memory, within a bound, and is asked for again after a restart.
"""

from dataclasses import dataclass, field

from protocol.blobs import MAX_RANGES, Span


@dataclass(slots=True)
class Assembly:
    """One blob on its way: `have` bytes of `size` are safe, some that came early wait."""

    size: int
    have: int = 0
    room: int = 2 * 1024 * 1024
    """How many early bytes are kept."""
    _early: dict[int, bytes] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether every byte is there."""
        return self.have == self.size

    def add(self, at: int, data: bytes) -> bytes:
        """The bytes that now follow on from `have`, empty if there are none; the caller writes them down."""
        if at < 0 or at + len(data) > self.size or not data:
            return b""
        if at > self.have:
            if sum(map(len, self._early.values())) + len(data) <= self.room:
                self._early[at] = max(self._early.get(at, b""), data, key=len)
            return b""
        found = [data[self.have - at :]]
        end = max(self.have, at + len(data))
        for start in sorted(self._early):
            if start > end:
                break
            early = self._early.pop(start)
            found.append(early[end - start :])
            end = max(end, start + len(early))
        self.have = end
        return b"".join(found)

    def missing(self, most: int) -> tuple[Span, ...]:
        """The first ranges that are not here, at most `most` bytes of them."""
        found: list[Span] = []
        at = self.have
        for start, data in [*sorted(self._early.items()), (self.size, b"")]:
            if start > at and most > 0 and len(found) < MAX_RANGES:
                found.append((at, min(start, at + most)))
                most -= found[-1][1] - at
            at = max(at, start + len(data))
        return tuple(found)

    def restart(self) -> None:
        """Forget everything: what came was not the blob."""
        self.have, self._early = 0, {}
