"""The filter: what a lesson changed, which lines it was taught, when it last looked at the queue"""

import sqlalchemy as sa
from alembic import op

revision = "filter"
down_revision = "proved"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("lessons", sa.Column("changes", sa.LargeBinary(), nullable=True))
    moment = sa.DateTime(timezone=True)
    op.add_column("knowledge", sa.Column("rescored_at", moment, nullable=True))
    op.create_table(
        "taught",
        sa.Column("site_id", ID, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_taught_site_id")),
        sa.PrimaryKeyConstraint("site_id", "digest", name=op.f("pk_taught")),
    )
