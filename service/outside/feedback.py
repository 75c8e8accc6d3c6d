"""Tells Akismet where moderators decided otherwise than it said, from the log of decisions.

How far it has come stands in `knowledge.last_feedback_id`, which moves on only past what was told
or needs no telling. Told twice, by two workers at once, is told once too often and no harm.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import Author, Comment, Decision, Judgement, Knowledge, Site, now
from ..status import Act, Occasion, Status
from ..vault import Hidden, Vault, WrongKey
from .choice import Choice
from .question import Question

SETTLED = timedelta(minutes=5)  # until then it may be undone, and its row may be seen too late
TOO_OLD = timedelta(days=7)  # told later, it is of no use
WINDOW = 500  # decisions looked at in one go
TELLING = (Status.SPAM, Status.APPROVED)


@dataclass(frozen=True)
class Told:
    """Something to tell: it is done with when the log is read as far as `decision_id`."""

    decision_id: int
    question: Question = field(repr=False)
    is_spam: bool


def pending(
    session: Session, vault: Vault, site: Site, choice: Choice
) -> tuple[list[Told], int | None]:
    """What is to be told next, and the last decision that was looked at (None: there is none)."""
    known = session.get(Knowledge, site.id)
    after = known.last_feedback_id if known else 0
    newest = select(Decision).where(Decision.id > after, Decision.at <= now() - SETTLED)
    window = session.scalars(newest.order_by(Decision.id).limit(WINDOW)).all()
    telling = [d for d in _of_site(session, window, site) if _is_to_be_told(session, d, choice)]
    told = [
        Told(d.id, _question(session, vault, site, d.comment, choice), d.to_status == Status.SPAM)
        for d in telling
    ]
    return told, window[-1].id if window else None


def advance(session: Session, site_id: int, to: int) -> None:
    """Remembers how far the log was read; never goes back."""
    known = session.get(Knowledge, site_id)
    if known is None:
        known = Knowledge(site_id=site_id, last_feedback_id=0)
        session.add(known)
    known.last_feedback_id = max(known.last_feedback_id, to)


def _of_site(session: Session, window: Sequence[Decision], site: Site) -> list[Decision]:
    ids = {decision.comment_id for decision in window}
    here = select(Comment.id).where(Comment.id.in_(ids), Comment.site_id == site.id)
    theirs = set(session.scalars(here))
    return [decision for decision in window if decision.comment_id in theirs]


def _is_to_be_told(session: Session, decision: Decision, choice: Choice) -> bool:
    """Whether a moderator decided, it still stands, and Akismet thinks otherwise as yet."""
    comment, since = decision.comment, choice.akismet.since
    is_a_person_s = decision.moderator_id is not None and decision.act in (Act.DECIDED, Act.UNDONE)
    stands = decision.to_status in TELLING and comment.status == decision.to_status
    is_known = since is not None and comment.created_at >= since and comment.import_id is None
    is_fresh = decision.at > now() - TOO_OLD and bool(comment.text)
    if not (is_a_person_s and stands and is_known and is_fresh):
        return False
    return _thinks_spam(session, decision) != (decision.to_status == Status.SPAM)


def _thinks_spam(session: Session, decision: Decision) -> bool:
    """What Akismet said of a comment, or was told of it last."""
    earlier = select(Decision.to_status).where(
        Decision.comment_id == decision.comment_id,
        Decision.id < decision.id,
        Decision.moderator_id.is_not(None),
        Decision.to_status.in_(TELLING),
        Decision.act.in_((Act.DECIDED, Act.UNDONE)),
        Decision.at <= decision.at,
    )
    if before := session.scalar(earlier.order_by(Decision.id.desc()).limit(1)):
        return before == Status.SPAM
    newest = select(Judgement.reasons).where(
        Judgement.comment_id == decision.comment_id,
        Judgement.occasion.in_((Occasion.POSTED, Occasion.EDITED)),
    )
    reasons = session.scalar(newest.order_by(Judgement.id.desc()).limit(1)) or []
    return any(reason[0] == "akismet" for reason in reasons)


def _question(
    session: Session, vault: Vault, site: Site, comment: Comment, choice: Choice
) -> Question:
    author = session.get(Author, comment.author_id) if comment.author_id else None
    email = ""
    if author and choice.akismet.tells_email:
        hidden = Hidden(author.email_index, author.email_ciphertext, author.email_key_id)
        try:
            email = vault.reveal(hidden, site.id)
        except WrongKey:
            email = ""
    return Question(
        site=site.key,
        blog=site.origins[0],
        url=comment.article.url,
        name=comment.name,
        website=comment.website,
        text=comment.text,
        language=comment.language,
        network=comment.network,
        email=email,
    )
