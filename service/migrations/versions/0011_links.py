"""Links: who made one, so that it ends with their right; and challenges that are spent"""

import sqlalchemy as sa
from alembic import op

revision = "links"
down_revision = "folds"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for table in ("invitations", "sign_in_links"):
        key = sa.ForeignKey("moderators.id", name=op.f(f"fk_{table}_made_by_id"))
        made_by = sa.Column("made_by_id", ID, key, nullable=True)
        op.add_column(table, made_by, inline_references=True)
    op.create_table(
        "spent_challenges",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_spent_challenges")),
    )
    op.create_index(op.f("ix_spent_challenges_expires_at"), "spent_challenges", ["expires_at"])
