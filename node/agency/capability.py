"""Agency as a capability of every tier."""

from node.accounts.roles import AT_WORK
from node.agency import actions, apply, project_pages
from node.agency.acts import AGENCY_ACTS
from node.agency.pages import PATH
from node.agency.pages import router as pages
from node.agency.routes import router
from node.capability import Capability, NavEntry
from node.loops import Wake, forever
from node.node import Node
from node.pages import links

_WHO = frozenset(map(str, AT_WORK))
_PROJECTS = _WHO | {"auditor"}


async def run(node: Node) -> None:
    """Late materials and money that stayed with an agent are noticed without being asked."""

    async def step() -> bool:
        await node.do(actions.look_after)
        return False

    await forever("agency", step, Wake(), 60 * node.config.pace.housekeeping_s)


AGENCY = Capability(
    name="agency",
    handlers=apply.HANDLERS,
    routers=(pages, project_pages.router, router),
    loops=(run,),
    acts=AGENCY_ACTS,
    follows=apply.FOLLOWS,
    nav=(
        NavEntry("台账", PATH, "audit", roles=_WHO, order=60),
        NavEntry("项目", links.PROJECTS, "board", roles=_PROJECTS, order=61),
    ),
)
