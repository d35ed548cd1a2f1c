"""Materials of cases, collected, on their way, and deleted in time."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "blobs",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_blobs")),
    )
    with op.batch_alter_table("blobs", schema=None) as batch_op:
        batch_op.create_index(
            "blobs_coming",
            ["at"],
            unique=False,
            sqlite_where=sa.text("state = 'coming'"),
            postgresql_where=sa.text("state = 'coming'"),
        )

    op.create_table(
        "case_files",
        sa.Column("no", sa.String(length=50), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("material", sa.String(length=500), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("applicant", sa.String(length=64), nullable=False),
        sa.Column("identity", sa.Boolean(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("no", "sha256", "material", name=op.f("pk_case_files")),
    )
    with op.batch_alter_table("case_files", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_case_files_applicant"), ["applicant"], unique=False)
        batch_op.create_index(batch_op.f("ix_case_files_sha256"), ["sha256"], unique=False)

    op.create_table(
        "noted_cases",
        sa.Column("no", sa.String(length=50), nullable=False),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_noted_cases")),
    )
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("officer", sa.String(length=40), nullable=False),
        sa.Column("draft", sa.String(length=64), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("material", sa.String(length=500), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("blob_size", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.JSON(), nullable=True),
        sa.Column("source", sa.String(length=50), nullable=False),
        sa.Column("consent", sa.String(length=200), nullable=False),
        sa.Column("applicant", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
    )
    with op.batch_alter_table("uploads", schema=None) as batch_op:
        batch_op.create_index("uploads_draft", ["officer", "draft"], unique=False)
        batch_op.create_index("uploads_sha", ["sha256"], unique=False)
        batch_op.create_index("uploads_token", ["officer", "token"], unique=True)


def downgrade() -> None:
    with op.batch_alter_table("uploads", schema=None) as batch_op:
        batch_op.drop_index("uploads_token")
        batch_op.drop_index("uploads_sha")
        batch_op.drop_index("uploads_draft")

    op.drop_table("uploads")
    op.drop_table("noted_cases")
    with op.batch_alter_table("case_files", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_case_files_sha256"))
        batch_op.drop_index(batch_op.f("ix_case_files_applicant"))

    op.drop_table("case_files")
    with op.batch_alter_table("blobs", schema=None) as batch_op:
        batch_op.drop_index(
            "blobs_coming",
            sqlite_where=sa.text("state = 'coming'"),
            postgresql_where=sa.text("state = 'coming'"),
        )

    op.drop_table("blobs")
