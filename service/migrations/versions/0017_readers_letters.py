"""Letters to readers, invitations, webhooks; who confirmed, who is never written to"""

import sqlalchemy as sa
from alembic import op

revision = "readers_letters"
down_revision = "letters"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
KINDS = (
    *("waiting", "wave", "confirm", "published", "refused"),
    *("answered", "followed", "invitation", "reset", "hook"),
)
REASONS = (
    *("undone", "settled", "gone", "unwanted", "forbidden"),
    *("cap", "server", "later", "refused", "broken"),
    *("together", "never", "returned", "off"),
)
SHAPES = ("standard", "slack", "mattermost", "telegram")
RECIPIENTS = ("moderator_id", "author_id", "hook_id", "invitation_id")
# What a letter had before.
KEPT = (
    *("id", "kind", "site_id", "moderator_id", "author_id", "comment_id", "article_id"),
    *("decision_id", "about", "cause_key", "language", "state", "why", "due_at", "attempts"),
    *("claimed_by", "claimed_until", "message_id", "created_at", "sent_at", "last_answer"),
)


def upgrade() -> None:
    for table, name in (
        ("authors", "confirmed_at"),
        ("authors", "returned_at"),
        ("moderators", "returned_at"),
    ):
        op.add_column(table, sa.Column(name, MOMENT, nullable=True))
    by_mail: sa.Column[bool] = sa.Column(
        "by_mail", sa.Boolean(), nullable=False, server_default=sa.false()
    )
    op.add_column("decisions", by_mail)
    # Both databases take a CHECK with a new column, where it is written so.
    op.execute(
        "ALTER TABLE follows ADD COLUMN pace VARCHAR(10) DEFAULT 'at_once' NOT NULL "
        "CONSTRAINT ck_follows_followpace_known CHECK (pace IN ('at_once', 'daily', 'weekly'))"
    )
    add_hooks()
    add_askings()
    widen_letters()


def words(*known: str, name: str) -> sa.Enum:
    return sa.Enum(*known, name=name, native_enum=False, create_constraint=True, length=10)


def points_at(table: str, column: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_letters_{column}")
    return sa.ForeignKeyConstraint([column], [f"{table}.id"], name=name, ondelete=ondelete)


def add_hooks() -> None:
    op.create_table(
        "hooks",
        sa.Column("id", ID, nullable=False),
        sa.Column("site_id", ID, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("shape", words(*SHAPES, name="hookshape_known"), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("sealed_url", sa.Text(), nullable=False),
        sa.Column("sealed_secret", sa.String(length=500), nullable=False),
        sa.Column("sealed_former", sa.String(length=500), nullable=False),
        sa.Column("former_until", MOMENT, nullable=True),
        sa.Column("to", sa.String(length=80), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_hooks_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hooks")),
    )
    op.create_index(op.f("ix_hooks_site_id"), "hooks", ["site_id"])


def add_askings() -> None:
    op.create_table(
        "askings",
        sa.Column("id", ID, nullable=False),
        sa.Column("site_id", ID, nullable=False),
        sa.Column("email_index", sa.LargeBinary(), nullable=False),
        sa.Column("network", sa.String(length=50), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_askings_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_askings")),
    )
    op.create_index("ix_askings_address", "askings", ["email_index", "at"])
    op.create_index("ix_askings_network", "askings", ["network", "at"])
    op.create_index("ix_askings_site", "askings", ["site_id", "at"])
    op.create_index(op.f("ix_askings_at"), "askings", ["at"])
    op.create_table(
        "unwanted",
        sa.Column("email_index", sa.LargeBinary(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("email_index", name=op.f("pk_unwanted")),
    )


def widen_letters() -> None:
    """The table anew, with the rows that it has: SQLite changes no CHECK of a table that is there."""
    op.execute("CREATE TABLE letters_before AS SELECT * FROM letters")
    op.drop_table("letters")
    make_letters()
    columns = ", ".join(KEPT)
    op.execute(f"INSERT INTO letters ({columns}) SELECT {columns} FROM letters_before")  # noqa: S608 - our own words
    op.drop_table("letters_before")
    if op.get_context().dialect.name == "postgresql":
        op.execute("SELECT setval(pg_get_serial_sequence('letters', 'id'), max(id)) FROM letters")


def make_letters() -> None:
    states = words("queued", "sent", "failed", "dropped", name="letterstate_known")
    said = (f"CASE WHEN {column} IS NULL THEN 0 ELSE 1 END" for column in RECIPIENTS)
    one_recipient = f"{' + '.join(said)} = 1"
    op.create_table(
        "letters",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", words(*KINDS, name="letterkind_known"), nullable=False),
        sa.Column("site_id", ID, nullable=True),
        *(sa.Column(column, ID, nullable=True) for column in RECIPIENTS),
        sa.Column("comment_id", ID, nullable=True),
        sa.Column("article_id", ID, nullable=True),
        sa.Column("decision_id", ID, nullable=True),
        sa.Column("follow_id", ID, nullable=True),
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
        sa.CheckConstraint(one_recipient, name=op.f("ck_letters_one_recipient")),
        points_at("sites", "site_id"),
        points_at("moderators", "moderator_id"),
        points_at("authors", "author_id", ondelete="CASCADE"),
        points_at("hooks", "hook_id", ondelete="CASCADE"),
        points_at("invitations", "invitation_id", ondelete="CASCADE"),
        points_at("comments", "comment_id", ondelete="CASCADE"),
        points_at("articles", "article_id", ondelete="CASCADE"),
        points_at("decisions", "decision_id"),
        points_at("follows", "follow_id", ondelete="SET NULL"),
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
    for column in (
        *("author_id", "hook_id", "invitation_id"),
        *("comment_id", "article_id", "decision_id", "follow_id"),
    ):
        op.create_index(op.f(f"ix_letters_{column}"), "letters", [column])
