"""What a county or city adds to a node. The only place that asks whether a site is a hub."""

from hub.boards.capability import BOARDS
from hub.hub import Hub
from node.capability import Capability
from node.config import NodeConfig
from node.node import Node


async def _run_hub(node: Node) -> None:
    assert node.config.hub is not None
    hub = Hub(node, node.config.hub)
    node.parts["hub"] = hub
    await hub.run()


HUB = Capability(name="hub", loops=(_run_hub,))


def capabilities(config: NodeConfig) -> tuple[Capability, ...]:
    """The capabilities this site has beyond those of every tier."""
    if config.hub is None:
        return ()
    return (HUB, BOARDS)
