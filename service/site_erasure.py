"""What a deleted site held, erased for good once nobody can restore it.

It goes in short steps, each the caller's own transaction, and may begin anew after anything that went
wrong. Rows of the log stay (hard rule 12), and the comments that they are about as empty places; the
site's row stays too, without a name, so that nobody else is given a key that pages out there ask for.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from . import events, moderation, sites
from .accounts import Membership
from .events import What
from .models import (
    Article,
    ArticleAlias,
    Asking,
    Author,
    Ban,
    Bulk,
    Comment,
    Feature,
    Follow,
    Hook,
    Import,
    Invitation,
    Judgement,
    Knowledge,
    Letter,
    Move,
    Phrase,
    Report,
    Site,
    Taught,
    Wave,
)

BY = "worker"
ROWS = 500  # in one transaction
COMMENTS = 100  # the same, with all that hangs on them

# What goes as a whole, in this order: a row goes after those that refer to it. Of a table whose key
# is the site and another column, that one is named.
WHOLE: tuple[tuple[Any, InstrumentedAttribute[Any]], ...] = (
    (ArticleAlias, ArticleAlias.id),
    (Author, Author.id),
    (Hook, Hook.id),
    (Import, Import.id),
    (Move, Move.id),
    (Wave, Wave.id),
    (Ban, Ban.id),
    (Asking, Asking.id),
    (Phrase, Phrase.id),
    (Judgement, Judgement.id),
    (Feature, Feature.hash),
    (Taught, Taught.digest),
    (Knowledge, Knowledge.site_id),
    (Invitation, Invitation.id),
    (Membership, Membership.id),
)


def due(session: Session, at: datetime) -> int | None:
    """A site that is to be erased, by its id; None if there is none."""
    over = (Site.deleted_at <= at - sites.KEPT, Site.name != "")
    return session.scalar(select(Site.id).where(*over).order_by(Site.id).limit(1))


def next_comments(session: Session, site_id: int, after: int) -> Sequence[int]:
    """Some comments of a site that still hold something, by id, behind one of them."""
    holds = or_(
        Comment.text != "",
        Comment.name != "",
        Comment.author_id.is_not(None),
        Comment.import_id.is_not(None),
    )
    found = select(Comment.id).where(Comment.site_id + 0 == site_id, Comment.id > after, holds)
    return session.scalars(found.order_by(Comment.id).limit(COMMENTS)).all()


def files(session: Session, site_id: int) -> Sequence[str]:
    """The uploaded files that a site's imports still have, by name."""
    found = select(Import.stored_as).where(Import.site_id == site_id, Import.stored_as != "")
    return session.scalars(found).all()


def letters_next(session: Session, site_id: int) -> bool:
    """Removes some of a site's letters; whether there were any."""
    return _delete(session, Letter, Letter.id, Letter.site_id == site_id)


def comments_next(session: Session, comment_ids: Sequence[int]) -> None:
    """Empties these comments, with all that hangs on them."""
    moderation.erase(session, comment_ids)


def rest_next(session: Session, site_id: int) -> bool:
    """Removes some more of what is left beside the comments; whether there was anything."""
    theirs = select(Author.id).where(Author.site_id == site_id)
    articles = select(Article.id).where(Article.site_id == site_id)
    of_it = or_(Follow.author_id.in_(theirs), Follow.article_id.in_(articles))
    if _delete(session, Follow, Follow.id, of_it):
        return True
    contacts = update(Report).where(Report.contact_id.in_(theirs))
    session.execute(contacts.values(contact_id=None))
    for table, key in WHOLE:
        if _delete(session, table, key, table.site_id == site_id):
            return True
    return _empty_articles(session, site_id)


def end(session: Session, site_id: int) -> None:
    """The last step: the site's row is emptied, and that it was erased is on record."""
    site = session.get_one(Site, site_id)
    about = f"{site.name} ({site.key})"
    session.execute(update(Bulk).where(Bulk.site_id == site_id).values(about={}))
    site.name, site.origins, site.settings, site.screening = "", [], {}, {}
    events.record(session, What.SITE_ERASED, BY, about, site_id)


def _delete(
    session: Session, table: Any, key: InstrumentedAttribute[Any], those: ColumnElement[bool]
) -> bool:
    keys = session.scalars(select(key).where(those).limit(ROWS)).all()
    if keys:
        session.execute(delete(table).where(key.in_(keys), those))
    return bool(keys)


def _empty_articles(session: Session, site_id: int) -> bool:
    """Articles stay as places too: comments stand under them."""
    some = select(Article).where(Article.site_id == site_id, Article.url.not_like("erased:%"))
    found = session.scalars(some.limit(ROWS)).all()
    for article in found:
        article.url, article.title, article.given_id = f"erased:{article.id}", "", None
        article.approved_count = 0
    return bool(found)
