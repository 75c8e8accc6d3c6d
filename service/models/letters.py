"""The outbox: letters that wait to leave, and what became of those that did."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from ..status import LetterKind, LetterState, Why
from .base import Base, Id, now


class Letter(Base):
    """One mail, written in the transaction of its cause.

    It names whom it is for by reference and holds no address, no reader's text and no link: these
    are looked up while it is sent (hard rules 4 and 5). Who is erased takes their letters along.
    """

    __tablename__ = "letters"
    __table_args__ = (
        CheckConstraint("(moderator_id IS NULL) <> (author_id IS NULL)", name="one_recipient"),
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
        Index("ix_letters_moderator", "moderator_id", "site_id", "kind", "id"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[LetterKind]
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    moderator_id: Mapped[int | None] = mapped_column(ForeignKey("moderators.id"))
    author_id: Mapped[int | None] = mapped_column(
        ForeignKey("authors.id", ondelete="CASCADE"), index=True
    )
    # What caused it.
    comment_id: Mapped[int | None] = mapped_column(
        ForeignKey("comments.id", ondelete="CASCADE"), index=True
    )
    article_id: Mapped[int | None] = mapped_column(
        ForeignKey("articles.id", ondelete="CASCADE"), index=True
    )
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("decisions.id"), index=True)
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
