"""People: sessions, invitations, passkeys, second steps, and what slows down who guesses"""

import sqlalchemy as sa
from alembic import op

revision = "people"
down_revision = "keys"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("moderators", sa.Column("totp_secret", sa.String(length=500), nullable=True))
    op.add_column("moderators", sa.Column("totp_counter", sa.Integer(), nullable=True))
    op.add_column("memberships", sa.Column("created_at", MOMENT, nullable=True))
    op.add_column("memberships", sa.Column("removed_at", MOMENT, nullable=True))
    op.execute(
        "UPDATE memberships SET created_at = "
        "(SELECT created_at FROM moderators WHERE moderators.id = memberships.moderator_id)"
    )
    op.add_column(
        "sign_in_links",
        sa.Column("purpose", sa.String(length=10), nullable=False, server_default="sign-in"),
    )
    add_visits()
    add_invitations()
    add_keys()


def add_visits() -> None:
    op.create_table(
        "visits",
        sa.Column("id", ID, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("moderator_id", ID, nullable=False),
        sa.Column("browser", sa.String(length=80), nullable=False),
        sa.Column("network", sa.String(length=50), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["moderator_id"], ["moderators.id"], name=op.f("fk_visits_moderator_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visits")),
        sa.UniqueConstraint("digest", name=op.f("uq_visits_digest")),
    )
    op.create_index(op.f("ix_visits_moderator_id"), "visits", ["moderator_id"])
    op.create_table(
        "attempts",
        sa.Column("account", sa.LargeBinary(), nullable=False),
        sa.Column("place", sa.String(length=80), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("account", "place", name=op.f("pk_attempts")),
    )
    op.create_index(op.f("ix_attempts_last_at"), "attempts", ["last_at"])


def add_invitations() -> None:
    roles = sa.Enum(
        *("moderator", "publisher", "admin"),
        name="role_known",
        native_enum=False,
        create_constraint=True,
        length=10,
    )
    op.create_table(
        "invitations",
        sa.Column("id", ID, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("role", roles, nullable=False),
        sa.Column("site_id", ID, nullable=True),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "(role = 'admin') = (site_id IS NULL)",
            name=op.f("ck_invitations_admin_everywhere"),
        ),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_invitations_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("digest", name=op.f("uq_invitations_digest")),
    )


def add_keys() -> None:
    op.create_table(
        "passkeys",
        sa.Column("id", ID, nullable=False),
        sa.Column("moderator_id", ID, nullable=False),
        sa.Column("credential", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["moderator_id"], ["moderators.id"], name=op.f("fk_passkeys_moderator_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("credential", name=op.f("uq_passkeys_credential")),
    )
    op.create_index(op.f("ix_passkeys_moderator_id"), "passkeys", ["moderator_id"])
    op.create_table(
        "recovery_codes",
        sa.Column("id", ID, nullable=False),
        sa.Column("moderator_id", ID, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["moderator_id"], ["moderators.id"], name=op.f("fk_recovery_codes_moderator_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
        sa.UniqueConstraint(
            "moderator_id", "digest", name=op.f("uq_recovery_codes_moderator_id_digest")
        ),
    )
    op.create_index("ix_recovery_codes_left", "recovery_codes", ["moderator_id", "used_at"])
