"""The ledger: what every rule said of a comment, each time that it was asked. Only added to."""

from collections.abc import Collection, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..models import Comment, Judgement, Reason
from ..rules import History, Verdict
from ..status import Occasion
from . import phrases


def reasons(verdict: Verdict) -> list[Reason]:
    """Rows for what fired, to be stored with the comment."""
    return [Reason(rule=fired.rule, matched=fired.matched) for fired in verdict.reasons]


def judged(
    session: Session, comment: Comment, verdict: Verdict, known: History, occasion: Occasion
) -> None:
    """Puts a verdict on a stored comment down in the ledger, and counts the phrases that it names,
    each once for a comment."""
    if occasion in (Occasion.POSTED, Occasion.EDITED):
        earlier = select(Judgement.reasons).where(Judgement.comment_id == comment.id)
        told = {tuple(reason) for row in session.scalars(earlier) for reason in row}
        phrases.hit(session, comment.site_id, verdict, told)
    session.add(_row(comment.site_id, verdict, known, occasion, comment.id))


def refused(session: Session, site_id: int, verdict: Verdict, known: History) -> None:
    """Puts down that another wording was asked for. What was sent is not kept."""
    phrases.hit(session, site_id, verdict)
    session.add(_row(site_id, verdict, known, Occasion.REFUSED))


def verdicts(session: Session, comment_id: int) -> Sequence[Judgement]:
    """Every verdict on a comment, oldest first."""
    of_it = select(Judgement).where(Judgement.comment_id == comment_id)
    return session.scalars(of_it.order_by(Judgement.id)).all()


def refusals(session: Session, site_id: int, before: int | None, size: int) -> Sequence[Judgement]:
    """When a site asked for another wording, newest first. Takes the number of the one to begin
    behind (None: the newest), and how many."""
    found = select(Judgement).where(Judgement.comment_id.is_(None), Judgement.site_id == site_id)
    if before is not None:
        found = found.where(Judgement.id < before)
    return session.scalars(found.order_by(Judgement.id.desc()).limit(size)).all()


def latest(session: Session, comment_ids: Collection[int]) -> dict[int | None, Judgement]:
    """The last verdict on each of these comments, by the comment's id."""
    of_each = select(func.max(Judgement.id)).where(Judgement.comment_id.in_(comment_ids))
    ids = of_each.group_by(Judgement.comment_id).scalar_subquery()
    found = session.scalars(select(Judgement).where(Judgement.id.in_(ids)))
    return {row.comment_id: row for row in found}


def _row(
    site_id: int,
    verdict: Verdict,
    known: History,
    occasion: Occasion,
    comment_id: int | None = None,
) -> Judgement:
    return Judgement(
        site_id=site_id,
        comment_id=comment_id,
        occasion=occasion,
        status="" if comment_id is None else verdict.status.value,
        reasons=[[fired.rule, fired.status.value, fired.matched] for fired in verdict.reasons],
        chance=None if known.chance is None else round(100 * known.chance),
        telling=list(known.telling),
    )
