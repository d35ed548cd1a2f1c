"""Attacks on the door: guessing, stolen and forged cookies, foreign pages, roles one does not have."""

import asyncio
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from node.accounts import actions, routes
from node.accounts.guard import Here
from node.accounts.passwords import Passwords
from node.accounts.roles import Role
from node.config import NodeConfig
from node.db import Database
from node.errors import NodeError
from protocol.places import Code

PLACE = Code("640221101201")
PASSWORD = "Correct-horse-1"
OTHER = "Battery-staple-2"
ORIGIN = "http://node.test"


@dataclass
class Door:
    """The parts of a node that the door needs, with a clock one can set."""

    db: Database
    config: NodeConfig
    now: datetime = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
    place: Code = PLACE
    passwords: Passwords = field(default_factory=lambda: Passwords(time_cost=1, memory_kib=8))

    def clock(self) -> datetime:
        return self.now

    def wait(self, **span: int) -> None:
        self.now += timedelta(**span)

    def app(self) -> FastAPI:
        app = FastAPI()
        app.state.node, app.state.passwords = self, self.passwords
        app.include_router(routes.router)

        @app.post("/act")
        async def act(who: Here) -> str:
            return who.login

        @app.exception_handler(NodeError)
        async def problem(_: Request, error: NodeError) -> JSONResponse:
            return JSONResponse(error.problem(), error.status, error.headers())

        return app

    def browser(self, address: str = "10.0.0.7", *, base: str = ORIGIN) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app(), client=(address, 4711))
        return httpx.AsyncClient(transport=transport, base_url=base, headers={"Origin": base})


@pytest.fixture
def door(database: Database) -> Door:
    made = Door(database, NodeConfig(PLACE, Path(), database.url))
    stored = made.passwords.hash(PASSWORD)
    for login, role, must_change in (
        ("li.na", Role.AGENT, False),
        ("boss", Role.ADMINISTRATOR, False),
        ("new", Role.CLERK, True),
        ("eye", Role.AUDITOR, False),
    ):
        made.db.write_now(
            lambda session, login=login, role=role, must_change=must_change: actions.create_user(
                session,
                made.now,
                None,
                login=login,
                name="某某",
                staff_no=f"N-{login}",
                place=PLACE,
                roles=[role],
                password_hash=stored,
                must_change=must_change,
            )
        )
    return made


async def log_in(
    browser: httpx.AsyncClient, login: str = "li.na", password: str = PASSWORD
) -> httpx.Response:
    answer = await browser.post("/api/session", json={"login": login, "password": password})
    if answer.is_success:
        browser.headers["X-CSRF-Token"] = answer.json()["csrf"]
    return answer


async def test_the_cookie_tells_nothing_and_is_closed_to_scripts(door: Door) -> None:
    async with door.browser() as browser:
        answer = await log_in(browser)
        cookie = answer.headers["set-cookie"]
        assert re.fullmatch(rf"liandong-{PLACE}=[\w-]{{43}}; HttpOnly; Path=/; SameSite=lax", cookie)
        assert (await browser.get("/api/session")).json()["login"] == "li.na"
        assert (await browser.post("/act")).json() == "li.na"


async def test_over_https_the_cookie_is_bound_to_the_host(database: Database, door: Door) -> None:
    door.config = NodeConfig(PLACE, Path(), database.url, secure_cookies=True)
    async with door.browser(base="https://node.test") as browser:
        cookie = (await log_in(browser)).headers["set-cookie"]
        assert cookie.startswith(f"__Host-liandong-{PLACE}=")
        assert "Secure" in cookie
        assert (await browser.post("/act")).status_code == 200


async def test_guessing_locks_the_login_for_longer_and_longer(door: Door) -> None:
    async with door.browser() as browser:
        waits = []
        for _ in range(7):
            while (answer := await log_in(browser, password="wrong")).status_code == 429:
                waits.append(int(answer.headers["retry-after"]))
                door.wait(seconds=waits[-1])
            assert answer.json()["errors"] == [{"field": "password", "detail": "用户名或密码不正确"}]
        assert waits == [5, 15, 1800, 3600]


async def test_while_locked_not_even_the_right_password_is_heard(door: Door) -> None:
    async with door.browser() as browser:
        for _ in range(5):
            await log_in(browser, password="wrong")
            door.wait(seconds=20)
        locked = await log_in(browser)
        assert locked.status_code == 429
        assert "30 分钟" in locked.json()["detail"]
        door.wait(minutes=30)
        assert (await log_in(browser)).status_code == 200
        assert (
            await log_in(browser, password="wrong")
        ).status_code == 422  # a right one starts the count afresh


async def test_many_guesses_at_once_count_as_many(door: Door) -> None:
    async with door.browser() as browser:
        answers = await asyncio.gather(*(log_in(browser, password=f"guess-{n}") for n in range(30)))
    assert sum(answer.status_code == 422 for answer in answers) <= 3
    assert all(answer.status_code in {422, 429} for answer in answers)


async def test_one_address_cannot_try_one_password_on_everybody(door: Door) -> None:
    async with door.browser() as browser:
        codes = [(await log_in(browser, f"user{n}", "Spring-2026")).status_code for n in range(25)]
        assert codes == [422] * 20 + [429] * 5
    async with door.browser("10.0.0.8") as other:
        assert (await log_in(other)).status_code == 200


async def test_ipv6_neighbours_are_one_address(door: Door) -> None:
    codes = []
    for n in range(22):
        async with door.browser(f"2001:db8::{n + 1:x}") as browser:
            codes.append((await log_in(browser, f"user{n}", "x")).status_code)
    assert codes[-2:] == [429, 429]


async def test_unknown_disabled_and_wrong_sound_the_same(door: Door) -> None:
    door.db.write_now(lambda session: actions.disable_user(session, door.now, door_officer(), "new", "调离"))
    async with door.browser() as browser:
        answers = [
            await log_in(browser, *pair) for pair in (("li.na", "x"), ("nobody", "x"), ("new", PASSWORD))
        ]
    assert len({(answer.status_code, answer.text) for answer in answers}) == 1


def door_officer():
    from node.accounts.officer import Officer

    return Officer(99, "head", "管理员", "A1", frozenset({Role.ADMINISTRATOR}), PLACE)


async def test_a_password_typed_as_login_is_not_written_down(door: Door) -> None:
    async with door.browser() as browser:
        await log_in(browser, PASSWORD, "x")
    async with door.browser() as browser:
        await log_in(browser, "eye")
        text = (await browser.get("/api/audit")).text
    assert "login_failed" in text
    assert PASSWORD.lower() not in text.lower()


async def test_a_session_ends_when_idle_and_after_twelve_hours(door: Door) -> None:
    async with door.browser() as browser:
        await log_in(browser)
        for _ in range(3):
            door.wait(minutes=29)
            assert (await browser.post("/act")).status_code == 200
        door.wait(minutes=31)
        assert (await browser.post("/act")).status_code == 401
        await log_in(browser)
        for _ in range(24):
            door.wait(minutes=29)
            assert (await browser.post("/act")).status_code == 200
        door.wait(minutes=29)
        assert (await browser.post("/act")).status_code == 401


async def test_a_forged_or_ended_cookie_opens_nothing(door: Door) -> None:
    name = f"liandong-{PLACE}"
    async with door.browser() as browser:
        await log_in(browser)
        stolen = dict(browser.cookies)
        csrf = browser.headers["X-CSRF-Token"]
        assert (await browser.delete("/api/session")).status_code == 204
    for cookies in (
        stolen,
        {name: "A" * 43},
        {name: ""},
        {name: "' OR 1=1 --"},
        {"liandong-640221101202": stolen[name]},
    ):
        async with door.browser() as thief:
            thief.cookies.update(cookies)
            assert (await thief.post("/act", headers={"X-CSRF-Token": csrf})).status_code == 401


async def test_a_new_login_ends_the_session_it_replaces(door: Door) -> None:
    async with door.browser() as browser:
        await log_in(browser)
        before = dict(browser.cookies)
        await log_in(browser)
        browser.cookies.clear()
        browser.cookies.update(before)
        assert (await browser.get("/api/session")).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.test"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://node.test.evil.test"},
        {"Origin": "https://node.test"},
        {"Origin": "http://node.test:8080"},
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": "guess"},
        {"X-CSRF-Token": b"gu\xe9ss"},
    ],
)
async def test_a_foreign_page_cannot_act(door: Door, headers: dict[str, str | bytes]) -> None:
    async with door.browser() as browser:
        await log_in(browser)
        answer = await browser.post("/act", headers=headers)
        assert answer.status_code == 403
        assert answer.json()["type"] == "urn:liandong:foreign-form"


async def test_a_foreign_page_cannot_log_its_own_user_in(door: Door) -> None:
    async with door.browser() as browser:
        browser.headers["Origin"] = "http://evil.test"
        assert (await log_in(browser)).status_code == 403


async def test_another_sessions_token_does_not_serve(door: Door) -> None:
    async with door.browser() as mine, door.browser() as other:
        await log_in(mine)
        await log_in(other, "boss")
        mine.headers["X-CSRF-Token"] = other.headers["X-CSRF-Token"]
        assert (await mine.post("/act")).status_code == 403


async def test_the_token_may_come_in_the_form(door: Door) -> None:
    async with door.browser() as browser:
        await log_in(browser)
        csrf = browser.headers.pop("X-CSRF-Token")
        assert (await browser.post("/act", data={"csrf": csrf})).status_code == 200
        assert (await browser.post("/act", files={"csrf": (None, csrf)})).status_code == 200
        assert (await browser.post("/act", files={"csrf": ("a.txt", csrf)})).status_code == 403
        assert (await browser.post("/act", data={"csrf": "x"})).status_code == 403


async def test_configured_origins_are_the_only_ones(door: Door) -> None:
    door.config = NodeConfig(PLACE, Path(), door.db.url, origins=("https://zw.example",))
    async with door.browser() as browser:
        assert (await log_in(browser)).status_code == 403
        browser.headers["Origin"] = "https://zw.example"
        assert (await log_in(browser)).status_code == 200


async def test_with_a_first_password_only_its_change_is_open(door: Door) -> None:
    async with door.browser() as browser, door.browser() as elsewhere:
        assert (await log_in(browser, "new")).json()["must_change"]
        await log_in(elsewhere, "new")
        refused = await browser.post("/act")
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:liandong:password-must-change")
        for old, new, wrong in (
            ("no", OTHER, "old"),
            (PASSWORD, "short", "new"),
            (PASSWORD, PASSWORD, "new"),
        ):
            answer = await browser.post("/api/session/password", json={"old": old, "new": new})
            assert answer.json()["errors"][0]["field"] == wrong
        assert (
            await browser.post("/api/session/password", json={"old": PASSWORD, "new": OTHER})
        ).status_code == 204
        assert (await browser.post("/act")).json() == "new"
        assert (await elsewhere.get("/api/session")).status_code == 401
    async with door.browser() as browser:
        assert (await log_in(browser, "new")).status_code == 422
        assert (await log_in(browser, "new", OTHER)).status_code == 200


async def test_after_ninety_days_the_password_must_change(door: Door) -> None:
    door.wait(hours=24 * 91)
    async with door.browser() as browser:
        assert (await log_in(browser)).json()["must_change"]


async def test_roles_are_asked_on_every_request(door: Door) -> None:
    user = {"login": "Wang.Wei", "name": "王伟", "staff_no": "D-9", "roles": ["clerk"]}
    async with door.browser() as agent, door.browser() as boss, door.browser() as eye:
        await log_in(agent)
        await log_in(boss, "boss")
        await log_in(eye, "eye")
        assert (await agent.post("/api/users", json=user)).status_code == 403
        assert (await boss.get("/api/audit")).status_code == 403
        assert (await eye.get("/api/users")).status_code == 403
        first = (await boss.post("/api/users", json=user)).json()["first_password"]
        async with door.browser() as wang:
            assert (await log_in(wang, "ｗａｎｇ.wei", first)).json()["must_change"]
        assert (await boss.post("/api/users", json={**user, "admin": True})).status_code == 422
        assert (
            await boss.patch("/api/users/li.na", json={"disabled": True, "reason": "调离"})
        ).status_code == 204
        assert (await agent.post("/act")).status_code == 401
        assert (await boss.patch("/api/users/boss", json={"roles": ["auditor"]})).status_code == 403
        listed = {row["login"]: row for row in (await boss.get("/api/users")).json()}
        assert listed["li.na"]["disabled"]
        assert "password" not in str(listed)
        chain = (await eye.get("/api/audit/chain")).json()
        assert chain["broken_at"] is None
        assert chain["rows"] == len((await eye.get("/api/audit?limit=200")).json())


async def test_an_administrator_resets_and_unlocks(door: Door) -> None:
    async with door.browser() as agent, door.browser("10.0.0.9") as boss:
        for _ in range(5):
            await log_in(agent, password="wrong")
            door.wait(seconds=20)
        await log_in(boss, "boss")
        assert {row["login"]: row["locked_until"] for row in (await boss.get("/api/users")).json()}["li.na"]
        assert (await boss.post("/api/users/li.na/unlock")).status_code == 204
        assert (await log_in(agent)).status_code == 200
        first = (await boss.post("/api/users/li.na/password")).json()["first_password"]
        assert (await agent.get("/api/session")).status_code == 401
        assert (await log_in(agent, password=first)).json()["must_change"]


async def test_a_machine_has_its_own_roles_and_no_cookie(door: Door) -> None:
    async with door.browser() as boss:
        await log_in(boss, "boss")
        until = (door.now + timedelta(hours=1)).isoformat()
        body = {"name": "screen", "roles": ["clerk"], "expires": until}
        secret = (await boss.post("/api/tokens", json=body)).json()["secret"]
        assert (
            await boss.post("/api/tokens", json={**body, "name": "x1", "roles": ["administrator"]})
        ).status_code == 422
        assert secret not in (await boss.get("/api/tokens")).text
    async with door.browser() as machine:
        del machine.headers["Origin"]
        machine.headers["Authorization"] = f"Bearer {secret}"
        assert (await machine.post("/act")).json() == "token:screen"
        assert (await machine.get("/api/users")).status_code == 403
        assert (await machine.get("/api/session")).status_code == 401
        machine.headers["Authorization"] = "Bearer ldt_guess"
        assert (await machine.post("/act")).status_code == 401
        door.wait(hours=1)
        machine.headers["Authorization"] = f"Bearer {secret}"
        assert (await machine.post("/act")).status_code == 401
