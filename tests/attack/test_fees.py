"""Fees under attack: money that is not owed, to the wrong purse, by one hand; refused on every road and on record."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from node.accounts.roles import Role
from node.cases import actions as cases
from node.cases import findings
from node.cases.views import one as case_row
from node.errors import OnRecord
from node.fees import actions, views
from node.fees.actions import Charge
from node.fees.bank import Statement
from protocol.fees import BillState
from protocol.lifecycle import State
from tests.attack.rogue import Fields, Rogue, post, set_aside_at
from tests.databases import Databases
from tests.federation import CHIEF, CLERK, REVIEWER, Federation, divisions, form, officer, part_of, real_items

CITY, COUNTY = "640200000000", "640221000000"
RATE = "住宅80元/件"
CASHIER = officer("cashier", Role.CLERK)


@pytest.fixture
async def city(databases: Databases) -> AsyncIterator[Federation]:
    found = await Federation(part_of(divisions()), databases).open()
    yield found
    await found.close()


async def accepted(city: Federation, item: str = "SZS-048") -> str:
    no = await city[COUNTY].do(cases.file_case, CLERK, form(item, agent=False))
    await city[COUNTY].do(cases.accept, CLERK, no)
    await city.settle()
    return no


def bill(no: str, **changes: Any) -> Fields:
    """A bill in order; spoil it as you like."""
    line = {"rate": RATE, "price": 8000, "quantity": 1}
    return {
        "on": "2026-03-02", "by": "clerk", "no": no, "bill": f"{COUNTY}-2026-000777", "amount": 8000,
        "item": "SZS-048", "name": "不动产登记费", "lines": [line], "full": 8000, "payee": "财政专户", **changes,
    }  # fmt: skip


async def said(
    city: Federation, rogue: Rogue, kind: str, body: Fields, **more: Any
) -> tuple[str, str] | None:
    """What the city made of it: (rule, reason) if it was set aside."""
    before = set(set_aside_at(city, CITY))
    post(city, CITY, rogue.place, rogue.parcel(rogue.event(kind, body, [CITY], **more)), "sup")
    await city.settle()
    new = [value for name, value in set_aside_at(city, CITY).items() if name not in before]
    return new[0] if new else None


def accused(city: Federation, place: str, no: str) -> list[str]:
    rows = city[place].read(findings.of_case, no)
    return [row.facts["why"] for row in rows if row.rule == "AB09"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"lines": [{"rate": RATE, "price": 8001}], "full": 8001, "amount": 8001}, "不得收 80.01"),
        ({"lines": [{"rate": "加急费", "price": 100}], "full": 100, "amount": 100}, "没有“加急费”"),
        ({"amount": 9000}, "应收 80.00"),
        ({"full": 9000, "amount": 9000}, "应收 80.00"),
        ({"name": "某某协会会费"}, "不是目录公布的收费项目"),
        ({"payee": "某某协会"}, "不是财政专户"),
        ({"item": "SZS-019"}, "不收费"),
        ({"amount": 4000}, "减免须写明依据"),
        ({"amount": 4000, "clause": "困难"}, "另一名获授权的人"),
        ({"amount": 4000, "clause": "困难", "approver": "clerk", "authorisation": "SQ1"}, "另一名获授权的人"),
        ({"bill": f"{CITY}-2026-000001"}, "编的号"),
    ],
)
async def test_a_bill_for_what_is_not_owed_is_refused_and_on_record(
    city: Federation, changes: Fields, why: str
) -> None:
    no = await accepted(city)
    told = await said(city, Rogue(city, COUNTY), "fee.bill", bill(no, **changes))
    assert told is not None
    assert told[0] == "F-1"
    assert why in told[1]
    assert why in accused(city, CITY, no)[0]
    assert city[CITY].read(views.of_case, no) == []
    assert not city[CITY].read(views.unpaid, no)


@pytest.mark.parametrize("amount", [-1, 8000.5, "8000", 10**13, None])
async def test_money_is_whole_fen_and_never_negative(city: Federation, amount: Any) -> None:
    no = await accepted(city)
    told = await said(city, Rogue(city, COUNTY), "fee.bill", bill(no, amount=amount))
    assert told is not None
    assert city[CITY].read(views.of_case, no) == []


async def test_only_the_holder_bills(city: Federation) -> None:
    no = await accepted(city)
    township = city.roster.children(COUNTY)[0].code
    mine = bill(no, bill=f"{township}-2026-000001")
    assert await said(city, Rogue(city, township), "fee.bill", mine) is None
    assert city[CITY].read(views.of_case, no) == []
    await city[COUNTY].do(cases.withdraw, CLERK, no, "不办了")
    await city.settle()
    assert accused(city, CITY, no) == [f"{township} 不是本件的承办单位，不能开具缴款通知书"]
    assert [rule for rule, _ in set_aside_at(city, CITY).values()] == ["F-1"]
    own = bill(no, bill=f"{township}-2026-000002")
    told = await said(city, Rogue(city, township), "fee.bill", own)
    assert told is not None
    assert "不是本件的承办单位" in told[1]


async def test_a_cancelled_fee_is_refused_at_home_and_from_elsewhere(city: Federation) -> None:
    no = await accepted(city)
    items, deeds = real_items()
    free = tuple(
        one.model_copy(update={"fee": one.fee.model_copy(update={"charge": False}), "version": 2})
        if one.id == "SZS-048"
        else one
        for one in items
    )
    await city.publish(2, free, deeds)
    with pytest.raises(OnRecord, match="已取消"):
        await city[COUNTY].do(actions.bill, CLERK, no, Charge(RATE))
    assert "已取消" in accused(city, COUNTY, no)[0]
    told = await said(city, Rogue(city, COUNTY), "fee.bill", bill(no), cat=2)
    assert told is not None
    assert "已取消" in told[1]


@pytest.mark.parametrize(
    ("item", "charge"),
    [
        ("SZS-019", Charge("10元/本")),
        ("SZS-048", Charge(RATE, price_fen=9000)),
        ("SZS-048", Charge("协会会费")),
    ],
)
async def test_our_own_attempt_is_refused_and_on_record(city: Federation, item: str, charge: Charge) -> None:
    no = await accepted(city, item)
    with pytest.raises(OnRecord):
        await city[COUNTY].do(actions.bill, CLERK, no, charge)
    assert len(accused(city, COUNTY, no)) == 1
    assert city[COUNTY].read(views.of_case, no) == []


async def test_the_issuer_takes_no_money_on_any_road(city: Federation) -> None:
    no = await accepted(city)
    node = city[COUNTY]
    number = await node.do(actions.bill, CLERK, no, Charge(RATE))
    await city.settle()
    head = "流水号,交易日期,缴款通知书编号,金额,收款账户,状态\n"
    raw = f"{head}B1,2026-03-02,{number},80,财政专户,已到账".encode()
    report = await node.do(actions.take_statement, CLERK, Statement(), raw)
    assert "票款分离" in report.faults[0].reason
    assert "票款分离" in accused(city, COUNTY, no)[0]

    paid = {
        "on": "2026-03-02", "by": "cashier", "no": no, "bill": number, "amount": 8000, "stage": "已到账",
        "payee": "财政专户", "adapter": "x", "reference": "1",
    }  # fmt: skip
    for changes, why in (
        ({"by": "clerk"}, "票款分离"),
        ({"payee": "clerk"}, "不是财政专户"),
        ({"amount": 1}, "实缴 0.01"),
    ):
        told = await said(city, Rogue(city, COUNTY), "fee.paid", {**paid, **changes})
        assert told is not None
        assert why in told[1]
    township = city.roster.children(COUNTY)[0].code
    assert await said(city, Rogue(city, township), "fee.paid", paid) is not None
    assert city[CITY].read(views.one, number).state == BillState.DUE


async def test_a_result_let_go_before_its_money_waits_until_the_money_is_told(city: Federation) -> None:
    no = await accepted(city)
    node = city[COUNTY]
    number = await node.do(actions.bill, CLERK, no, Charge(RATE))
    await node.do(cases.review, REVIEWER, no, "同意", "齐全")
    await node.do(cases.decide, CHIEF, no, "granted", "", produce=True)
    await city.settle()
    row = city[CITY].read(case_row, no)
    rogue = Rogue(city, COUNTY)
    step = rogue.step("case.closed", no, row.n + 1, row.head, [CITY], result="不动产权证")
    post(city, CITY, COUNTY, rogue.parcel(step), "sup")
    await city.settle()
    assert State(city[CITY].read(case_row, no).state) is State.PRODUCING

    head = "流水号,交易日期,缴款通知书编号,金额,收款账户,状态\n"
    raw = f"{head}B1,2026-03-02,{number},80,财政专户,已到账".encode()
    await node.do(actions.take_statement, CASHIER, Statement(), raw)
    await city.settle()
    assert State(city[CITY].read(case_row, no).state) is State.CLOSED


async def test_a_bill_before_its_case_and_a_payment_before_its_bill_are_kept_and_counted_later(
    city: Federation,
) -> None:
    rogue = Rogue(city, COUNTY)
    assert await said(city, rogue, "fee.bill", bill(f"{COUNTY}-20260302-0001-0")) is None
    assert city[CITY].read(views.bills) == []

    no = await accepted(city)
    paid = {
        "on": "2026-03-02", "by": "cashier", "no": no, "bill": f"{COUNTY}-2026-000777", "amount": 8000,
        "stage": "已到账", "payee": "财政专户", "adapter": "x", "reference": "1",
    }  # fmt: skip
    assert await said(city, rogue, "fee.paid", paid) is None
    assert await said(city, rogue, "fee.bill", bill(no)) is None
    assert city[CITY].read(views.one, f"{COUNTY}-2026-000777").state == BillState.ARRIVED
