"""A change of one comment and its row in the log: one act, guarded by the version that was seen."""

from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from .. import folds, notices, reports
from ..accounts import Moderator
from ..models import Comment, Decision, now
from ..status import Act, Outcome, Status
from .asides import end_handovers
from .counts import keep_count, limit_pins
from .log import ANSWERS, SETTLES, Stale, latest, record

Columns = dict[str, Any]
# A text that somebody changed is no wave's any more.
UNLIKE: Columns = {"fold_digest": None, "link_domain": "", "fold_key": None}


def change(
    session: Session,
    comment: Comment,
    to: Status,
    version: int,
    by: Moderator | str,
    act: Act,
    note: str = "",
    public_note: str = "",
    undoes_id: int | None = None,
    answers: bool = False,
    at: datetime | None = None,
    **values: Any,
) -> Decision:
    """The one way in which a comment changes. Takes whether readers' reports get their outcome by
    it, as they do by every act of ANSWERS; the moment, now unless told; and the columns that change
    with the status."""
    before, fold = comment.status, comment.fold_key
    folds.lock(session, [fold])
    if "text" in values:
        values |= UNLIKE
    key = values.get("fold_key", fold)
    folded = {"is_folded": key is not None and to in folds.WAITING} if fold else {}
    guarded = (
        update(Comment)
        .where(Comment.id == comment.id, Comment.version == version)
        .values(status=to, version=Comment.version + 1, **values, **folded)
        .returning(Comment.version)
    )
    if session.scalar(guarded) is None:
        raise Stale(latest(session, comment.id))
    at = at or now()
    if (answers or act in ANSWERS) and to != Status.PENDING:
        outcome = Outcome.KEPT if to == Status.APPROVED else Outcome.REMOVED
        reports.close(session, comment.id, outcome, at)
    if act in SETTLES:
        end_handovers(session, [comment.id], at)
    session.refresh(comment, ["status", "version", "reported_at", *values])
    if fold:
        site_id = comment.site_id
        folds.regroup(session, [folds.Group(site_id, one, fold) for one in (before, to)])
        session.refresh(comment, ["is_folded"])
    if comment.pinned_at and to == Status.APPROVED != before:
        limit_pins(session, [comment.id])
        session.refresh(comment, ["pinned_at"])
    keep_count(session, comment, (to == Status.APPROVED) - (before == Status.APPROVED))
    decision = record(session, comment, before, to, by, act, note, public_note, undoes_id, at)
    notices.changed(session, comment, decision)
    return decision
