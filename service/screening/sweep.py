"""What of a wave would be cleared, and what is spared.

A wave's comments are those that came in while it was on, and those within the window that set it
off. Cleared is what still waits. Spared is what carries proof of its author, what is approved, and
what a moderator has had in hand: decided, undone, noted or handed over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_, select, tuple_
from sqlalchemy.orm import Session, aliased, joinedload

from ..models import Article, Comment, Decision, Wave
from ..status import Act, Status
from . import waves

COUNTED = 100_000  # exact up to here, on a page
LOOKED_AT = 5_000  # comments, for the height of a wave
SAMPLE = 5  # of the oldest and of the newest that would be cleared, and of the proved ones


@dataclass(frozen=True)
class Found:
    """What a wave consists of at a moment."""

    counts: dict[Status, int]  # all of it, by how it stands
    clears: int  # COUNTED + 1 for more
    oldest: Sequence[Comment]
    newest: Sequence[Comment]
    proved: int  # that wait, by authors who proved their address
    some_proved: Sequence[Comment]
    in_hand: int  # that wait, and a moderator has had in hand
    peak: int  # that came within waves.WINDOW at its height

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def look(session: Session, wave: Wave) -> Found:
    """All that is shown of a wave before it is cleared."""
    counted = select(Comment.status, func.count()).where(within(wave)).group_by(Comment.status)
    counts = {row[0]: row[1] for row in session.execute(counted)}
    cleared, is_proved = to_clear(wave), and_(_waits(wave), Comment.is_proved)
    order = (Comment.created_at, Comment.id)
    oldest = _some(session, cleared, *order)
    newest = _some(session, cleared, *(part.desc() for part in order))
    known = {comment.id for comment in oldest}
    return Found(
        counts,
        _number(session, cleared),
        oldest,
        [comment for comment in newest if comment.id not in known],
        _number(session, is_proved),
        _some(session, is_proved, *order),
        _number(session, and_(_waits(wave), not_(Comment.is_proved), _in_hand())),
        max(wave.peak, _peak(session, wave)),
    )


def _peak(session: Session, wave: Wave) -> int:
    """The height of a wave's beginning; what came later was looked at once a minute."""
    came = select(Comment.created_at).where(within(wave)).order_by(Comment.created_at)
    return busiest(session.scalars(came.limit(LOOKED_AT)).all(), waves.WINDOW)


def busiest(times: Sequence[datetime], window: timedelta) -> int:
    """The most of these moments, in their order, that lie within so long a time."""
    most = first = 0
    for number, at in enumerate(times, 1):
        while times[first] <= at - window:
            first += 1
        most = max(most, number - first)
    return most


def within(wave: Wave, statuses: Sequence[Status] = tuple(Status)) -> ColumnElement[bool]:
    """The condition that a comment is one of a wave's, and has one of these statuses."""
    came = waves.arrivals(wave.site_id, wave.article_id, statuses)
    conditions = [came, Comment.created_at >= wave.began_at]
    if wave.ended_at is not None:
        conditions.append(Comment.created_at <= wave.ended_at)
    return and_(*conditions)


def to_clear(wave: Wave) -> ColumnElement[bool]:
    """The condition that a comment goes where the wave is cleared."""
    return and_(_waits(wave), not_(Comment.is_proved), not_(_in_hand()))


def count(session: Session, wave: Wave, until: int) -> int:
    """How many would be cleared, up to a comment's id."""
    those = (to_clear(wave), Comment.id <= until)
    return session.scalar(select(func.count()).select_from(Comment).where(*those)) or 0


def came(session: Session, wave: Wave) -> int:
    """How many came in a wave, however they stand now; COUNTED + 1 for more."""
    return _number(session, within(wave))


def walk(
    session: Session, wave: Wave, until: int, after: tuple[datetime, int] | None, size: int
) -> Sequence[Any]:
    """The next that are cleared, up to an id, as (id, version, created_at), for a job."""
    some = select(Comment.id, Comment.version, Comment.created_at)
    some = some.where(to_clear(wave), Comment.id <= until)
    if after is not None:
        some = some.where(tuple_(Comment.created_at, Comment.id) > after)
    return session.execute(some.order_by(Comment.created_at, Comment.id).limit(size)).all()


def has_any(session: Session, wave: Wave) -> bool:
    """Whether there is anything to clear."""
    return session.scalar(select(Comment.id).where(to_clear(wave)).limit(1)) is not None


def _waits(wave: Wave) -> ColumnElement[bool]:
    return within(wave, [Status.PENDING])


def _in_hand() -> ColumnElement[bool]:
    """To have looked at the address is no decision; nor is what a job did to many and was taken
    back, with its undo: nobody has looked at this one by itself."""
    undo = aliased(Decision)
    was_undone = exists().where(undo.undoes_id == Decision.id, undo.bulk_id.is_not(None))
    of_an_undone_job = and_(
        Decision.bulk_id.is_not(None), or_(Decision.act == Act.UNDONE, was_undone)
    )
    return exists().where(
        Decision.comment_id == Comment.id,
        Decision.moderator_id.is_not(None),
        Decision.act != Act.REVEALED,
        not_(of_an_undone_job),
    )


def _number(session: Session, those: ColumnElement[bool]) -> int:
    some = select(Comment.id).where(those).limit(COUNTED + 1).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def _some(session: Session, those: ColumnElement[bool], *order: Any) -> Sequence[Comment]:
    found = select(Comment).where(those).order_by(*order).limit(SAMPLE)
    return session.scalars(
        found.options(joinedload(Comment.article).joinedload(Article.site))
    ).all()
