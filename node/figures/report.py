"""日报: each node's own totals for a civil day, signed and sent up its line.

One rule: declared and recomputed stand side by side. What a node declares is kept as it came; what a hub counts
from the steps it verified itself is in the cubes; neither ever overwrites the other. Both count a step on the day it is
dated; one dated back (视为受理) has its day declared anew with the report of the day it was signed.
"""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import orjson
from sqlalchemy import select

from node.cases.model import CaseRow
from node.db import table_of, upsert
from node.exchange.arrivals import Arrival
from node.exchange.model import EventRow, EventState
from node.figures.model import DailyReportRow
from node.node import Node
from node.work import CIVIL, Work
from protocol.certificates import instant
from protocol.envelope import Event
from protocol.errors import EnvelopeError
from protocol.messages import Figures, read_body
from protocol.subjects import Lane

log = logging.getLogger(__name__)

LOOK_BACK = 7
"""Days after which a missed report is no longer made up."""
_STEPS = (
    "filed",
    "taken",
    "accepted",
    "not_accepted",
    "returned",
    "forwarded",
    "granted",
    "refused",
    "closed",
    "withdrawn",
    "delivered",
)


def totals(work: Work, day: date) -> tuple[dict[str, dict[str, int]], int]:
    """(by item: how many of each own step, number of own steps) dated on this civil day, whenever they were signed."""
    steps = [one for one in _own_steps(work, day) if one[2] == day.isoformat()]
    items = _items_of(work, {no for _, no, _ in steps})
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for kind, no, _ in steps:
        step = "forwarded" if kind == "case.redirected" else kind.removeprefix("case.")
        if step in _STEPS:
            found[items.get(no, "")][step] += 1
    return {item: dict(counts) for item, counts in sorted(found.items())}, len(steps)


def _own_steps(work: Work, first: date, last: date | None = None) -> list[tuple[str, str, str]]:
    """(kind, case, the day it is dated) of the own steps signed from `first` on: none is dated after it was signed."""
    event = table_of(EventRow).c
    query = select(event.raw, event.kind, event.case_no).where(
        event.frm == work.me, event.state == EventState.MINE, event.n.is_not(None), event.at >= _start(first)
    )
    if last is not None:
        query = query.where(event.at < _start(last + timedelta(days=1)))
    rows = work.session.execute(query)
    return [(row.kind, row.case_no, str(orjson.loads(row.raw)["body"]["on"])) for row in rows]


def _start(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), CIVIL)


def _items_of(work: Work, numbers: set[str]) -> dict[str, str]:
    table = table_of(CaseRow).c
    wanted = sorted(numbers)
    found: dict[str, str] = {}
    for at in range(0, len(wanted), 500):
        rows = work.session.execute(select(table.no, table.item).where(table.no.in_(wanted[at : at + 500])))
        found |= {row.no: row.item for row in rows}
    return found


def declare(work: Work, day: date) -> None:
    """Say this node's totals of a day to everyone above; a day already declared is declared anew, with what has come since."""
    by_item, events = totals(work, day)
    body = Figures(on=day, edition=work.know.edition, events=events, totals=by_item)
    above: dict[str, Lane] = {place.code: Lane.SUP for place in work.know.roster.ancestors(work.me)}
    said = work.send("report.daily", body.model_dump(mode="json"), above)
    _keep(work, said, body)


def declare_due(work: Work) -> int:
    """Declare every finished day since the last report, at most a week back, and the earlier days on which steps of
    these days are dated; how many.
    """
    reported, last = work.meta("reported"), work.today - timedelta(days=1)
    first = date.fromisoformat(reported) + timedelta(days=1) if reported else last
    first = max(first, work.today - timedelta(days=LOOK_BACK))
    if first > last:
        return 0
    days = {first + timedelta(days=at) for at in range((last - first).days + 1)}
    days |= {date.fromisoformat(on) for _, _, on in _own_steps(work, first, last)}
    for day in sorted(days):
        declare(work, day)
    work.set_meta("reported", last.isoformat())
    return len(days)


def apply_reports(work: Work, arrivals: Sequence[Arrival]) -> None:
    """Keep what nodes below declared."""
    for one in arrivals:
        try:
            body = read_body(Figures, one.event.body)
        except EnvelopeError as wrong:
            one.quarantine(wrong.rule, wrong.reason)
            continue
        if not _below(work, one.event.frm):
            one.quarantine("L-9", f"{one.event.frm} 不在我们之下")
            continue
        _keep(work, one.event, body)


def _below(work: Work, place: str) -> bool:
    """By the roster; of a place so new that ours does not name it yet, by who certified it."""
    if place in work.know.roster:
        return work.know.roster.is_under(place, work.me)
    return any(one.place == work.me for one in work.know.ring.chain(place))


def _keep(work: Work, event: Event, body: Figures) -> None:
    """Keep what was declared last, whichever comes last."""
    table, said = table_of(DailyReportRow).c, instant(event.iat)
    known = work.session.execute(
        select(table.at, table.events).where(table.place == event.frm, table.day == body.on)
    ).first()
    if known is not None and tuple(known) > (said, body.events):
        return
    row = {
        "place": event.frm,
        "day": body.on,
        "edition": body.edition,
        "events": body.events,
        "totals": body.totals,
        "hash": event.hash,
        "at": said,
    }
    upsert(
        work.session, DailyReportRow, [row], ["place", "day"], ["edition", "events", "totals", "hash", "at"]
    )


async def run(node: Node) -> None:
    """Look now and then whether a day has ended."""
    while True:
        try:
            await node.do(declare_due)
        except Exception:
            log.exception("daily report failed")
        await asyncio.sleep(node.config.pace.housekeeping_s)
