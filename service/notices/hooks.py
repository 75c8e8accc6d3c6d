"""The calls of a site's webhooks."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from ..models import Comment, Decision, Report


def arrived(session: Session, comment: Comment) -> None:
    """A reader's new comment is stored."""


def decided(session: Session, decisions: Sequence[Decision]) -> None:
    """Comments changed by these rows of the log."""


def reported(session: Session, report: Report) -> None:
    """A reader reported a comment; the same report told twice is told once."""
