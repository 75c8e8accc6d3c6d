"""The queue, scored anew after the filter has learned: what waits gets another place in it, and
never another status. What was said when a comment was posted stays as it is in the ledger: a row
behind it tells what the filter said when it last looked, and is brought up to date.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ..models import Comment, Judgement, Knowledge, now
from ..rules import GRAVITY, NAMED, Fired, Verdict, risk
from ..status import Occasion, Status
from ..vault import Vault
from . import filter, ledger

BATCH = 25  # comments that are scored in one turn


@dataclass(frozen=True)
class Rescored:
    """A pending comment's new place in the queue."""

    comment_id: int
    version: int  # that was scored; another one has another text
    score: filter.Score
    risk: int


@dataclass(frozen=True)
class Turn:
    """A part of what waits on a site. `start`: where a turn before has ended; 0 is the beginning."""

    site_id: int
    start: int
    end: int  # 0: nothing is left behind it
    rescored: Sequence[Rescored]


def plan(session: Session, vault: Vault, site_id: int) -> Turn | None:
    """The next comments to be scored anew; None if nothing was learned since all were."""
    knowledge = session.get(Knowledge, site_id)
    if knowledge is None or knowledge.learned_at is None:
        return None
    start, began = knowledge.last_rescored_id, knowledge.rescored_at
    if not start and began is not None and knowledge.learned_at <= began:
        return None
    totals = filter.totals_of(session, site_id)
    if not filter.is_ready(totals):
        return None
    waits = select(Comment).where(Comment.site_id == site_id, Comment.status == Status.PENDING)
    batch = session.scalars(waits.where(Comment.id > start).order_by(Comment.id).limit(BATCH)).all()
    found = {
        c.id: filter.looked_at(vault, site_id, c.name, c.website, c.text) for c in batch if c.text
    }
    hashes = {one.hash for each in found.values() for one in each}
    known = filter.known_of(session, site_id, hashes)
    before = ledger.latest(session, list(found))
    rescored = [
        Rescored(
            comment.id,
            comment.version,
            score := filter.weigh(found[comment.id], known, totals, _typed(comment)),
            risk(_verdict(comment, before.get(comment.id)), score.chance),
        )
        for comment in batch
        if comment.id in found
    ]
    end = batch[-1].id if len(batch) == BATCH else 0
    return Turn(site_id, start, end, rescored)


def write(session: Session, turn: Turn) -> None:
    """Gives the comments of a turn their new places, but for those that changed meanwhile."""
    knowledge = session.get_one(Knowledge, turn.site_id, with_for_update=True)
    if knowledge.last_rescored_id != turn.start:
        return  # another process was faster
    if not turn.start:
        knowledge.rescored_at = now()
    knowledge.last_rescored_id = turn.end
    done = []
    for one in turn.rescored:
        same = (Comment.id == one.comment_id, Comment.version == one.version)
        placed = update(Comment).where(*same).values(risk=one.risk).returning(Comment.id)
        if session.scalar(placed.execution_options(synchronize_session=False)) is not None:
            done.append(one)
    last = ledger.latest(session, [one.comment_id for one in done])
    for one in done:
        before = last.get(one.comment_id)  # none if imported, or older than the ledger
        row = before
        if row is None or row.occasion != Occasion.LEARNED:
            row = Judgement(
                site_id=turn.site_id,
                comment_id=one.comment_id,
                occasion=Occasion.LEARNED,
                status=Status.PENDING.value,
                reasons=before.reasons if before else [],
            )
            session.add(row)
        row.at, row.chance = now(), round(100 * one.score.chance)
        row.telling = list(one.score.telling)


def _typed(comment: Comment) -> str:
    return f"{comment.text} {comment.name} {comment.website}"


def _verdict(comment: Comment, last: Judgement | None) -> Verdict:
    """What the rules said of a comment that waits, as far as they are still there."""
    if last is None:
        fired = [Fired(reason.rule, matched=reason.matched) for reason in comment.reasons]
    else:
        fired = [Fired(name, Status(to), matched) for name, to, matched in last.reasons]
    # What the filter said before is asked anew.
    known = tuple(one for one in fired if one.rule in NAMED and one.rule != "learned")
    status = max((one.status for one in known), key=GRAVITY.index, default=Status.PENDING)
    return Verdict(status, known)
