"""What a county or city adds to a node. Of what runs, the only place that asks whether a site is a hub."""

from node.capability import Capability
from node.config import NodeConfig


def capabilities(config: NodeConfig) -> tuple[Capability, ...]:
    """The capabilities this site has beyond those of every tier."""
    if config.hub is None:
        return ()  # a village's own process has no use for what a hub is made of, and does not load it
    from hub.boards.capability import BOARDS
    from hub.hub import HUB

    return (HUB, BOARDS)
