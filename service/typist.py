"""Rendered HTML as somebody would have typed it: what an edit of an imported comment begins with."""

import re
from html import escape

from .layout import Token, attributes, tokens
from .text import normalise

# What Markdown would read in words that are meant as they stand.
_READ = re.compile(
    r"""\\(?=[!-/:-@\[-`{-~]) | ` | \*(?=\S) | (?<=\S)\* | (?<!\w)_ | _(?!\w) | \[(?=[^\]\n]*\]\()
    | <(?=[a-z/!?]) | &(?=\#?\w+;) | ~(?=~)""",
    re.I | re.X,
)
_READ_AT_START = re.compile(r"^(\d{1,9}(?=[.)](?:\s|$))|(?=[-+](?:\s|$)|>))", re.M)
_EMPHASIS = {
    mark: re.compile(rf"(?<![\w*\\])<{tag}>([^\s<>*](?:[^<>*\n]*[^\s<>*\\])?)</{tag}>(?![\w*])")
    for mark, tag in (("*", "em"), ("**", "strong"))
}
_BARE_LINK = re.compile(r'<a href="(https?://[^"]+)">(?:https?://)?([^<>]*)</a>')


def as_typed(html: str) -> str:
    """Text for the form: rendering it gives the same words, and nearly the same HTML."""
    typist = _Typist()
    for token in tokens(html):
        typist.take(token)
    typist.end_paragraph()
    return normalise("\n".join(typist.lines))


class _Block:
    """An open quote, list or item, and what its lines begin with."""

    def __init__(self, name: str, first: str = "", rest: str = "", number: int = 0) -> None:
        self.name, self.first, self.rest, self.number = name, first, rest, number
        self.is_begun = False

    def prefix(self) -> str:
        was_begun, self.is_begun = self.is_begun, True
        return self.rest if was_begun else self.first


class _Typist:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.words: list[str] = []
        self.blocks: list[_Block] = []
        self.is_in_pre = False

    def take(self, token: Token) -> None:
        if not token.name:
            self.words.append(token.text if self.is_in_pre else _escaped(token.text))
        elif token.name in ("p", "pre", "blockquote", "ul", "ol", "li"):
            self.end_paragraph()
            self.close(token.name) if token.is_end else self.open(token)
        elif not self.is_in_pre:
            self.words.append(_tag(token))

    def open(self, token: Token) -> None:
        if token.name == "pre":
            self.is_in_pre = True
        elif token.name == "blockquote":
            self.blocks.append(_Block("blockquote", "> ", "> "))
        elif token.name in ("ul", "ol"):
            start = dict(attributes(token)).get("start", "1")
            self.blocks.append(_Block(token.name, number=int(start) if start.isdigit() else 1))
        elif token.name == "li":
            above = self.blocks[-1] if self.blocks else _Block("ul")
            marker = f"{above.number}. " if above.name == "ol" else "- "
            above.number += 1
            self.blocks.append(_Block("li", marker, " " * len(marker)))

    def close(self, name: str) -> None:
        if name == "pre":
            self.is_in_pre = False
        elif self.blocks and self.blocks[-1].name == name:
            self.blocks.pop()

    def end_paragraph(self) -> None:
        typed, self.words = "".join(self.words).strip("\n"), []
        if not typed.strip():
            return
        if self.is_in_pre:
            longest = max(map(len, re.findall("`+", typed)), default=2)
            fence = "`" * max(3, longest + 1)
            typed = f"{fence}\n{typed}\n{fence}"
        else:
            typed = _pretty(typed.strip())
        is_item_s_first = bool(self.blocks) and self.blocks[-1].name == "li"
        if self.lines and not (is_item_s_first and not self.blocks[-1].is_begun):
            begun = (block for block in self.blocks if block.is_begun)
            self.lines.append("".join(block.rest for block in begun).rstrip())
        for line in typed.split("\n"):
            self.lines.append("".join(block.prefix() for block in self.blocks) + line)


def _escaped(text: str) -> str:
    text = _READ.sub(lambda found: "\\" + found[0], text)
    return _READ_AT_START.sub(lambda found: found[0] + "\\", text)


def _tag(token: Token) -> str:
    """An inline tag, which the form takes as it is."""
    if token.is_end:
        return f"</{token.name}>"
    kept = [f' {n}="{escape(v)}"' for n, v in attributes(token) if n in ("href", "title")]
    return f"<{token.name}{''.join(kept)}>"


def _pretty(typed: str) -> str:
    """With Markdown's own marks where nothing around them is in the way."""
    for mark, tag in _EMPHASIS.items():
        typed = tag.sub(lambda found, mark=mark: f"{mark}{found[1]}{mark}", typed)  # type: ignore[misc]
    return _BARE_LINK.sub(_bare, typed)


def _bare(link: re.Match[str]) -> str:
    """A link whose words are its address is that address."""
    is_address = link[1] in (link[2], f"http://{link[2]}", f"https://{link[2]}")
    return f"<{link[1]}>" if is_address and "&" not in link[1] else link[0]
