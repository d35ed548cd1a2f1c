"""What every database promises, SQLite and PostgreSQL alike."""

import asyncio
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError
from sqlmodel import Field, Session, SQLModel

from node.db import Database, Instant, Workers, after_commit, insert_all, insert_ignore, table_of, upsert
from node.errors import InDoubt
from node.writer import passing
from tests.postgres import Cutter

pytestmark = pytest.mark.every_database


class Parcel(SQLModel, table=True):
    __tablename__ = "contract_parcels"

    no: str = Field(primary_key=True)
    count: int = 0
    at: datetime | None = Field(default=None, sa_type=Instant)
    raw: bytes | None = None
    body: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    ok: bool | None = None


PARCELS = table_of(Parcel)


@pytest.fixture
def db(database: Database) -> Database:
    database.write_now(lambda session: PARCELS.create(session.connection()))
    return database


def add(no: str):
    def act(session: Session) -> str:
        session.add(Parcel(no=no))
        return no

    return act


def one_more(session: Session) -> None:
    session.execute(update(PARCELS).values(count=PARCELS.c.count + 1))


def numbers(db: Database) -> list[str]:
    return db.read(lambda session: list(session.scalars(select(PARCELS.c.no).order_by(PARCELS.c.no))))


def refuse(session: Session) -> None:
    add("refused")(session)
    session.flush()
    raise ValueError("no")


async def test_what_is_written_is_read(db: Database) -> None:
    assert await db.write(add("a")) == "a"
    assert numbers(db) == ["a"]
    assert await db.read_slow(lambda session: session.get(Parcel, "a").count) == 0


async def test_a_refused_function_leaves_nothing_and_only_its_caller_hears(db: Database) -> None:
    acts = [add("a"), refuse, add("b"), refuse, add("c")]
    answers = await asyncio.gather(*map(db.write, acts), return_exceptions=True)
    assert [str(answer) for answer in answers] == ["a", "no", "b", "no", "c"]
    assert numbers(db) == ["a", "b", "c"]


async def test_a_broken_statement_harms_no_neighbour(db: Database) -> None:
    answers = await asyncio.gather(*(db.write(add(no)) for no in "aab"), return_exceptions=True)
    assert isinstance(answers[1], IntegrityError)
    assert numbers(db) == ["a", "b"]


async def test_waiting_functions_share_one_commit(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that wait while one runs are committed with it or together after it."""
    monkeypatch.setattr("node.writer.GROUP_S", 60)  # a busy machine may take long for ten functions
    running, go_on = threading.Event(), threading.Event()

    def hold(session: Session) -> None:
        running.set()
        go_on.wait(10)

    holding = asyncio.ensure_future(db.write(hold))
    await asyncio.to_thread(running.wait, 10)
    transactions = [asyncio.ensure_future(db.write(transaction_name)) for _ in range(10)]
    await asyncio.sleep(0)
    go_on.set()
    await holding
    assert len(set(await asyncio.gather(*transactions))) <= 2


def transaction_name(session: Session) -> str:
    if session.get_bind().dialect.name == "postgresql":
        return str(session.scalar(text("SELECT pg_current_xact_id()")))
    count = session.scalar(select(PARCELS.c.count).where(PARCELS.c.no == "transactions"))
    if count is None:  # seen by those that share the transaction
        session.connection().execute(insert(PARCELS).values(no="transactions", count=0))
    return "shared"


async def test_callbacks_run_after_commit_once_and_only_for_what_was_kept(db: Database) -> None:
    seen: list[list[str]] = []
    loop = asyncio.get_running_loop()
    threads: set[int] = set()

    def wake() -> None:
        threads.add(threading.get_ident())
        seen.append(numbers(db))

    def act(no: str):
        def inner(session: Session) -> None:
            after_commit(session, wake)
            after_commit(session, wake)
            (refuse if no == "x" else add(no))(session)

        return inner

    await asyncio.gather(*(db.write(act(no)) for no in "axb"), return_exceptions=True)
    await asyncio.sleep(0)
    assert seen[-1] == ["a", "b"]
    assert len(seen) <= 2
    assert threads == {threading.get_ident()}
    with pytest.raises(ValueError, match="no"):
        await db.write(act("x"))
    await asyncio.sleep(0)
    assert len(seen) <= 2
    assert loop.is_running()


async def test_a_failing_callback_harms_neither_write_nor_others(db: Database, caplog) -> None:
    called: list[int] = []

    def act(session: Session) -> None:
        after_commit(session, lambda: 1 / 0)
        after_commit(session, lambda: called.append(1))

    await db.write(act)
    await asyncio.sleep(0)
    assert called == [1]
    assert "ZeroDivisionError" in caplog.text


async def test_functions_cannot_end_the_transaction(db: Database) -> None:
    for act in (lambda session: session.commit(), lambda session: session.rollback()):
        with pytest.raises(RuntimeError, match="must not"):
            await db.write(act)


async def test_a_function_may_try_a_part_and_go_on(db: Database) -> None:
    def act(session: Session) -> None:
        for no in "aab":
            try:
                with session.begin_nested():
                    insert_all(session, Parcel, [{"no": no, "count": 0}])
            except IntegrityError:
                insert_all(session, Parcel, [{"no": "again", "count": 0}])

    await asyncio.gather(db.write(act), db.write(add("c")))
    assert numbers(db) == ["a", "again", "b", "c"]


async def test_a_function_that_waits_for_another_is_refused_not_stuck(db: Database) -> None:
    with pytest.raises(RuntimeError, match="must not write again"):
        await db.write(lambda session: db.write_now(add("a")))


async def test_reading_cannot_write(db: Database) -> None:
    with pytest.raises(DBAPIError):
        db.read(lambda session: session.connection().execute(insert(PARCELS).values(no="a", count=0)))
    await db.write(add("b"))
    assert numbers(db) == ["b"]


async def test_a_reader_sees_one_snapshot(db: Database) -> None:
    await db.write(add("a"))

    def both(session: Session) -> tuple[int, int]:
        first = len(session.scalars(select(PARCELS.c.no)).all())
        other = threading.Thread(target=db.write_now, args=(add("b"),))
        other.start()
        other.join()
        return first, len(session.scalars(select(PARCELS.c.no)).all())

    assert db.read(both) == (1, 1)
    assert numbers(db) == ["a", "b"]


async def test_a_cancelled_write_that_waits_is_not_run(db: Database) -> None:
    running, go_on = threading.Event(), threading.Event()

    def hold(session: Session) -> None:
        running.set()
        go_on.wait(10)

    holding = asyncio.ensure_future(db.write(hold))
    await asyncio.to_thread(running.wait, 10)
    waiting = asyncio.ensure_future(db.write(add("a")))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.sleep(0)
    go_on.set()
    await holding
    await db.write(add("b"))
    assert numbers(db) == ["b"]


async def test_memory_may_be_given_back_at_any_moment(db: Database) -> None:
    for no in "abc":
        pending = [asyncio.ensure_future(db.write(add(f"{no}{at}"))) for at in range(20)]
        db.give_back()
        reading = db.read_slow(lambda session: session.scalar(select(func.count()).select_from(PARCELS)))
        db.give_back()
        await asyncio.gather(reading, *pending)
        db.give_back()
    assert len(numbers(db)) == 60


async def test_upsert_and_insert_ignore(db: Database) -> None:
    rows = [{"no": str(n), "count": n, "at": None, "raw": bytes([n])} for n in (1, 2)]
    await db.write(lambda session: upsert(session, Parcel, rows, ["no"], ["count"]))
    again = [{**row, "count": row["count"] * 10, "raw": b"new"} for row in rows]
    await db.write(lambda session: upsert(session, Parcel, again, ["no"], ["count"]))
    assert await db.write(lambda session: insert_ignore(session, Parcel, again)) == 0
    fresh = {"no": "3", "count": 3, "at": None, "raw": None}
    assert await db.write(lambda session: insert_ignore(session, Parcel, [*again, fresh])) == 1
    found = db.read(lambda session: session.execute(select(PARCELS).order_by(PARCELS.c.no)).all())
    assert [(row.no, row.count, row.raw) for row in found] == [
        ("1", 10, b"\x01"),
        ("2", 20, b"\x02"),
        ("3", 3, None),
    ]


async def test_upsert_adds_and_takes_a_repeated_key_twice(db: Database) -> None:
    rows = [
        {"no": "a", "count": 1, "raw": b"1"},
        {"no": "b", "count": 10, "raw": b"1"},
        {"no": "a", "count": 2, "raw": b"2"},
    ]
    for _ in range(2):
        await db.write(lambda session: upsert(session, Parcel, rows, ["no"], ["raw"], add=["count"]))
    found = db.read(lambda session: session.execute(select(PARCELS).order_by(PARCELS.c.no)).all())
    assert [(row.no, row.count, row.raw) for row in found] == [("a", 6, b"2"), ("b", 20, b"1")]


async def test_rows_at_once_keep_every_type(db: Database) -> None:
    at = datetime(2026, 3, 1, 7, 30, 0, 1, tzinfo=UTC)
    row = {"no": "一", "count": -(2**31), "at": at, "raw": b"\x00\xff", "body": {"名": [1, None]}, "ok": True}
    none = {"no": "二", "count": 0, "at": None, "raw": None, "body": None, "ok": False}
    await db.write(lambda session: insert_all(session, Parcel, [row, none]))
    await db.write(lambda session: insert_all(session, Parcel, [{**none, "no": "三"}]))
    found = db.read(lambda session: session.execute(select(PARCELS)).mappings().all())
    assert [dict(each) for each in found] == [row, none, {**none, "no": "三"}]
    with pytest.raises(IntegrityError):
        await db.write(lambda session: insert_all(session, Parcel, [row]))


async def test_instants_are_aware_and_utc(db: Database) -> None:
    shanghai = timezone(timedelta(hours=8))
    at = datetime(2026, 3, 1, 7, 30, 0, 123456, tzinfo=shanghai)
    await db.write(lambda session: session.add(Parcel(no="a", at=at)))
    found = db.read(lambda session: session.get(Parcel, "a")).at
    assert found == at
    assert found.tzinfo is UTC
    with pytest.raises(StatementError, match="时区"):
        await db.write(lambda session: session.add(Parcel(no="b", at=datetime(2026, 3, 1))))  # noqa: DTZ001


async def test_two_processes_may_write_in_turn(database_url: str, db: Database, workers: Workers) -> None:
    """As when the command line adds an officer while the node serves."""
    await db.write(lambda session: session.add(Parcel(no="a", count=0)))

    def count(session: Session) -> None:
        seen = session.scalar(select(PARCELS.c.count))
        session.connection().execute(update(PARCELS).values(count=seen + 1))

    with Database(database_url, workers) as other:
        await asyncio.gather(*(which.write(count) for which in [db, other] * 20))
    assert db.read(lambda session: session.scalar(select(PARCELS.c.count))) == 40


async def test_closed_means_written_and_refused_after(database_url: str) -> None:
    with Database(database_url) as own:
        own.write_now(lambda session: PARCELS.create(session.connection()))
        writes = [asyncio.ensure_future(own.write(add(f"{n:03}"))) for n in range(100)]
        await asyncio.sleep(0)
    assert len(await asyncio.gather(*writes)) == 100
    with pytest.raises(RuntimeError, match="closed"):
        await own.write(add("late"))
    with Database(database_url) as again:
        assert len(numbers(again)) == 100


async def test_many_databases_share_two_threads(tmp_path) -> None:
    before = threading.active_count()
    shared = Workers(writers=2, readers=1)
    fleet = [Database(f"sqlite:///{tmp_path / str(n)}.db", shared) for n in range(40)]
    await asyncio.gather(*(one.write(lambda session: PARCELS.create(session.connection())) for one in fleet))
    await asyncio.gather(*(one.write(add(str(n))) for one in fleet for n in range(3)))
    assert threading.active_count() - before <= 3
    assert all(numbers(one) == ["0", "1", "2"] for one in fleet)
    for one in fleet:
        one.close()
    shared.close()


async def test_a_locked_file_is_waited_for_and_the_whole_function_runs_again(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.engines.BUSY_MS", 1)
    path = tmp_path / "node.db"
    with Database(f"sqlite:///{path}") as own, closing(sqlite3.connect(path, isolation_level=None)) as other:
        own.write_now(lambda session: PARCELS.create(session.connection()))
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.ensure_future(own.write(add("a")))
        await asyncio.sleep(0.03)
        other.execute("COMMIT")
        assert await waiting == "a"
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DBAPIError, match="locked"):
            await own.write(add("b"))
        other.execute("COMMIT")
        await own.write(add("c"))
        assert numbers(own) == ["a", "c"]


async def test_another_writer_is_waited_for_and_not_for_ever(
    postgres, postgres_template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.engines.BUSY_MS", 10)
    url = postgres.create(postgres_template)
    with Database(url) as own, Database(url) as other:
        own.write_now(lambda session: PARCELS.create(session.connection()))
        begun, enough = threading.Event(), threading.Event()

        def dawdle(_: Session) -> bool:
            begun.set()
            return enough.wait(10)

        dawdling = asyncio.ensure_future(other.write(dawdle))
        await asyncio.to_thread(begun.wait)
        with pytest.raises(DBAPIError, match="lock timeout"):
            await own.write(add("a"))
        enough.set()
        assert await dawdling
        await own.write(add("b"))
        assert numbers(own) == ["b"]


async def test_a_transaction_that_ends_under_a_group_is_run_again_one_by_one(db: Database) -> None:
    """As when SQLite rolls back by itself on a full disk."""

    def break_it(session: Session) -> None:
        session.connection().connection.rollback()
        raise ValueError("broken")

    acts = [add("a"), add("b"), break_it, add("c")]
    answers = await asyncio.gather(*map(db.write, acts), return_exceptions=True)
    assert [answer for answer in answers if isinstance(answer, str)] == ["a", "b", "c"]
    assert isinstance(answers[2], Exception)
    assert numbers(db) == ["a", "b", "c"]


async def test_a_restarted_server_is_found_again(postgres, postgres_template: str) -> None:
    with Database(postgres.create(postgres_template)) as own:
        await own.write(lambda session: PARCELS.create(session.connection()))
        assert numbers(own) == []
        postgres.restart()
        assert numbers(own) == []
        assert await own.write(add("a")) == "a"
        assert numbers(own) == ["a"]


async def test_several_readers_find_a_restarted_server_again(postgres, postgres_template: str) -> None:
    with Database(postgres.create(postgres_template)) as own:
        await own.write(lambda session: PARCELS.create(session.connection()))
        both = threading.Barrier(2)

        def meet(session: Session) -> int:
            found = session.scalar(select(func.count()).select_from(PARCELS))
            both.wait(10)
            return int(found or 0)

        assert await asyncio.gather(own.read_slow(meet), own.read_slow(meet)) == [0, 0]
        postgres.restart()
        assert numbers(own) == []


async def test_a_connection_lost_between_two_functions_harms_neither(
    postgres, postgres_template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.writer.GROUP_S", 60)
    url = postgres.create(postgres_template)
    with Database(url) as own:
        await own.write(lambda session: PARCELS.create(session.connection()))
        cuts = 1

        def cut_off(session: Session) -> str:
            nonlocal cuts
            session.execute(insert(PARCELS).values(no="a", count=0))
            if cuts:
                cuts -= 1
                postgres.disconnect(url)
            return "a"

        assert await asyncio.gather(*map(own.write, [cut_off, add("b"), add("c")])) == ["a", "b", "c"]
        assert numbers(own) == ["a", "b", "c"]


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_connection_lost_while_it_commits_loses_and_doubles_nothing(
    postgres, postgres_template: str, moment: str
) -> None:
    """The caller hears of it once, whether the server had committed or not."""
    url = postgres.create(postgres_template)
    with closing(Cutter(postgres)) as road, Database(road.url(url)) as own:
        await own.write(lambda session: PARCELS.create(session.connection()))
        await own.write(add("a"))
        road.cut = moment
        await own.write(one_more)
        assert road.cuts == 1
        assert own.read(lambda session: session.scalar(select(PARCELS.c.count))) == 1


async def test_a_database_that_stays_away_while_it_commits_leaves_doubt_and_says_so(
    postgres, postgres_template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.writer.DOUBT_S", 0.2)
    url = postgres.create(postgres_template)
    with closing(Cutter(postgres)) as road, Database(road.url(url)) as own:
        await own.write(lambda session: PARCELS.create(session.connection()))
        road.cut, road.last = "after", True
        with pytest.raises(InDoubt, match="可能已经保存") as doubt:
            await own.write(add("a"))
        with pytest.raises(DBAPIError) as away:
            await own.write(add("b"))
        assert passing(doubt.value)  # or the mail that was being stored would be put aside for it
        assert passing(away.value)
    with Database(url) as own:
        assert numbers(own) == ["a"]


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory"])
def test_a_memory_database_keeps_the_promises_and_goes_with_its_user(url: str, workers: Workers) -> None:
    with Database(url, workers) as own:
        own.write_now(lambda session: PARCELS.create(session.connection()))
        own.write_now(add("a"))
        assert numbers(own) == ["a"]
        path = Path(own.read(lambda session: session.scalar(text("SELECT file FROM pragma_database_list"))))
        assert path.exists()
    assert not path.parent.exists()


def test_other_addresses_are_refused() -> None:
    with pytest.raises(ValueError, match="mysql"):
        Database("mysql://x/y")
    with pytest.raises(ValueError, match="SOON"):
        Database("sqlite:////tmp/x.db?synchronous=soon")
