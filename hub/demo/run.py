"""Bringing the demo up: hubs, nodes, lines with switches, first edition, people, cases; then staying up, or the report."""

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import date
from pathlib import Path
from typing import Any

import orjson

from hub.demo.city import (
    DemoCity,
    Shape,
    build,
    hashed_password,
    password_of,
    people_of,
    seed_people,
    seed_posts,
    seed_powers,
    seed_seals,
)
from hub.demo.clock import DemoClock
from hub.demo.report import report
from hub.demo.story import PLOTS, STAGES, Teller
from hub.proxy import Line, LineSwitch
from hub.publishing import publish_edition
from node.calendar_source import official_calendar
from node.exchange.outbox import outstanding
from node.node import Node
from node.serve import Running, until_stopped
from node.work import CIVIL
from protocol.bundles import BUNDLE_KEY, bundle_document, read_bundles
from protocol.catalogue import CALENDAR_KEY, DEED_KEY, ITEM_KEY, document
from protocol.divisions import read_divisions
from protocol.items import read_items
from protocol.places import Code
from protocol.roster import Roster
from protocol.workdays import calendar_document

log = logging.getLogger(__name__)

Say = Callable[[str], None]
PATIENCE_S = 120.0


def edition_documents(roster: Roster, items: Path, holidays: Path | None) -> dict[str, bytes]:
    """What the first edition publishes: items, bundles beside them, the deeds of places shown, the calendar."""
    found = read_items(items.read_bytes())
    bundles = items.with_name("bundles.json")
    groups = read_bundles(bundles.read_bytes()) if bundles.exists() else ()
    documents = {f"{ITEM_KEY}{item.id}": document(item) for item in found.items}
    documents |= {f"{DEED_KEY}{deed.id}": document(deed) for deed in found.deeds if deed.giver in roster}
    documents |= {f"{BUNDLE_KEY}{group.id}": bundle_document(group) for group in groups}
    calendar = official_calendar(roster.city.code, holidays.read_bytes() if holidays else None)
    documents[CALENDAR_KEY] = orjson.dumps(calendar_document(calendar), option=orjson.OPT_SORT_KEYS)
    return documents


class Demo:
    """A demo city that runs."""

    def __init__(self, shape: Shape, say: Say) -> None:
        self._shape = shape
        self._say = say
        self._clock = DemoClock(shape.data)
        self._running = Running(self._clock)
        self.city: DemoCity
        self.nodes: dict[Code, Node] = {}
        self.lines: dict[Code, LineSwitch] = {}

    async def run(self, *, once: bool, cut_s: float) -> dict[str, Any] | None:
        """Bring everything up; with `once` play the story to its end and give the report, else stay up."""
        async with AsyncExitStack() as stack:
            stack.callback(self._running.close)
            self._build()
            for code, (port, hub_port) in self.city.line_ports.items():
                self.lines[code] = await stack.enter_async_context(LineSwitch("127.0.0.1", hub_port, port))
            await stack.enter_async_context(self._running.up(list(self.nodes.values()), pages=not once))
            await self._first_edition()
            if once:
                return await self._play(cut_s)
            await self._stages()
            self._welcome()
            await self._stay(cut_s)
        return None

    def _build(self) -> None:
        self._say("读取区划表，生成证书、名册和凭证 …")
        self.city = build(read_divisions(self._shape.divisions.read_bytes()), self._shape)
        hashed = hashed_password(self._shape.data)
        for place in self.city.roster.subtree(self.city.roster.city.code):
            self._say(f"打开节点 {place.tier.label} {place.name}")
            self.nodes[place.code] = self._running.open(self.city.configs[place.code])
            seed_people(self.nodes[place.code], place, hashed)
            seed_posts(self.nodes[place.code], place)
            seed_seals(self.nodes[place.code], place)
        for place in self.city.roster:
            seed_powers(self.nodes, place)

    async def _first_edition(self) -> None:
        top = self.nodes[self.city.roster.city.code]
        if top.know.edition == 0:
            documents = edition_documents(self.city.roster, self._shape.items, self._shape.holidays)
            today = date.today()  # noqa: DTZ011 - the day printed on the edition
            await top.do(publish_edition, 1, today, documents, ("主管部门", "法制审核"))
            top.parts["hub"].publish_wake.ring()
        self._say(f"市级公布第 {top.know.edition} 版目录，等待各节点收到 …")
        async with asyncio.timeout(PATIENCE_S):
            while any(node.know.edition < top.know.edition for node in self.nodes.values()):
                await asyncio.sleep(0.1)

    async def _play(self, cut_s: float) -> dict[str, Any]:
        """The whole story; with `cut_s`, a village's line is down in the middle of it."""
        teller = Teller(self.city, self.nodes, self._say)
        villages = [place.code for place in self.city.villages]
        half = len(PLOTS) // 2
        first = [
            await teller.file(villages[at % len(villages)], plot) for at, plot in enumerate(PLOTS[:half])
        ]
        playing = [asyncio.create_task(teller.play(no, PATIENCE_S + cut_s)) for no in first]
        cut = asyncio.create_task(self._cut(villages[0], cut_s)) if cut_s else None
        await asyncio.sleep(0.3 if cut else 0)
        second = [
            await teller.file(villages[at % len(villages)], plot) for at, plot in enumerate(PLOTS[half:])
        ]
        playing += [asyncio.create_task(teller.play(no, PATIENCE_S + cut_s)) for no in second]
        stuck = [one for one in await asyncio.gather(*playing, return_exceptions=True) if one is not None]
        for one in stuck:
            self._say(f"没有走到底：{one!r}")
        if cut is not None:
            await cut
        await self._quiet()
        return report(self.city, self.nodes, [*first, *second])

    async def _cut(self, village: Code, seconds: float) -> None:
        line = self.lines[village]
        line.cut()
        self._say(f"断开 {self.nodes[village].name} 的线路 {seconds:g} 秒")
        await asyncio.sleep(seconds)
        self._say(
            f"断线期间 {self.nodes[village].name} 有 {self.nodes[village].read(outstanding)} 条待确认；恢复线路"
        )
        line.restore()

    async def _quiet(self) -> None:
        """Until every act has its receipt."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while any(node.read(outstanding) for node in self.nodes.values()):
                    await asyncio.sleep(0.2)
        except TimeoutError:
            self._say("仍有未确认的步骤")

    async def _stages(self) -> None:
        """A few cases at different stages, once."""
        marker = self._shape.data / "seeded"
        if marker.exists():
            return
        teller = Teller(self.city, self.nodes, self._say)
        villages = [place.code for place in self.city.villages]
        numbers = [await teller.file(villages[at % len(villages)], plot) for at, plot in enumerate(STAGES)]
        await asyncio.gather(*(teller.play(no, PATIENCE_S) for no in numbers))
        marker.write_text("\n".join(numbers))

    def _welcome(self) -> None:
        self._say("")
        self._say("四级联动演示已就绪。用浏览器打开：")
        for place in self.city.roster.subtree(self.city.roster.city.code):
            config = self.city.configs[place.code]
            logins = "、".join(f"{one.login}（{one.name}）" for one in people_of(place))
            self._say(f"  {place.tier.label} {place.name:<12} http://{config.host}:{config.port}/   {logins}")
        self._say(f"所有演示用户的密码：{password_of(self._shape.data)}")
        village = self.city.villages[0]
        self._say(f"拔线：liandong demo-line cut {village.code} --data {self._shape.data}")
        self._say(f"接线：liandong demo-line restore {village.code} --data {self._shape.data}")
        self._say(f"拨日历：liandong demo-date 年-月-日 --data {self._shape.data}")
        self._say("停止：Ctrl-C")

    async def _stay(self, cut_s: float) -> None:
        """Follow the line switches and the clock until stopped."""
        switches = asyncio.create_task(self._follow_switches())
        if cut_s:
            switches.add_done_callback(lambda _task: None)
            cut = asyncio.create_task(self._cut(self.city.villages[0].code, cut_s))
        try:
            await until_stopped()
        finally:
            switches.cancel()
            if cut_s:
                cut.cancel()

    async def _follow_switches(self) -> None:
        """A file `lines/<code>` in the data folder says `cut` or `black-hole`; none: the line is whole."""
        folder = self._shape.data / "lines"
        folder.mkdir(exist_ok=True)
        wanted = {"cut": Line.CUT, "black-hole": Line.BLACK_HOLE}
        while True:
            for code, line in self.lines.items():
                path = folder / code
                state = wanted.get(path.read_text().strip(), Line.WHOLE) if path.exists() else Line.WHOLE
                if state is not line.state:
                    self._say(f"{self.nodes[code].name} 的线路：{state.value}")
                    {Line.CUT: line.cut, Line.BLACK_HOLE: line.black_hole, Line.WHOLE: line.restore}[state]()
            if self._clock.refresh():
                self._say(f"演示的时间：{self._clock().astimezone(CIVIL):%Y-%m-%d %H:%M}")
                for node in self.nodes.values():
                    node.outbox_wake.ring()
            await asyncio.sleep(0.2)


def succeeded(found: dict[str, Any]) -> bool:
    """Whether nothing was lost, doubled or left outstanding."""
    return not any(found[key] for key in ("lost", "doubled", "outstanding"))


def as_json(found: dict[str, Any]) -> str:
    """The report for programs."""
    return json.dumps(found, ensure_ascii=False, indent=1)
