"""A comment's text: changed by its author, reworded by a moderator; the one before is kept."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..accounts import Moderator
from ..models import Comment, Decision, Revision, now
from ..rules import GRAVITY, Verdict
from ..status import Act, Markup, Status
from ..text import count_links
from ..vault import Vault
from .change import Columns, change
from .counts import renew
from .log import AUTHOR, Stale, latest, refuse_if_final

EDITABLE = (Status.PENDING, Status.SPAM, Status.APPROVED)


@dataclass(frozen=True)
class Wording:
    """A text for a comment: as typed, as rendered, and the digest that finds the same words."""

    text: str
    html: str
    digest: bytes | None


def edit(
    session: Session, comment: Comment, version: int, wording: Wording, verdict: Verdict
) -> Decision:
    """Takes another text from a comment's author, with what the rules say of it.

    It replaces the text at once unless that is public and the rules hold the new one: then it
    waits beside it (hard rule 3). No status becomes better by an edit. Raises Stale if the
    comment has changed since the version that the author saw, or takes no edits any more.
    """
    before = comment.status
    if before not in EDITABLE:
        raise Stale(latest(session, comment.id))
    if before != Status.APPROVED:
        to = max(before, verdict.status, key=GRAVITY.index)
        return replace(session, comment, version, AUTHOR, Act.EDITED, wording, to)
    if wording.text == comment.text:  # back to what is public: nothing waits any more
        none: Columns = {"edit_text": None, "edit_html": None, "edit_at": None}
        return change(session, comment, before, version, AUTHOR, Act.EDITED, **none)
    if verdict.status == Status.APPROVED:
        return replace(session, comment, version, AUTHOR, Act.EDITED, wording)
    waiting: Columns = {"edit_text": wording.text, "edit_html": wording.html, "edit_at": now()}
    return change(session, comment, before, version, AUTHOR, Act.EDITED, **waiting)


def reword(
    session: Session,
    comment: Comment,
    version: int,
    wording: Wording,
    moderator: Moderator,
    note: str = "",
) -> Decision | None:
    """Puts a moderator's wording in the place of a comment's, which is kept as a revision.

    Takes the version that the moderator saw, the new text, and a note for moderators. Readers and
    the author are told that a moderator changed it. A change by the author that waits goes on
    waiting. Returns the decision, None if the text is that one already. Raises Stale.
    """
    refuse_if_final(session, comment)
    if comment.version == version and comment.text == wording.text:
        return None
    before = _revision(comment)
    values: Columns = {"text": wording.text, "html": wording.html, "text_digest": wording.digest}
    values |= {"markup": Markup.MARKDOWN, "is_reworded": True, "edited_at": now()}
    values["link_count"] = count_links(wording.html)
    status = comment.status
    decision = change(
        session, comment, status, version, moderator, Act.REWORDED, note=note, **values
    )
    session.add(before)
    if status == Status.APPROVED:
        renew(session, comment)
    return decision


def swap(
    session: Session,
    comment: Comment,
    version: int,
    by: Moderator,
    act: Act,
    vault: Vault | None,
    **more: Any,
) -> Decision:
    """The opposite of reword(), and of itself: the text and the one before it change places."""
    before, after = last_revision(session, comment), _revision(comment)
    values = wording_of(before, vault)
    decision = change(session, comment, comment.status, version, by, act, **values, **more)
    session.delete(before)
    session.add(after)
    if comment.status == Status.APPROVED:
        renew(session, comment)
    return decision


def replace(
    session: Session,
    comment: Comment,
    version: int,
    by: Moderator | str,
    act: Act,
    wording: Wording,
    to: Status = Status.APPROVED,
    **more: Any,
) -> Decision:
    """Puts a text in the place of the present one, which is kept as a revision."""
    before = _revision(comment)
    values: Columns = {"text": wording.text, "html": wording.html, "text_digest": wording.digest}
    values |= {"markup": Markup.MARKDOWN, "is_reworded": False}
    values |= {"edit_text": None, "edit_html": None, "edit_at": None}
    values["link_count"] = count_links(wording.html)
    if to == Status.APPROVED:
        values["edited_at"] = now()
    decision = change(session, comment, to, version, by, act, **values, **more)
    session.add(before)
    if to == Status.APPROVED:
        renew(session, comment)
    return decision


def _revision(comment: Comment) -> Revision:
    """The present text as it is kept when another takes its place."""
    return Revision(
        comment_id=comment.id,
        text=comment.text,
        html=comment.html,
        is_html=comment.markup == Markup.HTML,
        is_reworded=comment.is_reworded,
        edited_at=comment.edited_at,
    )


def last_revision(session: Session, comment: Comment) -> Revision:
    """The text before the present one."""
    revisions = select(Revision).where(Revision.comment_id == comment.id)
    before = session.scalars(revisions.order_by(Revision.id.desc()).limit(1)).first()
    if before is None:
        raise Stale(latest(session, comment.id))
    return before


def wording_of(before: Revision, vault: Vault | None) -> Columns:
    """What a comment's columns were when this was its text."""
    return {
        "text": before.text,
        "html": before.html,
        "link_count": count_links(before.html),
        "text_digest": vault.words(before.text) if vault else None,
        "markup": Markup.HTML if before.is_html else Markup.MARKDOWN,
        "is_reworded": before.is_reworded,
        "edited_at": before.edited_at,
    }
