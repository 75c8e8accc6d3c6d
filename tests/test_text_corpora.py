"""Safe text against other people's attacks, markup and oddities, in both ways."""

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import html5lib
import pytest
from test_text import ALLOWED

from service.text import addresses, excerpt, normalise, plain, render, render_html, sanitise, unlink

SETS = {
    "xss/xss_dev.json": "payload",
    "xss/html_markup_dev.json": "payload",
    "xss/html5lib_tree_dev.json": "data",
    "naughty_strings.json": "string",
}
UNREAD = {"script", "style", "iframe", "object", "noscript", "template", "svg", "math", "title"}


def texts(corpora: Path, name: str) -> list[str]:
    path = corpora / name
    if not path.exists():
        pytest.skip(f"{name} is not among the corpora")
    return [item[SETS[name]] for item in json.loads(path.read_text("utf-8"))]


@cache
def rendered(corpora: Path, name: str, way: Callable[[str], str]) -> dict[str, str]:
    return {text: way(text) for text in texts(corpora, name)}


def faults(html: str) -> Iterator[str]:
    """What a browser would find in the HTML that has no place in a comment."""
    tree = html5lib.parseFragment(html, namespaceHTMLElements=False)
    for element in [element for child in tree for element in child.iter()]:
        attributes = dict(element.attrib)
        if element.tag not in ALLOWED:
            yield f"<{element.tag}>"
            continue
        if element.tag == "a" and attributes.pop("rel", None) != "nofollow ugc noopener":
            yield "a link that is vouched for"
        if element.tag == "a" and not re.match("https?://", attributes.get("href", ""), re.I):
            yield f"href={attributes.get('href')}"
        yield from (name for name in attributes if name not in ALLOWED[element.tag])
    boxed = html5lib.parse(f"<div><p>{html}</div><hr>", namespaceHTMLElements=False)
    if [element.tag for element in boxed.find("body")] != ["div", "hr"]:
        yield "it leaves its box"


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("way", [render, render_html])
def test_it_leaves_nothing_but_what_is_allowed(
    corpora: Path, name: str, way: Callable[[str], str]
) -> None:
    found = {text: list(faults(html)) for text, html in rendered(corpora, name, way).items()}
    assert {text: wrong for text, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("way", [render, render_html])
def test_it_changes_nothing_in_its_own_output(
    corpora: Path, name: str, way: Callable[[str], str]
) -> None:
    shown = rendered(corpora, name, way).values()
    assert [html for html in shown if sanitise(html) != html] == []


@pytest.mark.parametrize("name", SETS)
def test_its_other_readings_refuse_nothing(corpora: Path, name: str) -> None:
    for text, html in rendered(corpora, name, render).items():
        stored = normalise(text)
        assert normalise(stored) == stored
        assert len(excerpt(plain(text), 80)) <= 80
        assert "<a " not in unlink(html)
        assert list(faults(unlink(html))) == []
        assert all("@" in address for address in addresses(text))


def words(html: str) -> list[str]:
    """The words that a browser would show."""

    def shown(element: Any) -> Iterator[str]:
        if element.tag not in UNREAD and isinstance(element.tag, str):
            yield element.text or ""
            for child in element:
                yield from shown(child)
                yield child.tail or ""

    tree = html5lib.parse(html, namespaceHTMLElements=False)
    return re.findall(r"\w{3,}", " ".join(shown(tree.find("body"))))


def test_the_words_of_harmless_markup_survive(corpora: Path) -> None:
    """Nearly all: where HTML is too broken, both parsers may read it differently."""
    lost, count = [], 0
    for html in texts(corpora, "xss/html_markup_dev.json"):
        kept = plain(render_html(html))
        count += len(words(html))
        lost += [(word, html) for word in words(html) if word not in kept]
    assert count > 100
    assert len(lost) <= count / 50, lost


def test_no_word_of_what_a_reader_typed_is_lost(corpora: Path) -> None:
    """Tags that do nothing here are words too."""
    for html in texts(corpora, "xss/html_markup_dev.json"):
        if not re.search(rf"</?({'|'.join(ALLOWED.keys() - {'p'})})\b", html, re.I):
            typed = re.findall(r"\w{3,}", re.sub(r"&#?\w+;?", " ", html))
            kept = plain(render(html))
            assert [word for word in typed if word not in kept] == []
