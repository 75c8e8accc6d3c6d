"""What changed between two texts, as data."""

import pytest

from service import compare
from service.compare import compared


def kinds(before, after):
    return [(piece.kind, piece.text) for piece in compared(before, after)]


def test_it_tells_words_that_went_and_words_that_came():
    assert kinds("I saw it twice.", "I saw it once.") == [
        ("same", "I saw it "),
        ("gone", "twice"),
        ("new", "once"),
        ("same", "."),
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("", "new"),
        ("old", ""),
        ("a a a", "a a"),
        ("same", "same"),
        ("one\n\ntwo  three", "one two\n\nthree four"),
        ("<b>x</b> & y", "<i>x</i> && y"),
        ("日本語のテキスト", "日本語のテスト"),
        ("a b c d", "d c b a"),
    ],
)
def test_both_texts_can_be_read_from_it(before, after):
    pieces = compared(before, after)
    assert "".join(p.text for p in pieces if p.kind != "new") == before
    assert "".join(p.text for p in pieces if p.kind != "gone") == after


def test_texts_too_long_to_compare_are_told_whole(monkeypatch):
    monkeypatch.setattr(compare, "MOST", 4)
    assert kinds("a b c", "c b d") == [("gone", "a b c"), ("new", "c b d")]
