"""When a place wrote the newest of its receipts that we heard."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("peers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("receipt_iat", sa.String(length=24), nullable=False, server_default=""))
    with op.batch_alter_table("peers", schema=None) as batch_op:
        batch_op.alter_column("receipt_iat", existing_type=sa.String(length=24), server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("peers", schema=None) as batch_op:
        batch_op.drop_column("receipt_iat")
