"""Folds: comments that are alike stand in one card"""

import sqlalchemy as sa
from alembic import op

revision = "folds"
down_revision = "people"

HEADS = {
    "sqlite": "is_folded IS 0 AND status IN ('pending', 'spam')",
    "postgresql": "is_folded IS false AND status IN ('pending', 'spam')",
}


def upgrade() -> None:
    op.add_column("comments", sa.Column("fold_digest", sa.LargeBinary(), nullable=True))
    domain = sa.Column("link_domain", sa.String(length=255), nullable=False, server_default="")
    op.add_column("comments", domain)
    op.add_column("comments", sa.Column("fold_key", sa.String(length=80), nullable=True))
    folded: sa.Column[bool] = sa.Column(
        "is_folded", sa.Boolean(), nullable=False, server_default=sa.false()
    )
    op.add_column("comments", folded)
    heads = HEADS[op.get_context().dialect.name]
    in_fold = ["site_id", "status", "fold_key", "is_folded", "created_at", "id"]
    for name, columns, where in (
        ("fold_digest", ["site_id", "fold_digest", "id"], "fold_digest IS NOT NULL"),
        ("link_domain", ["site_id", "link_domain", "id"], "link_domain <> ''"),
        ("folds", in_fold, "fold_key IS NOT NULL"),
        ("heads", ["status", "created_at", "id"], heads),
        ("site_heads", ["site_id", "status", "created_at", "id"], heads),
    ):
        part = sa.text(where)
        op.create_index(
            f"ix_comments_{name}", "comments", columns, sqlite_where=part, postgresql_where=part
        )
