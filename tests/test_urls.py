import pytest

from service import urls


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("https://Daily.Example/A", "https://daily.example/A"),
        ("HTTPS://daily.example:443/a#top", "https://daily.example/a"),
        ("http://daily.example:80", "http://daily.example/"),
        ("http://daily.example:8080/a", "http://daily.example:8080/a"),
        ("https://daily.example/a?utm_source=x&id=7&fbclid=y", "https://daily.example/a?id=7"),
        ("https://daily.example/a?utm_source=x", "https://daily.example/a"),
        ("https://daily.example/a?b=%20&c", "https://daily.example/a?b=%20&c"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("https://daily.example/%e3%81%82?q=%c3%bc", "https://daily.example/%E3%81%82?q=%C3%BC"),
        ("https://daily.example./a", "https://daily.example/a"),
        ("http://[2001:DB8::1]:8000/", "http://[2001:db8::1]:8000/"),
    ],
)
def test_it_gives_an_article_one_spelling(typed, canonical):
    assert urls.canonical(typed) == canonical
    assert urls.canonical(canonical) == canonical


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "/a",
        "javascript:alert(1)",
        "ftp://daily.example/",
        "https://",
        "https://a b/",
        "https://user:secret@daily.example/",
        "https://daily.example\\@evil.example/",
        "https://daily.example/\nSet-Cookie: a",
        "https://[::1/",
        "https://daily.example:port/",
        "https://" + "a" * 2_000,
    ],
)
def test_it_refuses_what_is_no_page(typed):
    with pytest.raises(urls.NotAnAddress):
        urls.canonical(typed)


@pytest.mark.parametrize(
    ("url", "is_within"),
    [
        ("https://daily.example/a", True),
        ("https://daily.example:443/a", True),
        ("http://daily.example/a", False),
        ("https://daily.example.evil.example/", False),
        ("https://daily.example@evil.example/", False),
        ("nonsense", False),
    ],
)
def test_it_knows_whose_page_it_is(url, is_within):
    assert urls.is_within(url, ["https://daily.example"]) is is_within


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("", ""),
        ("example.org", "https://example.org/"),
        ("example.org:8080/me", "https://example.org:8080/me"),
        ("http://Example.org", "http://example.org/"),
    ],
)
def test_a_website_may_be_typed_without_its_scheme(typed, shown):
    assert urls.website(typed) == shown


@pytest.mark.parametrize(
    "typed", ["javascript:alert(1)", "mailto:a@b.example", "me", "data:x", "//x"]
)
def test_a_website_is_a_web_address(typed):
    with pytest.raises(urls.NotAnAddress):
        urls.website(typed)


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://www.Ann.example:8080/me?x#y", "ann.example"),
        ("HTTP://ann.example", "ann.example"),
        ("https://wwwide.example/", "wwwide.example"),
        ("", ""),
        ("ftp://ann.example/", ""),
        ("https://[ann.example/", ""),
    ],
)
def test_a_website_is_known_by_its_domain(url, domain):
    assert urls.domain(url) == domain


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("https://daily.example/2026/review", "daily.example/2026/review"),
        (
            "https://daily.example/%D9%85%D9%86%D8%A7%D8%B1%D8%A9?q=%C3%BC",
            "daily.example/منارة?q=ü",
        ),
        ("https://daily.example/%FF", "daily.example/%FF"),
    ],
)
def test_an_address_is_read_in_its_own_letters(url, read):
    assert urls.readable(url) == read
