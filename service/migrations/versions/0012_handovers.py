"""What ended a hand-over can be undone: it keeps when it ended"""

import sqlalchemy as sa
from alembic import op

revision = "handovers"
down_revision = "links"


def upgrade() -> None:
    op.add_column("handovers", sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
    is_open = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_handovers_open", "handovers", ["to_id"], sqlite_where=is_open, postgresql_where=is_open
    )
    op.drop_index("ix_handovers_to_id", "handovers")
