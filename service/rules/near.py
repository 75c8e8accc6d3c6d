"""The rule about almost the same words, and how much two texts have in common.

The measure is Jaccard's on runs of letters ("shingles": A. Broder, "On the resemblance and containment
of documents", 1997): it needs no words, and so no spaces between them.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from ..status import Status
from .rule import Case, Number, Rule

READ = 2_000  # characters of a text that are looked at
SHINGLE = 3  # letters in a run
SHORT = 24  # letters; below that, one other word is another thing said
PROBES = 12  # runs of a text by which it is seen which others are worth the full measure …
PROBE = 6  # … and their letters: shorter ones stand in any text
MEASURED = 3  # others that are measured in full, those that the probes found most alike

_BETWEEN = re.compile(r"[\W_]+")


def fold(text: str) -> str:
    """A text's letters and numbers, however they are spelled."""
    return _fold(text[:READ])


@lru_cache(maxsize=512)  # the newest of a site are compared with each that comes
def _fold(text: str) -> str:
    return _BETWEEN.sub("", unicodedata.normalize("NFKC", text).casefold())[:READ]


def likeness(one: str, other: str) -> int:
    """How much two texts have in common, in percent; short ones are the same (100) or not (0)."""
    return _alike(fold(one), fold(other))


def closest(text: str, others: Iterable[str]) -> int:
    """The likeness of the most similar of the others, in percent.

    Takes as long as reading them all once, and measuring a few: those that most of some runs of the
    text are found in.
    """
    folded = fold(text)
    step = max(PROBE, len(folded) // PROBES)
    probes = [folded[at : at + PROBE] for at in range(0, len(folded), step)][:PROBES]
    known = [fold(other) for other in others]
    if folded and folded in known:
        return 100
    found = [(sum(map(one.__contains__, probes)), one) for one in known]
    likely = sorted(found, key=lambda pair: pair[0], reverse=True)[:MEASURED]
    return max((_alike(folded, one) for _, one in likely), default=0)


def _alike(one: str, other: str) -> int:
    if one == other:
        return 100 if one else 0
    if min(len(one), len(other)) < SHORT:
        return 0
    a, b = _shingles(one), _shingles(other)
    shared = len(a & b)
    return 100 * shared // (len(a) + len(b) - shared)


def _shingles(folded: str) -> set[str]:
    return {folded[at : at + SHINGLE] for at in range(len(folded) - SHINGLE + 1)}


def near_duplicate(case: Case) -> str | None:
    """Of the very same words `repeated` tells."""
    likeness = case.history.likeness
    is_told = case.history.repeats > 0
    return f"{likeness} %" if likeness >= case.numbers["percent"] and not is_told else None


NEAR = Rule(
    "near_duplicate",
    near_duplicate,
    says="Almost the same words were posted a short time before (%(matched)s alike).",
    does="Catches words that are %(percent)s percent or more like those of a comment "
    "of the last %(hours)s hours.",
    numbers=(
        Number("percent", 80, 50, 100, "Percent that two comments have in common"),
        Number("hours", 24, 1, 168, "Hours that comments are compared with"),
    ),
    may=(Status.PENDING, Status.SPAM),
    weight=30,
    is_measure=True,
)
RULES = (NEAR,)
