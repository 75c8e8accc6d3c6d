"""A letter that comes back is found by its Message-ID"""

from alembic import op

revision = "returned"
down_revision = "readers_letters"


def upgrade() -> None:
    op.create_index("ix_letters_message_id", "letters", ["message_id"])
