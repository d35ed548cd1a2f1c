"""Laws of joint handling: circles are found, limits are kept, replies count as a set, silence is never an answer."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from hashlib import sha256
from itertools import pairwise, permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from node.bus.memory import MemoryBus
from node.calendar_source import official_calendar
from node.capabilities import EVERY_TIER
from node.cases import actions
from node.cases.model import FindingRow
from node.config import NodeConfig
from node.db import Database, table_of
from node.exchange.arrivals import Incoming
from node.exchange.model import EventRow
from node.joint import actions as joint
from node.joint.model import JointRow, PartRow
from node.node import Node
from protocol import bundles
from protocol import joint as law
from protocol.bundles import Bundle, BundleStep, Office
from protocol.joint import Joint, Said
from protocol.joint_acts import SILENT, JointClosed, JointOpinion, JointTerms, Part
from tests.databases import Databases
from tests.federation import AGENT, CLERK, Federation, divisions, form, part_of
from tests.story.test_joint import HOUSING, LAND, WATER

COUNTY = "640221000000"
OPENED = date(2026, 3, 2)
CALENDAR = official_calendar("640200000000")
TOWNSHIP = part_of(divisions()).children(COUNTY)[0].code
KEYS = st.sampled_from("甲乙丙丁戊己")


def step(key: str, workdays: int, after: tuple[str, ...] = (), department: str = "") -> BundleStep:
    name = department or key
    return BundleStep(
        key=key, name=key, department=Office(code=name, name=name), workdays=workdays, after=after
    )


@st.composite
def graphs(draw: st.DrawFn) -> tuple[BundleStep, ...]:
    """Steps with any preconditions among themselves, circles included."""
    keys = draw(st.lists(KEYS, min_size=1, unique=True))
    return tuple(
        step(key, draw(st.integers(1, 12)), tuple(draw(st.lists(st.sampled_from(keys), max_size=3, unique=True))))
        for key in keys
    )  # fmt: skip


@st.composite
def orders(draw: st.DrawFn) -> tuple[BundleStep, ...]:
    """Steps whose preconditions stand before them: no circles."""
    keys = draw(st.lists(KEYS, min_size=1, unique=True))
    return tuple(
        step(
            key,
            draw(st.integers(1, 7)),
            tuple(draw(st.lists(st.sampled_from(keys[:at]), max_size=3, unique=True))) if at else (),
        )
        for at, key in enumerate(keys)
    )


def paths(steps: tuple[BundleStep, ...]) -> Iterator[tuple[BundleStep, ...]]:
    """Every chain of preconditions, by brute force."""
    for length in range(1, len(steps) + 1):
        for chain in permutations(steps, length):
            if all(one.key in after.after for one, after in pairwise(chain)):
                yield chain


@given(graphs())
def test_a_circle_is_found_and_named_or_the_steps_can_be_ordered(steps: tuple[BundleStep, ...]) -> None:
    before = {one.key: one.after for one in steps}
    ring = bundles.circle(steps)
    if ring:
        assert ring[0] == ring[-1]
        assert len(ring) >= 2
        assert all(earlier in before[later] for earlier, later in pairwise(ring))
        return
    left, done = dict(before), set[str]()
    while left:
        ready = [key for key, after in left.items() if set(after) <= done]
        assert ready
        done.update(ready)
        for key in ready:
            del left[key]


@given(orders())
def test_a_part_is_due_after_the_longest_path_to_it(steps: tuple[BundleStep, ...]) -> None:
    found = bundles.ends(steps)
    for one in steps:
        longest = max(sum(each.workdays for each in path) for path in paths(steps) if path[-1].key == one.key)
        assert found[one.key] == longest


@given(orders(), st.integers(1, 50))
def test_a_bundle_that_may_be_published_keeps_its_limit(steps: tuple[BundleStep, ...], limit: int) -> None:
    limit = min(limit, 45)
    bundle = Bundle(id="x", name="x", lead=Office(code="牵头", name="牵头"), steps=steps, workdays=limit)
    assert bool(bundles.faults(bundle)) == (max(bundles.ends(steps).values()) > limit)


@given(orders(), st.integers(0, 90))
def test_sub_limits_follow_each_other_and_end_with_the_case(steps: tuple[BundleStep, ...], days: int) -> None:
    bundle = Bundle(id="x", name="x", lead=Office(code="牵头", name="牵头"), steps=steps, workdays=45)
    last = OPENED + timedelta(days=days)
    roster = part_of(divisions())
    parts = law.lay_out(bundle, roster, CALENDAR, holder=TOWNSHIP, on=OPENED, last=last)
    by_key = {part.key: part for part in parts}
    for part in parts:
        assert part.due >= OPENED
        assert all(by_key[earlier].due <= part.due for earlier in part.after)
        assert part.due <= last or last <= OPENED
        assert part.due <= CALENDAR.add(OPENED, bundles.ends(steps)[part.key]).day


PLACES = (COUNTY, "640202000000")


def opened(count: int) -> Joint:
    """A joint handling of so many parts, in turn of two places; each a day longer."""
    parts = tuple(
        Part(
            key=f"{at}", name=f"{at}", department=f"D{at}", department_name=f"部门{at}", place=PLACES[at % 2],
            workdays=at + 1, due=OPENED + timedelta(days=at + 1),
        )
        for at in range(count)
    )  # fmt: skip
    terms = JointTerms(
        bundle="x", name="x", lead="L", lead_name="牵头", parts=parts, until=OPENED + timedelta(days=count)
    )
    return Joint(n=4, by=TOWNSHIP, opened_on=OPENED, terms=terms)


@st.composite
def replies(draw: st.DrawFn) -> Said[JointOpinion]:
    """Any opinion of anybody: invited or not, of any version, with any words."""
    day = OPENED + timedelta(days=draw(st.integers(0, 8)))
    body = JointOpinion(
        no="1", joint=4, on=day, by="x", part=str(draw(st.integers(0, 5))), version=draw(st.integers(1, 3)),
        opinion=draw(st.sampled_from([*law.THREE, "待研究", ""])), reasons=draw(st.booleans()),
    )  # fmt: skip
    frm = draw(st.sampled_from(PLACES))
    return Said(sha256(f"{frm} {body.model_dump_json()}".encode()).hexdigest(), frm, day, body)


@given(st.lists(replies(), max_size=12), st.randoms(use_true_random=False))
def test_any_order_and_repetition_counts_the_same(
    said: list[Said[JointOpinion]], chance: random.Random
) -> None:
    joint_ = opened(4)
    mixed = [*said, *chance.sample(said, len(said) // 2)]
    chance.shuffle(mixed)
    found = law.standing(joint_, said)
    assert law.standing(joint_, mixed) == found
    for key, one in found.items():
        part = joint_.part(key)
        assert part is not None
        assert one.frm == part.place
        assert one.body.part == key
        same = [each for each in said if each.body.part == key and each.frm == part.place]
        assert one.body.version == max(each.body.version for each in same)


@given(
    st.lists(replies(), max_size=12), st.sets(st.sampled_from("0123")), st.integers(0, 9)
)  # fmt: skip
def test_every_part_ends_once_and_silence_is_named(
    said: list[Said[JointOpinion]], absent: set[str], days: int
) -> None:
    joint_ = opened(4)
    on = OPENED + timedelta(days=days)
    counted = law.standing(joint_, said)
    answers, waiting = law.outcomes(joint_, counted, absent, {"1": "工号一"}, on)
    assert sorted([one.part for one in answers] + [part.key for part in waiting]) == ["0", "1", "2", "3"]
    for answer in answers:
        part = joint_.part(answer.part)
        assert part is not None
        assert answer.person
        assert (answer.outcome in SILENT) == (answer.part not in counted) == (answer.opinion == "")
        if answer.outcome == "不同意":
            assert counted[answer.part].body.reasons
    assert all(part.due >= on and part.key not in absent for part in waiting)
    minutes = ("0" * 64,) if absent else ()
    closing = JointClosed(on=on, by="x", answers=tuple(answers), minutes=minutes)
    refused = law.refused_closing(joint_, closing)
    assert (refused is None) == (not waiting)
    twice = JointClosed(on=on, by="x", answers=(*answers, *answers[:1]), minutes=minutes)
    assert law.refused_closing(joint_, twice) is not None


@pytest.mark.every_database
async def test_any_order_of_arrival_ends_in_the_same_rows(databases: Databases) -> None:
    """The steps, the replies and the corrections of one case, each in a parcel of its own, in any order."""
    city = await Federation(part_of(divisions()), databases).open()
    village = city.roster.children(TOWNSHIP)[0].code
    top = city.roster.city.code
    mail: list[Incoming] = []

    async def said() -> None:
        await city[TOWNSHIP].drain()
        await city[village].drain()
        await city[COUNTY].drain()
        await city._relay()
        mail.extend(Incoming(one.subject, one.data) for one in await city.line(top).fetch("MAIL", 500, 0))
        for node in (city[village], city[TOWNSHIP], city[COUNTY]):
            await node.take(0)

    no = await city[village].do(actions.file_case, AGENT, form("SZS-052"))
    await said()
    await city[TOWNSHIP].do(actions.accept, CLERK, no)
    n = await city[TOWNSHIP].do(joint.open_joint, CLERK, no, "rural-house")
    await said()
    for who, part, words, correct in (
        (LAND, "用地", ("不同意", "占用耕地"), False),
        (HOUSING, "建房", ("同意",), False),
        (LAND, "用地", ("同意",), True),
    ):
        await city[COUNTY].do(joint.answer, who, no, n, part, *words, correct=correct)
        await said()
    await city[COUNTY].do(joint.promise, WATER, no, n, "河道", "W-7")
    await said()
    city.now += timedelta(days=9)
    await city[TOWNSHIP].do(joint.close_joint, CLERK, no)
    await said()

    expected = rows(city[COUNTY], no)
    assert [row[:2] for row in expected[1]] == [("建房", "同意"), ("河道", "超时默许"), ("用地", "同意")]
    assert len(mail) >= 8  # some come twice: nobody has said yet that they came
    for seed in range(6):
        random.Random(seed).shuffle(mail)
        url = databases.new()
        with Database(url) as db:
            config, bus = NodeConfig(top, Path(), url), MemoryBus(city.hubs[top], top)
            fresh = Node(config, city[top].know, db, bus, EVERY_TIER, city.clock)
            for one in mail:
                await fresh.take_in([one])
            assert rows(fresh, no) == expected, seed
            assert states(fresh) == {"applied"}
        databases.drop(url)
    await city.close()


def states(node: Node) -> set[str]:
    """Where everything said in joint handling stands at a node: nothing waits for ever."""
    event = table_of(EventRow).c
    return set(
        node.read(lambda s: s.execute(select(event.state).where(event.kind.startswith("joint."))).scalars())
    )


def rows(node: Node, no: str) -> tuple[object, ...]:
    """What a node shows of the joint handling of a case."""
    joints, parts, noted = table_of(JointRow).c, table_of(PartRow).c, table_of(FindingRow).c
    return (
        node.read(
            lambda s: s.execute(select(joints.n, joints.doc, joints.ended).where(joints.no == no)).all()
        ),
        node.read(
            lambda s: s.execute(
                select(parts.part, parts.outcome, parts.opinion_hash, parts.handler, parts.person, parts.late)
                .where(parts.no == no)
                .order_by(parts.part)
            ).all()
        ),
        node.read(
            lambda s: s.execute(select(noted.rule, noted.about, noted.person).where(noted.no == no)).all()
        ),
    )
