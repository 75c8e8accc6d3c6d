"""What belongs to the people who sign in: their sessions, keys and codes, and who was invited."""

from datetime import datetime, timedelta
from typing import ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..status import Role
from .base import Base, Id, now


class Visit(Base):
    """A browser that is signed in. Its cookie holds a secret of which only a digest is kept."""

    __tablename__ = "visits"
    LASTS: ClassVar[timedelta] = timedelta(days=30)  # without being seen
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    moderator_id: Mapped[int] = mapped_column(ForeignKey("moderators.id"), index=True)
    browser: Mapped[str] = mapped_column(String(80), default="")
    network: Mapped[str] = mapped_column(String(50), default="")
    started_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]


class Attempt(Base):
    """How often somebody failed to sign in to one account from one place."""

    __tablename__ = "attempts"
    account: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)  # a keyed digest
    place: Mapped[str] = mapped_column(
        String(80), primary_key=True
    )  # a network, or a known browser
    failures: Mapped[int] = mapped_column(default=0)
    last_at: Mapped[datetime] = mapped_column(default=now, index=True)


class Invitation(Base):
    """A role that waits for somebody who has the link. Only a digest of its secret is kept."""

    __tablename__ = "invitations"
    __table_args__ = (
        CheckConstraint("(role = 'admin') = (site_id IS NULL)", name="admin_everywhere"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    email: Mapped[str] = mapped_column(String(254))
    role: Mapped[Role]
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id"))
    by: Mapped[str] = mapped_column(String(80))
    # Whose right it stands on, and with whose it ends; None for the operator's.
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("moderators.id"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]  # taken back


class Passkey(Base):
    """A key that a person's device keeps, by which they sign in without a password."""

    __tablename__ = "passkeys"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    moderator_id: Mapped[int] = mapped_column(ForeignKey("moderators.id"), index=True)
    credential: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    count: Mapped[int] = mapped_column(default=0)  # of uses, where the device counts them
    name: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime] = mapped_column(default=now)
    used_at: Mapped[datetime | None]


class SpentChallenge(Base):
    """A question that a passkey has answered: its browser's cookie still holds it, and no second
    answer to it counts. Only a digest, until the question itself is too old."""

    __tablename__ = "spent_challenges"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class RecoveryCode(Base):
    """One of the codes that stand in for a lost second step, each once."""

    __tablename__ = "recovery_codes"
    __table_args__ = (
        UniqueConstraint("moderator_id", "digest"),
        Index("ix_recovery_codes_left", "moderator_id", "used_at"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    moderator_id: Mapped[int] = mapped_column(ForeignKey("moderators.id"))
    digest: Mapped[bytes] = mapped_column(LargeBinary)  # keyed
    used_at: Mapped[datetime | None]
