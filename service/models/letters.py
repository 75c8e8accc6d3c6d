"""The outbox: letters that wait to leave, and what became of those that did."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from ..status import HookShape, LetterKind, LetterState, Why
from .base import Base, Id, now

# Counted by hand: PostgreSQL has no sum of what is true.
ONE_RECIPIENT = " + ".join(
    f"CASE WHEN {column} IS NULL THEN 0 ELSE 1 END"
    for column in ("moderator_id", "author_id", "hook_id", "invitation_id")
)
ONE_RECIPIENT = f"{ONE_RECIPIENT} = 1"


class Letter(Base):
    """One mail, or one call of a webhook, written in the transaction of its cause.

    It names whom it is for by reference and holds no address, no reader's text and no link: these
    are looked up while it is sent (hard rules 4 and 5). Who is erased takes their letters along.
    """

    __tablename__ = "letters"
    __table_args__ = (
        CheckConstraint(ONE_RECIPIENT, name="one_recipient"),
        # What the worker looks for.
        Index(
            "ix_letters_due",
            *("due_at", "id"),
            sqlite_where=text("state = 'queued'"),
            postgresql_where=text("state = 'queued'"),
        ),
        # What the desk shows, and how many went in the last hour.
        Index("ix_letters_site", "site_id", "state", "id"),
        Index("ix_letters_sent", "site_id", "sent_at"),
        Index("ix_letters_created_at", "created_at"),  # what is old
        Index("ix_letters_moderator", "moderator_id", "site_id", "kind", "id"),
        Index("ix_letters_message_id", "message_id"),  # by which one that comes back is known
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[LetterKind]
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id"))  # None: of all sites
    moderator_id: Mapped[int | None] = mapped_column(ForeignKey("moderators.id"))
    author_id: Mapped[int | None] = mapped_column(
        ForeignKey("authors.id", ondelete="CASCADE"), index=True
    )
    hook_id: Mapped[int | None] = mapped_column(
        ForeignKey("hooks.id", ondelete="CASCADE"), index=True
    )
    invitation_id: Mapped[int | None] = mapped_column(
        ForeignKey("invitations.id", ondelete="CASCADE"), index=True
    )
    # What caused it.
    comment_id: Mapped[int | None] = mapped_column(
        ForeignKey("comments.id", ondelete="CASCADE"), index=True
    )
    article_id: Mapped[int | None] = mapped_column(
        ForeignKey("articles.id", ondelete="CASCADE"), index=True
    )
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("decisions.id"), index=True)
    # What its recipient follows, and may end.
    follow_id: Mapped[int | None] = mapped_column(
        ForeignKey("follows.id", ondelete="SET NULL"), index=True
    )
    about: Mapped[dict[str, Any]] = mapped_column(default=dict)
    cause_key: Mapped[str] = mapped_column(String(120), unique=True)  # one cause, one letter
    language: Mapped[str] = mapped_column(String(20), default="")
    state: Mapped[LetterState] = mapped_column(default=LetterState.QUEUED)
    why: Mapped[Why | None]
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    # Which worker has it in hand, and until when nobody else may take it.
    claimed_by: Mapped[str] = mapped_column(String(40), default="")
    claimed_until: Mapped[datetime | None]
    message_id: Mapped[str] = mapped_column(String(300))  # the same each time that it is sent
    created_at: Mapped[datetime] = mapped_column(default=now)
    sent_at: Mapped[datetime | None]
    last_answer: Mapped[str] = mapped_column(String(500), default="")  # without addresses


class Hook(Base):
    """Where a site has its events told, as HTTP calls. Its address may be a key itself (Slack's is),
    so it is sealed like its secret."""

    __tablename__ = "hooks"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    shape: Mapped[HookShape] = mapped_column(default=HookShape.STANDARD)
    events: Mapped[list[str]]  # words of HookEvent
    sealed_url: Mapped[str] = mapped_column(Text)
    sealed_secret: Mapped[str] = mapped_column(String(500), default="")
    # The secret before, good for a while beside the new one.
    sealed_former: Mapped[str] = mapped_column(String(500), default="")
    former_until: Mapped[datetime | None]
    to: Mapped[str] = mapped_column(String(80), default="")  # a chat's number, for Telegram
    is_on: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    removed_at: Mapped[datetime | None]


class Asking(Base):
    """That an address was asked whether it is its owner's: so often, and no oftener (hard rule 6).
    Known by its blind index alone, and kept apart from authors: it outlives them."""

    __tablename__ = "askings"
    __table_args__ = (
        Index("ix_askings_address", "email_index", "at"),
        Index("ix_askings_network", "network", "at"),
        Index("ix_askings_site", "site_id", "at"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    email_index: Mapped[bytes] = mapped_column(LargeBinary)
    network: Mapped[str] = mapped_column(String(50), default="")
    at: Mapped[datetime] = mapped_column(default=now, index=True)
    answered_at: Mapped[datetime | None]


class Unwanted(Base):
    """An address, by its blind index, that no site of this installation ever writes to."""

    __tablename__ = "unwanted"
    email_index: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)
