"""When a reader consented; what retention looks for, so that each look is a few rows of an index"""

import sqlalchemy as sa
from alembic import op

revision = "retention"
down_revision = "origins"

# Only what has something left to take away: what was emptied is in neither.
INDEXES = {
    "ix_comments_kept": "status IN ('rejected', 'spam', 'deleted') AND html <> ''",
    "ix_comments_networked": "network <> ''",
}


def upgrade() -> None:
    op.add_column("comments", sa.Column("consented_at", sa.DateTime(timezone=True), nullable=True))
    for name, those in INDEXES.items():
        where = sa.text(those)
        op.create_index(
            name,
            "comments",
            ["site_id", "created_at", "id"],
            sqlite_where=where,
            postgresql_where=where,
        )
