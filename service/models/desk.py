"""The tables of the desk: jobs over many comments, bans, who looks at what, what else is on record."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from ..status import BanKind, BulkState, Status
from .base import Base, Id, now, one_of


class Bulk(Base):
    """One decision on many comments: a job that runs in batches, can be stopped, and undone whole."""

    __tablename__ = "bulks"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    moderator_id: Mapped[int] = mapped_column(ForeignKey("moderators.id"), index=True)
    by: Mapped[str] = mapped_column(String(80))  # the moderator's name at the time
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id"))  # None for more than one
    to_status: Mapped[Status | None] = mapped_column(one_of(Status, "to_status"))  # None: an undo
    # What it is about: a filter's words, or the comments that were picked. Never an address.
    about: Mapped[dict[str, Any]]
    total: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    skipped: Mapped[int] = mapped_column(default=0)  # somebody else was faster
    state: Mapped[BulkState] = mapped_column(default=BulkState.RUNNING)
    is_stop_asked: Mapped[bool] = mapped_column(default=False)
    started_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now)  # its last batch
    ended_at: Mapped[datetime | None]
    network: Mapped[str] = mapped_column(String(50), default="")  # from where it was asked for
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("bulks.id"), unique=True)


class Ban(Base):
    """What a site takes no comments from any more: held as spam, never refused (promise 6).

    Addresses and their domains are known by blind indexes alone (hard rule 4).
    """

    __tablename__ = "bans"
    __table_args__ = (Index("ix_bans_kind", "kind", "site_id"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id"))  # None: on every site
    kind: Mapped[BanKind]
    digest: Mapped[bytes | None] = mapped_column(LargeBinary)  # of an address or its domain
    value: Mapped[str] = mapped_column(String(300), default="")  # masked where it is an address's
    reason: Mapped[str] = mapped_column(String(300), default="")
    moderator_id: Mapped[int | None] = mapped_column(ForeignKey("moderators.id"))
    by: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    hits: Mapped[int] = mapped_column(default=0)


class Opening(Base):
    """That a moderator has a card before them: kept a minute, and locks nothing."""

    __tablename__ = "openings"
    comment_id: Mapped[int] = mapped_column(
        ForeignKey("comments.id", ondelete="CASCADE"), primary_key=True
    )
    moderator_id: Mapped[int] = mapped_column(ForeignKey("moderators.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now, index=True)


class Handover(Base):
    """A comment that a moderator left to a colleague, or to whoever has a second opinion.

    A decision ends it at the moment that it was made, and undoing that opens it again.
    """

    __tablename__ = "handovers"
    __table_args__ = (
        Index(
            "ix_handovers_open",
            "to_id",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )
    comment_id: Mapped[int] = mapped_column(
        ForeignKey("comments.id", ondelete="CASCADE"), primary_key=True
    )
    # Who asked, when and with which words is the decision log's to tell.
    decision_id: Mapped[int] = mapped_column(ForeignKey("decisions.id"))
    to_id: Mapped[int | None] = mapped_column(ForeignKey("moderators.id"))
    at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]


class Event(Base):
    """Something on record that is no decision on a comment: who did what, when, from where."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_site", "site_id", "id"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)
    moderator_id: Mapped[int | None] = mapped_column(ForeignKey("moderators.id"), index=True)
    by: Mapped[str] = mapped_column(String(80))
    what: Mapped[str] = mapped_column(String(40))  # a word of events.What
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id"))
    about: Mapped[str] = mapped_column(String(300), default="")  # never an author's address
    network: Mapped[str] = mapped_column(String(50), default="")
