"""Screening: a site's rules and phrases, the ledger of verdicts, the filter's knowledge, waves"""

import sqlalchemy as sa
from alembic import op

revision = "screening"
down_revision = "handovers"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("sites", sa.Column("screening", sa.JSON(), nullable=False, server_default="{}"))
    version = sa.Column("screening_version", sa.Integer(), nullable=False, server_default="1")
    op.add_column("sites", version)
    add_phrases()
    add_ledger()
    add_filter()
    add_waves()
    op.create_table(
        "spent_tokens",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_spent_tokens")),
    )
    op.create_index(op.f("ix_spent_tokens_at"), "spent_tokens", ["at"])


def words(*known: str, name: str) -> sa.Enum:
    return sa.Enum(*known, name=name, native_enum=False, create_constraint=True, length=10)


def site_key(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f(f"fk_{table}_site_id"))


def comment_key(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_comment_id")
    return sa.ForeignKeyConstraint(["comment_id"], ["comments.id"], name=name, ondelete="CASCADE")


def add_phrases() -> None:
    op.create_table(
        "phrases",
        sa.Column("id", ID, nullable=False),
        sa.Column("site_id", ID, nullable=False),
        sa.Column("kind", words("hold", "spam", "refuse", name="phrasekind_known"), nullable=False),
        sa.Column("phrase", sa.String(length=200), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        site_key("phrases"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phrases")),
        sa.UniqueConstraint(
            "site_id", "kind", "phrase", name=op.f("uq_phrases_site_id_kind_phrase")
        ),
    )


def add_ledger() -> None:
    occasion = words("posted", "edited", "refused", "learned", name="occasion_known")
    op.create_table(
        "judgements",
        sa.Column("id", ID, nullable=False),
        sa.Column("site_id", ID, nullable=False),
        sa.Column("comment_id", ID, nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("occasion", occasion, nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("chance", sa.Integer(), nullable=True),
        sa.Column("telling", sa.JSON(), nullable=False),
        site_key("judgements"),
        comment_key("judgements"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_judgements")),
    )
    op.create_index("ix_judgements_comment", "judgements", ["comment_id", "id"])
    op.create_index("ix_judgements_site", "judgements", ["site_id", "id"])


def add_filter() -> None:
    op.create_table(
        "knowledge",
        sa.Column("site_id", ID, nullable=False),
        sa.Column("spam", sa.Integer(), nullable=False),
        sa.Column("ham", sa.Integer(), nullable=False),
        sa.Column("last_decision_id", sa.BigInteger(), nullable=False),
        sa.Column("last_feedback_id", sa.BigInteger(), nullable=False),
        sa.Column("last_rescored_id", sa.BigInteger(), nullable=False),
        sa.Column("learned_at", MOMENT, nullable=True),
        site_key("knowledge"),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_knowledge")),
    )
    op.create_table(
        "features",
        sa.Column("site_id", ID, nullable=False),
        sa.Column("hash", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("spam", sa.Integer(), nullable=False),
        sa.Column("ham", sa.Integer(), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("squares", sa.Double(), nullable=False),
        site_key("features"),
        sa.PrimaryKeyConstraint("site_id", "hash", name=op.f("pk_features")),
    )
    op.create_table(
        "lessons",
        sa.Column("comment_id", ID, nullable=False),
        sa.Column("is_spam", sa.Boolean(), nullable=False),
        sa.Column("text_digest", sa.LargeBinary(), nullable=True),
        sa.Column("step", sa.Double(), nullable=False),
        comment_key("lessons"),
        sa.PrimaryKeyConstraint("comment_id", name=op.f("pk_lessons")),
    )


def add_waves() -> None:
    op.create_table(
        "waves",
        sa.Column("id", ID, nullable=False),
        sa.Column("site_id", ID, nullable=False),
        sa.Column("article_id", ID, nullable=True),
        sa.Column("began_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("usual", sa.Double(), nullable=False),
        sa.Column("peak", sa.Integer(), nullable=False),
        sa.Column("bulk_id", ID, nullable=True),
        site_key("waves"),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name=op.f("fk_waves_article_id")),
        sa.ForeignKeyConstraint(["bulk_id"], ["bulks.id"], name=op.f("fk_waves_bulk_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waves")),
    )
    is_open = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_waves_open", "waves", ["site_id"], sqlite_where=is_open, postgresql_where=is_open
    )
