"""Single-letter keys, on or off for each moderator"""

import sqlalchemy as sa
from alembic import op

revision = "keys"
down_revision = "card"


def upgrade() -> None:
    """In place; whoever is there already has them, as somebody new does."""
    op.add_column(
        "moderators",
        sa.Column("has_keys", sa.Boolean(), nullable=False, server_default=sa.true()),
    )
