"""Authors are found by the domain of their address: what a domain ban would have caught"""

from alembic import op

revision = "bans"
down_revision = "search"


def upgrade() -> None:
    op.create_index("ix_authors_domain", "authors", ["site_id", "domain_index"])
