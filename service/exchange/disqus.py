"""Disqus exports (XML) as Records, read as a stream.

Categories come first, then threads, which are articles, then posts by date, which are comments.
They are spooled, so that an article's comments come out together whatever their order is.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO, NamedTuple
from xml.sax.xmlreader import AttributesImpl

from ..status import Markup, Status
from ..urls import NotAnAddress
from . import record
from .entry import Entry, Page, moment, record_of
from .record import Addresses, Record, Troubles, Unreadable
from .sax import Hearer, heard
from .spool import Spool

FORMAT = "disqus"

_OF_THREAD = {"id", "link", "title", "createdAt", "isClosed", "isDeleted"}
_OF_POST = {"id", "message", "createdAt", "isDeleted", "isSpam", "isApproved"}
_OF_AUTHOR = {"name", "email", "username", "link"}
_YES, _NO = ("true", "1"), ("false", "0")  # XML Schema, part 2, 3.2.2
_DEPTH = 2  # of a thread or a post within <disqus>

BY_IDENTIFIER = "article without a link: its identifier used"
OF_A_DELETED = "comment under a deleted article: kept as it was"


class Found(NamedTuple):
    """A thread or a post: a name for what stands between its tags."""

    kind: str
    fields: dict[str, str]


def read(file: BinaryIO, addresses: Addresses, troubles: Troubles) -> Iterator[Record]:
    """The comments of an export, an article after the other.

    Takes the open file, what makes addresses canonical, and where to count what was changed.
    Raises Unreadable.
    """
    with Spool() as spool:
        for found in heard(file, _Reader(), "Disqus"):
            if found.kind == "thread":
                _keep_thread(spool, found.fields)
            else:
                _keep_post(spool, found.fields)
        for key, posts in spool.by_article():
            thread = spool.named("linked", key) or spool.named("thread", key)
            answering = (_with_parent(spool, post) for post in posts)
            yield from _records(thread, answering, addresses, troubles)


def _keep_thread(spool: Spool, thread: dict[str, str]) -> None:
    """An article by its `dsq:id` and by its identifier. Some files have it twice, once without
    anything in it."""
    kind = "linked" if thread.get("link") else "thread"
    for key in filter(None, (thread["dsq"], _by_identifier(thread.get("id", "")))):
        spool.name(kind, key, thread)


def _keep_post(spool: Spool, post: dict[str, str]) -> None:
    """A comment, under its article's `dsq:id`; where there is none, as in Disqus' own description
    of the format, under what stands in `thread`."""
    if post.get("id"):
        spool.name("post", post["id"], {"id": _id_of(post)})
    spool.keep(post.get("thread") or _by_identifier(post.get("thread.id", "")), post)


def _by_identifier(written: str) -> str:
    """The key of an article of this identifier; no `dsq:id`, which is a number, is like it."""
    return f"={written}" if written else ""


def _with_parent(spool: Spool, post: dict[str, str]) -> dict[str, str]:
    """The comment with its parent by the id that this one has here."""
    if post.get("parent") or not post.get("parent.id"):
        return post
    found = spool.named("post", post["parent.id"]) or {"id": post["parent.id"]}
    return post | {"parent": found["id"]}


class _Reader(Hearer[Found]):
    """Hears the parser and keeps what stands in the elements we know, one thread or post at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        # Where the text that comes next belongs: the name, how deep its element is.
        self.wanted: tuple[str, int] | None = None

    def startElement(self, name: str, attrs: AttributesImpl) -> None:
        name = name.rpartition(":")[2]
        if not self.path and name != "disqus":
            raise Unreadable(f"it is no Disqus export: its first element is <{name[:40]}>")
        self.enter(name)
        if self.wanted is None:
            self._begin(name, attrs)

    def _begin(self, name: str, attrs: AttributesImpl) -> None:
        depth = len(self.path)
        if depth == _DEPTH:
            self.fields = {"dsq": _id(attrs)}
        elif depth == _DEPTH + 1 and name in ("thread", "parent"):
            self.fields[name] = _id(attrs)
            self.wanted = (f"{name}.id", depth)
        elif depth == _DEPTH + 1 and name in (_OF_THREAD | _OF_POST):
            self.wanted = (name, depth)
        elif depth == _DEPTH + 2 and self.path[-2] == "author" and name in _OF_AUTHOR:
            self.wanted = (f"author.{name}", depth)

    def endElement(self, name: str) -> None:
        depth = len(self.path)
        if self.wanted and self.wanted[1] == depth:
            if text := self.text().strip():
                self.fields[self.wanted[0]] = text
            self.wanted = None
        elif depth == _DEPTH and self.path[-1] in ("thread", "post"):
            self.finished.append(Found(self.path[-1], self.fields))
        self.path.pop()

    def characters(self, content: str) -> None:
        if self.wanted:
            self.add(content)


def _id(attrs: AttributesImpl) -> str:
    """The `dsq:id` of an element, whatever prefix the file uses."""
    found = (value for name, value in attrs.items() if name.rpartition(":")[2] == "id")
    return next(found, "").strip()


def _records(
    thread: dict[str, str] | None,
    posts: Iterator[dict[str, str]],
    addresses: Addresses,
    troubles: Troubles,
) -> Iterator[Record]:
    page, told = _page(thread, addresses)
    for post in posts:
        source_id = record.known_id(_id_of(post))
        for words in told:
            troubles.note(words, source_id)
        if page:
            yield record_of(page, _entry(post, source_id, troubles), troubles)


def _page(thread: dict[str, str] | None, addresses: Addresses) -> tuple[Page | None, list[str]]:
    """The article, None if it has no address, and what is to be told of each of its comments."""
    if thread is None:
        return None, [record.NO_ARTICLE]
    told = [OF_A_DELETED] if _is(thread, "isDeleted") else []
    identifier = thread.get("id", "")
    guesses: tuple[tuple[str, list[str]], ...] = (
        (thread.get("link", ""), []),
        (identifier, [BY_IDENTIFIER]),
        # The WordPress plug-in's is the article's number and its guid.
        (identifier.rpartition(" ")[2], [BY_IDENTIFIER]),
    )
    for guess, words in guesses:
        try:
            url = addresses.canonical(guess)
        except NotAnAddress:
            continue
        closed = _is(thread, "isClosed")
        return Page(url, thread.get("title", ""), _created(thread), closed), told + words
    return None, [record.NO_ADDRESS]


def _entry(post: dict[str, str], source_id: str, troubles: Troubles) -> Entry:
    return Entry(
        id=_id_of(post),
        parent=post.get("parent", ""),
        author=post.get("author.name") or post.get("author.username", ""),
        email=post.get("author.email", ""),
        website=post.get("author.link", ""),
        state=_state(post, source_id, troubles),
        created_at=_created(post),
        text=post.get("message", ""),
        markup=Markup.HTML,
    )


def _id_of(post: dict[str, str]) -> str:
    return post["dsq"] or post.get("id", "")


def _created(fields: dict[str, str]) -> datetime | None:
    return moment(fields.get("createdAt", ""))


def _state(post: dict[str, str], source_id: str, troubles: Troubles) -> Status:
    """What became of the comment in Disqus; whatever is unknown is not published."""
    if _is(post, "isDeleted"):
        return Status.DELETED
    if _is(post, "isSpam"):
        return Status.SPAM
    names = ("isDeleted", "isSpam", "isApproved")
    if any(post.get(name, "").lower() not in ("", *_YES, *_NO) for name in names):
        troubles.note(record.UNKNOWN_STATE, source_id)
        return Status.PENDING
    return Status.PENDING if post.get("isApproved", "").lower() in _NO else Status.APPROVED


def _is(fields: dict[str, str], name: str) -> bool:
    return fields.get(name, "").lower() in _YES
