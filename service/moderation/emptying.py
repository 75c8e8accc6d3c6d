"""The end of a comment: its author takes it back, the import that brought it is undone, or the time
is over for which a site keeps what it does not publish."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from .. import folds, letters
from ..accounts import Moderator
from ..models import (
    Author,
    Comment,
    Decision,
    Follow,
    Handover,
    Judgement,
    Lesson,
    Like,
    Note,
    Opening,
    Past,
    Reason,
    Report,
    Revision,
)
from ..status import Act, Mark, Status, Why
from .change import Columns, change
from .log import AUTHOR, RETENTION, is_final, latest

REFUSED = (Status.REJECTED, Status.SPAM, Status.DELETED)  # what is kept for a time only
# Of a decision that another installation made: all but its words.
PAST_KEPT = ("act", "at", "by", "from", "to", "version", "undoes", "elsewhere")
BLANK: Columns = {
    "name": "",
    "website": "",
    "text": "",
    "html": "",
    "edit_text": None,
    "edit_html": None,
    "edit_at": None,
    "edited_at": None,
    "is_reworded": False,
    "pinned_at": None,
    "consented_at": None,
    "text_digest": None,
    "submission_key": None,
    "author_id": None,
    "network": "",
    "mark": Mark.NONE,
    "fold_digest": None,
    "link_domain": "",
    "fold_key": None,
    "website_domain": "",
    "link_count": 0,
    "is_first": False,
    "risk": 0,
}


def withdraw(session: Session, comment: Comment, by: str = AUTHOR) -> None:
    """Empties a comment whose author takes it back, for good; its place stays for its replies.
    Takes by whom, where it is not the author.

    Its earlier texts, its reasons and what moderators wrote about it go too, and the author's row
    if nothing else refers to it.
    """
    folds.lock(session, [comment.fold_key])
    session.refresh(
        comment, with_for_update={"of": Comment}
    )  # at any time, whoever is deciding just now
    if not is_final(session, comment):
        _empty(session, comment, by)


def blank(session: Session, comment: Comment, days: int, before: datetime) -> bool:
    """Empties a comment that was not published, as withdraw() does, after the days for which its
    site keeps such. Takes the moment since when nobody may have decided on it. False, and nothing
    done, if it is public or waits again, if somebody decided in between, or if readers' reports
    ask for a moderator."""
    folds.lock(session, [comment.fold_key])
    session.refresh(comment, with_for_update={"of": Comment})
    last = latest(session, comment.id)
    is_late = last is not None and last.from_status != last.to_status and last.at > before
    if comment.status not in REFUSED or not comment.html or comment.report_count or is_late:
        return False
    _empty(session, comment, RETENTION.format(days))
    return True


def _empty(session: Session, comment: Comment, by: str) -> None:
    author_id = comment.author_id
    change(session, comment, Status.DELETED, comment.version, by, Act.WITHDRAWN, **BLANK)
    _blank_around(session, comment)
    if author_id is not None:
        drop_author(session, author_id)


def retract(session: Session, comment: Comment, moderator: Moderator | None = None) -> None:
    """Empties an imported comment whose import is undone but which others have built upon, as
    withdraw() does."""
    by = moderator or "command line"
    empty = BLANK | {"source": None, "source_id": None, "source_parent": None}
    change(session, comment, Status.DELETED, comment.version, by, Act.RETRACTED, **empty)
    _blank_around(session, comment)


def erase(session: Session, comment_ids: Sequence[int]) -> None:
    """Empties comments whose site is erased, for good: what is left of each is its place in the log,
    whose rows stay (hard rule 12). That the site was erased is on record as an event of its own."""
    empty = BLANK | {"source": None, "source_id": None, "source_parent": None, "import_id": None}
    session.execute(update(Comment).where(Comment.id.in_(comment_ids)).values(**empty))
    made = select(Decision.id).where(Decision.comment_id.in_(comment_ids))
    session.execute(delete(Note).where(Note.decision_id.in_(made)))
    for beside in (Revision, Reason, Report, Judgement, Lesson, Like, Opening, Handover, Past):
        session.execute(delete(beside).where(beside.comment_id.in_(comment_ids)))
    session.execute(delete(Follow).where(Follow.comment_id.in_(comment_ids)))


def _blank_around(session: Session, comment: Comment) -> None:
    """Empties what stands beside a comment and may quote it; the log itself stays (hard rule 12)."""
    letters.drop(session, Why.GONE, comment_id=comment.id)
    _end_follows(session, comment)
    of_it = Revision.comment_id == comment.id
    session.execute(update(Revision).where(of_it).values(text="", html=""))
    session.execute(delete(Reason).where(Reason.comment_id == comment.id))
    _empty_past(session, comment)
    # The ledger keeps which rules fired, and nothing of what they found.
    for row in session.scalars(select(Judgement).where(Judgement.comment_id == comment.id)):
        row.telling = []
        row.reasons = [[rule, status, ""] for rule, status, _ in row.reasons]
    # What stands with a mark is its word, and nobody's own.
    made = (Decision.comment_id == comment.id, Decision.act != Act.MARKED)
    of_these = Note.decision_id.in_(select(Decision.id).where(*made))
    session.execute(update(Note).where(of_these).values(text="", public_text=""))


def _empty_past(session: Session, comment: Comment) -> None:
    """Of what another installation had on record stays who decided what, and when."""
    past = session.get(Past, comment.id)
    if past is None:
        return
    past.reasons, past.revisions = [], []
    past.decisions = [
        {name: told for name, told in row.items() if name in PAST_KEPT} for row in past.decisions
    ]


def _end_follows(session: Session, comment: Comment) -> None:
    """There is nothing more to hear of it. Who follows the article wished for that by itself."""
    ids = session.scalars(select(Follow.id).where(Follow.comment_id == comment.id)).all()
    letters.drop(session, Why.GONE, follow_ids=ids)
    session.execute(delete(Follow).where(Follow.id.in_(ids)))


def drop_author(session: Session, author_id: int) -> None:
    """Removes an author whom nothing refers to any more: no comment, report or confirmed follow. A
    wish that nobody has confirmed keeps nobody: it goes along."""
    session.get(Author, author_id, with_for_update=True)
    confirmed = exists().where(Follow.author_id == author_id, Follow.confirmed_at.is_not(None))
    held = (Comment.author_id, Report.contact_id)
    free = [~confirmed, *(~exists().where(column == author_id) for column in held)]
    if session.scalar(select(Author.id).where(Author.id == author_id, *free)) is None:
        return
    session.execute(delete(Follow).where(Follow.author_id == author_id))
    session.execute(delete(Author).where(Author.id == author_id))
