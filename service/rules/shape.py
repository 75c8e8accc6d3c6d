"""Rules about the length of a comment, and the language it is in."""

import re
import unicodedata
from collections import Counter

from ..status import Status
from .looks import SHARED, script
from .rule import Case, Number, Rule

MAY = (Status.PENDING, Status.SPAM)
# What a site can name beside the scripts themselves.
TOGETHER = {
    "japanese": frozenset({"han", "hiragana", "katakana"}),
    "korean": frozenset({"hangul", "han"}),
    "chinese": frozenset({"han", "bopomofo"}),
}
# Written without spaces: that many characters count as a word.
UNSPACED = {
    **dict.fromkeys(("HAN", "HIRAGANA", "KATAKANA"), 2),
    **dict.fromkeys(("THAI", "LAO", "KHMER", "MYANMAR"), 4),
}
_WORD = re.compile(r"\w+")
_LINK = re.compile(r"https?://\S+", re.IGNORECASE)


def words(text: str) -> int:
    """How many words a text has; of writing without spaces, about how many."""
    unspaced = Counter(size for c in text if (size := UNSPACED.get(script(c))))
    spaced = "".join(" " if script(c) in UNSPACED else _joining(c) for c in text)
    counted = sum(-(-number // size) for size, number in unspaced.items())
    return len(_WORD.findall(spaced)) + counted


def _joining(character: str) -> str:
    """Marks and apostrophes are no end of a word."""
    is_mark = unicodedata.category(character)[0] == "M" or character in "'’\u200c\u200d"
    return "" if is_mark else character


def characters(text: str) -> int:
    """How many characters can be seen in a text: no spaces, and none for a mark on another."""
    return sum(not c.isspace() and unicodedata.category(c) not in ("Mn", "Me", "Cf") for c in text)


def too_short(case: Case) -> str | None:
    text = case.draft.text
    if (found := words(text)) < case.numbers["words"]:
        return _counted(found, "word")
    found = characters(text)
    return _counted(found, "character") if found < case.numbers["characters"] else None


def too_long(case: Case) -> str | None:
    found = len(case.draft.text)
    return _counted(found, "character") if found > case.numbers["most"] else None


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def systems(text: str) -> Counter[str]:
    """How many letters of each system of writing a text has. Its links say nothing."""
    letters = (c for c in _LINK.sub(" ", text) if c.isalpha())
    found = Counter(script(c) for c in letters)
    for shared in SHARED:
        found.pop(shared, None)
    return found


def other_writing(case: Case) -> str | None:
    """Names the system that most of the letters which the site does not take are of."""
    if not case.policy.writing:
        return None
    chosen = {name.strip().casefold() for name in case.policy.writing}
    taken = chosen.union(*(TOGETHER.get(name, ()) for name in chosen))
    found = systems(case.draft.text)
    others = {name: number for name, number in found.items() if name.casefold() not in taken}
    if 2 * sum(others.values()) <= found.total():
        return None
    return max(others, key=lambda name: others[name]).replace("_", " ").title()


def other_language(case: Case) -> str | None:
    """A site that takes Portuguese takes Brazil's."""
    spoken = _tag(case.draft.language)
    taken = {_tag(language) for language in case.policy.languages}
    if not taken or not spoken or spoken in taken or spoken.partition("-")[0] in taken:
        return None
    return spoken


def _tag(language: str) -> str:
    return language.strip().replace("_", "-").casefold()


RULES = (
    Rule(
        "too_short",
        too_short,
        says="It is very short: %(matched)s.",
        does="Catches a comment with fewer words than %(words)s, or fewer characters than %(characters)s.",
        numbers=(
            Number("words", 2, 0, 100, "Words that a comment has at least"),
            Number("characters", 0, 0, 1_000, "Characters that a comment has at least"),
        ),
        may=MAY,
        is_on=False,
        weight=5,
        is_measure=True,
    ),
    Rule(
        "too_long",
        too_long,
        says="It is very long: %(matched)s.",
        does="Catches a comment with more characters than %(most)s.",
        numbers=(Number("most", 3_000, 1, 100_000, "Characters that a comment may have"),),
        may=MAY,
        is_on=False,
        weight=5,
        is_measure=True,
    ),
    Rule(
        "other_writing",
        other_writing,
        says="Most of it is in a writing that this site does not take (%(matched)s).",
        does="Catches a comment that is mostly in a writing which the site does not take.",
        may=MAY,
        weight=30,
        is_measure=True,
    ),
    Rule(
        "other_language",
        other_language,
        says="It was sent from a form in a language that this site does not take (%(matched)s).",
        does="Catches a comment from a form in a language which the site does not take.",
        may=MAY,
        is_measure=True,
    ),
)
