import json
import string
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.rules import Draft, History, Policy, judge, near
from service.status import Mode, Status

OPEN = Policy(mode=Mode.HOLD_CAUGHT)
LONG = (
    "The harbour will be dredged next spring, the council said, and nobody asked the fishers. "
    "They were told on Monday, by a letter of two lines."
)


def fired(history, policy=OPEN):
    return [(one.rule, one.matched) for one in judge(Draft("Rita", "Hi"), history, policy).reasons]


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (History(from_address=4, from_network=9, under_article=29), []),
        (History(from_address=5), [("flood_address", "5")]),
        (History(from_network=10), [("flood_network", "10")]),
        (History(under_article=30), [("flood_article", "30")]),
        (History(likeness=79), []),
        (History(likeness=80), [("near_duplicate", "80 %")]),
        (History(likeness=100, repeats=1), [("repeated", "1×")]),
        (History(is_reused=True), [("reused_token", "")]),
    ],
)
def test_it_fires(history, expected):
    assert fired(history) == expected


@pytest.mark.parametrize("name", ["flood_address", "flood_network", "flood_article"])
def test_a_flood_is_held_and_never_worse_and_can_be_switched_off(name):
    flood = History(from_address=500, from_network=500, under_article=500)
    told = Policy(mode=Mode.HOLD_CAUGHT, tuned={name: {"to": "spam", "most": 200}})
    assert judge(Draft("Rita", "Hi"), flood, told).status == Status.PENDING
    off = Policy(mode=Mode.HOLD_CAUGHT, tuned={name: {"on": False}})
    assert name not in [rule for rule, _ in fired(flood, off)]


@pytest.mark.parametrize(
    ("is_proved", "approved_before", "is_held"),
    [(False, 0, True), (False, 9, True), (True, 0, True), (True, 1, False)],
)
def test_only_proof_with_a_comment_approved_before_is_known(is_proved, approved_before, is_held):
    history = History(is_proved=is_proved, approved_before=approved_before)
    assert fired(history, Policy(mode=Mode.HOLD_NEW)) == [("newcomer", "")] * is_held


@pytest.mark.parametrize(
    ("one", "other", "is_near"),
    [
        (LONG, LONG.upper().replace(" ", "  "), True),
        (LONG, LONG.replace("spring", "autumn"), True),
        (LONG, "Ｔ" + LONG[1:], True),  # a full-width letter
        (LONG, "The mayor opened the new library today; children read all the afternoon.", False),
        ("Thank you!", "thank you", True),
        ("Thank you!", "Thank you too!", False),
        ("", "", False),
        ("!!!", "???", False),
        (
            "我认为市议会应该先听取渔民的意见,然后再决定明年春天是否疏浚港口和修建新的码头。",
            "我认为市议会应该先听取渔民的意见,然后再决定明年秋天是否疏浚港口和修建新的码头。",
            True,
        ),
        (
            "我认为市议会应该先听取渔民的意见,然后再决定明年春天是否疏浚港口和修建新的码头。",
            "今天图书馆开门了,孩子们整个下午都在那里看书,老师也非常高兴,大家都说好极了。",
            False,
        ),
    ],
)
def test_two_texts_are_almost_the_same_or_not(one, other, is_near):
    percent = near.NEAR.numbers[0].default
    assert (near.likeness(one, other) >= percent) is is_near
    assert near.likeness(one, other) == near.likeness(other, one)
    others = ["Something else was said by somebody at some length."] * 49
    assert (near.closest(one, [*others, other]) >= percent) is is_near


@settings(deadline=None)
@given(st.text(), st.text())
def test_likeness_is_a_percentage_of_any_texts(one, other):
    assert 0 <= near.likeness(one, other) == near.likeness(other, one) <= 100
    assert near.likeness(one, one) == (100 if near.fold(one) else 0)
    assert 0 <= near.closest(one, [other, one]) <= 100


def test_it_takes_naughty_strings(corpora):
    kept = json.loads((corpora / "naughty_strings.json").read_text())
    naughty = [one["string"] for one in kept]
    assert [near.closest(one, naughty) for one in naughty] == [
        100 if near.fold(one) else 0 for one in naughty
    ]


@settings(deadline=None, max_examples=20)
@given(st.text(alphabet=string.printable + "ﷺ中é\u200b", min_size=1, max_size=20))
def test_it_takes_no_longer_for_a_longer_text_than_it_reads(seed):
    def seconds(length):
        text = (seed * length)[:length]
        others = [text[at:] + text[:at] for at in range(3)]
        taken = []
        for _ in range(3):
            near._fold.cache_clear()
            began = time.perf_counter()
            near.closest(text, others)
            taken.append(time.perf_counter() - began)
        return min(taken)

    assert seconds(100_000) < 8 * seconds(near.READ) + 0.002
