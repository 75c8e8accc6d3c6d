"""Decide and undo: the only code that changes a comment's status.

A change and its decision row are one act, guarded by the version that the moderator saw. Counters
that readers see follow in the same transaction.
"""

from contextlib import suppress

from sqlalchemy import case, func, select, update
from sqlalchemy.orm import Session, aliased

from . import reports
from .accounts import Moderator
from .models import Article, Comment, Decision, Note
from .rules import Verdict
from .status import Act, Outcome, Status

# The acts that changed a status; only the latest of them can be undone.
CHANGES = (Act.DECIDED, Act.UNDONE, Act.RETRACTED, Act.HELD)


class Stale(Exception):
    """Somebody decided in between; `latest` is what they did, None if only the text changed."""

    def __init__(self, latest: Decision | None) -> None:
        super().__init__()
        self.latest = latest


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
) -> Decision | None:
    """Gives a comment another status.

    Takes the version that the moderator saw. Returns the decision, None if the comment has that
    status already. Raises Stale if the comment has changed since.
    """
    if comment.status == to == Status.APPROVED and comment.reported_at:
        return _keep(session, comment, version, moderator, note)
    if comment.version == version and comment.status == to:
        return None
    return _change(session, comment, to, version, moderator, Act.DECIDED, note=note)


def undo(session: Session, decision: Decision, moderator: Moderator) -> Decision:
    """Takes a comment's latest decision back; raises Stale with the later one if there is one."""
    last = latest(session, decision.comment_id)
    if last is None or last.id != decision.id:
        raise Stale(last)
    comment, before = decision.comment, decision.from_status
    return _change(
        session, comment, before, decision.version, moderator, Act.UNDONE, undoes_id=decision.id
    )


def reveal(session: Session, comment: Comment, moderator: Moderator) -> Decision:
    """Puts on record that a moderator looked at the author's address."""
    return _record(session, comment, comment.status, comment.status, moderator, Act.REVEALED)


def retract(session: Session, comment: Comment, moderator: Moderator | None = None) -> None:
    """Empties an imported comment whose import is undone but which others have built upon."""
    _change(session, comment, Status.DELETED, comment.version, moderator, Act.RETRACTED)
    comment.name = comment.website = comment.text = comment.html = ""
    comment.author_id = comment.source = comment.source_id = comment.source_parent = None


def latest(session: Session, comment_id: int) -> Decision | None:
    """The last change of a comment's status, if anybody changed it."""
    changes = select(Decision).where(Decision.comment_id == comment_id, Decision.act.in_(CHANGES))
    return session.scalars(changes.order_by(Decision.id.desc()).limit(1)).first()


def count_new(session: Session, comment: Comment) -> None:
    """Counts a comment that was approved from the start."""
    session.flush()
    _count(session, comment, 1)


def recount(session: Session, article_id: int) -> None:
    """Counts an article's approved comments anew, after an import has changed many at once."""
    reply = aliased(Comment)
    below = (
        select(func.count())
        .where(reply.root_id == Comment.id, reply.status == Status.APPROVED)
        .scalar_subquery()
    )
    roots = (Comment.article_id == article_id, Comment.parent_id.is_(None))
    session.execute(update(Comment).where(*roots).values(approved_below=below))
    approved = (Comment.article_id == article_id, Comment.status == Status.APPROVED)
    count = select(func.count()).where(*approved).scalar_subquery()
    session.execute(
        update(Article)
        .where(Article.id == article_id)
        .values(approved_count=count, version=Article.version + 1)
    )


def _change(
    session: Session,
    comment: Comment,
    to: Status,
    version: int,
    moderator: Moderator | str | None,
    act: Act,
    note: str = "",
    undoes_id: int | None = None,
) -> Decision:
    before = comment.status
    guarded = (
        update(Comment)
        .where(Comment.id == comment.id, Comment.version == version)
        .values(status=to, version=Comment.version + 1)
        .returning(Comment.version)
    )
    if session.scalar(guarded) is None:
        raise Stale(latest(session, comment.id))
    session.refresh(comment, ["status", "version"])
    _count(session, comment, (to == Status.APPROVED) - (before == Status.APPROVED))
    return _record(session, comment, before, to, moderator, act, note, undoes_id)


def _count(session: Session, comment: Comment, change: int) -> None:
    """Keeps what readers see in step: the article's count and version, the thread's replies."""
    if not change:
        return
    proved = (
        case((Article.title == "", False), else_=True) if change > 0 else Article.is_title_proved
    )
    session.execute(
        update(Article)
        .where(Article.id == comment.article_id)
        .values(
            approved_count=Article.approved_count + change,
            version=Article.version + 1,
            is_title_proved=proved,
        )
    )
    session.execute(
        update(Comment)
        .where(Comment.id == comment.root_id)
        .values(approved_below=Comment.approved_below + change)
    )


def _record(
    session: Session,
    comment: Comment,
    before: Status,
    to: Status,
    moderator: Moderator | str | None,
    act: Act,
    note: str = "",
    undoes_id: int | None = None,
) -> Decision:
    """Adds a row to the log; it is complete at once, since no row is ever changed."""
    decision = Decision(
        comment=comment,
        moderator_id=moderator.id if moderator and not isinstance(moderator, str) else None,
        by=moderator if isinstance(moderator, str) else getattr(moderator, "name", "command line"),
        act=act,
        from_status=before,
        to_status=to,
        version=comment.version,
        note=Note(text=note) if note else None,
        undoes_id=undoes_id,
    )
    session.add(decision)
    session.flush()
    return decision


def hold(session: Session, comment: Comment) -> None:
    """Takes a published comment back to the queue, since so many readers reported it."""
    with suppress(Stale):  # a moderator who decided at this very moment has the last word
        _change(session, comment, Status.PENDING, comment.version, "readers’ reports", Act.HELD)


def _keep(
    session: Session, comment: Comment, version: int, moderator: Moderator, note: str
) -> Decision:
    """Leaves a published comment as it is, whatever readers reported."""
    guarded = (
        update(Comment)
        .where(Comment.id == comment.id, Comment.version == version)
        .values(version=Comment.version + 1)
        .returning(Comment.version)
    )
    if session.scalar(guarded) is None:
        raise Stale(latest(session, comment.id))
    reports.close(session, comment.id, Outcome.KEPT)
    session.refresh(comment, ["version", "reported_at"])
    kept = comment.status
    return _record(session, comment, kept, kept, moderator, Act.KEPT, note)
