"""How it goes on a site: pure readings over the last days, bounded however large the site is.

Days are those of UTC. What is counted by status is counted as it stands now. Counts of comments,
and the age of the queue, come from an index alone and are exact; what has to look at the comments
themselves looks at most at about SAMPLE of them, evenly chosen, and `Report.every` tells which part.
"""

import re
import statistics as of
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import ceil
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import (
    Case,
    ColumnElement,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased

from .models import Article, Comment, Decision, Reason, now
from .status import Act, Mark, Status

SPANS = (7, 30, 90)  # days that can be looked at
SAMPLE = 40_000  # comments
BUSIEST = 10
FIRED = 2_000  # comments on which a rule fired, of which its page tells
HALF, NINE_OF_TEN = 0.5, 0.9
# How old what waits is: up to so many hours, and older.
AGES = (1, 6, 24, 72, 168)
AGREED = (Status.REJECTED, Status.SPAM, Status.DELETED)  # with a rule that held a comment
GONE = (Status.SPAM, Status.DELETED)  # what makes no article busy
# An hour is part of a wave if so much spam came in it, and so many times the window's median hour.
WAVE_LEAST, WAVE_TIMES = 20, 5
WAVES, OF_A_WAVE = 5, 200  # how many are told, and how much of each is read
LINK = re.compile(r'href="https?://(?:www\.)?([^/"?#:]+)', re.I)


@dataclass(frozen=True)
class Waits:
    """How long comments waited for a moderator's first decision.

    Of all that needed one: what still waits counts as longer than all others, so that a day does
    not look quick only because its slow ones are not done yet. A share's time is the shortest
    within which at least that share was decided (nearest rank), None while that is not known.
    """

    decided: int = 0
    waiting: int = 0
    median: float | None = None  # seconds
    most: float | None = None  # seconds; 9 of 10


@dataclass(frozen=True)
class Day:
    date: date
    counts: Mapping[Status, int]
    waits: Waits

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True)
class Queue:
    """How old what waits is: how many up to each of AGES, and older."""

    counts: tuple[int, ...]
    oldest: datetime | None

    @property
    def total(self) -> int:
        return sum(self.counts)


@dataclass(frozen=True)
class Use:
    """How often a rule fired, and how moderators decided what it had fired on."""

    rule: str
    agreed: int  # rejected, spam or deleted
    disagreed: int  # approved
    undecided: int

    @property
    def hits(self) -> int:
        return self.agreed + self.disagreed + self.undecided


@dataclass(frozen=True)
class Busy:
    """An article under which much was written, spam left out."""

    title: str  # "" unless a moderator has approved something there
    url: str
    count: int


@dataclass(frozen=True)
class Wave:
    """Neighbouring hours in which far more spam came than usual."""

    start: datetime
    hours: tuple[int, ...]  # how much came in each
    before: tuple[int, ...]  # in each of the hours around it
    after: tuple[int, ...]
    host: str  # that most of it links to, "" for none
    host_share: float  # of the wave
    same_share: float  # that has the very same words

    @property
    def end(self) -> datetime:
        return self.start + timedelta(hours=len(self.hours))

    @property
    def total(self) -> int:
        return sum(self.hours)


@dataclass(frozen=True)
class Report:
    site_id: int
    since: datetime
    at: datetime
    days: tuple[Day, ...]
    waits: Waits  # over all days
    queue: Queue
    rules: tuple[Use, ...]  # the most used first
    articles: tuple[Busy, ...]
    waves: tuple[Wave, ...]  # newest first
    every: int  # waits, rules and articles are told from each so-manieth comment

    @property
    def totals(self) -> dict[Status, int]:
        return {status: sum(day.counts.get(status, 0) for day in self.days) for status in Status}

    @property
    def total(self) -> int:
        return sum(day.total for day in self.days)


Hours = Mapping[tuple[Status, str], int]


def report(session: Session, site_id: int, span: int, at: datetime | None = None) -> Report:
    """All there is to tell of a site. Takes how many days, today's being the last, and the moment
    that counts as now."""
    at = (at or now()).astimezone(UTC)
    since = at.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=span - 1)
    dates = [since.date() + timedelta(days=number) for number in range(span)]
    within = and_(
        Comment.site_id == site_id,
        Comment.status.in_(list(Status)),  # so that the index gives the range
        Comment.created_at >= since,
        Comment.created_at <= at,
    )
    hours = _hours(session, within)
    every = max(ceil(sum(hours.values()) / SAMPLE), 1)
    some = within if every == 1 else and_(within, Comment.id % every == 0)
    waits, overall, busy = _look(session, some)
    by_day = _by_day(hours)
    return Report(
        site_id,
        since,
        at,
        tuple(Day(day, by_day.get(day, {}), waits.get(day, Waits())) for day in dates),
        overall,
        queue(session, site_id, at),
        _rules(session, some, every),
        _articles(session, busy, every),
        _waves(session, site_id, hours, since, at),
        every,
    )


def queue(session: Session, site_id: int, at: datetime) -> Queue:
    """How old all that waits on a site is: new comments, and edits of published ones."""
    edits = (Comment.edit_at.is_not(None), Comment.status == Status.APPROVED)
    found = [
        _ages(session, Comment.created_at, at, Comment.status == Status.PENDING, site_id),
        _ages(session, Comment.edit_at, at, and_(*edits), site_id),
    ]
    counts = tuple(map(sum, zip(*(counts for counts, _ in found), strict=True)))
    return Queue(counts, min((oldest for _, oldest in found if oldest), default=None))


def time_within(waits: Sequence[float], total: int, share: float) -> float | None:
    """The time within which at least this share of `total` was decided, by nearest rank. Takes the
    waits of those that are decided; None if they are too few to tell."""
    rank = ceil(share * total)
    return sorted(waits)[rank - 1] if 0 < rank <= len(waits) else None


def surges(counts: Sequence[int]) -> list[tuple[int, int]]:
    """Where waves are: from which hour up to which (not included)."""
    usual = of.median(counts) if counts else 0
    high = [count >= WAVE_LEAST and count > WAVE_TIMES * usual for count in counts]
    starts = [i for i, is_high in enumerate(high) if is_high and not (i and high[i - 1])]
    return [(i, next((j for j in range(i, len(high)) if not high[j]), len(high))) for i in starts]


def _hours(session: Session, within: ColumnElement[bool]) -> Hours:
    """How many comments of each status came in each hour, "2026-03-01 09". From the index alone."""
    hour = func.substr(cast(Comment.created_at, String), 1, 13)
    rows = session.execute(
        select(Comment.status, hour, func.count()).where(within).group_by(Comment.status, hour)
    )
    return {(status, hour): count for status, hour, count in rows}


def _by_day(hours: Hours) -> dict[date, dict[Status, int]]:
    days: dict[date, dict[Status, int]] = defaultdict(lambda: dict.fromkeys(Status, 0))
    for (status, hour), count in hours.items():
        days[date.fromisoformat(hour[:10])][status] += count
    return days


def _ages(
    session: Session, since: Any, at: datetime, what: ColumnElement[bool], site_id: int
) -> tuple[list[int], datetime | None]:
    limits = [at - timedelta(hours=hours) for hours in AGES]
    bounds = zip([None, *limits], [*limits, None], strict=True)
    counted = [
        func.count().filter(*((since <= young,) if young else ()), *((since > old,) if old else ()))
        for young, old in bounds
    ]
    row = session.execute(
        select(func.min(since), *counted).where(Comment.site_id == site_id, what)
    ).one()
    return list(row[1:]), row[0]


def _look(
    session: Session, some: ColumnElement[bool]
) -> tuple[dict[date, Waits], Waits, Counter[int]]:
    """How long the comments of each day waited, and all; and what was written under which article.

    A first decision is a moderator's that took a comment out of the queue. Left out are imported
    comments, moderators' own, and those that waited only since readers reported them.
    """
    by_moderator = and_(
        Decision.act == Act.DECIDED,
        Decision.from_status == Status.PENDING,
        Decision.moderator_id.is_not(None),
    )
    of_it = (Decision.comment_id == Comment.id, or_(by_moderator, Decision.act == Act.HELD))
    first = aliased(Decision)
    rows = session.execute(
        select(
            Comment.created_at,
            Comment.status,
            Comment.article_id,
            or_(Comment.mark == Mark.STAFF, Comment.import_id.is_not(None)),
            first.act,
            first.at,
        )
        .outerjoin(
            first,
            first.id
            == select(func.min(Decision.id)).where(*of_it).correlate(Comment).scalar_subquery(),
        )
        .where(some)
    )
    waits: dict[date, list[float]] = defaultdict(list)
    waiting: Counter[date] = Counter()
    busy: Counter[int] = Counter()
    for created_at, status, article_id, is_left_out, act, decided_at in rows:
        if status not in GONE:
            busy[article_id] += 1
        if is_left_out or act == Act.HELD:
            continue
        if act is not None:
            waits[created_at.date()].append(max((decided_at - created_at).total_seconds(), 0))
        elif status == Status.PENDING:
            waiting[created_at.date()] += 1
    days = {day: _told(waits[day], waiting[day]) for day in waits.keys() | waiting.keys()}
    return days, _told([w for day in waits.values() for w in day], waiting.total()), busy


def _told(waits: list[float], waiting: int) -> Waits:
    total = len(waits) + waiting
    half, most = (time_within(waits, total, share) for share in (HALF, NINE_OF_TEN))
    return Waits(len(waits), waiting, half, most)


def _rules(session: Session, some: ColumnElement[bool], every: int) -> tuple[Use, ...]:
    """What a moderator decided is told by how it stands now, so that an undone decision is none."""
    said = _said()
    rows = session.execute(
        select(Reason.rule, said, func.count(Comment.id.distinct()))
        .join(Comment, Reason.comment_id == Comment.id)
        .where(some)
        .group_by(Reason.rule, said)
    )
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for rule, word, count in rows:
        found[rule][word] = count * every
    uses = (Use(rule, c["agreed"], c["disagreed"], c["undecided"]) for rule, c in found.items())
    return tuple(sorted(uses, key=lambda use: (-use.hits, use.rule)))


def _said() -> Case[str]:
    """How moderators' decision on a comment, as it stands now, is to what a rule said of it."""
    by_moderator = exists().where(
        Decision.comment_id == Comment.id,
        Decision.act == Act.DECIDED,
        Decision.moderator_id.is_not(None),
    )
    return case(
        (~by_moderator, "undecided"),
        (Comment.status.in_(AGREED), "agreed"),
        (Comment.status == Status.APPROVED, "disagreed"),
        else_="undecided",
    )


def use(
    session: Session, site_id: int, rule: str, since: datetime | None = None, most: int = FIRED
) -> Use:
    """How often a rule fired on a site's comments, since a moment if one is told, and how moderators
    decided. Of the newest `most` that it fired on."""
    said = _said()
    fired = _fired(site_id, rule).add_columns(said.label("said")).limit(most)
    if since is not None:
        fired = fired.where(Comment.created_at >= since)
    found = fired.subquery()
    rows = session.execute(select(found.c.said, func.count()).group_by(found.c.said))
    counts = Counter({row[0]: row[1] for row in rows})
    return Use(rule, counts["agreed"], counts["disagreed"], counts["undecided"])


def passed(session: Session, site_id: int, rule: str, most: int = 10) -> Sequence[Comment]:
    """The newest comments that moderators approved though a rule fired on them."""
    fired = _fired(site_id, rule).where(Comment.status == Status.APPROVED, _said() == "disagreed")
    ids = session.scalars(fired.limit(most))
    shown = select(Comment).where(Comment.id.in_(list(ids))).order_by(Comment.id.desc())
    return session.scalars(shown).all()


def _fired(site_id: int, rule: str) -> Select[int]:
    """The ids of a site's comments on which a rule fired, newest first, each once. Walked along the
    rule's own index: the sum keeps a database from walking all of the site instead."""
    return (
        select(Reason.comment_id)
        .distinct()
        .join(Comment, Comment.id == Reason.comment_id)
        .where(Reason.rule == rule, Comment.site_id + 0 == site_id)
        .order_by(Reason.comment_id.desc())
    )


def _articles(session: Session, busy: Counter[int], every: int) -> tuple[Busy, ...]:
    most = sorted(busy.items(), key=lambda pair: (-pair[1], pair[0]))[:BUSIEST]
    found = session.scalars(select(Article).where(Article.id.in_([number for number, _ in most])))
    known = {article.id: article for article in found}
    return tuple(
        Busy(article.title if article.is_title_proved else "", article.url, count * every)
        for number, count in most
        if (article := known.get(number))
    )


def _waves(
    session: Session, site_id: int, hours: Hours, since: datetime, at: datetime
) -> tuple[Wave, ...]:
    """The largest waves of the window, newest first."""
    whole = int((at - since) / timedelta(hours=1)) + 1
    starts = [since + timedelta(hours=number) for number in range(whole)]
    counts = [hours.get((Status.SPAM, f"{start:%Y-%m-%d %H}"), 0) for start in starts]
    found = surges(counts)
    largest = sorted(found, key=lambda wave: -sum(counts[slice(*wave)]))[:WAVES]
    around = 6
    waves = []
    for first, last in sorted(largest, reverse=True):
        end = starts[first] + timedelta(hours=last - first)
        of_wave = and_(
            Comment.site_id == site_id,
            Comment.status == Status.SPAM,
            Comment.created_at >= starts[first],
            Comment.created_at < end,
        )
        host, host_share, same_share = shared(session, of_wave)
        waves.append(
            Wave(
                starts[first],
                tuple(counts[first:last]),
                tuple(counts[max(first - around, 0) : first]),
                tuple(counts[last : last + around]),
                host,
                host_share,
                same_share,
            )
        )
    return tuple(waves)


def shared(session: Session, of_wave: ColumnElement[bool]) -> tuple[str, float, float]:
    """What the comments of a wave have in common: the host that most link to and its share, and the
    share of those with the most frequent text. From the first of them. Takes the condition that a
    comment is one of the wave's; it should name one status, for the index."""
    rows = session.execute(
        select(Comment.website, Comment.html, Comment.text_digest)
        .where(of_wave)
        .order_by(Comment.created_at)
        .limit(OF_A_WAVE)
    ).all()
    hosts: Counter[str] = Counter()
    texts: Counter[bytes] = Counter()
    for website, html, digest in rows:
        hosts.update(_hosts(website, html))
        if digest:
            texts[digest] += 1
    [(host, linking)] = hosts.most_common(1) or [("", 0)]
    [(_, same)] = texts.most_common(1) or [(b"", 0)]
    return host, linking / max(len(rows), 1), same / max(len(rows), 1) if same > 1 else 0.0


def _hosts(website: str, html: str) -> set[str]:
    """The hosts that a comment links to."""
    found = {host.lower() for host in LINK.findall(html)}
    try:
        host = urlsplit(website).hostname or ""
    except ValueError:
        host = ""
    return (found | {host.removeprefix("www.")}) - {""}
