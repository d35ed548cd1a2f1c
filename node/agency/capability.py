"""Agency as a capability of every tier."""

from node.agency.pages import PATH, router
from node.capability import Capability, NavEntry

_WHO = frozenset(("agent", "clerk", "reviewer", "chief_representative", "centre_head", "auditor"))

AGENCY = Capability(
    name="agency", routers=(router,), nav=(NavEntry("台账", PATH, "audit", roles=_WHO, order=60),)
)
