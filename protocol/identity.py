"""Numbers that name people, bodies and cases: how they are written, checked and hidden.

One rule: a number is refused only for what the number itself shows (length, characters, date, check
character), never by a table of regions: people are older than the code of their county. Refusals are
`ValueError`s with a Chinese sentence that can stand beside a form field.
"""

import re
from dataclasses import dataclass
from datetime import date

from protocol.places import Code, is_code


class IdentityError(ValueError):
    """A number cannot be right; the message says why, in Chinese, to the person at the form."""


class IdNumberError(IdentityError):
    """Not a resident ID number (居民身份证号, GB 11643)."""


class CreditCodeError(IdentityError):
    """Not a unified social credit code (统一社会信用代码, GB 32100)."""


class CaseNumberError(IdentityError):
    """Not a case number (办件编号)."""


class PhoneError(IdentityError):
    """Not a telephone number of the mainland."""


@dataclass(frozen=True, slots=True)
class IdNumber:
    """What a valid resident ID number says of its holder."""

    text: str
    born: date
    female: bool


@dataclass(frozen=True, slots=True)
class CaseNumber:
    """The parts of a case number: who issued it, on which civil day, as which of that day."""

    place: Code
    on: date
    serial: int


_FULL_WIDTH = str.maketrans(
    "０１２３４５６７８９ＸｘＡＢＣＤＥＦＧＨＪＫＬＭＮＰＱＲＴＵＷＹ－＋",
    "0123456789XxABCDEFGHJKLMNPQRTUWY-+",
)


def _tidy(text: str) -> str:
    """Without the spaces and full-width digits that input methods leave behind."""
    return re.sub(r"\s", "", text).translate(_FULL_WIDTH)


def mod_11_2(digits: str) -> str:
    """The check character (0-9 or X) of a string of digits. Source: ISO 7064 MOD 11-2."""
    remainder = 0
    for digit in digits:
        remainder = (remainder + int(digit)) * 2 % 11
    return "0123456789X"[(12 - remainder) % 11]


def check_id_no(text: str, today: date) -> IdNumber:
    """The resident ID number, tidied; IdNumberError if it cannot be one on `today`.

    Checks: 18 characters, digits with a last digit or X, a birth date that exists and is not after
    `today`, the check character. Source: GB 11643.
    """
    number = _tidy(text).upper()
    if len(number) == 15 and number.isdigit():
        raise IdNumberError("15 位旧身份证号已停用，请填 18 位")
    if len(number) != 18:
        raise IdNumberError(f"身份证号应为 18 位，现为 {len(number)} 位")
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number):
        raise IdNumberError("身份证号前 17 位应为数字，末位为数字或 X")
    if number[0] == "0":
        raise IdNumberError("身份证号不会以 0 开头")
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise IdNumberError(f"身份证号中的出生日期 {number[6:14]} 不存在") from None
    if born > today:
        raise IdNumberError(f"身份证号中的出生日期 {born} 在今天之后")
    if mod_11_2(number[:17]) != number[17]:
        raise IdNumberError("身份证号校验不符，请核对是否有一位写错")
    return IdNumber(number, born, int(number[16]) % 2 == 0)


_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


def check_credit_code(text: str) -> str:
    """The unified social credit code, tidied, in capitals; CreditCodeError if it cannot be one.

    Only the code's own check character is judged, not the older organisation code inside it.
    Source: GB 32100-2015.
    """
    number = _tidy(text).upper()
    if len(number) != 18:
        raise CreditCodeError(f"统一社会信用代码应为 18 位，现为 {len(number)} 位")
    wrong = sorted(set(number) - set(_CREDIT_ALPHABET))
    if wrong:
        raise CreditCodeError(f"统一社会信用代码不使用 {'、'.join(wrong)}（没有字母 I、O、S、V、Z）")
    if number[0] == "0":  # the authority that registered it: 1 to 9 or a letter
        raise CreditCodeError("统一社会信用代码不会以 0 开头")
    total = sum(
        _CREDIT_ALPHABET.index(sign) * weight for sign, weight in zip(number, _CREDIT_WEIGHTS, strict=False)
    )
    if _CREDIT_ALPHABET[(31 - total % 31) % 31] != number[17]:
        raise CreditCodeError("统一社会信用代码校验不符，请核对是否有一位写错")
    return number


MAX_SERIAL = 9999


def make_case_no(place: str, on: date, serial: int) -> str:
    """A case number: region 12, civil date 8, the node's own serial of that day 4, check character 1.

    Any node issues it offline; it is never renumbered. CaseNumberError if `serial` is not 1 to 9999.
    """
    if not is_code(place):
        raise CaseNumberError(f"办件编号的区划应为 12 位代码：{place!r}")
    if not 1 <= serial <= MAX_SERIAL:
        raise CaseNumberError(f"办件编号的当日流水应在 1 到 {MAX_SERIAL} 之间：{serial}")
    digits = f"{place}{on.year:04}{on.month:02}{on.day:02}{serial:04}"
    return digits + mod_11_2(digits)


def check_case_no(text: str) -> CaseNumber:
    """The parts of a case number; CaseNumberError if a digit is wrong."""
    number = _tidy(text).upper()
    if not re.fullmatch(r"[0-9]{24}[0-9X]", number):
        raise CaseNumberError("办件编号应为 25 位：24 位数字和 1 位校验码")
    if mod_11_2(number[:24]) != number[24]:
        raise CaseNumberError("办件编号校验不符，请核对是否有一位写错")
    try:
        on = date(int(number[12:16]), int(number[16:18]), int(number[18:20]))
    except ValueError:
        raise CaseNumberError(f"办件编号中的日期 {number[12:20]} 不存在") from None
    if not is_code(number[:12]) or number[20:24] == "0000":
        raise CaseNumberError("办件编号中的区划或流水不存在")
    return CaseNumber(Code(number[:12]), on, int(number[20:24]))


def check_phone(text: str) -> str:
    """The telephone number without country code, spaces and hyphens in mobiles; PhoneError if it is none.

    A mobile number (11 digits), or a landline with its area code, written 0952-2012345.
    """
    number = re.sub(r"^(\+|00)86-?", "", re.sub(r"[()（）]", "", _tidy(text)))
    digits = number.replace("-", "")
    if re.fullmatch(r"1[3-9][0-9]{9}", digits):
        return digits
    line = re.fullmatch(r"(0(?:10|2[0-9]|[3-9][0-9]{2}))-?([2-9][0-9]{6,7})", number)
    if line:
        return f"{line[1]}-{line[2]}"
    if digits.isdigit() and digits.startswith("1"):
        raise PhoneError(
            f"手机号应为 11 位，现为 {len(digits)} 位" if len(digits) != 11 else "手机号第二位应为 3 到 9"
        )
    raise PhoneError("电话应为 11 位手机号，或带区号的固定电话（如 0952-2012345）")


_DOUBLE_SURNAMES = frozenset(
    "欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台 皇甫 宗政 濮阳 公冶 太叔 "  # noqa: SIM905 - eighty quoted words would not be read
    "申屠 公孙 慕容 仲孙 钟离 长孙 宇文 司徒 鲜于 司空 闾丘 子车 亓官 司寇 巫马 公西 颛孙 壤驷 公良 漆雕 乐正 "
    "宰父 谷梁 拓跋 夹谷 轩辕 令狐 段干 百里 呼延 东郭 南门 羊舌 微生 梁丘 左丘 西门 南荣 即墨 达奚 褚师 纳兰 "
    "第五 公祖 公伯 公仪 贺兰 尔朱 完颜 耶律".split()
)


def mask_name(name: str) -> str:
    """The surname and a star (张*, 欧阳*); a minority or foreign name keeps its first character."""
    name = name.strip()
    if len(name) > 2 and name[:2] in _DOUBLE_SURNAMES:
        return f"{name[:2]}*"
    return f"{name[0]}*" if len(name) > 1 else "*" * len(name)


def mask_id_no(text: str, *, short: bool = False) -> str:
    """First six and last four (640221********0010); `short`, for lists, keeps three (640***).

    Anything that is not 18 characters long keeps two at each end at most.
    """
    if short:
        return f"{text[:3]}***"
    if len(text) == 18:
        return f"{text[:6]}{'*' * 8}{text[14:]}"
    return _ends(text, 2)


def mask_phone(text: str) -> str:
    """138****0000 for a mobile number; a landline keeps its area code and last two digits."""
    line = re.fullmatch(r"(0[0-9]{2,3})-([0-9]{6,})", text)
    if line:
        return f"{line[1]}-{'*' * (len(line[2]) - 2)}{line[2][-2:]}"
    return f"{text[:3]}****{text[7:]}" if len(text) == 11 else _ends(text, 2)


def _ends(text: str, keep: int) -> str:
    """All stars but `keep` characters at each end, and at least half of it stars."""
    keep = min(keep, len(text) // 4)
    return f"{text[:keep]}{'*' * (len(text) - 2 * keep)}{text[len(text) - keep :]}"
