"""The one writer of a database: functions wait in a queue and are committed in groups.

One rule: a function's caller hears of it only when its transaction is committed, or when nothing of it is.

One transaction takes the functions that wait together. The first runs in the bare transaction, each
later one in a savepoint of its own, so that a failure neither loses nor commits its neighbours. When a
whole group is lost (lock, serialisation, lost connection, refused commit), each of its functions
runs again, alone. Unless the connection was lost while PostgreSQL was asked to commit: then it is asked, on a
new connection, what became of that transaction.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlmodel import Session

from node.engines import Workers, forget_pages, name_of, was_kept
from node.errors import InDoubt

if TYPE_CHECKING:
    from concurrent.futures import Future

GROUP_LIMIT = 64
GROUP_S = 0.02
"""A group takes in no further function once it is this old, so that its first does not wait for long."""

ATTEMPTS = 5
FIRST_PAUSE_S = 0.01

DOUBT_S = 20.0
"""How long a database that is away is asked again what became of a transaction: a restart takes seconds."""

Act = Callable[[Session], Any]
Callback = Callable[[], object]

_log = logging.getLogger(__name__)


class _Acting(Session):
    """What a function is given: a Session without the power to end the transaction."""

    def commit(self) -> None:
        raise RuntimeError("a function given to write() must not commit")

    def rollback(self) -> None:
        raise RuntimeError("a function given to write() must not roll back; raise instead")


class _Lost(Exception):
    """The transaction ended under a function: whatever the group did is undone."""


class Job:
    """One function, and who waits for its answer: a task of `loop`, or a blocked thread."""

    __slots__ = ("alone", "attempts", "callbacks", "error", "fn", "future", "loop", "result")

    def __init__(
        self,
        fn: Act,
        future: "asyncio.Future[Any] | Future[Any]",
        loop: asyncio.AbstractEventLoop | None,
    ) -> None:
        self.fn = fn
        self.future = future
        self.loop = loop
        self.attempts = 0
        self.alone = False
        self.result: Any = None
        self.error: BaseException | None = None
        self.callbacks: dict[Callback, None] = {}

    def run(self, connection: Connection) -> None:
        """Keep what `fn` answers in this transaction; raises what it raises."""
        session = _Acting(connection, expire_on_commit=False, join_transaction_mode="rollback_only")
        try:
            self.result = self.fn(session)
            session.flush()
            self.callbacks = session.info.get("after_commit", {})
        finally:
            session.close()

    def run_apart(self, connection: Connection) -> None:
        """`run` in a savepoint, which is undone if it raises; `_Lost` if there is no making or undoing it."""
        raw = (
            connection.connection
        )  # the driver itself: SQLAlchemy's nested transaction costs eight times as much
        try:
            raw.execute("SAVEPOINT job")
        except Exception as broken:
            raise _Lost from broken
        try:
            self.run(connection)
            raw.execute("RELEASE job")
        except BaseException as error:
            try:
                raw.execute("ROLLBACK TO job")
            except Exception as broken:
                raise _Lost from broken
            raise error from None

    def answer(self) -> None:
        """Hand the result or the error to who waits."""
        if self.future.cancelled():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class Writer:
    """The queue of one database and the connection that writes it."""

    def __init__(self, engine: Engine, workers: Workers) -> None:
        self._engine = engine
        self._workers = workers
        self._queue: deque[Job] = deque()
        self._state = threading.Condition()
        self._busy = False
        self._closed = False
        self._connection: Connection | None = None
        self._thread = 0

    def put(self, job: Job) -> None:
        """Queue `job`; RuntimeError when closed, or when a function that writes asks for another to be run."""
        if threading.get_ident() == self._thread:
            raise RuntimeError("a function given to write() must not write again: call the other function")
        with self._state:
            if self._closed:
                raise RuntimeError(f"database is closed: {self._engine.url!r}")
            self._queue.append(job)
            if not self._busy:
                self._busy = True
                self._workers.writers.submit(self._drain)

    def give_back(self) -> None:
        """Let an idle connection forget the pages it has kept."""
        with self._state:
            if not self._busy and self._connection is not None:
                forget_pages(self._connection)

    def close(self) -> None:
        """Write what waits, then end the connection."""
        with self._state:
            self._closed = True
            self._state.wait_for(lambda: not self._busy)
        self._drop()

    def _drain(self) -> None:
        """One group, then back to the end of the line of all databases that share the workers."""
        self._thread = threading.get_ident()
        try:
            _deliver(self._group())
        except BaseException:  # noqa: BLE001 - the edge of the loop
            _log.exception("writer of %r", self._engine.url)
        if self._workers.crowded and not self._queue:
            self._drop()  # another connection costs a millisecond; this one would keep its memory for good
        self._thread = 0
        with self._state:
            if self._queue:
                self._workers.writers.submit(self._drain)
            else:
                self._busy = False
                self._state.notify_all()

    def _group(self) -> list[Job]:
        """Run waiting functions in one transaction; those that have an answer: committed, or refused."""
        done: list[Job] = []
        refused: list[Job] = []
        name = ""
        waiting = self._waiting()
        guilty = first = next(waiting, None)
        if first is None:
            return []
        try:
            connection = self._open()
            with connection.begin():
                for job in chain([first], waiting):
                    guilty = job
                    try:
                        if done:
                            job.run_apart(connection)
                        else:
                            job.run(connection)
                    except BaseException as error:
                        if not done or passing(error) or isinstance(error, _Lost):
                            raise
                        job.error = error
                        refused.append(job)
                    else:
                        done.append(job)
                guilty = done[0] if len(done) == 1 else None
                name = name_of(connection)
        except BaseException as error:  # noqa: BLE001 - each caller gets it, or its function runs again
            done, undone = self._after(name, done, guilty, error)
            refused += undone
        return done + refused

    def _after(
        self, name: str, done: list[Job], guilty: Job | None, error: BaseException
    ) -> tuple[list[Job], list[Job]]:
        """When a transaction ended with `error`: what is committed nevertheless, and what is refused."""
        if name and isinstance(error, DBAPIError):  # in its last statement, the commit
            try:
                if self._was_kept(name):
                    return done, []
            except InDoubt as doubt:
                for job in done:
                    job.error = doubt
                return [], done
        return [], self._undone(done, guilty, error)

    def _was_kept(self, name: str) -> bool:
        """What became of a transaction whose commit nobody answered; InDoubt if the database stays away.

        The question is asked in a writing transaction, which begins only when the other has ended.
        """
        until = time.monotonic() + DOUBT_S
        while True:
            self._drop()
            try:
                connection = self._open()
                with connection.begin():
                    return was_kept(connection, name)
            except DBAPIError as error:
                if time.monotonic() > until:
                    _log.error(
                        "transaction %s of %r: committed or not, nobody can say", name, self._engine.url
                    )
                    raise InDoubt from error
                time.sleep(FIRST_PAUSE_S * 10)

    def _waiting(self) -> Iterator[Job]:
        """The next functions of this group."""
        end = time.perf_counter() + GROUP_S
        for nth in range(GROUP_LIMIT):
            if not self._queue or (nth and (self._queue[0].alone or time.perf_counter() > end)):
                return
            job = self._queue.popleft()
            if job.future.cancelled():
                continue
            yield job
            if job.alone:
                return

    def _undone(self, done: list[Job], guilty: Job | None, error: BaseException) -> list[Job]:
        """After a rollback: put back what may run again; those that are refused."""
        retry = passing(error) or isinstance(error, _Lost)
        if retry:
            self._drop()
        refused = []
        jobs = done if guilty is None or guilty in done else [*done, guilty]
        for job in reversed(jobs):
            job.attempts += 1
            job.alone = True
            if job.attempts < ATTEMPTS and (retry or job is not guilty):
                self._queue.appendleft(job)
            else:
                job.error = error
                refused.append(job)
        if retry and jobs:
            time.sleep(FIRST_PAUSE_S * 2 ** min(job.attempts for job in jobs))
        return refused

    def _open(self) -> Connection:
        if self._connection is None or self._connection.invalidated:
            self._drop()
            self._workers.prepare(self._engine)
            self._connection = self._engine.connect()
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def passing(error: BaseException) -> bool:
    """Whether it will pass by itself: locks, serialisation, a database that is away or went away.

    What is named by its hash, as mail is, may then be done again, also when it is in doubt.
    """
    if isinstance(error, InDoubt):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    sqlite_code = getattr(error.orig, "sqlite_errorcode", None)
    if sqlite_code is not None:
        return sqlite_code & 0xFF in {5, 6}  # SQLITE_BUSY, SQLITE_LOCKED
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        return isinstance(
            error, OperationalError
        )  # PostgreSQL was not reached: no server has given it a state
    return state[:2] in {"08", "40"} or state in {"55P03", "57P01", "57P02", "57P03"}


def _deliver(jobs: list[Job]) -> None:
    """Answers and callbacks, one call into each event loop that waits."""
    loops = {job.loop for job in jobs}
    for loop in loops:
        mine = [job for job in jobs if job.loop is loop]
        if loop is None:
            _answer(mine)
            continue
        try:
            loop.call_soon_threadsafe(partial(_answer, mine))
        except RuntimeError:
            _log.warning("the event loop ended before %d writes were answered", len(mine))


def _answer(jobs: list[Job]) -> None:
    callbacks: dict[Callback, None] = {}
    for job in jobs:
        if job.error is None:
            callbacks.update(job.callbacks)
        job.answer()
    for callback in callbacks:
        try:
            callback()
        except Exception:  # noqa: BLE001 - one callback must not hold up the others
            _log.exception("callback after commit: %r", callback)
