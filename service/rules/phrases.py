"""Words and phrases that a site looks for, and the three rules about them.

A phrase is found as whole words, in any case and with or without accents (folding.py); `*` at an end
lets a word go on there. Between its words any spaces, line ends and punctuation may stand, but for
the "://" of a web address; a sign in the phrase itself, as in "c++", must stand there. Han, kana,
Hangul and Thai are found anywhere: their words do not end at spaces.

No phrase becomes a regular expression. A text is looked through once, place by place: the first four
characters there say which lengths of phrases could begin, and each of those is one look-up. So the
work grows with the text, whatever the phrases and however many.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from html import unescape
from typing import NamedTuple
from urllib.parse import unquote

from ..status import PhraseKind, Status
from ..text import mask_addresses
from .draft import MATCHED_LENGTH, Draft
from .folding import fold
from .rule import Case, Rule

APART = "://"  # as it stands in the words of a text: no phrase of words has it
BETWEEN = " · "  # stands between the phrases that a rule names; in none of them
MOST_NAMED = 5
HEAD = 4  # characters that are looked up first
FEWEST = 2  # characters that a phrase has where a word may go on beside it

# Scripts that put no space between words, or write endings onto them: Han, kana, Bopomofo, Hangul;
# Thai, Lao, Myanmar, Khmer. Folded text holds no half-width forms.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1100-\u11ff\u3005-\u3007\u3041-\u30ff\u3105-\u318f"
    "\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")


def _marks() -> str:
    """Marks that make another letter, as in Hindi: Python's \\w leaves them out."""
    codes = (*range(0x900, 0x1DC0), *range(0xA800, 0xAC00), *range(0x11000, 0x11800))
    return "".join(chr(c) for c in codes if unicodedata.category(chr(c)) in ("Mn", "Mc"))


_LETTER = rf"[^\W_]|[{_marks()}]"
_WORD = re.compile(rf"[{_UNSPACED}]+|(?:(?![{_UNSPACED}])(?:{_LETTER}))+")
_IS_LETTER = re.compile(_LETTER)


class NotAPhrase(ValueError):
    """Nothing could be looked for by this: `why` says what it is in one word."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Pattern(NamedTuple):
    """What is looked for. The words of a text stand between single spaces, so that a space is the
    end of a word; a text with its signs is asked where a word ends."""

    wanted: str
    has_signs: bool = False
    is_start: bool = False  # no letter may stand before it
    is_end: bool = False  # nor after it


class _Forms(NamedTuple):
    """A folded text: its words alone, and with its signs."""

    words: str
    signs: str


class Phrases:
    """Phrases of one kind, ready to be found. Takes them as the site wrote them; what cannot be
    looked for is passed over."""

    def __init__(self, written: Iterable[str]) -> None:
        self._words = _Index()
        self._signs = _Index()
        self._bounds: dict[str, list[tuple[Pattern, str]]] = {}  # of those with signs
        for phrase in written:
            try:
                pattern = read(phrase)
            except NotAPhrase:
                continue
            if pattern.has_signs:
                self._signs.add(pattern.wanted, phrase)
                self._bounds.setdefault(pattern.wanted, []).append((pattern, phrase))
            else:
                self._words.add(pattern.wanted, phrase)

    def find(self, text: str) -> str | None:
        """The phrase that is found first; None for none."""
        return next(self.every(text), None)

    def every(self, text: str) -> Iterator[str]:
        """Each phrase that is found, by where it begins, those of words before those of signs;
        one that is found twice is given twice."""
        forms = _forms(text)
        for _place, wanted in self._words.found(forms.words):
            yield self._words.known[wanted]
        for place, wanted in self._signs.found(forms.signs):
            end = place + len(wanted)
            before, after = forms.signs[place - 1 : place], forms.signs[end : end + 1]
            for pattern, phrase in self._bounds[wanted]:
                if not (pattern.is_start and _is_letter(before)) and not (
                    pattern.is_end and _is_letter(after)
                ):
                    yield phrase


class _Index:
    """Strings, found in a text at every place in as much work as there are lengths of them."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}
        self.heads: dict[str, tuple[int, ...]] = {}  # the lengths of what begins so
        self.short: dict[str, tuple[int, ...]] = {}  # of what is shorter than a head

    def add(self, wanted: str, phrase: str) -> None:
        if wanted in self.known:
            return
        self.known[wanted] = phrase
        size = len(wanted)
        heads, head = (self.short, wanted[0]) if size < HEAD else (self.heads, wanted[:HEAD])
        lengths = heads.get(head, ())
        if size not in lengths:
            heads[head] = tuple(sorted((*lengths, size)))

    def found(self, text: str) -> Iterator[tuple[int, str]]:
        """What is found, with its place, in the order of the text."""
        known, heads, short = self.known, self.heads, self.short
        if not known:
            return
        for place in range(len(text)):
            lengths = short.get(text[place], ()) + heads.get(text[place : place + HEAD], ())
            for size in lengths:
                part = text[place : place + size]
                if part in known:
                    yield place, part


def read(phrase: str) -> Pattern:
    """What a phrase as somebody wrote it looks for. Raises NotAPhrase: "nothing" is left of it, or
    so "short" that it would be found everywhere; or a "star" stands in its middle."""
    bare = phrase.strip()
    is_open_before, is_open_after = bare.startswith("*"), bare.endswith("*")
    bare = _collapsed(fold(bare.strip("*").strip()))
    if not bare:
        raise NotAPhrase("nothing")
    if "*" in bare and _IS_LETTER.search(bare):
        raise NotAPhrase("star")
    unspaced = _IS_UNSPACED.match(bare[0]), _IS_UNSPACED.match(bare[-1])
    is_start = not (is_open_before or unspaced[0]) and _is_letter(bare[0])
    is_end = not (is_open_after or unspaced[1]) and _is_letter(bare[-1])
    if len(bare) < FEWEST and not (is_start and is_end) and not unspaced[0]:
        raise NotAPhrase("short")
    if "".join(bare.split()) != "".join(_WORD.findall(bare)):
        return Pattern(bare, True, is_start, is_end)
    words = " ".join(_WORD.findall(bare))
    return Pattern(f"{' ' * is_start}{words}{' ' * is_end}", False, is_start, is_end)


def looked_at(draft: Draft) -> list[str]:
    """Where phrases are looked for: the name, the website, the text as typed, and both with what
    links spell in other ways. Never the e-mail address."""
    typed = (draft.name, draft.website, draft.text)
    spelt = (unquote(unescape(written)) for written in typed[1:])
    return list(dict.fromkeys(filter(None, (*typed, *spelt))))


def named(matched: str) -> list[str]:
    """The phrases that a rule named, without their stars: as a text may hold them."""
    return [phrase.strip("*") for phrase in matched.split(BETWEEN)]


def _found(kind: PhraseKind, case: Case) -> str | None:
    """The phrases of a kind that a draft holds, some of many; none shows an address."""
    finder = case.policy.phrases.get(f"phrases_{kind}")
    if finder is None:
        return None
    found: dict[str, None] = {}
    for text in looked_at(case.draft):
        for phrase in finder.every(text):
            found[mask_addresses(phrase)] = None
            if len(found) == MOST_NAMED:
                break
        if len(found) == MOST_NAMED:
            break
    matched = ""
    for phrase in found:
        longer = f"{matched}{BETWEEN}{phrase}" if matched else phrase
        if len(longer) > MATCHED_LENGTH:
            break
        matched = longer
    return matched or None


def refused(case: Case) -> str | None:
    return _found(PhraseKind.REFUSE, case)


def spam(case: Case) -> str | None:
    return _found(PhraseKind.SPAM, case)


def held(case: Case) -> str | None:
    return _found(PhraseKind.HOLD, case)


def _is_letter(character: str) -> bool:
    return bool(character) and _IS_LETTER.match(character) is not None


def _collapsed(folded: str) -> str:
    return " ".join(folded.split())


@lru_cache(maxsize=8)  # three kinds look at the same few texts
def _forms(text: str) -> _Forms:
    folded = fold(text)
    # What "://" parts are no words of one phrase: "https www" is in no address.
    parts = (" ".join(_WORD.findall(part)) for part in folded.split("://"))
    return _Forms(f" {f' {APART} '.join(parts)} ", _collapsed(folded))


RULES = (
    Rule(
        "phrases_refuse",
        refused,
        says="It has words that this site asks to say otherwise: %(matched)s.",
        does="Asks for another wording where a word or phrase of the site’s list is found.",
        asks=True,
        weight=0,
    ),
    Rule(
        "phrases_spam",
        spam,
        says="It has words of the site’s list of spam: %(matched)s.",
        does="Marks as spam what has a word or phrase of the site’s list of spam.",
        to=Status.SPAM,
        weight=100,
    ),
    Rule(
        "phrases_hold",
        held,
        says="It has words of the site’s list to look at: %(matched)s.",
        does="Holds what has a word or phrase of the site’s list to look at.",
        weight=30,
    ),
)
