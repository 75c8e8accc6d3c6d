"""One decision on many comments at once: a batch of a job, and taking one back."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, case, func, insert, literal, null, or_, select, update
from sqlalchemy.orm import Session, aliased

from .. import folds, notices, reports
from ..accounts import Moderator, each_within_reach
from ..models import Article, Comment, Decision, now
from ..status import Act, Outcome, Status
from .asides import end_handovers, reopen_handovers
from .counts import limit_pins
from .log import ANSWERS, CHANGES, SETTLES, UNDOABLE


def decide_many(
    session: Session, seen: Mapping[int, int], to: Status, moderator: Moderator, bulk_id: int
) -> int:
    """Gives many comments another status at once: a batch of a job.

    Takes the version of each that was seen, by the comment's id. Returns how many were decided.
    The others stay as they are: those that changed since, are on no site of the moderator's, have
    that status already, have an edit waiting, or of which nothing is left.

    Raises OperationalError where somebody is writing to one of them at this very moment
    (PostgreSQL): it never waits while it holds others, and so never stands in a circle.
    """
    found = [
        row
        for row in _take_many(session, seen, moderator)
        if row.version == seen[row.id] and not row.waits and not row.is_empty
    ]
    changed = [row for row in found if row.status != to]
    kept = [r for r in found if r.status == to == Status.APPROVED and r.reported_at]
    at = now()
    _change_many(session, changed, to, moderator, Act.DECIDED, bulk_id, at)
    _change_many(session, kept, to, moderator, Act.KEPT, bulk_id, at)
    return len(changed) + len(kept)


def undo_many(
    session: Session, decision_ids: Collection[int], moderator: Moderator, bulk_id: int
) -> int:
    """Takes many decisions back at once, each only if it is still its comment's latest.

    Returns how many. Raises as decide_many() does.
    """
    told = (Decision.id, Decision.comment_id, Decision.act, Decision.version, Decision.at)
    found = select(*told, Decision.from_status, Decision.to_status)
    decisions = {
        decision.comment_id: decision
        for decision in session.execute(found.where(Decision.id.in_(decision_ids)))
    }
    rows = _take_many(session, decisions, moderator)
    changes = (Decision.comment_id.in_(decisions), Decision.act.in_(CHANGES))
    last = select(func.max(Decision.id)).where(*changes).group_by(Decision.comment_id)
    latest_ids = set(session.scalars(last))
    back: dict[Status, list[_Row]] = defaultdict(list)
    for row in rows:
        decision = decisions[row.id]
        is_last = decision.id in latest_ids and decision.version == row.version
        is_of_status = decision.from_status != decision.to_status
        if is_last and is_of_status and decision.act in UNDOABLE:
            back[decision.from_status].append(row)
    undone = [row.id for group in back.values() for row in group]
    notices.undone(session, undone, [decisions[id].id for id in undone])
    reports.reopen_many(session, undone, {decisions[id].at for id in undone})
    at = now()
    for to, group in back.items():
        undoes = [decisions[row.id].id for row in group]
        _change_many(session, group, to, moderator, Act.UNDONE, bulk_id, at, undoes)
    reopen_handovers(session, undone, {decisions[id].at for id in undone})
    return len(undone)


class _Row(NamedTuple):
    """What a batch has to know of a comment."""

    id: int
    article_id: int
    root_id: int | None
    status: Status
    version: int
    reported_at: datetime | None
    site_id: int
    fold_key: str | None
    is_folded: bool
    waits: bool  # an edit does
    is_empty: bool


def _take_many(session: Session, comment_ids: Collection[int], moderator: Moderator) -> list[_Row]:
    """The comments of a batch within the moderator's reach, by id; until the end of the transaction
    nobody else changes them, or what is counted with them: their articles and their threads' first
    comments. All are taken in the order of their ids, and none is waited for."""
    within = (Comment.id.in_(comment_ids), each_within_reach(moderator, Comment.site_id))
    folds.lock(session, session.scalars(select(Comment.fold_key).where(*within).distinct()))
    firsts = select(Comment.root_id).where(*within, Comment.root_id.is_not(None))
    first_ids = set(session.scalars(firsts))
    found = session.execute(
        select(
            *(Comment.id, Comment.article_id, Comment.root_id),
            *(Comment.status, Comment.version, Comment.reported_at),
            *(Comment.site_id, Comment.fold_key, Comment.is_folded),
            and_(Comment.status == Status.APPROVED, Comment.edit_at.is_not(None)).label("waits"),
            and_(Comment.status == Status.DELETED, Comment.html == "").label("is_empty"),
        )
        .where(or_(and_(*within), Comment.id.in_(first_ids)))
        .order_by(Comment.id)
        .with_for_update(nowait=True)
    ).all()
    wanted = set(comment_ids)
    articles = select(Article.id).where(Article.id.in_({row.article_id for row in found}))
    session.execute(articles.order_by(Article.id).with_for_update(nowait=True)).all()
    return [_Row(*row) for row in found if row.id in wanted]


def _change_many(
    session: Session,
    rows: Collection[_Row],
    to: Status,
    by: Moderator,
    act: Act,
    bulk_id: int,
    at: datetime,
    undoes: Collection[int] = (),
) -> None:
    """change() for many at once, which _take_many() has taken. An undo takes the decisions' ids."""
    if not rows:
        return
    ids = [row.id for row in rows]
    # The log first, while the comments still say what they were; undoes_id comes from a join.
    columns = {
        Decision.comment_id: Comment.id,
        Decision.moderator_id: literal(by.id),
        Decision.by: literal(by.name),
        Decision.act: literal(act, Decision.act.type),
        Decision.from_status: Comment.status,
        Decision.to_status: literal(to, Decision.to_status.type),
        Decision.version: Comment.version + 1,
        Decision.at: literal(at, Decision.at.type),
        Decision.bulk_id: literal(bulk_id),
        Decision.network: literal(by.came_from),
    }
    undone = aliased(Decision)
    log = select(*columns.values(), undone.id if undoes else null())
    if (
        undoes
    ):  # from these, and not the comments: SQLite would look for each of one among the other
        log = log.select_from(undone).join(Comment, Comment.id == undone.comment_id)
        log = log.where(undone.id.in_(undoes))
    else:
        log = log.where(Comment.id.in_(ids))
    log = log.order_by(Comment.id)
    session.execute(insert(Decision).from_select([*columns, Decision.undoes_id], log))
    session.execute(
        update(Comment)
        .where(Comment.id.in_(ids))
        .values(
            status=to,
            version=Comment.version + 1,
            is_folded=Comment.fold_key.is_not(None) if to in folds.WAITING else False,
        )
        .execution_options(synchronize_session=False)
    )
    moved = [row for row in rows if row.fold_key]
    left = {(r.site_id, r.status, r.fold_key or "") for r in moved if not r.is_folded}
    reached = {(r.site_id, to, r.fold_key or "") for r in moved if to in folds.WAITING}
    folds.regroup(session, [folds.Group(*group) for group in left | reached])
    if act in ANSWERS and to != Status.PENDING:
        outcome = Outcome.KEPT if to == Status.APPROVED else Outcome.REMOVED
        reports.close_many(session, ids, outcome, at)
    if act in SETTLES:
        end_handovers(session, ids, at)
    if to == Status.APPROVED:
        limit_pins(session, [row.id for row in rows if row.status != to])
    _count_many(session, rows, to)
    notices.changed_many(session, ids, at)


def _count_many(session: Session, rows: Collection[_Row], to: Status) -> None:
    """keep_count() for many at once."""
    changes: Counter[int] = Counter()
    below: Counter[int] = Counter()
    for row in rows:
        change = (to == Status.APPROVED) - (row.status == Status.APPROVED)
        changes[row.article_id] += change
        if row.root_id is not None:
            below[row.root_id] += change
    for change, ids in _by_change(changes).items():
        proved = case((Article.title == "", False), else_=True) if change > 0 else None
        session.execute(
            update(Article)
            .where(Article.id.in_(ids))
            .values(
                approved_count=Article.approved_count + change,
                version=Article.version + 1,
                is_title_proved=Article.is_title_proved if proved is None else proved,
            )
            .execution_options(synchronize_session=False)
        )
    for change, ids in _by_change(below).items():
        session.execute(
            update(Comment)
            .where(Comment.id.in_(ids))
            .values(approved_below=Comment.approved_below + change)
            .execution_options(synchronize_session=False)
        )


def _by_change(changes: Counter[int]) -> dict[int, list[int]]:
    """Those that change by the same number together, so that one statement does for them."""
    by_change: dict[int, list[int]] = defaultdict(list)
    for id, change in changes.items():
        if change:
            by_change[change].append(id)
    return by_change
