"""All articles of a pattern moved to new addresses, when a site changes its own.

A rehearsal says first what would become of them. The run is a row that knows how far it has come:
it walks the articles in the order of their numbers, a batch at a time, under 100 ms each.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Select, and_, func, insert, select, update
from sqlalchemy.orm import Session

from .. import events, urls
from ..accounts import Moderator
from ..events import What
from ..models import Article, ArticleAlias, Move, Site, now
from ..status import BulkState
from . import changing
from .changing import OutsideOrigins, from_to
from .merging import NotMergeable, begin_merge

BATCH = 100  # articles
MERGES = 5  # … of which so many at most become part of others: each is a dozen of statements
SAMPLES = 10
LISTED = 10


class NotAPattern(ValueError):
    """These are no two patterns of addresses; says why in a word: address, star, same."""


class StillRunning(Exception):
    """Another move of this site is on its way."""


@dataclass(frozen=True)
class Pattern:
    """Addresses that begin and end so, with whatever between; or one address, without a star."""

    begin: str
    end: str = ""
    has_star: bool = True

    @classmethod
    def read(cls, written: str) -> "Pattern":
        """From an address with at most one *, behind its host. Raises NotAPattern."""
        try:
            address = urls.canonical(written)
        except urls.NotAnAddress:
            raise NotAPattern("address") from None
        if address.count("*") > 1:
            raise NotAPattern("star")
        begin, star, end = address.partition("*")
        return cls(begin, end, bool(star))

    def __str__(self) -> str:
        return f"{self.begin}{'*' if self.has_star else ''}{self.end}"

    def between(self, url: str) -> str | None:
        """What the star stands for in an address; None if it is none of these."""
        if not self.has_star:
            return "" if url == self.begin else None
        is_one = url.startswith(self.begin) and url.endswith(self.end)
        is_long = len(url) >= len(self.begin) + len(self.end)
        return url[len(self.begin) : len(url) - len(self.end)] if is_one and is_long else None

    def with_star(self, between: str) -> str:
        return f"{self.begin}{between}{self.end}"

    def holds(self, other: "Pattern") -> bool:
        """Whether all addresses of another pattern are of this one."""
        is_inside = other.begin.startswith(self.begin) and other.end.endswith(self.end)
        return self.has_star and is_inside and self.between(f"{other.begin}{other.end}") is not None

    def matching(self) -> ColumnElement[bool]:
        """About which articles it may be: those that begin so."""
        if not self.has_star:
            return Article.url == self.begin
        return func.substr(Article.url, 1, len(self.begin)) == self.begin


@dataclass
class Rehearsal:
    """What a move would do."""

    total: int = 0  # articles that would move
    samples: list[tuple[str, str]] = field(default_factory=list)  # was, becomes
    taken: int = 0  # of them those whose new address is another article's
    collisions: list[tuple[str, str]] = field(default_factory=list)
    left: int = 0  # that stay: their new address would be none, or too long


def read(old: str, new: str, origins: list[str]) -> tuple[Pattern, Pattern]:
    """The two patterns. Raises NotAPattern, and OutsideOrigins for a new address on no website of the
    site's."""
    was, becomes = Pattern.read(old), Pattern.read(new)
    if was.has_star != becomes.has_star:
        raise NotAPattern("star")
    if was == becomes:
        raise NotAPattern("same")
    if not urls.is_within(becomes.begin, origins):
        raise OutsideOrigins
    return was, becomes


def rehearse(session: Session, site: Site, old: str, new: str) -> Rehearsal:
    """What would become of a site's articles; nothing is written. Raises as `read` does."""
    was, becomes = read(old, new, site.origins)
    found = Rehearsal()
    there = select(Article.url).where(_on(site.id, becomes))
    standing = set(session.scalars(there))
    rows = select(Article.id, Article.url).where(_on(site.id, was)).order_by(Article.id)
    for _, url, new_url in _targets(session.execute(rows), was, becomes):
        if new_url is None:
            found.left += 1
            continue
        found.total += 1
        _sample(found.samples, url, new_url)
        if new_url in standing:
            found.taken += 1
            _sample(found.collisions, url, new_url)
        standing.add(new_url)
    return found


def _sample(samples: list[tuple[str, str]], url: str, new_url: str) -> None:
    if len(samples) < SAMPLES:
        samples.append((url, new_url))


def begin_move(
    session: Session,
    site: Site,
    old: str,
    new: str,
    has_merges: bool,
    total: int,
    by: Moderator | str,
) -> Move:
    """Puts down a move that is to run. Takes whether an article whose new address is another's is
    merged into that one, or else left where it is; and how many the rehearsal found. Raises as
    `read` does, and StillRunning."""
    was, becomes = read(old, new, site.origins)
    session.execute(select(Site.id).where(Site.id == site.id).with_for_update())
    if running(session, site.id):
        raise StillRunning
    found = Move(
        site_id=site.id,
        moderator_id=None if isinstance(by, str) else by.id,
        by=by if isinstance(by, str) else by.name,
        network="" if isinstance(by, str) else by.came_from,
        old=str(was),
        new=str(becomes),
        has_merges=has_merges,
        total=total,
        until=session.scalar(select(func.max(Article.id))) or 0,
    )
    session.add(found)
    session.flush()
    what = "merging" if has_merges else "leaving"
    about = f"{from_to(found.old, found.new)} ({total}, {what} those that are taken)"
    events.record(session, What.MOVE_BEGAN, by, about, site.id)
    return found


def ahead(session: Session, move: Move) -> list[int]:
    """The articles of the next batch, by number; for a session that reads."""
    some = select(Article.id).where(_on(move.site_id, Pattern.read(move.old)))
    some = some.where(Article.id > move.at, Article.id <= move.until)
    # SQLite would take the index of addresses, and sort all of a site for each batch.
    some = some.with_hint(Article, "NOT INDEXED", "sqlite")
    return list(session.scalars(some.order_by(Article.id).limit(BATCH)))


def move_step(session: Session, move_id: int, ids: Sequence[int]) -> bool:
    """Moves a batch, or ends the move where there is none; whether there may be more. What somebody
    else has moved meanwhile is left alone."""
    move = session.get_one(Move, move_id, with_for_update=True, populate_existing=True)
    if move.state != BulkState.RUNNING:
        return False
    ids = [number for number in ids if number > move.at]
    if not ids:
        _end(session, move, BulkState.DONE)
        return False
    was, becomes = Pattern.read(move.old), Pattern.read(move.new)
    rows = select(Article.id, Article.url).where(Article.id.in_(ids), _on(move.site_id, was))
    found = session.execute(rows.order_by(Article.id).with_for_update())
    move.at = _move_all(session, move, list(_targets(found, was, becomes))) or ids[-1]
    return True


def _move_all(
    session: Session, move: Move, targets: Sequence[tuple[int, str, str | None]]
) -> int | None:
    """Moves what can be; gives the last that was looked at, if that is not all of them."""
    taken = _standing(session, move.site_id, [new_url for _, _, new_url in targets if new_url])
    free: dict[str, tuple[int, str]] = {}
    place, merges = None, 0
    for number, url, new_url in targets:
        if new_url is None:
            move.left += 1
        elif new_url in taken or new_url in free:
            merges += _meet(session, move, number, taken.get(new_url) or free[new_url][0])
        else:
            free[new_url] = (number, url)
        if merges == MERGES:
            place = number
            break
    if free:
        _write(session, move.site_id, free)
    move.moved += len(free)
    return place


def _meet(session: Session, move: Move, number: int, other: int) -> bool:
    """Two at one address: the one that comes becomes part of the other, or stays. Whether it did."""
    if move.has_merges:
        gone, kept = session.get_one(Article, number), session.get_one(Article, other)
        try:
            begin_merge(session, gone, kept, _who(session, move))
        except NotMergeable:
            pass
        else:
            move.merged += 1
            return True
    move.left += 1
    return False


def _write(session: Session, site_id: int, free: dict[str, tuple[int, str]]) -> None:
    """The new addresses, with the old ones kept."""
    led = (
        select(ArticleAlias.url, Article.version)
        .join(Article, Article.id == ArticleAlias.article_id)
        .where(ArticleAlias.site_id == site_id, ArticleAlias.url.in_(list(free)))
    )
    seen = dict(session.execute(led).all())
    ids = [number for number, _ in free.values()]
    rows = select(Article.id, Article.version).where(Article.id.in_(ids))
    versions = dict(session.execute(rows).all())
    old_urls = [old for _, old in free.values()]
    changing.free(session, site_id, [*free, *old_urls])
    session.execute(
        update(Article),
        [
            {"id": number, "url": url, "version": max(versions[number], seen.get(url, 0)) + 1}
            for url, (number, _) in free.items()
        ],
    )
    session.execute(
        insert(ArticleAlias),
        [{"site_id": site_id, "article_id": number, "url": old} for number, old in free.values()],
    )


def stop(session: Session, move: Move, by: Moderator | str) -> bool:
    """Ends a move where it is; what has moved stays there. Whether it was on its way."""
    session.refresh(move, with_for_update=True)
    if move.state != BulkState.RUNNING:
        return False
    _end(session, move, BulkState.STOPPED, by)
    return True


def resume(session: Session, move: Move, by: Moderator | str) -> bool:
    """Goes on with one that was stopped; whether it was. Raises StillRunning."""
    session.refresh(move, with_for_update=True)
    if move.state != BulkState.STOPPED:
        return False
    if running(session, move.site_id):
        raise StillRunning
    move.state, move.ended_at = BulkState.RUNNING, None
    about = f"{from_to(move.old, move.new)} (taken up after {move.moved + move.merged})"
    events.record(session, What.MOVE_BEGAN, by, about, move.site_id)
    return True


def running(session: Session, site_id: int | None = None) -> Sequence[int]:
    """The moves that are on their way, of one site or all."""
    found = select(Move.id).where(Move.state == BulkState.RUNNING).order_by(Move.id)
    return session.scalars(found if site_id is None else found.where(Move.site_id == site_id)).all()


def latest(session: Session, site_id: int) -> Sequence[Move]:
    """A site's last moves, newest first."""
    of_site = select(Move).where(Move.site_id == site_id).order_by(Move.id.desc())
    return session.scalars(of_site.limit(LISTED)).all()


def _end(session: Session, move: Move, state: BulkState, by: Moderator | str = "") -> None:
    move.state, move.ended_at = state, now()
    done = f"{state}: {move.moved} moved, {move.merged} merged, {move.left} left"
    about = f"{from_to(move.old, move.new)} ({done})"
    events.record(session, What.MOVE_ENDED, by or _who(session, move), about, move.site_id)


def _who(session: Session, move: Move) -> Moderator | str:
    """Who asked for it, from where they did."""
    moderator = session.get(Moderator, move.moderator_id) if move.moderator_id else None
    if moderator is None:
        return move.by
    moderator.came_from = move.network
    return moderator


def _on(site_id: int, was: Pattern) -> ColumnElement[bool]:
    return and_(Article.site_id == site_id, Article.merges_into_id.is_(None), was.matching())


def _targets(
    rows: Iterable[tuple[int, str]], was: Pattern, becomes: Pattern
) -> Iterator[tuple[int, str, str | None]]:
    """Each article that the pattern is about with its new address, None where it has none. Where new
    addresses are of the old pattern too, one that has moved is left alone: so a move can be run
    again."""
    is_inside = was.holds(becomes)
    # What lies between is spelt as it should be; only a query may come to lack something.
    has_query = "?" in str(becomes)
    for number, url in rows:
        between = was.between(url)
        if between is None or (is_inside and becomes.between(url) is not None):
            continue
        new_url = _canonical(becomes.with_star(between), has_query)
        if new_url != url:
            yield number, url, new_url


def _canonical(url: str, has_query: bool) -> str | None:
    try:
        address = urls.canonical(url) if has_query else url
    except urls.NotAnAddress:
        return None
    return address if len(address.encode()) <= urls.MAX_LENGTH else None


def _standing(session: Session, site_id: int, addresses: Iterable[str]) -> dict[str, int]:
    """The articles that stand at some addresses now; former ones give way."""
    wanted = list(addresses)
    here: Select[str, int] = select(Article.url, Article.id).where(Article.site_id == site_id)
    found = session.execute(here.where(Article.url.in_(wanted)))
    return dict(found.all())
