"""Whose name a new comment's could be taken for: staff's, or a proved author's."""

from sqlalchemy import literal_column, or_, select
from sqlalchemy.orm import Session

from ..accounts import Membership, Moderator
from ..models import Author, Comment, Site
from ..rules import Policy
from ..rules.names import is_like, look_alike, skeletons
from ..text import ANONYMOUS
from .arrival import Arrival, Facts

LOOKED_AT = 1_000  # of the newest proved comments


def resembled(session: Session, arrival: Arrival, policy: Policy) -> Facts:
    """Names the person as moderators and readers know them: a name that only its owner's colleagues
    know is told as "staff". A proved author's own name is nobody else's."""
    if arrival.name == ANONYMOUS or not any(skeletons(arrival.name)):
        return {}
    if staff := _of_staff(session, arrival):
        return {"resembled": staff}
    proved = _of_proved(session, arrival)
    return {"resembled": proved} if proved else {}


def _of_staff(session: Session, arrival: Arrival) -> str:
    """Of everybody with a role on the site, and of the site, under whose name they answer."""
    site_name = session.scalar(select(Site.name).where(Site.id == arrival.site_id)) or ""
    if look_alike(arrival.name, site_name):
        return f"“{site_name}” (the site)"
    here = or_(Membership.site_id == arrival.site_id, Membership.site_id.is_(None))
    people = session.execute(
        select(Moderator.name, Moderator.staff_name)
        .join(Membership, Membership.moderator_id == Moderator.id)
        .where(here, Membership.removed_at.is_(None), Moderator.active)
    )
    for name, public_name in people:
        if look_alike(arrival.name, public_name):
            return f"“{public_name}” (staff)"
        if look_alike(arrival.name, name):
            return "staff"
    return ""


def _of_proved(session: Session, arrival: Arrival) -> str:
    newest = (
        select(Comment.name, Comment.author_id)
        .where(
            Comment.site_id == arrival.site_id,
            Comment.is_proved.is_(True),
            Comment.status == literal_column("'approved'"),
            Comment.author_id.is_not(None),
            Comment.name != ANONYMOUS,
            *(() if arrival.own_id is None else (Comment.id != arrival.own_id,)),
        )
        .order_by(Comment.id.desc())
        .limit(LOOKED_AT)
        .subquery()
    )
    # A name once, with all who had it: those that a thousand comments have are few.
    named = select(newest.c.name, newest.c.author_id).distinct()
    looks = skeletons(arrival.name)
    alike = [(name, whose) for name, whose in session.execute(named) if is_like(looks, name)]
    if not alike or (arrival.is_proved and _own(session, arrival) in {whose for _, whose in alike}):
        return ""
    return f"“{min(alike)[0]}” (a proved author)"


def _own(session: Session, arrival: Arrival) -> int | None:
    theirs = (Author.site_id == arrival.site_id, Author.email_index == arrival.email_index)
    return session.scalar(select(Author.id).where(*theirs))
