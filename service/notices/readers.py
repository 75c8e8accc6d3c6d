"""The letters to readers: what became of theirs, who answered, what is new where they follow.

Only who confirmed an address is written to, and of an own comment only where it carries proof (hard
rule 1). What a letter tells of is looked at again while it is sent (mail/readers.py).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from .. import letters
from ..models import Comment, Decision, Follow, Site
from ..status import Status
from . import news, outcomes


def are_followed(session: Session, comment_ids: Collection[int]) -> bool:
    """Whether anybody may have to be told of one of these: by their writers, by those whom they
    answer, under their articles."""
    of_these, confirmed = Comment.id.in_(comment_ids), Follow.confirmed_at.is_not(None)
    ways = (
        Follow.article_id == Comment.article_id,
        Follow.comment_id == Comment.parent_id,
        Follow.comment_id == Comment.id,
    )
    return bool(
        session.scalar(select(or_(*(exists().where(of_these, w, confirmed) for w in ways))))
    )


def take(session: Session, comment_ids: Collection[int]) -> None:
    """Nobody ends before this transaction does what is followed about these comments. Follows are
    taken before any letter, as by whoever ends them: nobody waits for another in a circle."""
    those = select(Comment).where(Comment.id.in_(comment_ids)).subquery()
    followed = or_(
        Follow.article_id.in_(select(those.c.article_id)),
        Follow.comment_id.in_(select(those.c.parent_id)),
        Follow.comment_id.in_(select(those.c.id)),
    )
    taken = select(Follow.id).where(followed).order_by(Follow.id)
    session.execute(taken.with_for_update(read=True, key_share=True)).all()


def became_public(session: Session, comment_ids: Collection[int], at: datetime) -> None:
    """Comments became public at this moment without a decision. Their writers see it at once."""
    if not are_followed(session, comment_ids):
        return
    found = _found(session, comment_ids)
    moments = {comment.id: news.Moment(at, None) for comment in found}
    _write(session, found, news.rows(session, found, moments))


def decided(session: Session, decisions: Sequence[Decision]) -> None:
    """Comments changed by these rows of the log."""
    moved = {one.comment_id: one for one in decisions if one.from_status != one.to_status}
    if not moved:
        return
    found = _found(session, moved)
    came = [comment for comment in found if moved[comment.id].to_status == Status.APPROVED]
    moments = {id: news.Moment(decision.at, decision.id) for id, decision in moved.items()}
    rows = [*outcomes.rows(session, found, moved), *news.rows(session, came, moments)]
    _write(session, found, rows)


def _found(session: Session, comment_ids: Iterable[int]) -> list[news.Commented]:
    """These comments, but for imported ones: nobody waits for news from there."""
    columns = (getattr(Comment, name) for name in news.Commented._fields)
    own = (Comment.id.in_(list(comment_ids)), Comment.import_id.is_(None))
    return [news.Commented(*row) for row in session.execute(select(*columns).where(*own))]


def _write(
    session: Session, found: Sequence[news.Commented], rows: Iterable[tuple[int, Any]]
) -> None:
    """Takes each letter's columns with its site."""
    by_site: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for site_id, row in rows:
        by_site[site_id].append(row)
    for site_id, of_site in by_site.items():
        letters.write_all(session, session.get_one(Site, site_id), of_site)
