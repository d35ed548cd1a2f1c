"""Files and bodies from outside, changed at random: refused by name, never a crash of another kind."""

import json
from contextlib import suppress
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.calendar_source import official_calendar, read_regional
from protocol.divisions import check_divisions, read_divisions
from protocol.errors import CalendarError, CatalogueError, DivisionsError, LedgerError
from protocol.identity import IdentityError, check_case_no, check_credit_code, check_id_no, check_phone
from protocol.items import read_items
from protocol.ledger import (
    Extension,
    Ledger,
    Suspension,
    dues,
    ledger_document,
    light,
    read_ledger,
    remaining,
)
from protocol.limits import Limit
from protocol.workdays import calendar_document, read_calendar

DATA = Path(__file__).parents[2] / "data"
ROWS = (DATA / "divisions-640200-shizuishan.csv").read_bytes().splitlines(keepends=True)[:12]
ITEMS: dict[str, Any] = json.loads((DATA / "items.json").read_bytes())
CALENDAR = official_calendar("640200000000")

quick = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
scraps = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.text(max_size=12)
    | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=4,
)


def spoiled(draw: st.DataObject, body: Any) -> Any:
    """`body` with one value, anywhere, replaced or left out."""
    if not isinstance(body, dict | list) or not body or draw.draw(st.integers(0, 5)) == 0:
        return draw.draw(scraps)
    at = draw.draw(st.sampled_from(list(body) if isinstance(body, dict) else list(range(len(body)))))
    copy = body.copy()
    if draw.draw(st.integers(0, 7)) == 0:
        del copy[at]
    else:
        copy[at] = spoiled(draw, body[at])
    return copy


@quick
@given(st.binary(max_size=12), st.integers(0, 400), st.integers(0, 12))
def test_divisions(noise: bytes, at: int, cut: int) -> None:
    raw = b"".join(ROWS)
    changed = raw[:at] + noise + raw[at + cut :]
    errors = check_divisions(changed)
    if errors:
        with pytest.raises(DivisionsError):
            read_divisions(changed)
        assert all(error.line >= 1 and error.reason for error in errors)
    else:
        assert len(read_divisions(changed)) >= 1


@quick
@given(st.data())
def test_items(draw: st.DataObject) -> None:
    few = ITEMS | {"items": ITEMS["items"][:2]}
    with suppress(CatalogueError):
        read_items(json.dumps(spoiled(draw, few)).encode())


@quick
@given(st.data())
def test_ledgers(draw: st.DataObject) -> None:
    good = Ledger(
        date(2025, 3, 3),
        Limit(5),
        Limit(20),
        (
            Suspension("听证", "45", date(2025, 3, 4), date(2025, 3, 6)),
            Suspension("检测", "45", date(2025, 3, 5)),
        ),
        Extension(Limit(10), date(2025, 3, 5), "局长", "复杂"),
    )
    body = spoiled(draw, ledger_document(good))
    try:
        ledger = read_ledger(body if isinstance(body, dict) else {})
    except LedgerError:
        return
    for today in (date(2025, 3, 1), date(2026, 1, 1)):
        assert dues(ledger, CALENDAR, today).promised.day >= ledger.accepted
        light(ledger, CALENDAR, today)
        remaining(ledger, CALENDAR, today)


@quick
@given(st.data())
def test_calendars(draw: st.DataObject) -> None:
    body = spoiled(draw, calendar_document(CALENDAR))
    try:
        calendar = read_calendar(body if isinstance(body, dict) else {})
    except CalendarError:
        return
    assert calendar.add(date(2025, 1, 20), 20).day > date(2025, 1, 20)


@quick
@given(st.binary(max_size=40))
def test_regional_files(noise: bytes) -> None:
    for raw in (noise, b"region,date,name\n" + noise):
        with suppress(CalendarError):
            list(read_regional(raw, "640200000000"))


@quick
@given(st.text(max_size=30))
def test_numbers(text: str) -> None:
    for check in (
        partial(check_id_no, today=date(2025, 1, 1)),
        check_credit_code,
        check_case_no,
        check_phone,
    ):
        with suppress(IdentityError):
            check(text)


@pytest.mark.parametrize("sign", "0123456789XY")
def test_one_sign_repeated_is_nobody(sign: str) -> None:
    for check in (partial(check_id_no, today=date(2025, 1, 1)), check_credit_code):
        with pytest.raises(IdentityError):
            check(sign * 18)
