"""Powers as a capability of every tier."""

from node.capability import Capability
from node.loops import Wake, forever
from node.node import Node
from node.powers import actions, apply, seals
from node.powers.routes import router


async def run(node: Node) -> None:
    """Whoever joins later is told of the authorisations in force."""

    async def step() -> bool:
        await node.do(actions.tell_newcomers)
        return False

    await forever("authorisations", step, Wake(), 60 * node.config.pace.housekeeping_s)


POWERS = Capability(
    name="powers",
    handlers=apply.HANDLERS,
    routers=(router,),
    loops=(run,),
    seconds={actions.KIND: actions.approve, seals.CUSTODY: seals.take_over},
    on_edition=actions.tell_newcomers,
)
