"""The story the demo tells: real cases of real items, from filing to delivery, through a cut line if asked."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from hub.demo.city import DemoCity, officer_at
from node.accounts.officer import Officer
from node.cases import actions
from node.cases.filing import Filing
from node.cases.model import CaseRow
from node.cases.steps import Cases
from node.errors import NodeError
from node.node import Node
from protocol.lifecycle import IN_TRANSIT, OVER, State
from protocol.places import Code, Tier

PEOPLE = (
    ("王小明", "640221197001010010", "13895021234"),
    ("马秀英", "640221197512122209", "13895025678"),
    ("赵建国", "640202194909300138", "13709526611"),
    ("白玉兰", "640221198008088886", "15009520099"),
)


@dataclass(frozen=True, slots=True)
class Plot:
    """One case of the story: which item, and how it goes."""

    item: str
    way: str = "granted"
    """granted, refused, corrected, withdrawn, or a stage to stop at: filed, accepted, deciding."""


PLOTS = (
    Plot("SZS-019"),
    Plot("SZS-001"),
    Plot("SZS-014"),
    Plot("SZS-047", "corrected"),
    Plot("SZS-008", "refused"),
    Plot("SZS-015"),
    Plot("SZS-063", "withdrawn"),
    Plot("SZS-076"),
)
"""Items decided at the county, at the township and at the village."""
STAGES = (
    Plot("SZS-019", "filed"),
    Plot("SZS-052", "accepted"),
    Plot("SZS-001", "filed"),
    Plot("SZS-045", "deciding"),
    Plot("SZS-014"),
)
"""What the demo that stays up begins with."""


@dataclass(slots=True)
class Teller:
    """Plays plots on running nodes, as their officers would."""

    city: DemoCity
    nodes: dict[Code, Node]
    say: Callable[[str], None]
    filed: dict[str, Plot] = field(default_factory=dict)
    _at: int = 0
    _asked: set[str] = field(default_factory=set)

    async def file(self, village: Code, plot: Plot) -> str:
        """File the case of a plot at a village; its number."""
        node = self.nodes[village]
        name, id_no, phone = PEOPLE[self._at % len(PEOPLE)]
        self._at += 1
        assert node.know.catalogue is not None
        item = node.know.catalogue[plot.item]
        form = Filing(
            item=plot.item, name=name, id_no=id_no, phone=phone, address=node.name, agent=True, entrusted=True,
            entrust_scope=("交件", "领件"), entrust_until="2035-12-31",
            materials=tuple(one.name for one in item.materials if one.need == "必要"), again="另一件",
        )  # fmt: skip
        no = await node.do(actions.file_case, officer_at(node, "agent"), form)
        self.filed[no] = plot
        self.say(f"{node.name} 登记 {no}（{item.name}）")
        return no

    async def play(self, no: str, timeout_s: float) -> None:
        """Carry one case on, wherever it is, until its plot is told; TimeoutError if it does not get there."""
        plot = self.filed[no]
        async with asyncio.timeout(timeout_s):
            while not self._told(no, plot):
                if not await self._next(no, plot):
                    await asyncio.sleep(0.1)

    def _told(self, no: str, plot: Plot) -> bool:
        """Whether the plot has come to its end, or to the stage it stops at, wherever that happened."""
        seen = [row for row in (self._row(node, no) for node in self.nodes.values()) if row is not None]
        if not seen:
            return False
        stop = {"filed": State.FILED, "accepted": State.ACCEPTED, "deciding": State.DECIDING}.get(plot.way)
        if stop is not None:
            return State(max(seen, key=lambda row: row.n).state) is stop
        origin = self._row(self.nodes[Code(no[:12])], no)
        return origin is not None and State(origin.state) in OVER - {State.CLOSED}

    async def _next(self, no: str, plot: Plot) -> bool:
        """One act by whoever owes it; whether anything was done."""
        origin = self.nodes[Code(no[:12])]
        row = self._row(origin, no)
        if row is not None and no not in self._asked:
            if plot.way == "corrected" and row.state == State.CORRECTING:
                self._asked.add(no)
                await origin.do(
                    actions.supplement, officer_at(origin, "agent"), no, ["居民身份证"], "已重新拍照"
                )
                return True
            if plot.way == "withdrawn" and row.state == State.RECEIVED:
                self._asked.add(no)
                await origin.do(actions.withdraw, officer_at(origin, "agent"), no, "申请人改变主意")
                return True
        for node in self.nodes.values():
            row = self._row(node, no)
            if row is not None and row.speaker == node.place:
                try:
                    return await self._act(node, row, plot)
                except NodeError as refused:
                    self.say(f"{node.name} {no}：{refused.detail}")
                    await asyncio.sleep(0.5)
                    return False
        return False

    def _row(self, node: Node, no: str) -> CaseRow | None:
        return node.db.read(lambda session: session.get(CaseRow, no))

    async def _act(self, node: Node, row: CaseRow, plot: Plot) -> bool:
        """What the officers of `node`, whose turn it is, do next; whether they did anything."""
        no, state = row.no, State(row.state)
        desk = _Desk.at(node)
        if state in IN_TRANSIT:
            await node.do(actions.take, desk.clerk, no)
        elif state is State.RECEIVED and plot.way == "withdrawn":
            return False
        elif state is State.RECEIVED and plot.way == "corrected" and not row.corrections:
            defects = [{"material": "居民身份证", "problem": "照片不清", "required": "重新拍照"}]
            await node.do(actions.return_for_correction, desk.clerk, no, defects)
        elif state is State.RECEIVED:
            await node.do(actions.accept, desk.clerk, no)
        elif state is State.ACCEPTED:
            await node.do(actions.review, desk.reviewer, no, "同意", "材料齐全，符合条件")
        elif state is State.DECIDING:
            await self._decide(node, no, plot, desk)
        elif state is State.CLOSED:
            await node.do(actions.deliver, desk.clerk, no, "代办员送达", "申请人")
        else:
            return False
        return True

    async def _decide(self, node: Node, no: str, plot: Plot, desk: "_Desk") -> None:
        onward = await node.do(lambda work: actions.next_holders(work, Cases(work).need(no)))
        if onward:
            await node.do(actions.forward, desk.chief, no, onward[0].code, "初审同意，报请决定")
        elif plot.way == "refused":
            await node.do(
                actions.decide, desk.chief, no, "refused", "选址不符合规划；可依法申请复议或提起诉讼"
            )
        else:
            await node.do(actions.decide, desk.chief, no, "granted", "")


@dataclass(frozen=True, slots=True)
class _Desk:
    """Who does what at a place: in a village the two agents share it."""

    clerk: Officer
    reviewer: Officer
    chief: Officer

    @classmethod
    def at(cls, node: Node) -> "_Desk":
        if node.know.roster[node.place].tier is Tier.VILLAGE:
            first, second = officer_at(node, "agent"), officer_at(node, "agent2")
            return cls(first, second, first)
        return cls(officer_at(node, "clerk"), officer_at(node, "reviewer"), officer_at(node, "chief"))
