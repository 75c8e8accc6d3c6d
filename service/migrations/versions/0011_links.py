"""Links: who made one, so that it ends with their right"""

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
