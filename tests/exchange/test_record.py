import time

import pytest

from service import urls
from service.exchange import record
from service.exchange.record import Addresses, Troubles

EMAIL = "rita@example.org"


def lines(troubles):
    return " ".join(troubles.lines())


@pytest.mark.parametrize(
    ("written", "shown", "trouble"),
    [
        ("Rita", "Rita", ""),
        ("  Rita\n Reader ", "Rita Reader", ""),
        ("Tom &amp; Jerry", "Tom & Jerry", ""),
        ("R&D &copyist", "R&D &copyist", ""),
        ("Zo\x00ë", "Zoë", ""),
        ("", "Anonymous", "no name"),
        ("\x07", "Anonymous", "no name"),
        ("\u200b", "Anonymous", "no name"),
        ("\U000e0041\u3164", "Anonymous", "no name"),
        ("\u202eRita&#8238;", "Rita", "direction"),
        ("rita@example.org", "r…@…", "masked"),
        ("x" * 300, "x" * 199 + "…", "cut"),
    ],
)
def test_a_name_is_fit_to_show(written, shown, trouble):
    troubles = Troubles()
    assert record.author(written, "1", troubles) == shown
    assert trouble in lines(troubles)
    assert bool(trouble) == bool(lines(troubles))


@pytest.mark.parametrize(
    ("written", "kept", "trouble"),
    [
        ("", "", ""),
        ("http://", "", ""),
        ("https://", "", ""),
        ("http://rita.example", "http://rita.example", ""),
        ("http://rita.example/?a=1&amp;b=2&#038;c=3", "http://rita.example/?a=1&b=2&c=3", ""),
        ("rita.example", "https://rita.example/", ""),
        ("javascript:alert(1)", "", "no web address"),
        ("https://rita.example/?me=RITA@example.org", "", "e-mail address"),
        ("https://rita.example/?me=rita%40example.org", "", "e-mail address"),
        ("https://rita.example/%72ita%2540example.org", "", "e-mail address"),
        ("https://rita.example/@rita?a&b", "https://rita.example/@rita?a&b", ""),
        ("mailto:rita@example.org", "", "no web address"),
    ],
)
def test_a_website_is_kept_as_written_or_left_out(written, kept, trouble):
    troubles = Troubles()
    assert record.website(written, EMAIL, "1", troubles) == kept
    assert trouble in lines(troubles)
    assert bool(trouble) == bool(lines(troubles))


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("\n <b>Hi</b>  there \n", "<b>Hi</b>  there"),
        ("a\x00b\x0bc", "abc"),
        ("Write to Rita@Example.org.", "Write to r…@e…."),
        ("Write to rita&#64;example.org.", "Write to r…@e…."),
        ("?e=rita%40example.org&x", "?e=r…@e…&x"),
        ("?e%3Drita%2540example.org", "?e%3Dr…@e…"),
        ("email=RITA&#x40;example.org", "email=r…@e…"),
        ("<b>rita</b>@example.org", "<b>r…@e…"),
        ("rita<!-- x -->@<i></i>example.org", "r…@e…"),
        ("ri\u200bta＠example.org", "r…@e…"),
        ("&lt;b&gt; ① \u06cc\u200c。 rita&commat;example.org", "&lt;b&gt; ① \u06cc\u200c。 r…@e…"),
        ("Not mine: margarita@example.org", "Not mine: margarita@example.org"),
        ("Write to editor@daily.example.", "Write to editor@daily.example."),
    ],
)
def test_of_a_text_only_its_authors_address_is_masked(written, kept):
    assert record.words(written, EMAIL, "1", Troubles()) == kept


@pytest.mark.parametrize(
    ("written", "email", "kept"),
    [
        ("o&#8217;neil@example.org", "o'neil@example.org", "o…@e…"),
        ("ann@xn--mnchen-3ya.example", "ann@münchen.example", "a…@m…"),
        ("ann&#64;localhost", "ann@localhost", "a…@l…"),
        ("a&b@b.example a&amp;b@b.example a&#38;b@b.example", "a&b@b.example", "a…@b… a…@b… a…@b…"),
        ("a%b@b.example a%25b@b.example", "a%b@b.example", "a…@b… a…@b…"),
        ("data@b.com", "a@b.co", "data@b.com"),
        ("Cats &amp; a dog @ a bar", "a", "Cats &amp; a dog @ a bar"),
        ("null &amp; void @ all.", "null", "null &amp; void @ all."),
        ("One. Two @ three.", ".", "One. Two @ three."),
        ("One. Two @ three.", "@", "One. Two @ three."),
    ],
)
def test_what_is_no_address_harms_no_text(written, email, kept):
    assert record.words(written, email, "1", Troubles()) == kept


@pytest.mark.parametrize("piece", ["rita@", "r<b>", "r<!-- ", "r<", "r&#0", "ri%25", "r\u200b"])
def test_looking_for_an_address_takes_time_by_the_length(piece):
    def took(length):
        text = "@" + piece * (length // len(piece))
        began = time.process_time()
        record.words(text, EMAIL, "1", Troubles())
        return time.process_time() - began

    took(100)
    assert min(took(80_000) for _ in range(3)) < 40 * max(min(took(10_000) for _ in range(3)), 1e-4)


@pytest.mark.parametrize("email", ["chris.longname@b.example", "e" * 60 + "@b.example"])
def test_a_text_that_begins_like_a_long_address_takes_no_longer(email):
    other = email.replace("b.example", "c.example")
    began = time.process_time()
    assert not record._holds(f"{other} {other[:50]} @b ..h@b" * 100 + email[-12:], email)
    assert time.process_time() - began < 2


def test_what_is_longer_than_any_address_is_none():
    troubles = Troubles()
    assert record.address(f"{'a' * 400}@b.example", "1", troubles) == ""
    assert "longer than 320 characters: left out (id 1)" in lines(troubles)
    assert record.address(f" {EMAIL}\n", "1", troubles) == EMAIL


def test_a_text_that_nobody_would_read_is_cut():
    troubles = Troubles()
    kept = record.words("x " * record.TEXT_LENGTH, EMAIL, "1", troubles)
    assert (len(kept), "cut (id 1)" in lines(troubles)) == (record.TEXT_LENGTH, True)


def test_a_title_without_an_end_takes_no_time():
    began = time.process_time()
    assert len(record.title("A review " + "<b>&" * 2_000_000)) <= record.TITLE_LENGTH
    assert time.process_time() - began < 2


OLD, NEW = "http://old.example", "https://new.example"


@pytest.mark.parametrize(
    ("maps", "url", "found"),
    [
        ([], "HTTPS://Daily.example:443/a#b", "https://daily.example/a"),
        ([(OLD, NEW)], "http://old.example/a", "https://new.example/a"),
        ([(OLD, NEW)], "http://old.example.org/a", "http://old.example.org/a"),
        ([(OLD, f"{NEW}/blog/")], "http://old.example/a", "https://new.example/blog/a"),
        ([(f"{OLD}/", NEW)], "http://old.example/a", "https://new.example/a"),
        ([(OLD, NEW), (f"{OLD}/x", "http://x.example")], f"{OLD}/x/a", "http://x.example/a"),
        ([("/", f"{NEW}/")], "/2020/a", "https://new.example/2020/a"),
    ],
)
def test_an_address_is_rewritten_by_the_longest_prefix(maps, url, found):
    assert Addresses(maps).canonical(url) == found


@pytest.mark.parametrize("url", ["", "/a", "ftp://a.example/", "https://a.example/" + "é" * 1_200])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(urls.NotAnAddress):
        Addresses().canonical(url)


def test_a_prefix_that_fits_nothing_is_remembered():
    addresses = Addresses(
        [("http://a.example", "http://b.example"), ("http://x.example", "http://y.example")]
    )
    addresses.canonical("http://a.example/1")
    assert addresses.unused == {"http://x.example"}


def test_troubles_are_counted_with_the_first_samples_and_tell_no_address():
    troubles = Troubles()
    for number in range(5):
        troubles.note("often", str(number))
    troubles.note("once", "rita@example.org \x1b[31m")
    often, once = troubles.lines()
    assert often == "5 × often (id 0, 1, 2, …)"
    assert "rita@" not in once
    assert "\x1b" not in once


def test_a_derived_id_is_the_same_each_time_and_short():
    at = record.LONG_AGO
    assert record.derived_id("Rita", at, "Hi") == record.derived_id("Rita", at, "Hi")
    assert record.derived_id("Rita", at, "Hi") != record.derived_id("Rita", at, "Ho")
    assert len(record.known_id("9" * 500)) <= record.ID_LENGTH
