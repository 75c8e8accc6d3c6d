"""What is known about a new comment from the database, when it is judged: put together from parts.

Each part reads a few facts of rules.History for an arrival, in a short query or two: all of it runs
in the transaction that stores the comment.
"""

from collections.abc import Callable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..models import Comment
from ..rules import History, Policy
from . import authors, filter, flood, names, near, tokens, waves
from .arrival import Arrival, Facts

Part = Callable[[Session, Arrival, Policy], Facts]


def history(session: Session, arrival: Arrival, policy: Policy) -> History:
    """All that rules are told of an arrival."""
    facts: Facts = {}
    for part in PARTS:
        facts |= part(session, arrival, policy)
    return History(**facts)


def the_article(session: Session, arrival: Arrival, policy: Policy) -> Facts:
    article = arrival.article
    return {
        "is_article_known": article is not None and article.approved_count > 0,
        "is_article_held": article is not None and article.held_at is not None,
    }


def the_ban(session: Session, arrival: Arrival, policy: Policy) -> Facts:
    ban = arrival.ban
    return {"ban": ban.kind, "ban_reason": ban.reason} if ban else {}


def same_words(session: Session, arrival: Arrival, policy: Policy) -> Facts:
    """How often the same words were posted on the site; one's own are no repetition."""
    same = select(func.count()).where(
        Comment.site_id == arrival.site_id,
        Comment.text_digest == arrival.text_digest,
        Comment.created_at <= arrival.at,
        *(() if arrival.own_id is None else (Comment.id != arrival.own_id,)),
    )
    return {"repeats": session.scalar(same) or 0}


def a_wave(session: Session, arrival: Arrival, policy: Policy) -> Facts:
    article_id = arrival.article.id if arrival.article else None
    return {"is_wave": waves.current(session, arrival.site_id, article_id) is not None}


def the_filter(session: Session, arrival: Arrival, policy: Policy) -> Facts:
    """Asked before the transaction began: nobody waits at the lock while words are weighed."""
    return filter.facts(arrival.score)


PARTS: tuple[Part, ...] = (
    the_article,
    the_ban,
    authors.proved,
    same_words,
    near.likeness,
    names.resembled,
    tokens.reused,
    flood.before,
    a_wave,
    the_filter,
)
