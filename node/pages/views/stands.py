"""Who stands at which post today (AB角), as several pages show it."""

from dataclasses import dataclass

from node.pages.views.common import Tag


@dataclass(frozen=True, slots=True, kw_only=True)
class StandLine:
    """One post today."""

    name: str
    """民政救助窗口."""
    person: str
    """Who stands there now; empty when both are away."""
    state: Tag
    """A角在岗, B角顶岗, 无人在岗."""
    note: str = ""
    """A角 张蕾 离岗至 3月5日."""
    mine: bool = False
    """Whether it is the reader."""
    href: str = ""
    """Its open cases."""
