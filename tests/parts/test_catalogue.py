"""Items, deeds and editions: the real file reads whole, and what is wrong is told all at once."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from node.calendar_source import official_calendar
from protocol.catalogue import (
    Catalogue,
    Deed,
    Edition,
    Item,
    Power,
    Status,
    document,
    document_hash,
)
from protocol.divisions import read_divisions
from protocol.editions import open_catalogue, read_edition
from protocol.errors import CatalogueError
from protocol.items import check_deeds, check_item, open_gaps, read_items
from protocol.limits import Unit
from protocol.places import Tier
from protocol.proofs import FORBIDDEN_PROOFS, forbidden_proof, is_village_source
from protocol.workdays import calendar_document

DATA = Path(__file__).parents[2] / "data"
RAW = (DATA / "items.json").read_bytes()
FILE = read_items(RAW)
CITY = read_divisions((DATA / "divisions-640200-shizuishan.csv").read_bytes())
ITEMS = {item.id: item for item in FILE.items}


def count(of: Callable[[Item], object]) -> dict[object, int]:
    return dict(Counter(map(of, FILE.items)))


def test_the_totals_of_the_real_file() -> None:
    assert len(FILE.items) == 109
    assert count(lambda item: item.item_type.name) == {
        "行政许可": 55,
        "公共服务": 18,
        "行政确认": 16,
        "行政给付": 13,
        "其他行政权力": 7,
    }
    assert count(lambda item: item.case_kind) == {"即办件": 19, "承诺件": 90}
    kinds = {"一般承诺": 47, "上报": 27, "即办": 19, "联合": 12, "特急": 2, "控制": 2}
    assert count(lambda item: item.seed_kind) == kinds
    levels = {Tier.COUNTY: 76, Tier.TOWNSHIP: 21, Tier.CITY: 10, Tier.VILLAGE: 2}
    assert count(lambda item: item.decision_level.code) == levels
    modes = count(lambda item: item.village_mode)
    assert modes == {"代办": 36, "协办": 13, "告知": 8, "直办": 2, None: 50}
    assert sum(not item.proxy_allowed for item in FILE.items) == 4
    assert sum(item.fee.charge for item in FILE.items) == 8
    assert sum(bool(item.joint_departments) for item in FILE.items) == 21


def test_the_sets_of_the_real_file() -> None:
    t32 = [item for item in FILE.items if "T32" in item.sets]
    assert set(Counter(item.window.township for item in t32).values()) == {4}
    assert len(t32) == 32
    t28 = [item for item in FILE.items if "T28" in item.sets]
    assert (len(t28), len({item.department.code for item in t28})) == (28, 15)
    assert sum("V24" in item.sets for item in FILE.items) == 24


def test_the_deeds_of_the_real_file() -> None:
    counties = Counter(deed.giver for deed in FILE.deeds)
    assert [counties[f"{county}000000"] for county in (640202, 640205, 640221)] == [41, 53, 30]
    assert len(FILE.deeds) == 124
    assert check_deeds(FILE.items, FILE.deeds, CITY) == []
    for deed in FILE.deeds:
        decided_below = ITEMS[deed.item].decision_level.code > Tier.COUNTY
        assert (deed.power is Power.DECIDE) == decided_below


def test_the_licence_limits_of_the_real_file() -> None:
    both = [
        (item.statutory_limit.value, item.promised_limit.value)
        for item in FILE.items
        if item.is_licence and not item.is_instant and item.statutory_limit
        if item.statutory_limit.unit is item.promised_limit.unit is Unit.WORKDAY
    ]
    statutory, promised = (sum(column) for column in zip(*both, strict=True))
    assert (len(both), statutory, promised) == (42, 790, 315)
    assert (10_000 * (statutory - promised) + statutory // 2) // statutory == 6013


def test_active_items_tell_the_eight_public_facts() -> None:
    assert all(open_gaps(item) == () for item in FILE.items)
    bare = ITEMS["SZS-001"].model_copy(update={"flow": (), "application_form": "", "conditions": ()})
    assert open_gaps(bare) == ("办事程序", "许可条件", "申请书格式文本")
    assert [problem.field for problem in check_item(bare)] == ["open"] * 3
    assert check_item(bare.model_copy(update={"status": Status.DRAFT})) == []


def test_the_flow_follows_from_who_decides() -> None:
    steps = [(step.name, step.tier) for step in ITEMS["SZS-001"].flow]
    assert steps == [("村站收件", 6), ("受理", 5), ("初审", 5), ("审查", 4), ("决定", 4), ("送达", 5)]
    assert [step.name for step in ITEMS["SZS-013"].flow] == ["受理", "决定", "送达"]


def changed(**changes: Any) -> bytes:
    body = json.loads(RAW)
    body["items"] = [body["items"][0] | changes]
    return json.dumps(body).encode()


LICENCE = {"code": "01", "name": "行政许可"}
VILLAGE = {"code": 6, "name": "村级"}
MATERIAL = {
    "name": "申请书",
    "need": "必要",
    "form": "原件",
    "copies": 1,
    "source": "申请人自备",
    "share_free": False,
}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"promised_limit": {"value": 31, "unit": "工作日"}}, "promised_limit"),
        ({"statutory_limit": {"value": 15, "unit": "自然日"}}, "promised_limit"),
        ({"promised_limit": {"value": 0, "unit": "工作日"}}, "case_kind"),
        ({"case_kind": "即办件"}, "case_kind"),
        ({"promised_limit": {"value": -1, "unit": "工作日"}}, "promised_limit.value"),
        ({"promised_limit": {"value": "20", "unit": "工作日"}}, "promised_limit.value"),
        ({"promised_limit": {"value": 20, "unit": "天"}}, "promised_limit.unit"),
        ({"materials": [MATERIAL | {"name": "其他材料"}]}, "materials"),
        ({"materials": [MATERIAL | {"name": "法律法规规定的其它相关证明材料"}]}, "materials"),
        ({"materials": [MATERIAL, MATERIAL]}, "materials"),
        ({"materials": [MATERIAL | {"name": "亲属关系证明", "source": "村(居)委会"}]}, "materials"),
        ({"materials": [MATERIAL | {"need": "可选"}]}, "materials.1.need"),
        ({"materials": []}, "open"),
        ({"conditions": []}, "open"),
        ({"legal_basis": ""}, "open"),
        (
            {
                "item_type": LICENCE,
                "decision_level": VILLAGE,
                "exercise_levels": [VILLAGE],
                "village_mode": "直办",
            },
            "decision_level",
        ),
        ({"decision_level": {"code": 3, "name": "市级"}}, "decision_level"),
        ({"decision_level": {"code": 9, "name": "九级"}}, "decision_level.code"),
        ({"exercise_levels": []}, "exercise_levels"),
        ({"proxy_allowed": False}, "proxy_allowed"),
        ({"village_mode": "包办"}, "village_mode"),
        ({"name": ""}, "name"),
        ({"surprise": 1}, "surprise"),
        ({"department": {"code": "ZZ", "name": "无此局"}}, "department"),
        ({"joint_departments": [{"code": "ZZ", "name": "无此局"}]}, "joint_departments"),
        ({"window": {"township": "TW9", "county": None}}, "window.township"),
        ({"sets": ["T99"]}, "sets"),
        ({"impl_code": "1164022100000"}, "impl_code"),
        ({"fee": {"charge": True}}, "fee"),
        (
            {"special_procedures": [{"name": "公示", "max_days": 7, "suspends_clock": True}]},
            "special_procedures",
        ),
        ({"devolved_counties_synthetic": ["6402"]}, "devolved_counties_synthetic"),
        ({"devolved_counties_synthetic": "640202"}, "devolved_counties_synthetic"),
    ],
)
def test_a_wrong_item_is_named_with_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        read_items(changed(**changes))
    assert field in {problem.field for problem in caught.value.problems}, caught.value
    assert {problem.subject for problem in caught.value.problems} == {"SZS-001"}


def test_all_problems_are_told_together() -> None:
    body = json.loads(RAW)
    del body["items"][3]["name"]
    body["items"][5]["fee"] = {"charge": True}
    body["items"][6]["id"] = body["items"][7]["id"]
    body["items"].append("x")
    with pytest.raises(CatalogueError) as caught:
        read_items(json.dumps(body).encode())
    found = {(problem.subject, problem.field) for problem in caught.value.problems}
    assert {("SZS-004", "name"), ("SZS-006", "fee"), ("SZS-008", "id"), ("第 110 项", "item")} <= found
    assert "缺少这一项" in str(caught.value)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{}",
        b'{"items": []}',
        b'{"items": [],\n"departments": x}',
        "{}".encode("utf-16"),
        b'{"items": [], "departments": [1], "windows": {}, "sets": {}}',
    ],
)
def test_what_is_no_items_file(raw: bytes) -> None:
    with pytest.raises(CatalogueError):
        read_items(raw)


DEED: dict[str, Any] = {
    "id": "d1",
    "item": "SZS-029",
    "form": "赋权",
    "giver": "640221000000",
    "to_every": 5,
    "effective": "2025-01-01",
    "source": "平政发〔2024〕1号",
    "approvers": ["甲", "乙"],
}


@pytest.mark.parametrize(
    "changes",
    [
        {"approvers": ["甲", "甲"]},
        {"approvers": ["甲"]},
        {"to_every": None},
        {"to": ["640221100000"]},
        {"to_every": None, "to": ["640221000000"]},
        {"until": "2024-12-31"},
        {"giver": "6402"},
        {"form": "转让"},
        {"source": ""},
        {"in_flight": "lost"},
    ],
)
def test_a_deed_that_does_not_hold_together(changes: dict[str, Any]) -> None:
    Deed.model_validate_json(json.dumps(DEED))
    with pytest.raises(ValidationError):
        Deed.model_validate_json(json.dumps(DEED | changes))


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"item": "SZS-999"}, "不在目录"),
        ({"giver": "640299000000"}, "名册"),
        ({"to_every": None, "to": ["640202001000"]}, "之下"),
        ({"to_every": None, "to": ["640299001000"]}, "名册"),
        ({"to_every": 4}, "下级"),
        ({"to_every": 6}, "行使层级"),
        ({"item": "SZS-045", "to_every": 6}, "行政许可"),
        ({"effective": "2024-06-01"}, "同日"),
    ],
)
def test_a_deed_that_does_not_fit(changes: dict[str, Any], word: str) -> None:
    other = Deed.model_validate_json(json.dumps(DEED | {"id": "d0", "effective": "2024-06-01"}))
    wrong = Deed.model_validate_json(json.dumps(DEED | changes))
    problems = check_deeds(FILE.items, [other, wrong], CITY)
    assert {problem.subject for problem in problems} == {"d1"}
    assert word in "".join(map(str, problems))


def published() -> tuple[Edition, dict[str, bytes]]:
    documents = {f"item-{item.id}": document(item) for item in FILE.items}
    documents |= {f"deed-{deed.id}": document(deed) for deed in FILE.deeds}
    documents["calendar"] = orjson.dumps(calendar_document(official_calendar("640200000000")))
    return Edition.of(7, date(2025, 1, 1), documents), documents


def test_an_edition_opens_to_the_same_catalogue() -> None:
    edition, documents = published()
    assert read_edition(document(edition)) == edition
    catalogue = open_catalogue(edition, documents)
    assert (catalogue.edition, len(catalogue), len(catalogue.deeds)) == (7, 109, 124)
    assert list(catalogue) == list(FILE.items)
    assert sorted(FILE.deeds, key=lambda deed: deed.id) == list(catalogue.deeds)
    assert catalogue.calendar is not None
    assert catalogue.calendar.add(date(2025, 1, 20), 20).day == date(2025, 2, 21)


def test_an_edition_cannot_be_changed() -> None:
    edition, documents = published()
    body = json.loads(document(edition))
    for change in ({"number": 8}, {"issued": "2025-01-02"}, {"documents": {}}):
        with pytest.raises(CatalogueError, match="哈希与内容不符"):
            read_edition(orjson.dumps(body | change))
    with pytest.raises(CatalogueError, match="紧凑"):
        read_edition(json.dumps(body).encode())
    with pytest.raises(CatalogueError, match="缺少"):
        open_catalogue(edition, {})
    documents["item-SZS-001"] = documents["item-SZS-001"].replace(
        "最低生活保障".encode(), "最高生活保障".encode()
    )
    with pytest.raises(CatalogueError, match="哈希"):
        open_catalogue(edition, documents)
    broken = Edition.of(8, date(2025, 1, 1), {"item-x": b"{}"})
    with pytest.raises(CatalogueError, match="item-x"):
        open_catalogue(broken, {"item-x": b"{}"})
    assert document_hash(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_catalogue_is_looked_up_and_searched() -> None:
    catalogue = Catalogue(1, FILE.items, FILE.deeds)
    assert catalogue["SZS-001"].name == "最低生活保障对象审核确认"
    assert "SZS-001" in catalogue
    assert catalogue.get("SZS-999") is None
    found = catalogue.search("养老")
    assert [item.name[:2] == "养老" for item in found] == sorted(
        (item.name[:2] == "养老" for item in found), reverse=True
    )
    assert {item.id for item in catalogue.search("民政局 殡葬")} <= {
        item.id for item in catalogue.search("民政局")
    }
    assert [item.id for item in catalogue.search("szs-045")] == ["SZS-045"]
    assert catalogue.search("  ") == ()
    assert "民政救助" in catalogue.themes()
    assert all("民政救助" in item.themes for item in catalogue.of_theme("民政救助"))
    with pytest.raises(CatalogueError):
        Catalogue(1, [*FILE.items, FILE.items[0]])
    with pytest.raises(CatalogueError):
        Catalogue(1, [], FILE.deeds)


def test_what_a_village_must_not_certify() -> None:
    assert len(FORBIDDEN_PROOFS) == 20
    for name in FORBIDDEN_PROOFS:
        assert forbidden_proof(f"{name}证明") == name
    assert forbidden_proof("夫妻关系证明") == "亲属关系"
    assert forbidden_proof("本人健在证明") == "健在"
    for fine in ("村民会议决议", "宅基地平面图", "住院费用清单", "婚姻登记申请书"):
        assert forbidden_proof(fine) is None
    assert [
        is_village_source(source) for source in ("村(居)委会", "XX村民委员会", "公安机关", "申请人自备")
    ] == [
        True,
        True,
        False,
        False,
    ]
