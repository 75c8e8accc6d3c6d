"""URL rules: read, and tried."""

import pytest

from service.exchange import moves

OURS = ["https://daily.example"]


@pytest.mark.parametrize(
    "line", ["", "x", "a=b", "=https://daily.example", "http://old.example=https://", "a = ftp://b"]
)
def test_a_line_that_is_no_rule_is_refused(line):
    with pytest.raises(moves.NoRule):
        moves.parse(line)


def test_it_says_where_each_page_goes_and_which_rule_moved_none():
    rules = ["http://old.example=https://daily.example", "http://no.example=https://daily.example"]
    pages = ["http://old.example/a?b=c", "https://else.example/", "/path", "mailto:x"]
    tried, unused = moves.try_rules(rules, pages, OURS)
    assert [(page.url, page.is_ours) for page in tried] == [
        ("https://daily.example/a?b=c", True),
        ("https://else.example/", False),
        ("https://daily.example/path", True),
        ("", False),
    ]
    assert unused == rules[1:]
