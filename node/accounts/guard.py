"""Who stands at the door of every page and route: session or token in, Officer (经办人) out.

One rule: a route that changes anything names `officer` or `require(…)` among its dependencies; for a
browser these also check that the form is our own (exact Origin and the session's token).

    Cookie     `liandong-<code>`: several nodes share one host on different ports, and browsers do not
               keep cookies apart by port, so each node's has its own name.
    Origin     must be one of the configured origins, or the address the request was sent to.
    CSRF token in the header `X-CSRF-Token` or the form field `csrf`.
    Machines   `Authorization: Bearer ldt_…`, no cookie, hence no CSRF check.
"""

import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, cast

from fastapi import Depends, Request, Response

from node.accounts import entry, tokens
from node.accounts.entry import Ticket, Visit
from node.accounts.officer import Officer
from node.accounts.passwords import Passwords
from node.accounts.roles import Role
from node.errors import ForeignForm, NotLoggedIn, PasswordMustChange, RoleMissing

if TYPE_CHECKING:
    from node.node import Node

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def node_of(request: Request) -> "Node":
    """The node that this request is for."""
    return cast("Node", request.app.state.node)


def passwords_of(request: Request) -> Passwords:
    """How this service hashes passwords: `app.state.passwords`, or the ordinary parameters."""
    if not hasattr(request.app.state, "passwords"):
        request.app.state.passwords = Passwords()
    return cast("Passwords", request.app.state.passwords)


def address_of(request: Request) -> str:
    """Where the request comes from."""
    return request.client.host if request.client else ""


async def visit(request: Request) -> Visit | None:
    """The browser's stay, if it has one; asked once a request, and noted as used once a minute."""
    if hasattr(request.state, "visit"):
        return cast("Visit | None", request.state.visit)
    node = node_of(request)
    token = request.cookies.get(cookie_name(node))
    now = node.clock()
    found = node.db.read(lambda session: entry.find_visit(session, now, token)) if token else None
    watching = request.url.path.startswith("/live/")  # a page that refreshes itself is nobody at work
    if found and not watching and now - found.seen >= entry.TOUCH:
        await node.db.write(lambda session: entry.touch(session, now, found))
    request.state.visit = found
    return found


async def closing(request: Request) -> AsyncIterator[None]:
    """Lets go of uploaded files once the answer is out: the guard may be the only one to read the form."""
    try:
        yield
    finally:
        await request.close()


Closed = Annotated[None, Depends(closing)]


async def visitor(request: Request, _: Closed) -> Visit:
    """The stay of a browser that is logged in, also while its password must be changed; form checked."""
    return await admit_visitor(request)


async def officer(request: Request, _: Closed) -> Officer:
    """Who acts: the officer of the session, or the machine of the bearer token; NotLoggedIn if neither."""
    return await admit(request)


def require(*roles: Role) -> Callable[..., Awaitable[Officer]]:
    """A dependency that lets in officers with one of `roles`; RoleMissing otherwise."""

    async def with_role(request: Request, _: Closed) -> Officer:
        found = await admit(request)
        if not found.roles & set(roles):
            raise RoleMissing(f"需要{'或'.join(role.label for role in roles)}岗位")
        return found

    return with_role


Here = Annotated[Officer, Depends(officer)]
"""`who: Here` in a route: the officer, checked."""


async def admit_visitor(request: Request) -> Visit:
    """`visitor` for code that is not a dependency."""
    found = await visit(request)
    if found is None:
        raise NotLoggedIn("登录已过期或尚未登录")
    if request.method not in SAFE:
        check_origin(request)
        await _check_token(request, found)
    return found


async def admit(request: Request) -> Officer:
    """`officer` for code that is not a dependency."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        node = node_of(request)
        now = node.clock()
        machine = node.db.read(lambda session: tokens.find_machine(session, now, node.place, secret.strip()))
        if machine is None:
            raise NotLoggedIn("接口令牌无效、已注销或已过期")
        return machine
    found = await admit_visitor(request)
    if found.must_change:
        raise PasswordMustChange("首次登录、密码重置后或满 90 天，须先修改密码")
    return found.officer


def check_origin(request: Request) -> None:
    """ForeignForm unless the page that sends this is ours: browsers name it in Origin with every POST."""
    origin = request.headers.get("origin", "")
    own = node_of(request).config.origins or (f"{request.url.scheme}://{request.headers.get('host', '')}",)
    if origin not in own:
        raise ForeignForm(f"请求来自 {origin or '未知页面'}，不是本系统的页面")


async def _check_token(request: Request, found: Visit) -> None:
    given = request.headers.get("x-csrf-token", "")
    if not given and request.headers.get("content-type", "").startswith(FORMS):
        field = (await request.form()).get("csrf", "")
        given = field if isinstance(field, str) else ""
    if not hmac.compare_digest(given.encode(), found.csrf.encode()):
        raise ForeignForm("页面令牌不符，请刷新页面后重新提交")


def cookie_name(node: "Node") -> str:
    """The session cookie's name; over https with the prefix that binds it to this very host."""
    return f"{'__Host-' if node.config.secure_cookies else ''}liandong-{node.place}"


def set_cookie(response: Response, node: "Node", ticket: Ticket) -> None:
    """Give the browser its session; it forgets it when it closes."""
    secure = node.config.secure_cookies
    response.set_cookie(
        cookie_name(node), ticket.token, path="/", secure=secure, httponly=True, samesite="lax"
    )


def clear_cookie(response: Response, node: "Node") -> None:
    """Take the session from the browser."""
    secure = node.config.secure_cookies
    response.delete_cookie(cookie_name(node), path="/", secure=secure, httponly=True, samesite="lax")
