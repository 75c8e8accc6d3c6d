"""What is on record beside the decisions on comments: sign-ins, roles, bans, closed articles.

Rows are only ever added; the database refuses anything else. None holds an author's address.
"""

from enum import StrEnum

from sqlalchemy.orm import Session

from .accounts import Moderator
from .models import Event

ABOUT_LENGTH = 300  # characters


class What(StrEnum):
    """The words of `events.what`: something that a person did."""

    CLOSED = "closed"  # an article takes no new comments
    OPENED = "opened"
    HELD = "held"  # every new comment of an article or a site waits
    RELEASED = "released"
    BULK = "bulk"  # one decision on many comments, or its undoing, began
    BULK_ENDED = "bulk_ended"  # with how many were decided, and how many were skipped
    SEARCHED = "searched"  # for the comments of an exact address


def record(
    session: Session,
    what: What,
    by: Moderator | str,
    about: str = "",
    site_id: int | None = None,
) -> None:
    """Puts something on record. Takes who did it (a moderator, or a part of the machine by name),
    what it was about in words without any author's address, and the site it belongs to."""
    session.add(
        Event(
            what=what,
            moderator_id=None if isinstance(by, str) else by.id,
            by=by if isinstance(by, str) else by.name,
            about=about[:ABOUT_LENGTH],
            site_id=site_id,
            network="" if isinstance(by, str) else by.came_from,
        )
    )
