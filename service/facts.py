"""An author's past on their site, as a card tells it: what is proved apart from what was only typed.

A typed address proves nothing (hard rule 1): anybody can type it. Bounded work: each count stops at
COUNTED, along one index, and all cards of a page are told by one query.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, and_, func, select
from sqlalchemy.orm import Session

from .models import Author, Comment
from .status import Status

COUNTED = 100  # exact up to here, then "100+"
# How many of somebody's comments there are, and when the first came, by proof and by status.
Told = dict[tuple[bool, Status], tuple[int, datetime | None]]


@dataclass(frozen=True)
class Record:
    """What became of somebody's other comments; COUNTED + 1 stands for more than were counted."""

    counts: dict[Status, int] = field(default_factory=dict)  # without zeros
    since: datetime | None = None  # when the first with this address came

    def __bool__(self) -> bool:
        return bool(self.counts)


@dataclass(frozen=True)
class Past:
    """The other comments with the address of one: those that carry proof, and the rest."""

    proved: Record
    typed: Record

    @property
    def is_new(self) -> bool:
        """Whether no other comment came with this address."""
        return not (self.proved or self.typed)


def pasts(session: Session, comments: Sequence[Comment]) -> dict[int, Past]:
    """The author's past for each comment that came with an address, by the comment's id."""
    wanted = {comment.author_id for comment in comments if comment.author_id is not None}
    if not wanted:
        return {}
    groups = [(is_proved, status) for is_proved in (True, False) for status in Status]
    columns = [part for group in groups for part in (_count(*group), _first(*group))]
    found: dict[int | None, Told] = {}
    for row in session.execute(select(Author.id, *columns).where(Author.id.in_(wanted))):
        told: list[Any] = list(zip(row[1::2], row[2::2], strict=True))
        found[row[0]] = dict(zip(groups, told, strict=True))
    return {
        comment.id: Past(
            _record(comment, found[comment.author_id], True),
            _record(comment, found[comment.author_id], False),
        )
        for comment in comments
        if comment.author_id in found
    }


def _record(comment: Comment, told: Told, is_proved: bool) -> Record:
    """One of the two parts, without the comment itself."""
    counts, firsts = {}, []
    for status in Status:
        number, first = told[is_proved, status]
        is_own = (comment.is_proved, comment.status) == (is_proved, status)
        others = number - (is_own and number <= COUNTED)
        if others:
            counts[status] = others
        if others and first:
            firsts.append(first)
    return Record(counts, min(firsts, default=None))


def _count(is_proved: bool, status: Status) -> ScalarSelect[int]:
    some = (
        select(Comment.id)
        .where(_of(is_proved, status))
        .limit(COUNTED + 1)
        .correlate(Author)
        .subquery()
    )
    return select(func.count()).select_from(some).scalar_subquery()


def _first(is_proved: bool, status: Status) -> ScalarSelect[datetime]:
    oldest = select(Comment.created_at).where(_of(is_proved, status))
    return oldest.order_by(Comment.created_at).limit(1).correlate(Author).scalar_subquery()


def _of(is_proved: bool, status: Status) -> ColumnElement[bool]:
    of_author = (Comment.author_id == Author.id, Comment.is_proved == is_proved)
    return and_(*of_author, Comment.status == status)
