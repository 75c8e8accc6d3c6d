"""One decision on one comment, and taking it back."""

from contextlib import suppress
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import folds, notices, reports
from ..accounts import Moderator
from ..models import Comment, Decision
from ..rules import Verdict
from ..status import Act, Status
from ..vault import Vault
from .asides import reopen_handovers
from .change import Columns, change
from .log import ANSWERS, ASIDE, PINS, UNDOABLE, Stale, is_standing, latest, origin, refuse_if_final
from .pins import set_pin, unmark
from .replies import made_with
from .waiting import apply, discard, has_waiting_edit, revert, wait_again
from .wording import swap


def initial(verdict: Verdict) -> Status:
    """The first status of a comment that a reader posted."""
    return verdict.status


def imported(state: Status) -> Status:
    """The first status of a comment that an import brought: the one it had."""
    return state


def decide(
    session: Session,
    comment: Comment,
    to: Status,
    version: int,
    moderator: Moderator,
    note: str = "",
    public_note: str = "",
    vault: Vault | None = None,
) -> Decision | None:
    """Gives a comment another status; where an edit waits, approves it or keeps the old text.

    Takes the version that the moderator saw, a note for moderators and one that the author may
    read, and the vault whose digest finds the words of an approved edit again. Returns the
    decision, None if the comment has that status already; for a decision that was sent twice,
    since its answer was lost, the one that is made. Raises Stale if it has changed since.
    """
    notes: Columns = {"note": note, "public_note": public_note}
    try:
        return _decide(session, comment, to, version, moderator, vault, notes)
    except Stale as stale:
        if stale.latest and _is_repeated(stale.latest, to, version, moderator):
            return stale.latest
        raise


def _decide(
    session: Session,
    comment: Comment,
    to: Status,
    version: int,
    moderator: Moderator,
    vault: Vault | None,
    notes: Columns,
) -> Decision | None:
    refuse_if_final(session, comment)
    if has_waiting_edit(comment) and to == Status.APPROVED:
        return apply(session, comment, version, moderator, Act.DECIDED, vault, **notes)
    if has_waiting_edit(comment) and to == Status.REJECTED:
        return discard(session, comment, version, moderator, Act.DISCARDED, **notes)
    if comment.status == to == Status.APPROVED and comment.reported_at:
        return change(session, comment, to, version, moderator, Act.KEPT, **notes)
    if comment.version == version and comment.status == to:
        return None
    return change(session, comment, to, version, moderator, Act.DECIDED, **notes)


def _is_repeated(last: Decision, to: Status, version: int, moderator: Moderator) -> bool:
    """Whether a comment's last change is just what this moderator decides on the version before."""
    if last.moderator_id != moderator.id or last.version != version + 1:
        return False
    if last.act == Act.DISCARDED:
        return to == Status.REJECTED
    return last.act in (Act.DECIDED, Act.KEPT) and last.to_status == to


def undo(
    session: Session, decision: Decision, moderator: Moderator, vault: Vault | None = None
) -> Decision:
    """Takes a comment's latest decision back, and with it the replies of staff that were made by it.

    Raises Stale with the later decision if there is one, and PinRefused where it was about a pin
    that has no place any more.
    """
    last = latest(session, decision.comment_id)
    if last is None or last.id != decision.id or last.act not in UNDOABLE:
        raise Stale(last)
    folds.lock(session, [decision.comment.fold_key])  # before any row is taken
    replies = made_with(session, decision)
    if replies:
        those = Comment.id.in_([reply.comment_id for reply in replies])
        session.execute(select(Comment.id).where(those).order_by(Comment.id).with_for_update())
    undone = _undo(session, decision, moderator, vault)
    ended_at = [decision.at]
    if decision.from_status == decision.to_status and origin(decision).act in ASIDE:
        ended_at.append(undone.at)  # neither one is a word on what was asked
    reopen_handovers(session, [decision.comment_id], ended_at)
    for reply in replies:
        _undo(session, reply, moderator, vault, at=undone.at)
    return undone


def _undo(
    session: Session, decision: Decision, moderator: Moderator, vault: Vault | None, **undoes: Any
) -> Decision:
    comment, before = decision.comment, decision.from_status
    notices.undone(session, [comment.id], [decision.id])
    folds.lock(session, [comment.fold_key])  # before any row is taken
    reports.reopen(session, comment.id, decision.at)
    undoes |= {"act": Act.UNDONE, "undoes_id": decision.id}
    about = origin(decision).act
    # What comes back by the undo of an undo answers readers' reports as it did before.
    undoes["answers"] = about in ANSWERS and not is_standing(decision)
    if about == Act.REWORDED:
        return swap(session, comment, decision.version, moderator, vault=vault, **undoes)
    if about in PINS:
        return set_pin(
            session, comment, decision.version, moderator, not comment.pinned_at, **undoes
        )
    if about == Act.MARKED and before == decision.to_status:
        return unmark(session, decision, moderator, **undoes)
    if before != decision.to_status or about == Act.KEPT:
        return change(session, comment, before, decision.version, moderator, **undoes)
    # The status stayed: what was decided was an edit.
    if not has_waiting_edit(comment):
        back = revert if comment.edit_text is None else wait_again
        return back(session, comment, decision.version, moderator, vault=vault, **undoes)
    if about == Act.DISCARDED:
        return discard(session, comment, decision.version, moderator, **undoes)
    return apply(session, comment, decision.version, moderator, vault=vault, **undoes)


def hold(session: Session, comment: Comment) -> None:
    """Takes a published comment back to the queue, since so many readers reported it."""
    with suppress(Stale):  # a moderator who decided at this very moment has the last word
        change(session, comment, Status.PENDING, comment.version, "readers’ reports", Act.HELD)
