"""The letters to readers: what became of theirs, who answered, what is new where they follow."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from ..models import Decision


def became_public(session: Session, comment_ids: Collection[int], at: datetime) -> None:
    """Comments became public at this moment without a decision."""


def decided(session: Session, decisions: Sequence[Decision]) -> None:
    """Comments changed by these rows of the log."""
