"""Articles by their newest comment and by number, two that become one, moves of many at once"""

import sqlalchemy as sa
from alembic import op

revision = "articles"
down_revision = "retention"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
STATES = ("running", "stopped", "done")


def upgrade() -> None:
    add_columns()
    add_moves()


def add_columns() -> None:
    op.add_column("articles", sa.Column("last_at", MOMENT, nullable=True))
    op.execute(
        "UPDATE articles SET last_at = coalesce((SELECT max(comments.created_at) FROM comments "
        "WHERE comments.article_id = articles.id), created_at)"
    )
    number = ID.compile(op.get_bind().dialect)
    # In place, and both databases take a foreign key with a new column, where it is written so.
    op.execute(
        f"ALTER TABLE articles ADD COLUMN merges_into_id {number} "
        "CONSTRAINT fk_articles_merges_into_id REFERENCES articles (id)"
    )
    op.create_index("ix_articles_last", "articles", ["site_id", "last_at", "id"])
    op.create_index("ix_articles_count", "articles", ["site_id", "approved_count", "id"])
    merging = sa.text("merges_into_id IS NOT NULL")
    op.create_index(
        "ix_articles_merging",
        "articles",
        ["merges_into_id"],
        sqlite_where=merging,
        postgresql_where=merging,
    )
    op.add_column("article_aliases", sa.Column("former_id", ID, nullable=True))
    former = sa.text("former_id IS NOT NULL")
    op.create_index(
        "ix_article_aliases_former",
        "article_aliases",
        ["former_id"],
        sqlite_where=former,
        postgresql_where=former,
    )


def add_moves() -> None:
    known = sa.Enum(
        *STATES, name="bulkstate_known", native_enum=False, create_constraint=True, length=10
    )
    op.create_table(
        "moves",
        sa.Column("id", ID, nullable=False),
        sa.Column("site_id", ID, nullable=False),
        sa.Column("moderator_id", ID, nullable=True),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("network", sa.String(length=50), nullable=False),
        sa.Column("old", sa.Text(), nullable=False),
        sa.Column("new", sa.Text(), nullable=False),
        sa.Column("has_merges", sa.Boolean(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("moved", sa.Integer(), nullable=False),
        sa.Column("merged", sa.Integer(), nullable=False),
        sa.Column("left", sa.Integer(), nullable=False),
        sa.Column("state", known, nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_moves_site_id")),
        sa.ForeignKeyConstraint(
            ["moderator_id"], ["moderators.id"], name=op.f("fk_moves_moderator_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_moves")),
    )
    op.create_index("ix_moves_site", "moves", ["site_id", "id"])
