"""The desks as a capability: page routes of every tier, static files, errors told as pages."""

from collections.abc import Callable

from fastapi import FastAPI

from node import ferry
from node.capability import Capability, NavEntry
from node.desk import (
    cases,
    catalogue,
    correction,
    entry,
    evidence,
    filing,
    handovers,
    home,
    journal,
    line,
    live,
    people,
)
from node.desk.frame import tell_people
from node.pages import links
from node.pages.render import Pages

_DESK = frozenset(("agent", "clerk", "reviewer", "chief_representative"))


def dress() -> Callable[[FastAPI], None]:
    """What gives an application the renderer, the static files, and a teller of errors for people."""
    pages = Pages()

    def put_on(app: FastAPI) -> None:
        app.state.pages = pages
        app.state.tell_people = tell_people
        app.mount(pages.assets.prefix, pages.assets)

    return put_on


DESK = Capability(
    name="desk",
    routers=(
        *(live.router, home.router, correction.router, cases.router, filing.router, handovers.router),
        *(entry.router, people.router, journal.router, catalogue.router, line.router, evidence.router),
    ),
    dress=dress,
    takes={links.PARCELS: 2 * ferry.LARGEST, links.EVIDENCE: 2 * evidence.LARGEST},
    nav=(
        NavEntry("待办", links.HOME, "home", order=10, count="todo"),
        NavEntry("帮办申报", links.FILE, "new", roles=_DESK, order=20),
        NavEntry("办件", links.CASES, "list", order=30),
        NavEntry("移交接收", links.HANDOVERS, "inbox", roles=_DESK, order=40, count="incoming"),
        NavEntry("事项目录", links.CATALOGUE, "book", order=50),
        NavEntry("节点线路", links.LINE, "node", order=60),
        NavEntry("证据核验", links.EVIDENCE, "proof", order=70),
        NavEntry("用户", links.USERS, "users", roles=frozenset(("administrator",)), order=80),
        NavEntry("审计", links.AUDIT, "audit", roles=frozenset(("auditor",)), order=85),
    ),
)
