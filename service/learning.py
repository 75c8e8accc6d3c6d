"""How the filter learns and judges: logistic regression, a lesson at a time, in pure mathematics.

A feature's part in a comment is weighed by what naive Bayes makes of it (Wang and Manning, "Baselines
and Bigrams", 2012), each weight learns at its own rate (AdaGrad: Duchi, Hazan and Singer, 2011). All
that a lesson changes is added, and taken away again when it is unlearned.
"""

import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from .features import Feature

RATE = 0.5  # of learning
FIRST = 1e-8  # what squares begin with: nothing is divided by none
SCALE = 0.5  # of naive Bayes' word on a feature
SOFTENING = 0.5  # counts that every feature begins with

PACKED = struct.Struct("<qff")  # a feature's hash, and what its weight and squares gained
SHORT = struct.Struct("<f")


class Known(NamedTuple):
    """What is known of a feature: in how many comments it stood, and what it weighs."""

    spam: int = 0
    ham: int = 0
    weight: float = 0.0
    squares: float = 0.0  # of its gradients

    def plus(self, change: "Known") -> "Known":
        return Known(
            self.spam + change.spam,
            self.ham + change.ham,
            self.weight + change.weight,
            self.squares + change.squares,
        )


NOTHING = Known()


class Totals(NamedTuple):
    """How many comments the filter learned from."""

    spam: int = 0
    ham: int = 0


def values(found: Sequence[Feature], known: Mapping[int, Known], totals: Totals) -> list[float]:
    """How much each feature of a comment counts."""
    log, even = math.log, math.log((totals.ham + 1) / (totals.spam + 1))
    unknown = abs(even) * SCALE
    counted = []
    for hash, share, _ in found:
        it = known.get(hash)
        if it is None:
            counted.append(share * unknown)
        else:
            ratio = log((it[0] + SOFTENING) / (it[1] + SOFTENING)) + even
            counted.append(share * abs(ratio) * SCALE)
    return counted


def parts(found: Sequence[Feature], known: Mapping[int, Known], totals: Totals) -> list[float]:
    """What each feature says: above 0 for spam, below against it."""
    counted = values(found, known, totals)
    return [
        known[one.hash].weight * value if one.hash in known else 0.0
        for one, value in zip(found, counted, strict=True)
    ]


def times(it: Known, totals: Totals) -> float:
    """How many times as often a feature stands in spam as in the rest; below 1 in the rest."""
    spam, ham = it.spam + SOFTENING, it.ham + SOFTENING
    return spam / ham * (totals.ham + 1) / (totals.spam + 1)


def chance(said: Iterable[float]) -> float:
    """How likely a comment is spam, 0 to 1, by what its features say together."""
    total = max(-30.0, min(30.0, math.fsum(said)))
    return 1 / (1 + math.exp(-total))


def lesson(
    found: Sequence[Feature], known: Mapping[int, Known], totals: Totals, is_spam: bool
) -> dict[int, Known]:
    """What a comment changes in what is known of its features. Takes the totals with it counted."""
    one_more = Known(spam=int(is_spam), ham=int(not is_spam))
    counted = {one.hash: known.get(one.hash, NOTHING).plus(one_more) for one in found}
    much = values(found, counted, totals)
    said = (counted[one.hash].weight * value for one, value in zip(found, much, strict=True))
    mistake = chance(said) - is_spam
    changes = {}
    for one, value in zip(found, much, strict=True):
        slope = mistake * value
        squares = slope * slope
        step = -RATE * slope / math.sqrt(FIRST + max(0.0, counted[one.hash].squares) + squares)
        changes[one.hash] = Known(*one_more[:2], _short(step), _short(squares))
    return changes


def opposite(changes: Mapping[int, Known]) -> dict[int, Known]:
    """What takes a lesson's changes away again, whatever was learned since."""
    return {
        hash: Known(-change.spam, -change.ham, -change.weight, -change.squares)
        for hash, change in changes.items()
    }


def pack(changes: Mapping[int, Known]) -> bytes:
    """A lesson's changes, 16 bytes a feature."""
    return b"".join(PACKED.pack(hash, it.weight, it.squares) for hash, it in changes.items())


def unpack(packed: bytes, is_spam: bool) -> dict[int, Known]:
    return {
        hash: Known(int(is_spam), int(not is_spam), weight, squares)
        for hash, weight, squares in PACKED.iter_unpack(packed)
    }


def _short(number: float) -> float:
    """A number as four bytes hold it, so that exactly what was added can be taken away."""
    return float(SHORT.unpack(SHORT.pack(number))[0])
