"""What an imported comment was called in the system that another installation had it from"""

import sqlalchemy as sa
from alembic import op

revision = "origins"
down_revision = "publishers"


def upgrade() -> None:
    op.add_column("pasts", sa.Column("origin", sa.JSON(), server_default="{}", nullable=False))
