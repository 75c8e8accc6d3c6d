"""What readers see beside a comment, kept in step with it: counts, and versions of pages."""

from sqlalchemy import case, func, select, update
from sqlalchemy.orm import Session, aliased

from ..models import Article, Comment
from ..status import Status


def keep_count(session: Session, comment: Comment, change: int) -> None:
    """Keeps what readers see in step: the article's count and version, the thread's replies."""
    if not change:
        return
    proved = (
        case((Article.title == "", False), else_=True) if change > 0 else Article.is_title_proved
    )
    session.execute(
        update(Article)
        .where(Article.id == comment.article_id)
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
    keep_count(session, comment, 1)


def recount(session: Session, article_id: int) -> None:
    """Counts an article's approved comments anew, after an import has changed many at once."""
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
    session.execute(
        update(Article)
        .where(Article.id == article_id)
        .values(approved_count=count, version=Article.version + 1)
    )


def renew(session: Session, comment: Comment) -> None:
    """Readers see something else than before, so the article's pages are fetched anew."""
    article = Article.id == comment.article_id
    session.execute(update(Article).where(article).values(version=Article.version + 1))
