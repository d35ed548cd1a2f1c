"""What a node refuses, and how it says so to people and programs (RFC 9457 problem details).

    NodeError 500
    ├── BadForm 422            fields that must be put right; carries them
    ├── BadRequest 400         the request is not one we understand
    ├── NotLoggedIn 401        no session, or one that has ended
    ├── Forbidden 403
    │   ├── RoleMissing        the officer's roles do not allow it
    │   ├── OnRecord           refused, and that it was tried is written down
    │   ├── ForeignForm        the request did not come from our own page (CSRF)
    │   └── PasswordMustChange only the change of password is open
    ├── NotFound 404
    ├── Conflict 409           it has changed meanwhile, or exists already
    ├── TooLarge 413           more than is taken in at once
    ├── TooMany 429            locked for a while; carries the seconds
    ├── NotInstalled 501       an extra that this machine does not have; says how it gets it
    ├── Unavailable 503        something this needs is away for now
    └── InDoubt 503            the database went away while it kept the act; it may have been kept

One rule: `title` and `detail` are Chinese sentences that a clerk can act on; nothing secret is in them.
"""

from collections.abc import Callable
from typing import Any


class NodeError(Exception):
    """An act is refused or has failed; nothing was changed."""

    status = 500
    title = "系统内部错误"

    def __init__(self, detail: str = "", *, field: str | None = None) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.field = field

    @property
    def kind(self) -> str:
        """The class in kebab case: what a program may test, as `type` of the problem."""
        name = type(self).__name__
        return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")

    def fields(self) -> dict[str, str]:
        """What is wrong, by name of the form's field."""
        return {self.field: self.detail} if self.field else {}

    def problem(self) -> dict[str, Any]:
        """The body of an `application/problem+json` answer."""
        body: dict[str, Any] = {
            "type": f"urn:liandong:{self.kind}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail or self.title,
        }
        if fields := self.fields():
            body["errors"] = [{"field": name, "detail": text} for name, text in fields.items()]
        return body

    def headers(self) -> dict[str, str]:
        """What the answer's head says besides."""
        return {}


class BadForm(NodeError):
    """Some fields of a form cannot be taken as they are; the rest is kept."""

    status = 422
    title = "表单有误，请更正后再提交"

    def __init__(self, errors: dict[str, str] | None = None, **named: str) -> None:
        self._errors = {**(errors or {}), **named}
        super().__init__("；".join(self._errors.values()))

    def fields(self) -> dict[str, str]:
        """What is wrong, by name of the form's field."""
        return dict(self._errors)


class BadRequest(NodeError):
    """The request is not one this node understands."""

    status = 400
    title = "请求无法识别"


class NotLoggedIn(NodeError):
    """There is no session, or it has ended."""

    status = 401
    title = "请先登录"

    def headers(self) -> dict[str, str]:
        """The scheme that a program may use."""
        return {"WWW-Authenticate": "Bearer"}


class Forbidden(NodeError):
    """The officer may not do this."""

    status = 403
    title = "无权办理"


class RoleMissing(Forbidden):
    """None of the officer's roles allows it."""


class OnRecord(Forbidden):
    """Refused; `keep` writes down that it was tried, in a transaction of its own."""

    def __init__(self, detail: str, keep: Callable[[Any], object]) -> None:
        super().__init__(detail)
        self.keep = keep


class ForeignForm(Forbidden):
    """The request does not come from a page of this node's own session."""

    title = "页面已过期，请刷新后重试"


class PasswordMustChange(Forbidden):
    """Until the password is changed, nothing else is open."""

    title = "请先修改密码"


class NotFound(NodeError):
    """There is no such thing here, or this officer may not know of it."""

    status = 404
    title = "没有找到"


class Conflict(NodeError):
    """It exists already, or has changed since it was read."""

    status = 409
    title = "内容已有变化，请刷新后重试"


class TooLarge(NodeError):
    """More than is taken in at once."""

    status = 413
    title = "内容太大"


class TooMany(NodeError):
    """Too many attempts; `wait_s` seconds until the next is heard."""

    status = 429
    title = "尝试次数过多，请稍后再试"

    def __init__(self, detail: str, *, wait_s: int) -> None:
        super().__init__(detail)
        self.wait_s = wait_s

    def headers(self) -> dict[str, str]:
        """When to come back."""
        return {"Retry-After": str(self.wait_s)}


class NotInstalled(NodeError):
    """An extra that this machine does not have; the words say how it gets it."""

    status = 501
    title = "本机没有安装这项功能"


class Unavailable(NodeError):
    """Something this act needs is away for now; the same request may succeed later."""

    status = 503
    title = "暂时无法办理，请稍后再试"


class InDoubt(NodeError):
    """The database went away while it committed and did not come back: the one error after which an act may stand."""

    status = 503
    title = "数据库中断，这一步可能已经保存；恢复后请先查看结果，再决定是否重做"
