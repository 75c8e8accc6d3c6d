"""The rule about characters that hide something: unseen ones, and letters of another alphabet."""

import re
import unicodedata
from collections.abc import Iterator
from itertools import groupby

from ..status import Status
from .looks import ALPHABETS, codepoint, passes_in, script
from .rule import Case, Rule

MARKS = 3  # accents that a letter carries in any spelling: Vietnamese and IPA have two or three
UNSEEN_IN_A_ROW = 3  # an emoji has a selector and a joiner; more hide something
WORD_SHOWN = 40  # characters
SHORT = 3  # letters of a formula, as ρgh

OVERRIDES = frozenset("\u202d\u202e")
OPENING = {"\u202a": "\u202c", "\u202b": "\u202c"} | dict.fromkeys("\u2066\u2067\u2068", "\u2069")
CLOSING = frozenset(OPENING.values())
SOFT_HYPHEN = "\xad"
# Scripts whose words have no use for a joiner, or a break that cannot be seen. Persian and the
# writing of India need them to spell; Hebrew has an abbreviation's letter joined to nothing.
PLAIN = frozenset(ALPHABETS) | {
    *("GEORGIAN", "HANGUL", "HAN", "BOPOMOFO", "ETHIOPIC"),
    *("HIRAGANA", "KATAKANA"),
}
JAPANESE = frozenset({"HAN", "HIRAGANA", "KATAKANA"})
KANA = re.compile("[\u3041-\u30ff]")

_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_UNSEEN = re.compile(
    "[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u2064\u206a-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]+"
)
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f")  # England, Scotland, Wales
_ACCENTS = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
    f"{{{MARKS + 1},}}"
)
_WORD = re.compile(r"[^\W\d_](?:[^\W_]|[\u0300-\u036f])*")


def odd(text: str) -> str | None:
    """What a text holds that hides something from its readers, by its name; None for nothing.

    Reads it a few times from its beginning to its end: the time grows with its length.
    """
    if text.isascii():
        return None
    return _direction(text) or _hidden(text) or _piled(text) or _mixed(text)


def _direction(text: str) -> str | None:
    """An override always; others where no word is written from the right, or one stays open: it
    changes the direction of what follows."""
    found = _BIDI.findall(text)
    if not found:
        return None
    for control in found:
        if control in OVERRIDES:
            return codepoint(control)
    if any(unicodedata.bidirectional(c) in ("R", "AL") for c in text):
        return next(map(codepoint, _left_open(text)), None)
    return codepoint(found[0])


def _left_open(text: str) -> Iterator[str]:
    """Controls that no other closes in their paragraph (UAX #9: a paragraph closes all)."""
    for paragraph in text.splitlines():
        opened: list[str] = []
        for control in _BIDI.findall(paragraph):
            if control in OPENING:
                opened.append(control)
            elif opened and OPENING[opened[-1]] == control:
                opened.pop()
        yield from opened


def _hidden(text: str) -> str | None:
    """What is not seen, where no writing has a use for it."""
    bare = _FLAG.sub("\U0001f3f4", text)
    # Pages of Japanese text have breaks between phrases, which are copied with them.
    takes_breaks = JAPANESE if KANA.search(bare) else frozenset()
    for run in _UNSEEN.finditer(bare):
        unseen = run[0]
        before = bare[max(0, run.start() - 1) : run.start()]
        after = bare[run.end() : run.end() + 1]
        if len(unseen) > UNSEEN_IN_A_ROW or any("\U000e0000" <= c <= "\U000e007f" for c in unseen):
            return codepoint(unseen[0])
        if all(_is_selector(c) for c in unseen):
            if before and _has_no_variants(before):
                return codepoint(unseen[0])
        elif unseen == SOFT_HYPHEN:
            if _is_hyphenated_oddly(bare, run.start()):
                return codepoint(unseen)
        elif all(_is_of_plain_word(c, takes_breaks) for c in (before, after)):
            return codepoint(unseen[0])
    return None


def _is_selector(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f" or character >= "\U000e0100"


def _has_no_variants(character: str) -> bool:
    """Emoji, digits, Han, Mongolian, Phags-pa and Myanmar have; letters of an alphabet have not."""
    return character.isalpha() and script(character) in ALPHABETS


def _is_hyphenated_oddly(text: str, at: int) -> bool:
    """A word may be broken anywhere but after or before a single letter."""
    around = text[max(0, at - 2) : at], text[at + 1 : at + 3]
    return all(side and side.strip(SOFT_HYPHEN) for side in around) and any(
        len(side) == 2 and side.strip(SOFT_HYPHEN) != side for side in around
    )


def _is_of_plain_word(character: str, but: frozenset[str]) -> bool:
    if character == "_" or "0" <= character <= "9":
        return True
    return character.isalpha() and script(character) in PLAIN - but


def _piled(text: str) -> str | None:
    """Letters that are buried under accents."""
    found = _ACCENTS.search(text)
    return f"{len(found[0])} accents on one letter" if found else None


def _mixed(text: str) -> str | None:
    """A letter of another alphabet in a word, where it looks like one of the word's own."""
    is_cyrillic_written = None
    for word in _WORD.finditer(text):
        if word[0].isascii():
            continue
        runs = _runs(word[0])
        if len(runs) < 2 or not (found := _disguised(runs)):
            continue
        if _is_inflected(runs):
            if is_cyrillic_written is None:
                is_cyrillic_written = _has_cyrillic_word(text)
            if is_cyrillic_written:
                continue
        return f"{codepoint(found)} in “{word[0][:WORD_SHOWN]}”"
    return None


def _runs(word: str) -> list[tuple[str, str]]:
    """A word's alphabets one after the other, each with its letters; others end it."""
    letters = [c for c in word if script(c) in ALPHABETS]
    return [(name, "".join(run)) for name, run in groupby(letters, script)]


def _disguised(runs: list[tuple[str, str]]) -> str | None:
    """The first letter of a run that could be of its neighbour's alphabet throughout."""
    whole = sum(len(run) for _, run in runs)
    names = {name for name, _ in runs}
    if whole <= SHORT and "GREEK" in names:
        return None
    # The alphabet that the word has fewer letters of is in disguise; of two, the one that is not
    # Latin.
    total = {name: sum(len(run) for own, run in runs if own == name) for name in names}
    for name, run in sorted(runs, key=lambda one: (total[one[0]], one[0] == "LATIN")):
        for other in names - {name}:
            if all(other in passes_in(letter) for letter in run):
                return run[0]
    return None


def _is_inflected(runs: list[tuple[str, str]]) -> bool:
    """A foreign name with an ending, as Russian writes WhatsAppе."""
    if [name for name, _ in runs] != ["LATIN", "CYRILLIC"]:
        return False
    stem, ending = runs[0][1], runs[1][1]
    return len(stem) > 2 * len(ending) and len(ending) <= 3


def _has_cyrillic_word(text: str) -> bool:
    """Whether a word is Cyrillic for sure: some of its letters look like no Latin ones."""
    return any(
        {name for name, _ in _runs(word)} == {"CYRILLIC"}
        and any("LATIN" not in passes_in(letter) for letter in word)
        for word in _WORD.findall(text)
    )


def odd_characters(case: Case) -> str | None:
    return odd(case.draft.text) or odd(case.draft.name)


RULES = (
    Rule(
        "odd_characters",
        odd_characters,
        says="It has characters that hide something: %(matched)s.",
        does="Catches characters that are not seen or turn the direction of the text where no "
        "writing needs them, and words that mix the letters of two alphabets.",
        may=(Status.PENDING, Status.SPAM),
        weight=30,
        is_measure=True,
    ),
)
