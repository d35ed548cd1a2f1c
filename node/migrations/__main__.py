"""Write the next migration: from what the migrations so far give to what the tables say now.

python -m node.migrations "What changes"            of the node
python -m node.migrations "What changes" PACKAGE    of another package
"""

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory

from node.db import Database
from node.schema import config_of


def make_migration(message: str, package: str = "node") -> Path:
    """The file of the new migration, numbered after the last; to be read before it is committed."""
    with tempfile.TemporaryDirectory() as folder, Database(f"sqlite:///{folder}/a.db") as database:
        with database.reshape() as connection:
            command.upgrade(config_of(package, connection), "head")
        with database.reshape() as connection:
            config = config_of(package, connection)
            number = len(list(ScriptDirectory.from_config(config).walk_revisions())) + 1
            script = command.revision(config, message, autogenerate=True, rev_id=f"{number:04d}")
    if script is None or isinstance(script, list):
        raise RuntimeError("alembic wrote no migration")
    path = Path(script.path)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text(
        "".join(line for line in lines if not line.lstrip().startswith("# ###")), encoding="utf-8"
    )
    return path


if __name__ == "__main__":
    make_migration(*sys.argv[1:])
