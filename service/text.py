"""Typed text and imported HTML to safe HTML: the only place that knows bleach and nh3.

What a reader typed goes through Markdown, what an import brings does not; then both take one way:
laid out (every word in a paragraph, an item or a <pre>, every tag closed and written by us, no deep
nesting), bleach (allow-list, bare addresses to links), nh3 (the same allow-list, the last word).
The lay-out comes first because both sanitisers take quadratic time on deep nesting.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from functools import partial
from html import escape, unescape
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import nh3
from bleach.html5lib_shim import getTreeWalker  # type: ignore[attr-defined]
from bleach.linkifier import LinkifyFilter
from bleach.sanitizer import Cleaner
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, blockquote, list_block
from markdown_it.rules_inline import StateInline
from markupsafe import Markup

from .layout import (
    BLOCKS,
    BREAKING,
    CONTROL,
    DEEPEST,
    INLINE,
    MARK,
    Token,
    attributes,
    lay_out,
    read_entities,
    tokens,
)

ANONYMOUS = "Anonymous"  # what a comment without a name is stored under; shown in each language
RENDERER = 1  # stored beside rendered HTML; raise it when the same text would come out otherwise

TAGS = INLINE | BLOCKS | {"p", "br"}
KEPT = {"a": "href", "abbr": "title", "acronym": "title", "ol": "start"}  # one attribute each
SCHEMES = {"http", "https"}
REL = "nofollow ugc noopener"

# Letters by their category, blanks to the eye: Hangul fillers and the empty Braille cell.
BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
# LRE RLE PDF LRO RLO and LRI RLI FSI PDI: a name with these can rearrange the words around it.
BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

LONGEST_LINK = 2000  # characters of an address
MOST_MARKED = 200  # places of a text that are highlighted
MARKS = 30  # combining marks in a row: Unicode's Stream-Safe Text Format, UAX #15, section 13

_LINE_END = re.compile(r"\r\n?|[\x85\u2028\u2029]")
_UNSEEN = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"  # zero width, bidi controls
_UNFIT = r"\s\x00-\x20\x7f-\xa0\\<>\"" + _UNSEEN  # never in an address that we link
_WEB = re.compile(rf"https?://[^/?#@{_UNFIT}]+(?:[/?#][^{_UNFIT}]*)?", re.I)
_PAUSE = ".,:;!?'*~…"  # in running text part of an address only if more of it follows
_LETTER = rf"[^{_UNFIT}{_PAUSE}()\[\]{{}}|^`“”„«»‹›、。，！？；：（）「」『』《》]"
_BARE = re.compile(
    r"(?<![a-zA-Z0-9_@./-])(?:https?://|www\.)"
    rf"(?:[{_PAUSE}]*+(?:{_LETTER}|\((?:{_LETTER}|[{_PAUSE}])*+\)))++",
    re.I,
)
_NONE = re.compile(r"(?!)")
# Laid out, and nothing in it but our own <p> and <br>, text, and the three entities that we write.
_PLAIN = re.compile(r"(?:<p>(?:[^<>&]|&(?:amp|lt|gt);|<br>)++</p>)++")
_LOOKS_LIKE_NOTHING = {"p", "br", "div", "span"}
_NO_WEB_LINK = re.compile(r"""<a\s[^<>]*?href\s*=\s*["']?\s*(?!https?://|["'\s>])""", re.I)
_LIKE_A_LINK = re.compile(r"https?:|www\.", re.I)

_ADDRESS = re.compile(  # a slash, "*" or "'" begins none: those stand before a mention, "/@name.x"
    r"""(?:"[^"\n]{1,64}"|[\w!#$%&+=?^{|}~][\w.!#$%&'*+=?^`{|}~-]{0,63})@
    (?:(?:[\w-]{1,63}\.)+[^\W\d_](?:[\w-]{0,61}\w)?|\[[\da-z.:]{3,60}\])""",
    re.I | re.X,
)

_TYPED_TAG = re.compile(  # an attribute without a value is rather a word: <i and j>
    rf"""</?(?:{"|".join(INLINE)}|blockquote|br)
    (?:\s++[a-z-]++=(?:"[^"<>]*+"|'[^'<>]*+'|[^\s"'<>=`]++))*+\s*+/?>""",
    re.I | re.X,
)
_UNIT = re.compile(r"&[#\w]+;|.", re.S)  # a letter as it is written in HTML
_LINK = re.compile(r'<a href="([^"]*)"[^>]*>(.*?)</a>', re.S)

Attributes = MutableMapping[tuple[str | None, str], str]
BlockRule = Callable[[StateBlock, int, int, bool], bool]


def normalise(typed: str) -> str:
    """The text as it is stored: lines end in \\n, NFC, no control characters, no white space at
    the end of a line, no empty lines around it, no half of a surrogate pair."""
    text = _LINE_END.sub("\n", CONTROL.sub("", typed.encode("utf-8", "replace").decode()))
    text = unicodedata.normalize("NFC", tame(text))
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")


def render(typed: str) -> Markup:
    """What a reader typed (Markdown's everyday part, a few tags) as safe HTML. No word is lost:
    a tag that is not allowed is shown as it was typed."""
    return _clean(lay_out(_markdown().render(normalise(typed)), _start_tag), _BARE)


def render_html(html: str) -> Markup:
    """Imported HTML as safe HTML, line ends read as WordPress does (wpautop): a blank line ends a
    paragraph, a single one stays a break. Unknown tags go and their text stays."""
    return _clean(lay_out(normalise(html), _start_tag), _BARE)


def loses(html: str) -> bool:
    """Whether imported HTML loses something that could be seen or followed when it is made safe: an
    element that is not allowed, or a link that leads to no web page."""
    if "<" not in html:
        return False
    return bool(_NO_WEB_LINK.search(html)) or any(
        (mark["name"] or "p").lower() not in TAGS | _LOOKS_LIKE_NOTHING
        for mark in MARK.finditer(html)
    )


def sanitise(html: str) -> Markup:
    """The allow-list and nothing else: what `render` made comes out as it went in."""
    return _clean(html, _NONE)


def trusted(stored: str) -> Markup:
    """HTML of ours that comes back from the database, where only `render` and `render_html` put it."""
    return Markup(stored)  # noqa: S704


def unlink(html: str) -> Markup:
    """Rendered HTML with its links as plain text: `label (address)`, or the address alone."""
    return Markup(_LINK.sub(_written_out, html))  # noqa: S704  rendered above; only tags go


def highlight(html: str, words: Iterable[str]) -> Markup:
    """HTML of ours with the words in `<mark>` wherever they stand in its text, in any case, and
    over tags and entities if need be; no tag is broken, and nothing else is changed."""
    wanted = [r"\s+".join(map(re.escape, parts)) for word in words if (parts := word.split())]
    if not wanted:
        return trusted(html)
    pieces = _pieces(html)
    legible = "".join(piece.legible for piece in pieces)
    # One after the other, and not as alternatives: what overlaps is marked as one.
    found = (m.span() for w in wanted for m in re.finditer(w, legible, re.I))
    marked = _joined(islice(found, MOST_MARKED))
    out, place = [], 0
    for piece in pieces:
        end = place + len(piece.legible)
        out.append(
            piece.marked([(a - place, b - place) for a, b in marked if a < end and b > place])
        )
        place = end
    return Markup("".join(out))  # noqa: S704  ours before; only <mark> came


def plain(html: str) -> str:
    """The readable text of HTML, a block a line, for feeds and search."""
    pieces = ("\n" if BREAKING.fullmatch(t.name) else t.text for t in tokens(html))
    return "\n".join(filter(None, (line.strip() for line in "".join(pieces).split("\n"))))


def excerpt(text: str, length: int) -> str:
    """Plain text on one line of at most `length` characters, cut at a word with an ellipsis."""
    line = " ".join(text.split())
    if len(line) <= length:
        return line
    words = line[:length].rpartition(" ")[0] or line[: length - 1]
    return words.rstrip(" ,;:.-") + "…"


def is_visible(value: str) -> bool:
    """Whether anything of a plain text can be seen: a letter, digit, sign or mark."""
    return any(unicodedata.category(c)[0] in "LNPS" and c not in BLANKS for c in value)


def count_links(html: str) -> int:
    """How many links rendered HTML holds."""
    return html.count('<a href="')


def links(html: str) -> list[str]:
    """Where the links of rendered HTML lead."""
    return [read_entities(address) for address, _ in _LINK.findall(html)]


def addresses(text: str) -> list[str]:
    """The e-mail addresses in a text or in HTML, each once; entities and full-width forms are
    read, and tags inside an address passed over."""
    legible = _legible(text)
    return list(dict.fromkeys(_ADDRESS.findall(legible) + _ADDRESS.findall(MARK.sub("", legible))))


def mask_addresses(text: str) -> str:
    """The text with each e-mail address cut down to `j…@…`; a text without any as it is."""
    legible = _legible(text)
    masked = _ADDRESS.sub(lambda found: found[0].strip('"')[:1] + "…@…", legible)
    return text if masked == legible else masked


class _Piece(NamedTuple):
    """A tag of HTML, or a run of text: as it is written and as it is read."""

    written: str
    legible: str
    is_tag: bool = False

    def marked(self, spans: list[tuple[int, int]]) -> str:
        """As it is written, with these parts of what is read in <mark>; takes them in order."""
        if not spans or self.is_tag:
            return self.written
        out, place, number, is_open = [], 0, 0, False
        for unit in _UNIT.findall(self.written):
            end = place + len(unescape(unit))
            while number < len(spans) and spans[number][1] <= place:
                number += 1
            is_in = number < len(spans) and spans[number][0] < end
            if is_in != is_open:
                out.append("<mark>" if is_in else "</mark>")
            out.append(unit)
            place, is_open = end, is_in
        return "".join(out) + ("</mark>" if is_open else "")


def _pieces(html: str) -> list[_Piece]:
    """HTML taken apart. A break or a block between two words is read as a line end."""
    pieces, place = [], 0
    for tag in MARK.finditer(html):
        pieces.append(_Piece(html[place : tag.start()], unescape(html[place : tag.start()])))
        is_inline = (tag["name"] or "").lower() in INLINE
        pieces.append(_Piece(tag[0], "" if is_inline else "\n", is_tag=True))
        place = tag.end()
    return [*pieces, _Piece(html[place:], unescape(html[place:]))]


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in their order, those that touch as one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def tame(text: str) -> str:
    """At most 30 combining marks in a row: sorting them is quadratic, and more cover the lines."""
    if text.isascii():
        return text
    kept, row = [], 0
    for character in text:
        row = row + 1 if unicodedata.combining(character) else 0
        if row <= MARKS:
            kept.append(character)
    return "".join(kept)


def _legible(text: str) -> str:
    """The text as a person reads it: no entities, full-width forms or invisible characters."""
    text = unicodedata.normalize("NFKC", tame(read_entities(text)))
    return re.sub(f"[{_UNSEEN}]", "", text).replace("%40", "@").replace("\u3002", ".")


def _written_out(link: re.Match[str]) -> str:
    address, label = link.groups()
    url = read_entities(address)
    is_address = plain(label) in (url, url.removeprefix("http://"))
    return label if is_address else f"{label} ({address})"


def _web_address(written: str) -> str:
    """The address, where a link may lead there, else "": http or https, a host, no name before it
    (http://bank.example@evil.example), and nothing that one of the sanitisers cannot read."""
    url = re.sub(r"[\t\n\r]", "", written).strip().replace(" ", "%20")
    if len(url) > LONGEST_LINK or not _WEB.fullmatch(url):
        return ""
    try:
        urlsplit(url)  # as bleach does, which drops what this refuses
    except ValueError:
        return ""
    return url if "href" in _LAST_WORD.clean(f'<a href="{escape(url)}">') else ""


class _Markdown(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # the library's name
        return bool(_web_address(url))


def _markdown() -> MarkdownIt:
    """A new parser (0.4 ms): its rules are compiled at first use, and not safely between threads.
    "# 1", "---", "[1]: x" and four spaces mean nothing but themselves in a comment."""
    parser = _Markdown("commonmark", {"html": False}).enable("strikethrough")
    parser.disable(["heading", "lheading", "hr", "code", "reference", "html_block", "image"])
    parser.inline.ruler.at("html_inline", _typed_tag)
    ends = ["paragraph", "blockquote", "list"]  # what a quote may end; a list all but a list
    parser.block.ruler.at("blockquote", partial(_shallow, blockquote), {"alt": ends})
    parser.block.ruler.at("list", partial(_shallow, list_block), {"alt": ends[:2]})
    return parser


def _typed_tag(state: StateInline, silent: bool) -> bool:
    """Markdown's rule for a tag: only those that we know; what is left is text."""
    tag = _TYPED_TAG.match(state.src, state.pos, state.posMax)
    if tag is None:
        return False
    if not silent:
        state.push("html_inline", "", 0).content = tag[0]
    state.pos = tag.end()
    return True


def _shallow(rule: BlockRule, state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The rule, but not below the deepest level: there its mark is text like any other. (At its
    own limit the parser leaves out the rest of the text.)"""
    return state.level < DEEPEST and rule(state, start, end, silent)


def _start_tag(token: Token) -> str:
    """The tag as we write it: with the one attribute it may have, and only if that is sound."""
    kept = KEPT.get(token.name)
    value = next((value for name, value in attributes(token) if name == kept), "")
    if kept == "href":
        value = _web_address(value)
    if kept == "start" and not re.fullmatch("[0-9]{1,9}", value):
        value = ""
    return f'<{token.name} {kept}="{escape(value)}">' if value else f"<{token.name}>"


def _clean(html: str, links: re.Pattern[str]) -> Markup:
    """The two sanitisers; `links` finds the addresses in the text that become links.

    What has no tag but <p> and <br> is what it is: both would give it back as it came, in twenty times
    the time.
    """
    if _is_plain(html):
        return Markup(html)  # noqa: S704  no tag, no attribute, and every < is an entity
    linkify = partial(_Linkify, callbacks=[_distrust], skip_tags={"pre", "code"}, url_re=links)
    cleaner = Cleaner(TAGS, _is_kept, SCHEMES, strip=True, filters=[linkify])  # not thread-safe
    cleaner.walker = _Walker  # type: ignore[assignment]
    return Markup(_LAST_WORD.clean(cleaner.clean(html)))  # noqa: S704  made safe here


def _is_plain(html: str) -> bool:
    """Whether there is nothing for the sanitisers to do: text that can be printed, in paragraphs."""
    lines = html.replace("\n", "")
    return bool(lines.isprintable() and _PLAIN.fullmatch(html) and not _LIKE_A_LINK.search(html))


class _Linkify(LinkifyFilter):
    """bleach's, which reads entities a second time: a typed `&amp;lt;` would come out as `<`."""

    def extract_entities(self, token: dict[str, Any]) -> Iterator[dict[str, Any]]:
        return iter([token])


class _Walker(getTreeWalker("etree")):  # type: ignore[misc]  # bleach's html5lib has no types
    """bleach's walk through its tree, which searches for each element among all its siblings
    (quadratic: 15 s for 6,000 words in bold italics); this one looks its place up."""

    def __init__(self, tree: Any) -> None:
        super().__init__(tree)
        self.places: dict[Any, dict[Any, int]] = {}

    def getParentNode(self, node: Any) -> Any:  # the library's name
        _, _, parents, kind = node
        if kind == "text" or len(parents) < 2:
            return super().getParentNode(node)
        above = parents[-2]
        if above not in self.places:
            self.places[above] = {child: place for place, child in enumerate(above)}
        element = parents.pop()
        return element, self.places[above][element], parents, None


def _is_kept(tag: str, name: str, value: str) -> bool:
    return KEPT.get(tag) == name and (name != "href" or bool(_web_address(read_entities(value))))


def _distrust(attrs: Attributes, new: bool = False) -> Any:
    """No link of a reader's is vouched for; one that leads nowhere good stays text (None)."""
    written = attrs.get((None, "href"), "")
    url = _web_address(
        written if new else read_entities(written)
    )  # bleach keeps entities as they are
    attrs[None, "href"], attrs[None, "rel"] = escape(url), REL
    return attrs if url else None


_LAST_WORD = nh3.Cleaner(
    tags=TAGS,
    attributes={tag: {name} for tag, name in KEPT.items()},
    url_schemes=SCHEMES,
    url_relative="deny",
    link_rel=REL,
)
