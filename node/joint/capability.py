"""Joint handling as a capability of every tier that may be invited."""

from node.capability import Capability, NavEntry
from node.joint.acts import ACTS
from node.joint.apply import FOLLOWS, HANDLERS, revive
from node.joint.pages import PATH
from node.joint.pages import router as pages
from node.joint.routes import router

JOINT = Capability(
    name="joint",
    handlers=HANDLERS,
    routers=(router, pages),
    acts=ACTS,
    follows=FOLLOWS,
    on_edition=revive,
    nav=(
        NavEntry(
            "协办事项",
            PATH,
            "people",
            roles=frozenset(("clerk", "reviewer", "chief_representative")),
            order=45,
        ),
    ),
)
