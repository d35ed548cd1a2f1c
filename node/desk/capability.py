"""The desks as a capability: page routes of every tier, static files, errors told as pages."""

from fastapi import FastAPI

from node.capability import Capability, NavEntry
from node.desk import cases, filing, handovers, home, live
from node.desk.frame import tell_people
from node.pages import links
from node.pages.render import Pages

_DESK = frozenset(("agent", "clerk", "reviewer", "chief_representative"))


def dress(app: FastAPI) -> None:
    """Give an application the renderer, the static files, and a teller of errors for people."""
    pages = Pages()
    app.state.pages = pages
    app.state.tell_people = tell_people
    app.mount(pages.assets.prefix, pages.assets)


DESK = Capability(
    name="desk",
    routers=(live.router, home.router, cases.router, filing.router, handovers.router),
    dress=dress,
    nav=(
        NavEntry("待办", links.HOME, "home", order=10, count="todo"),
        NavEntry("帮办申报", links.FILE, "new", roles=_DESK, order=20),
        NavEntry("办件", links.CASES, "list", order=30),
        NavEntry("移交接收", links.HANDOVERS, "inbox", roles=_DESK, order=40, count="incoming"),
    ),
)
