"""Nobody makes a node hold more than a path was made for, logged in or not."""

from collections.abc import AsyncIterator, Mapping

import pytest
from starlette.types import Message

from node.bodies import MIB, ORDINARY
from tests.databases import Databases
from tests.desks import Desks
from tests.federation import divisions, part_of

COUNTY = "640221000000"
OPEN = ("/api/cases", "/api/uploads", "/api/cases/x/decide", "/api/session", "/login", "/cases/x/accept")


@pytest.fixture
async def desks(databases: Databases) -> AsyncIterator[Desks]:
    found = await Desks.open(part_of(divisions(), townships=1, villages=1), databases)
    yield found
    await found.city.close()


async def poured(desks: Desks, path: str, kind: bytes) -> tuple[int, Mapping[str, object]]:
    """Pour body into a path for ever; how many bytes it read, and the head of its answer."""
    read, sent = 0, []

    async def receive() -> Message:
        nonlocal read
        read += 64 * 1024
        assert read < 300 * MIB
        return {"type": "http.request", "body": b" " * 64 * 1024, "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "client": ("10.0.0.9", 1),
        "headers": [(b"host", b"node.test"), (b"content-type", kind)], "server": ("node.test", 80),
    }  # fmt: skip
    await desks.apps[COUNTY](scope, receive, send)
    return read, sent[0]


@pytest.mark.parametrize("path", OPEN)
async def test_a_stranger_pours_no_more_than_a_form_into_a_node(desks: Desks, path: str) -> None:
    for kind in (b"application/json", b"multipart/form-data; boundary=x"):
        read, head = await poured(desks, path, kind)
        assert read <= ORDINARY + 64 * 1024
        assert head["status"] in (401, 403, 413, 303, 422)


async def test_a_statement_of_a_bank_is_bounded_before_the_login_too(desks: Desks) -> None:
    read, head = await poured(desks, "/api/fees/statement", b"multipart/form-data; boundary=x")
    assert read <= 9 * MIB
    assert head["status"] in (401, 413, 400)


async def test_too_much_is_refused_in_words(desks: Desks) -> None:
    async with desks.at(COUNTY, "clerk") as clerk:
        refused = await clerk.post("/api/cases", content=b'{"item":"' + b"x" * 2 * MIB + b'"}')
        assert (refused.status_code, refused.json()["type"]) == (413, "urn:liandong:too-large")
        assert "超过 1 MB" in refused.json()["detail"]
        broken = await clerk.post("/api/cases", content=b"{", headers={"content-type": "application/json"})
        assert broken.status_code in (400, 422)
