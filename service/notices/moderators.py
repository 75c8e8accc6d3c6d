"""The letters to moderators.

At once for the first comment that waits, then together: as long as a letter about a site is not
sent, or was sent within the hour, the next one is not due before that hour is over. It tells of all
that waits by then. So nobody gets more than one an hour about a site, and nothing goes untold.
"""

from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from .. import letters
from ..accounts import Membership, Moderator
from ..models import Comment, Letter, now
from ..status import LetterKind, LetterState, Pace, Status, Why

# What comes in together is told together; who is at the desk anyway has decided by then.
GATHER = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAILY_HOUR = 6  # UTC; moderators have no time zone of their own
LANGUAGE = "en"  # the desk's


def comment_waits(session: Session, comment: Comment) -> None:
    """Writes to the moderators of a site that a new comment waits; never of spam."""
    if comment.status != Status.PENDING:
        return
    told = _moderators(session, comment.site_id)
    ids = [moderator.id for moderator in told]
    latest = letters.latest(session, LetterKind.WAITING, comment.site_id, ids)
    for moderator in told:
        before = latest.get(moderator.id)
        if before is not None and _is_yet_to_tell(before, comment.created_at):
            continue
        letters.write(
            session,
            LetterKind.WAITING,
            # After the same letter comes one letter, whoever is a moment faster.
            f"waiting {comment.site_id} {moderator.id} {before.id if before else 0}",
            comment.site_id,
            moderator_id=moderator.id,
            comment_id=comment.id,
            article_id=comment.article_id,
            language=LANGUAGE,
            due_at=due_at(moderator.letters, comment.created_at, _told_at(before)),
        )


def set_pace(session: Session, moderator_id: int, pace: Pace) -> None:
    """How often a moderator is written to from now on; a letter that waits already keeps to it too.
    Who wants none gets that one no more."""
    session.get_one(Moderator, moderator_id).letters = pace
    at = now()
    of_theirs = (Letter.moderator_id == moderator_id, Letter.kind == LetterKind.WAITING)
    waits = select(Letter).where(*of_theirs, Letter.state == LetterState.QUEUED)
    for letter in session.scalars(waits.order_by(Letter.id).with_for_update()):
        if pace == Pace.NONE:
            letter.state, letter.why = LetterState.DROPPED, Why.UNWANTED
        else:
            letter.due_at = due_at(pace, at, None)


def due_at(pace: Pace, at: datetime, told_at: datetime | None) -> datetime:
    """When somebody is to be told. Takes how often they want it, the moment it happened, and when
    they were last told."""
    if pace == Pace.HOURLY:
        return at.replace(minute=0, second=0, microsecond=0) + HOUR
    if pace == Pace.DAILY:
        today = at.replace(hour=DAILY_HOUR, minute=0, second=0, microsecond=0)
        return today if today > at else today + timedelta(days=1)
    return max(at + GATHER, told_at + HOUR) if told_at else at + GATHER


def _moderators(session: Session, site_id: int) -> list[Moderator]:
    """Who has a role on a site and wants letters; always in the same order, so that two who write
    to them at once never wait for each other in a circle."""
    here = or_(Membership.site_id == site_id, Membership.site_id.is_(None))
    ids = select(Membership.moderator_id).where(here, Membership.removed_at.is_(None))
    wants = (Moderator.active, Moderator.letters != Pace.NONE, Moderator.id.in_(ids))
    return list(session.scalars(select(Moderator).where(*wants).order_by(Moderator.id)))


def _is_yet_to_tell(letter: Letter, at: datetime) -> bool:
    """Whether a letter is still to be put into words: it will tell of all that waits by then."""
    is_in_hand = letter.claimed_until is not None and letter.claimed_until > at
    return letter.state == LetterState.QUEUED and not is_in_hand


def _told_at(letter: Letter | None) -> datetime | None:
    if letter is None:
        return None
    if letter.state == LetterState.QUEUED:  # just now on its way
        return letter.due_at
    return letter.sent_at
