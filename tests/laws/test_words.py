"""The law of words beside the chain: money, agency and submissions are judged alike in any order in which they come.

A holder bills and marks a case before its own 签收 has left, a payment comes before its bill, a stranger bills, a number
is used twice. One reader is given all of it in any order, with repeats, and always ends with the same verdicts, sums and
findings. And nobody who spoke in order is ever accused, whatever came first.
"""

from collections.abc import AsyncIterator
from itertools import permutations
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from node.accounts.roles import Role
from node.agency import actions as agency
from node.agency import views as agency_views
from node.cases import actions, findings
from node.db import table_of
from node.exchange import views
from node.fees import actions as fees
from node.fees import views as fee_views
from node.fees.actions import Charge
from node.fees.bank import Statement
from node.fees.model import FeeSaidRow
from protocol.fees import BillState
from tests.attack.rogue import Fields, Rogue, post
from tests.databases import Databases
from tests.federation import (
    AGENT,
    CHIEF,
    CLERK,
    REVIEWER,
    Federation,
    divisions,
    officer,
    part_of,
    real_items,
)
from tests.handled import CITY, COUNTY, TOWNSHIP, VILLAGE, Desk
from tests.laws.test_delivery import Mailbox

pytestmark = pytest.mark.asyncio(loop_scope="module")
UP, LOCAL, RATE = "SZS-001", "SZS-052", "住宅80元/件"
CASHIER = officer("cashier", Role.CLERK)
LAW = settings(suppress_health_check=list(HealthCheck), deadline=None)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city(databases: Databases) -> AsyncIterator[Federation]:
    """A small city whose items cost something."""
    items, deeds = real_items()
    fee = next(one for one in items if one.id == "SZS-048").fee
    found = await Federation(part_of(divisions()), databases, publish=False).open()
    dear = tuple(one.model_copy(update={"fee": fee}) for one in items if one.id in (UP, LOCAL))
    await found.publish(1, dear, tuple(one for one in deeds if one.item in (UP, LOCAL)))
    yield found
    await found.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def start(city: Federation) -> str:
    """A copy of the city's database from before the first case."""
    return city.snapshot(CITY)


def bill(no: str, place: str, item: str, **changes: Any) -> Fields:
    line = {"rate": RATE, "price": 8000, "quantity": 1}
    return {
        "on": "2026-03-02", "by": "clerk", "no": no, "bill": f"{place}-2026-000777", "amount": 8000, "item": item,
        "name": "不动产登记费", "lines": [line], "full": 8000, "payee": "财政专户", **changes,
    }  # fmt: skip


def paid(no: str, number: str, amount: int) -> Fields:
    return {
        "on": "2026-03-02", "by": "cashier", "no": no, "bill": number, "amount": amount, "stage": "已到账",
        "payee": "财政专户", "adapter": "x", "reference": "1",
    }  # fmt: skip


def statement(number: str) -> bytes:
    return f"流水号,交易日期,缴款通知书编号,金额,收款账户,状态\nB1,2026-03-02,{number},80,财政专户,已到账\n".encode()


async def honest(desk: Desk) -> str:
    """A case reported up, billed and marked by its new holder at once, its money held by the agent and paid in; its number."""
    no = await desk.accepted(UP, entrust_scope=("交件", "缴费", "领件"))
    await desk.at(VILLAGE, agency.hand_over, AGENT, no, 3, "clerk")
    await desk.at(TOWNSHIP, actions.review, REVIEWER, no, "同意", "初审同意")
    await desk.at(TOWNSHIP, actions.forward, CHIEF, no, COUNTY, "报请决定")
    await desk.at(COUNTY, actions.take, CLERK, no)
    await desk.at(COUNTY, agency.mark, CLERK, no, "上门")
    number = str(await desk.at(COUNTY, fees.bill, CLERK, no, Charge(RATE)))
    receipt = await desk.at(VILLAGE, agency.hold_money, AGENT, no, number, 8000)
    await desk.at(VILLAGE, agency.deposit, AGENT, no, receipt, "YH-1")
    await desk.at(COUNTY, fees.take_statement, CASHIER, Statement(), statement(number))
    await desk.at(COUNTY, actions.review, REVIEWER, no, "同意", "齐全")
    await desk.at(COUNTY, actions.decide, CHIEF, no, "granted", "")
    await desk.at(VILLAGE, actions.deliver, AGENT, no, "代办员送达", "王小明")
    return no


async def dishonest(desk: Desk) -> str:
    """A closed case with strangers' words about it, and one number for two bills; its number."""
    no = await desk.reviewed(LOCAL)
    county, township = Rogue(desk.city, COUNTY), Rogue(desk.city, TOWNSHIP)
    number = f"{TOWNSHIP}-2026-000777"
    mark = {"on": "2026-03-02", "by": "x", "no": no, "mark": "上门"}
    twice = {"lines": [{"rate": RATE, "price": 7000, "quantity": 1}], "full": 7000, "amount": 7000}
    for rogue, kind, body in (
        (county, "fee.bill", bill(no, COUNTY, LOCAL)),
        (county, "fee.paid", paid(no, f"{COUNTY}-2026-000777", 8000)),
        (county, "agency.marked", mark),
        (township, "fee.paid", paid(no, number, 8000)),
        (township, "fee.paid", paid(no, number, 7000)),
        (township, "fee.bill", bill(no, TOWNSHIP, LOCAL)),
        (township, "fee.bill", bill(no, TOWNSHIP, LOCAL, **twice)),
    ):
        post(desk.city, CITY, rogue.place, rogue.parcel(rogue.event(kind, body, [CITY])), "sup")
    await desk.at(TOWNSHIP, actions.decide, CHIEF, no, "refused", "不符合规划，可在六十日内申请复议")
    return no


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mailbox(city: Federation, databases: Databases, start: str) -> AsyncIterator[Mailbox]:
    """All of it, said while the city's own line is down, everything twice in different parcels."""
    city.line(CITY).away = True
    desk = Desk(city)
    await honest(desk)
    await dishonest(desk)
    await city.settle()
    await city.later(20)
    made = Mailbox(city, databases, start)
    made.expected = await made.read(*([at] for at in range(len(made.mail))))
    yield made
    made.workers.close()
    city.line(CITY).away = False
    await city.later(4000)
    await city.later(4000)


def about(rows: dict[str, list[Any]], table: str, no: str) -> list[Any]:
    return [row for row in rows[table] if repr(no) in row]


async def test_in_the_order_it_was_said_only_the_strangers_are_accused(mailbox: Mailbox) -> None:
    rows = mailbox.expected
    right, wrong = sorted({row[0].strip("'") for row in rows["cases"]})
    assert about(rows, "findings", right) == []
    assert len(about(rows, "fee_bills", right)) == len(about(rows, "fee_bills", wrong)) == 1
    assert [row[0] for row in about(rows, "findings", wrong)] == ["'AB09'", "'AB09'", "'AB09'", "'AB22'"]


@settings(LAW, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 999), st.booleans()), max_size=60), st.integers())
async def test_any_order_gives_the_same_verdicts_sums_and_findings(
    mailbox: Mailbox, came: list[tuple[int, bool]], seed: int
) -> None:
    found = await mailbox.read(*mailbox.portions(came), *([at] for at in mailbox.shuffled(seed)))
    for name, rows in mailbox.expected.items():
        assert found[name] == rows, name


async def test_a_holder_who_marks_and_bills_before_his_taking_has_left_is_believed(city: Federation) -> None:
    """The outbox runs when all three have been said, so that others hear them in one parcel."""
    desk = Desk(city)
    no = await desk.accepted(UP)
    await desk.at(TOWNSHIP, actions.review, REVIEWER, no, "同意", "初审同意")
    await desk.at(TOWNSHIP, actions.forward, CHIEF, no, COUNTY, "报请决定")
    await desk.at(COUNTY, actions.take, CLERK, no)
    await city[COUNTY].do(agency.mark, CLERK, no, "上门")
    number = await city[COUNTY].do(fees.bill, CLERK, no, Charge(RATE))
    city.line(CITY).away = False
    await city.settle()
    for place in (VILLAGE, TOWNSHIP, CITY):
        node = city[place]
        assert [row for row in node.read(views.aside) if row.case_no == no] == []
        assert node.read(findings.of_case, no) == []
        assert [row.mark for row in node.read(agency_views.marks_of, [no])[no]] == ["上门"]
        assert node.read(fee_views.one, number).state == BillState.DUE


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("spoken", list(permutations(("stop", "resume", "deliver"))))
async def test_a_delivery_is_judged_by_what_its_station_had_said_before_it(
    city: Federation, spoken: tuple[str, ...], backwards: bool
) -> None:
    desk = Desk(city)
    no = await desk.reviewed(LOCAL)
    await desk.at(TOWNSHIP, actions.decide, CHIEF, no, "granted", "")
    case = await desk.case(no, TOWNSHIP)
    rogue, act = Rogue(city, VILLAGE), {"on": "2026-03-02", "by": "x", "no": no}
    say = {
        "stop": lambda: rogue.event("agency.stopped", {**act, "ground": "委托人撤回委托"}, [TOWNSHIP]),
        "resume": lambda: rogue.event("agency.resumed", {**act, "until": "2026-12-31"}, [TOWNSHIP]),
        "deliver": lambda: rogue.step(
            "case.delivered", no, case.n + 1, case.head, [TOWNSHIP], way="代办员送达"
        ),
    }
    words = [rogue.parcel(say[one]()) for one in spoken]
    for parcel in reversed(words) if backwards else words:
        post(city, TOWNSHIP, VILLAGE, parcel)
        await city.settle()
    before = spoken[: spoken.index("deliver")]
    stopped = bool(before) and before[-1] == "stop"
    assert bool(city[TOWNSHIP].read(findings.of_case, no)) == stopped


async def test_a_strangers_bill_waits_while_he_may_still_become_the_holder_and_is_on_record_once_he_cannot(
    city: Federation,
) -> None:
    desk = Desk(city)
    no = await desk.reviewed(LOCAL)
    await desk.heard()
    rogue = Rogue(city, COUNTY)
    post(city, CITY, COUNTY, rogue.parcel(rogue.event("fee.bill", bill(no, COUNTY, LOCAL), [CITY])), "sup")
    await city.settle()
    node, said = city[CITY], table_of(FeeSaidRow).c
    verdict = select(said.verdict, said.why).where(said.no == no)
    assert node.read(lambda session: session.execute(verdict).one()) == ("", f"等待 {COUNTY} 签收本件")
    assert node.read(findings.of_case, no) == []
    await desk.at(TOWNSHIP, actions.decide, CHIEF, no, "refused", "不符合规划，可在六十日内申请复议")
    await desk.heard()
    assert node.read(lambda session: session.execute(verdict).one()).verdict == "refused"
    assert [(row.rule, row.place) for row in node.read(findings.of_case, no)] == [("AB09", COUNTY)]
    assert [row.rule for row in node.read(views.aside) if row.case_no == no] == ["F-1"]
