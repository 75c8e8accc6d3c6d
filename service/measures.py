"""How well something tells spam: pure, from what was true and how likely it was said to be."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True)
class Confusion:
    """How many were what, and taken for what. A share of none is 0."""

    caught: int  # spam, taken for it
    wronged: int  # taken for spam, and none
    missed: int  # spam, and not taken for it
    passed: int

    @property
    def precision(self) -> float:
        return self.caught / max(1, self.caught + self.wronged)

    @property
    def recall(self) -> float:
        return self.caught / max(1, self.caught + self.missed)

    @property
    def f1(self) -> float:
        return 2 * self.caught / max(1, 2 * self.caught + self.wronged + self.missed)


def confusion(told: Iterable[tuple[bool, float]], threshold: float) -> Confusion:
    """Takes for each whether it is spam and how likely that was said to be; what reaches the
    threshold is taken for spam."""
    counts = {(is_spam, taken): 0 for is_spam in (True, False) for taken in (True, False)}
    for is_spam, chance in told:
        counts[is_spam, chance >= threshold] += 1
    return Confusion(
        counts[True, True], counts[False, True], counts[True, False], counts[False, False]
    )


def area(told: Sequence[tuple[bool, float]]) -> float | None:
    """The area under the ROC curve: how often a spam is found likelier than what is none, a tie
    counting half. None where one of the two kinds is not there."""
    spam = sum(is_spam for is_spam, _ in told)
    ham = len(told) - spam
    if not spam or not ham:
        return None
    won, below = 0.0, 0  # pairs; what is none and was found less likely so far
    for _, tied in groupby(sorted(told, key=lambda one: one[1]), key=lambda one: one[1]):
        kinds = [is_spam for is_spam, _ in tied]
        here = len(kinds) - sum(kinds)
        won += sum(kinds) * (below + here / 2)
        below += here
    return won / (spam * ham)
