"""Extension and void as proposals: what the second person is told, and who can be the second."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import Row

from node.accounts.officer import Officer
from node.cases import courses
from node.cases.saying import authorisation_for, must
from node.cases.steps import Cases
from node.proposals import Second
from node.work import Work


def _extension(_work: Work, content: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    return (("延期", f"{content['days']} 个工作日"), ("理由", str(content["why"])))


def _void(_work: Work, content: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    return (("原因", str(content["why"])),)


def _admits(work: Work, officer: Officer, row: Row[Any]) -> None:
    must(officer, "second")
    authorisation_for(work, Cases(work).need(row.no), row.kind, officer.staff_no)


SECONDS: Mapping[str, Second] = MappingProxyType(
    {
        courses.EXTEND: Second("延期", courses.approve_extension, _extension, _admits),
        courses.VOID: Second("作废", courses.approve_void, _void, _admits),
    }
)
