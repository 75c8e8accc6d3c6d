"""What readers see beside a comment, kept in step with it: counts, and versions of pages."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, Table, bindparam, case, func, or_, select, update
from sqlalchemy.orm import Session

from ..models import Article, Comment
from ..status import Status

_ARTICLES, _COMMENTS = cast(Table, Article.__table__), cast(Table, Comment.__table__)
_LAST_AT = _ARTICLES.c.last_at
MOST_PINNED = 3  # under one article: more of them would be an order of their own


def keep_count(session: Session, comment: Comment, change: int) -> None:
    """Keeps what readers see in step: the article's count and version, the thread's replies."""
    if not change:
        return
    proved = (
        case((Article.title == "", False), else_=True) if change > 0 else Article.is_title_proved
    )
    session.execute(
        update(Article)
        .where(_holds(comment))
        .values(
            approved_count=Article.approved_count + change,
            version=Article.version + 1,
            is_title_proved=proved,
        )
    )
    session.execute(
        update(Comment)
        .where(Comment.id == comment.root_id)
        .values(approved_below=Comment.approved_below + change)
    )


def count_new(session: Session, comment: Comment) -> None:
    """Counts a comment that was approved from the start."""
    session.flush()
    came(session, comment)
    keep_count(session, comment, 1)


def came(session: Session, comment: Comment) -> None:
    """Notes on its article when a new comment came, whatever becomes of it."""
    is_later = or_(Article.last_at.is_(None), Article.last_at < comment.created_at)
    later = update(Article).where(Article.id == comment.article_id, is_later)
    session.execute(later.values(last_at=comment.created_at))


def recount(session: Session, *article_ids: int) -> None:
    """Counts articles' approved comments anew, and looks for their newest ones, after an import has
    changed many at once."""
    # Whoever counts one more there has its row first, and waits. In the order in which everybody
    # takes several: two imports, or one and a move, would wait for each other.
    held = select(Article.id).where(Article.id.in_(article_ids)).order_by(Article.id)
    session.execute(held.with_for_update()).all()
    approved = (Comment.article_id.in_(article_ids), Comment.status == Status.APPROVED)
    below = select(Comment.root_id, func.count()).where(*approved, Comment.root_id.is_not(None))
    counts = _pairs(session, below.group_by(Comment.root_id))
    roots = (
        select(Comment.id, Comment.approved_below)
        .where(Comment.article_id.in_(article_ids), Comment.parent_id.is_(None))
        .with_hint(Comment, "INDEXED BY ix_comments_thread", "sqlite")
    )
    # Only what is wrong is written: the rows are large.
    wrong = [
        {"of": id, "count": counts.get(id, 0)}
        for id, count in session.execute(roots)
        if count != counts.get(id, 0)
    ]
    if wrong:
        put = update(_COMMENTS).where(_COMMENTS.c.id == bindparam("of"))
        session.execute(put.values(approved_below=bindparam("count")), wrong)
    of = select(Comment.article_id, func.count()).where(*approved).group_by(Comment.article_id)
    together = _pairs(session, of)
    newest = select(Comment.article_id, func.max(Comment.created_at))
    newest = newest.where(Comment.article_id.in_(article_ids)).group_by(Comment.article_id)
    last = _pairs(session, newest)
    told = update(_ARTICLES).where(_ARTICLES.c.id == bindparam("of"))
    told = told.values(
        approved_count=bindparam("count"),
        last_at=func.coalesce(bindparam("last", type_=_LAST_AT.type), _LAST_AT),
        version=_ARTICLES.c.version + 1,
    )
    found = [{"of": id, "count": together.get(id, 0), "last": last.get(id)} for id in article_ids]
    session.execute(told, found)


def _pairs(session: Session, rows: Select[Any, Any]) -> dict[Any, Any]:
    return {row[0]: row[1] for row in session.execute(rows)}


def limit_pins(session: Session, comment_ids: Collection[int]) -> None:
    """Of comments that readers see again, keeps pinned only as many as there are places left.

    Two at once under an article come one after the other.
    """
    came = (Comment.id.in_(comment_ids), Comment.pinned_at.is_not(None))
    pinned = select(Comment.id, Comment.article_id).where(*came)
    back: dict[int, list[int]] = defaultdict(list)
    for row in session.execute(pinned.order_by(Comment.pinned_at, Comment.id)):
        back[row.article_id].append(row.id)
    articles = select(Article.id).where(Article.id.in_(back)).order_by(Article.id)
    for article_id in session.scalars(articles.with_for_update()).all() if back else ():
        places = MOST_PINNED - count_pinned(session, article_id, back[article_id])
        surplus = Comment.id.in_(back[article_id][max(places, 0) :])
        session.execute(
            update(Comment)
            .where(surplus)
            .values(pinned_at=None)
            .execution_options(synchronize_session=False)
        )


def count_pinned(session: Session, article_id: int, without: Collection[int]) -> int:
    """How many stand above the others under an article, without some comments."""
    shown = (
        Comment.article_id == article_id,
        Comment.pinned_at.is_not(None),
        Comment.status == Status.APPROVED,
        Comment.id.not_in(without),
    )
    return session.scalar(select(func.count()).where(*shown)) or 0


def renew(session: Session, comment: Comment) -> None:
    """Readers see something else than before, so the article's pages are fetched anew."""
    session.execute(update(Article).where(_holds(comment)).values(version=Article.version + 1))


def _holds(comment: Comment) -> ColumnElement[bool]:
    """The article that a comment is under at this moment: two may be made one meanwhile."""
    here = select(Comment.article_id).where(Comment.id == comment.id)
    return Article.id == here.scalar_subquery()
