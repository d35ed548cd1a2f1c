"""A decision without a valid authorisation cannot be made: not by an officer, not over HTTP, not by an envelope."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select

from node.accounts.roles import Role
from node.cases import actions
from node.db import table_of
from node.errors import Forbidden, NodeError
from node.exchange.model import EventRow
from node.powers import actions as powers
from node.powers import views
from protocol.lifecycle import State
from tests.attack.rogue import Rogue, line, name, post, set_aside_at
from tests.databases import Databases
from tests.federation import AGENT, CHIEF, CLERK, REVIEWER, officer
from tests.handled import CITY, COUNTY, TOWNSHIP, VILLAGE, Desk, small_city

pytestmark = pytest.mark.asyncio(loop_scope="module")
ITEM, OTHER, JOINT = "SZS-019", "SZS-001", "SZS-052"
EVERYONE = (VILLAGE, TOWNSHIP, CITY)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(databases: Databases) -> AsyncIterator[Desk]:
    found = Desk(await small_city(databases, ITEM, OTHER, JOINT))
    yield found
    await found.city.close()


async def spoken(desk: Desk, place: str, no: str, kind: str, **body: Any) -> str:
    """Lay a step of `place` into everyone's mailbox, as a program would that asks nobody; its name."""
    case = await desk.agreed(no)
    rogue = Rogue(desk.city, place)
    readers = [one for one in (VILLAGE, TOWNSHIP, COUNTY, CITY) if one != place]
    said = {"on": desk.today.isoformat(), **body}
    event = line(rogue.step(kind, no, case.n + 1, case.head, readers, **said))
    for reader in readers:
        post(desk.city, reader, place, rogue.parcel(event))
    await desk.city.settle()
    return name(event)


async def fate(desk: Desk, place: str, event: str) -> tuple[str, str, str]:
    table = table_of(EventRow).c
    row = desk.city[place].read(
        lambda session: session.execute(
            select(table.state, table.rule, table.reason).where(table.hash == event)
        ).one()
    )
    return row.state, row.rule, row.reason


BAD: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "for another item": ({"items": [OTHER]}, {}, "不含事项"),
    "not for deciding": ({"powers": ["延期"]}, {}, "不含“决定”"),
    "run out": ({"since": "2025-01-01", "until": "2025-12-31"}, {}, "期限"),
    "not begun": ({"since": "2027-01-01"}, {}, "期限"),
    "for another person": ({}, {"by": "somebody"}, "不是给"),
    "of another place": ({"place": TOWNSHIP}, {}, "不是"),
}


@pytest.mark.parametrize("title", BAD)
async def test_an_envelope_under_a_wrong_authorisation_is_refused_everywhere(desk: Desk, title: str) -> None:
    grant, body, why = BAD[title]
    rest = {name: value for name, value in grant.items() if name != "place"}
    authorisation = (await desk.city.authorise(str(grant.get("place", COUNTY)), "boss", **rest))[0]
    no = await desk.reviewed(ITEM, COUNTY)
    before = await desk.agreed(no)
    said = {"by": "boss", "authorisation": authorisation, **body}
    event = await spoken(desk, COUNTY, no, "case.granted", **said)
    for reader in EVERYONE:
        state, rule, reason = await fate(desk, reader, event)
        assert (state, rule) == ("quarantined", "L-4")
        assert why in reason
        assert await desk.case(no, reader) == before
        assert "AB10" in await desk.findings(no, reader)


async def test_an_envelope_without_an_authorisation_is_refused(desk: Desk) -> None:
    no = await desk.reviewed(ITEM, COUNTY)
    for authorisation in ("", " "):
        event = await spoken(
            desk, COUNTY, no, "case.refused", by="chief", reasons=True, authorisation=authorisation
        )
        for reader in EVERYONE:
            assert (await desk.case(no, reader)).state is State.DECIDING
            assert (await fate(desk, reader, event))[0] in ("quarantined", "waiting")


async def test_a_decision_waits_for_its_authorisation(desk: Desk) -> None:
    no = await desk.reviewed(ITEM, COUNTY)
    await desk.heard()
    desk.city.line(COUNTY).away = True
    (coming,) = await desk.city.authorise(COUNTY, "late")  # signed, and nobody has heard of it
    event = await spoken(desk, COUNTY, no, "case.granted", by="late", authorisation=coming)
    for reader in (VILLAGE, TOWNSHIP, CITY):
        state, _, reason = await fate(desk, reader, event)
        assert state == "waiting"
        assert coming in reason
    desk.city.line(COUNTY).away = False
    await desk.city.settle()
    for reader in EVERYONE:
        assert (await fate(desk, reader, event))[0] == "applied"
        assert (await desk.case(no, reader)).decided_by == "late"


async def test_who_reviewed_cannot_decide_even_authorised(desk: Desk) -> None:
    no = await desk.reviewed(OTHER)
    mine = (await desk.city.authorise(TOWNSHIP, "reviewer"))[0]
    event = await spoken(desk, TOWNSHIP, no, "case.granted", by="reviewer", authorisation=mine)
    for reader in (VILLAGE, COUNTY, CITY):
        assert (await fate(desk, reader, event))[0] == "quarantined"


async def test_a_program_without_a_staff_number_reviews_nothing(desk: Desk) -> None:
    no = await desk.reviewed(OTHER)
    program = replace(CLERK, login="token:desk", staff_no="", roles=frozenset(Role))
    with pytest.raises(Forbidden, match="没有工号"):
        await desk.city[TOWNSHIP].do(actions.review, program, no, "同意", "自动审查")
    assert (await desk.case(no, TOWNSHIP)).reviewer


async def test_a_place_that_is_not_competent_cannot_decide_even_authorised(desk: Desk) -> None:
    no = await desk.reviewed(OTHER)
    mine = views_of(desk, TOWNSHIP, "chief")
    event = await spoken(desk, TOWNSHIP, no, "case.granted", by="chief", authorisation=mine)
    for reader in (VILLAGE, COUNTY, CITY):
        assert (await fate(desk, reader, event))[1] == "L-2"
    with pytest.raises(Forbidden, match="无权决定"):
        await desk.at(TOWNSHIP, actions.decide, CHIEF, no, "granted", "")


def views_of(desk: Desk, place: str, person: str) -> str:
    return desk.city[place].read(views.of_person, place, person)[0].id


async def test_extension_and_void_by_envelope_need_their_second_person(desk: Desk) -> None:
    no = await desk.accepted(OTHER)
    mine = views_of(desk, TOWNSHIP, "chief")
    case = await desk.agreed(no)
    assert case.due is not None
    later = desk.calendar.add(case.due, 5).day.isoformat()
    words = {"days": 5, "why": "复杂", "due": later, "calendar": case.calendar}
    for kind, body in (("case.extended", words), ("case.voided", {"why": "录入错误"})):
        for person, second, authorisation in (
            ("chief", "chief", mine),
            ("clerk", "reviewer", mine),
            ("clerk", "chief", "SQ000"),
        ):
            said = {"by": person, "approver": second, "authorisation": authorisation, **body}
            event = await spoken(desk, TOWNSHIP, no, kind, **said)
            for reader in (VILLAGE, COUNTY, CITY):
                assert (await fate(desk, reader, event))[0] != "applied"
    assert await desk.agreed(no) == case


async def test_only_the_place_or_one_above_authorises(desk: Desk) -> None:
    words = {
        "id": f"SQ{COUNTY}-forged", "version": 1, "place": COUNTY, "person": "thief", "items": ["*"], "powers": ["决定"],
        "since": "2026-01-01", "until": "2027-12-31", "approvers": ["a", "b"],
    }  # fmt: skip
    own = {**words, "id": f"SQ{TOWNSHIP}-own", "place": TOWNSHIP}
    for change, rule in (
        (words, "L-8"),
        ({**own, "approvers": ["a", "a"]}, "L-8"),
        ({**own, "approvers": ["thief", "b"]}, "L-8"),
        ({**own, "until": "2025-12-31"}, "L-8"),
        ({**own, "powers": []}, "P-14"),
        ({**own, "powers": ["一切"]}, "P-14"),
    ):
        rogue = Rogue(desk.city, TOWNSHIP)
        event = line(rogue.event("authorisation.update", change, (COUNTY, CITY)))
        for reader in (COUNTY, CITY):
            post(desk.city, reader, TOWNSHIP, rogue.parcel(event))
        await desk.city.settle()
        assert {set_aside_at(desk.city, one)[name(event)][0] for one in (COUNTY, CITY)} == {rule}
        assert desk.city[COUNTY].read(views.authorisation, change["id"]) is None


async def test_a_village_cannot_authorise_itself(desk: Desk) -> None:
    rogue = Rogue(desk.city, VILLAGE)
    words = {
        "id": f"SQ{VILLAGE}-own", "version": 1, "place": VILLAGE, "person": "agent", "items": ["*"], "powers": ["决定"],
        "since": "2026-01-01", "until": "2027-12-31", "approvers": ["a", "b"],
    }  # fmt: skip
    event = line(rogue.event("authorisation.update", words, (TOWNSHIP,)))
    post(desk.city, TOWNSHIP, VILLAGE, rogue.parcel(event))
    await desk.city.settle()
    assert name(event) in set_aside_at(desk.city, TOWNSHIP)


async def test_a_revocation_ends_it_from_its_day_and_what_was_decided_stands(desk: Desk) -> None:
    first, second, third = [await desk.reviewed(ITEM, COUNTY) for _ in range(3)]
    mine = (await desk.city.authorise(COUNTY, "leaving"))[0]
    leaving = officer("leaving", *CHIEF.roles)
    boss = officer("boss")
    await desk.at(COUNTY, actions.decide, leaving, first, "granted", "")
    day = await desk.at(COUNTY, powers.revoke, boss, mine, "调离")
    assert day == date.fromordinal(desk.today.toordinal() + 1)
    with pytest.raises(Forbidden, match="已撤销"):
        await desk.at(COUNTY, actions.decide, leaving, second, "granted", "")
    await desk.workdays(1)
    event = await spoken(desk, COUNTY, third, "case.granted", by="leaving", authorisation=mine)
    for reader in EVERYONE:
        assert "撤销" in (await fate(desk, reader, event))[2]
        assert (await desk.case(first, reader)).outcome == "granted"
    with pytest.raises(NodeError, match="撤销"):
        await desk.at(COUNTY, powers.revoke, boss, mine, "再撤")


async def test_an_officer_without_authorisation_cannot_decide(desk: Desk) -> None:
    no = await desk.reviewed(ITEM, COUNTY)
    for person in (officer("nobody", *CHIEF.roles), AGENT, CLERK, REVIEWER):
        with pytest.raises(Forbidden):
            await desk.at(COUNTY, actions.decide, person, no, "granted", "")
    low = officer("low", *CHIEF.roles)
    await desk.city.authorise(TOWNSHIP, "low", rank="窗口")
    joint = await desk.reviewed(JOINT)
    with pytest.raises(Forbidden, match="分管领导"):
        await desk.at(TOWNSHIP, actions.decide, low, joint, "granted", "")
    assert (await desk.agreed(no)).state is State.DECIDING


WORDS = {
    "version": 1, "person": "thief", "items": ["*"], "powers": ["决定"], "since": "2026-01-01", "until": "2027-12-31",
    "approvers": ["a", "b"],
}  # fmt: skip


async def signed(desk: Desk, place: str, readers: tuple[str, ...], **words: Any) -> str:
    """Lay an authorisation by `place` into some mailboxes, as a program would that asks nobody; its name."""
    rogue = Rogue(desk.city, place)
    event = line(rogue.event("authorisation.update", {**WORDS, "place": place, **words}, readers))
    for reader in readers:
        post(desk.city, reader, place, rogue.parcel(event))
    await desk.city.settle()
    return name(event)


async def test_nobody_takes_back_what_a_place_above_has_signed_for_itself(desk: Desk) -> None:
    theirs = views_of(desk, COUNTY, "chief")
    with pytest.raises(Forbidden, match="上级撤销"):
        await desk.at(TOWNSHIP, powers.revoke, officer("boss"), theirs, "越权")
    for reader in (TOWNSHIP, COUNTY, CITY):
        kept = desk.city[reader].read(views.authorisation, theirs)
        assert kept is not None
        assert kept.revoked_on is None


async def test_a_number_belongs_to_its_place(desk: Desk) -> None:
    taken = f"SQ{COUNTY}-{desk.today:%Y%m%d}-099"
    event = await signed(desk, TOWNSHIP, (COUNTY, CITY), id=taken)
    for reader in (COUNTY, CITY):
        assert set_aside_at(desk.city, reader)[event][0] == "L-8"
        assert desk.city[reader].read(views.authorisation, taken) is None


async def test_two_signers_of_one_place_give_no_number_twice(desk: Desk) -> None:
    (own,) = await desk.city.authorise(TOWNSHIP, "own")
    fields = {**WORDS, "place": TOWNSHIP, "person": "sent"}
    above = {str(await desk.at(COUNTY, powers.issue, fields, ("office", "head"))) for _ in range(5)}
    assert own not in above
    await desk.heard()
    for reader in (VILLAGE, TOWNSHIP, COUNTY, CITY):
        assert {one.id for one in desk.city[reader].read(views.of_person, TOWNSHIP, "sent")} == above
        assert [one.id for one in desk.city[reader].read(views.of_person, TOWNSHIP, "own")] == [own]


async def test_a_version_beyond_counting_leaves_no_revocation_out(desk: Desk) -> None:
    huge = f"SQ{TOWNSHIP}-huge"
    for version in (2**53 - 1, 1000):
        event = await signed(desk, TOWNSHIP, (COUNTY, CITY), id=huge, version=version)
        for reader in (COUNTY, CITY):
            assert set_aside_at(desk.city, reader)[event][0] == "L-8"


async def test_a_revocation_counts_whatever_version_was_laid_in_its_way(desk: Desk) -> None:
    mine = f"SQ{TOWNSHIP}-mine"
    await signed(desk, TOWNSHIP, (VILLAGE, COUNTY, CITY), id=mine)
    for version in (2, 3):  # kept from the county, so that its revocation is a version that is taken
        await signed(desk, TOWNSHIP, (VILLAGE, CITY), id=mine, version=version, until="2028-12-31")
    await desk.at(COUNTY, powers.revoke, officer("boss"), mine, "越权")
    await desk.heard()
    for reader in (VILLAGE, COUNTY, CITY):
        kept = desk.city[reader].read(views.authorisation, mine)
        assert kept is not None
        assert kept.revoked_on is not None
        assert [one.revoked_on for one in desk.city[reader].read(views.of_person, TOWNSHIP, "thief")] == [
            kept.revoked_on
        ]
    late = await signed(desk, TOWNSHIP, (VILLAGE, CITY), id=mine, version=4)
    assert {set_aside_at(desk.city, reader)[late][0] for reader in (VILLAGE, CITY)} == {"L-8"}
