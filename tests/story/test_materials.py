"""Photos taken in a village reach whoever handles the case, and nobody else, whatever the line does."""

from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import pytest

from node.cases import actions
from node.errors import BadForm, Conflict, Forbidden
from node.exchange import reach
from node.materials import collect, drafts, reached, retention, viewing
from node.materials.collect import materials_of
from node.materials.model import UploadState
from node.node import Node
from protocol import blobs, subjects
from protocol.lifecycle import State
from tests.agreement import cases_of
from tests.databases import Databases
from tests.federation import AGENT, CLERK, REVIEWER, Federation, divisions, form, part_of
from tests.photos import photo
from tests.story.test_one_case import state, villages

CITY, COUNTY = "640200000000", "640221000000"
ITEM = "SZS-001"
"""The township receives and reviews it, the county decides."""


@pytest.fixture
async def city(databases: Databases) -> AsyncIterator[Federation]:
    found = await Federation(part_of(divisions(), townships=1, villages=2), databases).open()
    yield found
    await found.close()


async def once(*parts: bytes) -> AsyncIterator[bytes]:
    for one in parts:
        yield one


async def upload(node: Node, draft: str, material: str, data: bytes, token: str = "") -> Any:
    """A file of a draft, sent in one go."""
    part = materials_of(node)
    name = token or f"token-{sha256(data + material.encode()).hexdigest()[:16]}"
    row = await node.do(
        drafts.start, part.rules, AGENT, drafts.Start(draft, material, "照片.jpg", len(data), name)
    )
    return await collect.put(part, AGENT, row.id, 0, once(data))


def bulk(node: Node, draft: str, material: str, plain: bytes) -> None:
    """A file of a draft as if it had been checked: for bytes that are no photo."""
    part, key = materials_of(node), blobs.new_key()
    blob = blobs.encipher(plain, key)
    start = drafts.Start(draft, material, "a.jpg", len(plain), f"bulk-{sha256(plain).hexdigest()[:16]}")
    row = node.do_now(drafts.start, part.rules, AGENT, start)
    node.do_now(drafts.ready, row.id, "image/jpeg", (part.store.keep(blob), len(blob)), key)


def shown(node: Node, no: str) -> viewing.Listing:
    return node.read(lambda session: viewing.listing(materials_of(node), session, no))


def opened(node: Node, no: str, sha: str) -> bytes:
    entry = node.do_now(viewing.open_material, CLERK, no, sha, "核对材料", "")
    return b"".join(viewing.plain(materials_of(node), sha, entry.secret))


def names() -> tuple[str, ...]:
    return form(ITEM).materials


async def test_three_photos_from_a_village_that_was_offline(city: Federation) -> None:
    village, township = villages(city)
    city.line(village).away = True
    for number, material in enumerate(names()[:3]):
        row = await upload(city[village], "draft-0001", material, photo(seed=number))
        assert row.state == UploadState.READY
    no = await city[village].do(actions.file_case, AGENT, form(ITEM, draft="draft-0001"))
    await city.settle()
    assert [one.state for one in shown(city[village], no).files] == ["here"] * 3

    city.line(village).away = False
    await city.hello(village)
    there = shown(city[township], no)
    assert (there.arrived, len(there.files)) == (3, 3)
    for one in there.files:
        assert opened(city[township], no, one.entry.sha256).startswith(b"\xff\xd8\xff")

    for supervisor in (COUNTY, CITY):
        assert state(city, supervisor, no) is State.FILED
        with pytest.raises(Forbidden):
            shown(city[supervisor], no)
        assert not any(materials_of(city[supervisor]).store.has(one.entry.sha256) for one in there.files)


async def test_a_hand_over_makes_them_readable_at_the_next_holder_even_without_the_origin(
    city: Federation,
) -> None:
    village, township = villages(city)
    await upload(city[village], "draft-0001", names()[0], photo(seed=5))
    no = await city[village].do(actions.file_case, AGENT, form(ITEM, draft="draft-0001"))
    await city.settle()
    await city[township].do(actions.accept, CLERK, no)
    await city.settle()
    with pytest.raises(Forbidden):
        shown(city[COUNTY], no)

    city.line(village).away = True
    await city[township].do(actions.review, REVIEWER, no, "同意", "初审通过")
    await city[township].do(actions.forward, CLERK, no, COUNTY, "初审后上报")
    await city.settle()
    (one,) = shown(city[COUNTY], no).files
    assert one.state == "here"
    assert opened(city[COUNTY], no, one.entry.sha256) == opened(city[township], no, one.entry.sha256)


async def test_the_cases_own_steps_pass_fifty_megabytes_that_wait(city: Federation) -> None:
    village, township = villages(city)
    for number in range(10):
        bulk(city[village], "draft-0001", names()[0], bytes([number]) * (5 * 1024 * 1024))
    no = await city[village].do(actions.file_case, AGENT, form(ITEM, draft="draft-0001"))
    hub, node, lane = city.hubs[COUNTY], city[township], materials_of(city[village]).lane

    async def once_round() -> None:
        await city[village].drain()
        await city[village].take()
        await lane.step()
        await node.take()
        await materials_of(node).lane.step()

    for _ in range(4):
        await once_round()
    second = await city[village].do(actions.file_case, AGENT, form("SZS-019"))
    await once_round()
    waiting = sum(len(one.mail.data) for one in hub._stored["MAIL"].values())
    assert waiting < 3 * node.config.materials.window_max
    assert state(city, township, second) is State.FILED
    there = shown(node, no)
    assert there.arrived == 0
    assert sum(one.have for one in there.files) < 5 * 1024 * 1024

    await city.settle()
    assert shown(node, no).arrived == 10


async def test_cuts_restarts_and_a_wiped_broker(city: Federation) -> None:
    village, township = villages(city)
    bulk(city[village], "draft-0001", names()[0], b"x" * 3_000_000)
    no = await city[village].do(actions.file_case, AGENT, form(ITEM, draft="draft-0001"))
    node, origin = city[township], city[village]
    for _ in range(5):
        for one in (origin, node):
            await one.drain()
            await one.take()
            await materials_of(one).lane.step()
    have = shown(node, no).files[0].have
    assert 0 < have < 3_000_000

    del node.parts["materials"]  # the process starts again
    city.hubs[COUNTY].wipe()
    city.hubs[COUNTY].ensure(subjects.readers(city.roster, city[COUNTY].place))
    await materials_of(node).lane.step()
    assert shown(node, no).files[0].have == have
    await city.settle()
    await city.later(3600)
    assert shown(node, no).arrived == 1


async def test_a_supplement_brings_files_too(city: Federation) -> None:
    village, township = villages(city)
    no = await city[village].do(actions.file_case, AGENT, form(ITEM))
    await city.settle()
    await city[township].do(actions.take, CLERK, no)
    defects = [{"material": names()[0], "problem": "照片不清", "required": "重拍"}]
    await city[township].do(actions.return_for_correction, CLERK, no, defects)
    await city.settle()
    await upload(city[village], no, names()[0], photo(seed=9))
    await city[village].do(actions.supplement, AGENT, no, [], "已重拍")
    await city.settle()
    assert state(city, township, no) is State.RECEIVED
    assert shown(city[township], no).arrived == 1


async def test_used_again_with_consent_and_only_for_the_same_person(city: Federation) -> None:
    village, township = villages(city)
    await upload(city[village], "draft-0001", names()[0], photo(seed=1))
    first = await city[village].do(actions.file_case, AGENT, form(ITEM, draft="draft-0001"))
    (one,) = shown(city[village], first).files
    part = materials_of(city[village])
    again = drafts.Again(first, one.entry.sha256, "本人当面同意")
    await city[village].do(drafts.reuse, part.rules, AGENT, "draft-0002", names()[0], again)

    other = form(ITEM, draft="draft-0002", name="李强", id_no="640221198503076511")
    with pytest.raises(BadForm, match="另一位申请人"):
        await city[village].do(actions.file_case, AGENT, other)
    second = await city[village].do(actions.file_case, AGENT, form(ITEM, draft="draft-0002"))
    await city.settle()
    (there,) = shown(city[township], second).files
    assert there.entry.again == {"no": first, "consent": "本人当面同意"}
    assert (there.entry.sha256, there.state) == (one.entry.sha256, "here")


async def test_identity_papers_go_in_time_and_leave_a_tombstone(city: Federation) -> None:
    village, township = villages(city)
    material = next(name for name in names() if "身份证" in name)
    await upload(city[village], "draft-0001", material, photo(seed=2))
    no = await city[village].do(actions.file_case, AGENT, form(ITEM, draft="draft-0001"))
    await city.settle()
    await city[township].do(actions.take, CLERK, no)
    await city[township].do(
        actions.refuse_acceptance, CLERK, no, "请向县自然资源局申请", "不属于本机关职权", "县自然资源局"
    )
    await city.settle()
    part = materials_of(city[township])
    (one,) = shown(city[township], no).files
    await city.later(89 * 86400)
    assert await retention.sweep(part) == 0
    await city.later(3 * 86400)
    assert await retention.sweep(part) == 1
    assert not part.store.has(one.entry.sha256)
    (gone,) = shown(city[township], no).files
    assert gone.state == "gone"
    assert "90 日" in gone.why
    with pytest.raises(Conflict, match="删除"):
        opened(city[township], no, one.entry.sha256)


def come(city: Federation, giver: str, no: str) -> dict[str, tuple[int, int]]:
    """By party: how many of the files that `giver` gave it have come, as `giver` shows it."""
    found = city[giver].read(reached.of_case, no)
    return {place: (one.arrived, one.total) for place, one in found.items()}


async def test_the_giver_sees_how_many_have_come_by_the_word_of_whoever_has_them(city: Federation) -> None:
    village, township = villages(city)
    for number in range(3):
        bulk(city[village], "draft-0001", names()[0], bytes([number]) * 400_000 * (number + 1))
    no = await city[village].do(actions.file_case, AGENT, form(ITEM, draft="draft-0001"))
    seen = []
    for _ in range(60):
        for node in (city[village], city[township]):
            await node.drain()
            await node.take()
            await materials_of(node).lane.step()
            await node.tell()
        seen.append(come(city, village, no).get(township))
        here = shown(city[township], no).arrived if state(city, township, no) else 0
        assert (seen[-1] or (0, 3))[0] <= here, "nothing is counted before it is there"
        if seen[-1] and seen[-1][0] == 1:
            (act,) = city[village].read(reach.unfinished, village)
            files = city[village].read(reached.of_acts, [(act.event.ep, act.ord)])
            assert {key[0]: one.words for key, one in files.items()} == {township: "材料已到 1 / 3 份"}
    assert [one for at, one in enumerate(seen) if one not in seen[:at]][-4:] == [
        (0, 3),
        (1, 3),
        (2, 3),
        (3, 3),
    ]
    await city.settle()
    assert city[village].read(reach.unfinished, village) == []
    assert city[village].read(reached.lacking) == []

    await city[township].do(actions.accept, CLERK, no)
    await city[township].do(actions.review, REVIEWER, no, "同意", "初审通过")
    await city[township].do(actions.forward, CLERK, no, COUNTY, "初审后上报")
    await city.settle()
    assert come(city, township, no)[COUNTY] == (3, 3)


async def test_a_word_that_was_lost_is_asked_for_again(city: Federation) -> None:
    village, township = villages(city)
    await upload(city[village], "draft-0001", names()[0], photo(seed=6))
    no = await city[village].do(actions.file_case, AGENT, form(ITEM, draft="draft-0001"))
    for _ in range(20):
        for node in (city[village], city[township]):
            await node.drain()
            await node.take()
            await materials_of(node).lane.step()
        if city[township].read(cases_of) and shown(city[township], no).arrived:
            break
    city.hubs[COUNTY].wipe()  # with the word in it
    city.hubs[COUNTY].ensure(subjects.readers(city.roster, city[COUNTY].place))
    await city.settle()
    assert shown(city[township], no).arrived == 1
    assert come(city, village, no) == {township: (0, 1)}
    await city.hello(township)
    await city.later(60)
    assert come(city, village, no) == {township: (0, 1)}
    await city.hello(township)
    await city.later(reached.ASK_AFTER.total_seconds())
    assert come(city, village, no) == {township: (1, 1)}


async def test_a_file_used_again_is_there_at_once_and_a_wrong_length_is_no_word(city: Federation) -> None:
    village, township = villages(city)
    await upload(city[village], "draft-0001", names()[0], photo(seed=1))
    first = await city[village].do(actions.file_case, AGENT, form(ITEM, draft="draft-0001"))
    (one,) = shown(city[village], first).files
    await materials_of(city[village]).lane.step()
    short = blobs.Piece(city[township].place, city[village].place, one.entry.sha256, 10, b"")
    await city[village].do(reached.reached, short)
    assert come(city, village, first) == {township: (0, 1)}
    await city.settle()
    again = drafts.Again(first, one.entry.sha256, "本人当面同意")
    rules = materials_of(city[village]).rules
    await city[village].do(drafts.reuse, rules, AGENT, "draft-0002", names()[0], again)
    second = await city[village].do(actions.file_case, AGENT, form(ITEM, draft="draft-0002"))
    await city.settle()
    assert come(city, village, second) == {township: (1, 1)}
