"""What is known of an author who proves to be one (hard rule 1): a typed address tells nothing."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..models import Author, Comment
from ..rules import Policy
from ..status import Status
from .arrival import Arrival, Facts


def proved(session: Session, arrival: Arrival, policy: Policy) -> Facts:
    """Whether this comment carries proof, and how many that did so were approved before it."""
    if not arrival.is_proved or arrival.email_index is None:
        return {}
    approved = (
        select(func.count())
        .select_from(Comment)
        .join(Author, Author.id == Comment.author_id)
        .where(Author.site_id == arrival.site_id, Author.email_index == arrival.email_index)
        .where(Comment.is_proved.is_(True), Comment.status == Status.APPROVED)
        .where(Comment.created_at <= arrival.at)
    )
    if arrival.own_id is not None:
        approved = approved.where(Comment.id != arrival.own_id)
    return {"is_proved": True, "approved_before": session.scalar(approved) or 0}
