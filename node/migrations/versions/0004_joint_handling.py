"""Joint handling, and the departments of users."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "joint_parts",
        sa.Column("no", sa.String(length=50), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("part", sa.String(length=20), nullable=False),
        sa.Column("place", sa.String(length=12), nullable=False),
        sa.Column("department", sa.String(length=20), nullable=False),
        sa.Column("department_name", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("handler", sa.String(length=40), nullable=False),
        sa.Column("by_day", sa.Date(), nullable=True),
        sa.Column("opinion", sa.String(length=12), nullable=False),
        sa.Column("opinion_hash", sa.String(length=64), nullable=False),
        sa.Column("answered_on", sa.Date(), nullable=True),
        sa.Column("absences", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("over", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("no", "n", "part", name=op.f("pk_joint_parts")),
    )
    with op.batch_alter_table("joint_parts", schema=None) as batch_op:
        batch_op.create_index("joint_parts_desk", ["place", "over", "department", "due"], unique=False)

    op.create_table(
        "joint_said",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("no", sa.String(length=50), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("frm", sa.String(length=12), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("doc", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_joint_said")),
    )
    with op.batch_alter_table("joint_said", schema=None) as batch_op:
        batch_op.create_index("joint_said_of", ["no", "n"], unique=False)

    op.create_table(
        "joints",
        sa.Column("no", sa.String(length=50), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=12), nullable=False),
        sa.Column("item", sa.String(length=50), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("batch", sa.String(length=500), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("ended", sa.String(length=64), nullable=False),
        sa.Column("in_chain", sa.Boolean(), nullable=False),
        sa.Column("doc", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("no", "n", name=op.f("pk_joints")),
    )
    with op.batch_alter_table("joints", schema=None) as batch_op:
        batch_op.create_index("joints_batch", ["batch", "no"], unique=False)

    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.add_column(sa.Column("joint", sa.String(), nullable=False, server_default=""))
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.alter_column("joint", server_default=None)

    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.add_column(sa.Column("department", sa.String(length=20), nullable=False, server_default=""))
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.alter_column("department", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_column("department")

    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.drop_column("joint")

    with op.batch_alter_table("joints", schema=None) as batch_op:
        batch_op.drop_index("joints_batch")

    op.drop_table("joints")
    with op.batch_alter_table("joint_said", schema=None) as batch_op:
        batch_op.drop_index("joint_said_of")

    op.drop_table("joint_said")
    with op.batch_alter_table("joint_parts", schema=None) as batch_op:
        batch_op.drop_index("joint_parts_desk")

    op.drop_table("joint_parts")
