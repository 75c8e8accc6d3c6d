"""What a list of the desk shows, and in which order: a filter that a URL or a job can keep.

It finds ids; what a card shows of them is the desk's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from ..accounts import Moderator
from ..models import Comment
from ..status import Status
from .asking import (
    ARTICLES,
    ASKED,
    BY_ARTICLE,
    BY_HEADS,
    BY_ITSELF,
    BY_REPORTS,
    BY_RISK,
    BY_SITE_HEADS,
    BY_SITE_RISK,
    BY_TIME,
    COLUMNS,
    DECIDING,
    EMPTY,
    FEW,
    LOOKED_AT,
    NEWEST,
    WINDOW,
    Asking,
    Found,
    Place,
)
from .words import (
    CALLED,
    EVERY,
    HOLDS_ADDRESS,
    LISTS,
    READERS,
    REPORTED,
    SAID,
    SORTS,
    YEARS,
    Unreadable,
    Words,
)

__all__ = [
    "ARTICLES",
    "ASKED",
    "BY_ARTICLE",
    "BY_HEADS",
    "BY_ITSELF",
    "BY_REPORTS",
    "BY_RISK",
    "BY_SITE_HEADS",
    "BY_SITE_RISK",
    "BY_TIME",
    "CALLED",
    "COLUMNS",
    "DECIDING",
    "EMPTY",
    "EVERY",
    "FEW",
    "HOLDS_ADDRESS",
    "LISTS",
    "LOOKED_AT",
    "NEWEST",
    "READERS",
    "REPORTED",
    "SAID",
    "SORTS",
    "WINDOW",
    "YEARS",
    "Filter",
    "Found",
    "Place",
    "Unreadable",
]


@dataclass(frozen=True)
class Filter(Words):
    """Words that can be put to the database in somebody's name."""

    def page(self, session: Session, moderator: Moderator, after: str, size: int) -> Found:
        """The next `size` comments after the one of this public id, or the first.

        Among the pending stand the published ones that have an edit waiting.
        """
        return Asking(self, session, moderator).page(self._start(session, after), size)

    def _start(self, session: Session, after: str) -> Place | None:
        """Where the page begins. A decision takes a comment's reports from it: what was sorted by
        them begins anew, without what was decided."""
        found = select(*COLUMNS, Comment.status, Comment.edit_at).where(Comment.public_id == after)
        row = session.execute(found).first() if after else None
        if row is None or (self.status == REPORTED and row.reported_at is None):
            return None
        waits = row.edit_at is not None and self.status == Status.PENDING
        has_left = self.status not in (REPORTED, row.status) and not waits
        if self.sort == "reported" and has_left and not row.report_count:
            return None
        *place, _, _ = row
        return Place(*cast(Any, place))

    def walk(
        self, session: Session, moderator: Moderator, after_id: int, size: int
    ) -> Sequence[Row[int, int, Status]]:
        """The next `size` matches by their id, as (id, version, status), for a job.

        Walks all that match, whatever the order on the page. Leaves out published comments that
        have an edit waiting, which stand among the pending ones: each wants a look of its own.
        """
        return Asking(self, session, moderator).walk(after_id, size)

    def count(
        self, session: Session, moderator: Moderator, most: int, with_edits: bool = True
    ) -> int:
        """How many match, `most` + 1 for more. Without edits: as many as `walk` walks."""
        return Asking(self, session, moderator).count(most, with_edits)
