"""What moderators have to know of each other: who works where, what was decided and what came in
since a page was made, what was left to whom."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, cast, func, or_, select, true
from sqlalchemy.orm import Session, contains_eager, joinedload, load_only

from .accounts import Membership, Moderator, each_within_reach, within_reach
from .models import Comment, Decision, Handover, Site
from .moderation import CHANGES, UNDOABLE, last_shown
from .status import Role, Status

MOST = 100  # cards and new comments that are told at once
LATEST = 1_000  # decisions that are looked through for comments that were put back


@dataclass(frozen=True)
class Change:
    """A comment that is not any more what somebody saw."""

    comment: Comment
    decision: Decision | None  # what made it what it is

    @property
    def undoable(self) -> Decision | None:
        """The same, where it can be taken back."""
        return self.decision if self.decision and self.decision.act in UNDOABLE else None


@dataclass(frozen=True)
class Since:
    """The moment when a list was read: all that is later is new to whoever looks at it."""

    at: datetime
    decision_id: int


@dataclass(frozen=True)
class Left:
    """A comment that somebody left to a colleague, or to whoever has a second opinion."""

    decision: Decision  # who asked, when, and with which words
    to_id: int | None


def team(session: Session, moderator: Moderator, site_id: int) -> Sequence[Moderator]:
    """The others who may decide on a site's comments, by name."""
    works_here = or_(Membership.site_id == site_id, Membership.role == Role.ADMIN)
    members = select(Membership.moderator_id).where(works_here, Membership.removed_at.is_(None))
    return session.scalars(
        select(Moderator)
        .where(Moderator.id.in_(members), Moderator.active, Moderator.id != moderator.id)
        .order_by(Moderator.name, Moderator.id)
    ).all()


def known(session: Session, moderator: Moderator, public_ids: Collection[str]) -> Sequence[Comment]:
    """Those of the comments that are on one of the moderator's sites."""
    within = (Comment.public_id.in_(public_ids), each_within_reach(moderator, Comment.site_id))
    told = (
        Comment.public_id,
        Comment.version,
        Comment.status,
        Comment.edit_at,
        Comment.reported_at,
    )
    return session.scalars(select(Comment).where(*within).options(load_only(*told))).all()


def changes(
    session: Session, comments: Sequence[Comment], versions: Mapping[str, int]
) -> list[Change]:
    """What became of those that have another version than the one somebody saw, by public id."""
    changed = [c for c in comments if versions.get(c.public_id, c.version) != c.version]
    if not changed:
        return []
    made = session.scalars(
        select(Decision)
        .join(Decision.comment)
        .where(Comment.id.in_([comment.id for comment in changed]))
        .where(Decision.version == Comment.version, Decision.act.in_(CHANGES))
        .options(joinedload(Decision.note), contains_eager(Decision.comment))
    )
    latest = {decision.comment_id: decision for decision in made}
    return [Change(comment, latest.get(comment.id)) for comment in changed]


def since(session: Session) -> int:
    """The last decision that there is, for a list that is read in this session."""
    return last_shown(session)


def arrived(
    session: Session,
    moderator: Moderator,
    status: Status | None,
    site: str,
    since: Since,
    seen: Collection[str] = (),
) -> list[int]:
    """The ids of the comments that came into a list since then, MOST + 1 at most: new ones, edits
    that wait, and what was put back. Takes the list's status, None for what readers reported, and
    the public ids that are on the page already."""
    found: set[int] = set()
    for condition, site_id in _new(session, status, since):
        here = (condition, within_reach(moderator, site_id), _on(site, site_id))
        wanted = select(Comment.id).where(*here, Comment.public_id.not_in(seen))
        found.update(session.scalars(wanted.limit(MOST + 1)))
    return sorted(found)[: MOST + 1]


def left_of(session: Session, comment_ids: Collection[int]) -> dict[int, Left]:
    """What was left to whom, by comment."""
    found = session.execute(
        select(Handover, Decision)
        .join(Decision, Decision.id == Handover.decision_id)
        .where(Handover.comment_id.in_(comment_ids), Handover.ended_at.is_(None))
        .options(joinedload(Decision.note))
    )
    return {row.Handover.comment_id: Left(row.Decision, row.Handover.to_id) for row in found}


def count_mine(session: Session, moderator: Moderator) -> int:
    """How many comments wait for this moderator in person; MOST + 1 for more."""
    some = _mine(select(Handover.comment_id), moderator).limit(MOST + 1)
    return session.scalar(select(func.count()).select_from(some.subquery())) or 0


def mine(session: Session, moderator: Moderator) -> list[int]:
    """The ids of the comments that were left to this moderator, and of those for which others on
    their sites ask a second opinion; the longest waiting first, MOST at most."""
    order = _mine(select(Handover.comment_id), moderator)
    return list(session.scalars(order.order_by(Handover.at, Handover.comment_id).limit(MOST)))


def _mine(query: Select[int], moderator: Moderator) -> Select[int]:
    asked_by_others = and_(Handover.to_id.is_(None), Decision.moderator_id != moderator.id)
    return (
        query.join(Decision, Decision.id == Handover.decision_id)
        .join(Comment, Comment.id == Handover.comment_id)
        .where(or_(Handover.to_id == moderator.id, asked_by_others), Handover.ended_at.is_(None))
        .where(each_within_reach(moderator, Comment.site_id))
    )


def _new(
    session: Session, status: Status | None, since: Since
) -> list[tuple[ColumnElement[bool], Any]]:
    """Each a walk along an index of its own, with the column that tells the site."""
    # Said like this, no index on them fits: SQLite would walk a whole list by it for a few rows.
    its_status, site_id = cast(Comment.status, String), Comment.site_id + 0
    if status is None:
        return [(Comment.reported_at > since.at, site_id)]
    latest = session.scalar(select(func.max(Decision.id))) or 0
    put_here = (
        select(Decision.comment_id)
        .where(Decision.id > max(since.decision_id, latest - LATEST))
        .where(Decision.to_status == status, Decision.from_status != status)
    )
    came = and_(Comment.status == status, Comment.created_at > since.at)
    was_put = and_(Comment.id.in_(put_here), its_status == status.value)
    is_edited = and_(Comment.edit_at > since.at, its_status == Status.APPROVED.value)
    new: list[tuple[ColumnElement[bool], Any]] = [(came, Comment.site_id), (was_put, site_id)]
    return [*new, (is_edited, site_id)] if status == Status.PENDING else new


def _on(site: str, site_id: Any) -> ColumnElement[bool]:
    if not site:
        return true()
    key = select(Site.id).where(Site.key == site).scalar_subquery()
    return and_(site_id == key)
