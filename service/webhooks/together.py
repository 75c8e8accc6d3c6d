"""What people in a chat are told of together, so that nobody is flooded: a decision on many comments
is one message, and a comment that is like one they were told of is none."""

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from ..models import Comment, Decision, Letter
from ..status import HookEvent, LetterState


def number(session: Session, letter: Letter) -> int:
    """Of how many comments this call to a chat tells: 0 where another one tells of it too."""
    if letter.about.get("event") == HookEvent.RECEIVED:
        folded = select(Comment.is_folded).where(Comment.id == letter.comment_id)
        return 0 if session.scalar(folded) else 1
    decision = session.get(Decision, letter.decision_id) if letter.decision_id else None
    if decision is None or decision.bulk_id is None or letter.sent_at is not None:
        return 1
    others = (
        Letter.hook_id == letter.hook_id,
        Decision.bulk_id == decision.bulk_id,
        Decision.to_status == decision.to_status,
        Letter.id != letter.id,
    )
    of_job = Decision.id == Letter.decision_id
    if session.scalar(
        select(Letter.id).join(Decision, of_job).where(*others, _tells(letter)).limit(1)
    ):
        return 0
    counted = select(func.count()).select_from(Letter).join(Decision, of_job)
    waiting = Letter.state == LetterState.QUEUED
    return 1 + (session.scalar(counted.where(*others, waiting)) or 0)


def _tells(letter: Letter) -> ColumnElement[bool]:
    """The calls by which it is told of: one that was taken, or comes before it."""
    is_before = and_(Letter.state == LetterState.QUEUED, Letter.id < letter.id)
    return or_(Letter.state == LetterState.SENT, is_before)
