"""The tables of a package, and how a database comes to have them.

One rule: a schema changes only by a migration under `<package>/migrations/versions/`; a new database is
made straight from the tables and stamped, and a test holds that both ways end the same.

A package names its SQLModel classes in `<package>.tables.TABLES` and keeps its own version table,
`alembic_version_<package>`, so that packages that share a database move on their own.

Alembic is loaded when tables are to change, and not before: it is 10 MB that a running node has no use for.
"""

import re
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import TYPE_CHECKING

from sqlalchemy import Connection, MetaData, create_mock_engine, inspect, text
from sqlalchemy.schema import ExecutableDDLElement

from node.rows import table_of

if TYPE_CHECKING:
    from alembic.config import Config

NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
"""Every constraint has a name, or no later migration could drop it."""
_REVISION = re.compile(
    r'^revision(?:: str)? = "(?P<own>\w+)"$.*?^down_revision(?:: [^=]+)? = (?:None|"(?P<before>\w+)")$',
    re.MULTILINE | re.DOTALL,
)


def metadata_of(package: str, dialect: str) -> MetaData:
    """The tables of `package` and no others, with every constraint named.

    For "postgresql", partial indexes say their condition for both dialects; for "sqlite", for SQLite alone.
    """
    metadata = MetaData(naming_convention=NAMES)
    for model in import_module(f"{package}.tables").TABLES:
        for index in table_of(model).to_metadata(metadata).indexes:
            where = index.dialect_options["sqlite"]["where"]
            if dialect == "postgresql" and where is not None:
                index.dialect_kwargs["postgresql_where"] = where
    return metadata


def statements_of(package: str) -> dict[str, tuple[str, ...]]:
    """What must be said after the tables are made, by dialect; the first migration freezes it."""
    found: dict[str, tuple[str, ...]] = import_module(f"{package}.tables").STATEMENTS
    return found


def version_table(package: str) -> str:
    """Where the database keeps the revision of this package's tables."""
    return f"alembic_version_{package}"


def config_of(package: str, connection: Connection | None = None) -> "Config":
    """What alembic needs to know, without an alembic.ini."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(files("node") / "migrations"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(files(package) / "migrations" / "versions"))
    config.attributes.update(package=package, connection=connection)
    return config


@cache
def head_of(package: str) -> str | None:
    """The newest revision that the installed code knows; None while there is none.

    RuntimeError if there are two: a migration that nothing follows, beside another.
    """
    known: dict[str, str] = {}
    for file in (files(package) / "migrations" / "versions").iterdir():
        if file.name.endswith(".py") and (found := _REVISION.search(file.read_text(encoding="utf-8"))):
            known[found["own"]] = found["before"]
    heads = known.keys() - known.values()
    if len(heads) > 1:
        raise RuntimeError(f"{package} 的迁移有 {len(heads)} 个末端：{sorted(heads)}")
    return next(iter(heads), None)


def revision_of(connection: Connection, package: str) -> str | None:
    """The revision this database is at; None if the package was never installed in it."""
    table = version_table(package)
    if not inspect(connection).has_table(table):
        return None
    return connection.execute(text(f"SELECT version_num FROM {table}")).scalar()  # noqa: S608 - our own name


def upgrade(connection: Connection, package: str) -> None:
    """Bring the package's tables to the newest revision, inside the caller's transaction."""
    if not inspect(connection).has_table(version_table(package)):
        create(connection, package)
    else:
        from alembic import command

        command.upgrade(config_of(package, connection), "head")


def create(connection: Connection, package: str) -> None:
    """Make the package's tables in a database that has none, and stamp it with the newest revision."""
    for statement in _definition(package, connection.dialect.name):
        connection.exec_driver_sql(statement)
    head = head_of(package)
    if head is not None:
        insert = text(f"INSERT INTO {version_table(package)} (version_num) VALUES (:head)")  # noqa: S608
        connection.execute(insert, {"head": head})


@cache
def _definition(package: str, dialect: str) -> tuple[str, ...]:
    """The statements that make the package's tables: compiled once for hundreds of databases."""
    statements: list[str] = []

    def note(ddl: ExecutableDDLElement, *_: object, **__: object) -> None:
        statements.append(str(ddl.compile(dialect=engine.dialect)).strip())

    driver = "postgresql+psycopg://" if dialect == "postgresql" else f"{dialect}://"
    engine = create_mock_engine(driver, note)
    metadata_of(package, dialect).create_all(engine, checkfirst=False)
    statements += statements_of(package).get(dialect, ())
    if head_of(package) is not None:
        table = version_table(package)
        statements.append(
            f"CREATE TABLE {table} (version_num VARCHAR(32) NOT NULL, "
            f"CONSTRAINT {table}_pkc PRIMARY KEY (version_num))"
        )
    return tuple(statements)
