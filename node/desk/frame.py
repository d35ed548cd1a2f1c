"""The frame of every page for one request: who we are, who is here, how the line stands.

One rule: a page route takes `Desk` (somebody logged in) and gives HTML; whoever is not logged in is sent to the
login page and comes back to where he wanted to go.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response

from node.accounts import guard
from node.accounts.entry import Visit
from node.accounts.guard import node_of
from node.accounts.officer import Officer
from node.accounts.roles import AT_WORK, Role
from node.cases import views as cases
from node.cases.saying import ROLES
from node.errors import NodeError, NotLoggedIn, PasswordMustChange, RoleMissing
from node.exchange import views as exchange
from node.node import Node
from node.pages import links, screens
from node.pages.page import Certificate, Covering, Line, NavLink, Notice, Page
from node.pages.page import Desk as DeskBadge
from node.pages.render import Pages, answer_page
from node.pages.views import ErrorView
from node.pages.views.common import Tone
from protocol.places import Place

NOTICE_COOKIE = "liandong-notice"
_EXPIRING_DAYS = 30
_UNDER_WAY_S = 5


@dataclass(frozen=True, slots=True)
class Desk:
    """A request by somebody logged in, with what every page route needs."""

    request: Request
    node: Node
    who: Officer
    visit: Visit | None

    @property
    def now(self) -> datetime:
        """The node's clock, read for this request."""
        return self.node.clock()

    def page(self, covering: Covering | None = None) -> Page:
        """The frame around a page of this request."""
        return build(self.request, self.who, self.visit, covering)


async def _desk(request: Request, who: guard.Here) -> Desk:
    return Desk(request, node_of(request), who, await guard.visit(request))


Here = Annotated[Desk, Depends(_desk)]
"""`desk: Here` in a page route: somebody logged in, the form checked as our own."""


def holding(*roles: Role) -> Callable[[Desk], Awaitable[Desk]]:
    """A dependency like `Here`, for those with one of `roles`; RoleMissing for everybody else."""

    async def check(desk: Here) -> Desk:
        if not desk.who.roles & set(roles):
            raise RoleMissing(f"需要{'或'.join(role.label for role in roles)}岗位")
        return desk

    return check


AtWork = Annotated[Desk, Depends(holding(*sorted(AT_WORK)))]
"""`desk: AtWork`: somebody who works on cases. Administrators and auditors see nobody's name or papers."""


Filer = Annotated[Desk, Depends(holding(*sorted(ROLES["case.filed"])))]
"""`desk: Filer`: somebody who may file a case."""


def pages_of(request: Request) -> Pages:
    """The renderer of this application."""
    found: Pages = request.app.state.pages
    return found


def build(
    request: Request, who: Officer | None, visit: Visit | None = None, covering: Covering | None = None
) -> Page:
    """The frame: place, officer, navigation, line, edition, certificate, token, notice."""
    node = node_of(request)
    place = node.know.roster[node.place]
    own = node.know.certificate
    now = node.clock()
    return Page(
        pages=pages_of(request),
        place=place,
        centre=centre_name(node),
        now=now,
        desk=badge(who) if who else None,
        nav=navigation(node, who) if who else (),
        path=request.url.path,
        line=line_state(node, live=who is not None),
        edition=f"第 {node.know.edition} 版" if node.know.edition else "",
        certificate=Certificate(
            sha256=own.fingerprint,
            until=own.not_after.date(),
            expiring=(own.not_after - now).days < _EXPIRING_DAYS,
        ),
        csrf=visit.csrf if visit else "",
        covering=covering,
        notice=_notice(request),
        large=request.cookies.get("ld-large") == "1",
    )


def centre_name(node: Node) -> str:
    """What the sign over the door says."""
    return centre_of(node.know.roster[node.place])


def centre_of(place: Place) -> str:
    """What the sign over the door of a place says."""
    word = {3: "政务服务中心", 4: "政务服务中心", 5: "便民服务中心", 6: "便民服务站"}[place.tier.value]
    return f"{place.name}{word}"


def badge(who: Officer) -> DeskBadge:
    """The officer in the masthead."""
    roles = "、".join(role.label for role in sorted(who.roles, key=str))
    return DeskBadge(name=who.name, role=roles, staff_no=who.staff_no)


def navigation(node: Node, who: Officer) -> tuple[NavLink, ...]:
    """The links of every capability that this officer may use, the most used first."""
    counts = node.read(cases.counts, node.place)
    for capability in node.capabilities:
        if capability.counts is not None:
            counts |= node.read(capability.counts, who)
    entries = [entry for capability in node.capabilities for entry in capability.nav]
    return tuple(
        NavLink(label=entry.label, href=entry.path, icon=entry.icon, count=counts.get(entry.count, 0))
        for entry in sorted(entries, key=lambda entry: entry.order)
        if not entry.roles or entry.roles & {str(role) for role in who.roles}
    )


def line_state(node: Node, *, live: bool) -> Line:
    """The line to the hub, for the masthead; it refreshes itself only for who is logged in."""
    roster = node.know.roster
    parent = roster[node.place].parent
    peer = roster.hub_of(parent).name if parent else f"{node.name}枢纽"
    waiting, _ = waiting_acts(node)
    return Line(
        peer=peer,
        connected=node.bus.connected,
        since=None if node.bus.connected else node.line_since,
        waiting=waiting,
        live_href="/live/line" if live else "",
    )


def waiting_acts(node: Node) -> tuple[int, datetime | None]:
    """How many acts wait to be sent, and since when; while the line is up, what went out just now does not count."""
    grace = timedelta(seconds=_UNDER_WAY_S if node.bus.connected else 0)
    return node.read(exchange.unheard, node.clock() - grace)


def _notice(request: Request) -> Notice | None:
    text = getattr(request.state, "notice", "")
    return Notice(text=text, tone=Tone.GOOD) if text else None


def show(html: str, status: int = 200) -> Response:
    """A page as an answer; the notice it showed is forgotten."""
    return answer_page(html, status)


def onward(href: str) -> Response:
    """After a form was done: go and look (303)."""
    return RedirectResponse(href, 303)


async def tell_people(request: Request, error: NodeError) -> Response:
    """An error as a page; who is not logged in goes to the login page first."""
    if isinstance(error, NotLoggedIn):
        return _to_login(request)
    if isinstance(error, PasswordMustChange):
        return RedirectResponse(links.PASSWORD, 303)
    visit = await guard.visit(request)
    page = build(request, visit.officer if visit else None, visit)
    view = ErrorView(status=error.status, title=error.title, text=error.detail or error.title)
    return answer_page(screens.error_page(page, view), error.status)


def _to_login(request: Request) -> Response:
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.url.path.startswith("/live/"):
        return Response(
            status_code=401
        )  # a part that refreshed by itself: nobody is taken away from what he writes
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": links.LOGIN})
    if request.method != "GET":
        wanted = "/"
    return RedirectResponse(f"{links.LOGIN}?{urlencode({'next': wanted})}", 303)
