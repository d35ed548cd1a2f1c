"""How a database address becomes connections: SQLite (WAL) or PostgreSQL, one dialect for many databases.

One rule: everything here is shared by all the databases of a process through one `Workers`, and passed
in, never global. A compiled statement costs about 10 KB and half a millisecond; hundreds of nodes that
say the same SQL must not each pay for it.
"""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar, cast

import orjson
from sqlalchemy import URL, Connection, Engine, NullPool, make_url
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.util import LRUCache

BUSY_MS = 5_000
"""How long a connection waits for another process to let go of the lock that writing takes."""

CROWD = 16
"""From so many databases in one process on, each keeps little: an idle SQLite connection alone holds 0.2 to 2 MB."""

WRITER_LOCK = 0x4C44
"""PostgreSQL advisory lock that a writing transaction holds, so that there is one writer per database."""


def _dumps(value: object) -> str:
    return orjson.dumps(value).decode()


class _ReadConnection(sqlite3.Connection):
    begin_sql: ClassVar[str] = "BEGIN"


class _WriteConnection(sqlite3.Connection):
    # The lock is taken at once: a transaction that reads first and writes later could not be retried halfway.
    begin_sql: ClassVar[str] = "BEGIN IMMEDIATE"


class _Sqlite(SQLiteDialect_pysqlite):
    """pysqlite with explicit BEGIN, so that savepoints and read snapshots hold."""

    supports_statement_cache = True

    def do_begin(self, dbapi_connection: Any) -> None:
        dbapi_connection.execute(dbapi_connection.begin_sql)


def _sqlite_dialect() -> Dialect:
    return cast("Dialect", _Sqlite(dbapi=sqlite3, json_serializer=_dumps, json_deserializer=orjson.loads))


def _postgres_dialect() -> Dialect:
    import psycopg
    from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

    class _Postgres(PGDialect_psycopg):
        """psycopg whose writing transactions begin by taking the one writer's lock."""

        supports_statement_cache = True

        def do_begin(self, dbapi_connection: Any) -> None:
            if not dbapi_connection.read_only:
                dbapi_connection.execute("SELECT pg_advisory_xact_lock(%s)", (WRITER_LOCK,))

    return cast(
        "Dialect",
        _Postgres(  # type: ignore[no-untyped-call]
            dbapi=psycopg,
            json_serializer=_dumps,
            json_deserializer=orjson.loads,
            use_native_hstore=False,
        ),
    )


def name_of(connection: Connection) -> str:
    """The transaction's name for `was_kept`; "" where a commit cannot go unanswered, or nothing was written."""
    if connection.dialect.name != "postgresql":
        return ""
    return str(
        connection.exec_driver_sql("SELECT coalesce(pg_current_xact_id_if_assigned()::text, '')").scalar_one()
    )


def was_kept(connection: Connection, name: str) -> bool:
    """Whether the transaction of that name, which has ended, was committed."""
    status = "SELECT pg_xact_status(%(name)s::xid8) = 'committed'"
    return bool(connection.exec_driver_sql(status, {"name": name}).scalar_one())


def forget_pages(connection: Connection) -> None:
    """Let a SQLite connection that is in no transaction free its cache; the system keeps the file at hand."""
    if connection.dialect.name == "sqlite" and not connection.invalidated:
        connection.connection.execute("PRAGMA shrink_memory")


class Workers:
    """The threads, compiled statements and cache memory that the databases of one process share.

    Threads start when first needed; an idle `Workers` has none. `databases` is how many are expected: in a
    crowd connections keep a small page cache and few prepared statements, and a writer at rest keeps none.
    """

    def __init__(self, *, writers: int = 4, readers: int = 4, databases: int = 1) -> None:
        self.crowded = databases >= CROWD
        self.writers = ThreadPoolExecutor(writers, thread_name_prefix="write")
        self.readers = ThreadPoolExecutor(readers, thread_name_prefix="read")
        self._lock = Lock()
        self._dialects: dict[str, tuple[Dialect, LRUCache[Any, Any]]] = {}

    def engines(self, url: str | URL) -> tuple[Engine, Engine]:
        """The reading and the writing engine of the database at `url`; nothing is opened yet."""
        address = make_url(url)
        backend = address.get_backend_name()
        if backend not in {"sqlite", "postgresql"}:
            raise ValueError(f"只支持 sqlite 与 postgresql：{backend!r}")
        with self._lock:
            if backend not in self._dialects:
                make = _sqlite_dialect if backend == "sqlite" else _postgres_dialect
                self._dialects[backend] = (make(), LRUCache(1000))
            dialect, cache = self._dialects[backend]
        connect = _sqlite(address, self.crowded) if backend == "sqlite" else _postgres(address, dialect)
        read, write = (_engine(address, dialect, cache, connect, writes=writes) for writes in (False, True))
        return read, write

    def prepare(self, engine: Engine) -> None:
        """Let the dialect learn the server's version, once for all databases of its kind."""
        with self._lock:
            if engine.dialect.server_version_info is None:
                with engine.connect() as connection:
                    engine.dialect.initialize(connection)

    def close(self) -> None:
        """Stop the threads when what they run has ended."""
        self.writers.shutdown()
        self.readers.shutdown()


Connect = Callable[[bool], Any]


def is_memory(url: URL) -> bool:
    """Whether the address asks for a database that lives only as long as its user."""
    name = url.database or ""
    return url.get_backend_name() == "sqlite" and (
        name in {"", ":memory:"} or name.startswith("file:") or url.query.get("mode") == "memory"
    )


def _engine(
    url: URL, dialect: Dialect, cache: LRUCache[Any, Any], connect: Connect, *, writes: bool
) -> Engine:
    pool = NullPool(lambda: connect(writes), dialect=dialect)
    # Parameters may be names and identity numbers: they stay out of error texts, and so out of logs.
    return Engine(
        pool,
        dialect,
        url,
        query_cache_size=0,
        execution_options={"compiled_cache": cache},
        hide_parameters=True,
    )


def _sqlite(url: URL, crowded: bool) -> Connect:
    """Connections to one file, durable at each commit: `synchronous=FULL` unless the address says otherwise."""
    path = Path(url.database or "").absolute()
    synchronous = str(url.query.get("synchronous", "FULL")).upper()
    if synchronous not in {"OFF", "NORMAL", "FULL", "EXTRA"}:
        raise ValueError(f"synchronous 只能是 OFF、NORMAL、FULL、EXTRA：{synchronous!r}")

    def connect(writes: bool) -> sqlite3.Connection:
        # The system caches the file for all; only a writer must keep what it has changed until it commits.
        cache_kib = 64 if crowded else 2000 if writes else 500
        raw = sqlite3.connect(
            path,
            timeout=BUSY_MS / 1000,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=16 if crowded else 128,  # a prepared statement holds some KB
            factory=_WriteConnection if writes else _ReadConnection,
        )
        raw.execute("PRAGMA journal_mode=WAL")
        raw.execute(f"PRAGMA synchronous={synchronous}")
        raw.execute("PRAGMA foreign_keys=ON")
        raw.execute("PRAGMA trusted_schema=OFF")
        raw.execute("PRAGMA temp_store=MEMORY")
        raw.execute(f"PRAGMA cache_size=-{cache_kib}")
        raw.execute("PRAGMA journal_size_limit=67108864")
        if not writes:
            raw.execute("PRAGMA query_only=ON")
        return raw

    return connect


def _postgres(url: URL, dialect: Dialect) -> Connect:
    """Connections to one PostgreSQL database, in UTC; readers see one snapshot and cannot write."""
    args, named = dialect.create_connect_args(url)

    def connect(writes: bool) -> Any:
        import psycopg

        options = f"-c timezone=UTC -c lock_timeout={BUSY_MS}"
        raw = psycopg.connect(*args, **{"options": options, **named})
        raw.read_only = not writes
        level = psycopg.IsolationLevel
        raw.isolation_level = level.READ_COMMITTED if writes else level.REPEATABLE_READ
        return raw

    return connect
