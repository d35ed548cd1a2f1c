"""What pages are drawn with: words, lights, charts, headers; no browser needed."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from node.pages import charts, icons, screens, words
from node.pages.assets import FOLDER
from node.pages.render import SECURITY_HEADERS, TEMPLATES, Pages, answer_live, answer_page, live
from node.pages.views import Declared, Light, Limit
from tests.browser import samples
from tests.browser.preview import PAGES
from tests.browser.samples_case import CASE_FULL

NOW = datetime(2025, 3, 17, 5, 42, tzinfo=UTC)


@pytest.fixture(scope="module")
def pages() -> Pages:
    """One renderer for all pages: making one means reading and compiling every template."""
    return Pages()


def test_dates_are_shanghai_dates_in_chinese() -> None:
    late = datetime(2025, 3, 2, 16, 30, tzinfo=UTC)
    assert words.day(late) == "2025年3月3日"
    assert words.moment(late) == "2025年3月3日 00:30"
    assert words.when(NOW - timedelta(days=1), NOW) == "昨天 13:42"
    assert words.short_day(date(2024, 12, 31), NOW) == "2024年12月31日"
    with pytest.raises(ValueError, match="没有时区"):
        words.day(datetime(2025, 3, 3))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (20, "不到 1 分钟"),
        (720, "12 分钟"),
        (8040, "2 小时 14 分钟"),
        (7200, "2 小时"),
        (97_200, "1 天 3 小时"),
    ],
)
def test_durations_in_their_two_largest_units(seconds: int, said: str) -> None:
    assert words.span(seconds) == said


def test_money_percent_and_differences() -> None:
    assert words.yuan(1_234_567) == "12,345.67 元"
    assert words.yuan(-5) == "-0.05 元"
    assert words.percent((0, 0)) == "无数据"
    assert words.percent((1, 3)) == "33.33%"
    assert words.percent((1, 80_000)) == "0.00%"
    assert words.percent((1, 20_000)) == "0.01%"
    assert words.signed(-3) == "\N{MINUS SIGN}3"
    assert Declared(declared=None, recomputed=4).difference is None


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张三", "张*"),
        ("王小明", "王**"),
        ("欧阳修", "欧阳*"),
        ("欧阳", "欧*"),
        ("马哈木·阿里", "马**·**"),
        ("", ""),
    ],
)
def test_names_keep_their_surname(name: str, masked: str) -> None:
    assert words.mask_name(name) == masked


def test_numbers_of_people_are_masked() -> None:
    assert words.mask_id("640221194503120043") == "640221********0043"
    assert words.mask_id("G1234567") == "******67"
    assert words.mask_phone("13800000000") == "138****0000"
    assert words.case_tail("6402211032025030300017") == "6402211032025030300017"
    assert words.case_no("6402211012032025031700025") == "640221101203 20250317 0002 5"


def test_the_light_says_what_the_day_says() -> None:
    due = date(2025, 3, 18)
    assert Limit.running(-1, due=due).words == "超期 1 个工作日"
    assert Limit.running(0, due=due).light is Light.DUE
    assert Limit.running(1, due=due).words == "还剩 1 个工作日"
    assert Limit.running(5, due=due).light is Light.OK
    assert Limit.stopped("公示").words == "计时中止 · 公示"


def test_charts_carry_their_numbers_as_text_and_survive_nothing() -> None:
    drawn = charts.stacked("<每月>", ["1月", "2月"], [("村", [3, 0]), ("镇", [4, 0])])
    assert "&lt;每月&gt;" in drawn
    assert "1月 7 件，2月 0 件" in drawn
    assert "<table" in drawn
    assert "无数据" in charts.rates("率", [("1月", (0, 0))])
    assert charts.stacked("空", [], [])
    assert charts.bars("空", [])
    assert charts.spark("空", []) == '<span class="mute">—</span>'
    assert [charts.heat(f) for f in (None, (0, 0), (89, 100), (90, 100), (99, 100))] == [
        "hx",
        "hn",
        "h0",
        "h1",
        "h5",
    ]
    assert "未报" in charts.heat_strip("近七日", [("3月1日", None)])


def test_every_icon_a_template_names_is_drawn() -> None:
    text = "".join(path.read_text() for path in TEMPLATES.iterdir())
    named = set(re.findall(r"icon\('(\w+)'", text))
    assert named <= icons.STROKES.keys()


@pytest.mark.parametrize("name", PAGES)
def test_no_page_has_script_or_style_in_it(name: str, pages: Pages) -> None:
    html = PAGES[name](pages)
    assert "{ETAG}" not in html
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)
    assert "<style" not in html
    assert not re.search(r"\s(style|on\w+)=", html)
    assert "hx-on" not in html
    assert 'lang="zh-CN"' in html


def test_what_people_write_is_never_markup() -> None:
    pages = Pages()
    view = samples.replace(samples.CASE, item="<b onclick=x>{ETAG}</b>", nothing_to_do="<script>1</script>")
    html = pages.draw("case.html", samples.township(pages), view)
    assert "<b onclick" not in html
    assert "<script>1" not in html
    assert "&lt;b onclick=x&gt;" in html


def test_a_template_may_not_ask_for_what_is_not_there() -> None:
    with pytest.raises(UndefinedError):
        Pages().environment.from_string("{{ page.nothing.at_all }}").render(page=samples.village(Pages()))


def test_live_parts_are_named_by_their_content() -> None:
    one = live('<div data-etag="{ETAG}">1</div>')
    two = live('<div data-etag="{ETAG}">2</div>')
    assert one.etag in one.html
    assert one.etag != two.etag
    assert answer_live(one, {"if-none-match": f'"{one.etag}"'}).status_code == 304
    assert answer_live(one, {"if-none-match": f'"{two.etag}"'}).status_code == 200


def test_pages_are_never_stored_and_files_for_ever() -> None:
    response = answer_page("<p>", 422)
    assert response.status_code == 422
    assert response.headers["cache-control"] == "no-store"
    assert "script-src 'self'" in SECURITY_HEADERS["Content-Security-Policy"]
    assets = Pages().assets
    address = assets.url("ld.css").rsplit("/", 1)[-1]
    assert assets.answer(address, "gzip").headers["content-encoding"] == "gzip"
    assert "immutable" in assets.answer(address, "").headers["cache-control"]
    assert assets.answer("ld.0000000000.css", "gzip").status_code == 404


NEWER_THAN_CHROMIUM_86 = (
    r":has\(|:is\(|:where\(|@container|@layer|oklch|color-mix|\binset\s*:|aspect-ratio|\ddvh|&:|\.at\(|structuredClone|"
    r"Object\.hasOwn|randomUUID|requestSubmit\(\)\?|\?\?=|overflow:\s*clip"
)


@pytest.mark.parametrize("path", [FOLDER / "ld.css", FOLDER / "ld.js"], ids=lambda path: path.name)
def test_only_what_chromium_86_knows(path: Path) -> None:
    code = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    assert re.findall(NEWER_THAN_CHROMIUM_86, code) == []


def test_one_renderer_serves_many_nodes_and_holds_none() -> None:
    pages = Pages()
    first = PAGES["home"](pages)
    PAGES["city"](pages)
    assert PAGES["home"](pages) == first


def test_the_clocks_account_has_no_empty_strip() -> None:
    full = CASE_FULL.clock
    assert full is not None
    without = replace(full, facts=(), pauses=())
    shown = []
    for clock in (full, without, replace(without, coming=()), replace(without, shares=())):
        pages = Pages()
        view = replace(CASE_FULL, clock=clock)
        drawn = screens.case_page(samples.township(pages, "/cases/x"), view)
        panel = drawn.partition('id="case-clock"')[2].partition("</section>")[0]
        assert '<dl class="dl"></dl>' not in panel
        shown.append((panel.count('class="pad"'), "<details" in panel))
    assert shown == [(2, True), (1, True), (0, True), (1, False)]
