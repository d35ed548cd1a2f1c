"""How values are written for people: Chinese dates, money, durations, masks, codes.

One rule: these are pure functions of their arguments; "now" is passed in. Dates and times are shown as
Asia/Shanghai civil time whatever the zone of the value.
"""

from datetime import date, datetime, timedelta, timezone

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China has kept one offset without summer time since 1991; a village needs no zone database for it."""

WEEKDAYS = "一二三四五六日"
DOUBLE_SURNAMES = frozenset(
    [
        "欧阳",
        "司马",
        "上官",
        "诸葛",
        "东方",
        "皇甫",
        "尉迟",
        "公孙",
        "慕容",
        "令狐",
        "长孙",
        "宇文",
        "司徒",
        "司空",
        "夏侯",
        "闻人",
        "赫连",
        "澹台",
        "公冶",
        "宗政",
        "濮阳",
        "淳于",
        "单于",
        "太叔",
        "申屠",
        "轩辕",
        "钟离",
        "南宫",
        "独孤",
        "呼延",
    ],
)


def local(moment: datetime) -> datetime:
    """The same instant in Asia/Shanghai; ValueError for a naive datetime."""
    if moment.tzinfo is None:
        raise ValueError(f"时刻没有时区：{moment!r}")
    return moment.astimezone(SHANGHAI)


def day(value: date | datetime | None) -> str:
    """2025年3月3日; — for None."""
    if value is None:
        return "—"
    if isinstance(value, datetime):
        value = local(value).date()
    return f"{value.year}年{value.month}月{value.day}日"


def day_of_week(value: date | datetime) -> str:
    """2025年3月3日 星期一."""
    if isinstance(value, datetime):
        value = local(value).date()
    return f"{day(value)} 星期{WEEKDAYS[value.weekday()]}"


def short_day(value: date | datetime | None, now: datetime) -> str:
    """3月3日 in this year, 2024年3月3日 in another; — for None."""
    if value is None:
        return "—"
    if isinstance(value, datetime):
        value = local(value).date()
    return f"{value.month}月{value.day}日" if value.year == local(now).year else day(value)


def moment(value: datetime | None) -> str:
    """2025年3月3日 09:12; — for None."""
    return "—" if value is None else f"{day(value)} {local(value):%H:%M}"


def when(value: datetime | None, now: datetime) -> str:
    """今天 09:12, 昨天 09:12, 3月3日 09:12, or with the year; — for None."""
    if value is None:
        return "—"
    days = (local(now).date() - local(value).date()).days
    head = {0: "今天", 1: "昨天"}.get(days) or short_day(value, now)
    return f"{head} {local(value):%H:%M}"


def iso(value: date | datetime) -> str:
    """For the datetime attribute of <time>."""
    return local(value).isoformat(timespec="seconds") if isinstance(value, datetime) else value.isoformat()


def span(seconds: float) -> str:
    """A duration in its two largest units: 12 分钟, 2 小时 14 分钟, 1 天 3 小时."""
    minutes = max(0, int(seconds) // 60)
    if minutes < 1:
        return "不到 1 分钟"
    if minutes < 60:
        return f"{minutes} 分钟"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} 小时 {minutes} 分钟" if minutes else f"{hours} 小时"
    days, hours = divmod(hours, 24)
    return f"{days} 天 {hours} 小时" if hours else f"{days} 天"


def lasting(since: datetime | None, now: datetime) -> str:
    """How long since then: 12 分钟; — for None."""
    return "—" if since is None else span((now - since).total_seconds())


def ago(value: datetime | None, now: datetime) -> str:
    """刚刚, 5 分钟前, 2 小时前, 3 天前; — for None."""
    if value is None:
        return "—"
    minutes = int((now - value).total_seconds()) // 60
    if minutes < 1:
        return "刚刚"
    if minutes < 60:
        return f"{minutes} 分钟前"
    return f"{minutes // 60} 小时前" if minutes < 24 * 60 else f"{minutes // (24 * 60)} 天前"


def yuan(fen: int) -> str:
    """Money from 分: 1234567 -> 12,345.67 元."""
    sign, fen = ("-", -fen) if fen < 0 else ("", fen)
    return f"{sign}{fen // 100:,}.{fen % 100:02d} 元"


def workdays(count: int) -> str:
    """5 -> 5 个工作日; 0 -> 当日."""
    return f"{count} 个工作日" if count else "当日"


def thousands(count: int | None) -> str:
    """18642 -> 18,642; — for None."""
    return "—" if count is None else f"{count:,}"


def percent(fraction: tuple[int, int]) -> str:
    """(numerator, denominator) -> 97.62%, half up from integers; 无数据 for an empty denominator."""
    part, whole = fraction
    if whole == 0:
        return "无数据"
    hundredths = (2 * part * 10_000 + whole) // (2 * whole)
    return f"{hundredths // 100}.{hundredths % 100:02d}%"


def signed(count: int | None) -> str:
    """A difference: +3, −2, 0; — for None."""
    if count is None:
        return "—"
    return f"+{count}" if count > 0 else f"\N{MINUS SIGN}{-count}" if count < 0 else "0"


def mask_name(name: str) -> str:
    """The surname, the rest starred: 张*, 王**, 欧阳*, 马**·**."""
    if "·" in name:
        first, *rest = name.split("·")
        return "·".join([mask_name(first), *("*" * len(part) for part in rest)])
    keep = 2 if name[:2] in DOUBLE_SURNAMES and len(name) > 2 else 1
    return name[:keep] + "*" * max(1, len(name) - keep) if name else ""


def mask_id(number: str) -> str:
    """First six and last four: 640221********0043; short numbers keep only the last two."""
    if len(number) < 12:
        return "*" * max(0, len(number) - 2) + number[-2:]
    return number[:6] + "*" * (len(number) - 10) + number[-4:]


def mask_phone(number: str) -> str:
    """138****0000; anything else keeps its last four."""
    return f"{number[:3]}****{number[-4:]}" if len(number) == 11 else "****" + number[-4:]


def short_code(place: str) -> str:
    """A 12-digit address in groups: 640221 101 203."""
    return f"{place[:6]} {place[6:9]} {place[9:]}"


def case_no(number: str) -> str:
    """A case number in its parts: 640221101203 20250303 0001 7; other numbers as they are."""
    if len(number) != 25:
        return number
    return f"{number[:12]} {number[12:20]} {number[20:24]} {number[24:]}"


def case_tail(number: str) -> str:
    """The part that tells two cases of one station apart: 20250303-0001-7."""
    return f"{number[12:20]}-{number[20:24]}-{number[24:]}" if len(number) == 25 else number


def fingerprint(digest: str) -> str:
    """A SHA-256 in short: 3F9A 12B0 … C417."""
    return f"{digest[:4]} {digest[4:8]} … {digest[-4:]}".upper()
