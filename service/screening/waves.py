"""Waves: times in which far more comments than usual come in, on an article or a whole site."""

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from ..models import Wave


def current(session: Session, site_id: int, article_id: int | None) -> Wave | None:
    """The wave that is on at this moment, on an article (None: one that nobody knows yet) or on its
    whole site."""
    here = or_(Wave.article_id.is_(None), Wave.article_id == article_id)
    return session.scalar(
        select(Wave).where(Wave.site_id == site_id, Wave.ended_at.is_(None), here).limit(1)
    )
