"""`liandong bench federation`: from filing to receipt over separate processes, beside its bounds and two simpler ways.

One rule: all sides of a ratio are measured in the same round, one after the other on the same machine; the ratio is
the median of the rounds' ratios. Figures of a shared machine are only good as ratios.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.bench import receiver, rivals, sender
from hub.bench.figures import Rounds, report
from hub.bench.hands import Hand, memory
from hub.bench.meter import Spent, cpu_of, flush_us, machine
from hub.bench.stage import Desk, Source, Stage, stage
from hub.server import find_server
from protocol.envelope import MAX_EVENTS

Say = Callable[[str], None]

NAIVE, CAREFUL, RAW = 500, 1500, 5000
"""How many single messages the slow ways and the bare bus get, at most."""
PAUSE_S = 0.1
"""Between two acts on the quiet line."""


@dataclass(slots=True)
class Play:
    """The two hands, the stage, and what was prepared once."""

    stage: Stage
    sender: Hand
    receiver: Hand
    events: int
    say: Say
    found: Rounds = field(default_factory=Rounds)
    filed: Path = Path()
    letters: Path = Path()
    singles: Path = Path()
    letter_bytes: int = 0
    """Bytes on the wire for each event, statements included."""

    def samples(self) -> dict[str, int]:
        """How many events or messages the slow ways and the bare bus get."""
        return {
            name: min(most, self.events)
            for name, most in (("naive", NAIVE), ("careful", CAREFUL), ("raw", RAW))
        }

    def ours(self) -> Desk:
        """The sender with everything filed and nothing sent."""
        return self.stage.desk(self.stage.sender, self.filed)

    def theirs(self) -> Desk:
        """The receiver before anything has come."""
        return self.stage.desk(self.stage.receiver)

    async def prepare(self, slices: int) -> None:
        """File everything once, and write the letters for the bounds and the rivals."""
        desk = self.stage.desk(self.stage.sender)
        self.say(f"登记并办理 {self.events} 个步骤 …")
        self.found.spent["file"] = await self.sender.do(sender.file_acts, desk, self.events, slices)
        self.events = sum(one.count for one in self.found.spent["file"])
        self.filed = desk.database
        self.letters, self.singles = self.stage.folder / "letters", self.stage.folder / "singles"
        size = await self.sender.do(sender.write_letters, self.ours(), self.events, MAX_EVENTS, self.letters)
        self.letter_bytes = round(size / self.events)
        await self.sender.do(sender.write_letters, self.ours(), CAREFUL, 1, self.singles)

    async def round(self) -> None:
        """Everything once."""
        await self._bounds()
        await self._bus()
        await self._alone()
        await self._rivals()
        await self._together()
        await self._latency(40)
        self.found.memory["sender"].append(await self.sender.do(memory))
        self.found.memory["receiver"].append(await self.receiver.do(memory))
        for old in self.stage.folder.glob("*-*.db*"):
            if old != self.filed:
                old.unlink()

    async def _bounds(self) -> None:
        await self._note("sign", self.sender.do(sender.sign_only, self.ours(), self.events))
        await self._note("verify", self.receiver.do(receiver.verify_only, self.theirs(), self.letters))
        await self._note("decode", self.receiver.do(receiver.decode_only, self.theirs(), self.letters))
        await self._note("apply", self.receiver.do(receiver.apply_only, self.theirs(), self.letters))

    async def _bus(self) -> None:
        """The bus alone: 1 KiB messages, then the very parcels."""
        count, reader = min(RAW, self.events), self.stage.receiver
        await self._note("raw_publish", self.sender.do(sender.publish_kib, self.ours(), reader, count))
        await self._note("raw_fetch", self.receiver.do(receiver.fetch_only, self.theirs(), count))
        letters = await self._note(
            "parcel_publish", self.sender.do(sender.publish_letters, self.ours(), reader, self.letters)
        )
        await self._note("parcel_fetch", self.receiver.do(receiver.fetch_only, self.theirs(), letters.count))

    async def _alone(self) -> None:
        """Sender, receiver and receipts one after the other, each with the machine to itself."""
        ours = self.ours()
        await self._note("send", self.sender.do(sender.send, ours))
        await self._note("receive", self.receiver.do(receiver.drain, self.theirs(), self.events))
        await self._note("hear", self.sender.do(sender.hear, ours))

    async def _rivals(self) -> None:
        for way, most in (("naive", NAIVE), ("careful", CAREFUL)):
            count = min(most, self.events)
            pieces = sender.read_pieces(self.singles)[:count]
            sample = self.stage.folder / "sample"
            sender.write_pieces(sample, pieces)
            await self.sender.do(sender.publish_letters, self.ours(), self.stage.receiver, sample)
            await self._note(way, self.receiver.do(rivals.run, self.theirs(), way, count))

    async def _together(self) -> None:
        """Both nodes with all their loops at once, from a backlog to the last receipt."""
        before = cpu_of(self.stage.server.pid)
        taking = asyncio.create_task(self.receiver.do(receiver.carry_in, self.theirs(), self.events))
        await asyncio.sleep(1.0)
        out = await self.sender.do(sender.carry_out, self.ours())
        into = await taking
        self.found.spent["carry_out"].append(out)
        self.found.spent["carry_in"].append(into)
        self.found.together_s.append((into.ended - out.began, out.wall_s))
        self.found.server_us["together"].append((cpu_of(self.stage.server.pid) - before) / self.events * 1e6)

    async def _latency(self, acts: int) -> None:
        """Single acts on a quiet line."""
        watching = asyncio.create_task(self.receiver.do(receiver.watch, self.theirs()))
        quiet = self.stage.desk(self.stage.sender)
        committed = await self.sender.do(sender.act_now_and_then, quiet, acts, PAUSE_S)
        seen = await watching
        for number, at in committed:
            arrived = next((when for when, upto in seen if upto >= number), None)
            if arrived is None:
                raise RuntimeError(f"event {number} never arrived")
            self.found.latencies_ms.append((arrived - at) * 1000)

    async def _note(self, name: str, doing: Coroutine[Any, Any, Spent]) -> Spent:
        before = cpu_of(self.stage.server.pid)
        spent = await doing
        self.found.spent[name].append(spent)
        self.found.server_us[name].append(
            (cpu_of(self.stage.server.pid) - before) / max(spent.count, 1) * 1e6
        )
        return spent


async def federation(folder: Path, source: Source, events: int, rounds: int, say: Say) -> dict[str, Any]:
    """The report of the benchmark; see `report`."""
    about = await machine(find_server()) | {"flush_us": flush_us(folder)}
    async with AsyncExitStack() as stack:
        say("生成证书和站点，启动枢纽 …")
        set_up = await stack.enter_async_context(stage(folder, source))
        hands = [await stack.enter_async_context(Hand(name)) for name in ("sender", "receiver")]
        play = Play(set_up, hands[0], hands[1], events, say)
        await play.prepare(max(rounds, 2))
        for at in range(rounds):
            say(f"第 {at + 1} / {rounds} 轮 …")
            await play.round()
    about["letter_bytes"] = play.letter_bytes
    return report(play.found, about, events=play.events, samples=play.samples())
