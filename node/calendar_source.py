"""Where a calendar comes from: the national notices (PyPI `chinesecalendar`) and one regional CSV.

One rule: this is the only module that knows the source; everything else works with `Calendar`. The
city's officer publishes what is built here, and every node below counts with that publication.
"""

import csv
import io
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from chinese_calendar import constants

from protocol.errors import CalendarError
from protocol.workdays import Calendar, RegionalDay, make_calendar

_COLUMNS = ("region", "date", "name")


def official_calendar(region: str, regional_csv: bytes | None = None) -> Calendar:
    """The calendar of `region` (12 digits) from all published national notices and the regional CSV.

    A regional row counts if its region is `region` or lies above it. `regional_through` is the end of the
    last year that the CSV speaks of. CalendarError with line and reason if the CSV is wrong.
    """
    first = date(min(constants.holidays).year, 1, 1)
    last = date(max(constants.holidays).year, 12, 31)
    extras = [] if regional_csv is None else list(read_regional(regional_csv, region))
    return make_calendar(
        region,
        first,
        last,
        off=constants.holidays,
        work=constants.workdays,
        regional=[extra for extra in extras if extra.day <= last],
        regional_through=max((date(extra.day.year, 12, 31) for extra in extras), default=None),
    )


def regional_file(folder: Path, region: str) -> Path | None:
    """The province's `regional-holidays-<province>0000.csv` in `folder`, if there is one."""
    path = folder / f"regional-holidays-{region[:2]}0000.csv"
    return path if path.is_file() else None


def read_regional(raw: bytes, region: str) -> Iterator[RegionalDay]:
    """The rows of a regional holidays CSV that apply to `region`.

    Columns region,date,name and optionally works (1 for a make-up workday). CalendarError with line and
    reason: encoding, column, region, date, name, the same day twice for one region.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise CalendarError(f"第 {line} 行：不是 UTF-8 编码，请另存为 UTF-8") from None
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey="_more", restval="")
    missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise CalendarError(f"第 1 行：缺少列 {missing[0]}（表头应为 region,date,name）")
    seen: set[tuple[str, date]] = set()
    for row in reader:
        where, extra = _regional_row(reader.line_num, row)
        if (where, extra.day) in seen:
            raise CalendarError(f"第 {reader.line_num} 行：{where} 的 {extra.day} 已经写过")
        seen.add((where, extra.day))
        if _covers(where, region):
            yield extra


def _regional_row(line: int, row: dict[str, str]) -> tuple[str, RegionalDay]:
    if "_more" in row:
        raise CalendarError(f"第 {line} 行：列数多于表头")
    where, day, name = (row[column].strip() for column in _COLUMNS)
    works = (row.get("works") or "").strip()
    if not (len(where) == 12 and where.isascii() and where.isdigit()):
        raise CalendarError(f"第 {line} 行：地区应为 12 位代码：{where!r}")
    try:
        parsed = date.fromisoformat(day)
    except ValueError:
        raise CalendarError(f"第 {line} 行：日期应写作 2025-03-31：{day!r}") from None
    if not name:
        raise CalendarError(f"第 {line} 行：没有写节日名称")
    if works not in ("", "0", "1"):
        raise CalendarError(f"第 {line} 行：works 应为 0 或 1：{works!r}")
    return where, RegionalDay(parsed, name, works == "1")


def _covers(wide: str, region: str) -> bool:
    """Whether `region` is `wide` or lies in it, by digits: calendars are made for provinces and cities."""
    for end in (2, 4, 6, 9):
        if not wide[end:].strip("0"):
            return region.startswith(wide[:end])
    return wide == region
