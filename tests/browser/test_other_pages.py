"""The real pages of a small running federation, at a desk and on a phone: quiet, accessible, usable by keyboard."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pypdf import PdfReader

from node.cases import actions
from node.exchange.arrivals import Incoming
from tests.browser.conftest import DESK, PATIENCE_MS, PHONE, Serve, Watched
from tests.databases import Databases
from tests.desks import PASSWORD, Desks
from tests.federation import AGENT, CLERK, divisions, form, part_of

pytestmark = pytest.mark.browser

T = TypeVar("T")
CITY, COUNTY = "640200000000", "640221000000"


class City:
    """The federation, its addresses, and a thread to act on it: the browser holds this one's event loop."""

    def __init__(self, serve: Serve, databases: Databases) -> None:
        self._thread = ThreadPoolExecutor(1)
        self.desks = self.run(Desks.open, part_of(divisions(), townships=1, villages=1), databases)
        self.roster = self.desks.city.roster
        self.township = self.roster.children(COUNTY)[0].code
        self.village = self.roster.children(self.township)[0].code
        self.no = self.run(self._story)
        self.hosts = {
            place: serve(self.desks.apps[place]) for place in (CITY, COUNTY, self.township, self.village)
        }

    def run(self, doing: Callable[..., Coroutine[Any, Any, T]], *args: Any) -> T:
        """The answer of a coroutine, run to its end in the thread."""
        return self._thread.submit(lambda: asyncio.run(doing(*args))).result()

    async def _story(self) -> str:
        """One case in hand at the county, one that has not left the village, one message nobody can believe."""
        city = self.desks.city
        no = await city[self.village].do(actions.file_case, AGENT, form("SZS-019"))
        await city.settle()
        await city[COUNTY].do(actions.accept, CLERK, no)
        await city.settle()
        city.line(self.village).away = True
        await city[self.village].do(actions.file_case, AGENT, form("SZS-004", name="马秀英"))
        await city[COUNTY].take_in([Incoming("", b"nonsense\n")])
        return no

    def close(self) -> None:
        """Let go of files and threads."""
        self.run(self.desks.city.close)
        self._thread.shutdown()


@pytest.fixture(scope="module")
def city(serve: Serve, browser: Browser, databases: Databases) -> Iterator[City]:
    made = City(serve, databases)
    yield made
    made.close()


@pytest.fixture
def window(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(
        viewport=DESK, locale="zh-CN", timezone_id="Asia/Shanghai", accept_downloads=True
    )
    made.set_default_timeout(PATIENCE_MS)
    with closing(made):
        yield made


def log_in(window: BrowserContext, city: City, place: str, login: str, wanted: str = "/line") -> Watched:
    """A tab on `wanted`, come to through the login page by keyboard."""
    tab = Watched(window, city.hosts[place])
    page = tab.go(wanted)
    page.locator("#f-login").focus()
    page.keyboard.type(login)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{wanted}")
    return tab


def looked_at(tab: Watched, path: str) -> None:
    """Nothing sticks out, nothing complains, everyone can use it, at both widths."""
    page = tab.go(path)
    for size in (DESK, PHONE):
        page.set_viewport_size(size)
        assert tab.too_wide() == [], (path, size)
        assert tab.axe() == [], (path, size)
    page.set_viewport_size(DESK)
    assert tab.wrong == [], path


def test_pages_of_a_hub(city: City, window: BrowserContext) -> None:
    tab = log_in(window, city, COUNTY, "clerk", "/board")
    for path in (
        "/board",
        f"/board?at={city.township}",
        "/sums",
        "/catalogue/holders",
        "/line?tab=all",
        "/line?tab=quarantine",
        f"/cases/{city.no}/evidence",
        "/password",
    ):
        looked_at(tab, path)


def test_pages_of_the_city(city: City, window: BrowserContext) -> None:
    tab = log_in(window, city, CITY, "clerk", "/sums")
    for path in ("/sums", "/sums?period=2026", "/board"):
        looked_at(tab, path)


def test_pages_of_a_village(city: City, window: BrowserContext) -> None:
    tab = log_in(window, city, city.village, "agent", "/line")
    for path in ("/line", "/catalogue", "/catalogue?q=dbsh", "/catalogue/SZS-001", "/evidence"):
        looked_at(tab, path)


def test_pages_of_administrators_and_auditors(city: City, window: BrowserContext, browser: Browser) -> None:
    tab = log_in(window, city, COUNTY, "admin", "/users")
    for path in ("/users", "/users/clerk", "/line", "/line?tab=quarantine"):
        looked_at(tab, path)
    with closing(browser.new_context(viewport=DESK, locale="zh-CN")) as other:
        looked_at(log_in(other, city, COUNTY, "auditor", "/audit"), "/audit")


def test_the_login_page(city: City, window: BrowserContext) -> None:
    tab = Watched(window, city.hosts[city.township])
    looked_at(tab, "/login")
    page = tab.page
    for _ in range(3):
        page.fill("#f-login", "reviewer")
        page.fill("#f-password", "wrong")
        page.keyboard.press("Enter")
        page.wait_for_load_state()
    expect(page.get_by_role("alert").first).to_contain_text("请 5 秒后再试")
    assert page.input_value("#f-login") == "reviewer"
    assert page.input_value("#f-password") == ""


def test_searching_by_keyboard(city: City, window: BrowserContext) -> None:
    page = log_in(window, city, city.village, "agent", "/catalogue").page
    page.keyboard.press("/")
    page.keyboard.type("dbsh")
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr").first).to_contain_text("最低生活保障")
    page.locator("tbody a").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("最低生活保障对象审核确认")
    expect(page.get_by_role("link", name="办这一项")).to_be_visible()


def test_evidence_goes_out_and_comes_back(city: City, window: BrowserContext) -> None:
    page = log_in(window, city, COUNTY, "clerk", f"/cases/{city.no}/evidence").page
    with page.expect_download() as saved:
        page.get_by_role("link", name="导出证据文件").click()
    page.set_input_files("#f-file", saved.value.path())
    page.get_by_role("button", name="核验").click()
    expect(page.locator(".verdict.good")).to_contain_text("都成立")
    raw = Path(saved.value.path()).read_bytes().replace(b'"step', b'"stop').replace(b'"by":"', b'"by":"X', 1)
    page.set_input_files("#f-file", {"name": "x", "mimeType": "text/plain", "buffer": raw})
    page.get_by_role("button", name="核验").click()
    expect(page.locator(".verdict.bad")).to_contain_text("不成立：第")


def first_password(page: Page) -> str:
    return page.locator(".once").inner_text()


def test_a_new_colleague_comes_in(city: City, window: BrowserContext, browser: Browser) -> None:
    page = log_in(window, city, city.township, "admin", "/users").page
    page.get_by_label("姓名").fill("李娜")
    page.get_by_label("用户名").fill("li.na")
    page.get_by_label("工号").fill("T-77")
    page.get_by_role("checkbox", name="经办人").check()
    page.get_by_role("button", name="新增用户").click()
    first = first_password(page)
    with closing(browser.new_context(viewport=PHONE, locale="zh-CN")) as other:
        theirs = Watched(other, city.hosts[city.township]).go("/line")
        theirs.fill("#f-login", "li.na")
        theirs.fill("#f-password", first)
        theirs.get_by_role("button", name="登录").click()
        expect(theirs.locator("h1")).to_contain_text("首次登录")
        theirs.fill("#f-old", first)
        theirs.fill("#f-new", "Battery-staple-2")
        theirs.fill("#f-again", "Battery-staple-2")
        theirs.get_by_role("button", name="保存并开始").click()
        expect(theirs.locator("h1")).to_contain_text("好，李娜")
        page.reload()
        page.get_by_role("link", name="修改 李娜").click()
        page.locator("#do-disable summary").click()
        page.get_by_label("停用原因").fill("调离")
        page.get_by_role("button", name="确认停用").click()
        expect(page.locator("main .note")).to_contain_text("已停用")
        theirs.goto(city.hosts[city.township] + "/line")
        expect(theirs.locator("main")).to_contain_text("登录已结束")


def test_mail_is_carried_by_hand(city: City, window: BrowserContext, browser: Browser) -> None:
    page = log_in(window, city, city.village, "admin", "/line").page
    expect(page.locator("#acts")).to_contain_text("等线路接通")
    with page.expect_download() as stick:
        page.get_by_role("link", name="导出给平罗县的摆渡文件").click()
    with closing(browser.new_context(viewport=DESK, locale="zh-CN")) as other:
        there = log_in(other, city, COUNTY, "admin", "/line").page
        there.set_input_files("#f-file", stick.value.path())
        there.get_by_role("button", name="读入").click()
        expect(there.get_by_role("status").filter(has_text="摆渡")).to_contain_text("已读入")
    found = city.desks.city[COUNTY].read(lambda session: session.connection().exec_driver_sql(
        "SELECT count(*) FROM cases").scalar())  # fmt: skip
    assert found == 2


def test_a_document_goes_to_the_printer_by_itself_and_only_once(city: City, window: BrowserContext) -> None:
    window.add_init_script(
        "window.print = () => { sessionStorage.prints = 1 + +(sessionStorage.prints || 0) }"
    )
    page = log_in(window, city, COUNTY, "clerk", f"/cases/{city.no}/documents/D01").page
    page.get_by_role("button", name="打印", exact=True).click()
    expect(page.locator("main .note.good")).to_contain_text("已登记")
    page.wait_for_function("sessionStorage.prints === '1'")
    assert page.locator(".paper .again").count() == 0, "the first copy is none that was printed again"
    assert page.locator(".b.main").inner_text() == "打印本页"
    page.reload()
    assert page.locator(".b.main").inner_text() == "打印本页"
    page.get_by_role("link", name="办件").first.click()
    page.go_back()
    assert page.evaluate("sessionStorage.prints") == "1"
    page.get_by_role("button", name="补打一份").click()
    expect(page.locator(".paper .again")).to_have_text("补打第 1 次")
    page.wait_for_function("sessionStorage.prints === '2'")


def test_a_document_is_one_sheet_of_paper(city: City, window: BrowserContext) -> None:
    tab = log_in(window, city, COUNTY, "clerk", f"/cases/{city.no}")
    sheets = tab.page.locator("a[href*='/documents/']").evaluate_all(
        "all => all.map(a => a.getAttribute('href'))"
    )
    assert len(sheets) > 2
    for path in sheets:
        drawn = tab.go(path).pdf(prefer_css_page_size=True)
        assert len(PdfReader(BytesIO(drawn)).pages) == 1, path
