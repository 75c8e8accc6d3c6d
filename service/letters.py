"""Writes letters: rows of the outbox, in the transaction of what causes them. Knows no mail server.

A letter names whom it is for, and what caused it, by reference; all it says is looked up while it
is sent (mail/). What was undone, withdrawn or ended in between takes its letters out of the outbox.
"""

import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from .models import Decision, Letter, Site, now
from .settings import SiteSettings
from .status import LetterKind, LetterState, Why

__all__ = ["drop", "latest", "undo_window", "write"]

HOST = re.compile(r"[a-z0-9.-]{1,200}")
# They tell of whatever waits when they are sent, not of the one comment that caused them.
OF_MANY = (LetterKind.WAITING,)


def write(
    session: Session,
    kind: LetterKind,
    cause_key: str,
    site_id: int,
    *,
    moderator_id: int | None = None,
    author_id: int | None = None,
    comment_id: int | None = None,
    article_id: int | None = None,
    decision: Decision | None = None,
    about: dict[str, Any] | None = None,
    language: str = "",
    due_at: datetime | None = None,
) -> int | None:
    """Puts a letter to one moderator or one author into the outbox, in the caller's transaction.

    Takes the key of its cause: a second letter with the same key is not written, whoever writes it
    at whatever moment; neither key nor `about` may hold an address, a text or a secret. A letter
    that hangs on a decision is not due before the site's undo window is over. Returns the letter's
    id, None if that cause has its letter already.
    """
    site = session.get_one(Site, site_id)
    due_at = due_at or now()
    if decision is not None:
        due_at = max(due_at, decision.at + undo_window(site))
    dialects: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
    insert = dialects.get(session.get_bind().dialect.name, plain_insert)
    values = {
        "kind": kind,
        "cause_key": cause_key,
        "site_id": site_id,
        "moderator_id": moderator_id,
        "author_id": author_id,
        "comment_id": comment_id,
        "article_id": article_id,
        "decision_id": decision.id if decision is not None else None,
        "about": about or {},
        "language": language,
        "due_at": due_at,
        "message_id": f"<{secrets.token_hex(12)}@{_host(site)}>",
    }
    written = insert(Letter).values(**values).on_conflict_do_nothing(index_elements=["cause_key"])
    found: int | None = session.scalar(written.returning(Letter.id))
    return found


def drop(
    session: Session,
    why: Why,
    *,
    decision_ids: Sequence[int] = (),
    author_id: int | None = None,
    comment_id: int | None = None,
) -> int:
    """Takes out of the outbox what hangs on decisions (undone), on an author (who ended it, or was
    erased) or on a comment (withdrawn). Wins over a letter that a worker has in hand until the
    moment it is sent. Returns how many.
    """
    condition: ColumnElement[bool]
    if author_id is None and comment_id is None:
        condition = Letter.decision_id.in_(decision_ids)
    elif author_id is not None:
        condition = Letter.author_id == author_id
    else:
        condition = (Letter.comment_id == comment_id) & Letter.kind.not_in(OF_MANY)
    waiting = update(Letter).where(condition, Letter.state == LetterState.QUEUED)
    dropped = waiting.values(state=LetterState.DROPPED, why=why).returning(Letter.id)
    return len(session.scalars(dropped).all())


def latest(
    session: Session, kind: LetterKind, site_id: int, moderator_ids: Sequence[int]
) -> dict[int | None, Letter]:
    """The latest letter of a kind about a site to each of these moderators, by theirs. No worker
    takes one in hand before this transaction ends: what it writes is in time for that letter, or
    sees that it is not."""
    theirs = (Letter.moderator_id.in_(moderator_ids), Letter.site_id == site_id)
    newest = select(func.max(Letter.id)).where(*theirs, Letter.kind == kind)
    those = Letter.id.in_(newest.group_by(Letter.moderator_id))
    found = select(Letter).where(those).order_by(Letter.moderator_id)
    letters = session.scalars(found.with_for_update(read=True))
    return {letter.moderator_id: letter for letter in letters}


def undo_window(site: Site) -> timedelta:
    """How long a letter about a decision waits. Each site's own: how soon a slip is noticed depends
    on whether one person decides there or ten."""
    return timedelta(minutes=SiteSettings.read(site.settings).undo_minutes)


def _host(site: Site) -> str:
    """Behind the @ of a Message-ID: the publisher's host, for that never changes with the server."""
    hosts = (urlsplit(origin).hostname or "" for origin in site.origins)
    return next(filter(HOST.fullmatch, hosts), "localhost")
