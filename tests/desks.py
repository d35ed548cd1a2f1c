"""Desks for tests: a small federation whose nodes have people and pages, hubs their boards too.

desks = await Desks.open(part_of(divisions()), databases)
async with desks.at(VILLAGE, "agent") as browser:      # logged in
    page = await browser.get("/line")
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from hub.boards.capability import BOARDS
from node.accounts import actions
from node.accounts.passwords import Passwords
from node.accounts.roles import Role
from node.cases import actions as case_actions
from node.node import Node
from node.web import Web
from protocol.roster import Roster
from tests.databases import Databases
from tests.federation import AGENT, Federation, form, real_items

PASSWORD = "Correct-horse-1"
HOST = "http://node.test"
PEOPLE = {
    "agent": Role.AGENT,
    "clerk": Role.CLERK,
    "reviewer": Role.REVIEWER,
    "chief": Role.CHIEF_REPRESENTATIVE,
    "head": Role.CENTRE_HEAD,
    "admin": Role.ADMINISTRATOR,
    "auditor": Role.AUDITOR,
    "fresh": Role.CLERK,
}
"""Who works at every node; `fresh` has not changed the first password yet."""


ITEMS = frozenset(f"SZS-{number:03}" for number in range(1, 25))
"""Enough of a catalogue for pages, and quick to publish."""


class Desks:
    """The pages of every node of a federation."""

    def __init__(self, city: Federation) -> None:
        self.city = city
        self.passwords = Passwords(time_cost=1, memory_kib=8)
        self._hashed = self.passwords.hash(PASSWORD)
        for code in city.roster.hubs:
            city[code].capabilities = (*city[code].capabilities, BOARDS)
        self._webs: dict[tuple[str, ...], Web] = {}
        self.apps = {code: self._app(node) for code, node in city.nodes.items()}
        for node in city.nodes.values():
            self._hire(node)

    @classmethod
    async def open(cls, roster: Roster, databases: Databases) -> "Desks":
        """A federation with a small first edition, its people and its pages."""
        city = await Federation(roster, databases, publish=False).open()
        items, deeds = real_items()
        chosen = tuple(item for item in items if item.id in ITEMS)
        await city.publish(1, chosen, tuple(deed for deed in deeds if deed.item in ITEMS))
        return cls(city)

    @property
    def village(self) -> str:
        """A village of the federation."""
        roster = self.city.roster
        return next(place.code for place in roster if not roster.children(place.code))

    async def filed(self, item: str = "SZS-019", **changes: Any) -> str:
        """A case filed there, heard of everywhere."""
        no = await self.city[self.village].do(case_actions.file_case, AGENT, form(item, **changes))
        await self.city.settle()
        return no

    def _app(self, node: Node) -> FastAPI:
        names = tuple(one.name for one in node.capabilities)
        web = self._webs.setdefault(names, Web(node.capabilities))
        app = web.app(node)
        app.state.passwords = self.passwords
        return app

    def _hire(self, node: Node) -> None:
        for login, role in PEOPLE.items():
            node.db.write_now(
                lambda session, login=login, role=role: actions.create_user(
                    session,
                    self.city.now,
                    None,
                    login=login,
                    name=f"某{role.label}",
                    staff_no=f"T-{login}",
                    place=node.place,
                    roles=[role],
                    password_hash=self._hashed,
                    must_change=login == "fresh",
                )
            )

    @asynccontextmanager
    async def at(self, place: str, login: str = "", address: str = "10.0.0.7") -> AsyncIterator["Window"]:
        """A browser at a node, logged in as `login` if it is given."""
        transport = httpx.ASGITransport(self.apps[place], client=(address, 4711))  # type: ignore[index]
        async with Window(transport=transport, base_url=HOST, headers={"Origin": HOST}) as window:
            if login:
                answer = await window.post("/login", data={"login": login, "password": PASSWORD})
                assert answer.status_code == 303, answer.text
            yield window


class Window(httpx.AsyncClient):
    """A browser that knows the token its forms must carry."""

    async def token(self, page: str = "/catalogue") -> str:
        """The token in the forms of a page."""
        found = re.search(r'name="csrf" value="([^"]+)"', (await self.get(page)).text)
        assert found, page
        return found[1]

    async def submit(
        self, path: str, fields: dict[str, object] | None = None, file: bytes | None = None
    ) -> httpx.Response:
        """Post a form as our own page would."""
        sent = {"csrf": await self.token("/password"), **(fields or {})}
        return await self.post(path, data=sent, files={"file": ("file", file)} if file is not None else None)
