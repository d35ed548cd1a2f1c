"""People who work here, as forms name them: by staff number (工号), with the name beside it."""

from node.accounts import views
from node.desk.frame import Desk
from node.pages.views.common import Choice


def suggestions(desk: Desk) -> tuple[Choice, ...]:
    """Everybody who works here now."""
    return tuple(
        Choice(value=one.staff_no, label=f"{one.name}　{'、'.join(role.label for role in sorted(one.roles))}")
        for one in desk.node.read(views.colleagues)
    )
