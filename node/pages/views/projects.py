"""What the pages of full-course agency (全程代办) show: investment projects and the cases of one."""

from dataclasses import dataclass
from datetime import date

from node.pages.views.cases import Action, CaseRow
from node.pages.views.common import FormView, Tab, Tag


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectLine:
    """One investment project."""

    number: str
    """项目编号."""
    name: str
    investor: str
    """投资者."""
    person: str
    """代办专人."""
    green: bool
    """绿色通道."""
    since: date
    state: Tag
    """在办, 已办结."""
    words: str
    """办结 2 / 5 件."""
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectsView:
    """代办项目."""

    tabs: tuple[Tab, ...]
    rows: tuple[ProjectLine, ...]
    form: FormView | None = None
    """A new project, for those who may."""
    open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectView:
    """One project with its cases."""

    project: ProjectLine
    rows: tuple[CaseRow, ...]
    actions: tuple[Action, ...] = ()
    closed_on: date | None = None
