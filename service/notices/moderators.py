"""The letters to moderators: that comments wait, and that far more come in than usual.

At once for the first comment that waits, then together: as long as a letter about a site is not
sent, or was sent within the hour, the next one is not due before that hour is over. It tells of all
that waits by then. So nobody gets more than one an hour about a site, and nothing goes untold. As
long as something that they were told of waits on, they are reminded: after a day, and then each
time that the oldest has waited twice as long.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from .. import letters
from ..accounts import Membership, Moderator
from ..models import Comment, Letter, Site, Wave, now
from ..status import LetterKind, LetterState, Pace, Status, Why

# What comes in together is told together; who is at the desk anyway has decided by then.
GATHER = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAILY_HOUR = 6  # UTC; moderators have no time zone of their own
LANGUAGE = "en"  # the desk's
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Asking:
    """A sort of comments that wait: the condition, since when each does, and the index by which they
    are found. SQLite, which knows no better, would walk all that a site published."""

    is_one: ColumnElement[bool]
    since: Any
    index: str

    def of(self, site_id: int, *columns: Any) -> Select[Any]:
        found = select(*columns).where(Comment.site_id == site_id, self.is_one)
        return found.with_hint(Comment, f"INDEXED BY {self.index}", "sqlite")


NEW = Asking(Comment.status == Status.PENDING, Comment.created_at, "ix_comments_site_queue")
# Of what is published: an author's change, and what readers reported.
CHANGED, REPORTED = (
    Asking(and_(since.is_not(None), Comment.status == Status.APPROVED), since, index)
    for since, index in (
        (Comment.edit_at, "ix_comments_edit_at"),
        (Comment.reported_at, "ix_comments_reported_at"),
    )
)


def comment_waits(session: Session, comment: Comment, at: datetime) -> None:
    """Writes to the moderators of a site that a comment waits: a new one, a change of a published
    one, one that readers reported; never spam. Takes the moment since when it does."""
    is_asked_about = comment.edit_at is not None or comment.reported_at is not None
    is_public = comment.status == Status.APPROVED
    if comment.status != Status.PENDING and not (is_public and is_asked_about):
        return
    told = _moderators(session, comment.site_id)
    ids = [moderator.id for moderator in told]
    latest = letters.latest(session, LetterKind.WAITING, comment.site_id, ids)
    for moderator in told:
        before = latest.get(moderator.id)
        if before is not None and _is_yet_to_tell(before, at):
            continue
        _write(session, comment.site_id, moderator, before, at, comment)


def wave_began(session: Session, wave: Wave) -> None:
    """Writes to the moderators of a site that far more comments than usual come in: at once, and
    once for each wave."""
    site = session.get_one(Site, wave.site_id)
    rows = [
        {
            "kind": LetterKind.WAVE,
            "cause_key": f"wave {wave.id} {moderator.id}",
            "moderator_id": moderator.id,
            "article_id": wave.article_id,
            "about": {"wave": wave.id},
            "language": LANGUAGE,
            "due_at": wave.seen_at,
        }
        for moderator in _moderators(session, wave.site_id)
    ]
    letters.write_all(session, site, rows)


def neglected(session: Session, at: datetime) -> list[int]:
    """The sites where something waits since a day or longer, by id."""
    ids = session.scalars(select(Site.id).where(Site.deleted_at.is_(None)).order_by(Site.id))
    return [id for id in ids if _has_waited(oldest(session, id), at)]


def remind(session: Session, site_id: int, at: datetime) -> int:
    """Writes once more to the moderators of a site who were told, or were to be told, of something
    that waits since a day or longer. Returns how many; two who remind at once write one letter."""
    found = _to_remind(session, site_id, at)
    for moderator, before in found:
        _write(session, site_id, moderator, before, at)
    return len(found)


def oldest(session: Session, site_id: int) -> datetime | None:
    """Since when something waits on a site; None if nothing does."""
    sorts = (NEW, CHANGED, REPORTED)
    firsts = [
        session.scalar(one.of(site_id, one.since).order_by(one.since).limit(1)) for one in sorts
    ]
    return min(filter(None, firsts), default=None)


def _has_waited(since: datetime | None, at: datetime) -> bool:
    return since is not None and at - since >= DAY


def _to_remind(session: Session, site_id: int, at: datetime) -> list[tuple[Moderator, Letter]]:
    since = oldest(session, site_id)
    if since is None or not _has_waited(since, at):
        return []
    told = _moderators(session, site_id)
    latest = letters.latest(session, LetterKind.WAITING, site_id, [one.id for one in told])
    quiet = max(DAY, (at - since) / 2)  # after 1, 2, 4, 8 … days
    return [
        (moderator, before)
        for moderator in told
        if (before := latest.get(moderator.id)) is not None
        and before.state != LetterState.QUEUED
        # What failed or was dropped told nobody, and is followed by the next one all the same.
        and since < (before.sent_at or before.due_at) <= at - quiet
    ]


def _write(
    session: Session,
    site_id: int,
    moderator: Moderator,
    before: Letter | None,
    at: datetime,
    comment: Comment | None = None,
) -> None:
    """The next letter that comments wait. Takes the one before it, and what caused it; a reminder has
    no such cause."""
    letters.write(
        session,
        LetterKind.WAITING,
        # After the same letter comes one letter, whoever is a moment faster.
        f"waiting {site_id} {moderator.id} {before.id if before else 0}",
        site_id,
        moderator_id=moderator.id,
        comment_id=comment.id if comment else None,
        article_id=comment.article_id if comment else None,
        about={} if comment else {"reminds": True},
        language=LANGUAGE,
        due_at=due_at(moderator.letters, at, _told_at(before)),
    )


def set_pace(session: Session, moderator_id: int, pace: Pace) -> None:
    """How often a moderator is written to from now on; a letter that waits already keeps to it too.
    Who wants none gets that one no more."""
    session.get_one(Moderator, moderator_id).letters = pace
    at = now()
    kinds = (LetterKind.WAITING, LetterKind.WAVE)
    of_theirs = (Letter.moderator_id == moderator_id, Letter.kind.in_(kinds))
    waits = select(Letter).where(*of_theirs, Letter.state == LetterState.QUEUED)
    for letter in session.scalars(waits.order_by(Letter.id).with_for_update()):
        if pace == Pace.NONE:
            letter.state, letter.why = LetterState.DROPPED, Why.UNWANTED
        elif letter.kind == LetterKind.WAITING:
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
    """Who has a role on a site and wants letters that arrive; always in the same order, so that two
    who write to them at once never wait for each other in a circle."""
    here = or_(Membership.site_id == site_id, Membership.site_id.is_(None))
    ids = select(Membership.moderator_id).where(here, Membership.removed_at.is_(None))
    wants = (Moderator.active, Moderator.letters != Pace.NONE, Moderator.returned_at.is_(None))
    found = select(Moderator).where(Moderator.id.in_(ids), *wants).order_by(Moderator.id)
    return list(session.scalars(found))


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
