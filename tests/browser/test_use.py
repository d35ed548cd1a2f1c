"""How people use the pages: by keyboard, on paper, without script, over a thin line."""

import gzip
import re
from io import BytesIO
from unicodedata import normalize

import pytest
from playwright.sync_api import BrowserContext, expect
from pypdf import PdfReader

from node.agency.ledger import COLUMNS
from node.pages.render import Pages
from tests.browser.conftest import PHONE, Watched
from tests.browser.preview import PAGES

pytestmark = pytest.mark.browser

FOCUSED = """() => {
  const e = document.activeElement, b = e.getBoundingClientRect(), s = getComputedStyle(e);
  return {what: (e.innerText || e.getAttribute('aria-label') || e.name || e.tagName).trim().slice(0, 30),
          ring: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2, seen: b.width > 0 && b.right > 0};
}"""


def stops(watched: Watched, count: int) -> list[dict[str, object]]:
    """What the first `count` presses of Tab reach."""
    found = []
    for _ in range(count):
        watched.page.keyboard.press("Tab")
        found.append(watched.page.evaluate(FOCUSED))
    return found


@pytest.mark.parametrize(
    ("name", "count"), [("queue", 12), ("case", 16), ("file-1", 16), ("login", 5), ("line", 12)]
)
def test_tab_goes_through_in_order_and_is_always_seen(watched: Watched, name: str, count: int) -> None:
    watched.go(f"/p/{name}")
    reached = stops(watched, count)
    assert reached[0]["what"] == "跳到正文"
    assert all(stop["ring"] and stop["seen"] for stop in reached), reached
    assert len({stop["what"] for stop in reached}) >= count // 2


def test_one_list_key_and_one_help_key(watched: Watched) -> None:
    page = watched.go("/p/queue")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.innerText") == "农村村民宅基地(建房)审批"
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.innerText") == "农村村民宅基地(建房)审批"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.press("Tab")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    expect(page.locator("#keys")).to_contain_text("查找")
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()


def test_an_action_is_a_form_that_opens_in_place(watched: Watched) -> None:
    page = watched.go("/p/case")
    page.keyboard.press("c")
    opened = page.locator("#do-correct")
    expect(opened).to_have_attribute("open", "")
    assert page.evaluate("document.activeElement.name") == "missing"
    page.keyboard.press("Escape")
    page.locator("#do-accept summary").click()
    expect(opened).not_to_have_attribute("open", "")


def test_danger_asks_first(watched: Watched) -> None:
    page = watched.go("/p/case")
    page.locator("#do-not-accept summary").click()
    page.get_by_role("button", name="确认不予受理").click()
    expect(page.locator("#ask")).to_contain_text("确定吗")
    page.get_by_role("button", name="再想想").click()
    assert page.url.endswith("/p/case")
    page.get_by_role("button", name="确认不予受理").click()
    with page.expect_navigation():
        page.get_by_role("button", name="确定", exact=True).click()
    assert watched.wrong == []


def test_errors_stand_at_the_field_and_take_the_focus(watched: Watched) -> None:
    page = watched.go("/p/file-2-errors")
    assert "有 2 处需要改" in page.evaluate("document.activeElement.innerText")
    page.get_by_role("link", name="身份证号码：末位校验码不对").click()
    field = page.locator("#f-id_no")
    expect(field).to_have_value("640221194503120045")
    expect(field).to_have_attribute("aria-invalid", "true")
    assert "末位校验码不对" in page.locator("#e-id_no").inner_text()


def test_a_draft_is_offered_after_a_reload_and_only_offered(watched: Watched) -> None:
    page = watched.go("/p/file-2")
    page.locator("#f-name").fill("王桂兰")
    expect(page.locator("#draft-state")).to_contain_text("已存本机")
    page.reload()
    expect(page.locator("#f-name")).to_have_value("")
    page.get_by_role("button", name="恢复").click()
    expect(page.locator("#f-name")).to_have_value("王桂兰")
    page.reload()
    page.get_by_role("button", name="丢弃").click()
    page.reload()
    expect(page.locator(".offer")).to_have_count(0)


def test_the_next_at_the_desk_gets_no_draft(watched: Watched) -> None:
    page = watched.go("/p/file-2")
    page.locator("#f-name").fill("王桂兰")
    expect(page.locator("#draft-state")).to_contain_text("已存本机")
    page.locator(".me summary").click()
    page.get_by_role("button", name="退出登录").click()
    watched.go("/p/file-2")
    expect(page.locator(".offer")).to_have_count(0)


def test_a_live_part_is_not_sent_again_when_nothing_changed(watched: Watched) -> None:
    page = watched.go("/p/queue")
    answers = []
    page.on(
        "response", lambda response: answers.append(response.status) if "/live/" in response.url else None
    )
    page.locator("#rows").evaluate("e => e.dataset.seen = 'yes'")
    with page.expect_response(re.compile("/live/queue")):
        pass
    assert answers == [304]
    assert page.locator("#rows").get_attribute("data-seen") == "yes"
    page.locator("#rows").evaluate("e => e.dataset.etag = 'old'")
    with page.expect_response(re.compile("/live/queue")):
        pass
    expect(page.locator("#rows[data-seen]")).to_have_count(0)
    assert watched.wrong == []


def test_a_session_that_ended_takes_nobody_away_from_the_page(watched: Watched) -> None:
    page = watched.go("/p/queue")
    page.evaluate("window.kept = true")
    page.route("**/live/queue*", lambda asked: asked.fulfill(status=401))
    with page.expect_response(re.compile("/live/queue")):
        pass
    expect(page.locator("#rows[hx-get]")).to_have_count(0)
    assert page.locator("#rows").count() == 1
    assert page.evaluate("window.kept")


def test_a_tab_changes_the_list_alone(watched: Watched) -> None:
    page = watched.go("/p/queue")
    page.evaluate("window.kept = true")
    page.get_by_role("link", name="待受理").click()
    page.wait_for_url("**/cases**")
    expect(page.locator("#queue")).to_have_count(1)
    assert page.evaluate("window.kept") is True


def test_the_wizard_walks_without_script(without_script: Watched) -> None:
    page = without_script.go("/file")
    page.get_by_label("高龄津贴申领").check()
    page.get_by_role("button", name="下一步").click()
    page.get_by_label("申请人姓名").fill("王桂兰")
    page.get_by_label("身份证号码").fill("640221194503120045")
    page.get_by_role("button", name="下一步").click()
    expect(page.get_by_text("末位校验码不对，请对照证件再看一遍")).to_be_visible()
    expect(page.get_by_label("申请人姓名")).to_have_value("王桂兰")
    page.get_by_label("身份证号码").fill("640221194503120043")
    page.get_by_role("button", name="下一步").click()
    page.get_by_role("button", name="下一步").click()
    page.get_by_role("button", name="上一步").click()
    page.get_by_role("button", name="下一步").click()
    page.get_by_role("button", name="提交申报").click()
    expect(page.get_by_role("heading", name="收件凭证")).to_be_visible()


def test_the_case_page_works_without_script(without_script: Watched) -> None:
    page = without_script.go("/p/case")
    page.locator("#do-not-accept summary").click()
    expect(page.get_by_label("不予受理将结束这件办件")).to_be_visible()
    page.locator(".fold summary").click()
    expect(page.get_by_role("link", name="证据核验").last).to_be_visible()


A4, A5 = (595, 842), (420, 595)


@pytest.mark.parametrize(
    ("name", "pages", "sheet"),
    [
        ("receipt", 1, A5),
        ("case", 2, A4),
        ("item", 2, A4),
        ("queue", 1, A4),
        ("city", 2, A4),
        ("document", 1, A4),
        ("ledger", 1, (842, 595)),
    ],
)
def test_prints_on_so_many_sheets(watched: Watched, name: str, pages: int, sheet: tuple[int, int]) -> None:
    pdf = watched.go(f"/p/{name}").pdf(prefer_css_page_size=True)
    boxes = re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", pdf)
    assert {(round(float(x)), round(float(y))) for x, y in boxes} == {sheet}
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == pages


def test_a_first_load_stays_under_sixty_kilobytes() -> None:
    pages = Pages()
    shared = sum(map(pages.assets.weight, ("ld.css", "ld.js", "htmx.min.js", "seal.svg")))
    heaviest = {name: shared + len(gzip.compress(draw(pages).encode(), 6)) for name, draw in PAGES.items()}
    assert max(heaviest.values()) <= 60 * 1024, heaviest


def test_nothing_personal_is_left_in_the_browser_by_htmx(context: BrowserContext, watched: Watched) -> None:
    page = watched.go("/p/queue")
    page.set_viewport_size(PHONE)
    page.get_by_role("link", name="待受理").first.click()
    page.wait_for_url("**/cases**")
    assert page.evaluate("Object.keys(localStorage).filter(k => k.includes('htmx'))") == []


def test_a_phone_shows_state_limit_rail_and_acts_first_and_folds_the_rest(watched: Watched) -> None:
    watched.page.set_viewport_size(PHONE)
    page = watched.go("/p/case-full")
    for first in (".case-no .tag", ".limit", ".rail", ".acts"):
        bottom = page.locator(first).first.evaluate("e => e.getBoundingClientRect().bottom + scrollY")
        assert bottom <= 2 * PHONE["height"], first
    assert page.locator(".acts .b").first.is_visible()
    expect(page.locator("#case-clock")).to_contain_text("本级报送")
    for folded in ("#fold-clock", "#fold-facts", "#fold-story"):
        assert page.locator(folded).get_attribute("open") is None
    assert watched.axe() == []
    page.locator("#fold-clock summary").click()
    expect(page.locator("#case-clock .shares")).to_be_visible()
    assert watched.too_wide() == []


def test_a_live_part_stays_folded_as_it_was_left(watched: Watched) -> None:
    watched.page.set_viewport_size(PHONE)
    page = watched.go("/p/case-full")
    for left_open in (False, True):
        if left_open:
            page.locator("#fold-story summary").click()
            page.evaluate("document.activeElement.blur()")
        page.locator("#case-story").evaluate("e => { e.dataset.etag = 'old'; e.dataset.seen = 'yes'; }")
        expect(page.locator("#case-story[data-seen]")).to_have_count(0)
        expect(page.locator("#fold-story:not([open])")).to_have_count(0 if left_open else 1)


def test_nothing_is_folded_at_a_desk_on_paper_or_without_script(
    watched: Watched, without_script: Watched
) -> None:
    assert watched.go("/p/case-full").locator("details[data-fold]:not([open])").count() == 0
    assert without_script.go("/p/case-full").locator("details[data-fold]:not([open])").count() == 0
    watched.page.set_viewport_size(PHONE)
    page = watched.go("/p/case-full")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details[data-fold]:not([open])").count() == 0


def test_what_is_missing_follows_the_ticks(watched: Watched) -> None:
    page = watched.go("/p/file-3")
    note, card = page.locator("[data-missing]"), "社会保障卡或银行账户信息"
    expect(note).to_contain_text(card)
    page.locator("input[name=material][value='居民身份证']").uncheck()
    expect(note.locator("b")).to_have_text(f"居民身份证、{card}")
    page.locator(f"input[name=material][value='{card}']").check()
    expect(note.locator("b")).to_have_text("居民身份证")
    page.locator("input[name=material][value='居民身份证']").check()
    expect(note).to_be_hidden()
    expect(page.locator(f"[data-photo-slot='{card}'] .pick .tag")).to_have_text("已勾")
    assert watched.wrong == []


def test_the_ledger_goes_to_paper_with_all_its_columns(watched: Watched) -> None:
    drawn = watched.go("/p/ledger").pdf(prefer_css_page_size=True)
    # The font gives some characters as the radicals that look like them.
    said = normalize("NFKC", "".join(PdfReader(BytesIO(drawn)).pages[0].extract_text().split()))
    assert [name for name in COLUMNS if name not in said] == []
