"""Places (区划) and tiers (层级): the address of every node.

A node's address is its 12-digit statistics code (统计用区划代码, GB/T 10114): province 2, city 2,
county 2, township 3, village 3. One rule: tier and parent are *data* of the signed roster; digits are
only checked where they speak, never used to derive a parent, because development zones, park centres
and cities without counties exist.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import NewType

Code = NewType("Code", str)
"""12 ASCII digits."""


class Tier(IntEnum):
    """层级, with the level codes of GB/T 39046-2020 A.2."""

    CITY = 3
    COUNTY = 4
    TOWNSHIP = 5
    VILLAGE = 6

    @property
    def word(self) -> str:
        """The one character that names the tier on the rail: 市 县 镇 村."""
        return {3: "市", 4: "县", 5: "镇", 6: "村"}[self.value]

    @property
    def label(self) -> str:
        """市级, 县级, 镇级, 村级."""
        return f"{self.word}级"


def is_code(text: str) -> bool:
    """Whether `text` is twelve ASCII digits with a province and a city in them."""
    return len(text) == 12 and text.isascii() and text.isdigit() and text[:2] != "00" and text[2:4] != "00"


def code(text: str) -> Code:
    """`text` as a Code; ValueError with the text if it is none."""
    if not is_code(text):
        raise ValueError(f"不是 12 位区划代码：{text!r}")
    return Code(text)


def p5(place: str) -> str:
    """The code as five subject tokens: 640221101201 -> 64.02.21.101.201."""
    return f"{place[:2]}.{place[2:4]}.{place[4:6]}.{place[6:9]}.{place[9:]}"


def from_p5(tokens: str) -> Code:
    """The code of five subject tokens; ValueError if they are none."""
    if [len(token) for token in tokens.split(".")] != [2, 2, 2, 3, 3]:
        raise ValueError(f"不是五段区划：{tokens!r}")
    return code(tokens.replace(".", ""))


def prefix(place: str) -> str:
    """The digits that speak, in whole segments: 640221000000 -> 640221.

    A subtree's prefix only where the roster agrees; see `Roster.prefixes`.
    """
    for end in (4, 6, 9):
        if not place[end:].strip("0"):
            return place[:end]
    return place


def short(place: str) -> str:
    """The code in groups for people: 640221 101 201."""
    return f"{place[:6]} {place[6:9]} {place[9:]}"


@dataclass(frozen=True, slots=True)
class Place:
    """One division (区划) of the roster: code, name, tier, parent (None for the city)."""

    code: Code
    name: str
    tier: Tier
    parent: Code | None
