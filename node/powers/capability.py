"""Powers as a capability of every tier."""

from node import proposals
from node.capability import Capability, NavEntry
from node.loops import Wake, forever
from node.node import Node
from node.pages import links
from node.powers import actions, apply, pages, proposal_pages, seal_pages
from node.powers.routes import router
from node.powers.seconds import SECONDS

_SIGNS = frozenset(("agent", "clerk", "reviewer", "chief_representative", "centre_head"))
_KEEPS = frozenset(("clerk", "reviewer", "chief_representative", "centre_head", "auditor"))


async def run(node: Node) -> None:
    """Whoever joins later is told of the authorisations in force."""

    async def step() -> bool:
        await node.do(actions.tell_newcomers)
        return False

    await forever("authorisations", step, Wake(), 60 * node.config.pace.housekeeping_s)


POWERS = Capability(
    name="powers",
    handlers=apply.HANDLERS,
    routers=(router, pages.router, proposal_pages.router, seal_pages.router),
    loops=(run,),
    seconds=SECONDS,
    counts=proposals.counts,
    on_edition=apply.after_edition,
    nav=(
        NavEntry("待批", links.PROPOSALS, "proof", roles=_SIGNS, order=48, count="proposals"),
        NavEntry("授权", links.AUTHORISATIONS, "keys", roles=_SIGNS | {"auditor"}, order=62),
        NavEntry("印章", links.SEALS, "hand", roles=_KEEPS, order=64),
    ),
)
