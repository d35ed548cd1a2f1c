"""Materials on pages: pieces arriving at the township, a photo large and turned, a correction answered from a phone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from node.cases import actions
from node.cases.dossier import dossier
from tests.browser.conftest import DESK, PATIENCE_MS, PHONE, axe
from tests.browser.stations import PASSWORD, Stations
from tests.browser.test_photos import pick, to_materials
from tests.databases import Databases
from tests.federation import CLERK, form
from tests.photos import noise, pdf, photo
from tests.story.test_materials import upload

pytestmark = pytest.mark.browser

ITEM = "SZS-001"
MATERIALS = form(ITEM).materials


@pytest.fixture(scope="module")
def city(browser: Browser, databases: Databases) -> Iterator[Stations]:
    with Stations(databases) as made:
        yield made


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport=PHONE, locale="zh-CN", timezone_id="Asia/Shanghai")
    made.set_default_timeout(PATIENCE_MS)
    yield made
    made.close()


def log_in(context: BrowserContext, address: str, login: str) -> Page:
    page = context.new_page()
    page.goto(f"{address}/login")
    page.fill("[name=login]", login)
    page.fill("[name=password]", PASSWORD)
    page.click("main button.main")
    page.wait_for_url("**/")
    return page


def filed(city: Stations, draft: str, *files: tuple[str, bytes], **changes: object) -> str:
    """A case of the agent's with these files; its number."""
    village = city.city[city.village]

    async def act() -> str:
        for material, data in files:
            await upload(village, draft, material, data)
        return await village.do(actions.file_case, city.agent, form(ITEM, draft=draft, **changes))

    return str(city.do(act))


def test_photos_arrive_piece_by_piece_and_open_large(
    city: Stations, context: BrowserContext, tmp_path: Path
) -> None:
    book, card, paper = MATERIALS[0], MATERIALS[1], MATERIALS[3]
    no = filed(
        city, "draft-0001", (book, noise(1500, 1100)), (book, photo(800, 600, seed=2)), (paper, pdf()),
        (card, photo(640, 400, seed=3)),
    )  # fmt: skip

    async def steps_only() -> None:
        """The step goes through; of the photos a first piece."""
        here, there = city.city[city.village], city.city[city.township]
        await here.drain()
        await there.take(0)
        for _ in range(2):
            for node in (there, here, there):
                await city.lane(node)
                await there.take(0)
                await here.take(0)

    city.do(steps_only)
    page = log_in(context, city.at(city.township), "wang.wei")
    page.set_viewport_size(DESK)
    page.goto(f"{city.at(city.township)}/cases/{no}")
    panel = page.locator("#case-materials")
    expect(panel.locator(".thumb.wait").first).to_contain_text("段")
    page.screenshot(path=tmp_path / "coming.png", full_page=True)
    city.settle()
    expect(panel).to_contain_text("文件已到 4 / 4 份")
    expect(panel.locator("progress")).to_have_count(0)
    expect(panel.get_by_role("link", name="PDF 1 页")).to_be_visible()

    first = panel.locator("a[data-view=photo]").first
    expect(first.locator("img")).to_have_js_property("complete", True)
    first.focus()
    page.keyboard.press("Enter")
    box = page.locator("dialog.viewer")
    expect(box.locator("img")).to_have_js_property("complete", True)
    page.keyboard.press("r")
    expect(box).to_have_attribute("data-turn", "90")
    page.keyboard.press("+")
    expect(box).to_have_attribute("data-zoom", "1.50")
    page.screenshot(path=tmp_path / "large.png")
    assert axe(page) == []
    page.keyboard.press("0")
    page.keyboard.press("ArrowRight")
    expect(box.locator("h2")).to_contain_text("（2）")
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(first).to_be_focused()

    ask = panel.locator("details.thumb-ask").first
    ask.locator("summary").click()
    ask.locator("input").fill("核对身份")
    page.screenshot(path=tmp_path / "arrived.png", full_page=True)
    ask.locator("button").click()
    expect(box.locator("img")).to_have_js_property("complete", True)
    expect(box.get_by_role("status")).to_be_empty()


def test_an_agent_answers_exactly_what_was_asked_from_a_phone(
    city: Stations, context: BrowserContext, tmp_path: Path
) -> None:
    filed(
        city, "draft-0002", (MATERIALS[1], photo(700, 500, seed=5)), id_no="640221197001010053", name="李小红"
    )
    no = filed(
        city, "draft-0003", (MATERIALS[0], photo(640, 480, seed=4)), id_no="640221197001010053", name="李小红"
    )
    city.settle()
    defects = [
        {"material": MATERIALS[0], "problem": "照片模糊，请重拍"},
        {"material": MATERIALS[1], "problem": "缺第二页"},
        {"material": MATERIALS[2], "problem": "没有签字"},
    ]
    there = city.city[city.township]
    city.do(lambda: there.do(actions.take, CLERK, no))
    city.do(lambda: there.do(actions.return_for_correction, CLERK, no, defects))
    city.settle()

    page = log_in(context, city.at(city.village), "li.na")
    page.goto(f"{city.at(city.village)}/cases/{no}")
    page.get_by_role("link", name="提交补正").click()
    expect(page.locator("[data-photo-slot]")).to_have_count(3)
    assert "缺第二页" in page.locator(f'[data-photo-slot="{MATERIALS[1]}"]').inner_text()
    pick(page, MATERIALS[0], photo(900, 700, seed=9))
    expect(page.locator(f'[data-photo-slot="{MATERIALS[0]}"] .photos li')).to_contain_text("已收")

    again = page.locator(f'[data-photo-slot="{MATERIALS[1]}"]')
    again.get_by_role("button", name="用以前交过的").click()
    dialog = page.locator("dialog#reuse")
    dialog.locator("[data-reuse]:visible").first.click()
    expect(dialog.get_by_role("alert")).to_contain_text("是否同意")
    expect(again.locator(".photos li")).to_have_count(0)
    dialog.get_by_text("本人当面同意").click()
    page.screenshot(path=tmp_path / "reuse.png")
    dialog.locator("[data-reuse]:visible").first.click()
    expect(again.locator(".photos li")).to_contain_text("已复用")

    page.get_by_role("button", name="提交补正").click()
    third = page.locator(f'[data-photo-slot="{MATERIALS[2]}"]')
    expect(third).to_contain_text("写明不能提交的理由")
    expect(again.locator(".photos li")).to_contain_text("已复用")
    page.screenshot(path=tmp_path / "correction.png", full_page=True)
    assert axe(page) == []
    third.locator("input[name^=why]").fill("签字人外出，三日后补")
    page.get_by_role("button", name="提交补正").click()
    page.wait_for_url("**/cases/*done=supplement")
    city.settle()

    private = there.read(dossier, there.know, no) or {}
    assert private["supplement"]["absent"] == [{"material": MATERIALS[2], "why": "签字人外出，三日后补"}]
    assert [one["again"]["consent"] for one in private["files"] if "again" in one] == ["本人当面同意"]


def test_an_open_case_of_the_same_applicant_is_shown_before_anything_is_collected_twice(
    city: Stations, context: BrowserContext, tmp_path: Path
) -> None:
    person = {"id_no": "640221197001010037", "name": "赵小兰"}
    no = filed(city, "draft-0004", **person)
    page = log_in(context, city.at(city.village), "li.na")
    to_materials(page, **person)
    notice = page.get_by_role("region", name="这位申请人的同一事项正在办")
    expect(notice.get_by_role("link", name="打开这一件")).to_have_attribute("href", f"/cases/{no}")
    page.screenshot(path=tmp_path / "earlier.png", full_page=True)
    pick(page, MATERIALS[0], photo(640, 480, seed=12))
    expect(page.locator(".photos li")).to_contain_text("已收")
    page.click("button[name=go][value=next]")
    page.click("button[name=go][value=next]")
    expect(page.locator("#f-again")).to_have_attribute("aria-invalid", "true")
    page.screenshot(path=tmp_path / "reason.png", full_page=True)
    assert axe(page) == []
    page.fill("#f-again", "户口分立后另行申请")
    page.click("button[name=go][value=next]")
    page.wait_for_url("**/cases/**")
