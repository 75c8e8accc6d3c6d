"""The reader's side: marks, likes, edits, reports, follows"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
STATUSES = ("pending", "approved", "rejected", "spam", "deleted")
ACTS = (
    *("decided", "undone", "revealed", "retracted"),
    *("edited", "discarded", "withdrawn", "marked", "kept", "held"),
)
REASONS = ("spam", "offensive", "private", "off_topic", "illegal")


def upgrade() -> None:
    add_columns()
    add_indexes()
    add_tables()
    widen_the_log()


def one_of(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=10)


def add_columns() -> None:
    """In place: a table of a million rows is not written anew."""
    op.add_column("articles", sa.Column("liked_at", MOMENT, nullable=True))
    # Alembic adds no column with a CHECK to a table that is there; both databases do.
    op.execute(
        "ALTER TABLE comments ADD COLUMN mark VARCHAR(10) DEFAULT 'none' NOT NULL "
        "CONSTRAINT ck_comments_mark_known CHECK (mark IN ('none', 'author', 'staff'))"
    )
    op.add_column(
        "comments", sa.Column("like_count", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column("comments", sa.Column("edited_at", MOMENT, nullable=True))
    op.add_column("comments", sa.Column("edit_text", sa.Text(), nullable=True))
    op.add_column("comments", sa.Column("edit_html", sa.Text(), nullable=True))
    op.add_column("comments", sa.Column("edit_at", MOMENT, nullable=True))
    op.add_column("comments", sa.Column("reported_at", MOMENT, nullable=True))
    op.add_column("notes", sa.Column("public_text", sa.Text(), nullable=False, server_default=""))


def add_indexes() -> None:
    op.drop_index("ix_comments_root_id", "comments")  # ix_comments_replies begins with it
    indexes = {
        "ix_comments_replies": (["root_id", "status", "created_at", "id"], None),
        "ix_comments_feed": (["article_id", "status", "created_at", "id"], None),
        "ix_comments_liked": (["article_id", "like_count", "id"], "parent_id IS NULL"),
        "ix_comments_edit_at": (["edit_at"], "edit_at IS NOT NULL"),
        "ix_comments_reported_at": (["reported_at"], "reported_at IS NOT NULL"),
    }
    for name, (columns, where) in indexes.items():
        part = sa.text(where) if where else None
        op.create_index(name, "comments", columns, sqlite_where=part, postgresql_where=part)


def add_tables() -> None:
    op.create_table(
        "like_keys",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_like_keys")),
    )
    op.create_table(
        "likes",
        sa.Column("comment_id", ID, nullable=False),
        sa.Column("network_digest", sa.LargeBinary(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comments.id"], name=op.f("fk_likes_comment_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("comment_id", "network_digest", name=op.f("pk_likes")),
    )
    op.create_table(
        "revisions",
        sa.Column("id", ID, nullable=False),
        sa.Column("comment_id", ID, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("replaced_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"],
            ["comments.id"],
            name=op.f("fk_revisions_comment_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revisions")),
    )
    op.create_index(op.f("ix_revisions_comment_id"), "revisions", ["comment_id"])
    op.create_table(
        "reports",
        sa.Column("id", ID, nullable=False),
        sa.Column("public_id", sa.String(length=12), nullable=False),
        sa.Column("comment_id", ID, nullable=False),
        sa.Column("reason", one_of("reportreason_known", *REASONS), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("contact_id", ID, nullable=True),
        sa.Column("network_digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("outcome", one_of("outcome_known", "removed", "kept"), nullable=True),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comments.id"], name=op.f("fk_reports_comment_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["contact_id"], ["authors.id"], name=op.f("fk_reports_contact_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
        sa.UniqueConstraint(
            "comment_id", "network_digest", name=op.f("uq_reports_comment_id_network_digest")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_reports_public_id")),
    )
    op.create_index(op.f("ix_reports_contact_id"), "reports", ["contact_id"])
    op.create_table(
        "follows",
        sa.Column("id", ID, nullable=False),
        sa.Column("author_id", ID, nullable=False),
        sa.Column("article_id", ID, nullable=True),
        sa.Column("comment_id", ID, nullable=True),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("confirmed_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "(article_id IS NULL) <> (comment_id IS NULL)", name=op.f("ck_follows_one_thing")
        ),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_follows_article_id")
        ),
        sa.ForeignKeyConstraint(["author_id"], ["authors.id"], name=op.f("fk_follows_author_id")),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comments.id"], name=op.f("fk_follows_comment_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follows")),
        sa.UniqueConstraint(
            "author_id", "article_id", name=op.f("uq_follows_author_id_article_id")
        ),
        sa.UniqueConstraint(
            "author_id", "comment_id", name=op.f("uq_follows_author_id_comment_id")
        ),
    )
    op.create_index(op.f("ix_follows_article_id"), "follows", ["article_id"])
    op.create_index(op.f("ix_follows_comment_id"), "follows", ["comment_id"])


def widen_the_log() -> None:
    """New words for what a decision records. SQLite changes no CHECK of a table that is there:
    the log is copied as it is, and shut again by the triggers that it had."""
    if op.get_context().dialect.name == "postgresql":
        words = ", ".join(f"'{word}'" for word in ACTS)
        op.drop_constraint("ck_decisions_act_known", "decisions")
        op.create_check_constraint("act_known", "decisions", f"act IN ({words})")
        return
    triggers = op.get_bind().execute(
        sa.text("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'decisions'")
    )
    shut = triggers.scalars().all()
    with op.batch_alter_table("decisions", copy_from=decisions(), recreate="always"):
        pass  # made anew as it stands below
    for trigger in shut:
        op.execute(trigger)


def decisions() -> sa.Table:
    return sa.Table(
        "decisions",
        sa.MetaData(),
        sa.Column("id", ID, nullable=False),
        sa.Column("comment_id", ID, nullable=False),
        sa.Column("moderator_id", ID, nullable=True),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("act", one_of("ck_decisions_act_known", *ACTS), nullable=False),
        sa.Column(
            "from_status", one_of("ck_decisions_from_status_known", *STATUSES), nullable=False
        ),
        sa.Column("to_status", one_of("ck_decisions_to_status_known", *STATUSES), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("undoes_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["comment_id"], ["comments.id"], name="fk_decisions_comment_id"),
        sa.ForeignKeyConstraint(
            ["moderator_id"], ["moderators.id"], name="fk_decisions_moderator_id"
        ),
        sa.ForeignKeyConstraint(["undoes_id"], ["decisions.id"], name="fk_decisions_undoes_id"),
        sa.PrimaryKeyConstraint("id", name="pk_decisions"),
        sa.UniqueConstraint("undoes_id", name="uq_decisions_undoes_id"),
        sa.Index("ix_decisions_comment", "comment_id", "id"),
        sa.Index("ix_decisions_moderator", "moderator_id", "id"),
    )
