"""Items are found as people type them: words, abbreviations, initials of the pinyin."""

import pytest

from node.catalogue.search import find, spelled_in
from protocol.catalogue import Catalogue
from tests.federation import real_items


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue(1, real_items()[0])


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("结婚", "结婚登记"),
        ("jhdj", "结婚登记"),
        ("GLJT", "高龄津贴申领(80周岁以上)"),
        ("低保", "最低生活保障对象审核确认"),
        ("dbsh", "最低生活保障对象审核确认"),
        ("tjsq", "人民调解申请"),
        ("djsq", "人民调解申请"),
        ("SZS-004", "高龄津贴申领(80周岁以上)"),
    ],
)
def test_the_first_found_is_the_one_meant(catalogue: Catalogue, typed: str, name: str) -> None:
    assert find(catalogue, typed)[0].name == name


def test_every_word_must_be_found(catalogue: Catalogue) -> None:
    found = find(catalogue, "cjr 补贴")
    assert found
    assert all("残疾人" in item.name and "补贴" in item.name for item in found)


def test_nothing_to_look_for_is_everything_and_nonsense_nothing(catalogue: Catalogue) -> None:
    assert find(catalogue, "  ") == tuple(catalogue)
    assert find(catalogue, "qqqq") == ()


def test_letters_stand_together_or_nearly() -> None:
    assert spelled_in("结婚登记", "hd") == 1
    assert spelled_in("结婚登记", "jd") is None
    assert spelled_in("居民身份证申领、换领、补领", "sfzslhl") == 2
