"""An index by which old letters are found"""

from alembic import op

revision = "old_letters"
down_revision = "returned"


def upgrade() -> None:
    op.create_index("ix_letters_created_at", "letters", ["created_at"])
