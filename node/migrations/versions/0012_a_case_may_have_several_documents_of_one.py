"""A case may have several documents of one kind, each with a number of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("document_issues", schema=None) as batch_op:
        batch_op.add_column(sa.Column("occasion", sa.Integer(), nullable=False, server_default="1"))
        batch_op.drop_constraint("pk_document_issues", type_="primary")
        batch_op.create_primary_key("pk_document_issues", ["case_no", "kind", "occasion"])
    with op.batch_alter_table("document_issues", schema=None) as batch_op:
        batch_op.alter_column("occasion", existing_type=sa.Integer(), server_default=None)


def downgrade() -> None:
    op.execute("DELETE FROM document_issues WHERE occasion > 1")
    with op.batch_alter_table("document_issues", schema=None) as batch_op:
        batch_op.drop_constraint("pk_document_issues", type_="primary")
        batch_op.drop_column("occasion")
        batch_op.create_primary_key("pk_document_issues", ["case_no", "kind"])
