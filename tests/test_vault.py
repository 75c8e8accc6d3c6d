import dataclasses
import hashlib

import pytest

from service import vault
from service.vault import Vault, WrongKey

OLD, NEW, INDEX = b"o" * 32, b"n" * 32, b"i" * 32
ADDRESS = "Jane.Doe@Example.org"


def test_it_hides_and_reveals():
    hidden = Vault([NEW], INDEX).hide(ADDRESS, 1)
    assert Vault([NEW], INDEX).reveal(hidden, 1) == ADDRESS


def test_what_it_stores_holds_no_address_and_no_digest_of_one():
    hidden = Vault([NEW], INDEX).hide(ADDRESS, 1)
    kept = hidden.index + hidden.ciphertext + hidden.key_id.encode()
    for spelling in (ADDRESS, ADDRESS.lower()):
        for name in ("md5", "sha1", "sha256"):
            digest = hashlib.new(name, spelling.encode())
            assert digest.digest() not in kept
        assert spelling.encode() not in kept


def test_the_same_address_looks_different_each_time_but_has_one_index():
    one, two = (Vault([NEW], INDEX).hide(ADDRESS, 1) for _ in range(2))
    assert one.ciphertext != two.ciphertext
    assert one.index == two.index


@pytest.mark.parametrize(
    "spelling", ["jane.doe@example.org", " Jane.Doe@Example.ORG ", "Jane.Doe@example.org"]
)
def test_spellings_of_an_address_share_an_index(spelling):
    ring = Vault([NEW], INDEX)
    assert ring.index(spelling) == ring.index(ADDRESS)


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("user@bücher.example", "user@bücher.example"),
        ("jose\u0301@example.org", "josé@example.org"),
        ("no address", "no address"),
        (" A@LOCALHOST ", "a@localhost"),
        ("", ""),
    ],
)
def test_even_what_is_no_address_has_one_normal_form(typed, normal):
    assert vault.normal(typed) == normal
    assert vault.normal(normal) == normal


@pytest.mark.parametrize(
    ("typed", "domain", "masked"),
    [
        ("Rita@Example.ORG", "example.org", "e…e.org"),
        ("user@bücher.example", "xn--bcher-kva.example", "x…a.example"),
        ("user@xn--bcher-kva.example", "xn--bcher-kva.example", "x…a.example"),
        ("a@b@abc.org.", "abc.org", "a….org"),
        ("a@localhost", "localhost", "l…"),
        ("no address", "", "…"),
        ("x@" + "a" * 70 + ".org", "a" * 70 + ".org", "a…a.org"),
    ],
)
def test_a_domain_has_one_normal_form_and_a_mask(typed, domain, masked):
    assert vault.domain(typed) == domain
    assert vault.mask_domain(domain) == masked


def test_addresses_of_a_domain_share_an_index_of_its_own():
    ring = Vault([NEW], INDEX)
    one, two = (ring.hide(address, 1) for address in (ADDRESS, "x@EXAMPLE.org"))
    assert one.domain_index == two.domain_index == ring.domain_index("y@example.org")
    assert one.domain_index not in (one.index, ring.index("example.org"))
    assert ring.hide("x@sub.example.org", 1).domain_index != one.domain_index
    assert ring.renew(one, 1).domain_index == one.domain_index


def test_what_a_form_carries_sealed_opens_for_its_purpose_only():
    sealed = Vault([OLD], INDEX).seal("ban 1", ADDRESS)
    assert "jane" not in bytes.fromhex(sealed).decode("latin-1").casefold()
    ring = Vault([NEW, OLD], INDEX)
    assert ring.open("ban 1", sealed) == ADDRESS
    for purpose, sent in [("ban 2", sealed), ("ban 1", sealed[:-2]), ("ban 1", ""), ("ban 1", "é")]:
        assert ring.open(purpose, sent) is None
    hidden = ring.hide(ADDRESS, 1)
    assert ring.open("ban 1", hidden.key_id + hidden.ciphertext.hex()) is None


def test_another_row_s_ciphertext_does_not_open():
    ring = Vault([NEW], INDEX)
    hidden, other = ring.hide(ADDRESS, 1), ring.hide("x@example.org", 1)
    with pytest.raises(WrongKey):
        ring.reveal(hidden, 2)
    with pytest.raises(WrongKey):
        ring.reveal(dataclasses.replace(hidden, ciphertext=other.ciphertext), 1)


def test_an_older_key_still_opens_and_the_newest_seals():
    hidden = Vault([OLD], INDEX).hide(ADDRESS, 1)
    ring = Vault([NEW, OLD], INDEX)
    assert ring.reveal(hidden, 1) == ADDRESS
    renewed = ring.renew(hidden, 1)
    assert Vault([NEW], INDEX).reveal(renewed, 1) == ADDRESS
    assert renewed.index == hidden.index
    with pytest.raises(WrongKey):
        Vault([NEW], INDEX).reveal(hidden, 1)


def test_purposes_of_the_index_key_do_not_mix():
    ring = Vault([NEW], INDEX)
    assert len({ring.index("a"), ring.digest("address", "a"), ring.mark("a"), ring.check()}) == 4


def test_it_shows_a_mask():
    assert vault.mask("jane@example.org") == "j…@e…"
    assert vault.mask("nonsense") == "n…@…"
