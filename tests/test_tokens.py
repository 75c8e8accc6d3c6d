import hashlib
import time

import pytest

from service.tokens import (
    AUTHOR_LIFETIME,
    FORM_LIFETIME,
    AuthorTokens,
    FormTokens,
    Signer,
    has_worked,
)

PAGE = "https://daily.example/a"


def test_it_reads_what_it_signed():
    assert Signer(["s"]).read("receipt", Signer(["s"]).sign("receipt", "abc")) == "abc"


def test_a_token_is_good_for_one_purpose_only():
    assert Signer(["s"]).read("form", Signer(["s"]).sign("receipt", "abc")) is None


def test_it_refuses_a_token_that_was_changed():
    token = Signer(["s"]).sign("receipt", "abc")
    assert [Signer(["s"]).read("receipt", t) for t in (token[:-1], "x" + token, "", "é.é")] == [
        None
    ] * 4


def test_a_new_secret_ends_no_receipt():
    old = Signer(["old"]).sign("receipt", "abc")
    assert Signer(["new", "old"]).read("receipt", old) == "abc"
    assert Signer(["new"]).read("receipt", old) is None
    assert Signer(["new"]).read("receipt", Signer(["new", "old"]).sign("receipt", "abc")) == "abc"


def test_a_page_s_token_is_the_same_for_an_hour_so_that_pages_can_be_cached():
    tokens = FormTokens(Signer(["s"]), "daily", PAGE)
    assert tokens.for_page() == tokens.for_page()
    assert tokens.read(tokens.for_page()).seconds is None


def test_script_s_token_is_its_own_and_tells_how_long_ago_it_was_fetched():
    tokens = FormTokens(Signer(["s"]), "daily", PAGE)
    assert tokens.for_script() != tokens.for_script()
    assert 0 <= tokens.read(tokens.for_script()).seconds < 5


def test_a_form_s_token_is_for_its_site_and_article():
    token = FormTokens(Signer(["s"]), "daily", PAGE).for_page()
    assert FormTokens(Signer(["s"]), "daily", PAGE + "b").read(token) is None
    assert FormTokens(Signer(["s"]), "weekly", PAGE).read(token) is None


def test_a_form_s_token_ends_after_a_day(monkeypatch):
    tokens = FormTokens(Signer(["s"]), "daily", PAGE)
    made = [tokens.for_page(), tokens.for_script()]
    later = time.time() + FORM_LIFETIME + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert [tokens.read(token) for token in made] == [None, None]


def test_script_s_token_remembers_the_work_that_was_asked_for():
    tokens = FormTokens(Signer(["s"]), "daily", PAGE)
    made = [tokens.for_page(), tokens.for_script(), tokens.for_script(12)]
    assert [tokens.read(token).work for token in made] == [0, 0, 12]
    assert tokens.read(made[2]).seconds is not None


def zeros(token, number):
    """How many zero bits a digest begins with, counted by other code."""
    digest = hashlib.sha256(f"{token}.{number}".encode()).digest()
    bits = "".join(f"{byte:08b}" for byte in digest)
    return len(bits) - len(bits.lstrip("0"))


def test_work_is_done_by_a_number_whose_digest_begins_with_so_many_zero_bits():
    for number in range(200):
        done = [has_worked("a.b", str(number), bits) for bits in range(12)]
        assert done == [bits <= zeros("a.b", number) for bits in range(12)]


@pytest.mark.parametrize("number", ["", "-1", "x", "1.0", " 1", "1\n", "٣", "1" * 16])
def test_what_is_no_number_is_no_work(number):
    assert not has_worked("a.b", number, 0)


def test_only_script_s_token_can_be_told_from_another_one():
    tokens = FormTokens(Signer(["s"]), "daily", PAGE)
    one, other = tokens.for_script(), tokens.for_script()
    assert tokens.read(one).digest == tokens.read(one).digest != tokens.read(other).digest
    assert tokens.read(tokens.for_page()).digest is None


def test_an_author_s_token_is_for_one_address_on_one_site_and_ends(monkeypatch):
    tokens = AuthorTokens(Signer(["s"]), "daily")
    token = tokens.make(b"an index")
    assert tokens.read(token) == b"an index"
    assert AuthorTokens(Signer(["s"]), "weekly").read(token) is None
    assert AuthorTokens(Signer(["other"]), "daily").read(token) is None
    form = FormTokens(Signer(["s"]), "daily", PAGE).for_page()
    assert [tokens.read(other) for other in ("", form, token[:-2], "é")] == [None] * 4
    later = time.time() + AUTHOR_LIFETIME + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert tokens.read(token) is None
