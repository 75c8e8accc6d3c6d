"""How like a new comment is to the newest ones of its site."""

from datetime import timedelta

from sqlalchemy import select, union_all
from sqlalchemy.orm import Session

from ..models import Comment
from ..rules import Policy, near
from ..status import Status
from .arrival import Arrival, Facts

COMPARED = 50  # of the newest


def likeness(session: Session, arrival: Arrival, policy: Policy) -> Facts:
    """Takes the newest of each status, which an index gives, and of these the newest in all."""
    if not near.NEAR.is_asked(policy):
        return {}
    since = arrival.at - timedelta(hours=near.NEAR.chosen(policy)["hours"])
    within = [
        Comment.site_id == arrival.site_id,
        Comment.created_at > since,
        Comment.created_at <= arrival.at,
        Comment.import_id.is_(None),
    ]
    if arrival.own_id is not None:
        within.append(Comment.id != arrival.own_id)
    newest = (
        select(Comment.id, Comment.created_at)
        .where(*within, Comment.status == status)
        .order_by(Comment.created_at.desc(), Comment.id.desc())
        .limit(COMPARED)
        .subquery()
        for status in Status
    )
    found = union_all(*(select(one.c.id, one.c.created_at) for one in newest)).subquery()
    ids = select(found.c.id).order_by(found.c.created_at.desc(), found.c.id.desc()).limit(COMPARED)
    texts = session.scalars(select(Comment.text).where(Comment.id.in_(ids.scalar_subquery())))
    return {"likeness": near.closest(arrival.text, texts.all())}
