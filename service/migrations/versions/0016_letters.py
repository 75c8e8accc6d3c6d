"""Letters: the outbox, and how often a moderator wants them"""

import sqlalchemy as sa
from alembic import op

revision = "letters"
down_revision = "filter"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
REASONS = (
    *("undone", "settled", "gone", "unwanted", "forbidden"),
    *("cap", "server", "later", "refused", "broken"),
)


def upgrade() -> None:
    pace = words("at_once", "hourly", "daily", "none", name="pace_known")
    with op.batch_alter_table("moderators") as changed:
        changed.add_column(sa.Column("letters", pace, nullable=False, server_default="at_once"))
    add_letters()


def words(*known: str, name: str) -> sa.Enum:
    return sa.Enum(*known, name=name, native_enum=False, create_constraint=True, length=10)


def points_at(table: str, column: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_letters_{column}")
    return sa.ForeignKeyConstraint([column], [f"{table}.id"], name=name, ondelete=ondelete)


def add_letters() -> None:
    states = words("queued", "sent", "failed", "dropped", name="letterstate_known")
    op.create_table(
        "letters",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", words("waiting", name="letterkind_known"), nullable=False),
        sa.Column("site_id", ID, nullable=False),
        sa.Column("moderator_id", ID, nullable=True),
        sa.Column("author_id", ID, nullable=True),
        sa.Column("comment_id", ID, nullable=True),
        sa.Column("article_id", ID, nullable=True),
        sa.Column("decision_id", ID, nullable=True),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.Column("cause_key", sa.String(length=120), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("state", states, nullable=False),
        sa.Column("why", words(*REASONS, name="why_known"), nullable=True),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claimed_by", sa.String(length=40), nullable=False),
        sa.Column("claimed_until", MOMENT, nullable=True),
        sa.Column("message_id", sa.String(length=300), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.Column("last_answer", sa.String(length=500), nullable=False),
        sa.CheckConstraint(
            "(moderator_id IS NULL) <> (author_id IS NULL)",
            name=op.f("ck_letters_one_recipient"),
        ),
        points_at("sites", "site_id"),
        points_at("moderators", "moderator_id"),
        points_at("authors", "author_id", ondelete="CASCADE"),
        points_at("comments", "comment_id", ondelete="CASCADE"),
        points_at("articles", "article_id", ondelete="CASCADE"),
        points_at("decisions", "decision_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letters")),
        sa.UniqueConstraint("cause_key", name=op.f("uq_letters_cause_key")),
    )
    is_queued = sa.text("state = 'queued'")
    op.create_index(
        "ix_letters_due",
        "letters",
        ["due_at", "id"],
        sqlite_where=is_queued,
        postgresql_where=is_queued,
    )
    op.create_index("ix_letters_site", "letters", ["site_id", "state", "id"])
    op.create_index("ix_letters_sent", "letters", ["site_id", "sent_at"])
    op.create_index("ix_letters_moderator", "letters", ["moderator_id", "site_id", "kind", "id"])
    for column in ("author_id", "comment_id", "article_id", "decision_id"):
        op.create_index(op.f(f"ix_letters_{column}"), "letters", [column])
