"""What the filter looks at: bounded, in any writing, and nothing that could be read back."""

import json
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service import features as module
from service.features import MOST, as_typed, features, normal

KEY = b"a key"


def said(text, **more):
    return {one.said for one in features(text, KEY, **more)}


@given(st.text(max_size=3_000), st.text(max_size=100), st.text(max_size=100))
@settings(max_examples=60, deadline=None)
def test_any_text_has_a_bounded_number_of_features_each_once(text, name, website):
    found = features(text, KEY, name, website)
    assert len({one.hash for one in found}) == len(found) <= MOST
    assert all(-(2**63) <= one.hash < 2**63 and 0 < one.share <= 1 for one in found)


def test_the_same_text_has_the_same_features_and_another_key_other_ones():
    assert features("Buy now", KEY) == features("Buy now", KEY)
    one = {each.hash for each in features("Buy now", KEY)}
    assert one.isdisjoint(each.hash for each in features("Buy now", b"another"))


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("CASINO", "casino"),
        ("ca\u200bsino", "casino"),
        ("ｃａｓｉｎｏ", "casino"),
        ("Straße", "strasse"),
        ("call 0800 123", "call 0000 000"),
        ("١٢٣", "000"),
    ],
)
def test_one_word_has_one_form(typed, read):
    assert normal(typed) == read


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Only 25 for a CASINO", {"25", "CASINO"}),
        ("at https://www.facebook.com/pages/25", {"www.facebook.com", "pages", "25"}),
        ("at www.Bonus7.example, now", {"www.Bonus7.example", "now"}),
        ('<a href="https://b.example/x" rel="nofollow">Buy</a>', {"b.example", "Buy"}),
        ("a &amp; b &lt; c<br /><strong>x</strong>", set()),
        ("I'll say y'all don't 'have' to", {"say", "have"}),
        ("https http www", set()),
        ("ca\u200bsino", {"casino"}),
        ("최고의카지노사이트", {"카지노"}),
    ],
)  # fmt: skip
def test_a_word_that_told_is_named_as_it_is_typed_and_no_piece_or_markup_is(text, named):
    found = set(as_typed(said(text) | {"sin", "nofollow"}, text).values())
    assert named <= found
    no_words = {"href", "rel", "nofollow", "amp", "lt", "br", "strong", "https", "http", "www"}
    assert not found & (no_words | {"ll", "all", "don", "sin", "x"})


@given(
    st.lists(st.sampled_from(["<a ", "&", "a.", "'a", "'", "www.", "x-", ">", " "]), max_size=400)
)
@settings(max_examples=40, deadline=None)
def test_whatever_was_typed_words_are_named_only_out_of_it(parts):
    text = "".join(parts)
    assert all(typed in text for typed in as_typed(said(text), text).values())


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("최고의카지노사이트", "온라인카지노추천", "카지노"),
        ("欢迎来到在线赌场网站", "最好的赌场在这里", "赌场"),
        ("العب في كازينو اليوم", "أفضل كازينو هنا", "كازينو"),
        ("ไปที่คาสิโนออนไลน์", "เล่นคาสิโนวันนี้", "คาส"),
    ],
)
def test_writing_with_or_without_spaces_has_words_in_common(one, other, shared):
    assert shared in said(one) & said(other)


def test_a_link_counts_by_its_host_its_domain_and_its_path():
    found = said(
        "see https://shop.cheap.example/watches/gold?x=1 now", website="https://me.example"
    )
    assert {"shop.cheap.example", "watches", "gold", "me.example"} <= found
    one, other = (features(f"http://{host}.cheap.example", KEY) for host in ("a", "bcd"))
    both = {each.hash for each in one} & {each.hash for each in other}
    assert any(each.said == "bcd.cheap.example" for each in other if each.hash in both)


def test_long_texts_with_much_in_common_keep_much_of_it():
    words = [f"word{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(600)]
    one = {each.hash for each in features(" ".join(words), KEY)}
    other = {each.hash for each in features(" ".join(["Hello", *words, "bye"]), KEY)}
    assert len(one & other) > 0.9 * MOST


def steps(text):
    """How many lines of Python run for a text."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        if frame.f_code.co_filename != module.__file__:
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        features(text, KEY)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize(
    "piece", ["word ", "x", "카", "a\u0301", "http://a.b/", "!", "ﷺ", ". ", "🙂", "@"]
)
def test_the_work_grows_with_the_text_and_no_faster(piece):
    short, long = steps(piece * 400), steps(piece * 1_600)
    assert long <= 4.5 * short


def test_naughty_strings_are_read(corpora):
    for told in json.loads((corpora / "naughty_strings.json").read_text()):
        text = told["string"]
        assert len(features(text, KEY, text, text)) <= MOST
