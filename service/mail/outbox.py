"""The order of the outbox: which letters a worker takes in hand, and what becomes of each.

A worker claims a few by a lease; nobody else takes those until it ends. Before each letter it is
renewed, and it is longer than the mail server may take for one. A worker that is killed leaves its
letters to the others when the lease is over: at most the one in flight goes twice, with the same
Message-ID. Each function is one short transaction of the caller's.
"""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from ..models import Author, Invitation, Letter, gone_sites
from ..notices import news
from ..status import LetterState, Why
from .smtp import MOST_SECONDS

BATCH = 10
LEASE = timedelta(seconds=MOST_SECONDS + 100)
HOUR = timedelta(hours=1)
# Until it is tried again after the server said "later": twice as long each time, a quarter more or
# less, so that those which failed together do not come back together. Twelve are about a day.
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)
SPREAD = 0.25
MOST_ATTEMPTS = 12
SERVER_WAIT = timedelta(minutes=1)  # until a server that cannot be used is tried again
TURN = timedelta(minutes=1)  # until another worker has told what it has in hand
MOST_TOGETHER = 1_000  # letters that end with one mail


@dataclass(frozen=True)
class Caps:
    """Letters in an hour, 0 for any number."""

    per_address: int
    per_site: int


class Way(Enum):
    """How a letter leaves."""

    MAIL = "mail"
    HOOK = "hook"


def _is_due(at: datetime, way: Way) -> ColumnElement[bool]:
    is_free = or_(Letter.claimed_until.is_(None), Letter.claimed_until <= at)
    is_this = Letter.hook_id.is_not(None) if way == Way.HOOK else Letter.hook_id.is_(None)
    return and_(
        Letter.state == LetterState.QUEUED, Letter.due_at <= at, is_free, is_this, _has_site()
    )


def _has_site() -> ColumnElement[bool]:
    """What is about a deleted site waits: it goes on if that is restored, or goes with it."""
    return or_(Letter.site_id.is_(None), Letter.site_id.not_in(gone_sites()))


def has_due(session: Session, at: datetime, way: Way = Way.MAIL) -> bool:
    return bool(session.scalar(select(exists().where(_is_due(at, way)))))


def claim(
    session: Session, me: str, at: datetime, most: int = BATCH, way: Way = Way.MAIL
) -> list[int]:
    """Takes letters that are due in hand. Two workers never take the same: on PostgreSQL each skips
    what the other holds at this moment, on SQLite one writes after the other."""
    due = select(Letter.id).where(_is_due(at, way)).order_by(Letter.due_at, Letter.id).limit(most)
    ids = session.scalars(due.with_for_update(skip_locked=True)).all()
    taken = update(Letter).where(Letter.id.in_(ids), Letter.state == LetterState.QUEUED)
    session.execute(taken.values(claimed_by=me, claimed_until=at + LEASE))
    return list(ids)


def begin(session: Session, letter_id: int, me: str, at: datetime, caps: Caps) -> bool:
    """Renews the lease on a letter that is about to be sent, and counts the attempt. False if it is
    not to be sent now: dropped in between, another's by now, or over a cap, and then it waits."""
    _take(session, letter_id)
    own = _own(letter_id, me)
    held = update(Letter).where(*own, _has_site())
    held = held.values(claimed_until=at + LEASE).returning(Letter.id)
    if session.scalar(held) is None:
        return False
    letter = session.get_one(Letter, letter_id, populate_existing=True)
    if until := _capped_until(session, letter, at, caps):
        wait(session, letter_id, me, until, Why.CAP)
        return False
    if letter.kind in news.NEWS and not _gather(session, letter, me, at):
        wait(session, letter_id, me, at + TURN, None)
        return False
    letter.attempts += 1
    return True


def _gather(session: Session, letter: Letter, me: str, at: datetime) -> bool:
    """Takes in hand what is due for the same follow too: it can be told in the same mail. False if
    another worker tells of that follow just now, and came first."""
    free = or_(Letter.claimed_until.is_(None), Letter.claimed_until <= at)
    mine = {"claimed_by": me, "claimed_until": at + LEASE}
    due = (*_beside(letter), Letter.due_at <= at, free)
    session.execute(update(Letter).where(*due).values(**mine))  # which _take() has taken
    others = and_(Letter.claimed_by != me, Letter.claimed_until > at, Letter.id < letter.id)
    return not session.scalar(select(exists().where(*_beside(letter), others)))


def together(session: Session, letter: Letter) -> Sequence[Letter]:
    """The letters that can be told in one mail with one that is in hand, oldest first."""
    found = select(Letter).where(*_beside(letter), Letter.claimed_by == letter.claimed_by)
    return session.scalars(found.order_by(Letter.id).limit(MOST_TOGETHER)).all()


def _take(session: Session, letter_id: int) -> None:
    """Nobody else changes a letter, or another for the same follow, before this transaction ends.
    All are taken in the order of their ids, as by whoever ends letters."""
    letter = session.get(Letter, letter_id)
    those: ColumnElement[bool] = Letter.id == letter_id
    if letter is not None and letter.follow_id is not None and letter.kind in news.NEWS:
        those = or_(those, and_(*_beside(letter)))
    session.execute(select(Letter.id).where(those).order_by(Letter.id).with_for_update()).all()


def _beside(letter: Letter) -> tuple[ColumnElement[bool], ...]:
    """The others that wait for the same follow."""
    same = (Letter.follow_id == letter.follow_id, Letter.kind == letter.kind)
    return (*same, Letter.id != letter.id, Letter.state == LetterState.QUEUED)


def sent(
    session: Session,
    letter_id: int,
    me: str,
    answer: str,
    at: datetime,
    comment_ids: Sequence[int] = (),
    told_too: Sequence[int] = (),
) -> None:
    """The mail server took it. Even where it was dropped a moment too late: it is gone. Takes the
    comments that the mail told of, and the letters that end with it since these were theirs; the
    next one for the same follow waits for the hour to end.
    """
    _take(session, letter_id)
    done = update(Letter).where(Letter.id == letter_id, Letter.claimed_by == me)
    told = {"state": LetterState.SENT, "why": None, "sent_at": at, "last_answer": answer}
    of_these = {"about": {"comments": list(comment_ids)}} if comment_ids else {}
    done = done.values(**told, **of_these, claimed_by="", claimed_until=None).returning(Letter.id)
    if session.scalar(done) is None:
        return
    along = update(Letter).where(Letter.id.in_(told_too), Letter.claimed_by == me)
    ended = {"state": LetterState.DROPPED, "why": Why.TOGETHER}
    session.execute(along.values(**ended, claimed_by="", claimed_until=None))
    _let_go(session, letter_id, me, at + HOUR)


def _let_go(session: Session, letter_id: int, me: str, until: datetime | None = None) -> None:
    """What could have been told in one mail with a letter waits by itself once more. Takes the
    moment before which it is not due."""
    letter = session.get(Letter, letter_id, populate_existing=True)
    if letter is None or letter.follow_id is None or letter.kind not in news.NEWS:
        return
    if until is not None:
        free = or_(Letter.claimed_by == me, Letter.claimed_until.is_(None))
        early = update(Letter).where(*_beside(letter), free, Letter.due_at < until)
        session.execute(early.values(due_at=until))
    mine = update(Letter).where(*_beside(letter), Letter.claimed_by == me)
    session.execute(mine.values(claimed_by="", claimed_until=None))


def drop(session: Session, letter_id: int, me: str, why: Why) -> None:
    """Nobody needs it, or may get it, any more."""
    _settle(session, letter_id, me, LetterState.DROPPED, why, "")


def fail(session: Session, letter_id: int, me: str, why: Why, answer: str) -> None:
    """It is not tried again, unless somebody at the desk says so."""
    _settle(session, letter_id, me, LetterState.FAILED, why, answer)


def wait(
    session: Session,
    letter_id: int,
    me: str,
    until: datetime,
    why: Why | None,
    answer: str | None = None,
) -> None:
    """It waits and is tried again, and with it what is to be told in the same mail. Takes the
    server's answer, None to keep the last one."""
    _take(session, letter_id)
    told = {} if answer is None else {"last_answer": answer}
    waits = update(Letter).where(*_own(letter_id, me))
    session.execute(waits.values(due_at=until, why=why, claimed_by="", claimed_until=None, **told))
    _let_go(session, letter_id, me, until)


def try_later(
    session: Session,
    letter_id: int,
    me: str,
    why: Why,
    answer: str,
    at: datetime,
    at_least: timedelta = timedelta(),
) -> None:
    """It waits longer each time, and for at least so long; after MOST_ATTEMPTS it has failed."""
    attempts = session.scalar(select(Letter.attempts).where(Letter.id == letter_id)) or 0
    if attempts >= MOST_ATTEMPTS:
        fail(session, letter_id, me, why, answer)
    else:
        wait(session, letter_id, me, at + max(back_off(attempts), at_least), why, answer)


def back_off(attempts: int) -> timedelta:
    """How long a letter waits after so many attempts, from 1."""
    doubled: timedelta = FIRST_WAIT * 2 ** (attempts - 1)
    whole = min(doubled, LONGEST_WAIT)
    return whole * random.uniform(1 - SPREAD, 1 + SPREAD)  # noqa: S311 - no secret


def server_away(session: Session, me: str, answer: str, at: datetime) -> None:
    """The mail server cannot be used: all that is due waits, and it is no letter's attempt. What
    somebody else holds at this moment is left out: this waits for nobody while it holds others."""
    is_mine = and_(Letter.claimed_by == me, Letter.state == LetterState.QUEUED)
    those = (
        select(Letter.id)
        .where(or_(_is_due(at, Way.MAIL), is_mine))
        .with_for_update(skip_locked=True)
    )
    waits = update(Letter).where(Letter.id.in_(session.scalars(those).all()))
    later = at + SERVER_WAIT
    told = {"due_at": later, "why": Why.SERVER, "last_answer": answer}
    session.execute(waits.values(**told, claimed_by="", claimed_until=None))


def put_off(session: Session, me: str, letter_ids: Collection[int], until: datetime) -> None:
    """Whoever these call does not answer: they wait, and it is none of their attempts."""
    mine = update(Letter).where(Letter.id.in_(letter_ids), Letter.claimed_by == me)
    waits = mine.where(Letter.state == LetterState.QUEUED)
    told = {"due_at": until, "why": Why.SERVER}
    session.execute(waits.values(**told, claimed_by="", claimed_until=None))


def release(session: Session, me: str) -> None:
    """Lets go of what a worker took in hand and did not come to."""
    mine = update(Letter).where(Letter.claimed_by == me, Letter.state == LetterState.QUEUED)
    session.execute(mine.values(claimed_by="", claimed_until=None))


def try_again(session: Session, letter_id: int, at: datetime) -> bool:
    """Puts a letter that has failed back into the outbox; whether it had."""
    failed = update(Letter).where(Letter.id == letter_id, Letter.state == LetterState.FAILED)
    anew = {"state": LetterState.QUEUED, "why": None, "due_at": at, "attempts": 0}
    return session.scalar(failed.values(**anew).returning(Letter.id)) is not None


def _own(letter_id: int, me: str) -> tuple[ColumnElement[bool], ...]:
    is_mine = (Letter.id == letter_id, Letter.claimed_by == me)
    return (*is_mine, Letter.state == LetterState.QUEUED)


def _settle(
    session: Session, letter_id: int, me: str, state: LetterState, why: Why, answer: str
) -> None:
    _take(session, letter_id)
    done = update(Letter).where(*_own(letter_id, me))
    told = {"state": state, "why": why, "last_answer": answer}
    session.execute(done.values(**told, claimed_by="", claimed_until=None))
    _let_go(session, letter_id, me)


def _capped_until(session: Session, letter: Letter, at: datetime, caps: Caps) -> datetime | None:
    """Until when a letter waits, since so many went in the hour before; None if it may go."""
    on_site = and_(Letter.site_id == letter.site_id, Letter.hook_id.is_(None))
    untils = (
        _full_until(session, letter, _same_address(letter), caps.per_address, at),
        _full_until(session, letter, on_site, caps.per_site, at),
    )
    return max(filter(None, untils), default=None)


def _full_until(
    session: Session, letter: Letter, those: ColumnElement[bool], most: int, at: datetime
) -> datetime | None:
    """When there is room again for one of those letters. What another worker is sending counts."""
    if not most:
        return None
    lately = and_(Letter.state == LetterState.SENT, Letter.sent_at > at - HOUR)
    newest = select(Letter.sent_at).where(those, lately).order_by(Letter.sent_at.desc())
    went = [moment for moment in session.scalars(newest.limit(most)) if moment is not None]
    is_ahead = and_(Letter.claimed_until > at, Letter.id < letter.id)
    others = and_(Letter.claimed_by != letter.claimed_by, is_ahead)
    in_hand = select(func.count()).where(those, Letter.state == LetterState.QUEUED, others)
    number = len(went) + (session.scalar(in_hand) or 0)
    if number < most:
        return None
    return (went[-1] if len(went) == most else at - HOUR + SERVER_WAIT) + HOUR


def _same_address(letter: Letter) -> ColumnElement[bool]:
    """Letters to the same address, on whatever site."""
    if letter.moderator_id is not None:
        return Letter.moderator_id == letter.moderator_id
    if letter.invitation_id is not None:  # each is another row, whomever it is to
        this_one, another = aliased(Invitation), aliased(Invitation)
        to_them = select(another.id).join(this_one, this_one.email == another.email)
        return Letter.invitation_id.in_(to_them.where(this_one.id == letter.invitation_id))
    if letter.author_id is None:
        return false()
    this, other = aliased(Author), aliased(Author)
    same = select(other.id).join(this, this.email_index == other.email_index)
    return Letter.author_id.in_(same.where(this.id == letter.author_id))
