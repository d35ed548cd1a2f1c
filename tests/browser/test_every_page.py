"""Every page, in every state, at both widths: nothing sticks out, nothing complains, everyone can use it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.conftest import DESK, PHONE, Watched
from tests.browser.preview import PAGES

pytestmark = pytest.mark.browser


ON_THE_PHONE_TOO = frozenset(
    [
        "login",
        "home",
        "file-1",
        "file-2-errors",
        "file-3",
        "file-4",
        "receipt",
        "queue",
        "case",
        "case-full",
        "handovers",
        "catalogue",
        "item",
        "holders",
        "line",
        "board",
        "city",
        "evidence-good",
        "users",
        "audit",
        "error-404",
        "authorisations-new",
        "proposals",
        "seals",
        "seal",
        "document",
        "projects",
        "project",
        "posts",
        "home-posts",
        "fees",
        "joint",
        "joint-part",
        "ledger",
    ],
)
"""One state of each page is checked for accessibility at both widths; its other states at a desk's."""


@pytest.fixture(scope="module")
def one_tab(context: BrowserContext, preview: str) -> Iterator[Watched]:
    """One tab for them all: opening one takes as long as many a page."""
    tab = Watched(context, preview)
    yield tab
    tab.page.close()


@pytest.fixture
def watched(one_tab: Watched) -> Watched:
    """The tab as if it were new: empty, at a desk's width, with nothing held against it."""
    one_tab.page.goto("about:blank")
    one_tab.page.set_viewport_size(DESK)
    one_tab.wrong.clear()
    return one_tab


@pytest.mark.parametrize("name", PAGES)
def test_fits_is_quiet_and_accessible(watched: Watched, name: str) -> None:
    page = watched.go(f"/p/{name}")
    for size in (DESK, PHONE):
        page.set_viewport_size(size)
        assert watched.too_wide() == [], size
        if size is DESK or name in ON_THE_PHONE_TOO:
            assert watched.axe() == [], size
    assert watched.wrong == []


def test_one_state_of_each_page_is_there() -> None:
    assert PAGES.keys() >= ON_THE_PHONE_TOO


def test_large_type_and_a_narrow_phone_still_fit(watched: Watched) -> None:
    for name in ("queue", "case", "case-full", "city", "file-2-errors", "receipt"):
        page = watched.go(f"/p/{name}")
        page.evaluate("document.documentElement.classList.add('large')")
        for width in (320, 360, 1024):
            page.set_viewport_size({"width": width, "height": 740})
            assert watched.too_wide() == [], (name, width)
