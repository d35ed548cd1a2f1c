"""The demo in a process of its own, and the ways of a person through its pages in a real browser."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

from hub.demo.clock import DemoClock
from hub.proxy import Line
from node.cli import assembled

LIANDONG = [sys.executable, "-m", "node"]


class Demo:
    """A demo city in a process of its own."""

    def __init__(self, data: Path, port: int) -> None:
        self.data = data
        command = [*LIANDONG, "demo", "--data", str(data), "--port", str(port), "--villages", "1"]
        self.log = (data.parent / "demo.log").open("w+")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT)
        try:
            self._says("停止：Ctrl-C")
        except BaseException:
            self.stop()
            raise
        self.password = (data / "demo-password").read_text()
        ports = json.loads((data / "ports.json").read_text())["web"]
        self.village, self.township = (
            next(c for c in ports if c[9:] != "000"),
            next(c for c in ports if c[6:9] != "000"),
        )
        self.hosts = {code: f"http://127.0.0.1:{port}" for code, port in ports.items()}
        self.county = next(code for code in ports if code[4:6] != "00" and code[6:] == "000000")
        self.city = next(code for code in ports if code[4:] == "00000000")

    def _says(self, words: str) -> None:
        for _ in range(600):
            self.log.flush()
            text = Path(self.log.name).read_text()
            if words in text:
                return
            if self.process.poll() is not None:
                raise AssertionError(f"the demo ended:\n{text[-2000:]}")
            time.sleep(0.2)
        raise AssertionError(f"the demo does not say {words}")

    def line(self, state: Line) -> None:
        """Pull or restore the village's line, and wait until it is so."""
        word = "restore" if state is Line.WHOLE else "cut"
        assembled().main(["demo-line", word, self.village, "--data", str(self.data)], standalone_mode=False)
        self._says(f"的线路：{state.value}")

    def put_on(self, day: date) -> None:
        """Nine in the morning of a later day, at every node; whoever was logged in may have to do so again."""
        DemoClock(self.data).put_on(day)
        self._says(f"演示的时间：{day.isoformat()}")

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        self.process.terminate()
        self.process.wait(20)
        self.log.close()


def log_in(context: BrowserContext, demo: Demo, place: str, login: str) -> Page:
    """A tab at `place`, logged in through the login page."""
    page = context.new_page()
    page.goto(demo.hosts[place] + "/")
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", demo.password)
    page.get_by_role("button", name="登录").click()
    expect(page.locator("h1")).to_contain_text(re.compile("好"))
    return page


def appears(page: Page, host: str, no: str, within_s: float) -> None:
    """The case is on this node's list within so many seconds."""
    until = time.monotonic() + within_s
    while True:
        page.goto(f"{host}/cases?box=all&q={no}")
        if page.locator(f"main a[href*='{no}']").count():
            return
        assert time.monotonic() < until, f"{no} has not arrived at {host}"
        time.sleep(0.1)


def becomes(page: Page, url: str, words: str, within_s: float = 10) -> None:
    """The page says these words within so many seconds."""
    until = time.monotonic() + within_s
    while True:
        page.goto(url)
        if words in page.inner_text("body"):
            return
        assert time.monotonic() < until, f"{url} does not say {words}"
        time.sleep(0.2)


def act(page: Page, key: str, **fields: str | Sequence[str]) -> None:
    """Unfold one act of the case page, say what it asks, and confirm; several values tick several boxes."""
    form = page.locator(f"#do-{key}")
    summary = form.locator("summary")
    if summary.count() and form.get_attribute("open") is None:
        summary.click()
    for name, value in fields.items():
        field = form.locator(f"[name={name}]")
        if field.first.get_attribute("type") in ("radio", "checkbox"):
            for one in [value] if isinstance(value, str) else value:
                form.locator(f"[name={name}][value='{one}']").check()
        elif field.evaluate("element => element.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(str(value))
    form.locator("button").last.click()
