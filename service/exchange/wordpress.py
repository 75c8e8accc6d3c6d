"""WordPress exports (WXR 1.0, 1.1, 1.2) as Records, read as a stream.

An item of the RSS channel is an article, its wp:comment children are the comments. Only what the
importer needs is kept, one item at a time. A document type, and so every entity bomb, is refused.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import BinaryIO, NamedTuple
from xml.sax.xmlreader import AttributesImpl

from ..status import Kind, Markup, Status
from ..urls import NotAnAddress
from . import record
from .record import Addresses, Record, Troubles, Unreadable
from .sax import Hearer, heard

FORMAT = "wordpress"

# wp-includes/comment.php, wp_get_comment_status() and wp_set_comment_status().
STATUS = {
    "1": Status.APPROVED,
    "approved": Status.APPROVED,
    "approve": Status.APPROVED,
    "0": Status.PENDING,
    "hold": Status.PENDING,
    "unapproved": Status.PENDING,
    "spam": Status.SPAM,
    "trash": Status.REJECTED,
    "post-trashed": Status.REJECTED,
}
KINDS = {
    "": Kind.COMMENT,
    "comment": Kind.COMMENT,
    "pingback": Kind.PINGBACK,
    "trackback": Kind.TRACKBACK,
}
# Of plug-ins: public like a comment, or an announcement by another site.
ADOPTED = {"review": Kind.COMMENT, "webmention": Kind.PINGBACK}
# Notes of the people who run a shop or edit an article; never meant for readers.
INTERNAL = {
    *("order_note", "webhook_delivery", "note", "edd_payment_note", "action_log"),
    "action_scheduler",
}

_NAMESPACE = re.compile(r"https?://(?:www\.)?wordpress\.org/export/[^/]+/?", re.I)
# Where an element stands: the names of those around it.
_CHANNEL = ["rss", "channel"]
_ITEM = [*_CHANNEL, "item"]
_COMMENT = [*_ITEM, "wp:comment"]
DEEPEST = len(_COMMENT) + 1
AT_ONCE = 500  # comments of an article that are held in memory
_OF_CHANNEL = {"link", "wp:base_blog_url", "wp:base_site_url"}
_OF_ITEM = {
    *("title", "link", "guid", "pubDate", "wp:post_id", "wp:post_date_gmt", "wp:post_date"),
    *("wp:status", "wp:post_password", "wp:comment_status"),
}
_OF_COMMENT = {
    *("id", "parent", "author", "author_email", "author_url", "date", "date_gmt", "content"),
    *("approved", "type"),
}
_UNKNOWN_DATE = "0000-00-00"  # how MySQL spells that there is none


class Item(NamedTuple):
    """An article of the export and its comments, or some of very many, each a name for what stands
    between its tags."""

    channel: dict[str, str]
    article: dict[str, str]
    comments: list[dict[str, str]]


def read(file: BinaryIO, addresses: Addresses, troubles: Troubles) -> Iterator[Record]:
    """The comments of an export, an article after the other.

    Takes the open file, what makes addresses canonical, and where to count what was changed.
    Raises Unreadable.
    """
    for item in items(file):
        yield from _records(item, addresses, troubles)


def items(file: BinaryIO) -> Iterator[Item]:
    """The articles that have comments. Raises Unreadable with the line of the fault."""
    return heard(file, _Reader(), "WordPress")


class _Reader(Hearer[Item]):
    """Hears the parser and keeps what stands in the elements we know, one item at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.prefixes: set[str] = set()
        self.channel: dict[str, str] = {}
        self.article: dict[str, str] = {}
        self.comments: list[dict[str, str]] = []
        # Where the text that comes next belongs: the fields, the name, how deep its element is.
        self.wanted: tuple[dict[str, str], str, int] | None = None

    def startElement(self, name: str, attrs: AttributesImpl) -> None:
        if len(attrs):
            self._declare(attrs)
        name = self._known_name(name)
        if not self.path and name != "rss":
            raise Unreadable(f"it is no WordPress export: its first element is <{name[:40]}>")
        self.enter(name)
        if self.wanted is None:
            self._begin(name, attrs)

    def endElement(self, name: str) -> None:
        if self.wanted is not None and self.wanted[2] == len(self.path):
            fields, key, _ = self.wanted
            fields[key] = self.text()
            self.wanted = None
        elif self.comments and self._is_due():
            self.finished.append(Item(self.channel, self.article, self.comments))
            self.comments = []
        self.path.pop()

    def _is_due(self) -> bool:
        """Whether what there is of an article can go: at its end, and where there are many comments
        once it is known where it lies."""
        is_much = len(self.comments) >= AT_ONCE and bool(self.article.get("link"))
        return self.path == _ITEM or (is_much and self.path == _COMMENT)

    def characters(self, content: str) -> None:
        if self.wanted is not None:
            self.add(content)

    def endDocument(self) -> None:
        if not self.prefixes:
            raise Unreadable("it is a feed, but no WordPress export: nothing of WordPress is in it")

    def _declare(self, attrs: AttributesImpl) -> None:
        for name, value in attrs.items():
            if name.startswith("xmlns:") and _NAMESPACE.fullmatch(value.strip()):
                self.prefixes.add(name.removeprefix("xmlns:"))

    def _known_name(self, name: str) -> str:
        """The name with WordPress's elements under `wp:`, whatever prefix the file uses."""
        prefix, colon, local = name.partition(":")
        return f"wp:{local}" if colon and prefix in self.prefixes else name

    def _begin(self, name: str, attrs: AttributesImpl) -> None:
        depth = len(self.path)
        if depth > DEEPEST:
            return
        above = self.path[:-1]
        if above == _CHANNEL:
            if name == "item":
                self.article, self.comments = {}, []
            elif name in _OF_CHANNEL:
                self.wanted = (self.channel, name, depth)
        elif above == _ITEM:
            if name == "wp:comment":
                self.comments.append({})
            elif name in _OF_ITEM:
                self.wanted = (self.article, name, depth)
                if name == "guid":
                    self.article["is_link"] = attrs.get("isPermaLink", "true")
        elif above == _COMMENT and (wanted := name.removeprefix("wp:comment_")) in _OF_COMMENT:
            self.wanted = (self.comments[-1], wanted, depth)


def _records(item: Item, addresses: Addresses, troubles: Troubles) -> Iterator[Record]:
    url, trouble = _address(item, addresses)
    title = record.title(item.article.get("title", ""))
    is_closed = item.article.get("wp:status") == "private" or bool(
        item.article.get("wp:post_password", "").strip()
    )
    for fields in item.comments:
        source_id = record.known_id(fields.get("id", ""))
        if trouble:
            troubles.note(trouble, source_id)
        if is_closed:
            troubles.note("comment under a private or protected article: kept as it was", source_id)
        if url and (kind := _kind(fields, source_id, troubles)):
            yield _record(Draft(item.article, fields, source_id, troubles), url, title, kind)


def _address(item: Item, addresses: Addresses) -> tuple[str, str]:
    """The article's address, "" if it has none, and what is to be told of it.

    A draft's link is `?p=ID`, as WordPress itself writes it.
    """
    base = next((item.channel[n] for n in ("wp:base_blog_url", "link") if n in item.channel), "")
    post = item.article.get("wp:post_id", "").strip()
    is_link = item.article.get("is_link", "true").strip().lower() == "true"
    guesses = (
        (item.article.get("link", ""), ""),
        (item.article.get("guid", "") if is_link else "", "article without a link: its guid used"),
        (
            f"{base.strip().rstrip('/')}/?p={post}" if post.isdecimal() else "",
            "article without a link: ?p=ID used",
        ),
    )
    for guess, trouble in guesses:
        try:
            return addresses.canonical(guess), trouble
        except NotAnAddress:
            continue
    return "", record.NO_ADDRESS


@dataclass(frozen=True)
class Draft:
    """A comment on its way from the file's fields to a Record."""

    article: dict[str, str]
    fields: dict[str, str] = field(repr=False)
    source_id: str
    troubles: Troubles

    def get(self, name: str) -> str:
        return self.fields.get(name, "").strip()

    def note(self, words: str, detail: str = "") -> None:
        self.troubles.note(words, f"{self.source_id} {detail}".strip())


def _kind(fields: dict[str, str], source_id: str, troubles: Troubles) -> Kind | None:
    """What the comment is; None for one that is left out."""
    written = fields.get("type", "").strip().lower()
    if written in KINDS:
        return KINDS[written]
    if written in INTERNAL:
        troubles.note("internal note of a plug-in: left out", f"{source_id} {written}")
        return None
    troubles.note(
        f"{written}: kept as a {ADOPTED[written]}"
        if written in ADOPTED
        else "comment of an unknown type: kept, and not published",
        f"{source_id} {written}",
    )
    return ADOPTED.get(written, Kind.COMMENT)


def _record(draft: Draft, url: str, title: str, kind: Kind) -> Record:
    email = record.address(draft.get("author_email"), draft.source_id, draft.troubles)
    name = record.author(draft.get("author"), draft.source_id, draft.troubles)
    words = record.words(draft.fields.get("content", ""), email, draft.source_id, draft.troubles)
    created_at = _date(draft)
    if not draft.source_id:
        draft.troubles.note(record.NO_ID, "")
    parent = record.known_id(draft.get("parent"))
    return Record(
        article_url=url,
        article_title=title,
        source_id=draft.source_id or record.derived_id(name, created_at, words),
        source_parent=None if parent in ("", "0") else parent,
        author=name,
        website=record.website(draft.get("author_url"), email, draft.source_id, draft.troubles),
        email=email,
        kind=kind,
        state=_state(draft),
        created_at=created_at,
        text=words,
        markup=Markup.HTML,
        article_is_closed=draft.article.get("wp:comment_status", "").strip().lower() == "closed",
    )


def _state(draft: Draft) -> Status:
    """What became of the comment in WordPress; whatever is unknown is not published."""
    written = draft.get("approved").lower()
    if written not in STATUS:
        draft.note(record.UNKNOWN_STATE, written)
        return Status.PENDING
    state = STATUS[written]
    kind = draft.get("type").lower()
    is_known = kind in KINDS or kind in ADOPTED
    return state if is_known or state != Status.APPROVED else Status.PENDING


def _date(draft: Draft) -> datetime:
    """When the comment was written, by the first of its dates that is one."""
    article = draft.article
    guesses: tuple[tuple[str, Callable[[str], datetime], str], ...] = (
        (draft.get("date_gmt"), _utc, ""),
        (draft.get("date"), _utc, "no date in UTC: the site's own time taken for it"),
        (article.get("wp:post_date_gmt", ""), _utc, record.ARTICLES_DATE),
        (article.get("wp:post_date", ""), _utc, record.ARTICLES_DATE),
        (article.get("pubDate", ""), _rfc_date, record.ARTICLES_DATE),
    )
    for written, reading, trouble in guesses:
        try:
            at = reading(written.strip())
        except (ValueError, TypeError, OverflowError):
            continue
        if trouble:
            draft.note(trouble)
        if at > datetime.now(UTC):
            draft.note(record.IN_THE_FUTURE)
        return at
    draft.note(record.NO_DATE)
    return record.LONG_AGO


def _utc(written: str) -> datetime:
    if written.startswith(_UNKNOWN_DATE):
        raise ValueError(written)
    at = datetime.fromisoformat(written)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _rfc_date(written: str) -> datetime:
    at = parsedate_to_datetime(written)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
