"""Fragments that every page refreshes: the line in the masthead."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from node.desk.frame import Here
from node.pages import screens
from node.pages.render import answer_live

router = APIRouter(prefix="/live", include_in_schema=False)


@router.get("/line")
async def line(request: Request, desk: Here) -> Response:
    """The state of the line."""
    return answer_live(screens.line_state_live(desk.page()), request.headers)
