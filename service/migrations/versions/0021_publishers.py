"""Sites that are closed or deleted, articles' former addresses, imports at the desk, foreign history"""

import sqlalchemy as sa
from alembic import op

revision = "publishers"
down_revision = "old_letters"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
STATES = (
    *("uploaded", "rehearsing", "rehearsed", "running"),
    *("stopped", "failed", "done", "undoing", "undone"),
)
WISHES = ("rehearse", "run", "stop", "undo")


def upgrade() -> None:
    for name in ("closed_at", "deleted_at"):
        op.add_column("sites", sa.Column(name, MOMENT, nullable=True))
    add_aliases()
    add_pasts()
    widen_imports()


def add_aliases() -> None:
    op.create_table(
        "article_aliases",
        sa.Column("id", ID, nullable=False),
        sa.Column("site_id", ID, nullable=False),
        sa.Column("article_id", ID, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_article_aliases_site_id")),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["articles.id"],
            name=op.f("fk_article_aliases_article_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article_aliases")),
        sa.UniqueConstraint("site_id", "url", name=op.f("uq_article_aliases_site_id_url")),
    )
    op.create_index(op.f("ix_article_aliases_article_id"), "article_aliases", ["article_id"])


def add_pasts() -> None:
    op.create_table(
        "pasts",
        sa.Column("comment_id", ID, nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("decisions", sa.JSON(), nullable=False),
        sa.Column("revisions", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comments.id"], name=op.f("fk_pasts_comment_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("comment_id", name=op.f("pk_pasts")),
    )


def widen_imports() -> None:
    if op.get_context().dialect.name == "postgresql":
        listed = ", ".join(f"'{word}'" for word in STATES)
        op.drop_constraint("ck_imports_importstate_known", "imports")
        op.create_check_constraint("importstate_known", "imports", f"state IN ({listed})")
        for column in columns():
            op.add_column("imports", column)
        return
    # SQLite changes no CHECK of a table that is there: it is made anew, with the rows that it has.
    before = sa.Table("imports", sa.MetaData(), *first_columns())
    with op.batch_alter_table("imports", copy_from=before, recreate="always") as changed:
        for column in columns():
            changed.add_column(column)


def first_columns() -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("id", ID, nullable=False),
        sa.Column("site_id", ID, nullable=False),
        sa.Column("format", sa.String(length=20), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("file_digest", sa.String(length=64), nullable=False),
        sa.Column("state", one_of("ck_imports_importstate_known", *STATES), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_imports_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_imports"),
    )


def columns() -> tuple[sa.Column[object], ...]:
    wish = one_of(op.f("ck_imports_importwish_known"), *WISHES)
    return (
        sa.Column("wish", wish, nullable=True),
        sa.Column("by", sa.String(length=80), nullable=False, server_default=""),
        sa.Column("size", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("stored_as", sa.String(length=80), nullable=False, server_default=""),
        sa.Column("rules", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("total", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("progress", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("beat_at", MOMENT, nullable=True),
        sa.Column("report", sa.JSON(), nullable=False, server_default="{}"),
        sa.Column("why", sa.String(length=500), nullable=False, server_default=""),
    )


def one_of(name: str, *known: str) -> sa.Enum:
    return sa.Enum(*known, name=name, native_enum=False, create_constraint=True, length=10)
