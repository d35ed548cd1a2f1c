"""用章 beside a document: which seals of this place it may bear, who keeps them, and what was stamped so far."""

from collections.abc import Mapping
from types import MappingProxyType

from node.accounts.views import names
from node.cases.model import to_case
from node.cases.views import one as case_row
from node.desk.frame import Desk
from node.desk.written import Written
from node.pages.views.powers import StampingView
from node.powers import seals, views
from node.powers.seal_pages import use_action, use_line

FITS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "收件章": ("收件专用章",),
        "办结章": ("办结专用章",),
        "受理专用章": ("受理专用章",),
        "审批专用章": ("审批专用章",),
        "专用章": ("受理专用章", "审批专用章"),
    }
)
"""Kinds of seals by what a sheet says it waits for."""


def stamping(desk: Desk, no: str, seal: str, document: str) -> StampingView | None:
    """What the page of a document offers; None where it bears no seal of this place, or the case is elsewhere."""
    node = desk.node
    case = to_case(node.read(case_row, no))
    kept = [
        row
        for row in node.read(views.seals)
        if row.kind in FITS.get(seal, ()) and row.retired_on is None and seals.WHEN[row.kind][0](case)
    ]
    if case.holder != node.place or not kept:
        return None
    known = node.read(names)
    mine = [row for row in kept if row.keeper == desk.who.staff_no]
    used = node.db.read(lambda session: views.uses(session, no=no))
    back = desk.request.url.path
    return StampingView(
        actions=tuple(use_action(row, Written(), no=no, document=document, back=back) for row in mine),
        keepers="；".join(f"{row.name}由 {known.get(row.keeper, row.keeper)} 保管" for row in kept)
        if not mine
        else "",
        uses=tuple(use_line(row, known) for row in used if row.document == document),
    )
