"""What rules need from the database, and the words a verdict is stored in."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .models import Article, Comment, Reason
from .rules import History, Verdict


def history(session: Session, site_id: int, article: Article | None, text_digest: bytes) -> History:
    """What is known about the article and the words of a new comment."""
    same_words = select(func.count()).where(
        Comment.site_id == site_id, Comment.text_digest == text_digest
    )
    return History(
        is_article_known=article is not None and article.approved_count > 0,
        is_article_held=article is not None and article.held_at is not None,
        repeats=session.scalar(same_words) or 0,
    )


def reasons(verdict: Verdict) -> list[Reason]:
    """Rows for what fired, to be stored with the comment."""
    return [Reason(rule=fired.rule, matched=fired.matched) for fired in verdict.reasons]
