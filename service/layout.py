"""HTML laid out: every word in a paragraph, an item or a <pre>, every tag closed and written by us,
no deep nesting. Not safe by itself: what an attribute may hold is the caller's to say.

Line ends are read as WordPress does (wpautop): a blank line ends a paragraph, a single one stays a
break. Every pass over the text is linear.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from html import escape, unescape
from typing import NamedTuple

# The tags that WordPress allows in comments, and what Markdown makes.
INLINE = {"abbr", "acronym", "cite", "code", "del", "em", "i", "q", "s", "strike", "strong"}
INLINE |= {"a", "b"}
BLOCKS = {"blockquote", "ul", "ol", "li", "pre"}
DEEPEST = 8  # quotes and lists in each other; also emphasis in emphasis

BREAKING = re.compile(  # where one of these begins or ends, a paragraph ends
    "|".join(BLOCKS) + "|p|div|h[1-6]|hr|table|caption|t[rdh]|d[ltd]|section|article|header|footer"
    "|aside|main|nav|address|fig(ure|caption)|details|summary|center|form|fieldset|legend|option"
)
_SILENT = re.compile(  # what these hold was never meant to be read
    "script|style|iframe|object|template|svg|math|title|no(script|embed|frames)"
)
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_LOOSE_AND = re.compile(r"&(?!(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});)")

# Linear: of all starts that failed, at most two can still be inside quotes at any one place.
MARK = re.compile(
    r"""<!--(?:-?>|.*?(?:--!?>|\Z))|<[!?][^>]*(?:>|\Z)
    |<(?P<end>/?)(?P<name>[a-z][^\s/<>"']*+)(?P<rest>(?:[^<>"']++|"[^"]*+"|'[^']*+')*+)>""",
    re.I | re.S | re.X,
)
_ATTRIBUTE = re.compile(
    r"""(?<![^\s"'/])([a-z-]++)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'<>]++))""", re.I
)
_BR = re.compile(r"<br(?:\s[^<>]*+|/)?>[ \t]*+\n?", re.I)


class Token(NamedTuple):
    """A piece of HTML: text (entities read), or a tag by its name in small letters."""

    text: str = ""
    name: str = ""
    is_end: bool = False
    rest: str = ""


WriteTag = Callable[[Token], str]


def lay_out(html: str, write_tag: WriteTag) -> str:
    """Well-formed HTML of bounded depth. Takes what writes a start tag, with the attributes it may
    have."""
    found = list(tokens(html))
    page = _Page(write_tag, Counter(token.name for token in found if token.is_end))
    for token in found:
        page.take(token)
    page.end_blocks(0)
    return "".join(page.out)


def tokens(html: str) -> Iterator[Token]:
    """HTML piece by piece, without comments and without what was never meant to be read."""
    html, position = _BR.sub("\n", html), 0
    while mark := MARK.search(html, position):
        yield Token(read_entities(html[position : mark.start()]))
        position = mark.end()
        name = (mark["name"] or "").lower()
        if _SILENT.fullmatch(name) and not mark["end"] and not mark["rest"].endswith("/"):
            end = re.compile(rf"</{name}(?=[\s/>])", re.I).search(html, position)
            position = end.start() if end else len(html)
        elif name:
            yield Token("", name, bool(mark["end"]), mark["rest"])
    yield Token(read_entities(html[position:]))


def read_entities(text: str) -> str:
    """Entities read, if they end with a semicolon: `?a=1&copy=2` is no copyright sign."""
    return CONTROL.sub("", unescape(_LOOSE_AND.sub("&amp;", text))) if "&" in text else text


def attributes(token: Token) -> Iterator[tuple[str, str]]:
    """The attributes of a tag that have a value, by their names in small letters."""
    for found in _ATTRIBUTE.finditer(token.rest):
        yield found[1].lower(), read_entities(found[2] or found[3] or found[4] or "")


class _Page:
    """Writes tokens down so that every word stands in a paragraph, an item or a <pre>.
    Breaks and inline tags are written late, when a word follows that needs them."""

    def __init__(self, write_tag: WriteTag, ends_to_come: Counter[str]) -> None:
        self.write_tag = write_tag
        self.out: list[str] = []
        self.blocks: list[str] = []  # open quotes, lists, items, <pre>
        self.paragraph: str | None = None  # how the open paragraph ends
        self.is_line_ended = False  # in it, and no word has followed yet
        self.inlines: list[tuple[str, str]] = []  # name and tag, around the next word
        self.written = 0  # how many of these are written, from the outermost
        self.ends_to_come = ends_to_come

    def take(self, token: Token) -> None:
        if token.is_end:
            self.ends_to_come[token.name] -= 1
        if not token.name:
            self.text(token.text)
        elif token.name in INLINE:
            self.end_inline(token.name) if token.is_end else self.begin_inline(token)
        elif BREAKING.fullmatch(token.name) and (not self.is_in_pre or token.name == "pre"):
            self.end_block(token.name) if token.is_end else self.begin_block(token)

    @property
    def is_in_pre(self) -> bool:
        return self.blocks[-1:] == ["pre"]

    def text(self, text: str) -> None:
        if self.is_in_pre:  # a parser drops a first line end
            self.word(text.lstrip("\n") if self.out[-1] == "<pre>" else text)
            return
        for number, line in enumerate(text.split("\n")):
            if number:
                self.end_line()
            self.line(line)

    def line(self, line: str) -> None:
        if line.strip() and (self.paragraph is None or self.is_line_ended):
            self.out.append(self.begin_paragraph() if self.paragraph is None else "<br>")
            self.is_line_ended = False
            line = line.lstrip()
        if self.paragraph is not None and not self.is_line_ended:
            self.word(line)

    def end_line(self) -> None:
        """One is a break, if words follow; a second ends the paragraph."""
        if self.is_line_ended:
            self.end_paragraph()
        else:
            self.is_line_ended = self.paragraph is not None

    def word(self, text: str) -> None:
        if text:
            self.out += [tag for _, tag in self.inlines[self.written :]]
            self.written = len(self.inlines)
            self.out.append(escape(text, quote=False))

    def begin_inline(self, token: Token) -> None:
        tag = self.write_tag(token)
        if tag == "<a>":
            return
        if token.name == "a":
            self.end_inline("a")
        if len(self.inlines) < DEEPEST:
            self.inlines.append((token.name, tag))

    def end_inline(self, name: str) -> None:
        """Ends the innermost of that name; what began inside it goes on behind it."""
        places = [place for place, inline in enumerate(self.inlines) if inline[0] == name]
        if places:
            self.unwrite(places[-1])
            del self.inlines[places[-1]]

    def unwrite(self, place: int) -> None:
        self.out += [f"</{name}>" for name, _ in reversed(self.inlines[place : self.written])]
        self.written = min(self.written, place)

    def begin_paragraph(self) -> str:
        self.begin_item()
        self.paragraph = "" if self.out[-1:] == ["<li>"] else "</p>"
        return self.paragraph.replace("/", "")

    def end_paragraph(self) -> None:
        """Also ends the tags in it; one goes on in the next, if its end is still to come."""
        self.unwrite(0)
        self.out += [self.paragraph] if self.paragraph else []
        self.paragraph, self.is_line_ended = None, False
        goes_on = [i for i in self.inlines if i[1] == f"<{i[0]}>" and self.ends_to_come[i[0]] > 0]
        self.inlines = goes_on[:1]

    def begin_block(self, token: Token) -> None:
        self.end_paragraph()
        if token.name == "li":
            if self.blocks[-1:] == ["li"]:
                self.end_block("li")
            self.begin_item()
        elif token.name in BLOCKS and len(self.blocks) < DEEPEST and not self.is_in_pre:
            self.begin_item()
            self.blocks.append(token.name)
            self.out.append(self.write_tag(token))

    def begin_item(self) -> None:
        if self.blocks[-1:] in (["ul"], ["ol"]):
            self.blocks.append("li")
            self.out.append("<li>")

    def end_block(self, name: str) -> None:
        """Ends the innermost block of that name and all inside it; else only the paragraph."""
        self.end_paragraph()
        places = [place for place, block in enumerate(self.blocks) if block == name]
        if places:
            self.end_blocks(places[-1])

    def end_blocks(self, place: int) -> None:
        self.end_paragraph()
        self.out += [f"</{name}>" for name in reversed(self.blocks[place:])]
        del self.blocks[place:]
