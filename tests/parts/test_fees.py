"""Fees: by the published standard, to the fiscal account, by two hands; a result waits for its money."""

from collections.abc import AsyncIterator
from datetime import date

import pytest

from node.accounts.roles import Role
from node.cases import actions as cases
from node.cases.views import one as case_row
from node.documents import issue
from node.errors import BadForm, Conflict, Forbidden, OnRecord
from node.fees import actions, views
from node.fees.actions import Charge, Report
from node.fees.bank import Statement
from node.powers.routes import second
from protocol import fees as law
from protocol.catalogue import Fee
from protocol.fees import BillState
from protocol.lifecycle import State
from tests.databases import Databases
from tests.desks import Desks
from tests.federation import CHIEF, CLERK, REVIEWER, Federation, divisions, form, officer, part_of

CITY, COUNTY = "640200000000", "640221000000"
CASHIER = officer("cashier", Role.CLERK)
RATE = "住宅80元/件"


@pytest.fixture
async def city(databases: Databases) -> AsyncIterator[Federation]:
    found = await Federation(part_of(divisions()), databases).open()
    yield found
    await found.close()


async def accepted(city: Federation, item: str = "SZS-048", place: str = COUNTY) -> str:
    node = city[place]
    no = await node.do(cases.file_case, CLERK, form(item, agent=False))
    await node.do(cases.accept, CLERK, no)
    await city.settle()
    return no


def statement(*lines: str) -> bytes:
    head = "流水号,交易日期,缴款通知书编号,金额,收款账户,状态"
    return "\n".join((head, *lines)).encode()


async def bank(city: Federation, *lines: str, who: object = CASHIER) -> Report:
    return await city[COUNTY].do(actions.take_statement, who, Statement(), statement(*lines))  # type: ignore[arg-type]


def state(city: Federation, bill: str, place: str = COUNTY) -> str:
    return str(city[place].read(views.one, bill).state)


@pytest.mark.parametrize(
    ("standard", "prices"),
    [
        ("首次申领免收;换领20元/证;丢失补领或损坏换领40元/证", [0, 2000, 4000]),
        ("住宅80元/件", [8000]),
        ("每平方米0.5元/月；另行核定", [50, None]),
        ("20元至35.25元/件", [3525]),
        ("按地方标准", [None]),
        ("3万元/项", [3_000_000]),
    ],
)
def test_a_standard_is_read_clause_by_clause(standard: str, prices: list[int | None]) -> None:
    fee = Fee(charge=True, name="费", standard=standard)
    assert [one.price for one in law.rates(fee)] == prices
    assert law.rates(Fee(charge=False)) == ()


@pytest.mark.parametrize(
    ("text", "found"),
    [("80", 8000), ("80.5", 8050), ("0.07", 7), ("-80", None), ("8e3", None), ("1.005", None), ("", None)],
)
def test_sums_are_whole_fen(text: str, found: int | None) -> None:
    assert law.fen(text) == found


async def test_from_the_bill_to_the_released_result(city: Federation) -> None:
    node, no = city[COUNTY], await accepted(city)
    assert node.read(views.words, no, charge=True) == "按公布标准收费，尚未开具缴款通知书"
    bill = await node.do(actions.bill, CLERK, no, Charge(RATE))
    assert bill == f"{COUNTY}-2026-000001"
    await city.settle()
    assert state(city, bill) == state(city, bill, CITY) == BillState.DUE
    with pytest.raises(Conflict):
        await node.do(actions.bill, CLERK, no, Charge(RATE))

    await node.do(cases.review, REVIEWER, no, "同意", "齐全")
    with pytest.raises(Forbidden, match="尚未到账"):
        await node.do(cases.decide, CHIEF, no, "granted", "")
    await node.do(cases.decide, CHIEF, no, "granted", "", produce=True)
    with pytest.raises(Forbidden, match="尚未到账"):
        await node.do(cases.close, CLERK, no)

    assert (await bank(city, f"B1,2026-03-02,{bill},80.00,财政专户,已缴")).taken == 1
    assert state(city, bill) == BillState.PAID
    assert (await bank(city, f"B2,2026-03-02,{bill},80.00,财政专户,已到账")).taken == 1
    await node.do(cases.close, CLERK, no)
    with pytest.raises(Forbidden, match="票款分离"):
        await node.do(actions.settle, CLERK, bill)
    await node.do(actions.settle, CASHIER, bill)
    await city.settle()
    assert state(city, bill, CITY) == BillState.SETTLED
    await city.settle()
    assert State(city[CITY].read(case_row, no).state) is State.CLOSED


async def test_a_statement_is_taken_once_and_names_each_wrong_line(city: Federation) -> None:
    node, no = city[COUNTY], await accepted(city)
    bill = await node.do(actions.bill, CLERK, no, Charge(RATE))
    lines = (
        f"B1,2026-03-02,{bill},79.99,财政专户,已到账",
        f"B2,2026-03-03,{bill},80,财政专户,已到账",
        f"B3,2026-03-02,{bill},-80,财政专户,已到账",
        f"B4,2026-03-02,{COUNTY}-2026-000009,80,财政专户,已到账",
        f"B5,2026-03-02,{bill},80,某某协会,已到账",
        f"B6,2026-03-02,{bill},80,财政专户,已收",
        "B7,2026-03-02",
        f"B8,2026-03-02,{bill},80,财政专户,已到账",
        f"B9,2026-03-02,{bill},80,财政专户,已退",
    )
    report = await bank(city, *lines)
    assert (report.taken, report.known) == (1, 0)
    assert [one.line for one in report.faults] == [2, 3, 4, 5, 6, 7, 8, 10]
    again = await bank(city, *lines)
    assert (again.taken, again.known) == (0, 1)
    assert (await bank(city, f"B8,2026-03-02,{bill},70,财政专户,已到账")).faults[0].line == 2
    for broken in (b"", b"\xff\xff\xff", b"a,b\n1,2", "流水号\n1".encode()):
        with pytest.raises(BadForm):
            await node.do(actions.take_statement, CASHIER, Statement(), broken)
    assert Statement().read("\ufeff".encode() + statement(), date(2026, 3, 2)).faults == []
    assert len(Statement().read(statement(*lines).decode().encode("gb18030"), date(2026, 3, 2)).payments) == 5


async def test_a_reduction_takes_its_clause_and_a_second_person(city: Federation) -> None:
    node, no = city[COUNTY], await accepted(city)
    with pytest.raises(BadForm, match="条款"):
        await node.do(actions.bill, CLERK, no, Charge(RATE, amount_fen=4000))
    waits = await node.do(actions.bill, CLERK, no, Charge(RATE, amount_fen=4000, clause="小微企业减半"))
    assert node.read(views.of_case, no) == []
    with pytest.raises(Forbidden):
        await node.do(second, node, CLERK, waits)
    with pytest.raises(Forbidden):
        await node.do(second, node, REVIEWER, waits)
    await node.do(second, node, CHIEF, waits)
    row = node.read(views.of_case, no)[0]
    assert (row.full_fen, row.amount_fen, row.issuer) == (8000, 4000, "clerk")
    subject = node.read(issue.subject_of, node.know, no)
    sheet = issue.content(subject, next(kind for kind in issue.offered(subject) if kind.id == "D18"))
    assert ("应缴金额", "40.00 元") in sheet.facts
    assert sheet.rows == [(RATE, "80.00 元", "1", "80.00 元")]
    await city.settle()
    assert city[CITY].read(views.one, row.bill).amount_fen == 4000


async def test_a_standard_without_a_figure_is_reckoned_and_approved(city: Federation) -> None:
    node, no = city[COUNTY], await accepted(city, "SZS-104")
    with pytest.raises(BadForm, match="没有定额"):
        await node.do(actions.bill, CLERK, no, Charge("按面积和期限计收"))
    with pytest.raises(OnRecord, match="计算依据"):
        await node.do(actions.bill, CLERK, no, Charge("按面积和期限计收", price_fen=10000))
    waits = await node.do(
        actions.bill, CLERK, no, Charge("按面积和期限计收", price_fen=10000, reckoning="10 平方米 × 10 元")
    )
    await node.do(second, node, CHIEF, waits)
    assert node.read(views.of_case, no)[0].amount_fen == 10000


async def test_money_goes_back_by_two_persons_and_the_bank(city: Federation) -> None:
    node, no = city[COUNTY], await accepted(city)
    bill = await node.do(actions.bill, CLERK, no, Charge(RATE))
    await bank(city, f"B1,2026-03-02,{bill},80,财政专户,已到账")
    waits = await node.do(actions.ask_refund, CLERK, bill, "重复缴费")
    await node.do(second, node, CHIEF, waits)
    assert state(city, bill) == BillState.REFUNDING
    assert (await bank(city, f"B9,2026-03-02,{bill},80,财政专户,已退")).taken == 1
    await city.settle()
    assert state(city, bill, CITY) == BillState.REFUNDED
    again = await node.do(actions.bill, CLERK, no, Charge(RATE))
    assert again.endswith("000002")
    waits = await node.do(actions.ask_refund, CLERK, again, "开错")
    await node.do(second, node, CHIEF, waits)
    assert state(city, again) == BillState.VOID


async def test_the_pages_say_what_is_charged_and_take_no_broken_statement(databases: Databases) -> None:
    desks = await Desks.open(part_of(divisions()), databases)
    node = desks.city[COUNTY]
    no = await node.do(cases.file_case, CLERK, form("SZS-019", agent=False))
    async with desks.at(COUNTY, "clerk") as browser:
        page = await browser.get("/fees")
        assert page.status_code == 200
        assert "没有缴款通知书" in page.text
        shown = await browser.get(f"/cases/{no}")
        assert "不收费" in shown.text
        assert "开缴款通知书" not in shown.text
        assert (await browser.get("/api/fees")).json() == []
    await desks.city.close()
