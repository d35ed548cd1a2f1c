"""What the pages of posts (岗位, AB角) show."""

from dataclasses import dataclass
from datetime import date

from node.pages.views.cases import Action
from node.pages.views.common import Field, FormView
from node.pages.views.stands import StandLine


@dataclass(frozen=True, slots=True, kw_only=True)
class PostLine:
    """One post of the roster."""

    stand: StandLine
    a: str
    b: str
    since: date
    until: date
    items: tuple[str, ...]
    """Names of its items; 其余全部事项 for the general one."""
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveLine:
    """Somebody's days away."""

    person: str
    since: date
    until: date
    why: str
    now: bool
    """Whether it is today."""
    back_action: str = ""
    """Where 到岗 is posted, for those who may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostsView:
    """在岗."""

    posts: tuple[PostLine, ...]
    leaves: tuple[LeaveLine, ...]
    leave_form: FormView
    form: FormView | None = None
    """A new post, for those who keep them."""
    groups: tuple[Field, ...] = ()
    """The items by department."""
    ticked: frozenset[str] = frozenset()
    wrong_items: str = ""
    open: str = ""
    """Which form is unfolded: post or leave."""
