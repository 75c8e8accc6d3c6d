"""New comments: to those whom they answer, and to those who follow the article.

One letter for each follow and comment; those of a batch are one. So that nobody is flooded, what is
due for somebody at one moment is told in one mail (mail/outbox.py), and the next such mail is not
due before an hour is over.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from .. import letters
from ..models import Decision, Follow, Letter, Site
from ..status import FollowPace, LetterKind, LetterState, Status, Why

NEWS = letters.NEWS
HOUR = timedelta(hours=1)
MORNING = 6  # UTC; readers have no time zone of their own


class Commented(NamedTuple):
    """What has to be known of a comment to tell of it."""

    id: int
    site_id: int
    article_id: int
    parent_id: int | None
    author_id: int | None
    is_proved: bool
    created_at: datetime


class Moment(NamedTuple):
    """When a comment became public, and by which decision, if by any."""

    at: datetime
    decision_id: int | None


class _Cause(NamedTuple):
    comment: Commented
    moment: Moment


def rows(
    session: Session, comments: Sequence[Commented], moments: Mapping[int, Moment]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The letters about comments that became public, each with its site. Takes the moment of each,
    by its id."""
    follows = _follows(session, comments) if comments else []
    if not follows:
        return
    before = _public_before(session, comments, moments)
    told = _told_before(session, before)
    windows = {id: _window(session, id) for id in {one.site_id for one in comments}}
    lately = {id: _told_lately(session, id, comments, moments) for id in windows}
    under: dict[tuple[int | None, int | None], list[_Cause]] = defaultdict(list)
    for one in comments:
        cause = _Cause(one, moments[one.id])
        under[one.article_id, None].append(cause)
        if one.parent_id is not None:
            under[None, one.parent_id].append(cause)
    answered: set[tuple[int, int]] = set()  # who hears of which as an answer, and not once more
    for follow in sorted(follows, key=lambda follow: follow.comment_id is None):
        of_others = [
            cause
            for cause in under[follow.article_id, follow.comment_id]
            if cause.comment.author_id != follow.author_id
        ]
        causes = [
            cause
            for cause in of_others
            if (follow.author_id, cause.comment.id) not in answered
            and (follow.id, cause.comment.id) not in told
            and follow.confirmed_at <= before.get(cause.comment.id, follow.confirmed_at)
        ]
        if follow.comment_id is not None:
            answered |= {(follow.author_id, cause.comment.id) for cause in of_others}
        if not causes:
            continue
        site_id = causes[0].comment.site_id
        yield site_id, _row(follow, causes, windows[site_id], lately[site_id].get(follow.id))


def _row(
    follow: Any, causes: Sequence[_Cause], window: timedelta, told_at: datetime | None
) -> dict[str, Any]:
    """One letter. One that tells of several comments hangs on no single decision: it leaves out
    which of them are public no more when it is sent."""
    kind = LetterKind.FOLLOWED if follow.comment_id is None else LetterKind.ANSWERED
    (first, moment), *others = causes
    safe_at = max(cause.moment.at for cause in causes) + window
    return {
        "kind": kind,
        "cause_key": f"{kind} {follow.id} {first.id} {moment.decision_id or 0}",
        "due_at": due_at(follow.pace, safe_at, told_at),
        "author_id": follow.author_id,
        "follow_id": follow.id,
        "article_id": first.article_id,
        "comment_id": None if others else first.id,
        "decision_id": None if others else moment.decision_id,
        "about": {"comments": [cause.comment.id for cause in causes]} if others else {},
        "language": follow.language,
    }


def due_at(pace: FollowPace, safe_at: datetime, told_at: datetime | None) -> datetime:
    """When somebody is to be told. Takes how often they want it, the moment from which on nobody
    undoes it any more, and when they were told last, if that is less than an hour ago."""
    if pace == FollowPace.AT_ONCE:
        return max(safe_at, told_at + HOUR) if told_at else safe_at
    morning = safe_at.replace(hour=MORNING, minute=0, second=0, microsecond=0)
    if pace == FollowPace.WEEKLY:
        morning += timedelta(days=-morning.weekday() % 7)
    step = timedelta(days=7 if pace == FollowPace.WEEKLY else 1)
    return morning if morning >= safe_at else morning + step


def told_of(letter: Letter) -> list[int]:
    """The ids of the comments that a letter tells of."""
    several: list[int] = letter.about.get("comments", [])
    return several or [id for id in (letter.comment_id,) if id is not None]


def _follows(session: Session, comments: Sequence[Commented]) -> Sequence[Any]:
    """Who follows the articles of comments, or what these answer, by confirmed addresses. Nobody ends
    one of these before the letter about it is written, which would then point at nothing."""
    here = or_(
        Follow.article_id.in_({one.article_id for one in comments}),
        Follow.comment_id.in_({one.parent_id for one in comments} - {None}),
    )
    columns = (Follow.id, Follow.author_id, Follow.article_id, Follow.comment_id)
    told = select(*columns, Follow.language, Follow.pace, Follow.confirmed_at)
    confirmed = told.where(here, Follow.confirmed_at.is_not(None)).order_by(Follow.id)
    return session.execute(confirmed.with_for_update(read=True, key_share=True)).all()


def _public_before(
    session: Session, comments: Sequence[Commented], moments: Mapping[int, Moment]
) -> dict[int, datetime]:
    """Since when those which come back were public for the first time. Who began to follow later
    has seen them."""
    since: dict[int, datetime] = {}
    made = {moment.decision_id for moment in moments.values() if moment.decision_id}
    if not made:
        return since
    created = {one.id: one.created_at for one in comments}
    is_public = or_(Decision.from_status == Status.APPROVED, Decision.to_status == Status.APPROVED)
    log = select(Decision.comment_id, Decision.from_status, Decision.at, Decision.id)
    log = log.where(Decision.comment_id.in_(created), is_public).order_by(Decision.id)
    for row in session.execute(log):
        if row.id not in made and row.id < (moments[row.comment_id].decision_id or 0):
            was_from_the_start = row.from_status == Status.APPROVED
            since.setdefault(
                row.comment_id, created[row.comment_id] if was_from_the_start else row.at
            )
    return since


def _told_before(session: Session, before: Mapping[int, datetime]) -> set[tuple[int, int]]:
    """Which follows were told of these comments already."""
    if not before:
        return set()
    about = (Letter.comment_id.in_(before), Letter.kind.in_(NEWS), was_told())
    found = session.execute(select(Letter.follow_id, Letter.comment_id).where(*about))
    return {(row.follow_id, row.comment_id) for row in found}


def was_told() -> Any:
    """Whether a letter has reached somebody, by itself or together with another."""
    return or_(Letter.state == LetterState.SENT, Letter.why == Why.TOGETHER)


def _told_lately(
    session: Session, site_id: int, comments: Sequence[Commented], moments: Mapping[int, Moment]
) -> dict[int | None, datetime]:
    """When follows were told last, for those that were within the hour."""
    latest = max(moments[one.id].at for one in comments)
    sent = (Letter.site_id == site_id, Letter.sent_at > latest - HOUR, Letter.kind.in_(NEWS))
    last = select(Letter.follow_id, func.max(Letter.sent_at)).where(*sent)
    return {id: at for id, at in session.execute(last.group_by(Letter.follow_id)) if at is not None}


def _window(session: Session, site_id: int) -> timedelta:
    return letters.undo_window(session.get_one(Site, site_id))
