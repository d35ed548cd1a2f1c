"""A small federation with its pages, on a thread of its own: `with Stations(databases) as city: city.at(city.village)`."""

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Self

import uvicorn

from node.accounts import actions as accounts
from node.accounts.officer import Officer
from node.accounts.passwords import Passwords
from node.accounts.roles import Role
from node.materials.collect import materials_of
from node.node import Node
from node.web import Web
from protocol.places import Code
from tests.databases import Databases
from tests.federation import Federation, divisions, part_of

PASSWORD = "Correct-horse-1"
PEOPLE = (
    ("li.na", "李娜", "agent", Role.AGENT),
    ("wang.wei", "王伟", "clerk", Role.CLERK),
    ("head", "站长", "head", Role.ADMINISTRATOR),
)


class Stations:
    """A village and its township with their pages; mail moves when `settle` is called."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._servers:
            one.should_exit = True
        self._thread.join(10)

    async def _run(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.city = await Federation(part_of(divisions(), townships=1, villages=1), self._databases).open()
        self.village = next(code for code in self.city.nodes if not self.city.roster.children(code))
        self.township = self.city.roster[self.village].parent or self.village
        self._addresses: dict[str, str] = {}
        self._servers: list[uvicorn.Server] = []
        serving = [
            asyncio.create_task(self._serve(self.city[code])) for code in (self.village, self.township)
        ]
        while len(self._servers) < 2 or not all(one.started for one in self._servers):
            await asyncio.sleep(0.01)
        self._ready.set()
        await asyncio.gather(*serving)
        await self.city.close()

    async def _serve(self, node: Node) -> None:
        passwords = Passwords(time_cost=1, memory_kib=8)
        stored = passwords.hash(PASSWORD)
        for login, name, staff_no, role in PEOPLE:
            node.db.write_now(
                lambda session, login=login, name=name, staff_no=staff_no, role=role: accounts.create_user(
                    session, self.city.now, None, login=login, name=name, staff_no=staff_no, place=node.place,
                    roles=[role], password_hash=stored, must_change=False,
                )
            )  # fmt: skip
        app = Web(node.capabilities).app(node)
        app.state.passwords = passwords
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        self._addresses[node.place] = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", loop="asyncio", lifespan="off"))
        self._servers.append(server)
        await server.serve(sockets=[listener])

    @property
    def agent(self) -> Officer:
        """李娜, who logs in as li.na."""
        return Officer(1, "li.na", "李娜", "agent", frozenset((Role.AGENT,)), Code(self.village))

    def at(self, place: str) -> str:
        """The address of a place's pages."""
        return self._addresses[place]

    def do(self, act: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """Do something on the federation's own thread."""
        return asyncio.run_coroutine_threadsafe(act(), self.loop).result(60)

    async def lane(self, node: Node) -> None:
        """One step of a node's blob lane."""
        await materials_of(node).lane.step()

    def settle(self) -> None:
        """Until no mail moves any more."""
        self.do(self.city.settle)
