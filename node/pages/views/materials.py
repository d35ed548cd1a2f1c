"""Materials (材料) of a case: the list, its files as small pictures, and how far they have come."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from node.pages.views.common import Tag

if TYPE_CHECKING:
    from node.pages.views.cases import Material


@dataclass(frozen=True, slots=True, kw_only=True)
class FileView:
    """One file of a material."""

    id: str
    """Its own name on the page."""
    title: str
    """居民户口簿（2）."""
    kind: str
    """photo, pdf, or identity: a picture that is shown for a stated reason only."""
    words: str
    """PDF 3 页; empty for a picture."""
    href: str
    """Where it opens; empty while it may not, or is not here."""
    thumb: str
    """Its small picture; empty where there is none to show."""
    state: Tag
    """已到, 传送中 40%, 已按期限删除."""
    parts: int = 1
    """In how many pieces it travels."""
    have: int = 0
    """How many of them are here."""
    coming: bool = False
    """Whether it is on its way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """The materials of a case."""

    materials: "tuple[Material, ...]"
    """One for each line of the item's list."""
    arrived: int = 0
    """Files that are here."""
    total: int = 0
    """Files in all."""

    @property
    def coming(self) -> bool:
        """Whether some are still on their way."""
        return self.arrived < self.total
