"""服务方式: by appointment, at home, after hours, in the village, by the green channel; noted at filing, shown with the case."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.datastructures import FormData

from node.accounts.officer import Officer
from node.agency import actions, views
from node.cases import actions as cases
from node.cases.filing import Filing
from node.desk import staff
from node.desk.frame import Desk
from node.pages import links
from node.pages.views.common import Choice, Fact, Field
from node.work import Work
from protocol.agency import MARKS, Marked

GREEN = "绿色通道"
NAMES = frozenset(("serve", "serve_person", "serve_at"))
"""The form's fields."""


def fields(desk: Desk, written: Mapping[str, Any], errors: Mapping[str, str]) -> list[Field]:
    """What the wizard asks about it."""
    return [
        Field(
            name="serve", label="服务方式", kind="checks", value=",".join(written.get("serve", ())),
            choices=tuple(Choice(value=one, label=one) for one in MARKS), error=errors.get("serve", ""),
            hint="窗口照常办理的不选；下乡指流动服务、到村组集中办",
        ),
        Field(
            name="serve_person", label="绿色通道专人工号", value=str(written.get("serve_person", "")), half=True, maxlength=20,
            suggest=staff.suggestions(desk), error=errors.get("serve_person", ""), hint="选了绿色通道的必填",
        ),
        Field(
            name="serve_at", label="时间、地点", value=str(written.get("serve_at", "")), half=True, maxlength=100,
            hint="如 3月6日上午，二组活动室", error=errors.get("serve_at", ""),
        ),
    ]  # fmt: skip


def read(form: FormData) -> dict[str, Any]:
    """What the form says, for the draft."""
    return {
        "serve": [one for one in MARKS if one in form.getlist("serve")],
        "serve_person": str(form.get("serve_person", "")).strip()[:20],
        "serve_at": str(form.get("serve_at", "")).strip()[:100],
    }


def faults(written: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with it, by field."""
    if GREEN in written.get("serve", ()) and not written.get("serve_person"):
        return {"serve_person": "绿色通道须指定专人，请填写工号"}
    return {}


def file_case(work: Work, officer: Officer, filing: Filing, written: Mapping[str, Any]) -> str:
    """The number of the new case, filed and marked in one transaction."""
    no = cases.file_case(work, officer, filing)
    for one in written.get("serve", ()):
        person = str(written.get("serve_person", "")) if one == GREEN else ""
        actions.mark(work, officer, no, one, person, str(written.get("serve_at", "")))
    return no


def facts(desk: Desk, no: str) -> list[Fact]:
    """What the case page says of it, and the project the case belongs to."""
    found = []
    marks = desk.node.read(views.marks_of, [no]).get(no, [])
    if marks:
        found.append(Fact(label="服务方式", value="；".join(map(_words, marks))))
    project = desk.node.read(views.project_of, no)
    if project is not None:
        found.append(Fact(label="全程代办", value=project.name, href=links.project(project.number)))
    return found


def marks(desk: Desk, numbers: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The words for lists of cases, by case."""
    found = desk.node.read(views.marks_of, numbers)
    return {no: tuple(dict.fromkeys(one.mark for one in said)) for no, said in found.items()}


def _words(one: Marked) -> str:
    more = [f"专人 {one.person}" if one.person else "", one.at]
    inside = "，".join(word for word in more if word)
    return f"{one.mark}（{inside}）" if inside else one.mark
