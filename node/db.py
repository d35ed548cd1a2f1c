"""One node's database: plain functions in, one writer, group commit; SQLite or PostgreSQL by its address.

One rule: only `write` changes anything. A function given to it runs whole inside one transaction, may be
run again from its start, and never commits or rolls back itself.

No database owns a thread: hundreds share one `Workers`.
"""

import asyncio
import shutil
import tempfile
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self, TypeVar

from sqlalchemy import URL, Connection, Engine, make_url
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from node import schema
from node.engines import Workers, forget_pages, is_memory
from node.rows import Instant, insert_all, insert_ignore, partial_index, table_of, upsert
from node.writer import Job, Writer

__all__ = [
    "Database",
    "Instant",
    "Workers",
    "after_commit",
    "insert_all",
    "insert_ignore",
    "partial_index",
    "table_of",
    "upsert",
]

T = TypeVar("T")


def after_commit(session: Session, callback: Callable[[], object]) -> None:
    """Call `callback` once what this session writes is committed, on the event loop of `write`'s caller.

    Equal callbacks of one group run once: `after_commit(session, wake.set)` is cheap to repeat.
    After `write_now` it runs on the writing thread.
    """
    session.info.setdefault("after_commit", {})[callback] = None


class Database:
    """The database at `url`. Opened by its first use; `close()` ends it.

    `sqlite://` (memory) is a file in a temporary folder that goes with the Database: several connections
    to memory would see each other's unfinished work.

    `workers` is shared by the databases of one process; without it this one makes its own.
    """

    def __init__(self, url: str, workers: Workers | None = None) -> None:
        self.url = url
        address = make_url(url)
        self._forget: Callable[[], object] = int
        if is_memory(address):
            folder = tempfile.mkdtemp(prefix="liandong")
            self._forget = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            address = URL.create("sqlite", database=f"{folder}/node.db", query={"synchronous": "OFF"})
        self._own = Workers(writers=1, readers=2) if workers is None else None
        self._workers = workers or self._own or Workers()
        self._reading, self._writing = self._workers.engines(address)
        self._writer = Writer(self._writing, self._workers)
        self._readers: deque[Connection] = deque()
        self._closed = False

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._reading.dialect.name

    def read(self, fn: Callable[[Session], T]) -> T:
        """What `fn` finds in one snapshot, on this thread: for short queries of pages and the API."""
        try:
            return self._read(fn)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        self._let_go()  # the server was restarted, and has left none of them: a new one, one more try
        return self._read(fn)

    async def read_slow(self, fn: Callable[[Session], T]) -> T:
        """What `fn` finds in one snapshot, on a reading thread: for exports and searches."""
        return await asyncio.get_running_loop().run_in_executor(self._workers.readers, self.read, fn)

    async def write(self, fn: Callable[[Session], T]) -> T:
        """The answer of `fn` once its transaction is committed; its exception if it raised.

        Cancelled while it waits, `fn` is not run; cancelled later, it may have been.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._writer.put(Job(fn, future, loop))
        return await future

    def write_now(self, fn: Callable[[Session], T]) -> T:
        """`write` for code without an event loop (command line, set-up): blocks until committed."""
        future: Future[T] = Future()
        self._writer.put(Job(fn, future, None))
        return future.result()

    def upgrade(self, package: str = "node") -> None:
        """Bring the tables of `package` to what the installed code needs; quick when they are."""
        if self.read(lambda session: schema.revision_of(session.connection(), package)) == schema.head_of(
            package
        ):
            return
        with self.reshape() as connection:
            schema.upgrade(connection, package)

    @contextmanager
    def reshape(self) -> Iterator[Connection]:
        """A writing transaction of its own for changes of tables.

        SQLite rebuilds a table to change it, which must not cascade into the rows that refer to it:
        foreign keys rest meanwhile and are checked before the commit.
        """
        with _connect(self._writing, self._workers) as connection:
            sqlite = self.dialect == "sqlite"
            if sqlite:
                connection.connection.execute("PRAGMA foreign_keys=OFF")
            with connection.begin():
                yield connection
                broken = sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
                if broken:
                    raise RuntimeError(f"rows refer to nothing after the migration: {broken[:5]}")

    def give_back(self) -> None:
        """Let connections that nobody uses forget the pages they have kept: megabytes after a large piece of work."""
        self._writer.give_back()
        for _ in range(len(self._readers)):
            with suppress(IndexError):  # somebody on another thread has taken it meanwhile
                connection = self._readers.pop()
                forget_pages(connection)
                self._readers.appendleft(connection)

    def close(self) -> None:
        """Write what waits, then let go of files, connections and own threads."""
        self._closed = True
        self._writer.close()
        self._let_go()
        if self._own is not None:
            self._own.close()
        self._forget()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self, fn: Callable[[Session], T]) -> T:
        connection = self._reader()
        try:
            with connection.begin() as transaction:
                with Session(connection, expire_on_commit=False, autoflush=False) as session:
                    found = fn(session)
                transaction.rollback()
        except BaseException:
            connection.close()
            raise
        if self._closed or len(self._readers) >= (1 if self._workers.crowded else 2):
            connection.close()
        else:
            if self._workers.crowded:
                forget_pages(connection)
            self._readers.append(connection)
        return found

    def _let_go(self) -> None:
        """Close the reading connections that nobody uses."""
        with suppress(IndexError):
            while True:
                self._readers.pop().close()

    def _reader(self) -> Connection:
        try:
            return self._readers.pop()
        except IndexError:
            return _connect(self._reading, self._workers)


def _connect(engine: Engine, workers: Workers) -> Connection:
    workers.prepare(engine)
    return engine.connect()
