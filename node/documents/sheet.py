"""What a document is: a function of the case's signed steps, its item and its dossier, issued by whoever took the step.

One rule: nothing on a sheet is typed by hand but what an officer signed in a step; the software never draws a seal,
it leaves the place for one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from protocol.catalogue import Item
from protocol.envelope import Event
from protocol.lifecycle import Case

Table = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a document is drawn from."""

    case: Case
    item: Item | None
    private: Mapping[str, Any]
    steps: Mapping[str, Event]
    """The last event of each kind, in order."""
    names: Callable[[str], str]
    """Place code to name."""
    events: Sequence[Event] = ()
    """All of them, in order."""
    told: Callable[[Event], Mapping[str, str]] = field(default=lambda _event: {})
    """The numbers of documents, by kind, that the sealed part of an event tells us."""

    def person(self, key: str) -> str:
        """A field of the applicant."""
        found = self.private.get("applicant")
        return str(found.get(key, "")) if isinstance(found, dict) else ""

    def note(self, what: str) -> str:
        """The text last said under a heading (审查意见, 不予受理 …)."""
        notes = [one for one in self.private.get("notes", ()) if str(one.get("what", "")).startswith(what)]
        return str(notes[-1].get("text", "")) if notes else ""

    def body(self, kind: str) -> Mapping[str, Any]:
        """The skeleton of the last step of a kind."""
        event = self.steps.get(kind)
        return event.body if event else {}

    @property
    def item_name(self) -> str:
        """The item as the resident knows it."""
        return self.item.name if self.item else str(self.private.get("item_name", self.case.item))


@dataclass(frozen=True, slots=True)
class Content:
    """What stands on the sheet."""

    to: str
    paragraphs: Sequence[str]
    facts: Sequence[tuple[str, str]] = ()
    head: Sequence[str] = ()
    rows: Table = ()
    seal: str = "专用章"
    signature: str = ""
    """Who signs beside the seal; "" for nobody."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of document."""

    id: str
    name: str
    word: str
    """文种字 in its number."""
    after: tuple[str, ...]
    """It exists once one of these steps has been said."""
    draw: Callable[[Subject], Content]
    slip: bool = False
    """A narrow slip instead of A4."""
    only: Callable[[Subject], bool] = field(default=lambda _s: True)
    at_once: bool = False
    """It has its number from the moment of the step that makes it, and that step tells it to every party."""
    detail: Callable[[Subject], str] = field(default=lambda _s: "")
    """What tells it from others of its name: 自然资源局."""
    source: Callable[[Subject], Event | None] | None = None
    """The event that makes it, if not the last one of `after`."""
    which: Callable[[Subject], int] | None = None
    """What tells it from the case's earlier ones of this kind, if not how often a step of `after` was said."""

    def occasion(self, subject: Subject) -> int:
        """Which of the case's documents of this kind it is: each has a number of its own, as a second suspension's."""
        if self.which is not None:
            return self.which(subject)
        return sum(event.kind in self.after for event in subject.events)

    def made_by(self, subject: Subject) -> Event | None:
        """The event that makes it: by whom it is issued, and of which day."""
        if self.source is not None:
            return self.source(subject)
        said = [event for event in subject.events if event.kind in self.after]
        return said[-1] if said else None

    def title(self, subject: Subject) -> str:
        """Its name in a list."""
        detail = self.detail(subject)
        return f"{self.name}（{detail}）" if detail else self.name


def day(text: object) -> str:
    """2025年3月3日 of a date or its ISO text; "" of nothing; what is no date as it was written."""
    if not text:
        return ""
    try:
        found = text if isinstance(text, date) else date.fromisoformat(str(text))
    except ValueError:
        return str(text)
    return f"{found.year}年{found.month}月{found.day}日"
