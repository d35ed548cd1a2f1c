"""Divisions files (区划表): any city's list of places as CSV, read into a `Roster`.

One rule: a wrong file is refused whole, with the line and the reason, and nothing is guessed. Columns
code,name,level,parent in any order; levels city|county|township|village, the Chinese words, or 3-6 of
GB/T 39046-2020 A.2. Digits are compared with the level only where they speak: seats of zones (segment
400 and above) may be of more than one level, and a parent may have quite other digits.
"""

import csv
import io
from dataclasses import dataclass

from protocol.errors import DivisionsError
from protocol.places import Code, Place, Tier, is_code, prefix
from protocol.roster import Roster

_COLUMNS = {
    "code": ("code", "代码", "区划代码"),
    "name": ("name", "名称", "区划名称"),
    "level": ("level", "层级", "级别"),
    "parent": ("parent", "上级", "上级代码"),
}
_LEVELS = {
    Tier.CITY: ("3", "city", "市", "市级", "地级市", "设区的市", "自治州", "地区", "盟"),
    Tier.COUNTY: (
        "4",
        "county",
        "县",
        "区",
        "县级",
        "区县",
        "县区",
        "县级市",
        "市辖区",
        "自治县",
        "旗",
        "开发区",
    ),
    Tier.TOWNSHIP: (
        "5",
        "township",
        "乡",
        "镇",
        "街道",
        "乡镇",
        "镇级",
        "乡级",
        "乡镇街道",
        "民族乡",
        "苏木",
    ),
    Tier.VILLAGE: ("6", "village", "村", "社区", "村级", "居委会", "村委会", "村社区", "嘎查"),
}
_TIERS = {word: tier for tier, words in _LEVELS.items() for word in words}


@dataclass(frozen=True, slots=True)
class _Row:
    """One line that could be read; a field that was wrong is None and already reported."""

    line: int
    code: str
    name: str
    tier: Tier | None
    parent: str


def read_divisions(raw: bytes) -> Roster:
    """The roster of a divisions file; DivisionsError for the first line that is wrong."""
    rows, errors = _examine(raw)
    if errors:
        raise errors[0]
    return Roster(
        Place(Code(row.code), row.name, row.tier, None if row.tier is Tier.CITY else Code(row.parent))
        for row in rows
        if row.tier is not None
    )


def check_divisions(raw: bytes) -> list[DivisionsError]:
    """Everything that is wrong with a divisions file, in the order of its lines; empty if it is usable."""
    return _examine(raw)[1]


def strangers(roster: Roster) -> tuple[Place, ...]:
    """Places whose digits do not lie under their parent's: right for zones, else worth a second look."""
    return tuple(
        place for place in roster if place.parent and not place.code.startswith(prefix(place.parent))
    )


def _examine(raw: bytes) -> tuple[list[_Row], list[DivisionsError]]:
    """Rows and errors, both by line; with an error in the frame of the file there are no rows."""
    try:
        rows, errors = _rows(_text(raw))
    except DivisionsError as error:
        return [], [error]
    errors += _tree_errors(rows)
    return rows, sorted(errors, key=lambda error: error.line)


def _text(raw: bytes) -> str:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise DivisionsError(1, "文件是 UTF-16 编码，请另存为 UTF-8")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
    try:
        raw.decode("gb18030")
    except UnicodeDecodeError:
        raise DivisionsError(line, "不是 UTF-8 编码") from None
    raise DivisionsError(line, "不是 UTF-8 编码，像是 GBK（GB18030），请另存为 UTF-8")


def _rows(text: str) -> tuple[list[_Row], list[DivisionsError]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[_Row] = []
    errors: list[DivisionsError] = []
    where: dict[str, int] | None = None
    width = 0
    try:
        for cells in reader:
            line = reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if where is None:
                where, width = _header(line, cells), len(cells)
            elif len(cells) != width:
                errors.append(DivisionsError(line, f"应有 {width} 列，却有 {len(cells)} 列"))
            else:
                row, wrong = _row(line, {name: cells[at].strip() for name, at in where.items()})
                rows.append(row)
                errors += wrong
    except csv.Error as error:
        errors.append(DivisionsError(max(reader.line_num, 1), f"不是合格的 CSV：{error}"))
    if where is None and not errors:
        errors.append(DivisionsError(1, "文件是空的"))
    return rows, errors


def _header(line: int, cells: list[str]) -> dict[str, int]:
    """The position of each column; DivisionsError if one is missing or there twice."""
    names = [cell.strip().lower() for cell in cells]
    where = {}
    for column, aliases in _COLUMNS.items():
        at = [index for index, name in enumerate(names) if name in aliases]
        if not at:
            raise DivisionsError(line, f"缺少列 {column}（表头应为 code,name,level,parent）")
        if len(at) > 1:
            raise DivisionsError(line, f"列 {column} 出现了 {len(at)} 次")
        where[column] = at[0]
    return where


def _row(line: int, cells: dict[str, str]) -> tuple[_Row, list[DivisionsError]]:
    """One line by itself: code, name, level, and the digits against the level."""
    code, name, parent = cells["code"], cells["name"], cells["parent"]
    tier = _TIERS.get(cells["level"].lower())
    reasons = []
    if not is_code(code):
        reasons.append(f"区划代码应为 12 位数字：{code!r}{_spreadsheet_hint(code)}")
    if not name:
        reasons.append(f"{code} 没有名称")
    elif not name.isprintable():
        reasons.append(f"{code} 的名称里有不可见字符：{name!r}")
    if tier is None:
        reasons.append(f"层级 {cells['level']!r} 不认识，应为 city、county、township、village 或 3-6")
    elif is_code(code) and tier not in (spoken := _spoken(code)):
        words = "或".join(level.label for level in spoken)
        reasons.append(f"{code} 的数字表示{words}，却写作{tier.label}")
    if parent and not is_code(parent) and tier is not Tier.CITY:
        reasons.append(f"上级代码应为 12 位数字：{parent!r}{_spreadsheet_hint(parent)}")
    return _Row(line, code, name, tier, parent), [DivisionsError(line, reason) for reason in reasons]


def _spreadsheet_hint(text: str) -> str:
    return "（表格软件改写了数字，请把该列设为文本）" if "E+" in text.upper() or "." in text else ""


def _spoken(code: str) -> tuple[Tier, ...]:
    """The tiers that the digits allow.

    Segments from 400 up are units of government and enterprise in one (政企合一), zones and the like,
    which a city may run as a level of their own; 90 in the city segment marks county-level cities run
    by the province (省直辖县级市), which are the city of their own network.
    """
    if code[9:] != "000":
        return (Tier.VILLAGE,) if code[9:] < "400" else (Tier.TOWNSHIP, Tier.VILLAGE)
    if code[6:9] != "000":
        return (Tier.TOWNSHIP,) if code[6:9] < "400" else (Tier.COUNTY, Tier.TOWNSHIP)
    if code[4:6] != "00":
        return (Tier.CITY, Tier.COUNTY) if code[2:4] == "90" else (Tier.COUNTY,)
    return (Tier.CITY,)


def _tree_errors(rows: list[_Row]) -> list[DivisionsError]:
    """What only shows between lines: doubles, cities, parents, tiers, cycles."""
    first: dict[str, _Row] = {}
    errors = []
    for row in rows:
        seen = first.setdefault(row.code, row)
        if seen is not row:
            errors.append(DivisionsError(row.line, f"区划代码 {row.code} 与第 {seen.line} 行重复"))
    cities = [row for row in rows if row.tier is Tier.CITY]
    errors += [
        DivisionsError(row.line, f"市级已在第 {cities[0].line} 行，不能有第二个") for row in cities[1:]
    ]
    if not cities:
        errors.append(DivisionsError(rows[0].line if rows else 1, "没有市级"))
    for row in rows:
        reason = _parent_reason(row, first)
        if reason:
            errors.append(DivisionsError(row.line, reason))
    return errors


def _parent_reason(row: _Row, first: dict[str, _Row]) -> str | None:
    """Why the parent of this row cannot be; None if it can, or if that is another row's fault."""
    if row.tier is Tier.CITY:
        province = row.code[:2] + "0" * 10
        return f"市级不写上级，却写了 {row.parent}" if row.parent not in ("", province) else None
    if not row.parent:
        return f"{row.code} 没有写上级"
    parent = first.get(row.parent)
    if parent is None:
        return f"{row.code} 的上级 {row.parent} 不在表中" if is_code(row.parent) else None
    if _in_cycle(row, first):
        return f"{row.code} 的上级绕了一圈又回到它自己"
    if row.tier is None or parent.tier is None or parent.tier < row.tier:
        return None
    return f"{row.code} 是{row.tier.label}，上级 {parent.code} 却是{parent.tier.label}"


def _in_cycle(row: _Row, first: dict[str, _Row]) -> bool:
    seen: set[str] = set()
    at: _Row | None = row
    while at is not None and at.tier is not Tier.CITY and at.code not in seen:
        seen.add(at.code)
        at = first.get(at.parent)
        if at is not None and at.code == row.code:
            return True
    return False
