"""Photos from a phone-sized screen: kept in the browser while the page's line is cut, sent when it is back."""

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from node.materials.collect import materials_of
from tests.browser.conftest import PHONE
from tests.browser.stations import PASSWORD, Stations
from tests.databases import Databases
from tests.federation import form
from tests.photos import noise, photo

pytestmark = pytest.mark.browser

ITEM = "SZS-001"


@pytest.fixture(scope="module")
def station(browser: Browser, databases: Databases) -> Iterator[Stations]:
    with Stations(databases) as made:
        yield made


@pytest.fixture
def page(browser: Browser, station: Stations) -> Iterator[Page]:
    context = browser.new_context(viewport=PHONE, base_url=station.at(station.village), locale="zh-CN")
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto("/login")
    page.fill("[name=login]", "li.na")
    page.fill("[name=password]", PASSWORD)
    page.click("main button.main")
    page.wait_for_url("**/")
    yield page
    context.close()
    assert not wrong


def to_materials(page: Page, **changes: object) -> None:
    """The wizard up to its third step."""
    page.goto(urljoin(page.url, f"/file?item={ITEM}"))
    page.locator("button[name=go][value=next]").first.click()
    filled = form(ITEM, **changes)
    for name in ("name", "phone", "id_no", "address"):
        page.fill(f"[name={name}]", getattr(filled, name))
    page.check("[name=entrust_scope] >> nth=0")
    page.fill("[name=entrust_until]", "2027-12-31")
    page.check("[name=entrusted]")
    page.click("button[name=go][value=next]")
    expect(page.locator("[data-photos]")).to_be_visible()


def pick(page: Page, material: str, file: bytes | Path) -> None:
    """Choose a file; what is large lies on disk, because Playwright hands bytes over slowly."""
    slot = page.locator(f'[data-photo-slot="{material}"]')
    given = {"name": "IMG_1.jpg", "mimeType": "image/jpeg", "buffer": file}
    slot.locator("[data-photo-pick]").set_input_files(file if isinstance(file, Path) else [given])


def on_disk(folder: Path, data: bytes) -> Path:
    """The file of a photo, in a folder of its own."""
    folder.mkdir()
    file = folder / "IMG_1.jpg"
    file.write_bytes(data)
    return file


def test_photos_wait_here_while_the_line_is_cut(page: Page, station: Stations, tmp_path: Path) -> None:
    to_materials(page)
    first, second, *_ = form(ITEM).materials
    pick(page, first, noise(2200, 1600, quality=90))
    slot = page.locator(f'[data-photo-slot="{first}"]')
    expect(slot.locator(".photos li")).to_contain_text("已收")
    expect(slot.locator("input[name=material]")).to_be_checked()

    page.context.set_offline(True)
    pick(page, second, photo(800, 600, seed=4))
    other = page.locator(f'[data-photo-slot="{second}"]')
    expect(other.locator(".photos li")).to_contain_text("待传")
    state = page.locator("[data-photo-state]")
    expect(state).to_contain_text("线路不通")
    page.click("button[name=go][value=next]")
    expect(state).to_contain_text("还有 1 份没有传完")

    page.context.set_offline(False)
    expect(other.locator(".photos li")).to_contain_text("已收")
    expect(state).to_be_empty()
    page.screenshot(path=tmp_path / "photos.png", full_page=True)

    page.click("button[name=go][value=next]")
    expect(page.locator("ol.steps [aria-current=step]")).to_contain_text("核对提交")
    page.click("button[name=go][value=next]")
    page.wait_for_url("**/cases/**")
    store = materials_of(station.city[station.village]).store
    for _ in range(100):
        if not store.uploads():
            break
        time.sleep(0.05)
    assert store.uploads() == []


NO_PHOTOS = (
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "网页或 SVG"),
    (b"\n<!DOCTYPE html><script>alert(1)</script>", "网页"),
    (b"", "空的"),
    (bytes(4) + b"ftypheic" + bytes(100), "HEIC"),
    (b"%PDF-1.5 " + bytes(26 * 1024 * 1024), "超过 25 MB"),
    (b"\xff\xd8\xff\xe0" + b"<svg onload=alert(1)>" + bytes(100), "夹带"),
    (b"%PDF-1.5 half of it", "不完整"),
)


def test_what_is_no_photo_is_refused_at_its_field_and_nothing_is_kept(
    page: Page, station: Stations, tmp_path: Path
) -> None:
    to_materials(page)
    first, second, *_ = form(ITEM).materials
    pick(page, second, photo(640, 480, seed=7))
    kept = page.locator(f'[data-photo-slot="{second}"] .photos li')
    expect(kept).to_contain_text("已收")
    slot = page.locator(f'[data-photo-slot="{first}"]')
    for at, (data, words) in enumerate(NO_PHOTOS):
        pick(page, first, on_disk(tmp_path / str(at), data))
        expect(slot.get_by_role("alert")).to_contain_text(words)
        expect(slot.locator(".photos li")).to_have_count(0)
    expect(slot.locator("input[name=material]")).not_to_be_checked()
    expect(kept).to_have_count(1)
    assert materials_of(station.city[station.village]).store.uploads() == []
    page.click("button[name=go][value=save]")
    expect(kept).to_contain_text("已收")
    for _, words in NO_PHOTOS:
        expect(slot).not_to_contain_text(words)


SENT = """
window.sent = [];
const given = window.fetch;
window.fetch = (url, how) => {
  if (how && how.method === "PUT") window.sent.push(how.body.size || how.body.byteLength);
  return given(url, how);
};
"""
"""Writes down how large each piece is that the page sends: a body that is a Blob is not told otherwise."""


def test_a_photo_of_twenty_megabytes_is_made_small_before_it_travels(page: Page, tmp_path: Path) -> None:
    page.add_init_script(SENT)
    to_materials(page)
    first = form(ITEM).materials[0]
    plain = noise(800, 600)
    pick(page, first, on_disk(tmp_path / "large", plain + bytes(20 * 1024 * 1024)))
    row = page.locator(f'[data-photo-slot="{first}"] .photos li')
    expect(row).to_contain_text("已收")
    assert 0 < page.evaluate("window.sent.reduce((all, one) => all + one, 0)") <= 2 * len(plain)


def test_a_photo_chosen_before_the_script_has_come_over_a_slow_line_is_sent(page: Page) -> None:
    held: list[Route] = []
    page.route("**/outbox*", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks what it is given
    to_materials(page)
    first = form(ITEM).materials[0]
    pick(page, first, photo(640, 480))
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    expect(page.locator(f'[data-photo-slot="{first}"] .photos li')).to_contain_text("已收")


def test_a_photo_taken_before_the_page_was_closed_is_sent_by_the_next(page: Page) -> None:
    to_materials(page)
    first = form(ITEM).materials[0]
    page.route("**/api/uploads**", lambda route: route.abort())
    pick(page, first, photo(640, 480, seed=6))
    expect(page.locator("[data-photo-state]")).to_contain_text("线路不通")
    page.unroute("**/api/uploads**")
    draft = page.locator("[data-photos]").get_attribute("data-draft")
    page.click("button[name=go][value=save]")
    page.goto(f"/file?draft={draft}&step=3")
    row = page.locator(f'[data-photo-slot="{first}"] .photos li')
    expect(row).to_contain_text("已收")
