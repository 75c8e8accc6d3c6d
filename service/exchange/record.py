"""A comment in nobody's format, and the cleaning that every format needs.

Nothing is dropped or altered silently: whatever is, Troubles counts.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from html import unescape
from typing import Any

from .. import text, urls, vault
from ..status import Kind, Markup, Status
from ..text import ANONYMOUS

NAME_LENGTH, TITLE_LENGTH, ID_LENGTH = 200, 300, 100  # the columns' widths in models.py
ADDRESS_LENGTH = 320  # of an address, 64 before its @ and 255 behind (RFC 5321, 4.5.3.1)
TEXT_LENGTH = 200_000  # four times our longest; making HTML takes 100 bytes of memory for each
LONGEST_TITLE = 20_000  # characters of which a title is made
SAMPLES = 3
REMEMBERED = 50_000  # addresses of which it is known how the file writes them
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

# What every format may have to tell of a comment, in the same words.
NO_ADDRESS = "comment under an article without an address: left out"
NO_ARTICLE = "comment under an article that is not in the file: left out"
NO_ID = "comment without an id: one was made for it"
UNKNOWN_STATE = "unknown state: waits for a moderator"
IN_THE_FUTURE = "date in the future: kept"
NO_DATE = "no date at all: 1 January 1970 taken"
ARTICLES_DATE = "no date: the article's taken"

# Halves of surrogate pairs too: JSON can spell them, and no database stores them.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]\w{1,30});")
_BREAKING_SPACES = re.compile(r"[^\S\u00a0\u202f]+")
_EMPTY_WEBSITES = {"", "http://", "https://", "http:///", "https:///"}
_NAMED = {
    "@": "commat",
    ".": "period",
    "+": "plus",
    "_": "lowbar",
    "'": "apos|rsquo",
    "&": "amp",
}
_ALIKE = {"@": "\ufe6b", ".": "\u3002", "'": "\u2019"}
# What may stand inside an address and is not seen: tags, comments, characters without a width.
_UNSEEN = (
    r"&(?:shy|zwn?j|#0*(?:173|820[3-7])|#x0*(?:ad|200[b-f]));|[\u00ad\u200b-\u200f\u2060\ufeff]"
)
_BETWEEN = rf"(?:<!--[^<]{{0,300}}?-->|<[^<>]{{0,300}}+>|{_UNSEEN})*+"


class Unreadable(Exception):
    """The file cannot be imported; the message is one line and says where the fault is."""


@dataclass(frozen=True, slots=True)
class Past:
    """What another Rejoinder had on record of a comment, as its JSON Lines say it."""

    reasons: tuple[dict[str, Any], ...] = ()
    decisions: tuple[dict[str, Any], ...] = ()
    revisions: tuple[dict[str, Any], ...] = field(default=(), repr=False)
    origin: dict[str, Any] = field(default_factory=dict)  # `source`, `id` and `parent` there


@dataclass(frozen=True, slots=True)
class Record:
    """A comment. `article_url` is canonical, `created_at` is UTC, `text` is as it was."""

    article_url: str
    article_title: str
    source_id: str
    source_parent: str | None
    author: str
    website: str
    email: str = field(repr=False)
    kind: Kind
    state: Status
    created_at: datetime
    text: str
    markup: Markup
    likes: int = 0
    is_pinned: bool = False
    edited_at: datetime | None = None
    article_is_closed: bool = False  # it took no more comments there
    past: Past | None = field(default=None, hash=False)
    public_id: str = ""  # what it was called on its page; kept where nothing else is called so
    language: str = ""
    pinned_at: datetime | None = None  # where the file says when
    is_reworded: bool = False  # the words are a moderator's
    waiting_edit: tuple[str, datetime] | None = field(
        default=None, repr=False
    )  # its text, and when
    article_given_id: str = ""  # the publisher's own
    article_is_held: bool = False  # whatever came there waited
    article_aliases: tuple[str, ...] = ()  # where it was before, canonical


@dataclass(frozen=True, slots=True)
class Trouble:
    """How many comments something was changed or left out of, and the ids of the first."""

    words: str
    count: int
    samples: tuple[str, ...] = ()

    def __str__(self) -> str:
        more = ", …" if self.count > len(self.samples) else ""
        shown = f" (id {', '.join(self.samples)}{more})" if any(self.samples) else ""
        return f"{self.count:,} × {self.words}{shown}"


@dataclass
class _Count:
    total: int = 0
    samples: list[str] = field(default_factory=list)


class Troubles:
    """What was changed or left out: how often, and at which comments first."""

    def __init__(self) -> None:
        self._counts: dict[str, _Count] = {}

    def note(self, words: str, sample: str) -> None:
        """Counts one comment under these words; `sample` is its id in the file."""
        count = self._counts.setdefault(words, _Count())
        count.total += 1
        if len(count.samples) < SAMPLES:
            count.samples.append(_printable(sample))

    def told(self) -> list[Trouble]:
        """Each kind of trouble, the most frequent first."""
        counted = sorted(self._counts.items(), key=lambda pair: -pair[1].total)
        return [Trouble(words, count.total, tuple(count.samples)) for words, count in counted]

    def lines(self) -> Iterator[str]:
        """A line for each kind of trouble, the most frequent first."""
        return map(str, self.told())


class Addresses:
    """Finds an article's canonical URL. Takes the rules that move addresses, old and new, and the
    origin on which a path lies that none of them makes an address of.

    The old one of a rule is a beginning; with a `*` in it a pattern for all of the address, and what
    each * stands for goes, in order, where the new one has a *. Of the rules that fit, the one with
    the most characters that are not * moves the address, of equally many the one without a *.
    """

    def __init__(self, maps: Iterable[tuple[str, str]] = (), base: str = "") -> None:
        exact_first = sorted(maps, key=lambda pair: _exactness(pair[0]), reverse=True)
        self._maps = [(old, _in_small(old), new) for old, new in exact_first]
        self.unused = {old for old, _, _ in self._maps}
        self.base = base
        self._were: dict[str, str] = {}

    def canonical(self, url: str) -> str:
        """The article's address; raises urls.NotAnAddress."""
        written = url.strip()
        address = urls.canonical(_closed_up(self._laid(self.moved(written)[0])))
        if len(address.encode()) > urls.MAX_LENGTH:  # PostgreSQL cannot index a longer one
            raise urls.NotAnAddress(address)
        if address != written and len(self._were) < REMEMBERED:
            self._were.setdefault(address, written)
        return address

    def was(self, address: str) -> str:
        """How the file writes an article's address; of very many, perhaps the canonical one."""
        return self._were.get(address, address)

    def moved(self, url: str) -> tuple[str, str]:
        """Where the rules take an address, and the old part of the one that does so, "" for none."""
        if self._maps:
            for spelt in _ways(url):
                for old, begin, new in self._maps:
                    now = _matched(spelt, begin, new) if "*" in old else _cut(spelt, begin, new)
                    if now is not None:
                        self.unused.discard(old)
                        return now, old
        return url, ""

    def _laid(self, url: str) -> str:
        """A path on the origin, and its host without a scheme. Joined by hand: a path may well begin
        with two slashes."""
        scheme, _, host = self.base.partition("://")
        if host and re.match(rf"{re.escape(host)}(?:[/?]|$)", url, re.I):
            return f"{scheme}://{url}"
        return _join(self.base, url) if self.base and url[:1] in ("/", "?") else url


def _closed_up(url: str) -> str:
    """An address with white space in it as browsers send it (WHATWG URL, 4.4)."""
    return re.sub(r"[\t\r\n]", "", url.strip()).replace(" ", "%20")


_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#]*", re.I)


def _in_small(url: str) -> str:
    """The address with its scheme and host in small letters, as they mean the same."""
    return (found[0].lower() + url[found.end() :]) if (found := _ORIGIN.match(url)) else url


def _ways(url: str) -> Iterator[str]:
    """An address as the file has it, and then without what names no other page (utm_source=…)."""
    yield _with_path(_in_small(url))
    with suppress(urls.NotAnAddress):
        yield urls.canonical(url)


def _with_path(url: str) -> str:
    """The address with the "/" that a mere host's page has."""
    found = _ORIGIN.match(url)
    if found is None or url[found.end() :].startswith("/"):
        return url
    return f"{found[0]}/{url[found.end() :]}"


def _exactness(old: str) -> tuple[int, bool]:
    return len(old) - old.count("*"), "*" not in old


def _cut(url: str, old: str, new: str) -> str | None:
    return _join(new, url[len(old) :]) if _begins(url, old) else None


def _matched(url: str, old: str, new: str) -> str | None:
    """The address with what each * stands for; each but the last stands for as little as it can.
    Searched for from place to place: a regular expression may take years for some addresses."""
    first, *between, last = old.split("*")
    if not url.startswith(first) or not url[len(first) :].endswith(last):
        return None
    place, end, found = len(first), len(url) - len(last), list[str]()
    for part in between:
        at = url.find(part, place, end)
        if at < 0:
            return None
        found.append(url[place:at])
        place = at + len(part)
    found.append(url[place:end])
    head, *rest = new.split("*")
    return head + "".join(held + part for held, part in zip(found, rest, strict=False))


def _begins(url: str, prefix: str) -> bool:
    """Whether the prefix is one of this URL; https://a.example is none of https://a.example.org."""
    ends_in_host = prefix.count("/") == 2 and "://" in prefix
    rest = url[len(prefix) :]
    return url.startswith(prefix) and not (ends_in_host and rest and rest[0] not in "/?#")


def _join(new: str, rest: str) -> str:
    if new.endswith("/") and rest.startswith("/"):
        return new + rest[1:]
    if new.count("/") == 2 and rest and rest[0] not in "/?#":
        return f"{new}/{rest}"
    return new + rest


def printed(typed: str) -> str:
    """The text without control characters (PostgreSQL stores no NUL) and outer white space."""
    return _CONTROL.sub("", typed).strip()


def title(written: str) -> str:
    """An article's title as plain text on one line."""
    return text.excerpt(text.plain(written[:LONGEST_TITLE]), TITLE_LENGTH)


def address(written: str, source_id: str, troubles: Troubles) -> str:
    """The author's address, "" where that is longer than any."""
    kept = printed(written)
    if len(kept) > ADDRESS_LENGTH:
        troubles.note(
            f"e-mail address longer than {ADDRESS_LENGTH} characters: left out", source_id
        )
        return ""
    return kept


def author(written: str, source_id: str, troubles: Troubles) -> str:
    """The name to show: with entities read, never an address, never empty."""
    read = _ENTITY.sub(lambda entity: unescape(entity[0]), written)
    name = _BREAKING_SPACES.sub(" ", printed(read)).strip()
    straight = "".join(c for c in name if c not in text.BIDI_CONTROLS)
    if straight != name:
        troubles.note("name with characters that change its direction: without them", source_id)
    shown = text.mask_addresses(straight)
    if shown != straight:
        troubles.note("name that is an e-mail address: masked", source_id)
    if len(shown) > NAME_LENGTH:
        troubles.note(f"name longer than {NAME_LENGTH} characters: cut", source_id)
        shown = text.excerpt(shown, NAME_LENGTH)
    if not text.is_visible(shown):
        troubles.note(f"no name that can be seen: shown as {ANONYMOUS}", source_id)
        return ANONYMOUS
    return shown


def website(written: str, email: str, source_id: str, troubles: Troubles) -> str:
    """The author's website as it was written, "" if there is none that can be linked."""
    address = printed(written).replace("&#038;", "&").replace("&amp;", "&")
    if address.lower() in _EMPTY_WEBSITES:
        return ""
    try:
        canonical = urls.website(address)
    except urls.NotAnAddress:
        troubles.note("website that is no web address: left out", source_id)
        return ""
    if _holds(address, email):
        troubles.note("website with the author's e-mail address in it: left out", source_id)
        return ""
    return address if "://" in address else canonical


def words(written: str, email: str, source_id: str, troubles: Troubles) -> str:
    """The comment's text, in which only its author's own address is masked (promise 2). However
    that is spelt, all else stays as it was written, but what nobody would read to its end."""
    kept = printed(written)
    if _holds(kept, email):
        troubles.note("the author's own e-mail address in the text: masked", source_id)
        kept = _own(email).sub(lambda _: vault.mask(email), kept)
    if len(kept) > TEXT_LENGTH:
        troubles.note(f"text longer than {TEXT_LENGTH:,} characters: cut", source_id)
        kept = kept[:TEXT_LENGTH]
    return kept


def known_id(written: str) -> str:
    """An id as it is stored; one that is too long for its column by its digest.

    One with an at sign is none: exports show ids, and a file may hold anything.
    """
    kept = printed(written)
    if "@" in kept:
        return ""
    return kept if len(kept) <= ID_LENGTH else digest(kept)


def derived_id(name: str, created_at: datetime, words: str) -> str:
    """An id for a comment without one of its own: the same at every import of it."""
    return digest(name, created_at.isoformat(), words)


def file_name(written: str) -> str:
    """What a file was called, as the desk shows it: never with an address in it."""
    return text.mask_addresses(written)[:NAME_LENGTH]


def digest(*parts: str) -> str:
    """A short name for some text. Never give it an address: no digest of one is made."""
    joined = "\0".join(parts).encode("utf-8", "replace")
    return "~" + hashlib.sha256(joined).hexdigest()[:32]


def _holds(written: str, email: str) -> bool:
    """Whether the address can be read in a text, however it is spelt. What is no address is in none."""
    local, _, domain = email.casefold().partition("@")
    if not local or not domain or "@" in domain or not _AT.search(written):
        return False
    # Most texts with an at sign have another's: a short pattern is made once, the long one for each.
    begins = {name[0] for name in _domains(domain)}
    if not any(_at_between(local[-1], begin).search(written) for begin in begins):
        return False
    return _own(email).search(written) is not None


@lru_cache(maxsize=4_096)
def _at_between(before: str, after: str) -> re.Pattern[str]:
    return re.compile(_spelt(f"{before}@{after}"), re.I | re.S)


@lru_cache(maxsize=256)
def _own(email: str) -> re.Pattern[str]:
    """Finds one address in each of its spellings: entities, percent signs, tags in between, its
    domain in letters or in ASCII. Not as the end or the beginning of a longer word."""
    local, _, domain = email.casefold().partition("@")
    spelt = "|".join(_spelt(f"{local}@{name}") for name in sorted(_domains(domain)))
    begins = r"(?:(?<![^\W_])|(?<=%[0-9a-f]{2}))"
    return re.compile(rf"{begins}(?:{spelt})(?![^\W_])", re.I | re.S)


def _domains(domain: str) -> set[str]:
    """A domain as it is written, in ASCII, and in letters."""
    domains = {domain}
    with suppress(UnicodeError):
        domains.add(domain.encode("idna").decode())
    with suppress(UnicodeError):
        domains.add(domain.encode().decode("idna"))
    return domains - {""}


def _spelt(word: str) -> str:
    return _BETWEEN.join(map(_spellings, word))


def _spellings(character: str) -> str:
    """A pattern for one character as it may stand in HTML or in a web address. Never tried again in
    another way: with two ways for each character a word of thirty would take a lifetime. So what is
    longer comes first."""
    alike = {character, character.upper(), *_ALIKE.get(character, "")}
    if "!" <= character <= "~":  # the full-width forms of ASCII
        alike |= {chr(ord(c) + 0xFEE0) for c in (character, character.upper())}
    written = {rf"&(?:{_NAMED[character]});"} if character in _NAMED else set()
    for same in filter(lambda c: len(c) == 1, alike):
        escaped = "".join(f"%(?:25)*{byte:02x}" for byte in same.encode("utf-8", "replace"))
        written |= {f"&#0*{ord(same)};?", f"&#x0*{ord(same):x};?", escaped}
    bare = {re.escape(same) for same in alike if len(same) == 1}
    return f"(?>{'|'.join((*sorted(written), *sorted(bare)))})"


_AT = re.compile(_spellings("@"), re.I)


def _printable(sample: str) -> str:
    """Fit for a terminal, whatever the file holds."""
    shown = "".join(c for c in sample if c.isprintable())[:40]
    return text.mask_addresses(shown)
