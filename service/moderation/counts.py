"""What readers see beside a comment, kept in step with it: counts, and versions of pages."""

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import ColumnElement, case, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from ..models import Article, Comment
from ..status import Status

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


def recount(session: Session, article_id: int) -> None:
    """Counts an article's approved comments anew, and looks for its newest one, after an import has
    changed many at once."""
    reply = aliased(Comment)
    below = (
        select(func.count())
        .where(reply.root_id == Comment.id, reply.status == Status.APPROVED)
        .scalar_subquery()
    )
    roots = (Comment.article_id == article_id, Comment.parent_id.is_(None))
    session.execute(update(Comment).where(*roots).values(approved_below=below))
    approved = (Comment.article_id == article_id, Comment.status == Status.APPROVED)
    count = select(func.count()).where(*approved).scalar_subquery()
    newest = select(func.max(Comment.created_at)).where(Comment.article_id == article_id)
    session.execute(
        update(Article)
        .where(Article.id == article_id)
        .values(
            approved_count=count,
            last_at=func.coalesce(newest.scalar_subquery(), Article.last_at),
            version=Article.version + 1,
        )
    )


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
