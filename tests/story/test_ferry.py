"""Mail and photos by hand (摆渡) where no line leads: several files, a lost stick, a trip back, nothing twice."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from node import ferry
from node.accounts.roles import Role
from node.cases import actions
from node.errors import BadForm, NotFound
from node.exchange.outbox import outstanding
from node.materials.collect import materials_of
from node.node import Node
from tests.databases import Databases
from tests.federation import AGENT, Federation, divisions, form, officer, part_of, real_items
from tests.parts.test_materials import browser
from tests.story.test_materials import bulk, come, names, opened, shown
from tests.story.test_one_case import villages

KEEPER = officer("head", Role.ADMINISTRATOR)
KIB = 1024


@pytest.fixture
async def city(databases: Databases) -> AsyncIterator[Federation]:
    found = await Federation(part_of(divisions(), townships=1, villages=1), databases, publish=False).open()
    items, deeds = real_items()
    await found.publish(
        1,
        tuple(one for one in items if one.id == "SZS-001"),
        tuple(one for one in deeds if one.item == "SZS-001"),
    )
    yield found
    await found.close()


def small(node: Node) -> None:
    """A stick that holds little."""
    rules = replace(node.config.materials, carried_max=400 * KIB)
    node.config = replace(node.config, materials=rules)


async def filed(city: Federation, village: str, *sizes: int) -> str:
    """A case with files of these sizes, filed while the village has no line."""
    city.line(village).away = True
    for number, size in enumerate(sizes):
        bulk(city[village], "draft-0001", names()[0], bytes([number]) * size)
    no: str = await city[village].do(actions.file_case, AGENT, form("SZS-001", draft="draft-0001"))
    return no


async def test_photos_go_with_the_step_on_several_sticks(city: Federation) -> None:
    village, township = villages(city)
    small(city[village])
    no = await filed(city, village, 500 * KIB, 300 * KIB)
    first = await ferry.pack(city[village], KEEPER, township)
    assert (first.part, first.parts) == (1, 3)
    sticks = [first, *[await ferry.pack(city[village], KEEPER, township, part) for part in (2, 3)]]
    assert all(len(one.raw) < 700 * KIB for one in sticks)
    with pytest.raises(NotFound, match="共 3 个文件"):
        await ferry.pack(city[village], KEEPER, township, 4)

    # the second is read first: its case is not known here yet, and it says so
    early = await ferry.bring(city[township], KEEPER, sticks[1].raw)
    assert early.pieces == 0
    assert "先读入第 1 个文件" in early.words
    for stick in (*sticks, sticks[0]):
        await ferry.bring(city[township], KEEPER, stick.raw)
    there = shown(city[township], no)
    assert (there.arrived, len(there.files)) == (2, 2)
    assert {opened(city[township], no, one.entry.sha256)[:1] for one in there.files} == {b"\0", b"\1"}

    assert come(city, village, no) == {township: (0, 2)}
    back = await ferry.pack(city[township], KEEPER, village)
    assert "2 份材料对方已收齐" in (await ferry.bring(city[village], KEEPER, back.raw)).words
    assert come(city, village, no) == {township: (2, 2)}
    assert len((await ferry.pack(city[village], KEEPER, township)).raw) < 20 * KIB, "nothing is carried twice"


async def test_a_lost_stick_costs_a_trip_and_nothing_else(city: Federation) -> None:
    village, township = villages(city)
    small(city[village])
    no = await filed(city, village, 900 * KIB)
    await ferry.bring(city[township], KEEPER, (await ferry.pack(city[village], KEEPER, township)).raw)
    (half,) = shown(city[township], no).files
    assert 0 < half.have < half.entry.size

    back = await ferry.pack(city[township], KEEPER, village)
    brought = await ferry.bring(city[village], KEEPER, back.raw)
    assert (brought.receipts, brought.asks) == (1, 1)
    assert city[village].read(outstanding) == 2, (
        "the township has confirmed the step; the rest of the photo is asked for"
    )
    again = await ferry.pack(city[village], KEEPER, township)
    assert again.parts == 2
    for part in (1, 2):
        stick = await ferry.pack(city[village], KEEPER, township, part)
        assert (await ferry.bring(city[township], KEEPER, stick.raw)).unwanted == 0
    (whole,) = shown(city[township], no).files
    assert whole.state == "here"
    await ferry.bring(city[village], KEEPER, (await ferry.pack(city[township], KEEPER, village)).raw)
    assert len((await ferry.pack(city[village], KEEPER, township)).raw) < 20 * KIB


async def test_what_the_line_began_the_stick_completes(city: Federation) -> None:
    village, township = villages(city)
    no = await filed(city, village, 700 * KIB)
    part = materials_of(city[township])
    await ferry.bring(
        city[township], KEEPER, (await ferry.pack(city[village], KEEPER, township)).raw[: 300 * KIB]
    )
    city.line(village).away = False
    await city.hello(village)
    await city.later(60)
    (file,) = shown(city[township], no).files
    assert file.state == "here"
    assert part.lane.of(file.entry.sha256) is None


async def test_a_stick_for_somebody_else_or_changed_or_too_large_brings_nothing(city: Federation) -> None:
    village, township = villages(city)
    county = "640221000000"
    no = await filed(city, village, 100 * KIB)
    stick = (await ferry.pack(city[village], KEEPER, township)).raw
    other = await ferry.bring(city[county], KEEPER, stick)
    assert other.pieces == 0
    assert other.refused == 1
    spoiled = stick[:-200] + (b"A" if stick[-200:-199] != b"A" else b"B") + stick[-199:]
    assert (await ferry.bring(city[township], KEEPER, spoiled)).refused == 1
    assert shown(city[township], no).arrived == 0
    with pytest.raises(BadForm, match="超过 64 MB 的上限"):
        await ferry.bring(city[township], KEEPER, bytes(ferry.LARGEST + 1))
    with pytest.raises(BadForm, match="不是摆渡文件"):
        await ferry.bring(city[township], KEEPER, b"junk\n")
    county_asks = await ferry.pack(city[county], KEEPER, village)
    assert (await ferry.bring(city[village], KEEPER, county_asks.raw)).asks == 0, (
        "who holds no key asks for nothing"
    )


async def test_a_program_hands_the_same_file_in(city: Federation) -> None:
    village, township = villages(city)
    no = await filed(city, village, 50 * KIB)
    stick = await ferry.pack(city[village], KEEPER, township)
    async with browser(city[township], Role.CLERK) as there:
        taken = await there.post("/api/parcels", content=stick.raw)
        assert taken.status_code == 202
        assert taken.json()["pieces"] == 1
        junk = await there.post("/api/parcels", content=b"junk")
        assert junk.status_code == 422
    assert shown(city[township], no).arrived == 1
