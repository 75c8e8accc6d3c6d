"""Several moderators: the log knows to whom a comment was left"""

import sqlalchemy as sa
from alembic import op

revision = "together"
down_revision = "card"


def upgrade() -> None:
    name = sa.Column("handed_to", sa.String(length=80), nullable=False, server_default="")
    op.add_column("decisions", name)  # in place: the log is as long as a site is old
