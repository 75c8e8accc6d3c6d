"""A comment as another system's file has it, and the Record that becomes of it."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape, unescape

from .. import text
from ..status import Kind, Markup, Status
from . import record
from .record import Record, Troubles

# Seconds or milliseconds since 1970, from 1973 to 2286: shorter numbers are years or days.
_SINCE = re.compile(r"(\d{9,10}(?:\.\d{1,9})?)|(\d{12,13})", re.ASCII)

MOST_LIKES = 2**31 - 1  # what the database's column holds


@dataclass(frozen=True)
class Page:
    """The article that a file's comments stand under; `url` is canonical, `title` plain text, as
    these systems take it from the page, though some of them write entities."""

    url: str
    title: str = ""
    created_at: datetime | None = None
    is_closed: bool = False


@dataclass(frozen=True)
class Entry:
    """A comment, its fields as they are written in the file."""

    id: str
    parent: str
    author: str
    email: str = field(repr=False)
    website: str = field(repr=False)
    state: Status
    created_at: datetime | None
    text: str = field(repr=False)
    markup: Markup
    likes: int = 0
    is_pinned: bool = False
    edited_at: datetime | None = None


def moment(written: str) -> datetime | None:
    """A date of ISO 8601, or the seconds or milliseconds since 1970; in UTC, in which one without a
    zone is read. None if it is no date, or in the year 1, by which Go means that there is none."""
    if since := _SINCE.fullmatch(written.strip()):
        return second(float(since[1]) if since[1] else int(since[2]) / 1_000)
    try:
        at = datetime.fromisoformat(written.strip())
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if at.year > 1 else None


def second(written: float) -> datetime | None:
    """A date as seconds since 1970; None if it is out of the calendar's range."""
    try:
        return datetime.fromtimestamp(written, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def record_of(page: Page, entry: Entry, troubles: Troubles) -> Record:
    """The comment with all that is cleaned in every format; `troubles` counts what changed."""
    source_id = record.known_id(entry.id)
    email = record.address(entry.email, source_id, troubles)
    words = record.words(entry.text, email, source_id, troubles)
    name = _author(entry, source_id, troubles)
    created_at = _date(page, entry, source_id, troubles)
    if not source_id:
        troubles.note(record.NO_ID, "")
    return Record(
        article_url=page.url,
        article_title=record.title(escape(unescape(page.title))),
        source_id=source_id or record.derived_id(name, created_at, words),
        source_parent=record.known_id(entry.parent) or None,
        author=name,
        website=record.website(entry.website, email, source_id, troubles),
        email=email,
        kind=Kind.COMMENT,
        state=entry.state,
        created_at=created_at,
        text=words,
        markup=entry.markup,
        likes=min(max(entry.likes, 0), MOST_LIKES),
        is_pinned=entry.is_pinned,
        edited_at=entry.edited_at,
        article_is_closed=page.is_closed,
    )


def _author(entry: Entry, source_id: str, troubles: Troubles) -> str:
    # What was deleted has lost its author too, which is nothing to be told of.
    if entry.state == Status.DELETED and not entry.author.strip():
        return text.ANONYMOUS
    return record.author(entry.author, source_id, troubles)


def _date(page: Page, entry: Entry, source_id: str, troubles: Troubles) -> datetime:
    if at := entry.created_at:
        if at > datetime.now(UTC):
            troubles.note(record.IN_THE_FUTURE, source_id)
        return at
    if page.created_at:
        troubles.note(record.ARTICLES_DATE, source_id)
        return page.created_at
    troubles.note(record.NO_DATE, source_id)
    return record.LONG_AGO
