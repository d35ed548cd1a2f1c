"""Fees as a capability of every tier."""

from node.capability import Capability, NavEntry
from node.fees import apply, pages, standing
from node.fees.acts import FEE_ACTS
from node.fees.bank import MOST_BYTES
from node.fees.routes import router
from node.fees.seconds import SECONDS
from node.work import Work

_WHO = frozenset(("clerk", "reviewer", "chief_representative", "centre_head", "auditor"))


def after_edition(work: Work) -> None:
    """Bills made under a newer edition can be judged now."""
    standing.reconsider(work)


FEES = Capability(
    name="fees",
    handlers=apply.HANDLERS,
    routers=(router, pages.router),
    takes={f"{pages.PATH}/statement": 2 * MOST_BYTES, "/api/fees/statement": 2 * MOST_BYTES},
    acts=FEE_ACTS,
    follows=apply.FOLLOWS,
    seconds=SECONDS,
    on_edition=after_edition,
    nav=(NavEntry("收费", pages.PATH, "list", roles=_WHO, order=55),),
)
