"""What the case page shows beside the story: the clock's account (时限账), joint handling, what waits, findings."""

from dataclasses import dataclass

from node.pages.views.common import Fact, Limit, Tag


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareLine:
    """Whose time it was."""

    owner: str
    """本级办理, 上级办理, 在途, 申请人."""
    place: str
    """城关镇."""
    workdays: int
    """Working days that ended in these hands."""
    counted: int
    """Of them, those that count for the limit."""
    hours: str
    """The same in office hours: 3小时05分."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseLine:
    """One special procedure (特别程序) and what it took out of the count."""

    kind: str
    """村级公示."""
    basis: str
    """Its legal basis."""
    words: str
    """2026年11月23日 至 2026年11月30日，5 个工作日不计入; 进行中，最长 5 日 …"""
    open: bool
    """Whether it still runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockView:
    """时限账 of one case."""

    facts: tuple[Fact, ...]
    """Both limits, their extension, the calendar they were counted with."""
    coming: tuple[Fact, ...] = ()
    """Every other day somebody still has to keep: 受理或告知补正, 本级报送, 送达 …"""
    pauses: tuple[PauseLine, ...] = ()
    shares: tuple[ShareLine, ...] = ()
    elapsed: str = ""
    """Office hours since filing: the sum of the shares."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JointLine:
    """One part (环节) of a joint handling, and how it stands."""

    name: str
    department: str
    limit: Limit
    state: Tag


@dataclass(frozen=True, slots=True, kw_only=True)
class JointBrief:
    """One joint handling (联办) of the case."""

    name: str
    """农村宅基地和建房联审."""
    words: str
    """已答复 2 / 3 个环节，期限 2026年12月10日."""
    href: str
    """The page with opinions and minutes."""
    lines: tuple[JointLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingLine:
    """What supervision will want to know (监督发现)."""

    rule: str
    """AB02."""
    what: str
    """环节超时."""
    words: str
    """Where, who, when, and its facts."""
