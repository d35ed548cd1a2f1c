"""Fees."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fee_bank_lines",
        sa.Column("adapter", sa.String(length=40), nullable=False),
        sa.Column("reference", sa.String(length=100), nullable=False),
        sa.Column("stage", sa.String(length=8), nullable=False),
        sa.Column("bill", sa.String(length=60), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("adapter", "reference", "stage", name=op.f("pk_fee_bank_lines")),
    )
    op.create_table(
        "fee_bills",
        sa.Column("bill", sa.String(length=60), nullable=False),
        sa.Column("no", sa.String(length=50), nullable=False),
        sa.Column("item", sa.String(length=50), nullable=False),
        sa.Column("name", sa.String(length=500), nullable=False),
        sa.Column("place", sa.String(length=12), nullable=False),
        sa.Column("issuer", sa.String(length=40), nullable=False),
        sa.Column("full_fen", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("billed_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("bill", name=op.f("pk_fee_bills")),
    )
    with op.batch_alter_table("fee_bills", schema=None) as batch_op:
        batch_op.create_index("fee_bills_state", ["state", "billed_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_fee_bills_no"), ["no"], unique=False)

    op.create_table(
        "fee_said",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("no", sa.String(length=50), nullable=False),
        sa.Column("bill", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("frm", sa.String(length=12), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("doc", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(length=8), nullable=False),
        sa.Column("why", sa.String(length=500), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_fee_said")),
    )
    with op.batch_alter_table("fee_said", schema=None) as batch_op:
        batch_op.create_index("fee_said_bill", ["bill"], unique=False)
        batch_op.create_index("fee_said_case", ["no", "verdict"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("fee_said", schema=None) as batch_op:
        batch_op.drop_index("fee_said_case")
        batch_op.drop_index("fee_said_bill")

    op.drop_table("fee_said")
    with op.batch_alter_table("fee_bills", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_fee_bills_no"))
        batch_op.drop_index("fee_bills_state")

    op.drop_table("fee_bills")
    op.drop_table("fee_bank_lines")
