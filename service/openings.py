"""Who has which card before them at this moment: told to colleagues, kept a minute, no lock.

Nobody has to let go of anything: what is not said again within the minute is gone.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from .accounts import Moderator, each_within_reach
from .models import Comment, Opening, now

KEPT = timedelta(minutes=1)
RENEWED = timedelta(seconds=20)  # said again sooner, it is not written again


def look(
    session: Session,
    moderator: Moderator,
    comment_ids: Collection[int],
    left: Collection[int] = (),
    at: datetime | None = None,
) -> None:
    """Notes that a moderator has these comments before them, and those others no more. Takes the
    moment, now unless told. What nobody said again for a minute is thrown away."""
    at = at or now()
    gone = set(left) - set(comment_ids)
    mine = and_(Opening.moderator_id == moderator.id, Opening.comment_id.in_(gone))
    session.execute(delete(Opening).where(or_(Opening.at <= at - KEPT, mine)))
    for comment_id in sorted(comment_ids):
        seen = (Opening.comment_id == comment_id, Opening.moderator_id == moderator.id)
        again = update(Opening).where(*seen).values(at=at).returning(Opening.comment_id)
        if session.execute(again).first() is None:
            _add(session, Opening(comment_id=comment_id, moderator_id=moderator.id, at=at))


def is_known(
    session: Session,
    moderator: Moderator,
    comment_ids: Collection[int],
    left: Collection[int] = (),
    at: datetime | None = None,
) -> bool:
    """Whether `look` would say nothing new, so that most heartbeats write nothing."""
    at = at or now()
    mine = session.execute(
        select(Opening.comment_id, Opening.at)
        .where(Opening.comment_id.in_({*comment_ids, *left}))
        .where(Opening.moderator_id == moderator.id)
    )
    said = {row.comment_id: row.at for row in mine}
    is_fresh = all(id in said and said[id] > at - RENEWED for id in comment_ids)
    return is_fresh and said.keys() <= set(comment_ids)


def others(
    session: Session,
    moderator: Moderator,
    comment_ids: Collection[int],
    at: datetime | None = None,
) -> dict[int, list[str]]:
    """The names of the colleagues who have a comment before them, by name;
    a comment that nobody has, or on somebody else's site, is left out."""
    found = session.execute(
        select(Opening.comment_id, Moderator.name)
        .join(Moderator, Moderator.id == Opening.moderator_id)
        .join(Comment, Comment.id == Opening.comment_id)
        .where(Opening.comment_id.in_(comment_ids), Opening.moderator_id != moderator.id)
        .where(Opening.at > (at or now()) - KEPT, each_within_reach(moderator, Comment.site_id))
        .order_by(Moderator.name, Moderator.id)
    )
    names: dict[int, list[str]] = defaultdict(list)
    for row in found:
        names[row.comment_id].append(row.name)
    return dict(names)


def _add(session: Session, opening: Opening) -> None:
    try:
        with session.begin_nested():
            session.add(opening)
    except IntegrityError:  # the same moderator, at the same moment, in another tab
        pass
