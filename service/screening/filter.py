"""The filter that learns, asked: how likely a comment is spam, and which of its words told most."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import learning
from ..features import Feature, as_typed, features, is_of_signs
from ..learning import Known, Totals
from ..models import Knowledge
from ..text import mask_addresses
from ..vault import Vault

READY = 20  # decisions before which it says nothing
TELLING = 3  # words for spam that are named, and as many against it
SOUGHT = 12  # that are looked for in the text, since only what stands there is named
# To be named a word has to say so much (the sum of all is the odds' logarithm), and to stand so many
# times as often in one kind as in the other: what stands everywhere convinces nobody. With these two
# more than 9 in 10 comments of the corpora (bench/spam.py reads them) have three words or fewer. A word of
# signs has only its pieces to say it with.
LEAST, LEAST_OF_SIGNS, TIMES = 0.3, 0.15, 4
_MASKED = re.compile(r"\S?…@…")  # what mask_addresses leaves of one
FOR, AGAINST = "+", "-"  # how a telling word begins


@dataclass(frozen=True)
class Score:
    """What the filter says of a comment."""

    chance: float  # that it is spam, 0 to 1
    telling: tuple[str, ...] = ()  # words that told most, each after FOR or AGAINST


def score(
    session: Session, vault: Vault, site_id: int, name: str, website: str, typed: str
) -> Score | None:
    """How likely a comment is spam, by what the site's moderators decided; None before READY
    decisions or where they were all the same. Reads at most features.MOST rows of the model."""
    totals = totals_of(session, site_id)
    if not is_ready(totals):
        return None
    found = looked_at(vault, site_id, name, website, typed)
    known = known_of(session, site_id, (one.hash for one in found))
    return weigh(found, known, totals, f"{typed} {name} {website}")


def is_ready(totals: Totals) -> bool:
    return sum(totals) >= READY and min(totals) > 0


def looked_at(vault: Vault, site_id: int, name: str, website: str, typed: str) -> list[Feature]:
    """The features of a comment, under hashes that are this site's own; none is of an address."""
    key = vault.digest("filter", str(site_id))
    return features(bare(typed), key, bare(name), bare(website))


def bare(typed: str) -> str:
    """A text without the e-mail addresses in it."""
    return _MASKED.sub(" ", mask_addresses(typed))


def weigh(
    found: Sequence[Feature], known: Mapping[int, Known], totals: Totals, typed: str
) -> Score:
    """Takes what was typed too, for a word is named as it stands there."""
    said = learning.parts(found, known, totals)
    by_word: dict[str, float] = defaultdict(float)
    itself: dict[str, int] = {}  # the word's own feature comes before those of its pieces
    for one, part in zip(found, said, strict=True):
        if one.said and part:
            by_word[one.said] += part
            itself.setdefault(one.said, one.hash)
    loud = [word for word, much in by_word.items() if _is_loud(word, abs(much))]
    loud.sort(key=lambda word: (-abs(by_word[word]), -len(word), word))
    times = {word: learning.times(known[itself[word]], totals) for word in loud}
    fors = [word for word in loud if by_word[word] > 0 and times[word] >= TIMES][:SOUGHT]
    againsts = [word for word in loud if by_word[word] < 0 and times[word] <= 1 / TIMES][:SOUGHT]
    spelt = as_typed({*fors, *againsts}, mask_addresses(typed))
    return Score(
        learning.chance(said),
        (*_named(FOR, fors, spelt), *_named(AGAINST, againsts, spelt)),
    )


def _is_loud(word: str, much: float) -> bool:
    is_much = much > LEAST or (much > LEAST_OF_SIGNS and is_of_signs(word))
    return is_much and len(word) > 1


def _named(sign: str, words: Sequence[str], spelt: Mapping[str, str]) -> list[str]:
    """The first of these words that are in the text, as they are spelt there, each once."""
    return list(dict.fromkeys(sign + spelt[word] for word in words if word in spelt))[:TELLING]


def percent(chance: int) -> int:
    """A probability as people are told it: nothing is certain."""
    return min(max(chance, 1), 99)


def told(telling: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words that told most: for spam, and against it."""
    fors = [word[1:] for word in telling if word.startswith(FOR)]
    return fors, [word[1:] for word in telling if word.startswith(AGAINST)]


def totals_of(session: Session, site_id: int) -> Totals:
    found = select(Knowledge.spam, Knowledge.ham).where(Knowledge.site_id == site_id)
    row = session.execute(found).first()
    return Totals(*row) if row else Totals()


def known_of(session: Session, site_id: int, hashes: Iterable[int]) -> dict[int, Known]:
    """What is known of these features, in one query."""
    # Written out: numbers are no one's words, and four hundred parameters cost more than the look.
    wanted = ",".join(map(str, hashes))
    if not wanted:
        return {}
    said = "SELECT hash, spam, ham, weight, squares FROM features"
    asked = f"{said} WHERE site_id = {int(site_id)} AND hash IN ({wanted})"
    found = session.connection().exec_driver_sql(asked).cursor
    return {row[0]: Known._make(row[1:]) for row in found.fetchall()}


def facts(told: Score | None) -> dict[str, Any]:
    """What rules are told of it."""
    return {"chance": told.chance, "telling": told.telling} if told else {}
