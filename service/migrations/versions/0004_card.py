"""The card: an author's past, pinned comments, whose words they are, moderators' public names"""

import sqlalchemy as sa
from alembic import op

revision = "card"
down_revision = "0003"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """All in place: no table is written anew."""
    for table, name in (
        ("comments", "is_reworded"),
        ("revisions", "is_html"),
        ("revisions", "is_reworded"),
    ):
        op.add_column(
            table, sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())
        )
    op.add_column("revisions", sa.Column("edited_at", MOMENT, nullable=True))
    op.add_column(
        "moderators",
        sa.Column("staff_name", sa.String(length=80), nullable=False, server_default=""),
    )
    # The one that was there is how the new one begins.
    op.drop_index(op.f("ix_comments_author_id"), "comments")
    past = ["author_id", "is_proved", "status", "created_at"]
    op.create_index("ix_comments_author", "comments", past)
    part = sa.text("pinned_at IS NOT NULL")
    op.create_index(
        "ix_comments_pinned",
        "comments",
        ["article_id", "pinned_at"],
        sqlite_where=part,
        postgresql_where=part,
    )
