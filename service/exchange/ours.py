"""Rejoinder's own JSON Lines as Records: another installation's comments, or our own come back.

What is foreign stays foreign (hard rule 15): decisions are history, not orders; who spoke for a
site or proved an address there did not do so here; HTML is made anew from the text.
"""

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, BinaryIO, TypeVar

from ..models.base import ALPHABET
from ..status import Act, Kind, Markup, Status
from ..text import mask_addresses, render, render_html
from ..urls import NotAnAddress
from . import record
from .entry import MOST_LIKES, moment
from .record import Addresses, Past, Record, Troubles, Unreadable
from .windows import utc

PIECE = 64 * 1024
LONGEST = 16 * 1024 * 1024  # bytes of a line
MOST_ENTRIES = 1_000  # of each part of a comment's history
NOTE_LENGTH = 5_000
GIVEN_ID_LENGTH = 200  # the column's width in models.py

PUBLIC_ID = re.compile(rf"[{ALPHABET}]{{12}}")
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,2}")
KNOWN = {
    *("id", "source_id", "parent", "source_parent", "source", "article", "title", "author"),
    *("website", "email", "kind", "status", "created_at", "text", "html", "markup", "language"),
    *("likes", "mark", "pinned_at", "edited_at", "is_reworded", "waiting_edit"),
    *("article_is_closed", "article_is_held", "article_given_id", "article_aliases"),
    *("reasons", "decisions", "revisions"),
}
NEEDED = ("article", "author", "text", "created_at", "status")

Fields = dict[str, Any]
Word = TypeVar("Word", Kind, Markup, Status)


def read(file: BinaryIO, addresses: Addresses, troubles: Troubles) -> Iterator[Record]:
    """The comments of an export of Rejoinder's, in the order of its lines.

    Raises Unreadable with the number of the line at fault.
    """
    for number, line in enumerate(_lines(file), 1):
        if line.strip():
            fields = _fields(line, number)
            if found := _record(Draft(fields, troubles), addresses):
                yield found


def kept_id(written: str) -> str:
    """A public id as we make them, "" if it is none."""
    return written if PUBLIC_ID.fullmatch(written) else ""


def kept_words(written: str, email: str, source_id: str, troubles: Troubles) -> str:
    """A text of ours: as `record.words`, but Markdown may begin with an indented line."""
    whole = written.strip("\r\n")
    indent = whole[: len(whole) - len(whole.lstrip(" "))]
    return indent + record.words(whole, email, source_id, troubles)


def kept_name(written: str, source_id: str, troubles: Troubles) -> str:
    """A name of ours, in which nothing is an entity."""
    return record.author(written.replace("&", "&amp;"), source_id, troubles)


def kept_title(written: str) -> str:
    """A title of ours, which is no HTML, with its spaces: French has them that do not break."""
    return record.printed(" ".join(written.splitlines()))[: record.TITLE_LENGTH]


def kept_language(written: str) -> str:
    """A language's tag (BCP 47), "" if it is none, or longer than its column."""
    return written if len(written) <= 20 and LANGUAGE.fullmatch(written) else ""


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines, each no longer than LONGEST."""
    number, rest = 1, b""
    while piece := file.read(PIECE):
        *whole, rest = (rest + piece).split(b"\n") if b"\n" in piece else [rest + piece]
        yield from whole
        number += len(whole)
        if len(rest) > LONGEST:
            raise Unreadable(f"line {number} is longer than {LONGEST >> 20} MB")
    yield rest


def _fields(line: bytes, number: int) -> Fields:
    try:
        fields = json.loads(line.removeprefix(b"\xef\xbb\xbf").decode())
    except UnicodeError:
        raise Unreadable(f"line {number} is not UTF-8") from None
    except (ValueError, RecursionError):
        raise Unreadable(f"line {number} is not well-formed JSON, or cut off") from None
    if not isinstance(fields, dict):
        raise Unreadable(f"line {number} is no object: each line is to be a comment") from None
    if missing := [name for name in NEEDED if not isinstance(fields.get(name), str)]:
        raise Unreadable(f"line {number} has no text under {missing[0]!r}")
    return fields


class Draft:
    """A line on its way to a Record."""

    def __init__(self, fields: Fields, troubles: Troubles) -> None:
        self.fields = fields
        self.troubles = troubles
        self.id = record.known_id(said(fields, "id"))

    def get(self, name: str) -> str:
        return said(self.fields, name)

    def note(self, words: str, detail: str = "") -> None:
        self.troubles.note(words, f"{self.id} {detail}".strip())

    def one_of(self, words: type[Word], name: str, usual: Word) -> Word:
        """The word under a name; a word that is not known stays one of trouble."""
        try:
            return words(self.get(name)) if self.fields.get(name) is not None else usual
        except ValueError:
            self.note(f"unknown {name}: taken as {usual}", self.get(name))
            return usual

    def moment(self, name: str) -> datetime | None:
        written = self.get(name)
        at = moment(written) if written else None
        if written and at is None:
            self.note(f"{name} is no date: left out")
        return at


def said(fields: Fields, name: str) -> str:
    """The text under a name without halves of surrogate pairs, or the whole number; "" for anything
    else."""
    value = fields.get(name)
    if type(value) is int:
        return str(value)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _record(draft: Draft, addresses: Addresses) -> Record | None:
    try:
        url = addresses.canonical(draft.get("article"))
    except NotAnAddress:
        draft.note(record.NO_ADDRESS)
        return None
    _tell_what_is_left_out(draft)
    email = record.address(draft.get("email"), draft.id, draft.troubles)
    name = kept_name(draft.get("author"), draft.id, draft.troubles)
    words = kept_words(draft.get("text"), email, draft.id, draft.troubles)
    usual = Markup.HTML if draft.get("source_id") else Markup.MARKDOWN
    markup = draft.one_of(Markup, "markup", usual)
    created_at = _date(draft)
    if not draft.id:
        draft.note(record.NO_ID)
    return Record(
        article_url=url,
        article_title=kept_title(draft.get("title")),
        source_id=draft.id or record.derived_id(name, created_at, words),
        source_parent=record.known_id(draft.get("parent")) or None,
        author=name,
        website=record.website(draft.get("website"), email, draft.id, draft.troubles),
        email=email,
        kind=draft.one_of(Kind, "kind", Kind.COMMENT),
        state=draft.one_of(Status, "status", Status.PENDING),
        created_at=created_at,
        text=words,
        markup=markup,
        likes=_likes(draft),
        is_pinned=bool(draft.get("pinned_at")),
        edited_at=draft.moment("edited_at"),
        article_is_closed=draft.fields.get("article_is_closed") is True,
        past=_past(draft, email),
        public_id=kept_id(draft.id),
        language=kept_language(draft.get("language")),
        pinned_at=draft.moment("pinned_at"),
        is_reworded=draft.fields.get("is_reworded") is True,
        waiting_edit=_waiting_edit(draft, email),
        article_given_id=record.printed(draft.get("article_given_id"))[:GIVEN_ID_LENGTH],
        article_is_held=draft.fields.get("article_is_held") is True,
        article_aliases=_aliases(draft, url, addresses),
    )


def _tell_what_is_left_out(draft: Draft) -> None:
    if unknown := sorted(draft.fields.keys() - KNOWN):
        draft.note("with keys that are none of ours: left out", unknown[0])
    if draft.get("mark") not in ("", "none"):
        draft.note("marked as the author's or the staff's there: not here")


def _waiting_edit(draft: Draft, email: str) -> tuple[str, datetime] | None:
    """What the author would have the comment say, None if there is no such thing: only a published
    one waits for that."""
    entry = draft.fields.get("waiting_edit")
    if not entry:
        return None
    typed = said(entry, "text") if isinstance(entry, dict) else ""
    at = moment(said(entry, "at")) if typed else None
    if at is None or draft.get("status") != Status.APPROVED:
        draft.note("an edit that waited for a moderator, and cannot here: left out")
        return None
    return kept_words(typed, email, draft.id, draft.troubles), at


def _aliases(draft: Draft, url: str, addresses: Addresses) -> tuple[str, ...]:
    """Where the article was before."""
    written = draft.fields.get("article_aliases") or []
    found: dict[str, None] = {}
    for alias in written[:MOST_ENTRIES] if isinstance(written, list) else ():
        try:
            found[addresses.canonical(alias)] = None
        except (NotAnAddress, AttributeError):
            draft.note("a former address of the article that is none: left out")
    found.pop(url, None)
    return tuple(found)


def _date(draft: Draft) -> datetime:
    if at := draft.moment("created_at"):
        if at > datetime.now(at.tzinfo):
            draft.note(record.IN_THE_FUTURE)
        return at
    draft.note(record.NO_DATE)
    return record.LONG_AGO


def _likes(draft: Draft) -> int:
    likes = draft.fields.get("likes")
    is_count = isinstance(likes, int) and not isinstance(likes, bool)
    return min(max(likes, 0), MOST_LIKES) if is_count and likes is not None else 0


def _past(draft: Draft, email: str) -> Past | None:
    """What is on record of the comment there, None if nothing is."""
    source_id = record.known_id(draft.get("source_id"))
    origin = {
        "source": record.known_id(draft.get("source"))[:20] or None,
        "id": source_id,
        "parent": record.known_id(draft.get("source_parent")) or None,
    }

    def revision(entry: Fields) -> Fields:
        words = kept_words(said(entry, "text"), email, draft.id, draft.troubles)
        return _revision(entry, words)

    past = Past(
        tuple(_entries(draft, "reasons", _reason)),
        tuple(_entries(draft, "decisions", _decision)),
        tuple(_entries(draft, "revisions", revision)),
        origin if source_id else {},
    )
    return past if past != Past() else None


def _entries(draft: Draft, name: str, cleaned: Callable[[Fields], Fields]) -> Iterator[Fields]:
    """What is sound of one part of the history; what is not is told of, and left out."""
    entries = draft.fields.get(name) or []
    if not isinstance(entries, list) or len(entries) > MOST_ENTRIES:
        draft.note(f"{name} are no list of at most {MOST_ENTRIES:,}: left out")
        return
    for entry in entries:
        try:
            elsewhere = _short(entry, "elsewhere", 200)
            yield cleaned(entry) | ({"elsewhere": elsewhere} if elsewhere else {})
        except (ValueError, AttributeError):
            draft.note(f"one of its {name} cannot be read: left out")


def _reason(entry: Fields) -> Fields:
    rule = _short(entry, "rule", 40)
    if not rule:
        raise ValueError("rule")
    return {"rule": rule, "matched": _short(entry, "matched", 300)}


def _decision(entry: Fields) -> Fields:
    version = entry.get("version")
    at, undone = _at(entry, "at"), entry.get("undoes")
    cleaned = {
        "at": at,
        "by": _short(entry, "by", 80),
        "act": Act(said(entry, "act")).value,
        "from": Status(said(entry, "from")).value,
        "to": Status(said(entry, "to")).value,
        "version": version if type(version) is int and abs(version) <= MOST_LIKES else 0,
        "note": _short(entry, "note", NOTE_LENGTH),
        "public_text": _short(entry, "public_text", NOTE_LENGTH),
    }
    return cleaned | ({"undoes": _at(entry, "undoes")} if undone else {})


def _revision(entry: Fields, words: str) -> Fields:
    markup = Markup(said(entry, "markup") or Markup.MARKDOWN)
    made = render_html(words) if markup == Markup.HTML else render(words)
    return {
        "text": words,
        "html": str(made),
        "markup": markup.value,
        "replaced_at": _at(entry, "replaced_at"),
    }


def _at(entry: Fields, name: str) -> str:
    at = moment(said(entry, name))
    if at is None:
        raise ValueError(name)
    return utc(at)


def _short(entry: Fields, name: str, length: int) -> str:
    """A short text, never with an address in it."""
    return mask_addresses(record.printed(said(entry, name)))[:length]
