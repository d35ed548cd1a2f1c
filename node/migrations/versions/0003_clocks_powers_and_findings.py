"""Clocks, powers and findings; numbers of documents."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "applicant_prints",
        sa.Column("no", sa.String(length=50), nullable=False),
        sa.Column("print", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_applicant_prints")),
    )
    with op.batch_alter_table("applicant_prints", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_applicant_prints_print"), ["print"], unique=False)

    op.create_table(
        "authorisations",
        sa.Column("id", sa.String(length=60), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(length=12), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("revoked_on", sa.Date(), nullable=True),
        sa.Column("signer", sa.String(length=12), nullable=False),
        sa.Column("doc", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_authorisations")),
    )
    with op.batch_alter_table("authorisations", schema=None) as batch_op:
        batch_op.create_index("authorisations_person", ["place", "person"], unique=False)

    op.create_table(
        "document_issues",
        sa.Column("case_no", sa.String(length=50), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("prints", sa.Integer(), nullable=False),
        sa.Column("printed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("case_no", "kind", name=op.f("pk_document_issues")),
        sa.UniqueConstraint("kind", "year", "serial", name="uq_document_issues_serial"),
    )
    op.create_table(
        "findings",
        sa.Column("rule", sa.String(length=8), nullable=False),
        sa.Column("no", sa.String(length=50), nullable=False),
        sa.Column("about", sa.String(length=100), nullable=False),
        sa.Column("place", sa.String(length=12), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("rule", "no", "about", name=op.f("pk_findings")),
    )
    with op.batch_alter_table("findings", schema=None) as batch_op:
        batch_op.create_index("findings_at", ["at"], unique=False)

    op.create_table(
        "proposals",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("no", sa.String(length=60), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("by_name", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(length=8), nullable=False),
        sa.Column("closed_by", sa.String(length=40), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposals")),
    )
    with op.batch_alter_table("proposals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_proposals_no"), ["no"], unique=False)

    op.create_table(
        "recounts",
        sa.Column("no", sa.String(length=50), nullable=False),
        sa.Column("calendar", sa.String(length=100), nullable=False),
        sa.Column("before", sa.String(length=100), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("due_before", sa.Date(), nullable=False),
        sa.Column("statutory_due", sa.Date(), nullable=True),
        sa.Column("statutory_before", sa.Date(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("no", "calendar", name=op.f("pk_recounts")),
    )
    op.create_table(
        "seal_custody",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seal", sa.String(length=60), nullable=False),
        sa.Column("giver", sa.String(length=40), nullable=False),
        sa.Column("taker", sa.String(length=40), nullable=False),
        sa.Column("witness", sa.String(length=40), nullable=False),
        sa.Column("why", sa.String(length=500), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal_custody")),
    )
    with op.batch_alter_table("seal_custody", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_seal_custody_seal"), ["seal"], unique=False)

    op.create_table(
        "seal_uses",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seal", sa.String(length=60), nullable=False),
        sa.Column("no", sa.String(length=50), nullable=False),
        sa.Column("document", sa.String(length=100), nullable=False),
        sa.Column("copies", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("refused", sa.String(length=500), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal_uses")),
    )
    with op.batch_alter_table("seal_uses", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_seal_uses_no"), ["no"], unique=False)
        batch_op.create_index(batch_op.f("ix_seal_uses_seal"), ["seal"], unique=False)

    op.create_table(
        "seals",
        sa.Column("id", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("keeper", sa.String(length=40), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("retired_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seals")),
    )
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.add_column(sa.Column("missing", sa.String(), nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("received_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("notice_by", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("reply_by", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("item_hash", sa.String(length=64), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("mode", sa.String(length=8), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("route", sa.String(length=8), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("part_due", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("calendar", sa.String(length=100), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("clock", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("hands", sa.String(), nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("pending", sa.String(), nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("follow_up", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("deliver_by", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("tell_by", sa.Date(), nullable=True))
    with op.batch_alter_table("cases", schema=None) as batch_op:
        for name in ("missing", "item_hash", "mode", "route", "calendar", "clock", "hands", "pending"):
            batch_op.alter_column(name, server_default=None)

    with op.batch_alter_table("submissions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("materials", sa.String(), nullable=False, server_default="[]"))
    with op.batch_alter_table("submissions", schema=None) as batch_op:
        for name in ("materials",):
            batch_op.alter_column(name, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("submissions", schema=None) as batch_op:
        batch_op.drop_column("materials")

    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.drop_column("tell_by")
        batch_op.drop_column("deliver_by")
        batch_op.drop_column("follow_up")
        batch_op.drop_column("pending")
        batch_op.drop_column("hands")
        batch_op.drop_column("clock")
        batch_op.drop_column("calendar")
        batch_op.drop_column("part_due")
        batch_op.drop_column("route")
        batch_op.drop_column("mode")
        batch_op.drop_column("item_hash")
        batch_op.drop_column("reply_by")
        batch_op.drop_column("notice_by")
        batch_op.drop_column("received_on")
        batch_op.drop_column("missing")

    op.drop_table("seals")
    with op.batch_alter_table("seal_uses", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_seal_uses_seal"))
        batch_op.drop_index(batch_op.f("ix_seal_uses_no"))

    op.drop_table("seal_uses")
    with op.batch_alter_table("seal_custody", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_seal_custody_seal"))

    op.drop_table("seal_custody")
    op.drop_table("recounts")
    with op.batch_alter_table("proposals", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_proposals_no"))

    op.drop_table("proposals")
    with op.batch_alter_table("findings", schema=None) as batch_op:
        batch_op.drop_index("findings_at")

    op.drop_table("findings")
    op.drop_table("document_issues")
    with op.batch_alter_table("authorisations", schema=None) as batch_op:
        batch_op.drop_index("authorisations_person")

    op.drop_table("authorisations")
    with op.batch_alter_table("applicant_prints", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_applicant_prints_print"))

    op.drop_table("applicant_prints")
