"""The web side of nodes: routes built once for a process, a light application for each node.

One rule: handlers find their node in `request.app.state.node`; what goes wrong is told as problem details
(RFC 9457) to programs and as a page to people.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress

import uvicorn
from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp

from node.bodies import Bounded
from node.capability import Capability
from node.node import Node
from node.problems import add_handlers

VERSION = "0.1.0"


class Web:
    """Routes of a set of capabilities, shared by every node that has them."""

    def __init__(self, capabilities: Sequence[Capability]) -> None:
        router = APIRouter()
        for capability in capabilities:
            for one in capability.routers:
                router.include_router(one)
        self._routes = router.routes
        self._takes = {path: size for one in capabilities for path, size in one.takes.items()}
        self._dresses = [one.dress() for one in capabilities if one.dress is not None]

    def app(self, node: Node) -> FastAPI:
        """The application of one node."""
        app = FastAPI(
            title=f"四级联动 {node.name}",
            version=VERSION,
            summary="One node of the federated service network: cases, catalogue, line, figures.",
            docs_url=None,
            redoc_url=None,
        )
        app.router.routes.extend(self._routes)
        app.state.node = node
        app.add_middleware(Bounded, takes=self._takes)
        add_handlers(app)
        for put_on in self._dresses:
            put_on(app)
        return app


_TICKS = 10
"""What uvicorn counts in a second."""


class Server(uvicorn.Server):
    """A web server that leaves signals to whoever runs the node, and looks at the time once a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Take no more, finish what is under way, and end."""
        self.should_exit = True
        self._stop.set()

    async def main_loop(self) -> None:
        """As uvicorn's, which looks ten times a second: too often for hundreds of servers in one process."""
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += _TICKS
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._stop.wait()

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        """Nothing: the command line stops us."""
        return nullcontext()


def server(app: ASGIApp, host: str, port: int) -> Server:
    """A server for `app`; `await server.serve()` runs it until `server.stop()`."""
    config = uvicorn.Config(
        app, host=host, port=port, log_level="warning", access_log=False, lifespan="off", server_header=False
    )
    return Server(config)
