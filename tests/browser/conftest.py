"""A real browser for the tests: Debian's Chromium, driven by Playwright, on loopback only.

Without Chromium the tests are skipped with the reason; where CI is set they fail instead. The sync API
holds an event loop on its thread, so it lives for this package only and apps are served from a thread.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.preview import app

CHROMIUM = os.environ.get("LIANDONG_CHROMIUM", "/usr/bin/chromium")
WITHOUT = (
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
)
"""What this browser does not do. The first two: each window would draw the suggestions of an address bar that nobody
sees, which takes longer than our page. The others Playwright names too; Chromium heeds only the last such list."""
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features=" + ",".join(WITHOUT),
]
AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1366, "height": 768}
PATIENCE_MS = 30_000
"""How long a busy machine may take over one thing before a test gives it up; no promise of speed."""

Serve = Callable[[Any], str]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium, started once."""
    if not Path(CHROMIUM).exists():
        reason = f"没有 {CHROMIUM}：apt-get install chromium fonts-noto-cjk"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        expect.set_options(timeout=PATIENCE_MS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def serve() -> Iterator[Serve]:
    """serve(asgi_app) -> its address on loopback; every app is stopped at the end."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(asgi_app: Any) -> str:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(asgi_app, log_level="warning", loop="asyncio"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        running.append((server, thread))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="package")
def preview(serve: Serve) -> str:
    """The address of the preview app."""
    return serve(app())


def axe(page: Page) -> list[str]:
    """What axe-core finds on a page, one line each, empty when clean."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found: list[str] = page.evaluate(
        """async () => {
        const found = await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']});
        return found.violations.flatMap(v => v.nodes.map(n => v.id + ': ' + n.target.join(' ') + ' ' +
        n.failureSummary.replace(/\\s+/g, ' ').slice(0, 160)));}"""
    )
    return found


class Watched:
    """A page that remembers what went wrong on it: console errors, page errors, requests off its host."""

    def __init__(self, context: BrowserContext, host: str) -> None:
        self.page: Page = context.new_page()
        self.host = host
        self.wrong: list[str] = []
        self.page.on("console", lambda m: self._say(m.text) if m.type in {"error", "warning"} else None)
        self.page.on("pageerror", lambda error: self._say(str(error)))
        self.page.on("request", lambda request: self._asked(request.url))

    def _say(self, text: str) -> None:
        self.wrong.append(text)

    def _asked(self, url: str) -> None:
        if not url.startswith((self.host, "data:", "blob:")):
            self._say(f"request off the host: {url}")

    def go(self, path: str) -> Page:
        """The page at `path`, loaded."""
        self.page.goto(self.host + path, wait_until="load")
        return self.page

    def too_wide(self) -> list[str]:
        """What sticks out to the right, if the page scrolls sideways."""
        return self.page.evaluate(
            """() => document.documentElement.scrollWidth <= innerWidth ? [] :
            [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.tabs, .scroll'))
            .map(e => e.tagName + '.' + e.className + ' ' + e.textContent.trim().slice(0, 20)).slice(0, 5)"""
        )

    def axe(self) -> list[str]:
        """What axe-core finds, one line each, empty when clean."""
        return axe(self.page)


@pytest.fixture(scope="package")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A desk-sized window."""
    made = browser.new_context(viewport=DESK, locale="zh-CN", timezone_id="Asia/Shanghai")
    made.set_default_timeout(PATIENCE_MS)
    with closing(made):
        yield made


@pytest.fixture
def watched(context: BrowserContext, preview: str) -> Iterator[Watched]:
    """A fresh tab on the preview."""
    tab = Watched(context, preview)
    yield tab
    tab.page.close()


@pytest.fixture
def without_script(browser: Browser, preview: str) -> Iterator[Watched]:
    """A tab with JavaScript switched off."""
    made = browser.new_context(viewport=PHONE, locale="zh-CN", java_script_enabled=False)
    made.set_default_timeout(PATIENCE_MS)
    yield Watched(made, preview)
    made.close()
