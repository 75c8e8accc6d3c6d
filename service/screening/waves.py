"""Waves: times in which far more comments than usual come in, on an article or a whole site.

The watch is asked as each comment is stored, in that transaction, and so looks only at what an
index gives within about a millisecond, however much is stored and however large the wave:

- below `least` arrivals in WINDOW nothing more is asked; that is every comment of a quiet site;
- what is usual is read once in WINDOW from SAMPLES windows spread over the last week, and is what
  SHARE of them do not exceed: evening peaks are part of it, and a wave of up to 16 hours of that week is not;
- while a wave is on, it is looked at once a minute.

An article's number is held against its whole site's usual. One that simply gets much attention is
held by it too: a moderator ends that with one button.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import (
    ColumnElement,
    and_,
    column,
    func,
    or_,
    select,
    text,
    values,
)
from sqlalchemy.orm import Session

from ..models import Article, Comment, Site, Wave, now
from ..rules import NAMED, Policy, kept
from ..rules.holding import WAVE_LEAST, WAVE_MINUTES, WAVE_TIMES
from ..status import Mark, Status
from ..text import mask_addresses

BY = "the wave watch"  # who the record says saw it
WINDOW = timedelta(minutes=WAVE_MINUTES)
USUAL = timedelta(days=7)
# 67 windows, at each half of an hour of the day once or twice.
EVERY = timedelta(hours=2.5)
SAMPLES = int(USUAL / EVERY)
SHARE = 0.9
RELAXED = timedelta(minutes=30)  # no longer far above the usual for so long: it is over
LOOKS = timedelta(minutes=1)  # between two looks at a wave that is on
CALLED_OFF = timedelta(hours=1)  # after a false alarm none begins there
MOST = 5_000  # arrivals that are counted in a window; a larger wave has "5,000+"
BESIDE = 4  # so many times what makes a wave are looked at to find one beside that of an article
# What is usual on a site, by its database and id, and when that was read.
_known: WeakKeyDictionary[Any, dict[int, tuple[datetime, float]]] = WeakKeyDictionary()
# The record's words for what the watch saw (events.What).
BEGAN, ENDED = "wave_began", "wave_ended"


@dataclass(frozen=True)
class Limits:
    """From how many comments in WINDOW it is a wave; None where the site switched the rule off."""

    least: int
    times: int

    @classmethod
    def of(cls, policy: Policy) -> "Limits | None":
        tuned = policy.tuned.get("wave", {})
        if not tuned.get("on", True):
            return None
        return cls(int(tuned.get("least", WAVE_LEAST)), int(tuned.get("times", WAVE_TIMES)))

    def above(self, usual: float) -> int:
        """How many are far above what is usual; no more than are counted."""
        return min(max(self.least, ceil(self.times * usual)), MOST)


def current(session: Session, site_id: int, article_id: int | None) -> Wave | None:
    """The wave that is on at this moment, on an article (None: one that nobody knows yet) or on its
    whole site."""
    return next(iter(_on(session, site_id, article_id)), None)


def watch(session: Session, comment: Comment, policy: Policy) -> tuple[str, Wave] | None:
    """Looks whether a wave begins, goes on or is over with a comment that was just stored.

    Returns what is to be told the moderators, if anything: BEGAN or ENDED, and the wave.
    """
    limits, at = Limits.of(policy), comment.created_at
    if limits is None or not _is_arrival(comment):
        return None
    waves = _on(session, comment.site_id, comment.article_id)
    for wave in waves:
        if _go_on(session, wave, limits, at):
            return ENDED, wave
    begun = None if waves else _begin(session, comment, limits, at)
    return (BEGAN, begun) if begun else None


def quiet(session: Session, at: datetime) -> Sequence[int]:
    """The waves that may be over: none was seen far above the usual for as long as that takes."""
    silent = (Wave.ended_at.is_(None), Wave.seen_at <= at - RELAXED)
    return session.scalars(select(Wave.id).where(*silent).order_by(Wave.id)).all()


def relax(session: Session, wave_id: int, at: datetime) -> Wave | None:
    """Ends a wave that is over, without waiting for the next comment; gives it if it did."""
    wave = session.get_one(Wave, wave_id, with_for_update=True)
    site = session.get_one(Site, wave.site_id)
    limits = Limits.of(Policy(tuned=kept.tuned(site.screening, [NAMED["wave"]])))
    if wave.ended_at is not None:
        return None
    if limits is None:
        wave.ended_at = at
        return wave
    return wave if _go_on(session, wave, limits, at) else None


def call_off(session: Session, wave_id: int) -> Wave | None:
    """Ends a wave that a moderator says is none; gives it unless it had ended already."""
    wave = session.get_one(Wave, wave_id, with_for_update=True)
    if wave.ended_at is not None:
        return None
    # One that ends by itself was last seen RELAXED before.
    wave.ended_at = wave.seen_at = now()
    return wave


def is_called_off(wave: Wave) -> bool:
    """Whether a moderator said that it was none."""
    return wave.ended_at is not None and wave.ended_at == wave.seen_at


def named(session: Session, wave: Wave) -> str:
    """Where a wave is, for the record: no author's address."""
    if wave.article_id is None:
        where = f"all of {session.get_one(Site, wave.site_id).name}"
    else:
        where = mask_addresses(session.get_one(Article, wave.article_id).url)
    return f"wave {wave.id}: {where}"


def usual(session: Session, site_id: int, at: datetime) -> float:
    """How many comments a site gets in WINDOW when it gets many, by its last seven days before."""
    starts = [at - WINDOW - EVERY * number for number in range(1, SAMPLES + 1)]
    moment = Comment.created_at.type
    windows = values(column("since", moment), column("until", moment), name="windows")
    cte = windows.data([(start, start + WINDOW) for start in starts]).cte("windows")
    number = (
        select(func.count())
        .select_from(Comment)
        .where(
            Comment.site_id == site_id,
            Comment.status.in_(list(Status)),  # so that the index gives the range
            Comment.created_at >= cte.c.since,
            Comment.created_at < cte.c.until,
        )
        .scalar_subquery()
    )
    return quantile(session.scalars(select(number).select_from(cte)).all())


def _usual_lately(session: Session, site_id: int, at: datetime) -> float:
    """The same, read at most once in WINDOW by each process: a busy site asks at every comment."""
    known = _known.setdefault(session.get_bind(), {})
    read_at, number = known.get(site_id, (None, 0.0))
    if read_at is None or not read_at <= at < read_at + WINDOW:
        number = usual(session, site_id, at)
        known[site_id] = (at, number)
    return number


def quantile(counts: Sequence[int], share: float = SHARE) -> float:
    """What this share of the counts does not exceed (nearest rank); 0 for none."""
    return sorted(counts)[ceil(share * len(counts)) - 1] if counts else 0


def place(articles: Sequence[int]) -> int | None:
    """The article that a wave is on, by that of each arrival; None for the whole site: no article
    has half of them."""
    [(article_id, most)] = Counter(articles).most_common(1)
    return article_id if 2 * most >= len(articles) else None


def arrivals(
    site_id: int, article_id: int | None, statuses: Sequence[Status] = tuple(Status)
) -> ColumnElement[bool]:
    """The condition that a row came in from a reader, under an article or on a site: no import, no
    moderator's reply. Names the statuses, so that an index gives the range of times."""
    return and_(
        Comment.site_id == site_id if article_id is None else Comment.article_id == article_id,
        Comment.status.in_(statuses),
        Comment.import_id.is_(None),
        Comment.mark != Mark.STAFF,
    )


def _is_arrival(comment: Comment) -> bool:
    return comment.import_id is None and comment.mark != Mark.STAFF


def _on(session: Session, site_id: int, article_id: int | None) -> Sequence[Wave]:
    here = or_(Wave.article_id.is_(None), Wave.article_id == article_id)
    on = select(Wave).where(Wave.site_id == site_id, Wave.ended_at.is_(None), here)
    return session.scalars(on.order_by(Wave.id)).all()


def _go_on(session: Session, wave: Wave, limits: Limits, at: datetime) -> bool:
    """Looks again at a wave, once a minute while it is far above the usual; whether it is over."""
    if at < wave.seen_at + LOOKS:
        return False
    number = _count(session, arrivals(wave.site_id, wave.article_id), at, MOST + 1)
    if number >= limits.above(wave.usual):
        wave.seen_at, wave.peak = at, max(wave.peak, number)
    elif at >= wave.seen_at + RELAXED:
        wave.ended_at = at
        return True
    return False


def _begin(session: Session, comment: Comment, limits: Limits, at: datetime) -> Wave | None:
    """The wave that begins with a comment, if one does."""
    of_site = arrivals(comment.site_id, None)
    if _count(session, of_site, at, limits.least) < limits.least:
        return None
    normal = _usual_lately(session, comment.site_id, at)
    above = limits.above(normal)
    if _count(session, of_site, at, above) < above:
        return None
    _lock(session, comment.site_id)
    if _on(session, comment.site_id, comment.article_id):
        return None  # another process was a moment faster
    return _open(session, comment, normal, above, at)


def _open(
    session: Session, comment: Comment, normal: float, above: int, at: datetime
) -> Wave | None:
    """Opens a wave on the comment's article or its site; on neither where what came in came to
    articles that have a wave of their own, or had a false alarm just now."""
    taken = _taken(session, comment.site_id, at)
    if None in taken:
        return None
    own = _count(session, arrivals(comment.site_id, comment.article_id), at, above)
    if own >= above and comment.article_id not in taken:
        return _add(session, comment.site_id, comment.article_id, normal, at)
    # Beside a far larger wave on an article, none on the whole site is looked for.
    beside = select(Comment.article_id).where(arrivals(comment.site_id, None), _lately(at))
    found = session.scalars(beside.limit(min(above * BESIDE, MOST)))
    articles = [article_id for article_id in found if article_id not in taken]
    if len(articles) < above:
        return None
    return _add(session, comment.site_id, place(articles), normal, at)


def _taken(session: Session, site_id: int, at: datetime) -> set[int | None]:
    """The articles of waves that are on, or were called off just now; None for the site's."""
    was_called_off = and_(Wave.ended_at == Wave.seen_at, Wave.ended_at > at - CALLED_OFF)
    here = (Wave.site_id == site_id, or_(Wave.ended_at.is_(None), was_called_off))
    return set(session.scalars(select(Wave.article_id).where(*here)))


def _add(
    session: Session, site_id: int, article_id: int | None, normal: float, at: datetime
) -> Wave:
    those = arrivals(site_id, article_id)
    first = session.scalar(select(func.min(Comment.created_at)).where(those, _lately(at)))
    wave = Wave(
        site_id=site_id,
        article_id=article_id,
        began_at=first or at,
        seen_at=at,
        usual=normal,
        peak=_count(session, those, at, MOST + 1),
    )
    session.add(wave)
    session.flush()
    return wave


def _lately(at: datetime) -> ColumnElement[bool]:
    return and_(Comment.created_at > at - WINDOW, Comment.created_at <= at)


def _count(session: Session, those: ColumnElement[bool], at: datetime, most: int) -> int:
    """How many came in the window up to a moment; counts no further than `most`."""
    some = select(Comment.id).where(those, _lately(at)).limit(most).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def _lock(session: Session, site_id: int) -> None:
    """One process at a time opens a site's wave; on SQLite there is one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        key = f"the waves of site {site_id}"
        session.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key}
        )
