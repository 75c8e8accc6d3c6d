"""URL rules: read, refused with a reason, and tried on pages."""

import time

import pytest

from service.exchange import moves

OURS = ["https://daily.example"]
OLD, NEW = "https://old.example", "https://daily.example"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("", "is no rule"),
        ("x", "is no rule"),
        ("a=b", "is no rule"),
        ("=https://daily.example", "is no rule"),
        ("http://old.example=https:///x", "no web address"),
        ("a = ftp://b", "is no rule"),
        ("http://a\x07=https://b.example", "characters"),
        ("*=https://daily.example/*", "every page"),
        ("http://a/*=https://daily.example/*/*", "more *"),
        ("http://a/*=https://daily.example/", "one page of many"),
        ("http://*.a/*=https://*.example/*", "place of a host"),
        ("http://a/*=https://daily.example*", "place of a host"),
    ],
)
def test_a_line_that_is_no_rule_is_refused_and_it_says_why(line, why):
    with pytest.raises(moves.NoRule) as refused:
        moves.parse(line)
    assert why in refused.value.why


def test_two_rules_for_the_same_pages_are_refused():
    with pytest.raises(moves.NoRule, match="elsewhere"):
        moves.addresses([f"{OLD}={NEW}", f"{OLD}=https://b.example"])


@pytest.mark.parametrize(
    ("rules", "was", "now"),
    [
        ([f"{OLD}={NEW}"], "/a?b=c", "/a?b=c"),
        ([f"{OLD}/*/amp={NEW}/*"], "/2020/x/amp", "/2020/x"),
        ([f"{OLD}/*/amp={NEW}/*"], "/2020/x/amp/", None),
        ([f"{OLD}/*/*.html={NEW}/*/*/"], "/2020/05/x.html", "/2020/05/x/"),
        ([f"{OLD}/?p=*={NEW}/posts/*"], "/?p=12", "/posts/12"),
        ([f"{OLD}/*?*={NEW}/*"], "/a?b=c", "/a"),
        ([f"{OLD}/*aa*aa={NEW}/*-*"], "/xaaaa", "/x-"),
        ([f"{OLD}/*aa*aa={NEW}/*-*"], "/xaaa", None),
        ([f"{OLD}/={NEW}/"], "", "/"),
        ([f"{OLD}/?p=*={NEW}/posts/*"], "?p=12", "/posts/12"),
        ([f"{OLD}/*.html={NEW}/*"], "/x.html?utm_source=y#c1", "/x"),
        # The most exact rule wins, in whatever order they are written.
        ([f"{OLD}={NEW}/old", f"{OLD}/b={NEW}/blog"], "/b/x", "/blog/x"),
        ([f"{OLD}/b/x={NEW}/here", f"{OLD}/b/*={NEW}/all/*"], "/b/x", "/here"),
        ([f"{OLD}/*={NEW}/star/*", f"{OLD}/={NEW}/plain/"], "/a", "/plain/a"),
        ([f"{OLD}={NEW}/old", f"{OLD}/*/amp={NEW}/*"], "/a/amp", "/a"),
        ([f"{OLD}={NEW}/old", f"{OLD}/*/amp={NEW}/*"], "/a/b", "/old/a/b"),
        ([f"{OLD}={NEW}"], ".org/a", None),
    ],
)
def test_the_most_exact_rule_moves_a_page(rules, was, now):
    for order in (rules, rules[::-1]):
        tried, _ = moves.try_rules(order, [OLD + was], OURS)
        assert tried[0].url == (NEW + now if now else OLD + was)
        assert bool(tried[0].rule) == bool(now)


@pytest.mark.parametrize("rule", [f"{OLD}={NEW}", f"HTTPS://Old.example/*={NEW}/*"])
def test_a_rule_fits_a_host_in_whatever_letters(rule):
    tried, unused = moves.try_rules(
        [rule], ["https://OLD.Example/A", "HTTPS://old.example/A"], OURS
    )
    assert [(page.url, page.rule) for page in tried] == [(f"{NEW}/A", rule)] * 2
    assert not unused


def test_it_says_where_each_page_goes_by_which_rule_and_which_rule_moved_none():
    rules = ["http://old.example=https://daily.example", "http://no.example=https://daily.example"]
    pages = ["http://old.example/a?b=c", "https://else.example/", "/path", "mailto:x"]
    tried, unused = moves.try_rules(rules, pages, OURS)
    assert [(page.url, page.is_ours, page.rule) for page in tried] == [
        ("https://daily.example/a?b=c", True, rules[0]),
        ("https://else.example/", False, ""),
        ("https://daily.example/path", True, ""),
        ("", False, ""),
    ]
    assert unused == rules[1:]


def test_no_address_makes_a_pattern_slow():
    rule = f"{OLD}/{'*a' * 50}b={NEW}/*"
    began = time.process_time()
    moves.try_rules([rule], [f"{OLD}/{'a' * 1_900}"] * 50, OURS)
    assert time.process_time() - began < 2
