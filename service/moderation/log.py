"""The log of what was done to a comment: only ever added to, and asked what came last."""

import re
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, text
from sqlalchemy.orm import Session

from ..accounts import Moderator
from ..models import Comment, Decision, Note, now
from ..status import Act, Status

# The acts that changed a comment; only the latest of them can be undone, if it is one of UNDOABLE.
CHANGES = (
    Act.DECIDED,
    Act.UNDONE,
    Act.RETRACTED,
    Act.EDITED,
    Act.DISCARDED,
    Act.WITHDRAWN,
    Act.MARKED,
    Act.HELD,
    Act.KEPT,
    Act.REWORDED,
    Act.PINNED,
    Act.UNPINNED,
)
PINS = (Act.PINNED, Act.UNPINNED)
UNDOABLE = (
    Act.DECIDED,
    Act.UNDONE,
    Act.DISCARDED,
    Act.MARKED,
    Act.HELD,
    Act.KEPT,
    Act.REWORDED,
    *PINS,
)
ASIDE = (Act.MARKED, Act.REWORDED, *PINS)  # these leave open what becomes of the comment
FINAL = (Act.RETRACTED, Act.WITHDRAWN)  # nothing is left that could be decided on
# With these somebody has looked at the comment, or it is gone: readers' reports get their outcome.
ANSWERS = (Act.DECIDED, Act.DISCARDED, Act.KEPT, *FINAL)
# After these nobody's word is waited for any more; where they are undone, it is again.
SETTLES = (*ANSWERS, Act.UNDONE)
OPEN = timedelta(seconds=30)  # no transaction takes so long
# Who the log says acted, where a text was kept for so many days and no longer.
RETENTION = "retention after {} days"
AUTHOR = "author"  # who the log says acted, where it was the comment's own author


class Stale(Exception):
    """Somebody decided in between; `latest` is what they did, None if only the text changed."""

    def __init__(self, latest: Decision | None) -> None:
        super().__init__()
        self.latest = latest


def latest(session: Session, comment_id: int) -> Decision | None:
    """The last change of a comment, if anybody changed it."""
    changes = select(Decision).where(Decision.comment_id == comment_id, Decision.act.in_(CHANGES))
    return session.scalars(changes.order_by(Decision.id.desc()).limit(1)).first()


def last_shown(session: Session) -> int:
    """The last decision that a page which is read from now on shows: any later one has a higher id.

    PostgreSQL gives the id when a decision is written, and shows it when its transaction ends: a
    lower one may come after a higher one. So as long as anybody else is writing, what was decided
    within OPEN counts as later.
    """
    last = select(func.max(Decision.id))
    if session.get_bind().dialect.name == "postgresql":
        nobody_writes = text("NOT EXISTS (SELECT pg_snapshot_xip(pg_current_snapshot()))")
        last = last.where(or_(nobody_writes, Decision.at < now() - OPEN))
    return session.scalar(last) or 0


def origin(decision: Decision) -> Decision:
    """What an undo, or the undo of an undo, is about in the end; a decision itself otherwise."""
    while decision.undoes is not None:
        decision = decision.undoes
    return decision


def is_standing(decision: Decision) -> bool:
    """Whether a decision, or after an undo the one that it is about in the end, is in force."""
    stands = True
    while decision.undoes is not None:
        decision, stands = decision.undoes, not stands
    return stands


def is_final(session: Session, comment: Comment) -> bool:
    """Whether nothing of a comment is left that anybody could decide on."""
    if comment.status != Status.DELETED or comment.html:
        return False
    last = latest(session, comment.id)
    return last is not None and last.act in FINAL


def days_kept(decision: Decision | None) -> int | None:
    """After how many days a text was blanked, if this is the decision that did it; else None."""
    if decision is None or decision.act != Act.WITHDRAWN or decision.moderator_id is not None:
        return None
    found = re.fullmatch(RETENTION.format("([0-9]+)"), decision.by)
    return int(found[1]) if found else None


def is_withdrawn(session: Session, comment: Comment) -> bool:
    """Whether its author took the comment back."""
    if not is_final(session, comment):
        return False
    last = latest(session, comment.id)
    return last is not None and last.act == Act.WITHDRAWN


def refuse_if_final(session: Session, comment: Comment) -> None:
    if is_final(session, comment):
        raise Stale(latest(session, comment.id))


def record(
    session: Session,
    comment: Comment,
    before: Status,
    to: Status,
    by: Moderator | str,
    act: Act,
    note: str = "",
    public_note: str = "",
    undoes_id: int | None = None,
    at: datetime | None = None,
    handed_to: str = "",
) -> Decision:
    """Adds a row to the log; it is complete at once, since no row is ever changed."""
    has_note = note or public_note
    decision = Decision(
        comment=comment,
        moderator_id=None if isinstance(by, str) else by.id,
        by=by if isinstance(by, str) else by.name,
        act=act,
        from_status=before,
        to_status=to,
        version=comment.version,
        at=at or now(),
        note=Note(text=note, public_text=public_note) if has_note else None,
        undoes_id=undoes_id,
        handed_to=handed_to,
        by_mail=not isinstance(by, str) and by.by_mail,
        network="" if isinstance(by, str) else by.came_from,
    )
    session.add(decision)
    session.flush()
    return decision
