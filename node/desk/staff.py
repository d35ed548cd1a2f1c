"""People who work here, as forms name them: by staff number (工号), with the name beside it."""

from node.accounts import views
from node.desk.frame import Desk
from node.errors import BadForm
from node.pages.views.common import Choice


def suggestions(desk: Desk) -> tuple[Choice, ...]:
    """Everybody who works here now."""
    return tuple(
        Choice(value=one.staff_no, label=f"{one.name}　{'、'.join(role.label for role in sorted(one.roles))}")
        for one in desk.node.read(views.colleagues)
    )


def must_work_here(desk: Desk, **numbers: str) -> None:
    """BadForm at each field with a staff number that nobody who works here has; those left open are not judged."""
    known = {one.staff_no for one in desk.node.read(views.colleagues)}
    strange = {name: number.strip() for name, number in numbers.items() if number.strip()}
    if errors := {
        name: f"本单位没有工号 {number}，请从列表中选择"
        for name, number in strange.items()
        if number not in known
    }:
        raise BadForm(errors)
