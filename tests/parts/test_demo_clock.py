"""The demo's clock is put on by whole days, for all its nodes, and never back."""

from datetime import timedelta
from pathlib import Path

import pytest

from hub.demo.city import DemoError
from hub.demo.clock import DemoClock
from node.work import CIVIL, civil_date


def test_it_is_put_on_to_the_morning_of_a_later_day(tmp_path: Path) -> None:
    clock, other = DemoClock(tmp_path), DemoClock(tmp_path)
    later = civil_date(clock()) + timedelta(3)
    told = clock.put_on(later).astimezone(CIVIL)
    assert (told.date(), told.hour) == (later, 9)
    assert civil_date(other()) < later
    assert other.refresh()
    assert civil_date(other()) == civil_date(DemoClock(tmp_path)()) == later


def test_it_does_not_go_back(tmp_path: Path) -> None:
    clock = DemoClock(tmp_path)
    with pytest.raises(DemoError, match="只能往后拨"):
        clock.put_on(civil_date(clock()))
    assert not list(tmp_path.iterdir())
