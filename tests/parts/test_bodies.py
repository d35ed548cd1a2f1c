"""A day on the wire has one spelling, in skeletons and in the clock that begins with an acceptance."""

from datetime import date
from typing import Any

import pytest

from protocol.clockwork import opened
from protocol.errors import EnvelopeError, LedgerError
from protocol.ledger import Ledger, ledger_document
from protocol.limits import Limit
from protocol.messages import STEPS, CaseAccepted, read_body

DAY = date(2026, 3, 2)
CLOCK = ledger_document(Ledger(DAY, Limit(10), Limit(20)))


def accepted(clock: dict[str, Any], on: Any = "2026-03-02") -> Any:
    return read_body(
        STEPS["case.accepted"],
        {"on": on, "by": "1", "due": "2026-03-16", "calendar": "c", "clock": clock, "item_hash": "a" * 64},
    )


def test_a_day_is_read() -> None:
    assert accepted(CLOCK).on == DAY
    assert CaseAccepted.model_validate(accepted(CLOCK).model_dump()).on == DAY


@pytest.mark.parametrize(
    "on", ["1740009600", "0", "20260302", "2026-3-2", "2026-02-30", "2026-03-02T00:00:00", 1740009600, None]
)
def test_a_day_in_other_words(on: Any) -> None:
    with pytest.raises(EnvelopeError, match="P-14 on"):
        accepted(CLOCK, on)


@pytest.mark.parametrize(
    "change",
    [
        {"accepted": "20260302"},
        {"accepted": "2026-W10-1"},
        {"suspensions": {}},
        {"stretches": ""},
        {"stopped": False},
        {"stopped": "2026-03-02"},
        {"statutory": 0},
        {"more": 1},
    ],
)
def test_a_clock_in_other_words(change: dict[str, Any]) -> None:
    assert opened(accepted(CLOCK)).accepted == DAY
    with pytest.raises(LedgerError):
        opened(accepted({**CLOCK, **change}))
