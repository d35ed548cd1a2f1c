"""A divisions file is one city's tree or is refused with the line and the reason."""

from pathlib import Path

import pytest

from protocol.divisions import check_divisions, read_divisions, strangers
from protocol.errors import DivisionsError, RosterError
from protocol.places import Code, Place, Tier
from protocol.roster import Roster

SHIZUISHAN = Path(__file__).parents[2] / "data" / "divisions-640200-shizuishan.csv"
HEAD = "code,name,level,parent\n"
CITY = "640200000000,石嘴山市,city,\n"
COUNTY = "640221000000,平罗县,county,640200000000\n"
TOWN = "640221100000,城关镇,township,640221000000\n"
VILLAGE = "640221100201,一村,village,640221100000\n"


def read(text: str) -> Roster:
    return read_divisions(text.encode())


def refused(text: str | bytes) -> DivisionsError:
    with pytest.raises(DivisionsError) as caught:
        read_divisions(text if isinstance(text, bytes) else text.encode())
    return caught.value


def test_the_real_city() -> None:
    roster = read_divisions(SHIZUISHAN.read_bytes())
    assert len(roster) == 366
    assert [len(roster.of_tier(tier)) for tier in Tier] == [1, 3, 36, 326]
    assert roster.city.name == "石嘴山市"
    assert strangers(roster) == ()
    for county in roster.of_tier(Tier.COUNTY):
        assert roster.prefixes(county.code) == (county.code[:6],)
        assert roster.hub_of(county.code) is county
        for place in roster.subtree(county.code):
            assert roster.is_under(place.code, county.code)
            assert roster.hub_of(place.code) is county
    assert roster.prefixes(roster.city.code) == ("6402",)


def test_the_line_of_a_village() -> None:
    roster = read(HEAD + CITY + COUNTY + TOWN + VILLAGE)
    names = [place.name for place in roster.line("640221100201")]
    assert names == ["一村", "城关镇", "平罗县", "石嘴山市"]
    assert [place.name for place in roster.ancestors("640221100201")] == names[1:]
    assert roster.ancestors(roster.city.code) == ()
    assert [place.name for place in roster.children(roster.city.code)] == ["平罗县"]
    assert roster.at("640221100201", Tier.COUNTY) == roster["640221000000"]
    assert "640221100201" in roster
    assert "640221100299" not in roster
    assert roster.get("640221100299") is None


@pytest.mark.parametrize(
    "levels",
    [
        ("市", "县", "镇", "村"),
        ("3", "4", "5", "6"),
        ("City", "COUNTY", "街道", "社区"),
        ("地级市", "区", "乡", "居委会"),
    ],
)
def test_words_for_levels(levels: tuple[str, ...]) -> None:
    text = HEAD + CITY + COUNTY + TOWN + VILLAGE
    for word, level in zip(("city", "county", "township", "village"), levels, strict=True):
        text = text.replace(f",{word},", f",{level},")
    assert [place.tier for place in read(text)] == list(Tier)


def test_byte_order_mark_crlf_order_of_columns_and_blank_lines() -> None:
    text = "\ufefflevel,parent,name,code,note\r\ncity,,石嘴山市,640200000000,x\r\n\r\n ,,,,\r\ncounty,640200000000,平罗县,640221000000,\r\n"
    assert [place.name for place in read(text)] == ["石嘴山市", "平罗县"]


def test_children_may_come_before_parents() -> None:
    assert len(read(HEAD + VILLAGE + TOWN + COUNTY + CITY)) == 4


def test_a_city_without_counties() -> None:
    roster = read(
        HEAD
        + "441900000000,东莞市,city,\n441900003000,东城街道,township,441900000000\n"
        + "441900003001,岗贝社区,village,441900003000\n"
    )
    assert roster.hub_of("441900003001").name == "东莞市"
    assert roster.prefixes("441900003000") == ("441900003",)
    assert roster.prefixes("441900000000") == ("4419",)


def test_a_village_directly_under_a_county() -> None:
    roster = read(HEAD + CITY + COUNTY + "640221000201,直属村,village,640221000000\n" + TOWN + VILLAGE)
    assert roster.at("640221000201", Tier.TOWNSHIP) is None
    assert roster.prefixes("640221000000") == ("640221",)
    assert roster.prefixes("640221000201") == ("640221000201",)


ZONE = (
    HEAD
    + CITY
    + COUNTY
    + TOWN
    + VILLAGE
    + "640271000000,高新区,county,640200000000\n"
    + "640221401000,园区,township,640271000000\n"
    + "640221100202,二村,village,640221401000\n"
)


def test_a_zone_whose_places_have_other_digits() -> None:
    roster = read(ZONE)
    assert [place.name for place in strangers(roster)] == ["园区", "二村"]
    assert roster.hub_of("640221100202").name == "高新区"
    assert roster.prefixes("640271000000") == ("640221100202", "640221401", "640271")
    assert roster.prefixes("640221000000") == ("640221000000", "640221100000", "640221100201")
    for place in roster:
        inside = {each.code for each in roster.subtree(place.code)}
        found = roster.prefixes(place.code)
        assert {each.code for each in roster if each.code.startswith(found)} == inside


def test_a_zone_may_be_of_county_level_with_township_digits() -> None:
    assert read(HEAD + CITY + "640221401000,开发区,county,640200000000\n")["640221401000"].tier is Tier.COUNTY


def test_a_county_level_city_run_by_the_province() -> None:
    assert read(HEAD + "419001000000,济源市,city,\n").prefixes("419001000000") == ("419001",)


def test_the_province_as_parent_of_the_city_is_let_pass() -> None:
    assert read(HEAD + "640200000000,石嘴山市,city,640000000000\n").city.parent is None


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        (HEAD + CITY + COUNTY + "640221100000,城关镇,township,640222000000\n", 4, "不在表中"),
        (HEAD + CITY + COUNTY + COUNTY, 4, "第 3 行重复"),
        (HEAD + CITY + "640221000000,平罗县,州,640200000000\n", 3, "层级"),
        ("code,name,level\n640200000000,石嘴山市,city\n", 1, "parent"),
        ("code,name,level,parent,code\n" + CITY, 1, "2 次"),
        (HEAD + CITY + "64022100000,平罗县,county,640200000000\n", 3, "12 位"),
        (HEAD + CITY + "6.40221E+11,平罗县,county,640200000000\n", 3, "表格软件"),
        (HEAD + CITY + "６４０２２１００００００,平罗县,county,640200000000\n", 3, "12 位"),
        (HEAD + CITY + "640300000000,吴忠市,city,\n", 3, "第 2 行"),
        (HEAD + COUNTY, 2, "没有市级"),
        (HEAD, 1, "没有市级"),
        ("", 1, "空"),
        (HEAD + CITY + COUNTY + TOWN + "640221101000,别镇,township,640221100000\n", 5, "镇级"),
        (HEAD + CITY + COUNTY + TOWN + "640222000000,惠农,county,640221100000\n", 5, "县级"),
        (
            HEAD
            + CITY
            + COUNTY
            + "640221100000,甲,township,640221101000\n640221101000,乙,township,640221100000\n",
            4,
            "绕了一圈",
        ),
        (HEAD + CITY + "640221000000,平罗县,county,640221000000\n", 3, "绕了一圈"),
        (HEAD + CITY + "640221000000, ,county,640200000000\n", 3, "名称"),
        (HEAD + CITY + "640221000000,平\u200b罗,county,640200000000\n", 3, "不可见"),
        (HEAD + CITY + "640221000000,平罗县,township,640200000000\n", 3, "县级"),
        (HEAD + CITY + COUNTY + "640221100000,城关镇,village,640221000000\n", 4, "镇级"),
        (HEAD + CITY + COUNTY + "640221100201,一村,township,640221000000\n", 4, "村级"),
        (HEAD + CITY + "640221000000,平罗县,county,\n", 3, "没有写上级"),
        (HEAD + CITY + "640221000000,平罗县,county\n", 3, "列"),
        (HEAD + CITY + COUNTY + "640221100000,城关镇,township,平罗县\n", 4, "上级代码"),
        (HEAD + "640200000000,石嘴山市,city,640221000000\n" + COUNTY, 2, "不写上级"),
        (HEAD + CITY + '640221000000,"平罗县,county,640200000000\n', 3, "CSV"),
    ],
)
def test_refused_with_line_and_reason(text: str, line: int, word: str) -> None:
    error = refused(text)
    assert (error.line, word in str(error)) == (line, True), str(error)
    assert str(error).startswith(f"第 {line} 行：")


def test_wrong_encodings() -> None:
    good = HEAD + CITY + COUNTY
    gbk = refused(HEAD.encode() + "640200000000,石嘴山市,city,\n".encode("gbk"))
    assert (gbk.line, "GBK" in gbk.reason) == (2, True)
    assert "UTF-16" in refused(good.encode("utf-16")).reason
    assert "不是 UTF-8" in refused(b"code,name,level,parent\n640200000000,\xff\xff\xff,city,\n").reason


def test_all_errors_are_listed_by_line() -> None:
    text = (
        HEAD + CITY + "x,甲,county,640200000000\n" + COUNTY + "640221100000,,township,640299000000\n" + COUNTY
    )
    errors = check_divisions(text.encode())
    assert [error.line for error in errors] == [3, 5, 5, 6]
    assert str(refused(text)) == str(errors[0])
    assert check_divisions((HEAD + CITY).encode()) == []


def test_a_wrong_parent_is_told_once() -> None:
    errors = check_divisions(
        (HEAD + CITY + "x,甲县,county,640200000000\n640221100000,城关镇,township,x\n").encode()
    )
    assert [error.line for error in errors] == [3, 4]


def place(code: str, tier: Tier, parent: str | None) -> Place:
    return Place(Code(code), "名", tier, None if parent is None else Code(parent))


def test_a_roster_refuses_what_is_no_tree() -> None:
    city = place("640200000000", Tier.CITY, None)
    county = place("640221000000", Tier.COUNTY, "640200000000")
    for wrong in (
        [county],
        [city, place("640300000000", Tier.CITY, None)],
        [city, county, county],
        [city, place("640221000000", Tier.COUNTY, "640222000000")],
        [city, county, place("640222000000", Tier.COUNTY, "640221000000")],
        [place("640200000000", Tier.CITY, "640221000000"), county],
    ):
        with pytest.raises(RosterError):
            Roster(wrong)


def test_which_places_are_hubs() -> None:
    text = read(HEAD + CITY + COUNTY + TOWN + VILLAGE)
    assert text.hubs == {"640200000000", "640221000000"}
    own = Roster(text, hubs=[Code("640200000000"), Code("640221100000")])
    assert own.hub_of("640221100201").tier is Tier.TOWNSHIP
    assert own.hub_of("640221000000").tier is Tier.CITY
    for wrong in (["640221000000"], ["640200000000", "640299000000"]):
        with pytest.raises(RosterError):
            Roster(text, hubs=[Code(code) for code in wrong])
