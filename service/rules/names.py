"""The rule about a name that could be taken for somebody else's."""

import unicodedata
from functools import lru_cache

from ..status import Status
from .looks import stands_for
from .rule import Case, Rule

LONGEST = 200  # characters of a name, as the database takes them
SIGNS = "™℠®©"  # beside a name they say nothing of it
UNSEEN = "\u034f\u115f\u1160\u3164\uffa0"


@lru_cache(8_192)
def skeletons(name: str) -> tuple[str, ...]:
    """What a name looks like, in three readings; "" each for one without letters or digits.

    Two names look alike if they agree in a reading: as typed (Unicode TS 39, section 4: I is l is
    1), whatever their case (ida is IDA), and in capitals of another alphabet (Greek Eta is H).
    One alone would have Lida be Iida, or Ida not be ida.
    """
    bare = _without_marks(name[:LONGEST])
    # A capital L is the one letter that looks like no l, but becomes one when case is folded.
    typed = _alike(bare).replace("L", "\ue000")
    latin = "".join(one if one.isascii() else _alike(one) for one in bare)
    return tuple(map(_folded, (typed, _alike(bare.casefold()), _alike(latin.casefold()))))


def skeleton(name: str) -> str:
    """What a name looks like, whatever its case, accents, spaces and signs."""
    return skeletons(name)[1]


def look_alike(one: str, other: str) -> bool:
    """Whether one name can be taken for another, or is the same."""
    return is_like(skeletons(one), other)


def is_like(looks: tuple[str, ...], other: str) -> bool:
    """The same for a name whose skeletons are known, to be compared with many."""
    theirs = skeletons(other)
    return any(mine and mine == its for mine, its in zip(looks, theirs, strict=True))


def _folded(looks: str) -> str:
    bare = unicodedata.normalize("NFD", looks.casefold().replace("\ue000", "L0"))
    return "".join(c for c in bare if unicodedata.category(c)[0] in "LMN" and not _is_dropped(c))


def _alike(name: str) -> str:
    return "".join(map(_seen, name))


@lru_cache(10_000)
def _seen(character: str) -> str:
    """Small capitals, which Unicode lists as no look-alikes, are the letters that they are named."""
    named = unicodedata.name(character, "").partition("LATIN LETTER SMALL CAPITAL ")[2]
    return stands_for(named.lower() if len(named) == 1 else character)


def _without_marks(name: str) -> str:
    """Without accents, optional vowel points and what cannot be seen. The vowels and tones of
    Indian and Thai writing stay: names differ by them."""
    apart = unicodedata.normalize("NFD", "".join(c for c in name if c not in SIGNS))
    plain = unicodedata.normalize("NFKD", "".join(c for c in apart if not _is_dropped(c)))
    return "".join(c for c in plain if not _is_dropped(c))


def _is_dropped(character: str) -> bool:
    """Combining classes: 1 strikes out, 10 to 36 are Hebrew's and Arabic's points, from 200 on
    accents (Unicode, table 4-3)."""
    height = unicodedata.combining(character)
    return (
        height == 1
        or 10 <= height <= 36
        or height >= 200
        or unicodedata.category(character) == "Cf"
        or character in UNSEEN
        or "\ufe00" <= character <= "\ufe0f"
    )


def lookalike_name(case: Case) -> str | None:
    return case.history.resembled or None


RULES = (
    Rule(
        "lookalike_name",
        lookalike_name,
        says="Its name can be taken for somebody else's: %(matched)s.",
        does="Catches a name that looks like that of staff, or of an author whose comments are "
        "proved to be theirs.",
        may=(Status.PENDING, Status.SPAM),
        weight=30,
        is_measure=True,
    ),
)
