"""Questions about channels: what a county tells its senders after some deliveries; asked of a real node."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from node.bus.memory import MemoryBus, MemoryHub
from node.capabilities import EVERY_TIER
from node.config import NodeConfig
from node.db import Database
from node.exchange.arrivals import Incoming
from node.exchange.receipts import gather
from node.node import Node
from node.work import Knowledge
from protocol import strict, subjects
from protocol.dsse import STATEMENT
from protocol.envelope import parcel
from protocol.receipts import Receipt
from tests.vectors.cast import COUNTY, NEIGHBOUR, NOW, ROSTER, TOWNSHIP, VILLAGE
from tests.vectors.frozen import Frozen, Json, keyed, lean, lines_of, signed, stranger
from tests.vectors.wire import fields_of

ACT = {"on": "2026-03-02", "by": "工号01"}


def answer(cast: Frozen, deliveries: list[tuple[str, bytes]]) -> Json:
    """What the county's receipts would say of each sender that has said anything."""
    return asyncio.run(_answer(cast, deliveries))


async def _answer(cast: Frozen, deliveries: list[tuple[str, bytes]]) -> Json:
    know = Knowledge(
        COUNTY,
        cast.keys[COUNTY],
        cast.cert(COUNTY),
        cast.trusted("city", "county", "township", "village"),
        ROSTER,
    )
    with Database("sqlite://") as db:
        db.upgrade()
        bus = MemoryBus(MemoryHub(lambda: NOW), COUNTY)
        node = Node(NodeConfig(COUNTY, Path(), "sqlite://"), know, db, bus, EVERY_TIER, lambda: NOW)
        for source, raw in deliveries:
            await node.take_in([Incoming(subjects.mail(subjects.Lane.CASE, COUNTY, source), raw)])
        due = db.read(lambda session: gather(session, node.know, NOW, hello=True))
    return {one.receipt.to: _said(one.receipt) for one in due if one.receipt.channels or one.receipt.refused}


def _said(receipt: Receipt) -> Json:
    return {
        "channels": {
            one.ep: {
                "upto": one.upto,
                "missing": [list(each) for each in one.missing],
                "waiting": [list(each) for each in one.waiting],
                "quarantined": [[each.seq, each.rule] for each in one.quarantined],
            }
            for one in receipt.channels
        },
        "refused": sorted([one.parcel, one.rule] for one in receipt.refused),
    }


class _Mail:
    """Acts of the village and the township, and parcels of them."""

    def __init__(self) -> None:
        self.cast = Frozen()
        self.no = self.cast.case_no()
        self.reports = [
            self.cast.say(
                VILLAGE,
                "report.daily",
                {"on": f"2026-03-0{day}", "edition": 1, "events": day, "totals": {}},
                (COUNTY,),
            )
            for day in (1, 2, 3, 4)
        ]
        self.filed = self.cast.step(VILLAGE, "case.filed", None, self.no, 1, item="SZS-001", to=TOWNSHIP)
        self.taken = self.cast.step(TOWNSHIP, "case.taken", self.filed, self.no, 2)
        self.up = self.cast.step(TOWNSHIP, "case.forwarded", self.taken, self.no, 3, to=COUNTY, why="上报")

    def of(self, place: str, *events: bytes) -> tuple[str, bytes]:
        """A delivery."""
        return place, self.cast.parcel(place, *events)

    def each(self, place: str, *events: bytes) -> list[tuple[str, bytes]]:
        """One delivery each."""
        return [self.of(place, one) for one in events]


def _other(event: bytes, **changes: Any) -> bytes:
    return strict.dumps({**strict.loads(event), **changes})


def channels() -> Iterator[Json]:
    """§7: gaps, repeats, forks, epochs, lanes."""
    mail = _Mail()
    one, two, three, four = mail.reports
    body = {"on": "2026-03-09", "edition": 1, "events": 9, "totals": {}}
    fork = _other(two, body=body)
    filed, taken, up = mail.filed, mail.taken, mail.up
    second = _other(taken, body={**ACT, "zz": 1}, to=[{"place": COUNTY, "seq": 9}])
    stolen = _other(taken, frm=VILLAGE, ep="b", to=[{"place": COUNTY, "seq": 1}])
    outside = _other(one, kind="case.taken", case={"no": NEIGHBOUR + "1", "n": 2, "prev": "a" * 64})
    cases: dict[str, list[tuple[str, bytes]]] = {
        "in order": mail.each(VILLAGE, one, two, three),
        "all at once": [mail.of(VILLAGE, one, two, three)],
        "a gap": mail.each(VILLAGE, one, three),
        "two gaps, the first at the beginning": mail.each(VILLAGE, two, four),
        "a gap that was filled": mail.each(VILLAGE, one, three, two),
        "a repeat": [mail.of(VILLAGE, one, two), mail.of(VILLAGE, one, two), mail.of(VILLAGE, two)],
        "a second meaning of a number": mail.each(VILLAGE, one, two, fork),
        "a new epoch": mail.each(VILLAGE, one, two, _other(one, ep="after"), _other(two, ep="after", to=[{"place": COUNTY, "seq": 3}])),
        "steps in order": [*mail.each(VILLAGE, filed), *mail.each(TOWNSHIP, taken, up)],
        "steps backwards": [*mail.each(TOWNSHIP, up, taken), *mail.each(VILLAGE, filed)],
        "a step that waits": mail.each(TOWNSHIP, taken),
        "a second meaning of a step": [*mail.each(VILLAGE, filed), *mail.each(TOWNSHIP, taken, second)],
        "a step by who has not the turn": mail.each(VILLAGE, filed, stolen),
        "what follows a refused step waits": [*mail.each(VILLAGE, filed, stolen), mail.of(TOWNSHIP, up)],
        "outside its jurisdiction, and its number is taken": mail.each(VILLAGE, outside, one, two),
        "a skeleton that is none": mail.each(VILLAGE, _other(one, body={"on": "today"}), two),
        "a forged parcel": [*mail.each(VILLAGE, one), (VILLAGE, _forged(mail.cast, two))],
        "a parcel under another's name": [(NEIGHBOUR, mail.of(VILLAGE, one)[1])],
        "an altered event": [(VILLAGE, mail.of(VILLAGE, one, two)[1].replace(b'"events":2', b'"events":3')), mail.of(VILLAGE, two)],
    }  # fmt: skip
    lines = lines_of(mail.cast)
    for name, deliveries in cases.items():
        yield {
            "name": name, "check": "channel", "ring": ["city", "county", "township", "village"], "me": COUNTY,
            "now": "2026-03-02T01:00:00.000Z", "deliveries": [[source, lean(raw, lines)] for source, raw in deliveries],
        }  # fmt: skip


def _forged(cast: Frozen, event: bytes) -> bytes:
    payload = fields_of(cast.statement(VILLAGE, event))
    return parcel(signed(STATEMENT, payload, (keyed(cast, "village")[0], stranger())), [event])
