"""Commento's and Comentario's exports (JSON) as Records, read as a stream.

Version 1 is Commento's, and Comentario's until 3.0: each comment says its page, and by `commenterHex`
who wrote it. Version 3 is Comentario's: pages stand in a list of their own. Authors come last in
both, so everything is spooled first.
"""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from .. import text
from ..status import Markup, Status
from ..urls import NotAnAddress
from . import record
from .entry import Entry, Page, moment, record_of
from .jsonstream import count, holds, parts, said
from .record import Addresses, Record, Troubles, Unreadable
from .spool import Spool

FORMAT = "commento"
VERSIONS = ("1", "3")

# api/comment_new.go: "flagged" is what Akismet took for spam.
STATES = {
    "approved": Status.APPROVED,
    "unapproved": Status.PENDING,
    "flagged": Status.SPAM,
}
DELETED = ("", "[deleted]")  # what Commento leaves of a text; its exports do not say it otherwise
NOBODY = "undefined"  # how Commento spells that there is no website or address

_BEGINS = re.compile("https?://", re.I)

NO_AUTHOR = "comment of an author who is not in the file: shown without a name"

Fields = dict[str, Any]


def read(file: BinaryIO, addresses: Addresses, troubles: Troubles) -> Iterator[Record]:
    """The comments of an export, an article after the other.

    Takes the open file, what makes addresses canonical, and where to count what was changed.
    Raises Unreadable.
    """
    with Spool() as spool:
        _spool(file, spool)
        for article, comments in spool.by_article():
            page = spool.named("page", article) or {}
            for comment in comments:
                yield from _records(comment, page, spool, addresses, troubles)


def _spool(file: BinaryIO, spool: Spool) -> None:
    known = False
    for name, part in parts(file, ("pages", "comments", "commenters")):
        if not name:
            _check(part)
        elif not isinstance(part, dict):
            raise Unreadable(f"it is no Commento or Comentario export: its {name} are none")
        known = known or bool(name) or "version" in part
        if name == "pages":
            spool.name("page", said(part, "id"), _texts(part))
        elif name == "commenters":
            spool.name("author", said(part, "commenterHex") or said(part, "id"), _texts(part))
        elif name == "comments":
            spool.keep(said(part, "pageId") or f"{_host(part)}{_path(part)}", _texts(part))
    if not known:
        raise Unreadable("it is no Commento or Comentario export: nothing of one is in it")


def _texts(part: Fields) -> Fields:
    """The fields that are texts, whole numbers, or true or false: all that we read."""
    return {name: value for name, value in part.items() if isinstance(value, str | int)}


def _check(head: Any) -> None:
    """Raises Unreadable if this is no export, or one of a version that we do not know."""
    if not isinstance(head, dict):
        raise Unreadable("it is no Commento or Comentario export: it is no JSON object")
    if "version" in head and said(head, "version") not in VERSIONS:
        known = " and ".join(VERSIONS)
        raise Unreadable(f"its version is {said(head, 'version')[:20]}; known are {known}")


def _records(
    comment: Fields, page: Fields, spool: Spool, addresses: Addresses, troubles: Troubles
) -> Iterator[Record]:
    is_first = "commentHex" in comment  # version 1
    source_id = record.known_id(said(comment, "commentHex" if is_first else "id"))
    author_id = said(comment, "commenterHex" if is_first else "userCreated")
    try:
        url = addresses.canonical(_address(comment, page, addresses.base))
    except NotAnAddress:
        troubles.note(record.NO_ADDRESS, source_id)
        return
    author = spool.named("author", author_id)
    if author is None and _is_anonymous(author_id):
        author = {"name": said(comment, "authorName") or text.ANONYMOUS}
    elif author is None and not said(comment, "authorName"):
        troubles.note(NO_AUTHOR, source_id)
    article = Page(url, said(page, "title"), is_closed=holds(page, "isReadonly"))
    making = _first if is_first else _third
    yield record_of(article, making(comment, author or {}, source_id, troubles), troubles)


def _is_anonymous(author_id: str) -> bool:
    """Commento says "anonymous", Comentario writes zeros."""
    return author_id == "anonymous" or not author_id.strip("0-")


def _address(comment: Fields, page: Fields, base: str) -> str:
    """The article's address, or its path where the file does not say the host."""
    if _BEGINS.match(url := said(comment, "url")):
        return url.partition("#comentario-")[0]
    if "path" in page:
        return "/" + said(page, "path").removeprefix("/")
    if "commentHex" not in comment:
        return ""
    host, path = _host(comment), _path(comment)
    if not host or _BEGINS.match(host):
        return host.rstrip("/") + path
    # The file does not say the scheme: the site's own, or the one that is likely today.
    scheme = urlsplit(base).scheme if urlsplit(base).netloc == host.lower() else "https"
    return f"{scheme}://{host}{path}"


def _host(comment: Fields) -> str:
    return said(comment, "host") or said(comment, "domain")


def _path(comment: Fields) -> str:
    """Commento calls it `url`, Comentario `path`."""
    return "/" + (said(comment, "path") or said(comment, "url")).removeprefix("/")


def _parent(written: str) -> str:
    """Commento says "root" where there is none, Comentario writes zeros or nothing."""
    return written if written != "root" and written.strip("0-") else ""


def _first(comment: Fields, author: Fields, source_id: str, troubles: Troubles) -> Entry:
    """A comment of version 1."""
    text, markup = _text(comment)
    return Entry(
        id=said(comment, "commentHex"),
        parent=_parent(said(comment, "parentHex")),
        author=_unless_undefined(said(author, "name")),
        email=_unless_undefined(said(author, "email")),
        website=_unless_undefined(said(author, "link") or said(author, "websiteUrl")),
        state=_state(comment, text, source_id, troubles),
        created_at=moment(said(comment, "creationDate")),
        text=text,
        markup=markup,
        likes=count(comment, "score"),
    )


def _state(comment: Fields, text: str, source_id: str, troubles: Troubles) -> Status:
    """What became of a comment of version 1; whatever is unknown is not published."""
    if holds(comment, "deleted") or text.strip() in DELETED:
        return Status.DELETED
    written = said(comment, "state")
    if written not in STATES:
        troubles.note(record.UNKNOWN_STATE, source_id)
    return STATES.get(written, Status.PENDING)


def _third(comment: Fields, author: Fields, source_id: str, troubles: Troubles) -> Entry:
    """A comment of version 3."""
    text, markup = _text(comment)
    return Entry(
        id=said(comment, "id"),
        parent=_parent(said(comment, "parentId")),
        author=said(author, "name") or said(comment, "authorName"),
        email=said(author, "email"),
        website=said(author, "websiteUrl"),
        state=_third_state(comment),
        created_at=moment(said(comment, "createdTime")),
        text=text,
        markup=markup,
        likes=count(comment, "score"),
        is_pinned=holds(comment, "isSticky"),
        edited_at=moment(said(comment, "editedTime")),
    )


def _third_state(comment: Fields) -> Status:
    for name, state in (
        ("isDeleted", Status.DELETED),
        ("isPending", Status.PENDING),
        ("isApproved", Status.APPROVED),
    ):
        if holds(comment, name):
            return state
    return Status.REJECTED


def _text(comment: Fields) -> tuple[str, Markup]:
    """The text as it was typed; what was made of it only where that is all there is."""
    typed, html = said(comment, "markdown"), said(comment, "html")
    return (html, Markup.HTML) if html and not typed else (typed, Markup.MARKDOWN)


def _unless_undefined(written: str) -> str:
    return "" if written == NOBODY else written
