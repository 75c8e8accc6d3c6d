"""What moderators put on record and leave to each other; none of it changes a comment."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from ..accounts import Moderator
from ..models import Comment, Decision, Handover
from ..status import Act
from .log import record, refuse_if_final


def note(session: Session, comment: Comment, moderator: Moderator, text: str) -> Decision:
    """A moderator's words on a comment, and no decision: in the way of none, nor of an undo."""
    status = comment.status
    return record(session, comment, status, status, moderator, Act.NOTED, note=text)


def reveal(session: Session, comment: Comment, moderator: Moderator) -> Decision:
    """Puts on record that a moderator looked at the author's address."""
    return record(session, comment, comment.status, comment.status, moderator, Act.REVEALED)


def hand(
    session: Session, comment: Comment, moderator: Moderator, to: Moderator | None, note: str = ""
) -> Decision:
    """Leaves a comment to a colleague, or with None asks whoever has a second opinion.

    It stays where it is and locks nothing: anybody may decide on it, which ends this. Takes a note
    for moderators. Raises Stale if nothing is left to decide on.
    """
    session.refresh(comment, with_for_update={"of": Comment})  # two who hand it on at one moment
    refuse_if_final(session, comment)
    status, name = comment.status, to.name if to else ""
    asked = record(session, comment, status, status, moderator, Act.HANDED, note, handed_to=name)
    to_id = to.id if to else None
    when = {"at": asked.at, "ended_at": None}
    session.merge(Handover(comment_id=comment.id, decision_id=asked.id, to_id=to_id, **when))
    return asked


def take_back(session: Session, comment: Comment, moderator: Moderator) -> Decision | None:
    """Ends that a comment was left to others, by who left it; None if they did not."""
    session.refresh(comment, with_for_update={"of": Comment})
    left = session.get(Handover, comment.id)
    left = None if left and left.ended_at else left
    asked = session.get_one(Decision, left.decision_id) if left else None
    if left is None or asked is None or asked.moderator_id != moderator.id:
        return None
    session.delete(left)
    status, undoes = comment.status, asked.id
    return record(session, comment, status, status, moderator, Act.HANDED, undoes_id=undoes)


def end_handovers(session: Session, comment_ids: Collection[int], at: datetime) -> None:
    """Nobody's word is waited for any more, since a decision was made at this moment."""
    still = (Handover.comment_id.in_(comment_ids), Handover.ended_at.is_(None))
    session.execute(update(Handover).where(*still).values(ended_at=at))


def reopen_handovers(
    session: Session, comment_ids: Collection[int], ended_at: Collection[datetime]
) -> None:
    """Takes the end back that decisions of these moments made."""
    ended = (Handover.comment_id.in_(comment_ids), Handover.ended_at.in_(ended_at))
    session.execute(update(Handover).where(*ended).values(ended_at=None))
