"""Likes: a hint of what readers value, and never a record of who liked what.

One counts from each network, comment and day. The network is kept as a digest under a key that
lives as long as the day (UTC): with the first like of the next day it is thrown away, and nobody
can tell any more who it was. The numbers stay with the comments.
"""

import hmac
import secrets
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from .models import Article, Comment, Like, LikeKey, now

KEY_BYTES = 32


def like(session: Session, comment: Comment, network: str, at: datetime | None = None) -> int:
    """Counts a like, if it is this network's first of the day for the comment.

    Takes the moment, now unless told. Returns how many likes the comment has. Versions stay as
    they are: a moderator's decision is not late because somebody liked what they read.
    """
    at = at or now()
    day = at.date().isoformat()
    digest = hmac.digest(_key(session, day), f"{comment.id}\0{network}".encode(), "sha256")
    try:
        with session.begin_nested():
            session.add(Like(comment_id=comment.id, network_digest=digest, day=day))
    except IntegrityError:
        return comment.like_count  # was counted already today
    session.execute(
        update(Comment)
        .where(Comment.id == comment.id)
        .values(like_count=Comment.like_count + 1)
        .execution_options(synchronize_session=False)
    )
    session.execute(update(Article).where(Article.id == comment.article_id).values(liked_at=at))
    session.refresh(comment, ["like_count"])
    return comment.like_count


def _key(session: Session, day: str) -> bytes:
    """The day's key; the first to ask makes it, and throws away what came before."""
    if key := session.get(LikeKey, day):
        return key.key
    session.execute(delete(LikeKey).where(LikeKey.day < day))
    session.execute(delete(Like).where(Like.day < day))
    try:
        with session.begin_nested():
            session.add(LikeKey(day=day, key=secrets.token_bytes(KEY_BYTES)))
    except IntegrityError:  # another process was first
        pass
    return session.scalars(select(LikeKey.key).where(LikeKey.day == day)).one()
