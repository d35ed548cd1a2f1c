"""Forms that no page of ours would send, and two people at one case: a clear word to whoever sent them, nothing else."""

from collections.abc import AsyncIterator
from datetime import date
from urllib.parse import unquote

import pytest
import pytest_asyncio
from sqlalchemy import select

from node.accounts import actions as accounts
from node.accounts.roles import Role
from node.cases import actions
from node.cases.views import one as case_row
from node.db import table_of
from node.errors import Conflict
from node.figures.model import DailyReportRow
from node.powers import seals, views
from protocol.envelope import MAX_PARCEL
from protocol.strict import MAX_INT
from tests.attack.rogue import Rogue, post
from tests.databases import Databases
from tests.desks import Desks
from tests.federation import AGENT, divisions, form, officer, part_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
ROSTER = part_of(divisions())
CITY, COUNTY, TOWNSHIP, VILLAGE = (place.code for place in ROSTER.subtree(ROSTER.city.code))
ITEM = "SZS-001"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desks(databases: Databases) -> AsyncIterator[Desks]:
    found = await Desks.open(ROSTER, databases)
    yield found
    await found.city.close()


async def filed(desks: Desks) -> str:
    no = await desks.city[VILLAGE].do(actions.file_case, AGENT, form(ITEM, again="另一宗"))
    await desks.city.settle()
    return str(no)


async def test_the_second_of_two_clerks_is_told_who_was_first(desks: Desks) -> None:
    no = await filed(desks)
    town = desks.city[TOWNSHIP]
    seen = str(town.read(case_row, no).n)
    first = officer("first", Role.CLERK)
    async with desks.at(TOWNSHIP, "clerk") as browser:
        await town.do(actions.take, first, no)
        late = await browser.submit(f"/cases/{no}/accept", {"n": seen})
        assert late.status_code == 409
        assert "first" in late.text
        assert "看到的是第 1 步" in late.text


@pytest.mark.parametrize("number", ["²", "①", "-1", "1.0", "9" * 5000, "٣٣٣٣٣٣٣٣٣٣٣"])
async def test_what_only_looks_like_a_number_breaks_no_form(desks: Desks, number: str) -> None:
    no = await filed(desks)
    town = desks.city[TOWNSHIP]
    head = officer("head", Role.CENTRE_HEAD)
    seal = await town.do(seals.register, head, "收件专用章", f"章{number[:3]}", "T-clerk")
    async with desks.at(TOWNSHIP, "clerk") as browser:
        used = await browser.submit(f"/seals/{seal}/uses", {"no": no, "document": "收件", "copies": number})
        assert used.status_code == 422
        extended = await browser.submit(f"/cases/{no}/extend", {"days": number, "why": "复杂", "n": number})
        assert extended.status_code in (403, 409, 422)
    assert town.db.read(lambda session: views.uses(session, seal=seal)) == []


@pytest.mark.every_database
async def test_what_no_column_holds_is_asked_for_in_vain(desks: Desks) -> None:
    """U+0000, and numbers beyond 31 and 63 bits: a clear word on every database, never a failure of ours."""
    no = await filed(desks)
    async with desks.at(COUNTY, "clerk") as clerk, desks.at(COUNTY) as stranger:
        for word in ("a%00b", "3000000000", "9" * 23):
            for path in (f"/cases?q={word}", f"/cases/{word}", f"/line?before={word}", f"/joint/{no}/{word}"):
                assert (await clerk.get(path)).status_code < 500, path
            said = {"name": unquote(word), "a": "T-clerk", "b": unquote(word)}
            assert (await clerk.submit("/posts", said)).status_code < 500
            login = {"login": unquote(word), "password": "Wrong-horse-1"}
            assert (await stranger.post("/login", data=login)).status_code < 500


@pytest.mark.every_database
async def test_a_report_of_more_than_anybody_counts_is_kept_as_it_was_declared(desks: Desks) -> None:
    """What P-1 lets through must fit into every database, or nodes would part ways over the same message."""
    county, rogue = desks.city[COUNTY], Rogue(desks.city, TOWNSHIP)
    body = {"on": "2020-01-01", "edition": MAX_INT, "events": MAX_INT, "totals": {}}
    post(desks.city, COUNTY, TOWNSHIP, rogue.parcel(rogue.event("report.daily", body, [COUNTY])), lane="sup")
    await county.take()
    kept = table_of(DailyReportRow).c
    query = select(kept.edition, kept.events).where(kept.place == TOWNSHIP, kept.day == date(2020, 1, 1))
    assert county.read(lambda session: session.execute(query).all()) == [(MAX_INT, MAX_INT)]


@pytest.mark.parametrize("step", ["", "12", "34", "0", "²"])
async def test_a_step_of_the_wizard_that_there_is_not_is_the_first(desks: Desks, step: str) -> None:
    async with desks.at(VILLAGE, "agent") as browser:
        assert (await browser.submit("/file", {"step": step})).status_code < 500


async def test_a_staff_number_belongs_to_one_person_for_ever(desks: Desks) -> None:
    node = desks.city[TOWNSHIP]

    def hire(login: str, staff_no: str) -> int:
        return node.db.write_now(
            lambda session: accounts.create_user(
                session, desks.city.now, None, login=login, name="某某", staff_no=staff_no, place=TOWNSHIP,
                roles=[Role.CHIEF_REPRESENTATIVE], password_hash="x",
            )
        )  # fmt: skip

    with pytest.raises(Conflict, match="工号"):
        hire("chief.too", " T-chief ")
    admin = officer("admin", Role.ADMINISTRATOR)
    node.db.write_now(lambda session: accounts.disable_user(session, desks.city.now, admin, "chief", "调离"))
    with pytest.raises(Conflict, match="工号"):
        hire("chief.next", "T-chief")
    assert hire("chief.next", "T-chief-2")


@pytest.mark.parametrize("length", [None, "12", "x", "-1"])
async def test_a_stranger_streams_nothing_in_under_a_length_that_binds_nobody(
    desks: Desks, length: str | None
) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(4 * MAX_PARCEL // 65536):
            taken += 65536
            yield b"x" * 65536

    headers = {"Transfer-Encoding": "chunked"} | ({"Content-Length": length} if length else {})
    async with desks.at(TOWNSHIP) as browser:
        answer = await browser.post("/api/parcels", content=endless(), headers=headers)
    assert answer.status_code == 401
    assert taken <= 65536
