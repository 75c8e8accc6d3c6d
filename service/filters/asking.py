"""A filter put to the database: what matches, and in which order.

Orders without an index of their own sort the newest WINDOW matches, and `Found.among` says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    func,
    literal_column,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.orm import Session

from .. import folds, search, urls
from ..accounts import Moderator, within_reach
from ..models import Article, ArticleAlias, Comment, Decision, Reason, Report, Site
from ..rules import LIKELY_SPAM
from ..status import Act, ReportReason, Status
from .words import EVERY, REPORTED, Words

WINDOW = 1_000  # matches that are sorted where no index gives the order
LOOKED_AT = 20_000  # matches, or comments, that one search looks at
NEWEST = 200  # matches of words that are put in the order of their time; more, in that of arrival
ASKED = 500  # comments that the index is asked about one by one: 20 µs for each word or more
FEW = 2_000  # so many that another table names are looked up one by one
ARTICLES = 50  # that a search for words of a title takes

# Who decided a comment last: by these acts. Held, edited or looked at is not decided.
DECIDING = (Act.DECIDED, Act.UNDONE, Act.DISCARDED, Act.KEPT)

# What SQLite, which has no statistics to choose by, is told to walk along.
BY_ARTICLE = "INDEXED BY ix_comments_feed"
BY_RISK = "INDEXED BY ix_comments_risk"
BY_SITE_RISK = "INDEXED BY ix_comments_site_risk"
BY_REPORTS = "INDEXED BY ix_comments_report_count"
BY_TIME = "INDEXED BY ix_comments_queue"
BY_ITSELF = "NOT INDEXED"  # by the comments' ids
BY_HEADS, BY_SITE_HEADS = "INDEXED BY ix_comments_heads", "INDEXED BY ix_comments_site_heads"

EMPTY: ColumnElement[str] = literal_column("''")  # written out, as partial indexes want it
COLUMNS = (
    Comment.id,
    Comment.created_at,
    Comment.reported_at,
    Comment.report_count,
    Comment.risk,
)


class Place(NamedTuple):
    """Where a comment stands in the lists: all that they are sorted by."""

    id: int
    created_at: datetime
    reported_at: datetime | None
    report_count: int
    risk: int


@dataclass(frozen=True)
class Found:
    """A page of what a filter finds."""

    ids: list[int]
    has_more: bool
    among: int = 0  # only so many of the newest were looked through; 0 for all


class _List(NamedTuple):
    """One list: its condition, and the index that holds just this list, if it is a short one."""

    condition: ColumnElement[bool]
    hint: str


class _Newest(NamedTuple):
    """The newest matches of a list: all there are, or so many, or those among so many."""

    places: list[Place]
    is_all: bool
    among: int = 0


class Asking:
    """A filter that is put to a database by somebody."""

    def __init__(self, asked: Words, session: Session, moderator: Moderator) -> None:
        self.asked = asked
        self.session = session
        self.dialect = session.get_bind().dialect.name
        self.name = search.read(asked.name)
        self.text = search.read(asked.text)
        self.has_words = bool(self.name.words or self.text.words)
        self.letters = [
            *search.holding(self.name, Comment.name),
            *search.holding(self.text, Comment.text),
        ]
        self.hint = ""  # which index drives
        self.is_shut_out = not moderator.memberships
        sites = [membership.site_id for membership in moderator.memberships]
        self.is_of_one = bool(asked.site) or (len(sites) == 1 and sites[0] is not None)
        self.reach = self._reach(moderator)
        self.conditions = [*self.reach, *self._columns(), *self._elsewhere()]

    # What matches

    def _reach(self, moderator: Moderator) -> list[ColumnElement[bool]]:
        conditions = [within_reach(moderator, Comment.site_id)]
        if self.asked.site:
            key = select(Site.id).where(Site.key == self.asked.site).scalar_subquery()
            conditions.append(Comment.site_id == key)
        return conditions

    def _columns(self) -> list[ColumnElement[bool]]:
        """What a comment's own row tells."""
        asked = self.asked
        wanted: list[ColumnElement[bool]] = []
        if asked.article:
            wanted.append(Comment.article_id.in_(self._articles()))
            self.hint = BY_ARTICLE if asked.status != REPORTED else ""
        if asked.network:
            wanted += [Comment.network == asked.network, Comment.network != EMPTY]
            self.hint = "INDEXED BY ix_comments_network"
        if asked.website:
            wanted += [Comment.website_domain == asked.website, Comment.website_domain != EMPTY]
            self.hint = "INDEXED BY ix_comments_website"
        if asked.author_ids:
            wanted.append(Comment.author_id.in_(asked.author_ids))
            self.hint = "INDEXED BY ix_comments_author"
        if asked.language:
            within = func.lower(Comment.language).like(f"{asked.language.lower()}-%")
            wanted.append(or_(func.lower(Comment.language) == asked.language.lower(), within))
        if asked.since:
            wanted.append(Comment.created_at >= _midnight(asked.since))
        if asked.until:
            wanted.append(Comment.created_at < _midnight(asked.until) + timedelta(days=1))
        if asked.has_links:
            wanted.append(Comment.link_count > 0)
        if asked.is_first:
            wanted.append(Comment.is_first.is_(True))
        if asked.is_likely_spam:
            wanted.append(Comment.risk >= LIKELY_SPAM)
        return wanted

    def _elsewhere(self) -> list[ColumnElement[bool]]:
        """What other tables tell."""
        asked = self.asked
        wanted: list[ColumnElement[bool]] = []
        if asked.reason:
            ids = select(Report.comment_id).where(Report.reason == ReportReason(asked.reason))
            of_it = ids.where(Report.comment_id == Comment.id).correlate(Comment).exists()
            wanted.append(self._by_few(ids, of_it))
        if asked.rule:
            ids = select(Reason.comment_id).where(Reason.rule == asked.rule)
            of_it = ids.where(Reason.comment_id == Comment.id).correlate(Comment).exists()
            wanted.append(self._by_few(ids, of_it))
        if asked.moderator is not None:
            deciding = Decision.act.in_(DECIDING)
            ids = select(Decision.comment_id).where(
                deciding, Decision.moderator_id == asked.moderator
            )
            last = (
                select(Decision.moderator_id)
                .where(deciding, Decision.comment_id == Comment.id)
                .order_by(Decision.id.desc())
                .limit(1)
                .correlate(Comment)
                .scalar_subquery()
            )
            is_last = last == asked.moderator
            wanted.append(and_(self._by_few(ids, is_last), is_last))
        return wanted

    def _by_few(self, ids: Select[int], condition: ColumnElement[bool]) -> ColumnElement[bool]:
        """A condition on each comment, or, where few fulfil it, those few first."""
        if self._count(ids, FEW) > FEW:
            return condition
        self.hint = self.hint or BY_ITSELF
        return Comment.id.in_(ids)

    def _articles(self) -> Sequence[int]:
        """By address or the publisher's id, else by words of a title that somebody vouched for."""
        typed = self.asked.article
        try:
            url = urls.canonical(typed)
        except urls.NotAnAddress:
            url = typed
        was_there = select(ArticleAlias.article_id).where(ArticleAlias.url == url)
        known = or_(Article.url == url, Article.given_id == typed, Article.id.in_(was_there))
        exact = select(Article.id).where(known)
        if found := self.session.scalars(exact.limit(ARTICLES)).all():
            return found
        title = func.lower(Article.title).like(f"%{search.pattern(typed)}%", escape="\\")
        newest = (
            select(Article.id).where(Article.is_title_proved, title).order_by(Article.id.desc())
        )
        return self.session.scalars(newest.limit(ARTICLES)).all()

    def _lists(self, with_edits: bool = True) -> list[_List]:
        """Lists of which a comment stands in one at most: each by an index of its own, for an "or"
        between them would sort all of both."""
        if self.asked.status == EVERY:
            return [_List(true(), "")]
        if self.asked.status == REPORTED:
            return [_List(Comment.reported_at.is_not(None), "INDEXED BY ix_comments_reported_at")]
        # Written out: a partial index is for a word, not for whatever a parameter holds.
        lists = [_List(_is(Status(self.asked.status)), "")]
        if with_edits and self.asked.status == Status.PENDING:
            waits = and_(Comment.edit_at.is_not(None), _is(Status.APPROVED))
            lists.append(_List(waits, "INDEXED BY ix_comments_edit_at"))
        return lists

    # Asking

    def _count(self, query: Select[Any], most: int) -> int:
        some = query.limit(most + 1).subquery()
        return self.session.scalar(select(func.count()).select_from(some)) or 0

    def _rows(self, wanted: _List, *columns: Any, hint: str = "") -> Select[Any]:
        """What of a list fulfils the conditions of the rows alone, whatever the words and letters.
        Takes the index that gives the order, if no other narrows it down more."""
        query = select(*columns).where(*self.conditions, wanted.condition)
        hint = self.hint or hint or wanted.hint
        return query.with_hint(Comment, hint, "sqlite") if hint else query

    def _matches(self, wanted: _List, *columns: Any, hint: str = "") -> Select[Any]:
        """All of a list that match, in no order."""
        if not self.has_words:
            return self._rows(wanted, *columns, hint=hint).where(*self.letters)
        query = select(*columns).select_from(search.joined(self.dialect))
        query = query.with_hint(Comment, BY_ITSELF, "sqlite").where(wanted.condition)
        return query.where(self._words(), *self.conditions, *self.letters)

    def _words(self) -> ColumnElement[bool]:
        return search.matching(self.dialect, self.name.words, self.text.words)

    @property
    def _number(self) -> ColumnElement[int]:
        """The comment's id, in the table that is walked."""
        return search.number(self.dialect) if self.has_words else cast(Any, Comment.id)

    def count(self, most: int, with_edits: bool) -> int:
        if self.is_shut_out:
            return 0
        is_risky = self.asked.is_likely_spam and self.asked.status == Status.PENDING
        first, *more = self._lists(with_edits)
        queries = [self._matches(first, Comment.id, hint=self._by_risk if is_risky else "")]
        queries += [self._matches(one, Comment.id) for one in more]
        return min(sum(self._count(query, most) for query in queries), most + 1)

    def walk(self, after_id: int, size: int) -> Sequence[Row[int, int, Status]]:
        if self.is_shut_out:
            return []
        [wanted] = self._lists(with_edits=False)
        if not self.has_words and not self.hint:
            # Along the table where much of it is in the list, else out of the list's own index.
            whole = select(Comment.id).where(*self.reach, wanted.condition)
            self.hint = BY_ITSELF if self._count(whole, LOOKED_AT) > LOOKED_AT else ""
        query = self._matches(wanted, Comment.id, Comment.version, Comment.status)
        query = query.where(self._number > after_id).order_by(self._number)
        return self.session.execute(query.limit(size)).all()

    def page(self, after: Place | None, size: int) -> Found:
        if self.is_shut_out:
            return Found([], False)
        if self._has_order():
            places = [p for one in self._lists() for p in self._in_order(one, after, size + 1)]
            return self._cut(places, after, size)
        window = NEWEST if self.asked.sort == "newest" and self.has_words else WINDOW
        found = [self._newest(one, None, window + 1) for one in self._lists()]
        places = [place for some in found for place in some.places]
        among = max(some.among for some in found)
        if all(some.is_all for some in found) or among:
            return self._cut(places, after, size, among)
        if self.asked.sort == "newest" and not (self.letters and not self.has_words):
            return self._last_come(after, size)
        places = sorted(places, reverse=True)[:window]
        return self._cut(places, after, size, window)

    def _cut(
        self, places: Sequence[Place], after: Place | None, size: int, among: int = 0
    ) -> Found:
        """The page of these that follows a place."""
        start = self._key(after) if after else ()
        ordered = sorted((self._key(place), place.id) for place in places)
        ids = [id for key, id in ordered if key > start]
        return Found(ids[:size], len(ids) > size, among)

    def _key(self, place: Place) -> tuple[float, ...]:
        """What the lists are sorted by, here and, by `_in_order`, in the database."""
        at = place.created_at
        if self.asked.status == REPORTED and place.reported_at:
            at = place.reported_at
        if self.asked.sort == "riskiest":
            return (-place.risk, -place.id)
        if self.asked.sort == "reported" and place.report_count:
            return (0, -place.report_count, -place.id)
        if self.asked.sort == "reported":
            return (1, at.timestamp(), place.id)
        sign = -1 if self.asked.sort == "newest" else 1
        return (sign * at.timestamp(), sign * place.id)

    # Where an index gives the order

    def _has_order(self) -> bool:
        """Whether the lists can be walked as they are sorted."""
        if self.has_words or self.letters or self.hint not in ("", BY_ARTICLE):
            return False
        is_small = self.asked.status in (Status.PENDING, REPORTED)
        return self.asked.sort != "riskiest" or is_small

    def _in_order(self, wanted: _List, after: Place | None, most: int) -> list[Place]:
        order: tuple[Any, Any] = (self._moment, Comment.id)
        # Of one site by the site's index, of several by the one over all: there no order is lost.
        is_long = not wanted.hint and self.asked.status != EVERY
        hint = BY_TIME if is_long and not self.is_of_one else ""
        has_folds = is_long and self.asked.has_folds()
        if has_folds:
            hint = BY_SITE_HEADS if self.is_of_one else BY_HEADS
        query = self._rows(wanted, *COLUMNS, hint=hint)
        if has_folds:
            query = query.where(folds.stands())
        match self.asked.sort:
            case "oldest":
                return self._walked(query, order, after, most)
            case "newest":
                return self._walked(query, order, after, most, is_down=True)
            case "riskiest":
                query = self._rows(wanted, *COLUMNS, hint=self._by_risk if is_long else "")
                return self._walked(query, (Comment.risk, Comment.id), after, most, is_down=True)
        # First what was reported, then the rest.
        count = (Comment.report_count, Comment.id)
        found: list[Place] = []
        if after is None or after.report_count:
            some = self._rows(wanted, *COLUMNS, hint=BY_REPORTS if is_long else "")
            some = some.where(Comment.report_count > literal_column("0"))
            found += self._walked(some, count, after, most, is_down=True)
            after = None
        rest = query.where(Comment.report_count == 0)
        return found + self._walked(rest, order, after, most - len(found))

    @property
    def _by_risk(self) -> str:
        return BY_SITE_RISK if self.is_of_one else BY_RISK

    @property
    def _moment(self) -> Any:
        return Comment.reported_at if self.asked.status == REPORTED else Comment.created_at

    def _walked(
        self,
        query: Select[Any],
        order: tuple[Any, Any],
        after: Place | None,
        most: int,
        is_down: bool = False,
    ) -> list[Place]:
        if after is not None:
            start = tuple(getattr(after, column.key) for column in order)
            place = tuple_(*order)
            query = query.where(place < start if is_down else place > start)
        query = query.order_by(*(column.desc() if is_down else column for column in order))
        return self._places(query.limit(most))

    def _places(self, query: Select[*tuple[Any, ...]]) -> list[Place]:
        return [Place(*row) for row in self.session.execute(query)]

    # Where none does

    def _newest(self, wanted: _List, below: int | None, most: int) -> _Newest:
        """The newest matches of a list."""
        if self.has_words:
            some = self._candidates(wanted) if below is None else None
            if some is not None:
                return _Newest(some, True)
            return self._hits(wanted, below, most)
        if self.letters:
            return self._through(wanted, most)
        query = self._rows(wanted, *COLUMNS)
        if self.hint in ("", BY_ARTICLE):
            order: Any = (self._moment.desc(), Comment.id.desc())
        else:
            order = (Comment.id.desc(),)
        if below is not None:
            query = query.where(Comment.id < below)
        return self._new(query.order_by(*order), most)

    def _new(self, query: Select[*tuple[Any, ...]], most: int, among: int = 0) -> _Newest:
        places = self._places(query.limit(most))
        is_all = len(places) < most
        return _Newest(places, is_all and not among, among if is_all else 0)

    def _last_come(self, after: Place | None, size: int) -> Found:
        """More than can be sorted: the one that came last comes first."""
        below = after.id if after else None
        found = [self._newest(one, below, size + 1) for one in self._lists()]
        ids = sorted((place.id for some in found for place in some.places), reverse=True)
        return Found(ids[:size], len(ids) > size, max(some.among for some in found))

    def _candidates(self, wanted: _List) -> list[Place] | None:
        """All matches, if the list is so short that its comments can be asked for one by one."""
        if self.hint:
            query = self._rows(wanted, Comment.id)
        else:
            query = select(Comment.id).where(*self.reach, wanted.condition)
            query = query.with_hint(Comment, wanted.hint, "sqlite") if wanted.hint else query
        ids = self.session.scalars(query.limit(ASKED + 1)).all()
        if len(ids) > ASKED:
            return None
        hits = self.session.scalars(
            select(self._number).where(self._words(), self._number.in_(ids))
        ).all()
        some = select(*COLUMNS).where(*self.conditions, *self.letters, wanted.condition)
        some = some.where(Comment.id.in_(hits)).with_hint(Comment, BY_ITSELF, "sqlite")
        return self._places(some) if hits else []

    def _hits(self, wanted: _List, below: int | None, most: int) -> _Newest:
        """Those of a list that hold the words, along the index from its new end."""
        number, among = self._number, 0
        limits = [] if below is None else [number < below]
        if self.dialect == "sqlite":  # PostgreSQL knows by its statistics where to begin
            floor = self.session.scalar(
                select(number)
                .where(self._words(), *limits)
                .order_by(number.desc())
                .offset(LOOKED_AT)
                .limit(1)
            )
            if floor is not None:
                limits.append(number > floor)
                among = LOOKED_AT
        query = self._matches(wanted, *COLUMNS).where(*limits)
        return self._new(query.order_by(number.desc()), most, among)

    def _through(self, wanted: _List, most: int) -> _Newest:
        """Those of a list that hold the letters, by a look at the newest of it."""
        order = Comment.id if self.hint not in ("", BY_ARTICLE) else self._moment
        newest = self._rows(wanted, Comment.id).order_by(order.desc())
        is_all = self._count(newest.order_by(None), LOOKED_AT) <= LOOKED_AT
        ids = newest.limit(LOOKED_AT).scalar_subquery()
        query = select(*COLUMNS).where(Comment.id.in_(ids), *self.letters)
        query = query.with_hint(Comment, BY_ITSELF, "sqlite").order_by(Comment.id.desc())
        return self._new(query, most, 0 if is_all else LOOKED_AT)


def _is(status: Status) -> ColumnElement[bool]:
    return Comment.status == literal_column(f"'{status.value}'")


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
