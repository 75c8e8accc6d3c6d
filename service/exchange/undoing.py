"""A whole import out of the database again.

Nothing here commits: `undo` gives steps, as store.py does.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, delete, exists, func, select
from sqlalchemy.orm import Session, aliased

from .. import folds, moderation
from ..models import Article, Author, Comment, Decision
from .store import Step

REMOVED = 100  # rows a step takes out, each retracted by itself at worst


def undo(number: int) -> Iterator[Step]:
    """The steps that take back what an import brought.

    A comment that somebody decided on or answered stays as an empty place; everything else goes,
    and so do articles and authors without any comment left.
    """
    brought = select(Comment.article_id).where(
        Comment.import_id == number, Comment.source.is_not(None)
    )
    article_ids: list[int] = []
    yield lambda session: article_ids.extend(session.scalars(brought.distinct()))
    for article_id in sorted(article_ids):
        removal = _Removal(number, article_id)
        while not removal.is_done:
            yield removal.step


class _Removal:
    """Takes an import's comments out of one article, the newest first: replies before parents."""

    def __init__(self, number: int, article_id: int) -> None:
        self.number = number
        self.article_id = article_id
        self.is_done = False

    def step(self, session: Session) -> None:
        brought = (
            select(Comment.id, Comment.author_id, Comment.fold_key)
            .where(
                Comment.import_id == self.number,
                Comment.article_id == self.article_id,
                Comment.source.is_not(None),
            )
            .order_by(Comment.id.desc())
        )
        rows = session.execute(brought.limit(REMOVED)).all()
        folds.lock(session, (row.fold_key for row in rows))
        free = _removable(session, [row.id for row in rows])
        for row in rows:
            if row.id not in free:
                moderation.retract(session, session.get_one(Comment, row.id))
        session.flush()
        left = folds.groups_of(session, free)
        session.execute(delete(Comment).where(Comment.id.in_(free)))
        folds.regroup(session, left)
        _remove_lonely_authors(session, {row.author_id for row in rows} - {None})
        if len(rows) < REMOVED:
            self._finish(session)

    def _finish(self, session: Session) -> None:
        is_empty = ~exists().where(Comment.article_id == self.article_id)
        coming = aliased(Article)  # another, about to become part of this one
        is_empty &= ~exists().where(coming.merges_into_id == self.article_id)
        emptied = delete(Article).where(Article.id == self.article_id, is_empty)
        if session.execute(emptied.returning(Article.id)).first() is None:
            moderation.recount(session, self.article_id)
        self.is_done = True


def _removable(session: Session, ids: Sequence[int]) -> set[int]:
    """Of these, newest first, the ones on which nothing rests: no decision, no reply that stays."""
    decided = set(session.scalars(select(Decision.comment_id).where(Decision.comment_id.in_(ids))))
    replies: dict[int | None, list[int]] = {}
    answering = select(Comment.id, Comment.parent_id).where(Comment.parent_id.in_(ids))
    for row in session.execute(answering):
        replies.setdefault(row.parent_id, []).append(row.id)
    free: set[int] = set()
    for id in ids:
        if id not in decided and free.issuperset(replies.get(id, ())):
            free.add(id)
    return free


def _remove_lonely_authors(session: Session, ids: set[int]) -> None:
    is_lonely = ~exists().where(Comment.author_id == Author.id)
    session.execute(delete(Author).where(Author.id.in_(ids), is_lonely))


@dataclass(frozen=True)
class Left:
    """What stays of an undone import: comments as empty places, and answers to these by others."""

    places: int
    replies: int


def left_of(session: Session, number: int) -> Left:
    """What is there of an import that was undone."""
    reply = aliased(Comment)
    is_anothers = (reply.import_id != number) | reply.import_id.is_(None)
    answers = select(func.count()).join(Comment, Comment.id == reply.parent_id)
    answers = answers.select_from(reply)
    places = session.scalar(count_of(number)) or 0
    replies = session.scalar(answers.where(Comment.import_id == number, is_anothers)) or 0
    return Left(places, replies)


def count_of(number: int) -> Select[int]:
    """Counts the comments of an import, with those that stand as empty places."""
    return select(func.count()).where(Comment.import_id == number)
