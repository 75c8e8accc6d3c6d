"""What the filter that learns looks at in a comment: words, pairs of them, pieces of them, links.

Pure: text in, at most MOST features out, each under a keyed hash, since the database keeps no
reader's words. Pieces of words tell where words cannot: in writing without spaces, in words bent to
slip through, in forms of one word. Every step takes time in proportion to the text.
"""

import hashlib
import re
import struct
import unicodedata
import zlib
from collections.abc import Collection, Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from .text import tame

MOST = 320  # features of a comment: more tell no better (bench/spam.py), and cost time
LONGEST = 20_000  # characters that are looked at
# How many of a group are looked at where there are more; pieces of words have what is left.
QUOTAS = {"w": 140, "b": 90, "a": 12, "h": 12, "p": 24, "u": 4}
PIECED = 240  # characters of words that are taken to pieces: more than enough pieces
SHORTEST_PIECE, LONGEST_PIECE = 3, 5
# A sign of these systems of writing says as much as half a word of letters.
SHORTEST_SIGNS, LONGEST_SIGNS = 1, 3
LONGEST_WORD = 40  # characters of a word that is named to people
HASH = struct.Struct(">q").unpack

_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
_BREAKS = r"\s!-#%-/:-@\[-`{-~“”„«»‹›…–—。、，．！？；：（）「」『』《》【】·"
_BREAK = re.compile(f"[{_BREAKS}]+")
_CAPITAL, _SMALL = re.compile("[A-ZÀ-ÖØ-ÞΑ-ΩА-Я]"), re.compile("[a-zß-öø-ÿα-ωа-я]")
_TOKEN = re.compile(  # a host whole, or a word, with what an apostrophe joins to it
    rf"(?<![\w.-])(?:[\w-]+\.)+[^\W\d_]{{2,}}(?![\w.-])|[^{_BREAKS}]+(?:'[^{_BREAKS}]+)*"
)
_MARKUP = re.compile(r"</?[a-z][^<>]*>|&#?\w{2,8};", re.I)
_ENDS = ".,;:!?)'"  # what may stand behind a link
NO_WORDS = frozenset(("http", "https", "www"))
_DIGIT = re.compile(r"\d")
_SIGNS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
)
_LINK = re.compile(r"(?:https?://|www\.)([^\s/?#<>\"]{1,253})([^\s<>\"]{0,500})", re.I)


class Feature(NamedTuple):
    hash: int  # signed, 64 bits
    share: float  # of its group, whose squares make 1 together
    said: str  # the comment's own words that it stands for, "" where it is none


def features(text: str, key: bytes, name: str = "", website: str = "") -> list[Feature]:
    """The features of a comment, each once; of a long one those that a fixed order of all features
    puts first, so that texts with something in common keep it.

    Takes a key of at most 64 bytes, without which no hash can be traced back to its word.
    """
    found: list[Feature] = []
    keyed, left = hashlib.blake2b(digest_size=8, key=key), MOST
    for group, named in _groups(text, name, website):
        chosen = _choose(named, min(left, QUOTAS.get(group, left)))
        share = len(chosen) ** -0.5 if chosen else 0.0
        left -= len(chosen)
        for one in chosen:
            digest = keyed.copy()
            digest.update(f"{group}:{one}".encode())
            found.append(Feature(HASH(digest.digest())[0], share, named[one]))
    return found


def as_typed(wanted: Collection[str], text: str) -> dict[str, str]:
    """Words that features stand for, each as it first stands in a text. Left out are those that it
    does not have as a word of its own or as a host, and what is no word: one letter, markup."""
    left = {word.rstrip(_ENDS): word for word in wanted if len(word) > 1 and word not in NO_WORDS}
    found: dict[str, str] = {}
    seen = _MARKUP.sub(_hosts_alone, _UNSEEN.sub("", text[:LONGEST])) if left else ""
    for token in _TOKEN.findall(seen):
        is_plain = token.isascii() and token.isalpha()  # most are, and folding takes time
        folded = token.lower() if is_plain else normal(token)
        for one in (folded, folded.removeprefix("www.")):
            if one in left:
                found.setdefault(left[one], token[:LONGEST_WORD])
        if len(found) == len(left):
            return found
    # Where words do not end at spaces, signs stand anywhere.
    signs = {word for word in left.values() if word not in found and is_of_signs(word)}
    whole = normal(text) if signs else ""
    return found | {word: word for word in signs if word in whole}


def is_of_signs(word: str) -> bool:
    """Whether it is of a system of writing without spaces, or with signs that say half a word."""
    return _SIGNS.search(word) is not None


def _hosts_alone(markup: re.Match[str]) -> str:
    return f" {' '.join(host for host, _ in _LINK.findall(markup[0]))} "


def normal(text: str) -> str:
    """A text as the filter reads it: one form for each letter, none that cannot be seen."""
    seen = _UNSEEN.sub("", text[:LONGEST])
    folded = unicodedata.normalize("NFKC", tame(seen)).casefold()[:LONGEST]
    return _DIGIT.sub("0", folded)


def _groups(text: str, name: str, website: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Each group's letter, and its features with the words that they stand for."""
    folded = normal(text)
    words = [word for word in _BREAK.split(folded) if word]
    yield "w", {word: word[:LONGEST_WORD] for word in words}
    pairs = (f"{one} {other}" for one, other in pairwise(words))
    yield "b", {pair: pair[: 2 * LONGEST_WORD] for pair in pairs}
    links = _LINK.findall(f"{folded} {normal(website)}")
    yield "h", {end: host for host, _ in links for end in _domains(host)}
    yield "p", {part: part for _, path in links for part in _BREAK.split(path)[:20] if part}
    yield "u", {"website" if website else "no website": "", f"{min(len(links), 3)} links": ""}
    yield "a", {word: word[:LONGEST_WORD] for word in _BREAK.split(normal(name)) if word}
    yield "k", {_capitals(text): ""}
    yield "n", {str(len(folded).bit_length()): ""}
    yield "c", _pieces(folded)


def _pieces(folded: str) -> dict[str, str]:
    """Pieces of words with the words that they are of, at their ends with the space beside them."""
    pieces: dict[str, str] = {}
    for word in _some(folded.split()):
        shown = word.strip("!?.,:;()[]\"'…")[:LONGEST_WORD] or word[:LONGEST_WORD]
        if _SIGNS.search(word):
            for size in range(SHORTEST_SIGNS, LONGEST_SIGNS + 1):
                for start in range(len(word) - size + 1):
                    pieces[word[start : start + size]] = word[start : start + size]
            continue
        padded = f" {word} "
        for size in range(SHORTEST_PIECE, LONGEST_PIECE + 1):
            pieces.update(
                [(padded[start : start + size], shown) for start in range(len(padded) - size + 1)]
            )
    return pieces


def _some(words: Iterable[str]) -> list[str]:
    """The words that are taken to pieces: all of a short text, of a long one those with the lowest
    checksums, up to PIECED characters and the word that passes them."""
    once = list(dict.fromkeys(words))
    if sum(map(len, once)) <= PIECED:
        return once
    some, length = [], 0
    for word in sorted(once, key=_checksum):
        some.append(word)
        length += len(word)
        if length > PIECED:
            break
    return some


def _choose(named: Iterable[str], most: int) -> list[str]:
    """Up to so many of them: all, or those with the lowest checksums, which lie anywhere."""
    listed = list(named)
    if len(listed) <= most:
        return listed
    return sorted(listed, key=_checksum)[:most]


def _checksum(one: str) -> int:
    return zlib.crc32(one.encode())


def _domains(host: str) -> Iterator[str]:
    """A host, and the domains that it lies in, but for the last."""
    parts = host.split(".")[-4:]
    return (".".join(parts[start:]) for start in range(max(1, len(parts) - 1)))


def _capitals(text: str) -> str:
    """How much of a text is in capitals, in five steps."""
    start = text[:LONGEST]
    capitals, small = len(_CAPITAL.findall(start)), len(_SMALL.findall(start))
    return str(4 * capitals // (capitals + small)) if capitals + small else "none"
