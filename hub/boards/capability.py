"""The boards as a capability of hubs."""

from hub.boards import board, city
from node.capability import Capability, NavEntry
from node.pages import links

BOARDS = Capability(
    name="boards",
    routers=(board.router, board.api, city.router, city.api),
    nav=(
        NavEntry("运行", links.BOARD, "board", order=35),
        NavEntry("汇总", links.SUMS, "sum", order=36),
    ),
)
