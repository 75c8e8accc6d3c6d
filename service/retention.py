"""What a site keeps only for a time: texts that are not published, and the networks of readers.

Who looks goes through a site's unpublished texts in short steps along an index that holds only
those, since what counts is when each was decided on, and the log says that. Each text is emptied as
if it were withdrawn: its row in the log says that it was and after how many days (hard rule 12).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, func, or_, select, text, update
from sqlalchemy.orm import Session

from . import moderation
from .models import Comment, Decision, Import, Site
from .site_settings import SiteSettings

LOOKED_AT = 500  # comments in one step
FORGOTTEN = 200  # networks in one transaction
# In the words of their indexes, which no database uses for a condition with parameters.
UNPUBLISHED = text("status IN ('rejected', 'spam', 'deleted') AND html <> ''")
NETWORKED = text("network <> ''")


class Place(NamedTuple):
    """Where a walk has come to: behind a comment of a site, or at the site's first."""

    site_id: int = 0
    created_at: datetime | None = None
    id: int = 0


@dataclass(frozen=True)
class Step:
    """Comments whose time is over, that of their site, and where the walk goes on; None at its end."""

    ids: Sequence[int]
    days: int
    before: datetime  # nothing may have been decided on them since
    later: Place | None


def step(session: Session, place: Place, at: datetime) -> Step | None:
    """What to empty of the next unpublished texts; None if no site has any more."""
    site = session.scalar(select(Site).where(Site.id >= place.site_id).order_by(Site.id).limit(1))
    if site is None:
        return None
    days = SiteSettings.read(site.settings).refused_days
    before, later = at - timedelta(days=days), Place(site.id + 1)
    if not days:
        return Step((), days, before, later)
    here = place if place.site_id == site.id else Place(site.id)
    rows = session.execute(
        select(Comment.id, Comment.created_at, Comment.import_id)
        .where(Comment.site_id == site.id, UNPUBLISHED, Comment.created_at <= before)
        .where(Comment.report_count == 0, Comment.reported_at.is_(None), *_behind(here))
        .order_by(Comment.created_at, Comment.id)
        .limit(LOOKED_AT)
    ).all()
    if len(rows) == LOOKED_AT:
        later = Place(site.id, rows[-1].created_at, rows[-1].id)
    ids = [row.id for row in rows]
    lately = _decided_since(session, ids, before)
    brought = _imported_since(session, {row.import_id for row in rows}, before)
    due = [r.id for r in rows if r.id not in lately and r.import_id not in brought]
    return Step(due, days, before, later)


def networks(session: Session, at: datetime) -> Sequence[int]:
    """Some comments that came from networks longer ago than their site keeps these."""
    for site in session.scalars(select(Site).order_by(Site.id)):
        before = at - timedelta(days=SiteSettings.read(site.settings).network_days)
        old = select(Comment.id).where(Comment.site_id == site.id, NETWORKED)
        old = old.where(Comment.created_at <= before).order_by(Comment.created_at, Comment.id)
        if ids := session.scalars(old.limit(FORGOTTEN)).all():
            return ids
    return ()


def forget_networks(session: Session, ids: Sequence[int]) -> None:
    """These came from nowhere any more. Nothing that is public changes."""
    erased = update(Comment).where(Comment.id.in_(ids)).values(network="")
    session.execute(erased.execution_options(synchronize_session=False))


def blank(session: Session, comment_id: int, days: int, before: datetime) -> bool:
    """Empties a comment whose time is over; False if it is not any more."""
    comment = session.get(Comment, comment_id)
    return comment is not None and moderation.blank(session, comment, days, before)


def _behind(place: Place) -> list[ColumnElement[bool]]:
    if place.created_at is None:
        return []
    same = and_(Comment.created_at == place.created_at, Comment.id > place.id)
    # The first alone says where on the index to begin.
    return [
        Comment.created_at >= place.created_at,
        or_(Comment.created_at > place.created_at, same),
    ]


def _decided_since(session: Session, ids: Sequence[int], before: datetime) -> set[int]:
    last = func.max(Decision.at)
    changes = (Decision.comment_id.in_(ids), Decision.from_status != Decision.to_status)
    decided = select(Decision.comment_id).where(*changes).group_by(Decision.comment_id)
    return set(session.scalars(decided.having(last > before)))


def _imported_since(session: Session, ids: set[int | None], before: datetime) -> set[int]:
    """Imports bring old comments along, whose time here began with them."""
    known = [id for id in ids if id is not None]
    return set(
        session.scalars(
            select(Import.id).where(
                Import.id.in_(known), func.coalesce(Import.ended_at, Import.started_at) > before
            )
        )
    )
