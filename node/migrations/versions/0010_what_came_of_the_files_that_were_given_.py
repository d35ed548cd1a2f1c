"""What came of the files that were given away."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sent_files",
        sa.Column("place", sa.String(length=12), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("ep", sa.String(length=64), nullable=False),
        sa.Column("ord", sa.Integer(), nullable=False),
        sa.Column("no", sa.String(length=50), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reached_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("place", "sha256", "ep", "ord", name=op.f("pk_sent_files")),
    )
    with op.batch_alter_table("sent_files", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sent_files_no"), ["no"], unique=False)
        batch_op.create_index("sent_files_act", ["ep", "ord"], unique=False)
        batch_op.create_index(
            "sent_files_on_the_way",
            ["ord"],
            unique=False,
            sqlite_where=sa.text("reached_at IS NULL"),
            postgresql_where=sa.text("reached_at IS NULL"),
        )


def downgrade() -> None:
    with op.batch_alter_table("sent_files", schema=None) as batch_op:
        batch_op.drop_index(
            "sent_files_on_the_way",
            sqlite_where=sa.text("reached_at IS NULL"),
            postgresql_where=sa.text("reached_at IS NULL"),
        )
        batch_op.drop_index("sent_files_act")
        batch_op.drop_index(batch_op.f("ix_sent_files_no"))

    op.drop_table("sent_files")
