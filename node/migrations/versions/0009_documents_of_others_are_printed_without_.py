"""Documents of others are printed without a number of our own."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("document_issues", schema=None) as batch_op:
        batch_op.alter_column("serial", existing_type=sa.INTEGER(), nullable=True)


def downgrade() -> None:
    with op.batch_alter_table("document_issues", schema=None) as batch_op:
        batch_op.alter_column("serial", existing_type=sa.INTEGER(), nullable=False)
