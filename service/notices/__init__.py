"""Who is told of what: letters to moderators and readers, calls of webhooks.

Whatever changes a comment says so here, in its own transaction; what is to be written follows from
that. Each function takes rows that are flushed, and none of them sends anything.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cached_property
from typing import overload

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import letters
from ..models import Comment, Decision, Report
from ..status import Act, Status, Why
from . import hooks, readers
from .hooks import most_hooks
from .moderators import comment_waits, due_at, neglected, oldest, remind, set_pace, wave_began

__all__ = [
    "arrived",
    "changed",
    "changed_many",
    "due_at",
    "most_hooks",
    "neglected",
    "oldest",
    "remind",
    "reported",
    "set_pace",
    "undone",
    "wave_began",
]


def arrived(session: Session, comment: Comment) -> None:
    """A reader's new comment is stored."""
    comment_waits(session, comment, comment.created_at)
    hooks.arrived(session, comment)
    if comment.status == Status.APPROVED:
        readers.became_public(session, [comment.id], comment.created_at)


def changed(session: Session, comment: Comment, decision: Decision) -> None:
    """A comment changed: its status, or its text."""
    waits_by_edit = decision.act == Act.EDITED and comment.edit_at is not None
    if waits_by_edit or decision.act == Act.HELD:
        comment_waits(session, comment, decision.at)
    _told(session, [comment.id], [decision])


def changed_many(session: Session, comment_ids: Collection[int], at: datetime) -> None:
    """changed() for a batch that was decided at one moment."""
    _told(session, comment_ids, _Batch(session, comment_ids, at))


def undone(session: Session, comment_ids: Collection[int], decision_ids: Sequence[int]) -> None:
    """These decisions are about to be taken back, and so are the letters that hang on them."""
    if readers.are_followed(session, comment_ids):
        readers.take(session, comment_ids)
    letters.drop(session, Why.UNDONE, decision_ids=decision_ids)


def reported(session: Session, report: Report, is_due: bool) -> None:
    """A reader reported a comment. Takes whether it asks for a moderator since then; the same
    report told twice is told once."""
    hooks.reported(session, report)
    if is_due:
        comment_waits(session, report.comment, report.created_at)


def _told(session: Session, comment_ids: Collection[int], decisions: Sequence[Decision]) -> None:
    if readers.are_followed(session, comment_ids):
        readers.decided(session, decisions)
    hooks.decided(session, decisions)


class _Batch(Sequence[Decision]):
    """What was decided on many comments at one moment: read from the log when the first of it is
    asked for, since mostly nobody is told of any."""

    def __init__(self, session: Session, comment_ids: Collection[int], at: datetime) -> None:
        self._session, self._number = session, len(comment_ids)
        self._those = (Decision.comment_id.in_(comment_ids), Decision.at == at)

    @cached_property
    def _read(self) -> Sequence[Decision]:
        log = select(Decision).where(*self._those).order_by(Decision.id)
        return self._session.scalars(log).all()

    @overload
    def __getitem__(self, index: int) -> Decision: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Decision]: ...
    def __getitem__(self, index: int | slice) -> Decision | Sequence[Decision]:
        return self._read[index]

    def __len__(self) -> int:
        return self._number
