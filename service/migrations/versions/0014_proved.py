"""Proved comments: an index of those whose names nobody else may take"""

import sqlalchemy as sa
from alembic import op

revision = "proved"
down_revision = "screening"

INDEX = "ix_comments_proved"


def upgrade() -> None:
    op.create_index(
        INDEX,
        "comments",
        ["site_id", "id"],
        sqlite_where=sa.text("is_proved IS 1 AND status = 'approved'"),
        postgresql_where=sa.text("is_proved IS true AND status = 'approved'"),
    )


def downgrade() -> None:
    op.drop_index(INDEX, "comments")
