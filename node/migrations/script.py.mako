"""${message}."""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}
% if not down_revision and statements:

STATEMENTS = ${repr(statements)}
% endif


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
% if not down_revision and statements:
    for statement in STATEMENTS.get(op.get_bind().dialect.name, ()):
        op.execute(statement)
% endif


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
