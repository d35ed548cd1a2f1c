"""How a refusal is told: problem details (RFC 9457) to programs. Pages add their own for people."""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException

from node.errors import BadForm, BadRequest, Conflict, NodeError, NotFound
from protocol.errors import ProtocolError, TransitionRefused

log = logging.getLogger(__name__)

PROBLEM = "application/problem+json"

UNKEPT = (DataError, OverflowError)
"""A database has no room for what somebody wrote or asked for: U+0000 (PostgreSQL), a number beyond its columns."""


_UNREAD = {400: "请求的内容读不出来，请检查格式", 405: "这个地址不接受这种请求"}


def as_node_error(error: Exception) -> NodeError:
    """The refusal in the node's own words and status."""
    if isinstance(error, UNKEPT):
        error = BadRequest("内容里有不能保存的字符，或数字太大，请改正后再试")
    if isinstance(error, NodeError):
        return error
    if isinstance(error, TransitionRefused):
        return Conflict(str(error))
    if isinstance(error, RequestValidationError):
        return BadForm(
            {".".join(map(str, one["loc"][1:])) or "body": str(one["msg"]) for one in error.errors()}
        )
    if isinstance(error, HTTPException):
        return _refused(error)
    if isinstance(error, ProtocolError):
        return BadRequest(str(error))
    return NodeError()


def _refused(error: HTTPException) -> NodeError:
    """What the framework refuses, in our words."""
    if isinstance(error.__cause__, NodeError):  # what ended the reading of the body
        return error.__cause__
    if error.status_code == 404:
        return NotFound("没有这个地址")
    return BadRequest(_UNREAD.get(error.status_code, ""))


async def tell(request: Request, error: Exception) -> Response:
    """The answer: a page if the capabilities brought a teller and the browser wants one, else problem details."""
    found = as_node_error(error)
    if isinstance(
        error, UNKEPT
    ):  # a check of ours may be missing; the database's own words may quote a person's
        log.warning("%s: %s, no room for what was sent", request.url.path, type(error).__name__)
    teller = getattr(request.app.state, "tell_people", None)
    if teller is not None and not request.url.path.startswith("/api/"):
        page: Response = await teller(request, found)
        return page
    return JSONResponse(found.problem(), found.status, media_type=PROBLEM, headers=found.headers())


def add_handlers(app: FastAPI) -> None:
    """Have `app` tell every refusal in one way."""
    for kind in (NodeError, ProtocolError, RequestValidationError, HTTPException, *UNKEPT):
        app.add_exception_handler(kind, tell)
