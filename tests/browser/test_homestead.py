"""The whole of one case in a real browser, against the real demo: 农村村民宅基地（建房）审批, from the agent's phone to
the resident's signature, with photos, one correction, joint handling, publicity, two persons and documents.

At its end the pages of all four tiers, the calendar on the command line and the evidence file say the same.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from node.calendar_cli import calendar as calendar_command
from node.work import civil_date
from protocol import evidence as proof
from tests.browser.conftest import DESK, PATIENCE_MS, PHONE
from tests.browser.demo import LIANDONG, Demo, act, appears, becomes, log_in
from tests.photos import photo

pytestmark = pytest.mark.browser

ITEM = "SZS-052"
PERSON = ("马小军", "64022119880315001X")
PHOTOGRAPHED = ("农村宅基地和建房(规划许可)申请表", "使用承诺书")
LACKING = "村民小组会议讨论和村级审查记录"
PUBLICITY = "村级公示"


def calendar(*words: str) -> dict[str, str]:
    """What `liandong calendar due` says, of this city's calendar."""
    asked = ["due", *words, "--region", "640200", "--json"]
    told = CliRunner().invoke(calendar_command, asked, catch_exceptions=False)
    found: dict[str, str] = json.loads(told.output)
    return found


def workday(after: date, count: int) -> date:
    """The working day so many working days later."""
    return date.fromisoformat(calendar(after.isoformat(), str(count))["due"])


def said(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


@dataclass
class Town:
    """The demo with the people of the story, each in a window of his own."""

    demo: Demo
    browser: Browser
    open: ExitStack = field(default_factory=ExitStack)
    windows: dict[tuple[str, str, int], BrowserContext] = field(default_factory=dict)
    no: str = ""

    def enter(self, place: str, login: str, size: ViewportSize = DESK) -> Page:
        """A tab of somebody who is logged in, at the first page; whoever has not logged in today does."""
        whose = (place, login, size["width"])
        if whose in self.windows:
            page = self.windows[whose].new_page()
            page.goto(self.demo.hosts[place] + "/")
            return page
        made = self.browser.new_context(viewport=size, locale="zh-CN", timezone_id="Asia/Shanghai")
        made.set_default_timeout(PATIENCE_MS)
        self.open.enter_context(closing(made))
        self.windows[whose] = made
        return log_in(made, self.demo, place, login)

    def put_on(self, day: date) -> None:
        """The morning of a later day: everybody logs in again."""
        self.demo.put_on(day)
        self.windows.clear()

    def case(self, page: Page, place: str, state: str) -> Page:
        """The case at a place, as soon as it stands there as it should."""
        becomes(page, self.at(place), state, 30)
        return page

    def at(self, place: str, path: str = "") -> str:
        """Address of the case, or of something about it, at a place."""
        return f"{self.demo.hosts[place]}/cases/{self.no}{path}"


@pytest.fixture
def town(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Town]:
    demo = Demo(tmp_path_factory.mktemp("homestead") / "city", 18700)
    made = Town(demo, browser)
    try:
        with made.open:
            yield made
    finally:
        demo.stop()


def done(page: Page, words: str) -> None:
    """The page says that the act was done."""
    expect(page.locator(".note.good")).to_contain_text(words)


def file_case(town: Town, page: Page) -> None:
    """The four steps of 帮办申报 on a phone, with two photos and one paper missing."""
    page.goto(f"{town.demo.hosts[town.demo.village]}/file?item={ITEM}")
    page.locator(f"input[name=item][value='{ITEM}']").check()
    page.get_by_role("button", name="下一步").click()
    filled = {"name": PERSON[0], "phone": "13895021234", "id_no": PERSON[1], "address": "古城三队"}
    for name, value in (filled | {"entrust_until": "2035-12-31"}).items():
        page.fill(f"input[name={name}]", value)
    page.get_by_label("交件").check()
    page.get_by_label("领件").check()
    page.get_by_label(re.compile("申请人已在委托书上签字")).check()
    page.get_by_role("button", name="下一步").click()
    for at, name in enumerate(PHOTOGRAPHED):
        take_photo(page, name, at)
    for box in page.locator("input[name=material]").all():
        if box.get_attribute("value") != LACKING:
            box.check()
    page.get_by_role("button", name="下一步").click()
    expect(page.locator("main")).to_contain_text(f"缺 {LACKING}")
    page.get_by_role("button", name="提交申报").click()
    page.wait_for_url("**/slip")
    found = re.search(r"/cases/([0-9X]{25})/slip", page.url)
    assert found
    town.no = found[1]


def take_photo(page: Page, material: str, seed: int) -> None:
    slot = page.locator(f'[data-photo-slot="{material}"]')
    taken = {"name": f"IMG_{seed}.jpg", "mimeType": "image/jpeg", "buffer": photo(900, 700, seed=seed)}
    slot.locator("[data-photo-pick]").set_input_files([taken])  # type: ignore[list-item]
    expect(slot.locator(".photos li")).to_contain_text("已收")


def correct_once(town: Town, clerk: Page, agent: Page) -> None:
    """One notice, its slip at the village, a photo of the missing paper; a second notice is not offered."""
    demo = town.demo
    appears(clerk, demo.hosts[demo.township], town.no, 30)
    clerk.goto(town.at(demo.township))
    act(clerk, "take")
    done(clerk, "已签收")
    act(clerk, "return", material=LACKING, problem="未交，请补交会议记录并由村级盖章")
    done(clerk, "已一次性告知补正")
    town.case(agent, demo.village, "待补正")
    slip = document(town, agent, demo.village, "D03")
    assert f"{LACKING}\t未交，请补交会议记录" in slip
    assert "平城补字〔" in slip
    assert "城关镇便民服务中心签发" in slip
    agent.goto(town.at(demo.village))
    agent.get_by_role("link", name="提交补正").click()
    expect(agent.locator(".asked")).to_have_text(["未交，请补交会议记录并由村级盖章"])
    take_photo(agent, LACKING, 7)
    agent.get_by_role("button", name="提交补正").click()
    done(agent, "补正已提交")
    town.case(clerk, demo.township, "补正收件")
    expect(clerk.locator("#do-return")).to_have_count(0)


def document(town: Town, page: Page, place: str, kind: str) -> str:
    """Print a document, print it again: the text of its sheet."""
    page.goto(town.at(place, f"/documents/{kind}"))
    page.locator("form button.main").first.click()
    sheet = page.locator("article.paper")
    expect(sheet.locator(".number")).to_contain_text(re.compile(r"〔\d{4}〕\d{5}号"))
    assert "补打" not in sheet.inner_text()
    expect(sheet.locator("svg.qr")).to_have_count(1)
    assert re.search(r"查询码\s*\d{6}", sheet.inner_text())
    first = sheet.inner_text()
    page.get_by_role("button", name="补打一份").click()
    expect(sheet.locator(".again")).to_have_text("补打第 1 次")
    assert first.split()[:2] == sheet.inner_text().replace("补打第 1 次", "").split()[:2]
    return first


def join(town: Town, clerk: Page, today: date) -> None:
    """Two departments answer, the third stays away from the meeting, and that is on record."""
    demo = town.demo
    act(clerk, "accept")
    done(clerk, "已受理")
    expect(clerk.locator("main")).to_contain_text("请先发起联办")
    act(clerk, "joint", text="请各部门同步审查")
    done(clerk, "联办已发起")
    for login, part, opinion in (("land", "用地和规划审查", "同意"), ("housing", "建房质量安全审查", "同意")):
        officer = town.enter(demo.county, login)
        appears(officer, demo.hosts[demo.county], town.no, 30)
        officer.goto(f"{demo.hosts[demo.county]}/joint")
        officer.locator(f"tr:has-text('{town.no[-4:-1]}')").get_by_role("link", name=part).click()
        expect(officer.locator("main")).to_contain_text("马*")
        act(officer, "opinion", opinion=opinion, reasons="符合村庄规划")
        expect(officer.locator("#do-opinion")).to_contain_text("更正意见")
        officer.close()
        becomes(clerk, town.at(demo.township), f"{part.removesuffix('审查')[:2]}：{opinion}", 30)
    act(clerk, "joint-close")
    expect(clerk.locator("#do-joint-close")).to_contain_text("水务局")
    act(
        clerk, "joint-minutes", meeting="联审会议", held_on=today.isoformat(), present=["用地", "建房"],
        points="占地 180 平方米\n水务局缺席",
    )  # fmt: skip
    done(clerk, "纪要已签署")
    act(clerk, "joint-close")
    done(clerk, "联办已结束")
    expect(clerk.locator("section:has(#h-joint-1)")).to_contain_text("缺席默认")


def publish(town: Town, clerk: Page, today: date) -> date:
    """Publicity stops the clock, with its basis, for five working days; the day it is over."""
    act(clerk, "suspend", kind=PUBLICITY, basis="地方事项清单：公示时间不计入", why="公示五个工作日")
    done(clerk, "计时中止")
    expect(clerk.locator("#case-clock")).to_contain_text("地方事项清单：公示时间不计入")
    over = workday(today, 5)
    clerk.close()
    town.put_on(over)
    clerk = town.enter(town.demo.township, "clerk")
    town.case(clerk, town.demo.township, "特别程序")
    act(clerk, "resume", kind=PUBLICITY, result="公示期间无异议")
    done(clerk, "恢复计时")
    expect(clerk.locator("#case-clock")).to_contain_text(f"{said(today)}至{said(over)}，5 个工作日不计入")
    clerk.close()
    return over


def decide(town: Town) -> None:
    """Who reviewed may not decide, and is told so where he tried; the other may."""
    chief = town.case(town.enter(town.demo.township, "chief"), town.demo.township, "审查中")
    act(chief, "review", opinion="同意", text="符合条件")
    done(chief, "待审签")
    act(chief, "grant", text="准予建房")
    expect(chief.locator("#do-grant .note.alarm")).to_contain_text("审查人与决定人不得为同一人")
    expect(chief.locator("#do-grant [name=text]")).to_have_value("准予建房")
    act(chief, "remand", why="须由他人审查")
    done(chief, "已退回重审")
    reviewer = town.case(town.enter(town.demo.township, "reviewer"), town.demo.township, "审查中")
    act(reviewer, "review", opinion="同意", text="一户一宅，符合村庄规划")
    done(reviewer, "待审签")
    expect(reviewer.locator("#do-grant")).to_have_count(0)
    reviewer.close()
    chief.goto(town.at(town.demo.township))
    act(chief, "grant", text="准予建房，占地 180 平方米")
    done(chief, "已准予")
    for kind, words in (
        ("D02", "法定办结日"),
        ("D05", PUBLICITY),
        ("D07", "占地 180 平方米"),
        ("D15", "自然资源局"),
        ("D17-1", "水务局缺席"),
    ):
        assert words in document(town, chief, town.demo.township, kind)
    chief.close()


def deliver(town: Town) -> None:
    """The village hands the licence over, and prints the receipt that the resident signs."""
    agent = town.case(town.enter(town.demo.village, "agent", PHONE), town.demo.village, "待送达")
    act(agent, "deliver", way="代办员送达", receiver=PERSON[0])
    done(agent, "已送达")
    assert f"签收人\n{PERSON[0]}" in document(town, agent, town.demo.village, "D10")
    expect(agent.locator("article.paper")).to_contain_text("签收人签名（按印）：＿")
    agent.close()


def photos(town: Town, place: str, login: str) -> list[int]:
    """What a place answers who asks it for each photo of the case; or for the list of them, if it gives none."""
    page = town.enter(place, login)
    base = f"{town.demo.hosts[place]}/api/cases/{town.no}/materials"
    listed = page.request.get(base)
    found = [listed.status]
    if listed.ok:
        found = [page.request.get(f"{base}/{one['sha256']}").status for one in listed.json()["files"]]
    page.close()
    return found


def agrees(town: Town, folder: Path, filed: date, resumed: date, decided: date) -> None:
    """The clock's page at every tier, the calendar on the command line, the evidence file: one account."""
    demo = town.demo
    pause = ("--pause", f"{filed}..{resumed}")
    due, statutory = (
        date.fromisoformat(calendar(filed.isoformat(), value, *pause)["due"]) for value in ("15", "20")
    )
    seen = {}
    for place in demo.hosts:
        page = town.enter(place, "agent" if place == demo.village else "clerk")
        town.case(page, place, "已送达")
        seen[place] = (
            page.locator("#case-clock").inner_text(),
            page.request.get(f"{demo.hosts[place]}/api/cases/{town.no}/clock").json(),
        )
    text, clock = seen[demo.township]
    assert all(one == (text, clock) for one in seen.values())
    assert f"15个工作日，{said(due)}前" in text
    assert f"20个工作日，{said(statutory)}前" in text
    (local,) = [one for one in clock["shares"] if (one["owner"], one["place"]) == ("local", demo.township)]
    assert (local["workdays"], local["counted"]) == (6, 1)
    assert sum(one["minutes"] for one in clock["shares"]) == clock["elapsed_minutes"]
    page = town.enter(demo.city, "clerk")
    raw = page.request.get(f"{demo.hosts[demo.city]}/api/cases/{town.no}/evidence").body()
    found = proof.examine(raw)
    assert found.holds
    assert found.case is not None
    assert (found.case.due, found.case.statutory_due, found.case.decided_on) == (due, statutory, decided)
    proved(town, folder / "case.evidence", due)


def proved(town: Town, path: Path, due: date) -> None:
    """The village's evidence file holds on any machine and tells the case as its page does."""
    site = town.demo.data / "sites" / town.demo.village
    subprocess.run(
        [*LIANDONG, "case", "export", town.no, "--site", str(site), "--out", str(path)], check=True
    )
    told = subprocess.run([*LIANDONG, "verify", str(path), "--json"], capture_output=True, check=True)
    found = json.loads(told.stdout)
    assert (found["holds"], found["state"]) == (True, "delivered")
    steps = [line for line in found["story"] if line.startswith("第")]
    assert [line for line in steps if "恢复计时" in line and str(due) in line]
    for verb in ("一次性告知补正", "联办结束", "启动特别程序", "退回重审", "准予", "送达"):
        assert any(verb in line for line in steps), verb
    page = town.enter(town.demo.village, "agent")
    page.goto(town.at(town.demo.village))
    expect(page.locator("#case-story header")).to_contain_text(f"{len(steps)} 步")


def test_a_homestead_from_the_phone_to_the_signature(town: Town, tmp_path: Path) -> None:
    demo = town.demo
    filed = workday(civil_date(datetime.now(UTC)), 1)
    town.put_on(filed)
    agent = town.enter(demo.village, "agent", PHONE)
    file_case(town, agent)
    clerk = town.enter(demo.township, "clerk")
    correct_once(town, clerk, agent)
    assert 200 not in photos(town, demo.county, "land")
    agent.close()
    join(town, clerk, filed)
    resumed = publish(town, clerk, filed)
    decided = workday(resumed, 1)
    town.put_on(decided)
    decide(town)
    deliver(town)
    for place, login in ((demo.village, "agent"), (demo.township, "clerk"), (demo.county, "land")):
        assert photos(town, place, login) == [200, 200, 200]
    assert 200 not in photos(town, demo.city, "clerk")
    agrees(town, tmp_path, filed, resumed, decided)
