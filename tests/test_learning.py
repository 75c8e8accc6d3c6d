"""The filter's mathematics: it learns, it unlearns, and it says how sure it is."""

import json
import math
import random

import pytest

from service.features import features
from service.learning import (
    NOTHING,
    Known,
    Totals,
    chance,
    lesson,
    opposite,
    pack,
    parts,
    unpack,
)
from service.measures import area, confusion

SPAM = ["cheap watches click here", "win money in our casino", "click for free money"]
HAM = ["thanks for this article", "I disagree with the author", "what a fine picture"]


class Pupil:
    def __init__(self):
        self.known, self.totals = {}, Totals()

    def learn(self, text, is_spam, name=""):
        found = features(text, b"key", name)
        self.totals = Totals(self.totals.spam + is_spam, self.totals.ham + (not is_spam))
        changes = lesson(found, self.known, self.totals, is_spam)
        self.add(changes)
        return changes

    def add(self, changes):
        for hash, change in changes.items():
            self.known[hash] = self.known.get(hash, NOTHING).plus(change)

    def chance(self, text, name=""):
        return chance(parts(features(text, b"key", name), self.known, self.totals))


def school():
    pupil = Pupil()
    for spam, ham in zip(SPAM, HAM, strict=True):
        pupil.learn(spam, True)
        pupil.learn(ham, False)
    return pupil


def test_it_learns_from_a_few_examples():
    pupil = school()
    assert pupil.chance("click here for cheap money") > 0.6
    assert pupil.chance("thanks, a fine article") < 0.4


def test_it_says_a_half_of_what_it_knows_nothing_of():
    assert Pupil().chance("anything") == 0.5
    assert chance([math.inf]) <= 1
    assert chance([-math.inf]) >= 0


def test_a_lesson_taken_back_leaves_what_was_before_also_if_others_came_later():
    pupil, other = school(), school()
    changes = pupil.learn("buy gold now", True)
    for each in (pupil, other):
        each.totals = Totals(10, 10)
    later = pupil.learn("what about gold", False)
    pupil.add(opposite(changes))
    other.add(later)
    for hash, it in other.known.items():
        assert pupil.known[hash] == pytest.approx(it, abs=1e-9)


def test_a_lesson_is_kept_in_16_bytes_a_feature():
    changes = school().learn("buy gold now", True)
    packed = pack(changes)
    assert len(packed) == 16 * len(changes)
    assert unpack(packed, True) == changes


def test_squares_that_rounding_took_below_zero_do_no_harm():
    found = features("buy", b"key")
    known = {one.hash: Known(1, 0, 0.1, -1e-6) for one in found}
    assert all(math.isfinite(c.weight) for c in lesson(found, known, Totals(1, 1), False).values())


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([(True, 0.9), (False, 0.1)], 1.0),
        ([(True, 0.1), (False, 0.9)], 0.0),
        ([(True, 0.5), (False, 0.5)], 0.5),
        ([(True, 0.5), (False, 0.5), (True, 0.9), (False, 0.1)], 0.875),
        ([(True, 0.5)], None),
        ([], None),
    ],
)
def test_the_area_under_the_curve_counts_a_tie_as_a_half(told, expected):
    assert area(told) == expected


def test_precision_recall_and_f1():
    told = [(True, 0.9), (True, 0.2), (False, 0.8), (False, 0.1), (True, 0.5)]
    found = confusion(told, 0.5)
    assert (found.caught, found.missed, found.wronged, found.passed) == (2, 1, 1, 1)
    assert found.precision == found.recall == found.f1 == pytest.approx(2 / 3)
    assert confusion([], 0.5).f1 == 0


@pytest.mark.long
@pytest.mark.parametrize(("name", "least"), [("youtube", 0.94), ("sms", 0.94)])
def test_it_tells_real_spam(corpora, name, least):
    path = corpora / "spam" / f"{name}_train.jsonl"
    lines = [json.loads(line) for line in path.open()]
    random.Random(0).shuffle(lines)
    lines, pupil = lines[:1_200], Pupil()
    for line in lines[:900]:
        pupil.learn(line["text"], line["label"] == "spam", line.get("author", ""))
    told = [
        (line["label"] == "spam", pupil.chance(line["text"], line.get("author", "")))
        for line in lines[900:]
    ]
    assert confusion(told, 0.5).f1 > least
    assert area(told) > 0.98
