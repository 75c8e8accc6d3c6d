"""What people at the desk want of an import next. The worker does it; here is what makes sense when.

Nothing here commits, and nothing touches the file.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, aliased

from .. import events
from ..accounts import Moderator
from ..events import What
from ..models import Comment, Decision, Import, now
from ..status import ImportState, ImportWish
from .store import has_brought

SILENT = timedelta(minutes=1)  # after which nobody seems to work on it
AT_WORK = (ImportState.REHEARSING, ImportState.RUNNING, ImportState.UNDOING)
# From which states each thing can be asked for.
FROM = {
    ImportWish.REHEARSE: (ImportState.UPLOADED, ImportState.REHEARSED, ImportState.FAILED),
    ImportWish.RUN: (ImportState.REHEARSED, ImportState.STOPPED),
    ImportWish.UNDO: (ImportState.DONE, ImportState.STOPPED, ImportState.FAILED),
}
ON_RECORD = {
    ImportWish.RUN: What.IMPORT_BEGAN,
    ImportWish.STOP: What.IMPORT_STOPPED,
    ImportWish.UNDO: What.IMPORT_UNDONE,
}


class NotNow(Exception):
    """This import is not at the point where that makes sense: somebody was quicker, or it moved on."""


@dataclass(frozen=True)
class Rest:
    """What undoing an import would do: how many comments it brought, how many of these at least stay
    as empty places (what they in turn answer stays too), and how many replies of readers stay."""

    brought: int
    emptied: int
    replies: int


def is_busy(found: Import) -> bool:
    """Whether something is being done with it, or is asked for."""
    return found.state in AT_WORK or found.wish in FROM


def is_silent(found: Import) -> bool:
    """Whether something should be done with it, and whoever does that has given no sign of life for
    a minute. A run on the command line gives none."""
    is_ours = bool(found.stored_as or found.wish or found.beat_at)
    return is_ours and is_busy(found) and now() - _last_sign(found) > SILENT


def _last_sign(found: Import) -> datetime:
    return found.beat_at or found.started_at


def may(session: Session, found: Import, wish: ImportWish) -> bool:
    """Whether this can be asked of the import as it stands."""
    if wish == ImportWish.STOP:
        return is_busy(found) and found.wish != ImportWish.STOP
    if is_busy(found) or found.state not in FROM[wish]:
        return False
    if wish == ImportWish.UNDO:
        return found.state == ImportState.DONE or has_brought(session, found.id)
    # A run that was broken off goes on with the addresses it began with.
    is_new = wish == ImportWish.RUN or not has_brought(session, found.id)
    return bool(found.stored_as) and is_new


def ask(session: Session, found: Import, wish: ImportWish, by: Moderator) -> None:
    """Leaves a wish for the worker, on the record. Takes the row as it stands in this write session.
    Raises NotNow."""
    if not may(session, found, wish):
        raise NotNow
    is_called_off = wish == ImportWish.STOP and found.state not in AT_WORK
    found.wish = None if is_called_off else wish
    if wish != ImportWish.STOP:
        found.progress, found.beat_at = 0, now()  # from now on somebody is waited for
    if wish in ON_RECORD:
        events.record(session, ON_RECORD[wish], by, about(found), found.site_id)


def may_discard(session: Session, found: Import) -> bool:
    """Whether its file can be thrown away: it lies there, and nobody is going to need it."""
    is_over = found.state in (ImportState.DONE, ImportState.UNDONE)
    is_in_the_middle = is_busy(found) or (not is_over and has_brought(session, found.id))
    return bool(found.stored_as) and not is_in_the_middle


def discard(session: Session, found: Import, by: Moderator) -> str:
    """Forgets an import's file, and an import that brought nothing altogether. Gives the name of the
    file that is to be removed once this is committed. Raises NotNow."""
    if not may_discard(session, found):
        raise NotNow
    stored_as, found.stored_as = found.stored_as, ""
    events.record(session, What.IMPORT_DISCARDED, by, about(found), found.site_id)
    if found.state not in (ImportState.DONE, ImportState.UNDONE):
        session.delete(found)
    return stored_as


def about(found: Import) -> str:
    """How the record names an import."""
    return f"{found.id}: {found.file_name}"


def rest(session: Session, found: Import) -> Rest:
    """What would stay if the import were undone now."""
    reply = aliased(Comment)
    is_a_reader_s = (reply.import_id != found.id) | reply.import_id.is_(None)
    is_answered = exists().where(reply.parent_id == Comment.id, is_a_reader_s)
    is_decided = exists().where(Decision.comment_id == Comment.id)
    brought = select(func.count()).where(Comment.import_id == found.id)
    replies = (
        select(func.count())
        .select_from(reply)
        .join(Comment, Comment.id == reply.parent_id)
        .where(Comment.import_id == found.id, is_a_reader_s)
    )
    asked = (brought, brought.where(is_answered | is_decided), replies)
    return Rest(*(session.scalar(each) or 0 for each in asked))


def of_site(session: Session, site_id: int, most: int) -> list[tuple[Import, int]]:
    """A site's imports, the newest first, each with how many comments of it are there."""
    newest = select(Import).where(Import.site_id == site_id).order_by(Import.id.desc()).limit(most)
    found = session.scalars(newest).all()
    counted = (
        select(Comment.import_id, func.count())
        .where(Comment.import_id.in_([each.id for each in found]))
        .group_by(Comment.import_id)
    )
    counts = {row[0]: row[1] for row in session.execute(counted)}
    return [(each, counts.get(each.id, 0)) for each in found]
