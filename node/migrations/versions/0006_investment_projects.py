"""Investment projects."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agency_project_cases",
        sa.Column("no", sa.String(length=50), nullable=False),
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_agency_project_cases")),
    )
    with op.batch_alter_table("agency_project_cases", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_agency_project_cases_number"), ["number"], unique=False)

    op.create_table(
        "agency_projects",
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("investor", sa.String(length=200), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("green", sa.Boolean(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_agency_projects")),
    )


def downgrade() -> None:
    op.drop_table("agency_projects")
    with op.batch_alter_table("agency_project_cases", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_agency_project_cases_number"))

    op.drop_table("agency_project_cases")
