"""An author's change to a published comment that waits: approved, discarded, and both taken back."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..accounts import Moderator
from ..models import Comment, Decision, now
from ..status import Act, Status
from ..vault import Vault
from .change import Columns, change
from .counts import renew
from .wording import Wording, last_revision, replace, wording_of


def has_waiting_edit(comment: Comment) -> bool:
    """Whether its author changed a published comment and no moderator has looked at it yet."""
    return comment.status == Status.APPROVED and comment.edit_at is not None


def apply(
    session: Session,
    comment: Comment,
    version: int,
    by: Moderator | str,
    act: Act,
    vault: Vault | None,
    **more: Any,
) -> Decision:
    """Makes a waiting edit the comment's text."""
    typed = comment.edit_text or ""
    wording = Wording(typed, comment.edit_html or "", vault.words(typed) if vault else None)
    return replace(session, comment, version, by, act, wording, **more)


def discard(
    session: Session, comment: Comment, version: int, by: Moderator | str, act: Act, **more: Any
) -> Decision:
    """Ends the waiting of an edit. Its text stays, so that this can be undone."""
    return change(session, comment, Status.APPROVED, version, by, act, edit_at=None, **more)


def wait_again(
    session: Session,
    comment: Comment,
    version: int,
    by: Moderator | str,
    act: Act,
    vault: Vault | None,
    **more: Any,
) -> Decision:
    """The opposite of discard()."""
    edit_at = _edited(session, comment)
    return change(session, comment, Status.APPROVED, version, by, act, edit_at=edit_at, **more)


def revert(
    session: Session,
    comment: Comment,
    version: int,
    by: Moderator | str,
    act: Act,
    vault: Vault | None,
    **more: Any,
) -> Decision:
    """The opposite of apply(): the text before is public again, and the edit waits."""
    before = last_revision(session, comment)
    values: Columns = wording_of(before, vault) | {
        "edit_text": comment.text,
        "edit_html": comment.html,
        "edit_at": _edited(session, comment),
    }
    decision = change(session, comment, Status.APPROVED, version, by, act, **values, **more)
    session.delete(before)
    renew(session, comment)
    return decision


def _edited(session: Session, comment: Comment) -> datetime:
    """When its author last changed a comment."""
    of_it = (Decision.comment_id == comment.id, Decision.act == Act.EDITED)
    return session.scalar(select(func.max(Decision.at)).where(*of_it)) or now()
