"""A comment put above the others, and who is said to be speaking."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import folds
from ..accounts import Moderator
from ..models import Article, Comment, Decision, now
from ..status import Act, Mark, Status
from .change import change
from .counts import MOST_PINNED, count_pinned, renew
from .log import origin, refuse_if_final


class PinRefused(Exception):
    """A comment cannot be put above the others."""


class NotPinnable(PinRefused):
    """Only a published comment that answers no other can stand above the others."""


class EnoughPinned(PinRefused):
    """Under this article as many comments are pinned as may be."""


def pin(
    session: Session, comment: Comment, is_pinned: bool, version: int, moderator: Moderator
) -> Decision | None:
    """Puts a published top-level comment above the others under its article, or back among them.

    Takes the version that the moderator saw. Returns the decision, None if it is so already.
    Raises NotPinnable, EnoughPinned, and Stale if the comment has changed since.
    """
    refuse_if_final(session, comment)
    if comment.version == version and bool(comment.pinned_at) == is_pinned:
        return None
    act = Act.PINNED if is_pinned else Act.UNPINNED
    return set_pin(session, comment, version, moderator, is_pinned, act)


def set_pin(
    session: Session,
    comment: Comment,
    version: int,
    by: Moderator,
    is_pinned: bool,
    act: Act,
    **more: Any,
) -> Decision:
    folds.lock(session, [comment.fold_key])  # before any row is taken
    if is_pinned:
        _refuse_pin(session, comment)
    pinned_at = now() if is_pinned else None
    status = comment.status
    more |= {"pinned_at": pinned_at}
    decision = change(session, comment, status, version, by, act, **more)
    renew(session, comment)
    return decision


def _refuse_pin(session: Session, comment: Comment) -> None:
    """Says why a comment cannot be pinned. Two at once under an article come one after the other."""
    if comment.status != Status.APPROVED or comment.parent_id is not None:
        raise NotPinnable
    session.get(Article, comment.article_id, with_for_update=True)
    if count_pinned(session, comment.article_id, [comment.id]) >= MOST_PINNED:
        raise EnoughPinned


def mark(
    session: Session, comment: Comment, as_whom: Mark, version: int, moderator: Moderator
) -> Decision | None:
    """Says who is speaking: the article's author, staff, or neither.

    Takes the version that the moderator saw. Returns the decision, whose note is the mark's word;
    None if the comment has that mark already. Raises Stale if it has changed since.
    """
    refuse_if_final(session, comment)
    if comment.version == version and comment.mark == as_whom:
        return None
    status = comment.status
    decision = change(
        session, comment, status, version, moderator, Act.MARKED, note=as_whom, mark=as_whom
    )
    renew(session, comment)
    return decision


def unmark(
    session: Session, decision: Decision, by: Moderator, act: Act, undoes_id: int, **more: Any
) -> Decision:
    """Gives a comment the mark back that it had before this decision, which was about its mark."""
    comment, mark = decision.comment, _mark_before(session, decision)
    status, version = comment.status, decision.version
    more |= {"undoes_id": undoes_id, "mark": mark}
    undone = change(session, comment, status, version, by, act, note=mark, **more)
    renew(session, comment)
    return undone


def _mark_before(session: Session, decision: Decision) -> Mark:
    """The note of each decision about a mark is the mark that it gave."""
    earlier = (Decision.comment_id == decision.comment_id, Decision.id < decision.id)
    of_acts = Decision.act.in_((Act.MARKED, Act.UNDONE))
    for one in session.scalars(
        select(Decision).where(*earlier, of_acts).order_by(Decision.id.desc())
    ):
        if origin(one).act == Act.MARKED:
            said = one.note.text if one.note else ""
            return Mark(said) if said in list(Mark) else Mark.NONE
    return Mark.NONE
