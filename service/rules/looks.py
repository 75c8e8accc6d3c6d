"""What characters look like, after Unicode TS 39, and which script they are of.

The tables are those of confusable_homoglyphs, which keeps Unicode's own (confusables.txt,
Scripts.txt). It joins each character with all that it is confused with, both ways; here each gets
the one that stands for them all.
"""

import unicodedata
from functools import cache, lru_cache

from confusable_homoglyphs import categories
from confusable_homoglyphs.confusables import confusables_data

SHARED = frozenset({"COMMON", "INHERITED", "Unknown"})  # by many systems of writing
# Letters of these alphabets are taken for one another, and which of theirs people know by sight.
ALPHABETS = {
    "LATIN": frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    "CYRILLIC": frozenset(map(chr, range(0x400, 0x460))),
    "GREEK": frozenset(map(chr, range(0x391, 0x3CA))),
    "ARMENIAN": frozenset(map(chr, range(0x531, 0x588))),
    "CHEROKEE": frozenset(map(chr, range(0x13A0, 0x13F6))),
    "COPTIC": frozenset(map(chr, range(0x2C80, 0x2CE4))),
}
_LRM = "\u200e"  # the tables set it around what is written from the right


@lru_cache(10_000)
def script(character: str) -> str:
    """The system of writing as Unicode calls it ("LATIN"); one of SHARED where it is of many."""
    found: str = categories.alias(character)
    return found


@cache
def _joined() -> dict[str, list[str]]:
    """All that a character is confused with, itself not counted."""
    joined: dict[str, list[str]] = {}
    for one, others in confusables_data.items():
        alike = joined.setdefault(one.replace(_LRM, ""), [])
        alike += (other["c"].replace(_LRM, "") for other in others)
    return joined


@lru_cache(10_000)
def stands_for(character: str) -> str:
    """What Unicode has in place of all characters that look like this one; itself for none."""
    joined = _joined()
    alike = joined.get(character, [])
    # A star: whoever is joined with many stands for them. Of two alone, ASCII does, else the first.
    best = max((len(set(joined.get(one, ()))) for one in alike), default=0)
    if not alike or len(set(alike)) > best:
        return character
    ties = [one for one in {character, *alike} if len(set(joined.get(one, ()))) == best]
    return min(ties, key=lambda one: (not one.isascii(), len(one), one))


@lru_cache(10_000)
def passes_in(character: str) -> frozenset[str]:
    """The other ALPHABETS that have a well-known letter which looks like this one."""
    whole = stands_for(character)
    alike = {character, whole, *_joined().get(whole, ())}
    own = script(character)
    return frozenset(
        name for name, letters in ALPHABETS.items() if name != own and not letters.isdisjoint(alike)
    )


def codepoint(character: str) -> str:
    """A character by its number and name, as "U+202E RIGHT-TO-LEFT OVERRIDE"."""
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()
