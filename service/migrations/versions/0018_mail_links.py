"""Links that decide, in letters or not, for each moderator"""

import sqlalchemy as sa
from alembic import op

revision = "mail_links"
down_revision = "readers_letters"


def upgrade() -> None:
    """In place; whoever is there already has them, as somebody new does."""
    op.add_column(
        "moderators",
        sa.Column("has_mail_links", sa.Boolean(), nullable=False, server_default=sa.true()),
    )
