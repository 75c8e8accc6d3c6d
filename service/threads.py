"""A page of a thread as the public may see it.

Everything here is made of approved comments and of nameless placeholders for what holds them
together. The value types have no field for an address, and no query touches the authors' table.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, or_, select, tuple_
from sqlalchemy.orm import Session

from .models import Article, Comment
from .status import Kind, Status
from .text import mask_addresses

AnyRow = Row[*tuple[Any, ...]]

PUBLIC = (
    Comment.id,
    Comment.public_id,
    Comment.parent_id,
    Comment.root_id,
    Comment.name,
    Comment.website,
    Comment.html,
    Comment.status,
    Comment.kind,
    Comment.created_at,
    Comment.like_count,
)


@dataclass
class Shown:
    """A comment as readers see it; `is_gone` ones are only a place that holds replies together."""

    id: str
    name: str
    website: str
    html: str
    created_at: datetime
    kind: Kind
    is_gone: bool = False
    likes: int = 0
    answers: str = ""  # whom it answers, where the page does not show it by nesting
    replies: list["Shown"] = field(default_factory=list)


@dataclass(frozen=True)
class Thread:
    """One page of an article's comments, oldest first."""

    count: int  # approved comments in all
    version: int
    comments: list[Shown]
    earlier: str | None  # what `after` opens the page before; "" for the first one
    later: str | None  # … and the page behind


EMPTY = Thread(0, 0, [], None, None)


def visible() -> ColumnElement[bool]:
    """A top-level comment is on the page if it is approved or holds an approved reply."""
    return or_(Comment.status == Status.APPROVED, Comment.approved_below > 0)


def page(
    session: Session, article: Article, size: int, depth: int, after: str = "", at: str = ""
) -> Thread:
    """A page of `size` top-level comments with what hangs under them.

    Takes the public id of a top-level comment to begin behind (`after`) or of any comment that
    the page has to hold (`at`); an id that is not shown here gives the first page. Replies nest
    `depth` deep; deeper ones stay attached, shown flat.
    """
    start = _place(session, article, after)
    if at and (target := _place(session, article, at)):
        start = _start_of(session, article, target, size)
    roots = session.execute(_roots(article, start).limit(size + 1)).all()
    shown = roots[:size]
    below = session.execute(
        select(*PUBLIC)
        .where(Comment.root_id.in_([root.id for root in shown]))
        .order_by(Comment.created_at, Comment.id)
    )
    return Thread(
        count=article.approved_count,
        version=article.version,
        comments=_nest(shown, below.all(), depth),
        earlier=_earlier(session, article, start, size),
        later=shown[-1].public_id if len(roots) > size else None,
    )


def find(shown: Sequence[Shown], public_id: str) -> Shown | None:
    """A comment on the page by its public id."""
    waiting = list(shown) if public_id else []
    while waiting:
        comment = waiting.pop()
        if comment.id == public_id and not comment.is_gone:
            return comment
        waiting.extend(comment.replies)
    return None


def count(session: Session, site_id: int, url: str) -> int:
    """How many comments readers see under an article; 0 for one nobody has commented on."""
    found = select(Article.approved_count).where(Article.site_id == site_id, Article.url == url)
    return session.scalar(found) or 0


def _roots(article: Article, start: tuple[datetime, int] | None) -> Select[*tuple[Any, ...]]:
    roots = select(*PUBLIC).where(
        Comment.article_id == article.id, Comment.parent_id.is_(None), visible()
    )
    if start:
        roots = roots.where(tuple_(Comment.created_at, Comment.id) > start)
    return roots.order_by(Comment.created_at, Comment.id)


def _place(session: Session, article: Article, public_id: str) -> tuple[datetime, int] | None:
    """Where a comment's top-level ancestor stands in the article's order."""
    if not public_id:
        return None
    found = session.execute(
        select(Comment.id, Comment.root_id).where(
            Comment.public_id == public_id, Comment.article_id == article.id
        )
    ).first()
    if found is None:
        return None
    root = select(Comment.created_at, Comment.id).where(Comment.id == (found.root_id or found.id))
    row = session.execute(root).one()
    return row.created_at, row.id


def _before(article: Article, place: tuple[datetime, int]) -> Select[*tuple[Any, ...]]:
    """Top-level comments before a place, nearest first."""
    return (
        select(Comment.created_at, Comment.id, Comment.public_id)
        .where(Comment.article_id == article.id, Comment.parent_id.is_(None), visible())
        .where(tuple_(Comment.created_at, Comment.id) < place)
        .order_by(Comment.created_at.desc(), Comment.id.desc())
    )


def _start_of(
    session: Session, article: Article, target: tuple[datetime, int], size: int
) -> tuple[datetime, int] | None:
    """Where to begin so that the target is on the page with some of what came before it."""
    before = session.execute(_before(article, target).limit(size // 2 + 1)).all()
    return (before[-1].created_at, before[-1].id) if len(before) > size // 2 else None


def _earlier(
    session: Session, article: Article, start: tuple[datetime, int] | None, size: int
) -> str | None:
    if start is None:
        return None
    # The page before ends with the comment at `start`, and begins behind the one `size` before it.
    before = session.execute(_before(article, start).limit(size)).all()
    return before[-1].public_id if len(before) == size else ""


def _nest(roots: Sequence[AnyRow], below: Sequence[AnyRow], depth: int) -> list[Shown]:
    """Hangs replies under what they answer; walks without recursion, since imports nest any depth."""
    replies: dict[int, list[AnyRow]] = defaultdict(list)
    for row in below:
        replies[row.parent_id].append(row)
    order: list[tuple[AnyRow, int]] = []  # parents before their replies, as they are read
    waiting = [(row, 0) for row in reversed(roots)]
    while waiting:
        row, level = waiting.pop()
        order.append((row, level))
        waiting.extend((reply, level + 1) for reply in reversed(replies[row.id]))
    return _hang(order, _needed(order), depth)


def _needed(order: list[tuple[AnyRow, int]]) -> set[int]:
    """Approved comments, and whatever leads to one."""
    needed: set[int] = set()
    for row, _ in reversed(order):
        if row.status == Status.APPROVED or row.id in needed:
            needed |= {row.id, row.parent_id}
    return needed


def _hang(order: list[tuple[AnyRow, int]], needed: set[int], depth: int) -> list[Shown]:
    top: list[Shown] = []
    shown: dict[int, Shown] = {}
    lists: dict[int, list[Shown]] = {}  # where a comment's replies go
    for row, level in order:
        if row.id not in needed:
            continue
        comment = shown[row.id] = _shown(row)
        siblings = lists[row.parent_id] if level else top
        siblings.append(comment)
        if level > depth:  # too deep to indent: it stands beside what it answers, and says so
            comment.answers = shown[row.parent_id].name
        lists[row.id] = comment.replies if level < depth else siblings
    return top


def _shown(row: AnyRow) -> Shown:
    """A comment's public face; nothing of one that is not approved but its place."""
    if row.status != Status.APPROVED:
        return Shown(row.public_id, "", "", "", row.created_at, row.kind, is_gone=True)
    name = mask_addresses(row.name)  # imports bring addresses in the place of names
    return Shown(
        row.public_id, name, row.website, row.html, row.created_at, row.kind, likes=row.like_count
    )
