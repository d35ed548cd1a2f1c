"""The newcomer's story, in a real browser against the real demo: file at the village, decide at the county, see the
result at the village, check the evidence; pull the line, file another, restore it, see it arrive."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, BrowserContext, Page, expect

from hub.proxy import Line
from node.cli import assembled
from tests.browser.conftest import PATIENCE_MS, PHONE
from tests.browser.demo import LIANDONG, Demo, act, appears, becomes, log_in

ITEM = "SZS-019"
"""社会保障卡申领: decided by the county."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Demo]:
    running = Demo(tmp_path_factory.mktemp("demo") / "city", 18600)
    yield running
    running.stop()


@pytest.fixture
def people(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(
        viewport=PHONE, locale="zh-CN", timezone_id="Asia/Shanghai", accept_downloads=True
    )
    made.set_default_timeout(PATIENCE_MS)
    with closing(made):
        yield made


def file_case(page: Page, host: str, name: str, id_no: str) -> str:
    """File a case through the four steps; its number."""
    page.goto(f"{host}/file?item={ITEM}")
    page.locator(f"input[name=item][value='{ITEM}']").check()
    page.get_by_role("button", name="下一步").click()
    page.fill("input[name=name]", name)
    page.fill("input[name=phone]", "13895021234")
    page.fill("input[name=id_no]", "640221197001010011")
    page.get_by_label("交件").check()
    page.fill("input[name=entrust_until]", "2035-12-31")
    page.get_by_label(re.compile("申请人已在委托书上签字")).check()
    page.get_by_role("button", name="下一步").click()
    expect(page.locator(".errors")).to_contain_text("校验")
    assert page.input_value("input[name=name]") == name
    page.fill("input[name=id_no]", id_no)
    page.get_by_role("button", name="下一步").click()
    for box in page.locator("input[name=material]").all():
        box.check()
    page.get_by_role("button", name="下一步").click()
    page.get_by_role("button", name="提交申报").click()
    page.wait_for_url("**/slip")
    found = re.search(r"/cases/([0-9X]{25})/slip", page.url)
    assert found
    return found[1]


def test_a_case_the_county_decides(demo: Demo, people: BrowserContext, tmp_path: Path) -> None:
    village = log_in(people, demo, demo.village, "agent")
    no = file_case(village, demo.hosts[demo.village], "马小军", "64022119880315001X")
    township = log_in(people, demo, demo.township, "clerk")
    county = log_in(people, demo, demo.county, "clerk")
    appears(township, demo.hosts[demo.township], no, 5)
    appears(county, demo.hosts[demo.county], no, 5)

    county.goto(f"{demo.hosts[demo.county]}/cases/{no}")
    act(county, "accept")
    expect(county.locator("body")).to_contain_text("已受理")
    people.clear_cookies(name=f"liandong-{demo.county}")
    reviewer = log_in(people, demo, demo.county, "reviewer")
    reviewer.goto(f"{demo.hosts[demo.county]}/cases/{no}")
    act(reviewer, "review", opinion="同意", text="材料齐全")
    expect(reviewer.locator("body")).to_contain_text("待审签")
    people.clear_cookies(name=f"liandong-{demo.county}")
    chief = log_in(people, demo, demo.county, "chief")
    chief.goto(f"{demo.hosts[demo.county]}/cases/{no}")
    act(chief, "grant", text="准予发卡")
    expect(chief.locator("body")).to_contain_text("已准予")

    becomes(village, f"{demo.hosts[demo.village]}/cases/{no}", "已办结")
    path = tmp_path / "case.evidence"
    answer = village.request.get(f"{demo.hosts[demo.village]}/api/cases/{no}/evidence")
    path.write_bytes(answer.body())
    told = subprocess.run([*LIANDONG, "verify", str(path)], capture_output=True, text=True, check=True).stdout
    assert "全部成立" in told
    raw = bytearray(answer.body())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    assert CliRunner().invoke(assembled(), ["verify", str(path)], catch_exceptions=False).exit_code == 1


def test_the_line_is_pulled_and_restored(demo: Demo, people: BrowserContext) -> None:
    village = log_in(people, demo, demo.village, "agent")
    county = log_in(people, demo, demo.county, "clerk")
    demo.line(Line.CUT)
    try:
        no = file_case(village, demo.hosts[demo.village], "马秀花", "640221199107220031")
        expect(village.locator("body")).to_contain_text("已存")
        county.goto(f"{demo.hosts[demo.county]}/cases?box=all&q={no}")
        expect(county.locator("body")).to_contain_text("没有这个编号的办件")
        expect(county.locator(f"main a[href*='{no}']")).to_have_count(0)
    finally:
        demo.line(Line.WHOLE)
    appears(county, demo.hosts[demo.county], no, 20)
    becomes(village, f"{demo.hosts[demo.village]}/cases/{no}/slip", "已办理")
