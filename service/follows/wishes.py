"""What the writer of a comment wants to hear of, stored with it."""

from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..models import Author, Comment, Follow, now
from ..status import FollowPace, Status
from . import asking
from .ending import is_unwanted


class Wish(StrEnum):
    """What the writer of a comment wants to hear of."""

    NOTHING = ""
    REPLIES = "replies"  # what becomes of their own comment, and answers to it
    ARTICLE = "article"  # every new comment under the article, at once
    DAILY = "daily"  # those once a day
    WEEKLY = "weekly"  # those once a week


# How often, where an article is followed.
PACES = {
    Wish.ARTICLE: FollowPace.AT_ONCE,
    Wish.DAILY: FollowPace.DAILY,
    Wish.WEEKLY: FollowPace.WEEKLY,
}


def add(session: Session, comment: Comment, wish: Wish, mailbox: bytes | None = None) -> None:
    """Stores the wish of a comment's author; the same wish twice is one.

    With proof in the comment it counts at once. Else whoever owns the address is asked, if that may
    be (asking.py), and what is there already stays as it is: a typed address changes nothing (hard
    rule 1). Nothing is stored of what the rules take for spam, nor, without proof, where the
    address asked never to be written to. Takes the index of the address's mailbox
    (vault.mailbox), by which questions are counted; None for that of the address.
    """
    if wish == Wish.NOTHING or comment.status == Status.SPAM or comment.author_id is None:
        return
    author = session.get_one(Author, comment.author_id)
    mailbox = mailbox or author.email_index
    indexes = {author.email_index, mailbox}
    if not comment.is_proved and any(is_unwanted(session, index) for index in indexes):
        return
    follow = _stored(session, comment, wish)
    if comment.is_proved:
        follow.pace, at = _pace(wish), now()
        follow.confirmed_at = follow.confirmed_at or at
        author.confirmed_at = author.confirmed_at or at
    elif follow.confirmed_at is None:
        asking.ask(session, comment, author, follow, mailbox)


def _pace(wish: Wish) -> FollowPace:
    return PACES.get(wish, FollowPace.AT_ONCE)


def _stored(session: Session, comment: Comment, wish: Wish) -> Follow:
    """The author's row for this wish, new or already there."""
    thing = {"article_id": comment.article_id} if wish in PACES else {"comment_id": comment.id}
    same = select(Follow).filter_by(author_id=comment.author_id, **thing)
    if (known := session.scalar(same)) is not None:
        return known
    told = {"language": comment.language, "pace": _pace(wish)}
    follow = Follow(author_id=comment.author_id, **told, **thing)
    try:
        with session.begin_nested():
            session.add(follow)
    except IntegrityError:  # another process was first
        return session.scalars(same).one()
    return follow
