"""The tables of screening: phrases, the ledger of verdicts, what the filter has learned, waves."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from ..status import Occasion, PhraseKind
from .base import Base, Id, now


class Phrase(Base):
    """A word or phrase that a site looks for in new comments, as the site wrote it."""

    __tablename__ = "phrases"
    __table_args__ = (UniqueConstraint("site_id", "kind", "phrase"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    kind: Mapped[PhraseKind]
    phrase: Mapped[str] = mapped_column(String(200))
    hits: Mapped[int] = mapped_column(default=0)


class Judgement(Base):
    """One verdict, as the ledger keeps it: what every rule said of a comment at a moment.

    Where another wording was asked for nothing was stored, and there is no comment.
    """

    __tablename__ = "judgements"
    __table_args__ = (
        Index("ix_judgements_comment", "comment_id", "id"),
        Index("ix_judgements_site", "site_id", "id"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    comment_id: Mapped[int | None] = mapped_column(ForeignKey("comments.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(default=now)
    occasion: Mapped[Occasion]
    status: Mapped[str] = mapped_column(String(10), default="")  # that came out of it
    # Each reason as [rule, status, matched]; erasure blanks what was matched.
    reasons: Mapped[list[Any]] = mapped_column(JSON, default=list)
    chance: Mapped[int | None]  # that it is spam in the filter's eyes, percent; None: not asked
    telling: Mapped[list[str]] = mapped_column(default=list)  # the words that told it most


class Knowledge(Base):
    """How much a site's filter has learned, and how far it has read the log of decisions."""

    __tablename__ = "knowledge"
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    spam: Mapped[int] = mapped_column(default=0)  # comments that it learned from
    ham: Mapped[int] = mapped_column(default=0)
    last_decision_id: Mapped[int] = mapped_column(BigInteger, default=0)
    last_feedback_id: Mapped[int] = mapped_column(BigInteger, default=0)  # told to Akismet
    last_rescored_id: Mapped[int] = mapped_column(BigInteger, default=0)
    learned_at: Mapped[datetime | None]
    rescored_at: Mapped[datetime | None]  # when it last began to look at all that waits


class Feature(Base):
    """What a site's filter knows of one feature, by its hash: the model holds no reader's words."""

    __tablename__ = "features"
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    hash: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    spam: Mapped[int] = mapped_column(default=0)
    ham: Mapped[int] = mapped_column(default=0)
    weight: Mapped[float] = mapped_column(default=0.0)
    squares: Mapped[float] = mapped_column(default=0.0)  # of its gradients


class Lesson(Base):
    """What the filter learned from one comment, so that it can unlearn it."""

    __tablename__ = "lessons"
    comment_id: Mapped[int] = mapped_column(
        ForeignKey("comments.id", ondelete="CASCADE"), primary_key=True
    )
    is_spam: Mapped[bool]
    # The text that it learned is the comment's of this digest; another one is another lesson.
    text_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    step: Mapped[float] = mapped_column(default=0.0)  # how far it was mistaken then
    # What it changed, feature by feature (learning.pack); None where that is not kept any more.
    changes: Mapped[bytes | None] = mapped_column(LargeBinary)


class Taught(Base):
    """A line of a file that the filter was taught with, so that the same file counts once."""

    __tablename__ = "taught"
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)  # keyed


class Wave(Base):
    """A time in which far more comments than usual came in, on an article or a whole site."""

    __tablename__ = "waves"
    __table_args__ = (
        Index(
            "ix_waves_open",
            "site_id",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    article_id: Mapped[int | None] = mapped_column(ForeignKey("articles.id"))  # None: the site
    began_at: Mapped[datetime] = mapped_column(default=now)  # its first comment's moment
    seen_at: Mapped[datetime] = mapped_column(default=now)  # when it was last far above the usual
    ended_at: Mapped[datetime | None]
    usual: Mapped[float] = mapped_column(default=0.0)  # comments in such a time
    peak: Mapped[int] = mapped_column(default=0)
    bulk_id: Mapped[int | None] = mapped_column(ForeignKey("bulks.id"))  # the job that cleared it


class SpentToken(Base):
    """A form token that script fetched and a comment was sent with: kept while it is good."""

    __tablename__ = "spent_tokens"
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now, index=True)
