"""Readers' reports of comments: taken, shown to moderators, closed with an outcome.

A report hides nothing by itself. One counts from each network, and who sent it is known only by a
keyed digest of that network; an address to tell the outcome to lives with the authors.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from .models import Comment, Decision, Note, Report, gone_sites, now
from .status import Act, Outcome, ReportReason
from .vault import Vault


@dataclass(frozen=True)
class Notice:
    """What a reader says against a comment, as it was sent and validated."""

    reason: ReportReason
    explanation: str
    network: str
    contact_id: int | None = None  # the author row of an address to tell the outcome to


def submit(
    session: Session,
    vault: Vault,
    comment: Comment,
    notice: Notice,
    threshold: int,
    at: datetime | None = None,
) -> tuple[Report, bool]:
    """Stores a report; a second one from the same network changes nothing.

    Takes how many open reports ask for a moderator, and the moment, now unless told. What is
    believed to be illegal asks at once, and is not silenced by what a neighbour on the same
    network said before. Returns the report, new or already there, and whether the comment asks
    for a moderator since this one.
    """
    digest = _digest(vault, comment, notice)
    if known := _known(session, comment, digest):
        return known, False
    report = Report(
        comment_id=comment.id,
        reason=notice.reason,
        explanation=notice.explanation,
        contact_id=notice.contact_id,
        network_digest=digest,
        created_at=at or now(),
    )
    try:
        with session.begin_nested():
            session.add(report)
            session.flush()
            _count(session, comment.id)
    except IntegrityError:  # the same form arrived twice at one moment
        if known := _known(session, comment, digest):
            return known, False
        raise
    is_due = notice.reason == ReportReason.ILLEGAL or _count_open(session, comment) >= threshold
    return report, is_due and _ask(session, comment, report.created_at)


def close(session: Session, comment_id: int, outcome: Outcome, at: datetime | None = None) -> None:
    """Gives a comment's open reports their outcome; it asks for no moderator any more."""
    open_ones = (Report.comment_id == comment_id, Report.outcome.is_(None))
    session.execute(update(Report).where(*open_ones).values(outcome=outcome, closed_at=at or now()))
    asking = (Comment.id == comment_id, Comment.reported_at.is_not(None))
    session.execute(update(Comment).where(*asking).values(reported_at=None))
    _count(session, comment_id)


def reopen(session: Session, comment_id: int, closed_at: datetime) -> None:
    """Takes back the outcome that reports were given at this moment; they ask for a moderator."""
    closed_then = (Report.comment_id == comment_id, Report.closed_at == closed_at)
    first = session.scalar(select(func.min(Report.created_at)).where(*closed_then))
    if first is None:
        return
    session.execute(update(Report).where(*closed_then).values(outcome=None, closed_at=None))
    asks = update(Comment).where(Comment.id == comment_id, Comment.reported_at.is_(None))
    session.execute(asks.values(reported_at=first))
    _count(session, comment_id)


def close_many(
    session: Session, comment_ids: Collection[int], outcome: Outcome, at: datetime
) -> None:
    """close() for many comments at once."""
    open_ones = (Report.comment_id.in_(comment_ids), Report.outcome.is_(None))
    closed = update(Report).where(*open_ones).values(outcome=outcome, closed_at=at)
    said = or_(Comment.reported_at.is_not(None), Comment.report_count > 0)
    asking = (Comment.id.in_(comment_ids), said)
    quiet = update(Comment).where(*asking).values(reported_at=None, report_count=0)
    for change in (closed, quiet):
        session.execute(change.execution_options(synchronize_session=False))


def reopen_many(
    session: Session, comment_ids: Collection[int], closed_at: Collection[datetime]
) -> None:
    """reopen() for many comments at once. Takes the moments of the decisions that closed them."""
    closed_then = (Report.comment_id.in_(comment_ids), Report.closed_at.in_(closed_at))
    ids = set(session.scalars(select(Report.comment_id).where(*closed_then)))
    if not ids:
        return
    reopened = update(Report).where(*closed_then).values(outcome=None, closed_at=None)
    session.execute(reopened.execution_options(synchronize_session=False))
    open_ones = (Report.comment_id == Comment.id, Report.outcome.is_(None))
    first = select(func.min(Report.created_at)).where(*open_ones).scalar_subquery()
    count = select(func.count()).select_from(Report).where(*open_ones).scalar_subquery()
    asks = update(Comment).where(Comment.id.in_(ids))
    asks = asks.values(reported_at=func.coalesce(Comment.reported_at, first), report_count=count)
    session.execute(asks.execution_options(synchronize_session=False))


def open_of(session: Session, comment_ids: Collection[int]) -> dict[int, list[Report]]:
    """Each comment's open reports, oldest first; a comment without any is left out."""
    found = session.scalars(
        select(Report)
        .where(Report.comment_id.in_(comment_ids), Report.outcome.is_(None))
        .order_by(Report.id)
    )
    reports: dict[int, list[Report]] = defaultdict(list)
    for report in found:
        reports[report.comment_id].append(report)
    return dict(reports)


def by_public_id(session: Session, public_id: str) -> Report | None:
    """A report by its public id; none of a deleted site."""
    found = select(Report).join(Comment, Comment.id == Report.comment_id)
    here = Comment.site_id.not_in(gone_sites())
    return session.scalar(found.where(Report.public_id == public_id, here))


def public_reason(session: Session, report: Report) -> str:
    """What the moderator who closed a report lets the public know; "" for nothing."""
    if report.outcome is None:
        return ""
    last = (
        select(Note.public_text)
        .select_from(Decision)
        .outerjoin(Note, Note.decision_id == Decision.id)
        .where(Decision.comment_id == report.comment_id)
        .where(Decision.act.in_((Act.DECIDED, Act.UNDONE, Act.KEPT)))
        .order_by(Decision.id.desc())
    )
    return session.scalar(last.limit(1)) or ""


def _digest(vault: Vault, comment: Comment, notice: Notice) -> bytes:
    """Who reported: of this comment only, so that nobody's reports can be put side by side."""
    kind = "illegal" if notice.reason == ReportReason.ILLEGAL else ""
    return vault.digest("report", f"{comment.public_id} {notice.network} {kind}")


def _known(session: Session, comment: Comment, digest: bytes) -> Report | None:
    same = (Report.comment_id == comment.id, Report.network_digest == digest)
    return session.scalar(select(Report).where(*same))


def _count_open(session: Session, comment: Comment) -> int:
    open_ones = (Report.comment_id == comment.id, Report.outcome.is_(None))
    return session.scalar(select(func.count()).select_from(Report).where(*open_ones)) or 0


def _count(session: Session, comment_id: int) -> None:
    """Keeps on the comment how many of its reports are open. Writes only where that changes."""
    of_it = (Report.comment_id == comment_id, Report.outcome.is_(None))
    count = select(func.count()).select_from(Report).where(*of_it).scalar_subquery()
    other = (Comment.id == comment_id, Comment.report_count != count)
    session.execute(update(Comment).where(*other).values(report_count=count))


def _ask(session: Session, comment: Comment, at: datetime) -> bool:
    """Puts the comment before the moderators; False if it stands there already."""
    quiet = (Comment.id == comment.id, Comment.reported_at.is_(None))
    asked = session.execute(
        update(Comment).where(*quiet).values(reported_at=at).returning(Comment.id)
    )
    return asked.first() is not None
