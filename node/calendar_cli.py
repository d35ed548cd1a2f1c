"""`liandong calendar`: what the law's clock says, from the command line.

One rule: it answers from the same calendar code as a node, and prints which calendar that was.
"""

from datetime import date
from pathlib import Path

import click
import orjson

from node.calendar_source import official_calendar, regional_file
from protocol.errors import CalendarError, LedgerError
from protocol.ledger import Extension, Ledger, Suspension, dues
from protocol.limits import Limit, Unit
from protocol.workdays import Calendar

HOLIDAYS = Path(__file__).resolve().parent.parent / "data"
_UNITS = {"workday": Unit.WORKDAY, "day": Unit.DAY, "month": Unit.MONTH}


def _day(text: str) -> date:
    """A civil date written 2025-01-20."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"日期应写作 2025-01-20：{text}") from None


def _gap(text: str) -> tuple[date, date]:
    """A pause written FROM..TO; the days after FROM through TO are not counted."""
    start, dots, end = text.partition("..")
    if not dots:
        raise click.BadParameter(f"停表应写作 2025-03-10..2025-03-17：{text}")
    gap = _day(start), _day(end)
    if gap[1] < gap[0]:
        raise click.BadParameter(f"停表的止日早于起日：{text}")
    return gap


def _region(text: str) -> str:
    """A region of 2, 4, 6, 9 or 12 digits, filled up to 12."""
    if len(text) not in (2, 4, 6, 9, 12) or not (text.isascii() and text.isdigit()) or text.startswith("00"):
        raise click.BadParameter(f"地区应为 2、4、6、9 或 12 位区划代码：{text}")
    return text.ljust(12, "0")


@click.group("calendar")
def calendar() -> None:
    """工作日历与办理时限。"""


@calendar.command("due")
@click.argument("accepted", type=_day, metavar="ACCEPTED")
@click.argument("value", type=click.IntRange(0, 3650))
@click.option("--region", type=_region, required=True, metavar="CODE", help="地区代码，如 640200")
@click.option(
    "--unit", type=click.Choice(tuple(_UNITS)), default="workday", show_default=True, help="时限单位"
)
@click.option("--pause", "gaps", type=_gap, multiple=True, metavar="FROM..TO", help="停表 FROM..TO，可多次")
@click.option("--extend", "extra", type=click.IntRange(1, 3650), default=None, help="延期，单位同时限")
@click.option(
    "--holidays", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="地方节假日 CSV"
)
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def due_command(
    accepted: date,
    value: int,
    region: str,
    unit: str,
    gaps: tuple[tuple[date, date], ...],
    extra: int | None,
    holidays: Path | None,
    as_json: bool,
) -> None:
    """受理日 ACCEPTED 起 VALUE 个工作日（日、月）的届满日。受理当日不计。"""
    days = _calendar(region, holidays)
    try:
        limit = Limit(value, _UNITS[unit])
        ledger = Ledger(
            accepted=accepted,
            promised=limit,
            suspensions=tuple(Suspension(f"停表{at}", "命令行", *gap) for at, gap in enumerate(gaps, 1)),
            extension=None
            if extra is None
            else Extension(Limit(extra, limit.unit), accepted, "命令行", "命令行"),
        )
        found = dues(ledger, days, accepted).promised
    except (CalendarError, LedgerError, ValueError, OverflowError) as wrong:
        raise click.ClickException(str(wrong)) from None
    answer = {
        "accepted": accepted.isoformat(),
        "limit": str(limit),
        "due": found.day.isoformat(),
        "provisional": found.provisional,
    }
    note = "（暂定：超出已公布的工作日历）" if found.provisional else ""
    _say(answer, days, f"{found.day}{note}", as_json=as_json)


@calendar.command("elapsed")
@click.argument("a", type=_day)
@click.argument("b", type=_day)
@click.option("--region", type=_region, required=True, metavar="CODE", help="地区代码，如 640200")
@click.option(
    "--holidays", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="地方节假日 CSV"
)
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def elapsed_command(a: date, b: date, region: str, holidays: Path | None, as_json: bool) -> None:
    """A 之后到 B（含）的工作日数。"""
    days = _calendar(region, holidays)
    count = days.between(a, b)
    provisional = not (days.is_published(a) and days.is_published(b))
    answer = {"from": a.isoformat(), "to": b.isoformat(), "working_days": count, "provisional": provisional}
    note = "（暂定：超出已公布的工作日历）" if provisional else ""
    _say(answer, days, f"{count} 个工作日{note}", as_json=as_json)


def _calendar(region: str, holidays: Path | None) -> Calendar:
    path = holidays or regional_file(HOLIDAYS, region)
    try:
        return official_calendar(region, path.read_bytes() if path else None)
    except CalendarError as wrong:
        raise click.ClickException(f"{path}：{wrong}" if path else str(wrong)) from None


def _say(answer: dict[str, object], days: Calendar, text: str, *, as_json: bool) -> None:
    through = days.regional_through
    if as_json:
        source = {
            "calendar": days.version,
            "region": days.region,
            "published_through": days.published_through.isoformat(),
            "regional_through": through.isoformat() if through else None,
        }
        click.echo(orjson.dumps(answer | source).decode())
        return
    regional = f"，地方节假日到 {through}" if through else "，无地方节假日"
    click.echo(
        f"{text}\n工作日历 {days.version}（{days.region}），国家公布到 {days.published_through}{regional}"
    )
