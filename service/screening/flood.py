"""How many comments came just before one: from its address, from its network, under its article.

Each count stops as soon as it is too many for the site. Staff's replies and imports are none.
"""

from datetime import timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from ..models import Author, Comment
from ..rules import Policy, Rule, flood
from ..status import Mark, Status
from .arrival import Arrival, Facts

# Of a network's newest comments on all sites: so many are looked at, however large it is.
LOOKED_AT = 500
EVERY = list(Status)  # said in full: an index that has the status before the time is walked then


def before(session: Session, arrival: Arrival, policy: Policy) -> Facts:
    return {
        "from_address": _count(
            session, arrival, policy, flood.ADDRESS, *_same_address(session, arrival)
        ),
        "from_network": _count(
            session, arrival, policy, flood.NETWORK, *_same_network(session, arrival)
        ),
        "under_article": _count(session, arrival, policy, flood.ARTICLE, *_same_article(arrival)),
    }


def _same_address(session: Session, arrival: Arrival) -> tuple[ColumnElement[bool], ...]:
    """An address that was only typed speaks against who types it, and never against its owner
    (hard rule 1): a comment with proof is counted with those that have it too."""
    if arrival.email_index is None:
        return ()
    author_id = session.scalar(
        select(Author.id).where(
            Author.site_id == arrival.site_id, Author.email_index == arrival.email_index
        )
    )
    if author_id is None:
        return ()
    proved = [True] if arrival.is_proved else [False, True]
    return (
        Comment.author_id == author_id,
        Comment.is_proved.in_(proved),
        Comment.status.in_(EVERY),
    )


def _same_network(session: Session, arrival: Arrival) -> tuple[ColumnElement[bool], ...]:
    """Of the newest, by their ids: as a condition within the count SQLite walks the whole site."""
    if not arrival.network:
        return ()
    newest = select(Comment.id).where(Comment.network == arrival.network, Comment.network != "")
    if arrival.own_id is not None:
        newest = newest.where(Comment.id < arrival.own_id)
    newest = newest.order_by(Comment.id.desc()).limit(LOOKED_AT)
    return (Comment.id.in_(list(session.scalars(newest))), Comment.site_id == arrival.site_id)


def _same_article(arrival: Arrival) -> tuple[ColumnElement[bool], ...]:
    if arrival.article is None or arrival.article.id is None:
        return ()
    return (Comment.article_id == arrival.article.id, Comment.status.in_(EVERY))


def _count(
    session: Session,
    arrival: Arrival,
    policy: Policy,
    rule: Rule,
    *same: ColumnElement[bool],
) -> int:
    """How many there were within a rule's minutes, up to one more than it lets pass."""
    if not same or not rule.is_asked(policy):
        return 0
    numbers = rule.chosen(policy)
    found = select(Comment.id).where(
        *same,
        Comment.created_at > arrival.at - timedelta(minutes=numbers["minutes"]),
        Comment.created_at <= arrival.at,
        Comment.mark != Mark.STAFF,
        Comment.import_id.is_(None),
    )
    if arrival.own_id is not None:
        found = found.where(Comment.id != arrival.own_id)
    few = found.limit(numbers["most"] + 1).subquery()
    return session.scalar(select(func.count()).select_from(few)) or 0
