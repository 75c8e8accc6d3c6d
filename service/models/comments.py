"""The tables of the reader's side: sites, articles, authors, comments, and what was decided on them."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    Select,
    String,
    Text,
    UniqueConstraint,
    false,
    select,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..status import (
    Act,
    BulkState,
    FollowPace,
    ImportState,
    ImportWish,
    Kind,
    Mark,
    Markup,
    Outcome,
    ReportReason,
    Status,
)
from .base import Base, Id, now, one_of, public_id


class Check(Base):
    """A value by which a start notices that the keys are not the ones the rows were written with."""

    __tablename__ = "checks"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[bytes] = mapped_column(LargeBinary)


class Site(Base):
    """A publisher's website."""

    __tablename__ = "sites"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    origins: Mapped[list[str]]
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # What it chose for single rules; `screening_version` grows with it and with its phrases.
    screening: Mapped[dict[str, Any]] = mapped_column(default=dict)
    screening_version: Mapped[int] = mapped_column(default=1)
    version: Mapped[int] = mapped_column(default=1)
    closed_at: Mapped[datetime | None]  # since when no article of it takes new comments
    deleted_at: Mapped[datetime | None]  # since when it is gone for everybody; erased later
    created_at: Mapped[datetime] = mapped_column(default=now)


def gone_sites() -> Select[int]:
    """The ids of the sites that were deleted: nobody meets them any more."""
    return select(Site.id).where(Site.deleted_at.is_not(None))


class Article(Base):
    """A page under which people comment; made by its first comment."""

    __tablename__ = "articles"
    __table_args__ = (
        UniqueConstraint("site_id", "url"),
        UniqueConstraint("site_id", "given_id"),
        # A publisher's list of them, by address too.
        Index("ix_articles_last", "site_id", "last_at", "id"),
        Index("ix_articles_count", "site_id", "approved_count", "id"),
        # The few that are about to be one with another.
        Index(
            "ix_articles_merging",
            "merges_into_id",
            sqlite_where=text("merges_into_id IS NOT NULL"),
            postgresql_where=text("merges_into_id IS NOT NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    url: Mapped[str] = mapped_column(Text)
    given_id: Mapped[str | None] = mapped_column(String(200))  # the publisher's own
    title: Mapped[str] = mapped_column(String(300), default="")
    # What the first poster sent is a hint until a moderator approves something here (hard rule 10).
    is_title_proved: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
    approved_count: Mapped[int] = mapped_column(default=0)
    liked_at: Mapped[datetime | None]  # when a like last came; likes do not raise the version
    closed_at: Mapped[datetime | None]  # since when it takes no new comments
    held_at: Mapped[datetime | None]  # since when every new comment here waits for a moderator
    # When the newest comment came, whatever became of it.
    last_at: Mapped[datetime | None] = mapped_column(default=now)
    # With which it is to be one: until all its comments are there, whoever asks for it finds that.
    merges_into_id: Mapped[int | None] = mapped_column(ForeignKey("articles.id"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    site: Mapped[Site] = relationship()


class Author(Base):
    """Who gave an address to a site: the only place where an address lives."""

    __tablename__ = "authors"
    __table_args__ = (
        UniqueConstraint("site_id", "email_index"),
        Index("ix_authors_domain", "site_id", "domain_index"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    email_index: Mapped[bytes] = mapped_column(LargeBinary)
    email_ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    email_key_id: Mapped[str] = mapped_column(String(8))
    domain_index: Mapped[bytes | None] = mapped_column(
        LargeBinary
    )  # keyed; what domain bans look for
    created_at: Mapped[datetime] = mapped_column(default=now)
    confirmed_at: Mapped[
        datetime | None
    ]  # when its owner last proved by a letter that it is theirs
    returned_at: Mapped[datetime | None]  # since when mail to it comes back: nothing is sent to it


class ArticleAlias(Base):
    """An address where an article was before: whoever asks for it finds the article."""

    __tablename__ = "article_aliases"
    __table_args__ = (
        UniqueConstraint("site_id", "url"),
        Index(
            "ix_article_aliases_former",
            "former_id",
            sqlite_where=text("former_id IS NOT NULL"),
            postgresql_where=text("former_id IS NOT NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    article_id: Mapped[int] = mapped_column(
        ForeignKey("articles.id", ondelete="CASCADE"), index=True
    )
    url: Mapped[str] = mapped_column(Text)
    # The number of an article that stood here and is one with this now: links in letters name it.
    former_id: Mapped[int | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(default=now)


class Move(Base):
    """That articles of a site move to new addresses, by a pattern: done in batches, in the order of
    their numbers, so that whoever finds the row can go on with it."""

    __tablename__ = "moves"
    __table_args__ = (Index("ix_moves_site", "site_id", "id"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    # Nobody's where the command line asked for it.
    moderator_id: Mapped[int | None] = mapped_column(ForeignKey("moderators.id"))
    by: Mapped[str] = mapped_column(String(80))  # their name at the time
    network: Mapped[str] = mapped_column(String(50), default="")  # from where it was asked for
    old: Mapped[str] = mapped_column(Text)  # patterns: a * stands for whatever is there
    new: Mapped[str] = mapped_column(Text)
    has_merges: Mapped[bool] = mapped_column(default=False)  # with what is at a new address already
    total: Mapped[int] = mapped_column(default=0)  # articles that it was about when it began
    at: Mapped[int] = mapped_column(BigInteger, default=0)  # the article that was looked at last
    until: Mapped[int] = mapped_column(BigInteger)  # … and the last that it is about
    moved: Mapped[int] = mapped_column(default=0)
    merged: Mapped[int] = mapped_column(default=0)
    left: Mapped[int] = mapped_column(default=0)  # as they are: something is there already
    state: Mapped[BulkState] = mapped_column(default=BulkState.RUNNING)
    started_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]


class Import(Base):
    """One run of an import, which can be run on or undone whole."""

    __tablename__ = "imports"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    format: Mapped[str] = mapped_column(String(20))
    file_name: Mapped[str] = mapped_column(String(200))
    file_digest: Mapped[str] = mapped_column(String(64))
    state: Mapped[ImportState] = mapped_column(default=ImportState.RUNNING)
    started_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]
    # What somebody at the desk wants next, and who; the worker takes it up.
    wish: Mapped[ImportWish | None]
    by: Mapped[str] = mapped_column(String(80), default="")  # who brought it, by name
    size: Mapped[int] = mapped_column(BigInteger, default=0)  # bytes
    # The uploaded file's name under instance/imports/; empty once it is gone, or never was there.
    stored_as: Mapped[str] = mapped_column(String(80), default="")
    rules: Mapped[list[str]] = mapped_column(default=list)  # OLD=NEW, for articles' addresses
    total: Mapped[int] = mapped_column(default=0)  # comments in the file, once they were counted
    # How far it is in what it does now: comments, of `total`.
    progress: Mapped[int] = mapped_column(default=0)
    beat_at: Mapped[datetime | None]  # when whoever works on it last said so
    report: Mapped[dict[str, Any]] = mapped_column(default=dict)  # what a reading or a run found
    why: Mapped[str] = mapped_column(String(500), default="")  # one line, where it could not go on


class Past(Base):
    """What another installation had on record of a comment that was brought along: foreign, and
    shown as that. Erasure empties `revisions` and the notes in `decisions`."""

    __tablename__ = "pasts"
    comment_id: Mapped[int] = mapped_column(
        ForeignKey("comments.id", ondelete="CASCADE"), primary_key=True
    )
    reasons: Mapped[list[dict[str, Any]]]
    decisions: Mapped[list[dict[str, Any]]]
    revisions: Mapped[list[dict[str, Any]]]
    # What the comment was called in the system that it was first imported from: `source`, `id`,
    # `parent`; empty where it was written there.
    origin: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")


class Comment(Base):
    """One reply: author's name and website as typed, text as typed, safe HTML, status, parent."""

    __tablename__ = "comments"
    __table_args__ = (
        # The same form sent twice, and the same row of a file imported twice, are one comment.
        UniqueConstraint("submission_key"),
        UniqueConstraint("article_id", "source", "source_id"),
        Index("ix_comments_queue", "status", "created_at", "id"),
        Index("ix_comments_site_queue", "site_id", "status", "created_at", "id"),
        # Only what a thread shows at its top: a page of it is a walk along this index.
        Index(
            "ix_comments_thread",
            "article_id",
            "created_at",
            "id",
            sqlite_where=text("parent_id IS NULL"),
            postgresql_where=text("parent_id IS NULL"),
        ),
        Index(
            "ix_comments_liked",
            "article_id",
            "like_count",
            "id",
            sqlite_where=text("parent_id IS NULL"),
            postgresql_where=text("parent_id IS NULL"),
        ),
        Index("ix_comments_replies", "root_id", "status", "created_at", "id"),
        Index("ix_comments_feed", "article_id", "status", "created_at", "id"),
        Index("ix_comments_digest", "site_id", "text_digest"),
        # An author's past, and whether they have any.
        Index("ix_comments_author", "author_id", "is_proved", "status", "created_at"),
        # Whose names nobody else may take.
        Index(
            "ix_comments_proved",
            "site_id",
            "id",
            sqlite_where=text("is_proved IS 1 AND status = 'approved'"),
            postgresql_where=text("is_proved IS true AND status = 'approved'"),
        ),
        # The few that stand above the others.
        Index(
            "ix_comments_pinned",
            "article_id",
            "pinned_at",
            sqlite_where=text("pinned_at IS NOT NULL"),
            postgresql_where=text("pinned_at IS NOT NULL"),
        ),
        # The few that wait though they are published: an edit, or readers' reports.
        Index(
            "ix_comments_edit_at",
            "edit_at",
            sqlite_where=text("edit_at IS NOT NULL"),
            postgresql_where=text("edit_at IS NOT NULL"),
        ),
        Index(
            "ix_comments_reported_at",
            "reported_at",
            sqlite_where=text("reported_at IS NOT NULL"),
            postgresql_where=text("reported_at IS NOT NULL"),
        ),
        # What the desk finds by: each holds only the rows that can be found so.
        Index(
            "ix_comments_risk",
            "risk",
            "id",
            sqlite_where=text("status = 'pending'"),
            postgresql_where=text("status = 'pending'"),
        ),
        Index(
            "ix_comments_site_risk",
            "site_id",
            "risk",
            "id",
            sqlite_where=text("status = 'pending'"),
            postgresql_where=text("status = 'pending'"),
        ),
        Index(
            "ix_comments_report_count",
            "report_count",
            "id",
            sqlite_where=text("report_count > 0"),
            postgresql_where=text("report_count > 0"),
        ),
        Index(
            "ix_comments_website",
            "website_domain",
            "id",
            sqlite_where=text("website_domain <> ''"),
            postgresql_where=text("website_domain <> ''"),
        ),
        Index(
            "ix_comments_network",
            "network",
            "id",
            sqlite_where=text("network <> ''"),
            postgresql_where=text("network <> ''"),
        ),
        # Which are alike; no decision touches the first two.
        Index(
            "ix_comments_fold_digest",
            "site_id",
            "fold_digest",
            "id",
            sqlite_where=text("fold_digest IS NOT NULL"),
            postgresql_where=text("fold_digest IS NOT NULL"),
        ),
        Index(
            "ix_comments_link_domain",
            "site_id",
            "link_domain",
            "id",
            sqlite_where=text("link_domain <> ''"),
            postgresql_where=text("link_domain <> ''"),
        ),
        Index(
            "ix_comments_folds",
            *("site_id", "status", "fold_key", "is_folded", "created_at", "id"),
            sqlite_where=text("fold_key IS NOT NULL"),
            postgresql_where=text("fold_key IS NOT NULL"),
        ),
        # What has a card of its own: a wave of a million takes one place here.
        Index(
            "ix_comments_heads",
            *("status", "created_at", "id"),
            sqlite_where=text("is_folded IS 0 AND status IN ('pending', 'spam')"),
            postgresql_where=text("is_folded IS false AND status IN ('pending', 'spam')"),
        ),
        Index(
            "ix_comments_site_heads",
            *("site_id", "status", "created_at", "id"),
            sqlite_where=text("is_folded IS 0 AND status IN ('pending', 'spam')"),
            postgresql_where=text("is_folded IS false AND status IN ('pending', 'spam')"),
        ),
        # What retention looks for: texts that are not published, and networks.
        Index(
            "ix_comments_kept",
            *("site_id", "created_at", "id"),
            sqlite_where=text("status IN ('rejected', 'spam', 'deleted') AND html <> ''"),
            postgresql_where=text("status IN ('rejected', 'spam', 'deleted') AND html <> ''"),
        ),
        Index(
            "ix_comments_networked",
            *("site_id", "created_at", "id"),
            sqlite_where=text("network <> ''"),
            postgresql_where=text("network <> ''"),
        ),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(12), unique=True, default=public_id)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    article_id: Mapped[int] = mapped_column(ForeignKey("articles.id"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("comments.id"), index=True)
    # The top-level comment that this one hangs under, however deep; NULL for a top-level one.
    root_id: Mapped[int | None] = mapped_column(ForeignKey("comments.id"))
    # On a top-level comment: how many approved replies hang under it, however deep.
    approved_below: Mapped[int] = mapped_column(default=0)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("authors.id"))
    name: Mapped[str] = mapped_column(String(200))
    website: Mapped[str] = mapped_column(Text, default="")
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    markup: Mapped[Markup] = mapped_column(default=Markup.MARKDOWN)
    renderer: Mapped[int]
    status: Mapped[Status]
    kind: Mapped[Kind] = mapped_column(default=Kind.COMMENT)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=now)
    # When its author ticked the site's sentence, which the record of the site's settings has.
    consented_at: Mapped[datetime | None]
    language: Mapped[str] = mapped_column(String(20), default="")
    # Of a client's address only the network is stored (/24, /48).
    network: Mapped[str] = mapped_column(String(50), default="")
    submission_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    text_digest: Mapped[bytes | None] = mapped_column(LargeBinary)  # keyed; finds repeated words
    mark: Mapped[Mark] = mapped_column(default=Mark.NONE)
    like_count: Mapped[int] = mapped_column(default=0)
    edited_at: Mapped[datetime | None]
    is_reworded: Mapped[bool] = mapped_column(default=False)  # the words are a moderator's
    # An edit of a published comment that waits for a moderator (hard rule 3).
    edit_text: Mapped[str | None] = mapped_column(Text)
    edit_html: Mapped[str | None] = mapped_column(Text)
    edit_at: Mapped[datetime | None]
    reported_at: Mapped[datetime | None]  # since when readers' reports ask for a moderator
    pinned_at: Mapped[datetime | None]  # since when it stands above the others
    # Whether this very comment carries proof that its author owns the address (hard rule 1).
    is_proved: Mapped[bool] = mapped_column(default=False)
    # What the desk finds and sorts by.
    website_domain: Mapped[str] = mapped_column(String(255), default="")
    link_count: Mapped[int] = mapped_column(default=0)
    is_first: Mapped[bool] = mapped_column(default=False)  # of this address on the site, as typed
    risk: Mapped[int] = mapped_column(default=0)  # what the rules' reasons weigh, 0 to 100
    report_count: Mapped[int] = mapped_column(default=0)  # open ones
    # By what a comment is found to be like others, and the fold that it is in with them.
    fold_digest: Mapped[bytes | None] = mapped_column(LargeBinary)  # keyed, of its normalised text
    link_domain: Mapped[str] = mapped_column(
        String(255), default=""
    )  # that its text links to first
    fold_key: Mapped[str | None] = mapped_column(String(80))
    is_folded: Mapped[bool] = mapped_column(default=False)  # into the card of the oldest like it
    import_id: Mapped[int | None] = mapped_column(ForeignKey("imports.id"), index=True)
    source: Mapped[str | None] = mapped_column(String(20))  # the format it was imported from
    source_id: Mapped[str | None] = mapped_column(String(100))
    source_parent: Mapped[str | None] = mapped_column(String(100))
    article: Mapped[Article] = relationship()
    parent: Mapped["Comment | None"] = relationship(
        remote_side="Comment.id", foreign_keys="Comment.parent_id"
    )
    reasons: Mapped[list["Reason"]] = relationship(order_by="Reason.id")


class Reason(Base):
    """Why a rule did what it did to a comment, in words a moderator understands."""

    __tablename__ = "reasons"
    __table_args__ = (Index("ix_reasons_rule", "rule", "comment_id"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    comment_id: Mapped[int] = mapped_column(
        ForeignKey("comments.id", ondelete="CASCADE"), index=True
    )
    rule: Mapped[str] = mapped_column(String(40))
    matched: Mapped[str] = mapped_column(String(300), default="")
    comment: Mapped[Comment] = relationship(back_populates="reasons")


class Decision(Base):
    """One change of a comment, or one look at its address: who, when, from, to, why.

    Holds no reader's text and no address. `by` is the moderator's name at the time, or the part
    of the machine that acted; `version` is the comment's after the change.
    """

    __tablename__ = "decisions"
    __table_args__ = (
        Index("ix_decisions_comment", "comment_id", "id"),
        Index("ix_decisions_moderator", "moderator_id", "id"),
        Index(
            "ix_decisions_bulk",
            "bulk_id",
            "id",
            sqlite_where=text("bulk_id IS NOT NULL"),
            postgresql_where=text("bulk_id IS NOT NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comments.id"))
    moderator_id: Mapped[int | None] = mapped_column(ForeignKey("moderators.id"))
    by: Mapped[str] = mapped_column(String(80))
    act: Mapped[Act]
    from_status: Mapped[Status] = mapped_column(one_of(Status, "from_status"))
    to_status: Mapped[Status] = mapped_column(one_of(Status, "to_status"))
    version: Mapped[int]
    at: Mapped[datetime] = mapped_column(default=now)
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("decisions.id"), unique=True)
    handed_to: Mapped[str] = mapped_column(String(80), default="")  # a colleague's name at the time
    bulk_id: Mapped[int | None] = mapped_column(ForeignKey("bulks.id"))  # the job it was part of
    by_mail: Mapped[bool] = mapped_column(
        default=False, server_default=false()
    )  # a link in a letter
    network: Mapped[str] = mapped_column(String(50), default="")  # from where a moderator decided
    comment: Mapped[Comment] = relationship()
    note: Mapped["Note | None"] = relationship(back_populates="decision")
    undoes: Mapped["Decision | None"] = relationship(remote_side="Decision.id")


class Note(Base):
    """A moderator's words on a decision; apart from it, since erasure may blank them."""

    __tablename__ = "notes"
    decision_id: Mapped[int] = mapped_column(ForeignKey("decisions.id"), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    public_text: Mapped[str] = mapped_column(Text, default="")  # what the comment's author is told
    decision: Mapped[Decision] = relationship(back_populates="note")


class Revision(Base):
    """An earlier text of a comment; erasure blanks it."""

    __tablename__ = "revisions"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    comment_id: Mapped[int] = mapped_column(
        ForeignKey("comments.id", ondelete="CASCADE"), index=True
    )
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    replaced_at: Mapped[datetime] = mapped_column(default=now)
    # What the comment's own columns said of this text.
    is_html: Mapped[bool] = mapped_column(default=False)  # its markup was that of an import
    is_reworded: Mapped[bool] = mapped_column(default=False)
    edited_at: Mapped[datetime | None]


class LikeKey(Base):
    """The key of one day's likes. It is thrown away with the day, and then nobody can tell any more
    which network liked what."""

    __tablename__ = "like_keys"
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    key: Mapped[bytes] = mapped_column(LargeBinary)


class Like(Base):
    """That a network liked a comment today: a hint, gone tomorrow. The comment keeps the count."""

    __tablename__ = "likes"
    comment_id: Mapped[int] = mapped_column(
        ForeignKey("comments.id", ondelete="CASCADE"), primary_key=True
    )
    network_digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    day: Mapped[str] = mapped_column(String(10))


class Report(Base):
    """What a reader says against a comment, one from each network; open until there is an outcome."""

    __tablename__ = "reports"
    __table_args__ = (UniqueConstraint("comment_id", "network_digest"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(12), unique=True, default=public_id)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comments.id", ondelete="CASCADE"))
    reason: Mapped[ReportReason]
    explanation: Mapped[str] = mapped_column(Text, default="")
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("authors.id"), index=True)
    network_digest: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(default=now)
    outcome: Mapped[Outcome | None]
    closed_at: Mapped[datetime | None]
    comment: Mapped[Comment] = relationship()


class Follow(Base):
    """Who wants letters about new comments under an article, or about answers to a comment.

    None is sent before the address has confirmed (hard rule 6).
    """

    __tablename__ = "follows"
    __table_args__ = (
        UniqueConstraint("author_id", "article_id"),
        UniqueConstraint("author_id", "comment_id"),
        CheckConstraint("(article_id IS NULL) <> (comment_id IS NULL)", name="one_thing"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    article_id: Mapped[int | None] = mapped_column(ForeignKey("articles.id"), index=True)
    comment_id: Mapped[int | None] = mapped_column(
        ForeignKey("comments.id", ondelete="CASCADE"), index=True
    )
    language: Mapped[str] = mapped_column(String(20), default="")
    pace: Mapped[FollowPace] = mapped_column(
        default=FollowPace.AT_ONCE, server_default=FollowPace.AT_ONCE.value
    )
    created_at: Mapped[datetime] = mapped_column(default=now)
    confirmed_at: Mapped[datetime | None]
