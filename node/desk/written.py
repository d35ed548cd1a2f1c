"""What was written in a form that comes back with its faults, or a form nobody has written in yet.

One rule: nothing that was written is lost; every fault stands at its field, what belongs to none above the form.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from starlette.datastructures import FormData

from node.errors import BadForm, NodeError
from node.pages.views.common import Field


@dataclass(frozen=True, slots=True)
class Written:
    """One form of a page: empty, or as it was sent, with the refusal."""

    act: str = ""
    """Which form of the page it was."""
    about: str = ""
    """On which of the rows."""
    said: FormData | None = None
    wrong: NodeError | None = None

    def of(self, act: str, about: str = "") -> "Written":
        """Itself if it is that form; otherwise one that nobody has written in."""
        return self if (self.act, self.about) == (act, about) else Written()

    @property
    def back(self) -> bool:
        """Whether it was sent and came back."""
        return self.wrong is not None

    @property
    def error(self) -> str:
        """What is wrong with the form as a whole."""
        return self.wrong.detail if self.wrong is not None and not self.wrong.fields() else ""

    def fault(self, name: str) -> str:
        """What is wrong with a field."""
        return self.wrong.fields().get(name, "") if self.wrong is not None else ""

    def value(self, name: str, fresh: str = "") -> str:
        """What was written, or what a fresh form offers; several values joined with commas."""
        return fresh if self.said is None else ",".join(str(one) for one in self.said.getlist(name))

    def field(self, name: str, label: str, fresh: str = "", **more: Any) -> Field:
        """A field with its value and its fault; required unless said otherwise."""
        return Field(
            name=name,
            label=label,
            value=self.value(name, fresh),
            error=self.fault(name),
            **{"required": True, **more},
        )


def text(form: FormData, name: str) -> str:
    """What was written in one field, without the blanks around it."""
    return str(form.get(name, "")).strip()


def several(form: FormData, name: str) -> tuple[str, ...]:
    """Every value of a field."""
    return tuple(str(one) for one in form.getlist(name))


def days(form: FormData, *names: str) -> list[date]:
    """The dates of some fields; BadForm naming each that holds none."""
    found: list[date] = []
    errors: dict[str, str] = {}
    for name in names:
        try:
            found.append(date.fromisoformat(text(form, name)))
        except ValueError:
            errors[name] = "请填写日期，如 2026-03-02"
    if errors:
        raise BadForm(errors)
    return found
