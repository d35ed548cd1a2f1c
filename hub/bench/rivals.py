"""Two simpler receivers that write the very same rows, one event at a time with a commit each.

One rule: they are written as well as their way allows: the same verification, the same lifecycle and policy, the
same database settings, one connection kept open. `Naive` uses the ORM as its manual shows; `Careful` prepares its
Core statements once.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Insert, bindparam, insert, select
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Session, SQLModel

from hub.bench.meter import Meter, Spent
from hub.bench.stage import Desk, online, opened
from node.cases.model import CaseRow, to_case, to_values
from node.cases.permits import permit
from node.cases.steps import places_of, read_step
from node.db import Workers, table_of
from node.exchange.model import ChannelRow, EventRow, EventState, StatementRow
from node.figures.cubes import measures
from node.figures.model import MEASURES, DayPlaceRow, MonthItemRow, MonthTierRow
from node.node import Node
from node.work import Work
from protocol import subjects
from protocol.lifecycle import Case, Step, advance, begin
from protocol.verify import Verified, open_parcel

Key = dict[str, Any]


async def run(desk: Desk, way: str, count: int) -> Spent:
    """`count` messages of one event each: fetch, verify, rows, commit, acknowledge, and then the next."""
    with opened(desk) as node:
        workers = Workers(writers=1, readers=1)
        _, engine = workers.engines(node.db.url)
        workers.prepare(engine)
        with engine.connect() as connection:
            receiver = {"naive": Naive, "careful": Careful}[way](node, connection)
            async with online(node):
                taken = 0
                with Meter() as meter:
                    while taken < count:
                        for delivery in await node.bus.fetch("MAIL", 1, 5.0):
                            receiver.take(delivery.data, subjects.parse_mail(delivery.subject).src)
                            await node.bus.ack([delivery])
                            taken += 1
        workers.close()
        return meter.spent(taken)


class _OneByOne:
    """What both share: the node's knowledge, and its policy."""

    def __init__(self, node: Node, connection: Connection) -> None:
        self._node = node
        self._connection = connection
        self._unused = Session(connection)

    def take(self, data: bytes, source: str) -> None:
        """One parcel of one event, applied and committed."""
        know, now = self._node.know, self._node.clock()
        for one in open_parcel(data, know.ring, know.place, now, source).verified:
            self._commit(one, Work(self._unused, know, now, lambda: None))

    def _commit(self, one: Verified, work: Work) -> None:
        raise NotImplementedError

    def _step(self, work: Work, before: Case | None, one: Verified) -> tuple[Step, Case]:
        """The step and the case after it, allowed by lifecycle and catalogue."""
        step = read_step(one.event)
        permit(work, before, step)
        return step, begin(step) if before is None else advance(before, step)

    def _event_row(self, one: Verified, seq: int, work: Work) -> dict[str, Any]:
        event = one.event
        assert event.case is not None
        return {
            "frm": event.frm, "ep": event.ep, "ord": seq, "hash": event.hash, "kind": event.kind,
            "case_no": event.case.no, "n": event.case.n, "cat": event.cat, "statement": one.statement.hash,
            "state": EventState.APPLIED, "rule": "", "reason": "", "raw": event.raw, "at": work.now,
        }  # fmt: skip

    def _case_row(self, work: Work, case: Case) -> dict[str, Any]:
        county, township = places_of(work, case.origin)
        return {**to_values(case), "county": county, "township": township, "changed_at": work.now}

    def _cubes(self, work: Work, after: Case, step: Step) -> list[tuple[type[SQLModel], Key]]:
        roster, day = work.know.roster, step.body.on
        month, county = f"{day:%Y-%m}", roster.hub_of(after.origin).code
        tier = int(roster[step.frm].tier)
        return [
            (DayPlaceRow, {"day": day, "place": step.frm}),
            (MonthItemRow, {"month": month, "county": county, "item": after.item}),
            (MonthTierRow, {"month": month, "county": county, "tier": tier}),
        ]


class Naive(_OneByOne):
    """The ORM for everything: get, change, add, commit."""

    def _commit(self, one: Verified, work: Work) -> None:
        with Session(self._connection) as session:
            self._apply(session, one, work)
            session.commit()

    def _apply(self, session: Session, one: Verified, work: Work) -> None:
        event, seq = one.event, one.event.seq_for(work.me) or 0
        assert event.case is not None
        if session.get(EventRow, (event.frm, event.ep, seq)) is not None:
            return
        row = session.get(CaseRow, event.case.no)
        before = to_case(row) if row is not None else None  # type: ignore[arg-type]
        step, after = self._step(work, before, one)
        values = self._case_row(work, after)
        if row is None:
            session.add(CaseRow(**values))
        else:
            row.sqlmodel_update(values)
        session.add(EventRow(**self._event_row(one, seq, work)))
        if session.get(StatementRow, one.statement.hash) is None:
            session.add(StatementRow(hash=one.statement.hash, line=one.statement.line))
        found = measures(before, after, step)
        for model, key in self._cubes(work, after, step) if found else ():
            _count(session, model, key, found)
        self._channel(session, event.frm, event.ep, seq, work)

    def _channel(self, session: Session, frm: str, ep: str, seq: int, work: Work) -> None:
        channel = session.get(ChannelRow, (frm, ep)) or ChannelRow(frm=frm, ep=ep)
        channel.highest = max(channel.highest, seq)
        if seq == channel.upto + 1:
            channel.upto = seq
        channel.changes += 1
        channel.last_at = work.now
        session.add(channel)


def _count(session: Session, model: type[SQLModel], key: Key, found: list[str]) -> None:
    row = session.get(model, tuple(key.values())) or model(**key)
    for name in found:
        setattr(row, name, getattr(row, name) + 1)
    session.add(row)


class Careful(_OneByOne):
    """Core statements, made once."""

    def __init__(self, node: Node, connection: Connection) -> None:
        super().__init__(node, connection)
        event, case, channel = (table_of(model) for model in (EventRow, CaseRow, ChannelRow))
        self._here = select(event.c.ord).where(
            event.c.frm == bindparam("f"), event.c.ep == bindparam("e"), event.c.ord == bindparam("o")
        )
        self._case = select(case).where(case.c.no == bindparam("no"))
        self._known = select(channel.c.upto, channel.c.highest, channel.c.changes).where(
            channel.c.frm == bindparam("f"), channel.c.ep == bindparam("e")
        )
        self._put_event = insert(event)
        self._put_statement = sqlite_insert(table_of(StatementRow)).on_conflict_do_nothing()
        self._put_case = _upsert(CaseRow, ["no"])
        self._put_channel = _upsert(ChannelRow, ["frm", "ep"])
        self._add: dict[type[SQLModel], Insert] = {
            model: _adding(model) for model in (DayPlaceRow, MonthItemRow, MonthTierRow)
        }

    def _commit(self, one: Verified, work: Work) -> None:
        with self._connection.begin():
            self._apply(one, work)

    def _apply(self, one: Verified, work: Work) -> None:
        say, event, seq = self._connection.execute, one.event, one.event.seq_for(work.me) or 0
        assert event.case is not None
        if say(self._here, {"f": event.frm, "e": event.ep, "o": seq}).first():
            return
        row = say(self._case, {"no": event.case.no}).first()
        before = to_case(row) if row is not None else None
        step, after = self._step(work, before, one)
        say(self._put_case, self._case_row(work, after))
        say(self._put_event, self._event_row(one, seq, work))
        say(self._put_statement, {"hash": one.statement.hash, "line": one.statement.line})
        found = measures(before, after, step)
        for model, key in self._cubes(work, after, step) if found else ():
            say(self._add[model], {**key, **{name: found.count(name) for name in MEASURES}})
        self._channel(event.frm, event.ep, seq, work)

    def _channel(self, frm: str, ep: str, seq: int, work: Work) -> None:
        known = self._connection.execute(self._known, {"f": frm, "e": ep}).first()
        upto, highest, changes = known or (0, 0, 0)
        values: Mapping[str, Any] = {
            "frm": frm, "ep": ep, "upto": seq if seq == upto + 1 else upto, "highest": max(highest, seq),
            "changes": changes + 1, "last_at": work.now,
        }  # fmt: skip
        self._connection.execute(self._put_channel, values)


def _upsert(model: type[SQLModel], keys: list[str]) -> Insert:
    made = sqlite_insert(table_of(model))
    rest = {name: made.excluded[name] for name in table_of(model).c.keys() if name not in keys}  # noqa: SIM118
    return made.on_conflict_do_update(index_elements=keys, set_=rest)


def _adding(model: type[SQLModel]) -> Insert:
    table = table_of(model)
    made = sqlite_insert(table)
    keys = [column.name for column in table.primary_key]
    return made.on_conflict_do_update(
        index_elements=keys, set_={name: table.c[name] + made.excluded[name] for name in MEASURES}
    )
