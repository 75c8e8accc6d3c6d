"""Folds a text for comparing, so that what people read as the same is the same.

Compatibility forms (full width, ligatures, mathematical letters: NFKC), case, accents, vowel points,
characters of no width, and letters of another script where they stand in for one that looks alike.
Each character is folded by itself and remembered: the work grows with the text and no faster.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from functools import lru_cache

from confusable_homoglyphs import categories, confusables

MOST_REMEMBERED = 20_000  # characters; all of Han that is in use are fewer

LONGEST_FORM = 4  # characters; beyond are squared words of katakana, and an Arabic blessing of 18

# Marks that a reader takes for the same letter: accents of Latin, Greek and Cyrillic, Hebrew and
# Arabic points. The marks of Indic scripts, of Thai and of Japanese kana make another letter.
_ACCENTS = (
    *((0x0300, 0x036F), (0x0483, 0x0489), (0x0591, 0x05BD), (0x05BF, 0x05C7), (0x0610, 0x061A)),
    *((0x064B, 0x065F), (0x0670, 0x0670), (0x06D6, 0x06ED), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF)),
    *((0x20D0, 0x20FF), (0xFE20, 0xFE2F)),
)
# Letters and marks by their category that no one sees (Unicode's Default_Ignorable_Code_Point),
# and the stroke that only makes an Arabic word longer.
_UNSEEN = (
    *((0x034F, 0x034F), (0x0640, 0x0640), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F)),
    *((0x2065, 0x2065), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xE0000, 0xE0FFF)),
)
# What Unicode does not take apart and people type one for the other.
_LIKE = str.maketrans(
    {
        **{"ı": "i", "ø": "o", "ł": "l", "đ": "d", "ħ": "h", "æ": "ae", "œ": "oe"},
        **dict.fromkeys("‘’‛ʼʹ", "'"),
        **dict.fromkeys("“”„", '"'),
        **dict.fromkeys("‐‑‒–—−", "-"),
        "\u2800": " ",  # the empty Braille cell
    }
)
# Hangul written in parts, and kana with their marks, are put together again.
_APART = re.compile("[\u1100-\u11ff]+|.[\u3099\u309a]", re.S)
_WORD = re.compile(r"[^\W_]+")

# Scripts that stand beside others in words as a matter of course.
_BESIDE_OTHERS = frozenset(
    ("COMMON", "INHERITED", "HAN", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "Unknown")
)
_LATIN = "LATIN"
MOST_SCRIPTS = 4  # that a disguised word is made of; what has more is no word, and stays as it is


def fold(text: str) -> str:
    """The text for comparing; takes any text, and words stay words.

    Look-alikes are folded only inside words of mixed scripts: a word that is all Cyrillic is not
    read as a Latin one.
    """
    if text.isascii():
        return text.translate(_VISIBLE).lower()
    bare = seen(text).translate(_FOLDED)
    return _APART.sub(lambda found: unicodedata.normalize("NFC", found[0]), bare)


def seen(text: str) -> str:
    """The text as it is seen: with plain forms and nothing invisible, each word of one script. Case
    and accents stay."""
    visible = text.translate(_VISIBLE)
    return visible if visible.isascii() else _WORD.sub(_of_one_script, visible)


class _Remembered(dict[int, str]):
    """A table for str.translate that asks for each character once. It forgets all when somebody
    sends more kinds of characters than any people write."""

    def __init__(self, single: Callable[[str], str]) -> None:
        super().__init__()
        self.single = single

    def __missing__(self, code: int) -> str:
        if len(self) >= MOST_REMEMBERED:
            self.clear()
        self[code] = folded = self.single(chr(code))
        return folded


def _visible(character: str) -> str:
    """What is seen of a character: compatibility forms as plain ones, nothing of what has no width.
    What stands for more than LONGEST_FORM stays: a text would grow eighteenfold."""
    if _is_in(character, _UNSEEN):
        return ""
    plain = unicodedata.normalize("NFKC", character)
    if len(plain) > LONGEST_FORM:
        return character
    return "".join(c for c in plain if not _is_unseen(c))


def _bare(character: str) -> str:
    """A character without case and accents."""
    if len(unicodedata.normalize("NFKC", character)) > LONGEST_FORM:
        return character
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    kept = "".join(c for c in apart if not _is_in(c, _ACCENTS))
    return unicodedata.normalize("NFC", kept).translate(_LIKE)


_VISIBLE = _Remembered(_visible)
_FOLDED = _Remembered(_bare)


def _is_in(character: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= ord(character) <= last for first, last in ranges)


def _is_unseen(character: str) -> bool:
    """White space alone is kept of what controls and formats."""
    category = unicodedata.category(character)
    return _is_in(character, _UNSEEN) or (category in ("Cc", "Cf") and not character.isspace())


def _of_one_script(word: re.Match[str]) -> str:
    """A word with look-alikes as letters of one script: Latin if all of it can be that, else one
    that it can be wholly; else of the script that most of its letters are of."""
    letters = word[0]
    if letters.isascii():
        return letters
    written = Counter(map(_script, letters))
    scripts = [script for script, _number in written.most_common() if script not in _BESIDE_OTHERS]
    if not 2 <= len(scripts) <= MOST_SCRIPTS:
        return letters
    scripts.sort(key=lambda script: script != _LATIN)  # stable: the others by their number
    for script in scripts:
        folded = [_as_in(script, letter) for letter in letters]
        if None not in folded:
            return "".join(filter(None, folded))
    most = max(scripts, key=lambda script: written[script])
    return "".join(_as_in(most, letter) or letter for letter in letters)


@lru_cache(maxsize=4_096)
def _script(letter: str) -> str:
    return str(categories.alias(letter))


@lru_cache(maxsize=4_096)
def _as_in(script: str, letter: str) -> str | None:
    """A letter as one of a script: itself if it is of it or of none, else what looks like it there;
    None if nothing does. The small letter is asked first: a capital "І" is listed beside "l"."""
    if _script(letter) in (script, "COMMON", "INHERITED"):
        return letter
    small = letter.lower()
    for form in (small, letter) if len(small) == 1 else (letter,):
        for listed in confusables.confusables_data.get(form, ()):
            like = str(listed["c"])
            if len(like) == 1 and _script(like) == script and (script != _LATIN or like.isascii()):
                return like
    return None
