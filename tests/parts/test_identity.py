"""Numbers of people, bodies and cases, and what of them is shown."""

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import identity
from protocol.identity import (
    CaseNumberError,
    CreditCodeError,
    IdNumberError,
    PhoneError,
    check_case_no,
    check_credit_code,
    check_id_no,
    check_phone,
    make_case_no,
    mask_id_no,
    mask_name,
    mask_phone,
    mod_11_2,
)

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "domain.json").read_bytes())
TODAY = date(2025, 6, 1)


def id_no(seventeen: str) -> str:
    return seventeen + mod_11_2(seventeen)


@pytest.mark.parametrize("text", VECTORS["id_numbers_valid"])
def test_valid_id_numbers(text: str) -> None:
    assert check_id_no(text, TODAY).text == text


@pytest.mark.parametrize("text", VECTORS["id_numbers_invalid"])
def test_invalid_id_numbers(text: str) -> None:
    with pytest.raises(IdNumberError):
        check_id_no(text, TODAY)


def test_what_an_id_number_says() -> None:
    found = check_id_no(" 640221 19800808 8886 ", TODAY)
    assert (found.text, found.born, found.female) == ("640221198008088886", date(1980, 8, 8), True)
    assert check_id_no("６４０２２１１９７００１０１００１０", TODAY).female is False
    with_x = next(
        id_no(f"64022119900101{n:03}") for n in range(1, 100) if id_no(f"64022119900101{n:03}")[-1] == "X"
    )
    assert check_id_no(with_x.lower(), TODAY).text == with_x


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("64022119700101001", "17 位"),
        ("640221700101001", "15 位"),
        ("64022119700101001Y", "末位"),
        ("6402211970O1010010", "数字"),
        (id_no("64022119900230001"), "不存在"),
        (id_no("64022120250602001"), "今天之后"),
        (id_no("00000019900101001"), "0 开头"),
        ("", "18 位"),
        ("64022119700101001²", "数字"),
    ],
)
def test_why_an_id_number_is_refused(text: str, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        check_id_no(text, TODAY)


def test_a_child_born_today_and_any_region_are_accepted() -> None:
    assert check_id_no(id_no("64022120250601001"), TODAY).born == TODAY
    assert check_id_no(id_no("99999919490930001"), TODAY)


@settings(deadline=None)
@given(st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(at: int, by: int) -> None:
    good = "640221198008088886"
    bad = good[:at] + str((int(good[at]) + by) % 10) + good[at + 1 :]
    with pytest.raises(IdNumberError):
        check_id_no(bad, TODAY)


@pytest.mark.parametrize("text", VECTORS["uscc_valid"])
def test_valid_credit_codes(text: str) -> None:
    assert check_credit_code(text.lower()) == text


@pytest.mark.parametrize("text", [*VECTORS["uscc_invalid"], "1164020000000001", "116402000000000I9U", ""])
def test_invalid_credit_codes(text: str) -> None:
    with pytest.raises(CreditCodeError):
        check_credit_code(text)


@pytest.mark.parametrize("text", VECTORS["case_no_examples"])
def test_case_numbers_of_the_vectors(text: str) -> None:
    found = check_case_no(text)
    assert make_case_no(found.place, found.on, found.serial) == text


@settings(deadline=None)
@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.integers(1, 9999))
def test_case_numbers_come_back(on: date, serial: int) -> None:
    number = make_case_no("640221103201", on, serial)
    assert len(number) == 25
    assert check_case_no(number) == identity.CaseNumber("640221103201", on, serial)


def test_case_numbers_refused() -> None:
    for serial in (0, -1, 10_000):
        with pytest.raises(CaseNumberError):
            make_case_no("640221103201", TODAY, serial)
    with pytest.raises(CaseNumberError):
        make_case_no("6402211032", TODAY, 1)
    wrong_day, no_serial = "640221103201202502300001", "640221103201202502100000"
    for text in (
        "",
        "6402211032012025030300016",
        wrong_day + mod_11_2(wrong_day),
        no_serial + mod_11_2(no_serial),
    ):
        with pytest.raises(CaseNumberError):
            check_case_no(text)


@pytest.mark.parametrize(
    ("text", "tidy"),
    [
        ("138 0000 0000", "13800000000"),
        ("+86-138-0000-0000", "13800000000"),
        ("１３８００００００００", "13800000000"),
        ("0952-2012345", "0952-2012345"),
        ("（010）62345678", "010-62345678"),
    ],
)
def test_phones(text: str, tidy: str) -> None:
    assert check_phone(text) == tidy


@pytest.mark.parametrize("text", ["", "1380000000", "12800000000", "2012345", "0952-1012345", "abc"])
def test_phones_refused(text: str) -> None:
    with pytest.raises(PhoneError):
        check_phone(text)


def test_masks() -> None:
    assert [mask_name(name) for name in ("张三", "欧阳小明", "欧阳", "马·哈", "王", "", "爱新觉罗溥仪")] == [
        "张*",
        "欧阳*",
        "欧*",
        "马*",
        "*",
        "",
        "爱*",
    ]
    assert mask_id_no("640221197001010010") == "640221********0010"
    assert mask_id_no("640221197001010010", short=True) == "640***"
    assert mask_id_no("E12345678") == "E1*****78"
    assert mask_phone("13812340000") == "138****0000"
    assert mask_phone("0952-2012345") == "0952-*****45"


@settings(deadline=None)
@given(st.text(max_size=30))
def test_masks_never_show_a_whole_number(text: str) -> None:
    for hidden in (mask_id_no(text), mask_phone(text)):
        assert hidden.count("*") >= len(text) // 3
