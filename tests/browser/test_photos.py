"""Photos from a phone-sized screen: kept in the browser while the page's line is cut, sent when it is back."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from node.accounts import actions as accounts
from node.accounts.passwords import Passwords
from node.accounts.roles import Role
from node.materials.collect import materials_of
from node.web import Web
from tests.browser.conftest import PHONE
from tests.federation import Federation, divisions, form, part_of
from tests.photos import noise, photo

pytestmark = pytest.mark.browser

PASSWORD = "Correct-horse-1"
ITEM = "SZS-001"


class Station:
    """A village's node with its pages, on a thread of its own."""

    def __init__(self) -> None:
        self.ready = threading.Event()
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self.thread.start()
        assert self.ready.wait(60)

    async def _run(self) -> None:
        self.city = await Federation(part_of(divisions(), townships=1, villages=1)).open()
        self.node = next(one for one in self.city.nodes.values() if not self.city.roster.children(one.place))
        passwords = Passwords(time_cost=1, memory_kib=8)
        stored = passwords.hash(PASSWORD)
        self.node.db.write_now(
            lambda session: accounts.create_user(
                session, self.city.now, None, login="li.na", name="李娜", staff_no="D-07", place=self.node.place,
                roles=[Role.AGENT], password_hash=stored, must_change=False,
            )
        )  # fmt: skip
        app = Web(self.node.capabilities).app(self.node)
        app.state.passwords = passwords
        self.server = uvicorn.Server(uvicorn.Config(app, log_level="warning", loop="asyncio"))
        serving = asyncio.create_task(self.server.serve(sockets=[self.listener]))
        while not self.server.started:
            await asyncio.sleep(0.01)
        self.ready.set()
        await serving
        await self.city.close()

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(10)


@pytest.fixture(scope="module")
def station(browser: Browser) -> Iterator[Station]:
    made = Station()
    yield made
    made.stop()


@pytest.fixture
def page(browser: Browser, station: Station) -> Iterator[Page]:
    context = browser.new_context(viewport=PHONE, base_url=station.address, locale="zh-CN")
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


def to_materials(page: Page) -> None:
    """The wizard up to its third step."""
    page.goto(f"/file?item={ITEM}")
    page.locator("button[name=go][value=next]").first.click()
    filled = form(ITEM)
    for name in ("name", "phone", "id_no", "address"):
        page.fill(f"[name={name}]", getattr(filled, name))
    page.check("[name=entrust_scope] >> nth=0")
    page.fill("[name=entrust_until]", "2027-12-31")
    page.check("[name=entrusted]")
    page.click("button[name=go][value=next]")
    expect(page.locator("[data-photos]")).to_be_visible()


def pick(page: Page, material: str, data: bytes, name: str = "IMG_1.jpg", kind: str = "image/jpeg") -> None:
    slot = page.locator(f'[data-photo-slot="{material}"]')
    slot.locator("[data-photo-pick]").set_input_files([{"name": name, "mimeType": kind, "buffer": data}])


def test_photos_wait_here_while_the_line_is_cut(page: Page, station: Station, tmp_path: Path) -> None:
    to_materials(page)
    first, second, *_ = form(ITEM).materials
    pick(page, first, noise(2200, 1600, quality=90))
    slot = page.locator(f'[data-photo-slot="{first}"]')
    expect(slot.locator(".photos li")).to_contain_text("已收", timeout=20_000)
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
    expect(other.locator(".photos li")).to_contain_text("已收", timeout=20_000)
    expect(state).to_be_empty()
    page.screenshot(path=tmp_path / "photos.png", full_page=True)

    page.click("button[name=go][value=next]")
    expect(page.locator("ol.steps [aria-current=step]")).to_contain_text("核对提交")
    page.click("button[name=go][value=next]")
    page.wait_for_url("**/cases/**")
    store = materials_of(station.node).store
    for _ in range(100):
        if not store.uploads():
            break
        time.sleep(0.05)
    assert store.uploads() == []


def test_what_the_station_refuses_is_said_beside_it(page: Page) -> None:
    to_materials(page)
    first = form(ITEM).materials[0]
    pick(page, first, b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.jpg")
    row = page.locator(f'[data-photo-slot="{first}"] .photos li')
    expect(row).to_contain_text("SVG", timeout=20_000)
    row.locator("button").click()
    expect(row).to_have_count(0)


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
    expect(row).to_contain_text("已收", timeout=20_000)
