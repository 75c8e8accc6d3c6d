"""What changed between two texts, word by word: data for a page, never HTML. Pure."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

# At worst comparing takes time by the cube of the words, and anybody can write the worst; beyond
# this product of both lengths a text is told to be another one.
MOST = 60_000

_WORD = re.compile(r"\w+\s*|[^\w\s]\s*|\s+")  # with the space behind it: alone it is like any other


class Piece(NamedTuple):
    """A run of words that stayed, went, or came."""

    kind: str  # "same", "gone", "new"
    text: str


def compared(before: str, after: str) -> list[Piece]:
    """The two texts as one: what stayed in both, what of the first went, what of the second came.

    Without what is "new" it reads as the first text, without what is "gone" as the second.
    """
    a, b = _WORD.findall(before), _WORD.findall(after)
    start = _alike(a, b)
    end = _alike(a[start:][::-1], b[start:][::-1])
    middle = _middle(a[start : len(a) - end], b[start : len(b) - end])
    pieces = [Piece("same", "".join(a[:start])), *middle]
    pieces.append(Piece("same", "".join(a[len(a) - end :])))
    return [piece for piece in pieces if piece.text]


def _alike(a: Sequence[str], b: Sequence[str]) -> int:
    """How many words at the beginning are the same."""
    differing = (n for n, pair in enumerate(zip(a, b, strict=False)) if pair[0] != pair[1])
    return next(differing, min(len(a), len(b)))


def _middle(a: list[str], b: list[str]) -> list[Piece]:
    if len(a) * len(b) > MOST:
        return [Piece("gone", "".join(a)), Piece("new", "".join(b))]
    pieces: list[Piece] = []
    for kind, a1, a2, b1, b2 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(Piece("same", "".join(a[a1:a2])))
        else:
            pieces += [Piece("gone", "".join(a[a1:a2])), Piece("new", "".join(b[b1:b2]))]
    return pieces
