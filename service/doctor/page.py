"""What a publisher's page says of its comments: read from its HTML, of which nothing else is kept.

It is read by the HTML standard's own rules for tags (13.2.5), as far as they are needed here, each
character once: Python's html.parser takes minutes for two megabytes of "<a<a<a".
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import parse_qs, urljoin, urlsplit

ELEMENT, COUNT = "rejoinder-thread", "rejoinder-count"
# What stands inside these is text, or not part of the page.
SHUT = ("script", "style", "textarea", "title", "iframe", "template")
_NAME = re.compile(r"/?[a-zA-Z][^\s/>]*+")
_ATTRIBUTE = re.compile(
    r"[\s/]*+(?P<name>[^\s/>][^\s/>=]*+)"
    r"(?:\s*+=\s*+(?:\"(?P<double>[^\"]*+)\"|'(?P<single>[^']*+)'|(?P<bare>[^\s>\"'][^\s>]*+)))?+"
)
_END = re.compile(r"[\s/]*+>")


@dataclass
class Thread:
    """One element, and the link inside it."""

    site: str
    url: str  # as the attribute says it, "" for none
    article: str
    link: str = ""


@dataclass
class Page:
    """What was found; addresses are whole."""

    url: str
    threads: list[Thread] = field(default_factory=list)
    scripts: dict[str, str] = field(default_factory=dict)  # the nonce of each
    canonicals: list[str] = field(default_factory=list)
    policies: list[str] = field(default_factory=list)
    forms: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    has_counts: bool = False

    def article(self, thread: Thread) -> str:
        """The address that the element asks for: its own, the page's canonical link where that is
        on the same host, else the page's (static/embed.js)."""
        if thread.url:
            return whole(self.url, thread.url)
        canonical = self.canonicals[0] if self.canonicals else ""
        same = urlsplit(canonical).netloc == urlsplit(self.url).netloc
        return canonical if canonical and same else self.url


def read(html: str, url: str) -> Page:
    """Reads a page's HTML, however broken. Takes the address that it was found at."""
    reader = _Reader(url)
    for name, said in _tags(html):
        if name.startswith("/"):
            reader.end(name[1:])
        else:
            reader.start(name, said)
    return reader.page


def _tags(html: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Each tag's name, that of one that ends with a slash before it, and its attributes."""
    at = 0
    while (at := html.find("<", at) + 1) > 0:
        found = _NAME.match(html, at)
        if found is None:
            if html.startswith(("!", "?", "/"), at):
                ends = "-->" if html.startswith("!--", at) else ">"
                at = _behind(html, ends, at)
            continue
        name, at = found[0].lower(), found.end()
        said: dict[str, str] = {}
        while attribute := _ATTRIBUTE.match(html, at):
            value = attribute["double"] or attribute["single"] or attribute["bare"] or ""
            said.setdefault(attribute["name"].lower(), unescape(value).strip())
            at = attribute.end()
        if not _END.match(html, at):
            return  # the page ends inside a tag
        yield name, said
        if name in SHUT:
            shut = re.compile(f"</{name}(?=[\\s/>])", re.I).search(html, at)
            at = shut.start() if shut else len(html)


def _behind(html: str, ends: str, at: int) -> int:
    """Where it goes on behind the next of these; at the page's end if there is none."""
    found = html.find(ends, at)
    return found + len(ends) if found >= 0 else len(html)


def whole(base: str, address: str) -> str:
    """An address as a page at `base` means it; "" for one that nobody can read."""
    try:
        joined = urljoin(base, address)
        urlsplit(joined)
    except ValueError:
        return ""
    return joined


def linked_article(link: str) -> str:
    """The article that a fall-back link names, "" for none."""
    return next(iter(parse_qs(urlsplit(link).query).get("url", [])), "")


class _Reader:
    def __init__(self, url: str) -> None:
        self.page = Page(url)
        self.base = url
        self.open: Thread | None = None

    def start(self, tag: str, said: Mapping[str, str]) -> None:
        page = self.page
        if tag == "base" and said.get("href"):
            self.base = whole(page.url, said["href"]) or self.base
        elif tag == ELEMENT:
            self.open = Thread(*(said.get(name, "") for name in ("site", "url", "article")))
            page.threads.append(self.open)
        elif tag == COUNT:
            page.has_counts = True
        elif tag == "script" and said.get("src"):
            page.scripts[self._whole(said["src"])] = said.get("nonce", "")
        elif tag == "link" and "canonical" in said.get("rel", "").lower().split():
            if canonical := self._whole(said.get("href", "")):
                page.canonicals.append(canonical)
        elif tag == "meta" and said.get("http-equiv", "").lower() == "content-security-policy":
            page.policies.append(said.get("content", ""))
        elif tag == "form":
            page.forms.append(self._whole(said.get("action", "")))
        elif tag == "a" and said.get("href"):
            self._link(self._whole(said["href"]))

    def end(self, tag: str) -> None:
        if tag == ELEMENT:
            self.open = None

    def _link(self, address: str) -> None:
        self.page.links.append(address)
        if self.open is not None and not self.open.link:
            self.open.link = address

    def _whole(self, address: str) -> str:
        return whole(self.base, address)
