"""A database set back to an older copy (回退): the peers notice, a new epoch begins, nothing is lost at a reader or doubled."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from node.cases import actions
from node.documents import issue
from node.exchange import setback, views
from node.exchange.arrivals import Incoming
from node.exchange.model import OutState
from protocol import receipts, subjects
from protocol.lifecycle import State
from protocol.places import Code
from tests.agreement import agree, cases_of, folded, sums, tallies, truthful
from tests.attack.rogue import Rogue, post, receipts_between
from tests.databases import Databases
from tests.federation import AGENT, CLERK, Federation, form
from tests.handled import CITY, COUNTY, TOWNSHIP, VILLAGE, issued, small_city

ITEM = "SZS-052"
LINE = (VILLAGE, TOWNSHIP, COUNTY, CITY)
OTHERS = LINE[1:]


@pytest.fixture
async def city(databases: Databases) -> AsyncIterator[Federation]:
    found = await small_city(databases, ITEM)
    yield found
    await found.close()


async def hello(city: Federation, place: str) -> None:
    """What a node says when its line comes back, a minute later."""
    await city.later(60)
    await city.hello(place)


async def filed(city: Federation, *, settle: bool = True) -> str:
    no = str(await city[VILLAGE].do(actions.file_case, AGENT, form(ITEM)))
    if settle:
        await city.settle()
    return no


def epoch(city: Federation, place: str) -> str:
    return city[place].look(lambda work: work.meta("epoch") or "")


def counted_once(city: Federation, *numbers: str) -> None:
    """The others have exactly these cases, each told and counted once."""
    for place in OTHERS:
        node = city[place]
        told = folded(node)
        assert set(told) == set(numbers), place
        assert node.read(tallies) == sums(city, told), place
        assert node.read(cases_of) == city[CITY].read(cases_of), place


async def test_the_senders_database(city: Federation) -> None:
    first = await filed(city)
    old = city.snapshot(VILLAGE)
    lost = [await filed(city), await filed(city)]
    await city[TOWNSHIP].do(actions.accept, CLERK, lost[0])
    await city.settle()
    agree(city, LINE)

    before = epoch(city, VILLAGE)
    city.restart(VILLAGE, old)
    assert set(city[VILLAGE].read(cases_of)) == {first}
    assert epoch(city, VILLAGE) == before
    await hello(city, VILLAGE)  # whoever says hello is told what the others hold of it
    assert epoch(city, VILLAGE) != before
    assert "只发到第" in city[VILLAGE].read(setback.alarm)
    counted_once(city, first, *lost)

    # the township's word about a case the village has forgotten came, and waits there: its list says so
    rows = city[TOWNSHIP].read(views.unfinished, 50, VILLAGE)
    assert {(row.case_no, row.state) for row in rows} == {(lost[0], OutState.RECEIVED)}
    truthful(city, LINE)

    new = await filed(city)
    assert new not in (first, *lost)  # a number is never given twice
    counted_once(city, first, *lost, new)
    await city[TOWNSHIP].do(actions.accept, CLERK, new)
    await city.later(4000)
    assert city[VILLAGE].read(cases_of)[new] == city[CITY].read(cases_of)[new]
    assert city[VILLAGE].read(cases_of)[new].state is State.ACCEPTED
    assert city[VILLAGE].read(views.reach_counts) == dict.fromkeys(city[VILLAGE].read(views.reach_counts), 0)
    assert all(set(city[place].read(views.aside_counts).values()) == {0} for place in OTHERS)


def printed(city: Federation, place: str, no: str, kind: str) -> str:
    """The number under which a document is printed there."""
    node = city[place]
    node.do_now(issue.print_document, CLERK, no, kind)
    return str(issued(node, no)[kind].number)


async def test_the_numbers_of_documents_those_that_only_paper_remembers_too(city: Federation) -> None:
    early = [await filed(city) for _ in range(3)]
    given = {printed(city, VILLAGE, early[0], "D01")}
    await city[TOWNSHIP].do(actions.accept, CLERK, early[0])
    await city.settle()
    accepted = {printed(city, TOWNSHIP, early[0], "D02")}
    copies = {place: city.snapshot(place) for place in (VILLAGE, TOWNSHIP)}

    lost = await filed(city)
    given |= {printed(city, VILLAGE, no, "D01") for no in (early[1], early[2], lost)}
    await city[TOWNSHIP].do(actions.accept, CLERK, early[1])
    await city[TOWNSHIP].do(actions.accept, CLERK, lost)
    await city.settle()
    accepted |= {printed(city, TOWNSHIP, no, "D02") for no in (early[1], lost)}
    assert (len(given), len(accepted)) == (4, 3)

    for place, copy in copies.items():
        city.restart(place, copy)
        await hello(city, place)
        assert "只发到第" in city[place].read(setback.alarm)
    new = [await filed(city) for _ in range(2)]
    again = [printed(city, VILLAGE, no, "D01") for no in (*new, early[1])]
    assert not given & set(again)
    assert len(set(again)) == 3
    numbers = [int(one[-6:-1]) for one in again]
    assert numbers == list(range(numbers[0], numbers[0] + 3)), "only the first leaves any out"
    await city[TOWNSHIP].do(actions.accept, CLERK, new[0])
    await city.settle()
    assert printed(city, TOWNSHIP, new[0], "D02") not in accepted
    assert printed(city, VILLAGE, new[0], "D02") not in accepted


@pytest.mark.every_database
async def test_acts_said_before_anybody_noticed(city: Federation) -> None:
    first = await filed(city)
    old = city.snapshot(VILLAGE)
    lost = [await filed(city), await filed(city), await filed(city)]
    before = epoch(city, VILLAGE)
    city.restart(VILLAGE, old)
    again = await filed(city, settle=False)
    assert again == lost[0]  # it cannot know
    await city.later(20)
    counted_once(city, first, *lost)
    truthful(city, LINE)

    rows = city[VILLAGE].read(views.unfinished)
    assert {(row.case_no, row.state, row.rule) for row in rows} == {
        (again, OutState.QUARANTINED, setback.CONTRADICTED)
    }
    assert {row.place for row in rows} == set(OTHERS)
    assert epoch(city, VILLAGE) != before
    new = await filed(city)
    assert new not in (first, *lost)
    counted_once(city, first, *lost, new)
    assert {row.place for row in city[VILLAGE].read(views.unfinished)} == set(OTHERS)
    truthful(city, LINE)


@pytest.mark.parametrize("place", OTHERS)
async def test_a_readers_database(city: Federation, place: str) -> None:
    """It says what it holds when it comes back; the others send the rest again."""
    await filed(city)
    old = city.snapshot(place)
    number = await filed(city)
    city.restart(place, old)
    assert number not in city[place].read(cases_of)
    await hello(city, place)
    agree(city, LINE)
    third = await filed(city)
    await city[TOWNSHIP].do(actions.accept, CLERK, third)
    await city.settle()
    agree(city, LINE)


@pytest.mark.every_database
@pytest.mark.parametrize("heard", ["hello", "receipt"])
async def test_a_reader_to_whom_more_came_before_its_hello_was_heard(city: Federation, heard: str) -> None:
    """The newer letter lies in its mailbox, so it lacks one in the middle; whichever word of it is heard tells so."""
    await filed(city)
    old = city.snapshot(TOWNSHIP)
    await filed(city)
    city.line(TOWNSHIP).away = True
    await filed(city)
    await city.later(60)
    city.restart(TOWNSHIP, old)
    city.line(TOWNSHIP).away = False
    await city[TOWNSHIP].take(0)
    await city[TOWNSHIP].tell(hello=heard == "hello")
    await city.later(60)
    agree(city, LINE)


async def test_what_a_reader_wrote_before_it_was_set_back_closes_nothing_after_its_hello(
    city: Federation,
) -> None:
    await filed(city)
    old = city.snapshot(TOWNSHIP)
    no = await filed(city, settle=False)
    await city[VILLAGE].drain()
    await city[TOWNSHIP].take(0)
    await city[TOWNSHIP].tell()
    before = receipts_between(city, TOWNSHIP, VILLAGE)[-1]
    city.restart(TOWNSHIP, old)
    city.now += timedelta(minutes=30)
    await city[TOWNSHIP].tell(hello=True)
    hello = receipts_between(city, TOWNSHIP, VILLAGE)[-1]

    for word in (before, hello, before):  # the same comes twice, or by another road
        await hear(city, VILLAGE, TOWNSHIP, word)
    truthful(city, LINE)
    assert city[VILLAGE].read(views.reach_counts)[OutState.SENT]
    await city.settle()
    assert no in city[TOWNSHIP].read(cases_of)
    agree(city, LINE)


async def test_an_old_receipt_heard_again_and_again_has_nothing_sent_again(city: Federation) -> None:
    """It calls missing what has come since: true when it was written, and no more."""
    await filed(city)
    await filed(city, settle=False)
    await city[VILLAGE].drain()
    city.hubs[Code(COUNTY)].wipe()  # the second letter is lost there
    city.hubs[Code(COUNTY)].ensure(subjects.readers(city.roster, Code(COUNTY)))
    await filed(city, settle=False)
    await city[VILLAGE].drain()
    await city[TOWNSHIP].take(0)
    await city[TOWNSHIP].tell()
    gap = receipts_between(city, TOWNSHIP, VILLAGE)[-1]
    await city.later(60)
    agree(city, LINE)
    await city.later(3600)
    for _ in range(3):
        await hear(city, VILLAGE, TOWNSHIP, gap)
        agree(city, LINE)


async def test_a_clock_that_was_years_ahead_is_heard_as_soon_as_it_is_right(city: Federation) -> None:
    """Its hello dated 2028 makes nothing it says afterwards an older word."""
    city.now += timedelta(days=800)
    await city[TOWNSHIP].tell(hello=True)
    ahead = receipts_between(city, TOWNSHIP, VILLAGE)[-1]
    city.now -= timedelta(days=800)
    await hear(city, VILLAGE, TOWNSHIP, ahead)
    await city.later(3600)
    await filed(city)
    agree(city, LINE)
    old = city.snapshot(TOWNSHIP)
    await filed(city)
    city.restart(TOWNSHIP, old)
    await hello(city, TOWNSHIP)
    agree(city, LINE)


async def test_a_hello_is_said_until_the_hub_has_stored_it(city: Federation) -> None:
    """The line is up before the hub has its streams: nobody would ever hear the only hello."""
    hub, bus = city.hubs[Code(COUNTY)], city.line(VILLAGE)
    await filed(city)
    hub.wipe()
    async with city[VILLAGE].running(), asyncio.timeout(60):
        bus.changed.fire()
        await asyncio.sleep(0.1)
        hub.ensure(subjects.readers(city.roster, Code(COUNTY)))
        while not receipts_between(city, VILLAGE, COUNTY):
            bus.changed.fire()
            await asyncio.sleep(0.05)
    said = receipts.read(receipts_between(city, VILLAGE, COUNTY)[0], city[COUNTY].know.ring, COUNTY, VILLAGE)
    assert said.hello
    assert len(receipts_between(city, VILLAGE, COUNTY)) == 1


async def hear(city: Federation, reader: str, sender: str, receipt: bytes) -> None:
    subject = subjects.mail(subjects.Lane.RCPT, reader, sender)
    await city[reader].take_in([Incoming(subject, receipt)])


async def test_a_reader_that_lies_about_what_it_holds_uses_up_no_numbers(city: Federation) -> None:
    rogue = Rogue(city, TOWNSHIP)
    for _ in range(3):
        claim = {
            "ep": epoch(city, VILLAGE),
            "upto": 1_000_000,
            "missing": [],
            "waiting": [],
            "quarantined": [],
        }
        post(city, VILLAGE, TOWNSHIP, rogue.receipt(VILLAGE, [claim]), lane="rcpt")
        await city.later(20)
    numbers = [int((await filed(city))[20:24]) for _ in range(2)]
    assert numbers[0] <= 1001
    assert numbers[1] == numbers[0] + 1
