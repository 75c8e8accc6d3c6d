from datetime import timedelta

import pytest

from service.models import now
from service.rules import Policy

LONG = (
    "The harbour will be dredged next spring, the council said, and nobody asked the fishers. "
    "They were told on Monday, by a letter of two lines."
)
CHANGED = LONG.replace("spring", "autumn")


def rules(said):
    return set(said[0]) - {"every_reply", "unknown_article"}


@pytest.mark.parametrize(
    ("said", "hours", "expected"),
    [
        (CHANGED, 1, {"near_duplicate"}),
        (CHANGED, 25, set()),
        (LONG, 1, {"repeated"}),
        ("Nothing of the kind was ever said at the council, as far as I know.", 1, set()),
    ],
)
def test_almost_the_same_words_are_told_within_a_day(submit, said, hours, expected):
    submit(LONG, at=now() - timedelta(hours=hours))
    assert rules(submit(said)) == expected


def test_what_came_afterwards_is_not_looked_at(submit):
    submit(LONG)
    assert rules(submit(CHANGED, at=now() - timedelta(hours=1))) == set()


def test_a_site_chooses_how_like_they_must_be(submit):
    submit(LONG)
    strict = Policy(tuned={"near_duplicate": {"percent": 100}})
    assert rules(submit(CHANGED, strict)) == set()
    off = Policy(tuned={"near_duplicate": {"on": False}})
    assert rules(submit(LONG.replace("spring", "summer"), off)) == set()
