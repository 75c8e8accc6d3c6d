"""What became of somebody's own comment: published, or not. Never that it is taken for spam: to its
author such a comment waits (hard rule 2)."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from .. import letters
from ..models import Decision, Follow, Letter, Site, now
from ..status import Act, LetterKind, LetterState, Status
from .news import Commented

# What its author hears of a comment with this status; of the others nothing.
WORDS = {
    Status.APPROVED: LetterKind.PUBLISHED,
    Status.REJECTED: LetterKind.REFUSED,
    Status.DELETED: LetterKind.REFUSED,
}
OWN = (Act.EDITED, Act.WITHDRAWN, Act.RETRACTED)  # no moderator's word on it


def rows(
    session: Session, comments: Sequence[Commented], moved: Mapping[int, Decision]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The letters to the authors of decided comments, each with its site. Takes the decision on
    each, by the comment's id."""
    proved = [one for one in comments if one.is_proved and one.author_id and is_word(moved[one.id])]
    if not proved:
        return
    follows = _follows(session, proved)
    said = last_words(session, [one.id for one in proved])
    for one in proved:
        decision = moved[one.id]
        kind = WORDS[decision.to_status]
        follow = follows.get((one.author_id, one.id, None)) or follows.get(
            (one.author_id, None, one.article_id)
        )
        if follow is None or said[one.id] == {kind}:
            continue
        window = letters.undo_window(session.get_one(Site, one.site_id))
        yield (
            one.site_id,
            {
                "kind": kind,
                "cause_key": f"{kind} {one.id} {decision.id}",
                "due_at": decision.at + window,
                "author_id": one.author_id,
                "comment_id": one.id,
                "article_id": one.article_id,
                "decision_id": decision.id,
                "follow_id": follow.id,
                "language": follow.language,
            },
        )


def is_word(decision: Decision) -> bool:
    """Whether a decision changes what the author of a comment hears of it."""
    if decision.act in OWN or decision.to_status not in WORDS:
        return False
    return WORDS.get(decision.from_status) != WORDS[decision.to_status]


def last_words(
    session: Session, comment_ids: Collection[int], without: int = 0, at: datetime | None = None
) -> dict[int, set[LetterKind | None]]:
    """What the authors of comments last heard of each. What is on its way at this moment may be
    that too, whatever was decided since. Takes a letter that is left out."""
    at = at or now()
    gone = or_(Letter.state == LetterState.SENT, Letter.claimed_until > at)
    about = (Letter.comment_id.in_(comment_ids), Letter.kind.in_(set(WORDS.values())))
    told = select(Letter.comment_id, Letter.kind, Letter.state).where(*about, gone)
    told = told.where(Letter.id != without).order_by(Letter.sent_at, Letter.id)
    heard = _first_words(session, comment_ids)
    coming: dict[int | None, set[LetterKind]] = defaultdict(set)
    for comment_id, kind, state in session.execute(told):
        if state == LetterState.SENT and comment_id is not None:
            heard[comment_id] = kind
        else:
            coming[comment_id].add(kind)
    return {id: {heard[id], *coming[id]} for id in comment_ids}


def _first_words(session: Session, comment_ids: Collection[int]) -> dict[int, LetterKind | None]:
    """What they saw when they had posted: that it is public, or that it waits."""
    first = select(func.min(Decision.id)).where(Decision.comment_id.in_(comment_ids))
    began = select(Decision.comment_id).where(
        Decision.id.in_(first.group_by(Decision.comment_id)),
        Decision.from_status == Status.APPROVED,
    )
    public = set(session.scalars(began))
    return {id: LetterKind.PUBLISHED if id in public else None for id in comment_ids}


def _follows(
    session: Session, comments: Sequence[Commented]
) -> dict[tuple[int | None, int | None, int | None], Follow]:
    """What the authors of comments follow, if it is these or their articles; nobody ends one of these
    before the letter about it is written."""
    here = or_(
        Follow.comment_id.in_({one.id for one in comments}),
        Follow.article_id.in_({one.article_id for one in comments}),
    )
    theirs = (Follow.author_id.in_({one.author_id for one in comments}), here)
    confirmed = select(Follow).where(*theirs, Follow.confirmed_at.is_not(None)).order_by(Follow.id)
    found = session.scalars(confirmed.with_for_update(read=True, key_share=True))
    return {(follow.author_id, follow.comment_id, follow.article_id): follow for follow in found}
