"""What an address follows on a site, and how often it hears of it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..models import Article, Author, Comment, Follow, now
from ..status import FollowPace


@dataclass(frozen=True)
class Followed:
    """One thing that an address follows."""

    id: int
    title: str  # as a moderator proved it, else ""
    url: str
    article_id: int | None  # what is followed: the article,
    comment_id: int | None  # or answers to one's own comment
    sent_at: datetime | None  # when that was sent
    pace: FollowPace
    is_confirmed: bool


def author_of(session: Session, site_id: int, email_index: bytes) -> Author | None:
    """Whose address this is on a site."""
    known = select(Author).where(Author.site_id == site_id, Author.email_index == email_index)
    return session.scalar(known)


def of_author(session: Session, author: Author | None) -> list[Followed]:
    """All that an address follows on its site, newest first; what it has not confirmed too."""
    if author is None:
        return []
    found = (
        select(Follow, Article, Comment.created_at)
        .outerjoin(Comment, Comment.id == Follow.comment_id)
        .join(Article, Article.id == func.coalesce(Follow.article_id, Comment.article_id))
        .where(Follow.author_id == author.id)
        .order_by(Follow.id.desc())
    )
    return [
        Followed(
            id=follow.id,
            title=article.title if article.is_title_proved else "",
            url=article.url,
            article_id=follow.article_id,
            comment_id=follow.comment_id,
            sent_at=sent_at,
            pace=follow.pace,
            is_confirmed=follow.confirmed_at is not None,
        )
        for follow, article, sent_at in session.execute(found)
    ]


def own(session: Session, author: Author, follow_id: int) -> Follow | None:
    """One row of an author's; nobody else's."""
    follow = session.get(Follow, follow_id)
    return follow if follow is not None and follow.author_id == author.id else None


def set_pace(session: Session, author: Author, follow_id: int, pace: FollowPace) -> bool:
    """How often an author hears of an article from now on; whether they follow it."""
    follow = own(session, author, follow_id)
    if follow is None or follow.article_id is None:
        return False
    follow.pace = pace
    return True


def start(session: Session, author: Author, follow_id: int) -> bool:
    """Confirms a wish by a key that was sent to the address; whether there was one. It proves no
    comment: of those under this address some may be a stranger's (hard rule 1)."""
    follow = own(session, author, follow_id)
    if follow is None:
        return False
    at = now()
    follow.confirmed_at = follow.confirmed_at or at
    author.confirmed_at = author.confirmed_at or at
    return True
