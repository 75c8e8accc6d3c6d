"""Who wants letters about new comments. Nothing is sent before the address has confirmed."""

from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from .models import Comment, Follow
from .status import Status


class Wish(StrEnum):
    """What the writer of a comment wants to hear of."""

    NOTHING = ""
    REPLIES = "replies"  # answers to their own comment
    ARTICLE = "article"  # every new comment under the article


def add(session: Session, comment: Comment, wish: Wish) -> None:
    """Stores the wish of a comment's author; the same wish twice is one.

    None of what the rules take for spam is stored: mail cannot be aimed at a stranger by it (hard
    rule 6).
    """
    if wish == Wish.NOTHING or comment.status == Status.SPAM or comment.author_id is None:
        return
    thing = (
        {"comment_id": comment.id} if wish == Wish.REPLIES else {"article_id": comment.article_id}
    )
    same = select(Follow.id).filter_by(author_id=comment.author_id, **thing)
    if session.scalar(same) is not None:
        return
    try:
        with session.begin_nested():
            follow = Follow(author_id=comment.author_id, language=comment.language, **thing)
            session.add(follow)
    except IntegrityError:
        pass  # another process was first
