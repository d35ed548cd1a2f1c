"""How alembic runs: on a connection handed over by the code, for the package the code names.

One rule: nothing here opens a database; see `node.schema`.
"""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import TypeDecorator

from node.schema import metadata_of, statements_of, version_table


def render_item(kind: str, item: Any, _: AutogenContext) -> str | Literal[False]:
    """Own column types as what they store, so that a migration never changes with our code."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl_instance!r}"
    return False


package = context.config.attributes["package"]
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata_of(package, "postgresql"),
    version_table=version_table(package),
    template_args={"statements": statements_of(package)},
    render_item=render_item,
    render_as_batch=True,
    compare_type=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
