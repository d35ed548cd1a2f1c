"""The demo's clock: real time, but for the days it was put forward, so that limits and lights can be seen to move.

One rule: it goes forward only. What it was put on by is kept with the demo's data, for all its nodes alike.
"""

import math
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from hub.demo.city import DemoError
from node.work import CIVIL, civil_date, utc_now

OPENING = time(9)
"""The hour at which a day that was chosen begins."""


class DemoClock:
    """A clock for `Node`, ahead of the real one by what its file says; `refresh` reads that again."""

    def __init__(self, data: Path) -> None:
        self._path = data / "clock-ahead-seconds"
        self._ahead = timedelta()
        self.refresh()

    def __call__(self) -> datetime:
        """Now, in UTC."""
        return utc_now() + self._ahead

    def refresh(self) -> bool:
        """Take over what the file says; whether the clock has moved."""
        before = self._ahead
        if self._path.exists():
            self._ahead = timedelta(seconds=int(self._path.read_text()))
        return self._ahead != before

    def put_on(self, day: date) -> datetime:
        """Nine in the morning (Asia/Shanghai) of a later day, from now on; DemoError if that is no later day."""
        now = self()
        if day <= civil_date(now):
            raise DemoError(f"演示的日期已是 {civil_date(now)}，只能往后拨")
        until = datetime.combine(day, OPENING, CIVIL).astimezone(UTC)
        ahead = self._ahead + (until - now)
        self._path.write_text(str(math.ceil(ahead.total_seconds())))
        self.refresh()
        return self()
