import pytest
from growth import WORST, grown
from hypothesis import given
from hypothesis import strategies as st

from service.rules import Draft, History, Policy, judge
from service.rules.shape import characters, systems, words
from service.status import Mode


def fired(text, language="", **policy):
    found = judge(
        Draft("Rita", text, language=language), History(), Policy(Mode.HOLD_CAUGHT, **policy)
    )
    return [(one.rule, one.matched) for one in found.reasons]


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("", 0),
        ("It's fine.", 2),
        ("我同意你的看法", 4),
        ("नमस्ते दुनिया", 2),
        ("می‌خواهم", 1),
        ("👍", 0),
    ],
)
def test_words_are_counted_in_any_writing(text, counted):
    assert words(text) == counted


def test_too_short_and_too_long_are_off_unless_asked_for():
    assert fired("ok") == fired("x" * 9_999) == []
    assert fired("ok", tuned={"too_short": {"on": True}}) == [("too_short", "1 word")]
    tuned = {"too_long": {"on": True, "most": 4}}
    assert fired("abcde", tuned=tuned) == [("too_long", "5 characters")]
    assert fired("abcd", tuned=tuned) == []


@pytest.mark.parametrize(
    ("taken", "text", "matched"),
    [
        ((), "Привет", None),
        (("Latin",), "Привет всем", "Cyrillic"),
        (("Latin",), "Hello, Иван!", None),
        (("Japanese",), "漢字とカタカナ", None),
        (("Korean",), "대한민국 https://example.com/a-very-long-path", None),
        (("Latin",), "👍 10%", None),
        (("latin", "Cyrillic"), "Привет", None),
        (("Latin",), "हिन्दी", "Devanagari"),
    ],
)
def test_writing_that_the_site_does_not_take(taken, text, matched):
    expected = [] if matched is None else [("other_writing", matched)]
    assert fired(text, writing=frozenset(taken)) == expected


@pytest.mark.parametrize(
    ("taken", "language", "fires"),
    [((), "fr", False), (("de",), "fr", True), (("pt",), "pt_BR", False), (("de",), "", False)],
)
def test_languages_that_the_site_does_not_take(taken, language, fires):
    expected = [("other_language", language)] * fires
    assert fired("Hi", language, languages=frozenset(taken)) == expected


@given(st.text())
def test_any_text_can_be_counted(text):
    assert min(words(text), characters(text), systems(text).total()) >= 0


@pytest.mark.parametrize("unit", WORST.values(), ids=WORST)
def test_the_work_grows_no_faster_than_the_text(unit):
    for read in (words, characters, systems):
        assert grown(read, unit) <= 12
