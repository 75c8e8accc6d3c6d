"""Remark42's native backups as Records, read as a stream.

The first line says what is known of users and posts, each other line is a comment. Until May 2018
all was one object, with that last (its backend/app/migrator, native.go and before it remark.go). The
text is HTML that Remark42 made of Markdown.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO

from ..status import Markup, Status
from ..urls import NotAnAddress
from . import record
from .entry import Entry, Page, moment, record_of
from .jsonstream import count, holds, listed, parts, said
from .record import Addresses, Record, Troubles, Unreadable
from .spool import Spool

FORMAT = "remark42"
VERSIONS = (0, 1)

BLOCKED = "comment of an author who was blocked: kept as it was"
MARKED = "author's mark (administrator, verified): left out"


def read(file: BinaryIO, addresses: Addresses, troubles: Troubles) -> Iterator[Record]:
    """The comments of a backup, in its order: an article after the other.

    Takes the open file, what makes addresses canonical, and where to count what was changed.
    Raises Unreadable.
    """
    is_known = False
    with Spool() as spool:
        for name, part in parts(file, ("users", "posts", "comments")):
            if name == "users":
                spool.name("user", said(part, "id"), _user(part))
            elif name == "posts" and holds(part, "read_only"):
                spool.name("closed", said(part, "url"), {})
            elif name == "comments" and _is_comment(part):
                spool.keep(said(part["locator"], "url"), part)
            elif not name:
                if is_known or _is_comment(part):
                    yield from _records(part, spool, addresses, troubles)
                else:
                    _check(part)
                    _take_in(part.get("meta"), spool)
                is_known = True
        for _, comments in spool.by_article():
            for comment in comments:
                yield from _records(comment, spool, addresses, troubles)
    if not is_known:
        raise Unreadable("it is no Remark42 backup: nothing of one is in it")


def _check(head: Any) -> None:
    """Raises Unreadable unless this is the first line of a backup that we know."""
    if not isinstance(head, dict) or "version" not in head:
        raise Unreadable("it is no Remark42 backup: it does not begin with its version")
    if head["version"] not in VERSIONS:
        raise Unreadable(f"its version is {said(head, 'version')[:20]}, and only 1 is known")


def _take_in(meta: Any, spool: Spool) -> None:
    """What is known of users and posts, where it comes last."""
    for user in listed(meta, "users"):
        spool.name("user", said(user, "id"), _user(user))
    for post in listed(meta, "posts"):
        if holds(post, "read_only"):
            spool.name("closed", said(post, "url"), {})


def _is_comment(part: Any) -> bool:
    return isinstance(part, dict) and isinstance(part.get("locator"), dict)


def _user(user: Any) -> dict[str, Any]:
    known = user if isinstance(user, dict) else {}
    return {
        "email": said(known.get("details"), "email"),
        "is_blocked": holds(known.get("blocked"), "status"),
        "is_verified": holds(known, "verified"),
    }


def _records(
    fields: Any, spool: Spool, addresses: Addresses, troubles: Troubles
) -> Iterator[Record]:
    source_id = record.known_id(said(fields, "id"))
    written = said(fields.get("locator"), "url") if isinstance(fields, dict) else ""
    try:
        url = addresses.canonical(written)
    except NotAnAddress:
        troubles.note(record.NO_ADDRESS, source_id)
        return
    user = fields.get("user")
    known = spool.named("user", said(user, "id")) or _user(None)
    if known["is_blocked"] or holds(user, "block"):
        troubles.note(BLOCKED, source_id)
    if known["is_verified"] or holds(user, "verified") or holds(user, "admin"):
        troubles.note(MARKED, source_id)
    is_closed = spool.named("closed", written) is not None
    page = Page(url, said(fields, "title"), is_closed=is_closed)
    yield record_of(page, _entry(fields, known["email"]), troubles)


def _entry(fields: dict[str, Any], email: str) -> Entry:
    is_deleted = holds(fields, "delete")
    html = said(fields, "text")
    edit = fields.get("edit")
    return Entry(
        id=said(fields, "id"),
        parent=said(fields, "pid"),
        author=said(fields.get("user"), "name"),
        email=email,
        website="",
        state=Status.DELETED if is_deleted else Status.APPROVED,
        created_at=moment(said(fields, "time")),
        text=html or said(fields, "orig"),
        markup=Markup.HTML if html or is_deleted else Markup.MARKDOWN,
        likes=_likes(fields),
        is_pinned=holds(fields, "pin"),
        edited_at=moment(said(edit, "time")),
    )


def _likes(fields: dict[str, Any]) -> int:
    """Those who voted for it; where the backup does not say who voted, the score."""
    votes = fields.get("votes")
    if isinstance(votes, dict) and votes:
        return sum(1 for is_for in votes.values() if is_for is True)
    return count(fields, "score")
