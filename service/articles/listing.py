"""The articles of a site, a page at a time; found by words of their titles or addresses."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from .. import urls
from ..aliases import article_at
from ..models import Article, ArticleAlias, Comment
from ..status import Status
from .changing import BY_NUMBER

PAGE = 50
LONGEST = 200  # characters of what can be searched for
UNAPPROVED = tuple(status for status in Status if status != Status.APPROVED)


@dataclass(frozen=True)
class Order:
    """A walk along an index of a site's articles."""

    by: InstrumentedAttribute[Any]
    index: str
    is_descending: bool = True


ORDERS = {
    "last": Order(Article.last_at, "ix_articles_last"),
    "count": Order(Article.approved_count, "ix_articles_count"),
    "url": Order(Article.url, "", is_descending=False),
}


@dataclass(frozen=True)
class Row:
    """An article with what the list says of it."""

    article: Article
    pending: int
    others: int  # that readers do not see either: rejected, spam, deleted

    @property
    def every(self) -> int:
        return self.article.approved_count + self.pending + self.others


@dataclass(frozen=True)
class Rows:
    """A page of the list, and the article behind which the next one begins, if there is one."""

    rows: Sequence[Row]
    later: int | None
    by_address: Article | None = None  # where what was searched for is an article's address


def page(
    session: Session,
    site_id: int,
    sought: str = "",
    sort: str = "last",
    after: int | None = None,
    size: int = PAGE,
) -> Rows:
    """A page of a site's articles behind one of them. Takes words of a title or of an address, or a
    whole address, present or former."""
    order, dialect = ORDERS[sort], session.get_bind().dialect.name
    wanted = select(Article).where(Article.site_id == site_id, *_holding(dialect, sought))
    if sought:  # each is looked at: faster in the order in which they lie than in any other
        wanted = wanted.with_hint(Article, "NOT INDEXED", "sqlite")
    elif order.index:
        wanted = wanted.with_hint(Article, f"INDEXED BY {order.index}", "sqlite")
    ways = (order.by, Article.id)
    ordered = wanted.order_by(*(way.desc() if order.is_descending else way for way in ways))
    begin = session.get(Article, after) if after else None
    if begin is not None and begin.site_id == site_id:
        ordered = ordered.where(_behind(order, begin))
    found = session.scalars(ordered.limit(size + 1)).all()
    shown = found[:size]
    exact = _by_address(session, site_id, sought) if after is None else None
    rows = _rows(session, shown)
    return Rows(rows, shown[-1].id if len(found) > size else None, exact)


def counts(session: Session, article: Article) -> dict[Status, int]:
    """How many comments an article has of each status, exactly."""
    each = select(Comment.status, func.count()).where(Comment.article_id == article.id)
    return dict(session.execute(each.group_by(Comment.status)).all())


def aliases(session: Session, article: Article) -> Sequence[str]:
    """The former addresses that lead to an article, newest first."""
    led = select(ArticleAlias.url).where(
        ArticleAlias.article_id == article.id, ArticleAlias.url.not_like(f"{BY_NUMBER}%")
    )
    return session.scalars(led.order_by(ArticleAlias.id.desc()).limit(PAGE)).all()


def coming(session: Session, article: Article) -> int:
    """How many comments of others are on their way to an article that these become part of."""
    here = select(Article.id).where(Article.merges_into_id == article.id)
    numbers = select(func.count()).where(Comment.article_id.in_(here))
    return session.scalar(numbers) or 0


def _holding(dialect: str, sought: str) -> list[ColumnElement[bool]]:
    """Each word stands in the title, or in the address as it is written or read."""
    conditions: list[ColumnElement[bool]] = []
    for word in sought[:LONGEST].split():
        # SQLite's LIKE knows capitals of plain letters, and of no others.
        ways = {word} if word.isascii() else {word, word.lower(), word.capitalize()}
        wanted = [(Article.title, way) for way in ways] + [(Article.url, urls.spell(word))]
        conditions.append(or_(*(_has(dialect, *each) for each in wanted)))
    return conditions


def _has(dialect: str, where: InstrumentedAttribute[str], word: str) -> ColumnElement[bool]:
    pattern = "%" + re.sub(r"([\\%_])", r"\\\1", word) + "%"
    if dialect == "sqlite":
        return where.like(pattern, escape="\\")
    return where.ilike(pattern, escape="\\")


def _behind(order: Order, begin: Article) -> ColumnElement[bool]:
    value, by = getattr(begin, order.by.key), order.by.expression
    if order.is_descending:
        return and_(by <= value, or_(by < value, Article.id < begin.id))
    return and_(by > value)


def _by_address(session: Session, site_id: int, sought: str) -> Article | None:
    try:
        address = urls.canonical(sought)
    except urls.NotAnAddress:
        return None
    number = article_at(session, site_id, [address]).get(address)
    return session.get(Article, number) if number else None


def _rows(session: Session, shown: Sequence[Article]) -> list[Row]:
    """What readers see is counted by the articles themselves; the rest, here, along an index."""
    each = select(Comment.article_id, Comment.status, func.count())
    each = each.where(
        Comment.article_id.in_([one.id for one in shown]), Comment.status.in_(UNAPPROVED)
    )
    found = session.execute(each.group_by(Comment.article_id, Comment.status))
    numbers = {(article_id, status): number for article_id, status, number in found}
    return [
        Row(
            one,
            numbers.get((one.id, Status.PENDING), 0),
            sum(numbers.get((one.id, s), 0) for s in UNAPPROVED if s != Status.PENDING),
        )
        for one in shown
    ]
