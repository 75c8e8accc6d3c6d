"""The desk: jobs over many comments, bans, hand-overs, and what else is on record"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
STATUSES = ("pending", "approved", "rejected", "spam", "deleted")
ACTS = (
    *("decided", "undone", "revealed", "retracted"),
    *("edited", "discarded", "withdrawn", "marked", "kept", "held"),
    *("reworded", "pinned", "unpinned", "noted", "handed"),
)

# Events are only ever added, as decisions are.
APPEND_ONLY = {
    "sqlite": (
        "CREATE TRIGGER events_no_update BEFORE UPDATE ON events "
        "BEGIN SELECT RAISE(ABORT, 'events are append-only'); END",
        "CREATE TRIGGER events_no_delete BEFORE DELETE ON events "
        "BEGIN SELECT RAISE(ABORT, 'events are append-only'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION refuse_event_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'events are append-only'; END $$",
        "CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE ON events "
        "FOR EACH ROW EXECUTE FUNCTION refuse_event_change()",
    ),
}


def upgrade() -> None:
    add_columns()
    add_bulks()
    widen_the_log()
    add_tables()
    for statement in APPEND_ONLY[op.get_context().dialect.name]:
        op.execute(statement)


def one_of(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=10)


def add_columns() -> None:
    """In place: a table of a million rows is not written anew."""
    op.add_column("articles", sa.Column("closed_at", MOMENT, nullable=True))
    op.add_column("articles", sa.Column("held_at", MOMENT, nullable=True))
    op.add_column("authors", sa.Column("domain_index", sa.LargeBinary(), nullable=True))
    op.add_column("comments", sa.Column("pinned_at", MOMENT, nullable=True))
    op.add_column(
        "comments", sa.Column("is_proved", sa.Boolean(), nullable=False, server_default=sa.false())
    )


def add_bulks() -> None:
    op.create_table(
        "bulks",
        sa.Column("id", ID, nullable=False),
        sa.Column("moderator_id", ID, nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("site_id", ID, nullable=True),
        sa.Column("to_status", one_of("to_status_known", *STATUSES), nullable=True),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            one_of("bulkstate_known", "running", "stopped", "done"),
            nullable=False,
        ),
        sa.Column("is_stop_asked", sa.Boolean(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("network", sa.String(length=50), nullable=False),
        sa.Column("undoes_id", ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["moderator_id"], ["moderators.id"], name=op.f("fk_bulks_moderator_id")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_bulks_site_id")),
        sa.ForeignKeyConstraint(["undoes_id"], ["bulks.id"], name=op.f("fk_bulks_undoes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulks")),
        sa.UniqueConstraint("undoes_id", name=op.f("uq_bulks_undoes_id")),
    )
    op.create_index(op.f("ix_bulks_moderator_id"), "bulks", ["moderator_id"])


def add_tables() -> None:
    op.create_table(
        "bans",
        sa.Column("id", ID, nullable=False),
        sa.Column("site_id", ID, nullable=True),
        sa.Column(
            "kind",
            one_of("bankind_known", "address", "domain", "name", "website", "network"),
            nullable=False,
        ),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("value", sa.String(length=300), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("moderator_id", ID, nullable=True),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["moderator_id"], ["moderators.id"], name=op.f("fk_bans_moderator_id")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_bans_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bans")),
    )
    op.create_index("ix_bans_kind", "bans", ["kind", "site_id"])
    op.create_table(
        "openings",
        sa.Column("comment_id", ID, nullable=False),
        sa.Column("moderator_id", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"],
            ["comments.id"],
            name=op.f("fk_openings_comment_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["moderator_id"], ["moderators.id"], name=op.f("fk_openings_moderator_id")
        ),
        sa.PrimaryKeyConstraint("comment_id", "moderator_id", name=op.f("pk_openings")),
    )
    op.create_index(op.f("ix_openings_at"), "openings", ["at"])
    op.create_table(
        "handovers",
        sa.Column("comment_id", ID, nullable=False),
        sa.Column("decision_id", ID, nullable=False),
        sa.Column("to_id", ID, nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"],
            ["comments.id"],
            name=op.f("fk_handovers_comment_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["decisions.id"], name=op.f("fk_handovers_decision_id")
        ),
        sa.ForeignKeyConstraint(["to_id"], ["moderators.id"], name=op.f("fk_handovers_to_id")),
        sa.PrimaryKeyConstraint("comment_id", name=op.f("pk_handovers")),
    )
    op.create_index(op.f("ix_handovers_to_id"), "handovers", ["to_id"])
    op.create_table(
        "events",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("moderator_id", ID, nullable=True),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("site_id", ID, nullable=True),
        sa.Column("about", sa.String(length=300), nullable=False),
        sa.Column("network", sa.String(length=50), nullable=False),
        sa.ForeignKeyConstraint(
            ["moderator_id"], ["moderators.id"], name=op.f("fk_events_moderator_id")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_events_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index("ix_events_site", "events", ["site_id", "id"])
    op.create_index(op.f("ix_events_moderator_id"), "events", ["moderator_id"])


def widen_the_log() -> None:
    """New words for what a decision records, and two columns. SQLite changes no CHECK of a table
    that is there: the log is copied as it is, and shut again by the triggers that it had."""
    bulk = sa.Column(
        "bulk_id", ID, sa.ForeignKey("bulks.id", name=op.f("fk_decisions_bulk_id")), nullable=True
    )
    network = sa.Column("network", sa.String(length=50), nullable=False, server_default="")
    part = sa.text("bulk_id IS NOT NULL")
    index = ("ix_decisions_bulk", "decisions", ["bulk_id", "id"])
    if op.get_context().dialect.name == "postgresql":
        words = ", ".join(f"'{word}'" for word in ACTS)
        op.drop_constraint("ck_decisions_act_known", "decisions")
        op.create_check_constraint("act_known", "decisions", f"act IN ({words})")
        op.add_column("decisions", bulk)
        op.add_column("decisions", network)
        op.create_index(*index, postgresql_where=part)
        return
    triggers = op.get_bind().execute(
        sa.text("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'decisions'")
    )
    shut = triggers.scalars().all()
    with op.batch_alter_table("decisions", copy_from=decisions(), recreate="always") as changed:
        changed.add_column(bulk)
        changed.add_column(network)
    op.create_index(*index, sqlite_where=part)
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
