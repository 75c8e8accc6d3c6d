import pytest
from growth import WORST, grown, work
from hypothesis import given
from hypothesis import strategies as st

from service.rules import near
from service.rules.near import closest, likeness

LONG = "The harbour will be dredged next spring, the council said, and nobody asked the fishers."


@pytest.mark.parametrize(
    ("other", "least", "most"),
    [
        (LONG, 100, 100),
        (LONG.upper().replace(" ", "  "), 100, 100),
        (LONG.replace("spring", "autumn"), 75, 95),
        ("A quite different thing was said at the council.", 0, 25),
        ("", 0, 0),
    ],
)
def test_how_much_two_texts_have_in_common(other, least, most):
    assert least <= likeness(LONG, other) <= most
    assert likeness(other, LONG) == likeness(LONG, other)


def test_short_texts_are_the_same_or_not():
    assert likeness("I agree.", "i agree") == 100
    assert likeness("I agree.", "I disagree") == 0


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_two_texts_can_be_compared(one, other):
    assert 0 <= likeness(one, other) <= 100
    assert likeness(one, one) == (100 if near.fold(one) else 0)


def test_the_most_alike_of_many_is_found():
    others = ["Nothing of the kind was ever said.", LONG.replace("spring", "autumn"), "No."]
    assert closest(LONG, others) == likeness(LONG, others[1])


def compared(text):
    near._fold.cache_clear()
    likeness(text, text[1:])


def sought(text):
    near._fold.cache_clear()
    closest(text, [text[at:] for at in range(10)])


@pytest.mark.parametrize("unit", WORST.values(), ids=WORST)
def test_the_work_grows_no_faster_than_the_text(unit):
    for read in (compared, sought):
        assert grown(read, unit) <= 12


@pytest.mark.parametrize("read", [compared, sought])
def test_of_a_long_text_the_beginning_is_read(read):
    long = "".join(map(chr, range(0x4E00, 0x4E00 + 20_000)))
    assert work(read, long) <= 1.1 * work(read, long[: near.READ + 10])


def test_more_texts_to_compare_with_cost_no_full_measure_each():
    """Those that no probe is found in are told from each other by the probes alone."""
    near._fold.cache_clear()
    others = [f"{number} {LONG[number % 50 :]} {number}" for number in range(200)]

    def few(text):
        return closest(text, others[:20])

    def many(text):
        return closest(text, others)

    many(LONG)
    assert work(many, LONG) <= 10 * work(few, LONG)
