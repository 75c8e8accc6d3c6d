"""Staff's replies: each is a decision of its own, and one that was made with an approval goes with it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import notices
from ..accounts import Moderator
from ..models import Comment, Decision
from ..status import Act, Status
from .counts import count_new
from .log import latest, origin, record


def publish(
    session: Session, reply: Comment, moderator: Moderator, at: datetime | None = None
) -> Decision:
    """Puts on record who replied, and counts the reply. Takes the moment of the approval that it
    was made with. Undone, it is hidden like any comment that was deleted."""
    count_new(session, reply)
    before, to, note = Status.DELETED, reply.status, reply.mark
    decision = record(session, reply, before, to, moderator, Act.MARKED, note, at=at)
    notices.changed(session, reply, decision)
    return decision


def is_reply(decision: Decision) -> bool:
    """Whether a decision, or what an undo is about in the end, is that staff replied."""
    first = origin(decision)
    return first.act == Act.MARKED and first.from_status != first.to_status


def made_with(session: Session, decision: Decision) -> Sequence[Decision]:
    """The replies to a comment that were made, hidden or brought back by a decision on it, and of
    which nobody has decided anything else since."""
    if decision.from_status == decision.to_status:
        return []
    there = (Comment.parent_id == decision.comment_id, Decision.at == decision.at)
    by_same = Decision.moderator_id == decision.moderator_id
    acts = Decision.act.in_((Act.MARKED, Act.UNDONE))
    found = select(Decision).join(Decision.comment).where(*there, by_same, acts)
    return [
        one
        for one in session.scalars(found.order_by(Decision.comment_id))
        if is_reply(one) and latest(session, one.comment_id) is one
    ]
