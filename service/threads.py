"""A page of a thread as the public may see it, and what feeds tell of it.

Everything here is made of approved comments and of nameless placeholders for what holds them
together. The value types have no field for an address, and no query touches the authors' table.
Every query is bounded by the size of the page, never by that of the thread.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, literal, or_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from . import urls
from .aliases import article_at
from .models import Article, Comment, Decision
from .moderation import MOST_PINNED
from .status import Kind, Mark, Status
from .text import mask_addresses

AnyRow = Row[*tuple[Any, ...]]
AnySelect = Select[*tuple[Any, ...]]
Place = tuple[Any, int]  # where a comment stands in an order

PLACED = (
    Comment.id,
    Comment.public_id,
    Comment.parent_id,
    Comment.root_id,
    Comment.status,
    Comment.created_at,
    Comment.like_count,
    Comment.approved_below,
)
PUBLIC = (
    *PLACED,
    Comment.name,
    Comment.website,
    Comment.html,
    Comment.kind,
    Comment.mark,
    Comment.edited_at,
    Comment.is_reworded,
    Comment.pinned_at,
)
LOOKED_AT = 2_000  # of a site's newest comments, for the articles that they are under
HIGHEST = 8  # so many placeholders on top of each other are looked for; no site indents deeper


@dataclass(frozen=True)
class Order:
    """A walk along an index of comments, up or down."""

    by: InstrumentedAttribute[Any]
    is_descending: bool = False

    def place(self, row: AnyRow | None) -> Place | None:
        return None if row is None else (getattr(row, self.by.key), row.id)

    def walk(self, found: AnySelect, back: bool = False) -> AnySelect:
        """Sorts what is found; or the other way round."""
        is_down = self.is_descending != back
        return found.order_by(*(c.desc() if is_down else c.asc() for c in (self.by, Comment.id)))

    def take(
        self,
        session: Session,
        found: AnySelect,
        size: int,
        place: Place | None = None,
        back: bool = False,
    ) -> list[AnyRow]:
        """So many of what is found, from behind a place on; or from before it, nearest first."""
        walk = self.walk(found, back)
        if place is None:
            return list(session.execute(walk.limit(size)))
        is_down, (value, id) = self.is_descending != back, place
        # Equals first, by themselves: SQLite compares pairs by their first part along an index,
        # and then reads every comment that nobody likes.
        equals = walk.where(self.by == value, Comment.id < id if is_down else Comment.id > id)
        rows = list(session.execute(equals.limit(size)))
        if len(rows) < size:
            others = walk.where(self.by < value if is_down else self.by > value)
            rows += session.execute(others.limit(size - len(rows)))
        return rows


OLDEST = Order(Comment.created_at)  # that of replies under a top-level comment, always
ORDERS = {
    "oldest": OLDEST,
    "newest": Order(Comment.created_at, is_descending=True),
    "liked": Order(Comment.like_count, is_descending=True),
}


@dataclass(frozen=True)
class Shape:
    """How a thread is laid out: its order, and how much of it stands on one page."""

    sort: str = "oldest"
    size: int = 50  # top-level comments
    replies: int = 20  # under each of them
    depth: int = 4  # of the indent; deeper replies stay attached, shown flat


@dataclass
class Shown:
    """A comment as readers see it; `is_gone` ones are only a place that holds replies together."""

    id: str
    name: str
    website: str
    html: str
    created_at: datetime
    kind: Kind
    mark: Mark = Mark.NONE
    edited_at: datetime | None = None
    is_reworded: bool = False  # a moderator changed the words
    is_pinned: bool = False
    like_count: int = 0
    is_gone: bool = False
    answers: "Shown | None" = None  # whom, where the page does not show it by nesting
    replies: list["Shown"] = field(default_factory=list)
    # Of a top-level comment: how many replies the next page has, and what `after` opens it …
    more: int = 0
    last: str = ""
    earlier: str | None = None  # … and the page before; "" for the first one


@dataclass(frozen=True)
class Thread:
    """One page of an article's comments; or, with `under`, of one comment's replies."""

    count: int  # approved comments in all
    version: int
    comments: list[Shown]
    earlier: str | None  # what `after` opens the page before; "" for the first one
    later: str | None  # … and the page behind
    under: str = ""

    @property
    def shown(self) -> int:
        """How many comments the page has that others have not: without the one they are under."""
        return sum(not comment.is_gone for comment in every(self.comments)) - bool(self.under)


EMPTY = Thread(0, 0, [], None, None)


@dataclass(frozen=True)
class Window:
    """The part of a top-level comment's replies that is shown."""

    rows: list[AnyRow]
    more: int = 0
    earlier: str | None = None

    @property
    def is_first(self) -> bool:
        return self.earlier is None


@dataclass(frozen=True)
class Entry:
    """A comment as feeds tell it."""

    id: str
    name: str
    website: str
    html: str
    title: str  # of the article; "" while nobody has vouched for it
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Talk:
    """An article with comments, as a list of articles tells it."""

    url: str
    title: str  # "" while nobody has vouched for it
    count: int  # approved comments
    last_at: datetime  # when the last of them was written

    @property
    def readable_url(self) -> str:
        return urls.readable(self.url)


def visible() -> ColumnElement[bool]:
    """A top-level comment is on the page if it is approved or holds an approved reply."""
    return or_(Comment.status == Status.APPROVED, Comment.approved_below > 0)


def page(
    session: Session, article: Article, shape: Shape, after: str = "", at: str = "", under: str = ""
) -> Thread:
    """A page of top-level comments with the first replies to each.

    Takes the public id of a top-level comment to begin behind (`after`) or of any comment that
    the page has to hold (`at`). What moderators pinned stands above the others on the first page,
    and on no other. With the id of a top-level comment as `under` it is a page of the
    replies to that one, behind the reply `after`. An id that is not shown here gives the first
    page.
    """
    _, root = _locate(session, article, under)
    if root is not None and (root.status == Status.APPROVED or root.approved_below):
        start = _reply(session, root, after)
        window = _window(session, root, shape.replies, OLDEST.place(start))
        return _compose(session, article, shape, [root], {root.id: window}, under=root.public_id)
    order = ORDERS[shape.sort]
    target, root = _locate(session, article, at)
    pinned = _pinned(session, article)
    others = _roots(article).where(Comment.id.not_in([row.id for row in pinned]))
    if root is not None and root.id not in [row.id for row in pinned]:
        start_at = _start_of(session, others, order, root, shape.size)
    elif root is not None:
        start_at = None
    else:
        start_at = order.place(_locate(session, article, after)[1])
    roots = order.take(session, others, shape.size + 1, start_at)
    shown = roots[: shape.size]
    later = shown[-1].public_id if len(roots) > shape.size else None
    if start_at is None:
        shown = [*pinned, *shown]
    windows = _first_windows(session, shown, shape.replies)
    if target is not None and root is not None and target.id != root.id and root.id in windows:
        windows[root.id] = _window_at(session, root, shape.replies, target, windows[root.id])
    thread = _compose(
        session,
        article,
        shape,
        shown,
        windows,
        earlier=_earlier(session, others, order, start_at, shape.size),
        later=later,
    )
    for comment in thread.comments[: len(pinned) if start_at is None else 0]:
        comment.is_pinned = True
    return thread


def every(comments: Iterable[Shown]) -> Iterable[Shown]:
    """All comments of a page, however deep; in no order."""
    waiting = list(comments)
    while waiting:
        comment = waiting.pop()
        yield comment
        waiting.extend(comment.replies)


def find(shown: Sequence[Shown], public_id: str) -> Shown | None:
    """A comment on the page by its public id."""
    found = (c for c in every(shown) if c.id == public_id and not c.is_gone)
    return next(found, None) if public_id else None


def counts(session: Session, site_id: int, urls: Iterable[str]) -> dict[str, int]:
    """How many comments readers see under each of the articles at these addresses, present or
    former; an address that nobody has commented on is left out. A few hundred at most, in three
    queries."""
    numbers = article_at(session, site_id, urls)
    found = select(Article.id, Article.approved_count).where(Article.id.in_(numbers.values()))
    counted = dict(session.execute(found).all()) if numbers else {}
    return {url: counted.get(number, 0) for url, number in numbers.items()}


def newest(
    session: Session, site_id: int, article: Article | None = None, size: int = 50
) -> list[Entry]:
    """The newest comments of a site, or of an article, for its feed."""
    decided_at = (
        select(func.max(Decision.at))
        .where(Decision.comment_id == Comment.id, Decision.from_status != Decision.to_status)
        .correlate(Comment)
        .scalar_subquery()
    )
    within = Comment.article_id == article.id if article else Comment.site_id == site_id
    found = (
        select(*PUBLIC, Article.title, Article.is_title_proved, decided_at.label("decided_at"))
        .join(Article, Article.id == Comment.article_id)
        .where(within, Comment.status == Status.APPROVED)
    )
    rows = session.execute(ORDERS["newest"].walk(found).limit(size))
    return [_entry(row) for row in rows]


def talked_about(session: Session, site_id: int, size: int) -> list[Talk]:
    """The articles of a site whose comments came last, newest first."""
    newest = (
        select(Comment.article_id, Comment.created_at)
        .where(Comment.site_id == site_id, Comment.status == Status.APPROVED)
        .order_by(Comment.created_at.desc())
        .limit(LOOKED_AT)
        .subquery()
    )
    last_at = func.max(newest.c.created_at)
    last = select(newest.c.article_id, last_at.label("last_at")).group_by(newest.c.article_id)
    lately = last.order_by(last_at.desc()).limit(size).subquery()
    whole = (Article.url, Article.title, Article.is_title_proved, Article.approved_count)
    found = select(*whole, lately.c.last_at).join(lately, lately.c.article_id == Article.id)
    return [
        Talk(row.url, row.title if row.is_title_proved else "", row.approved_count, row.last_at)
        for row in session.execute(found.order_by(lately.c.last_at.desc(), Article.id.desc()))
    ]


def decided_at(session: Session) -> datetime | None:
    """When a moderator last changed anything: what a feed lacks since then leaves no other trace."""
    changes = select(Decision.at).where(Decision.from_status != Decision.to_status)
    return session.scalar(changes.order_by(Decision.id.desc()).limit(1))


# --- Top-level comments --------------------------------------------------------------------------


def _roots(article: Article) -> AnySelect:
    return select(*PUBLIC).where(
        Comment.article_id == article.id, Comment.parent_id.is_(None), visible()
    )


def _pinned(session: Session, article: Article) -> Sequence[AnyRow]:
    """The few that stand above the others, the newest pin first."""
    found = select(*PUBLIC).where(
        Comment.article_id == article.id,
        Comment.pinned_at.is_not(None),
        Comment.parent_id.is_(None),
        Comment.status == Status.APPROVED,
    )
    newest = found.order_by(Comment.pinned_at.desc(), Comment.id.desc())
    return session.execute(newest.limit(MOST_PINNED)).all()


def _locate(
    session: Session, article: Article, public_id: str
) -> tuple[AnyRow | None, AnyRow | None]:
    """A comment of the article, and the top-level one that it is or hangs under."""
    if not public_id:
        return None, None
    known = select(*PUBLIC).where(Comment.article_id == article.id)
    found = session.execute(known.where(Comment.public_id == public_id)).first()
    if found is None or found.root_id is None:
        return found, found
    # By its number alone: where two articles become one, the two may come there one after the other.
    first = select(*PUBLIC).where(Comment.id == found.root_id)
    return found, session.execute(first).one()


def _start_of(
    session: Session, others: AnySelect, order: Order, target: AnyRow, size: int
) -> Place | None:
    """Where to begin so that the target is on the page with some of what came before it."""
    before = others.with_only_columns(*PLACED)
    rows = order.take(session, before, size // 2 + 1, order.place(target), back=True)
    return order.place(rows[-1]) if len(rows) > size // 2 else None


def _earlier(
    session: Session, found: AnySelect, order: Order, start: Place | None, size: int
) -> str | None:
    """What `after` opens the page before the one that begins behind `start`."""
    if start is None:
        return None
    # The page before ends with the comment at `start`, and begins behind the one `size` before it.
    rows = order.take(session, found.with_only_columns(*PLACED), size, start, back=True)
    return rows[-1].public_id if len(rows) == size else ""


# --- Replies -------------------------------------------------------------------------------------


def _replies(root_id: int) -> AnySelect:
    """The approved ones; what is not approved and holds them together is fetched by `_above`."""
    return select(*PUBLIC).where(Comment.root_id == root_id, Comment.status == Status.APPROVED)


def _reply(session: Session, root: AnyRow, public_id: str) -> AnyRow | None:
    wanted = select(*PLACED).where(Comment.root_id == root.id, Comment.public_id == public_id)
    return session.execute(wanted).first() if public_id else None


def _first_windows(session: Session, roots: Sequence[AnyRow], size: int) -> dict[int, Window]:
    """The first replies under each top-level comment, in at most two queries."""
    few = [root.id for root in roots if 0 < root.approved_below <= size]
    many = [root.id for root in roots if root.approved_below > size]
    rows: list[AnyRow] = []
    if few:
        whole = Comment.root_id.in_(few), Comment.status == Status.APPROVED
        rows += session.execute(select(*PUBLIC).where(*whole)).all()
    if many:
        firsts = [
            OLDEST.walk(_replies(root_id).with_only_columns(Comment.id)).limit(size).subquery()
            for root_id in many
        ]
        ids = union_all(*(select(first.c.id) for first in firsts))
        rows += session.execute(select(*PUBLIC).where(Comment.id.in_(ids))).all()
    below: dict[int, list[AnyRow]] = defaultdict(list)
    # Sorted here: asked for this order, SQLite might walk another index, past all other threads.
    for row in sorted(rows, key=lambda row: (row.created_at, row.id)):
        below[row.root_id].append(row)
    return {
        root.id: Window(below[root.id], more=min(size, max(0, root.approved_below - size)))
        for root in roots
    }


def _window(session: Session, root: AnyRow, size: int, start: Place | None) -> Window:
    """The replies behind a place."""
    if start is None:
        return _first_windows(session, [root], size)[root.id]
    replies = _replies(root.id)
    rows = OLDEST.take(session, replies, 2 * size, start)
    # An empty page is behind the last one; it still leads back.
    earlier = _earlier(session, replies, OLDEST, start, size)
    return Window(rows[:size], more=len(rows[size:]), earlier=earlier)


def _window_at(session: Session, root: AnyRow, size: int, target: AnyRow, first: Window) -> Window:
    """The replies around one that the first of them do not hold."""
    if target.status != Status.APPROVED or any(row.id == target.id for row in first.rows):
        return first
    before = _replies(root.id).with_only_columns(*PLACED)
    rows = OLDEST.take(session, before, size // 2 + 1, OLDEST.place(target), back=True)
    return _window(session, root, size, OLDEST.place(rows[-1] if rows else None))


def _above(session: Session, rows: Sequence[AnyRow], height: int) -> dict[int, AnyRow]:
    """What these replies answer and the page lacks: places of what is gone, so many on top of each
    other, up to the first comment that is shown somewhere."""
    missing = {row.parent_id for row in rows} - {row.id for row in rows} - {None}
    if not missing:
        return {}
    above = (
        select(Comment.id, Comment.parent_id, Comment.status, literal(1).label("height"))
        .where(Comment.id.in_(missing))
        .cte(recursive=True)
    )
    higher = aliased(Comment)
    above = above.union(
        select(higher.id, higher.parent_id, higher.status, above.c.height + 1)
        .join(above, higher.id == above.c.parent_id)
        .where(above.c.status != Status.APPROVED, above.c.height < height)
    )
    found = session.execute(select(*PUBLIC).where(Comment.id.in_(select(above.c.id))))
    return {row.id: row for row in found}


# --- A page, put together ------------------------------------------------------------------------


def _compose(
    session: Session,
    article: Article,
    shape: Shape,
    roots: Sequence[AnyRow],
    windows: dict[int, Window],
    *,
    earlier: str | None = None,
    later: str | None = None,
    under: str = "",
) -> Thread:
    # What came before a later window is known to the reader: there no place is held again, and
    # replies say whom they answer.
    first = [*roots, *(row for w in windows.values() if w.is_first for row in w.rows)]
    rest = [*roots, *(row for w in windows.values() if not w.is_first for row in w.rows)]
    held = _above(session, first, HIGHEST)
    places = [row for row in held.values() if row.status != Status.APPROVED]
    known = held | _above(session, rest, 1)
    comments = _nest(
        roots, [*first[len(roots) :], *places, *rest[len(roots) :]], known, shape.depth
    )
    for root, shown in zip(roots, comments, strict=True):
        window = windows[root.id]
        shown.more, shown.earlier = window.more, window.earlier
        shown.last = window.rows[-1].public_id if window.rows else ""
    return Thread(article.approved_count, article.version, comments, earlier, later, under)


def _nest(
    roots: Sequence[AnyRow], below: Sequence[AnyRow], known: dict[int, AnyRow], depth: int
) -> list[Shown]:
    """Hangs replies under what they answer, or flat under the top-level comment if the page lacks
    that; walks without recursion, since imports nest any depth."""
    present = {row.id for row in (*roots, *below)}
    replies: dict[int, list[AnyRow]] = defaultdict(list)
    for row in sorted(below, key=lambda row: (row.created_at, row.id)):
        replies[row.parent_id if row.parent_id in present else row.root_id].append(row)
    order: list[tuple[AnyRow, int]] = []  # parents before their replies, as they are read
    waiting = [(row, 0) for row in reversed(roots)]
    while waiting:
        row, level = waiting.pop()
        order.append((row, level))
        waiting.extend((reply, level + 1) for reply in reversed(replies[row.id]))
    return _hang(order, known, depth)


def _hang(order: list[tuple[AnyRow, int]], known: dict[int, AnyRow], depth: int) -> list[Shown]:
    top: list[Shown] = []
    shown: dict[int, Shown] = {}
    lists: dict[int, list[Shown]] = {}  # where a comment's replies go
    for row, level in order:
        comment = shown[row.id] = _shown(row)
        is_lonely = level > 0 and row.parent_id not in shown
        siblings = lists[row.root_id if is_lonely else row.parent_id] if level else top
        siblings.append(comment)
        if is_lonely and row.parent_id in known:
            comment.answers = _shown(known[row.parent_id])
        elif level > depth:  # too deep to indent: it stands beside what it answers, and says so
            comment.answers = shown[row.parent_id]
        lists[row.id] = comment.replies if level < depth else siblings
    return top


def _shown(row: AnyRow) -> Shown:
    """A comment's public face; nothing of one that is not approved but its place."""
    if row.status != Status.APPROVED:
        return Shown(row.public_id, "", "", "", row.created_at, row.kind, is_gone=True)
    return Shown(
        id=row.public_id,
        name=mask_addresses(row.name),  # imports bring addresses in the place of names
        website=row.website,
        html=row.html,
        created_at=row.created_at,
        kind=row.kind,
        mark=row.mark,
        edited_at=row.edited_at,
        is_reworded=row.is_reworded,
        like_count=row.like_count,
    )


def _entry(row: AnyRow) -> Entry:
    changed = [at for at in (row.created_at, row.edited_at, row.decided_at) if at]
    return Entry(
        id=row.public_id,
        name=mask_addresses(row.name),
        website=row.website,
        html=row.html,
        title=row.title if row.is_title_proved else "",
        created_at=row.created_at,
        updated_at=max(changed),
    )
