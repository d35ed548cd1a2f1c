"""How much of a request is read: a form's worth, unless its path takes files.

One rule: nobody, logged in or not, makes a node hold more than its path was made for.
"""

from collections.abc import Mapping
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from node.errors import TooLarge

MIB: Final = 1024 * 1024
ORDINARY: Final = MIB


class Bounded:
    """An application whose requests end with TooLarge where their bodies pass what the path takes.

    `takes`: bytes by the beginning of a path; `ORDINARY` for all others.
    """

    def __init__(self, app: ASGIApp, takes: Mapping[str, int]) -> None:
        self._app = app
        self._takes = takes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = str(scope["path"])
        most = next((size for begin, size in self._takes.items() if path.startswith(begin)), ORDINARY)
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > most:
                raise TooLarge(f"内容超过 {most // MIB} MB，没有收下")
            return message

        await self._app(scope, counted, send)
