"""Safe text, as tables: what is typed or imported, and what readers see."""

import gc
import json
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import html5lib
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service import text as module
from service.text import (
    addresses,
    count_links,
    excerpt,
    links,
    mask_addresses,
    normalise,
    plain,
    render,
    render_html,
    sanitise,
    unlink,
)

REL = 'rel="nofollow ugc noopener"'


def link(address: str, label: str = "") -> str:
    return f'<a href="{address}" {REL}>{label or address}</a>'


# Written out once more, so that a longer list in text.py is noticed.
ALLOWED = {
    "a": {"href", "rel"}, "abbr": {"title"}, "acronym": {"title"}, "ol": {"start"}, "b": set(),
    "blockquote": set(), "br": set(), "cite": set(), "code": set(), "del": set(), "em": set(), "i": set(),
    "li": set(), "p": set(), "pre": set(), "q": set(), "s": set(), "strike": set(), "strong": set(),
    "ul": set(),
}  # fmt: skip

TYPED = [
    # Plain text and breaks
    ("", ""),
    ("Hello", "<p>Hello</p>"),
    ("a\nb", "<p>a<br>b</p>"),
    ("a\r\nb\rc", "<p>a<br>b<br>c</p>"),
    ("a\n\nb\n\n\n\nc", "<p>a</p><p>b</p><p>c</p>"),
    ("a<br>b<br />\nc", "<p>a<br>b<br>c</p>"),
    ("a & b < c > d \"e\" 'f'", "<p>a &amp; b &lt; c &gt; d \"e\" 'f'</p>"),
    ("AT&T &amp; &amp;lt; &copy;", "<p>AT&amp;T &amp; &amp;lt; ©</p>"),
    ("I <3 you :-< x<y", "<p>I &lt;3 you :-&lt; x&lt;y</p>"),
    # Markdown's everyday part
    ("*a* **b** _c_ ~~d~~", "<p><em>a</em> <strong>b</strong> <em>c</em> <s>d</s></p>"),
    ("`<b>&lt;`", "<p><code>&lt;b&gt;&amp;lt;</code></p>"),
    ("> a\n> b\n\nc", "<blockquote><p>a<br>b</p></blockquote><p>c</p>"),
    ("- a\n- b\n  - c", "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>"),
    ("1. a\n2. b", "<ol><li>a</li><li>b</li></ol>"),
    ("1984. A year", '<ol start="1984"><li>A year</li></ol>'),
    ("- a\n\n  b\n- c", "<ul><li>a<p>b</p></li><li>c</li></ul>"),
    ("```py\na\n\n  <b>\n```", "<pre><code>a\n\n  &lt;b&gt;\n</code></pre>"),
    ("[a](http://b.example)", f"<p>{link('http://b.example', 'a')}</p>"),
    ('[a](http://b.example "t")', f"<p>{link('http://b.example', 'a')}</p>"),
    ("<https://b.example/c>", f"<p>{link('https://b.example/c')}</p>"),
    # What means nothing in a comment stays as typed
    ("# a", "<p># a</p>"),
    ("a\n---\n***", "<p>a<br>---<br>***</p>"),
    ("    a", "<p>a</p>"),
    ("[1]: http://b.example", f"<p>[1]: {link('http://b.example')}</p>"),
    ("![a](http://b.example/c.png)", f"<p>!{link('http://b.example/c.png', 'a')}</p>"),
    ("|a|b|\n|-|-|", "<p>|a|b|<br>|-|-|</p>"),
    # Tags
    ("<B>a</B> <del datetime='x'>b</del>", "<p><b>a</b> <del>b</del></p>"),
    ('<abbr title="a &quot;b&quot;">c</abbr>', '<p><abbr title="a &quot;b&quot;">c</abbr></p>'),
    ("<blockquote>a\n\nb</blockquote>c", "<blockquote><p>a</p><p>b</p></blockquote><p>c</p>"),
    ("a<blockquote>b</blockquote>", "<p>a</p><blockquote><p>b</p></blockquote>"),
    ("<b>a", "<p><b>a</b></p>"),
    ("a</b></p></div>", "<p>a&lt;/p&gt;&lt;/div&gt;</p>"),
    ("<b>a <i>b</b> c</i>", "<p><b>a <i>b</i></b><i> c</i></p>"),
    ("<i>a\n\nb</i> c", "<p><i>a</i></p><p><i>b</i> c</p>"),
    ("<i>a\n\nb", "<p><i>a</i></p><p>b</p>"),
    ("<b></b>", ""),
    ("<u>a</u><p>b", "<p>&lt;u&gt;a&lt;/u&gt;&lt;p&gt;b</p>"),
    ("List<i, j> or <i and j>", "<p>List&lt;i, j&gt; or &lt;i and j&gt;</p>"),
    ("<b id=x class=y style=z onclick=f>a</b>", "<p><b>a</b></p>"),
]

LINKS = [
    ("http://a.example", "http://a.example"),
    ("HTTPS://a.example", "HTTPS://a.example"),
    ("www.a.example", "http://www.a.example"),
    ("(see http://a.example/b_(c)).", "http://a.example/b_(c)"),
    ("http://a.example/b?c=1&d=2&copy=3, e", "http://a.example/b?c=1&amp;d=2&amp;copy=3"),
    ("http://a.example/b&amp;amp;lt;", "http://a.example/b&amp;amp;lt"),
    ("“http://a.example/b”", "http://a.example/b"),
    ("看http://a.example/b。好", "http://a.example/b"),
    ("http://a.example/b!?...", "http://a.example/b"),
    ("[url=http://a.example]b[/url]", "http://a.example"),
    ('<a href="http://a.example/?b=1&copy=2">c</a>', "http://a.example/?b=1&amp;copy=2"),
    ("<a href='http://a.example/b c'>d</a>", "http://a.example/b%20c"),
    ('<a href=" http://a.example\n">b</a>', "http://a.example"),
    ('<a href="http://a.example" href="javascript:b">c</a>', "http://a.example"),
    ("[a](<http://b.example/\"onclick=\"c>)", "http://b.example/%22onclick=%22c"),
    ("<http://a.example/'onclick='b>", "http://a.example/'onclick='b"),
]  # fmt: skip

NO_LINKS = [
    "setup.py a.example example.com/b wwwa.example",
    "mail me at a@b.example or <a@b.example> or mailto:a@b.example",
    "[a](mailto:a@b.example) <mailto:a@b.example>",
    "xhttp://a.example",
    "http:// http://. www. http://!",
    "`http://a.example`",
    "```\nhttp://a.example\n```",
    "http://bank.example@evil.example",
    "http://user:secret@a.example/",
    "http://a.example:port/ http://a.example:99999/",
    "https://exam\u2100ple.example",  # the sign becomes "a/c" in a host's normal form
    "http://[::1 http://%00.example",
    "[a](https://bank.example\\@evil.example)",
    "<a>b</a>",
    "<a name=b>c</a>",
    "ftp://a.example <ftp://a.example>",
    "http://" + "a" * 2000,
    *(
        f"[a]({address}) <a href='{address}'>b</a> <{address}>"
        for address in (
            "/b", "#b", "b.html", "?b", "//evil.example", "\\\\evil.example", "http:evil.example",
            "http:/evil.example", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "javascript:1",
            "java\tscript:alert(1)", "javascript&colon;alert(1)", "java&Tab;script:alert(1)",
            "java&NewLine;script:alert(1)", "&#106;avascript:alert(1)", "&#x6A;avascript:alert(1)",
            "\x01javascript:alert(1)", "&#1;javascript:alert(1)", "\u2028javascript:alert(1)",
            "\u00a0javascript:alert(1)", "javascript\u200b:alert(1)",
            "data:text/html,a", "vbscript:1", "file:///etc/passwd", "blob:null/b",
            "feed:javascript:a", "view-source:a", "tel:1", "about:blank",
        )
    ),
]  # fmt: skip

IMPORTED = [
    ("a\nb\n\nc", "<p>a<br>b</p><p>c</p>"),
    ("<p>a</p>\n\n<p>b<br />\nc</p>", "<p>a</p><p>b<br>c</p>"),
    ("a<br><br>b", "<p>a</p><p>b</p>"),
    ("*a* `b` # > c", "<p>*a* `b` # &gt; c</p>"),
    ("<div>a</div><span style='b'>c</span>", "<p>a</p><p>c</p>"),
    ("<h1>a</h1>b<hr>c", "<p>a</p><p>b</p><p>c</p>"),
    ("<table><tr><td>a</td><td>b</td></tr></table>", "<p>a</p><p>b</p>"),
    ("<ul>\n<li>a</li>\n<li>b\n<ol><li>c</ol>\n</ul>", "<ul><li>a</li><li>b<ol><li>c</li></ol></li></ul>"),
    ("<ul>a<li>b</ul>c", "<ul><li>a</li><li>b</li></ul><p>c</p>"),
    ("<li>a", "<p>a</p>"),
    ("<blockquote>a\n\nb</blockquote>\nc", "<blockquote><p>a</p><p>b</p></blockquote><p>c</p>"),
    ("<pre>\n\n\n\na\n\n  b<br>c</pre>", "<pre>a\n\n  b\nc</pre>"),
    ("<code>a\nb</code>", "<p><code>a<br>b</code></p>"),
    ("a\n\n<b><i>b</i></b>", "<p>a</p><p><b><i>b</i></b></p>"),
    ("a &amp; b &lt;i&gt; &#8217; &hellip;", "<p>a &amp; b &lt;i&gt; ’ …</p>"),
    ("a < b <3 c", "<p>a &lt; b &lt;3 c</p>"),
    ("a<!-- b --> c<![CDATA[d]]><?e?><!DOCTYPE f>", "<p>a c</p>"),
    ("<script>a</script><style>b</style><iframe>c</iframe><svg><b>d</b></svg>e", "<p>e</p>"),
    ("a<script>b", "<p>a</p>"),
    ("<svg/>a<math />b", "<p>ab</p>"),
    ("<a href='http://b.example'>c<a href='http://d.example'>e</a>",
     f"<p>{link('http://b.example', 'c')}{link('http://d.example', 'e')}</p>"),
    ("<a href='mailto:b@c.example'>d</a> <a href='/e'>f</a>", "<p>d f</p>"),
    ("http://b.example", f"<p>{link('http://b.example')}</p>"),
    ("<font color=red>a</font><img src=b alt=c>", "<p>a</p>"),
    ("&#99999999999999999999; &#x; &b; &notin;", "<p>&amp;#99999999999999999999; &amp;#x; &amp;b; ∉</p>"),
]  # fmt: skip

HTML = [
    *ALLOWED, "img", "div", "span", "h1", "table", "tr", "td", "form", "input", "button", "select", "video",
    "audio", "source", "u", "ins", "font", "center", "details", "summary", "dialog", "svg", "math", "style",
    "script", "iframe", "object", "embed", "link", "meta", "base", "title", "template", "slot", "hr", "bdo",
]  # fmt: skip

# Shapes that have broken sanitisers: each must come out as text or as harmless tags.
HOSTILE = [
    "<script>alert(1)</script>",
    "[a](javascript:http://y.example) <a href='blob:http://y.example'>b</a>",
    "<scr<b>ipt>alert(1)</scr</b>ipt>",
    "<<b>script>alert(1)<</b>/script>",
    "<scr\x00ipt>alert(1)</scr\x00ipt>",
    "<img src=x onerror=alert(1)>",
    "![x](http://y.example 'onerror=alert(1)')",
    '![a"onerror="alert(1)](http://y.example)',
    '[a](http://y.example"onclick="alert(1))',
    "[a](http://y.example 'x\" onmouseover=\"alert(1)')",
    "[<img src=x onerror=alert(1)>](http://y.example)",
    '[<a href="http://y.example">](http://z.example)</a>',
    "[`</a><script>alert(1)</script>`](http://y.example)",
    '<http://"onclick=alert(1)>',
    'https://y.example/"onclick="alert(1) https://y.example/&quot;onclick=&quot;alert(1)',
    '```"><img src=x onerror=alert(1)>\nx\n```',
    "```\n</code></pre><img src=x onerror=alert(1)>\n```",
    "``</code><script>alert(1)</script>``",
    '**<a href="http://y.example/**" onclick=**alert(1)**>x</a>',
    '<a href="http://y.example/`" onclick=alert(1)`">x</a>',
    '<a href="http://y.example/"onclick="alert(1)">x</a>',
    "<a href='http://y.example/&quot; onclick=&quot;alert(1)'>x</a>",
    '<a\x0chref="http://y.example"\x0conclick=alert(1)>x</a>',
    '<a href="http://y.example" target=_blank style="position:fixed" id=a name=b class=c>x</a>',
    "<abbr title='\"><img src=x onerror=alert(1)>'>x</abbr>",
    '<abbr title="</abbr><script>alert(1)</script>">x</abbr>',
    '<abbr title="&quot;><script>alert(1)</script>">x</abbr>',
    '<q cite="javascript:alert(1)">x</q><blockquote cite="javascript:alert(1)">y</blockquote>',
    "<b onmouseover=alert(1)//<b>x</b>",
    "</p></div></section><script>alert(1)</script>",
    "</li></ul></blockquote></blockquote></div></body></html>x",
    "> </blockquote></blockquote><b>x\n- <blockquote>\n</blockquote></li></ul>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<!-- --!><img src=x onerror=alert(1)>",
    "<![CDATA[<b>]]><script>alert(1)</script>",
    "<svg></p><style><a id=\"</style><img src=1 onerror=alert(1)>\">",
    "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "<template><script>alert(1)</script></template><plaintext><b>x",
    '<xmp><p title="</xmp><img src=x onerror=alert(1)>">',
    "<select><option><style></option></select><img src=x onerror=alert(1)></style>",
    '<iframe srcdoc="<script>alert(1)</script>"></iframe><base href="javascript:/">',
    '<meta http-equiv=refresh content="0;url=http://y.example"><link rel=stylesheet href=//y.example>',
    "\uff1cscript\uff1ealert(1)\uff1c/script\uff1e &ltscript&gtalert(1)&lt/script&gt",
    "&lt;script&gt;alert(1)&lt;/script&gt; &amp;lt;script&amp;gt; &#60;script&#62;",
    '<ol start="javascript:alert(1)"><li value=3>x</ol><ol start="1" onclick="alert(1)"><li>y',
    "<a href=http://y.example/'><img src=x onerror=alert(1)>'>x</a>",
    "<table><b><tr><td></b><a href='http://y.example'><p></a>x</table>",
    "<b><p><a href='http://y.example'><div><i></b></a></div>x</i>",
    "<body onload=alert(1)><frameset onload=alert(1)><input autofocus onfocus=alert(1)>",
]  # fmt: skip


@pytest.mark.parametrize(("typed", "shown"), TYPED)
def test_it_shows_typed_text(typed: str, shown: str) -> None:
    assert render(typed) == shown


@pytest.mark.parametrize(("html", "shown"), IMPORTED)
def test_it_shows_imported_html(html: str, shown: str) -> None:
    assert render_html(html) == shown


@pytest.mark.parametrize(("typed", "address"), LINKS)
def test_it_links_what_was_written_out_as_a_link(typed: str, address: str) -> None:
    assert re.findall(rf'<a href="([^"]*)" {REL}>', render(typed)) == [address]


@pytest.mark.parametrize("typed", NO_LINKS)
@pytest.mark.parametrize("way", [render, render_html])
def test_it_links_nothing_else(way: Callable[[str], str], typed: str) -> None:
    if way is render or not re.search(r"[`\\]", typed):  # these mean nothing in HTML
        assert "<a" not in way(typed)


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("way", [render, render_html])
def test_it_makes_hostile_text_harmless(way: Callable[[str], str], hostile: str) -> None:
    shown = way(hostile)
    tree = html5lib.parseFragment(shown, namespaceHTMLElements=False)
    for element in tree.iter():
        if element is not tree:
            assert element.tag in ALLOWED
            assert element.attrib.keys() <= ALLOWED[element.tag]
    assert sanitise(shown) == shown


def test_it_keeps_to_a_short_list() -> None:
    anything = "".join(
        f"<{tag} href=http://a.example title=b start=3 id=c>d</{tag}>" for tag in HTML
    )
    for shown in (render(anything), render_html(anything), sanitise(anything)):
        tags = re.findall(r"<([a-z0-9]+)", shown)
        assert set(tags) - ALLOWED.keys() == set()
        assert set(re.findall(r" ([a-z]+)=", re.sub(r"&lt;.*?&gt;", "", shown))) <= {
            "href",
            "rel",
            "title",
            "start",
        }


def test_it_closes_every_tag_in_its_own_box() -> None:
    shown = [render(hostile) for hostile in HOSTILE]
    boxes = "".join(f"<section><div>{html}</div></section>" for html in shown)
    tree = html5lib.parseFragment(boxes, namespaceHTMLElements=False)
    assert [element.tag for element in tree] == ["section"] * len(HOSTILE)
    assert [[child.tag for child in box] for box in tree] == [["div"]] * len(HOSTILE)


def test_it_keeps_the_words_of_a_tag_that_is_not_allowed() -> None:
    assert plain(render("<script>alert(1)</script>")) == "<script>alert(1)</script>"


@pytest.mark.parametrize("deep", ["> " * 50, ">" * 500, "- " * 50, "<blockquote>" * 50, "<b>" * 50])
def test_it_shows_the_words_under_any_nesting_but_not_the_nesting(deep: str) -> None:
    shown = render(deep + "word")
    assert "word" in plain(shown)
    assert 1 <= shown.count("<") / 2 <= module.DEEPEST + 2


def test_it_shows_the_words_of_a_staircase_of_lists() -> None:
    stairs = "\n".join("  " * depth + f"- word{depth}" for depth in range(40))
    assert re.findall(r"word\d+", plain(render(stairs))) == [f"word{n}" for n in range(40)]


@pytest.mark.parametrize("hostile", ["http://a.example/'x", "javascript:1", "/x", "//x"])
def test_it_has_the_last_word_on_html_of_any_kind(hostile: str) -> None:
    shown = sanitise(f'<p id=a style=b>c <a href="{hostile}" target=d>e</a><svg><i>f</i></svg>')
    assert shown.startswith("<p>c ")
    assert not re.search(r"id=|style=|target=|svg|javascript|=\"/", shown)


@pytest.mark.parametrize("typed", ["a\nb", "*a* http://b.example/?c=1&d=2", "<b>a</b> `b` &amp;"])
def test_it_renders_the_same_in_many_threads(typed: str) -> None:
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(render, [typed] * 40)) == {render(typed)}


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("[a *b*](http://c.example/?d&e)", "<p>a <em>b</em> (http://c.example/?d&amp;e)</p>"),
        ("www.a.example", "<p>www.a.example</p>"),
        (
            "[a.example](http://b.example/a.example)",
            "<p>a.example (http://b.example/a.example)</p>",
        ),
        ("http://c.example/?d&e.", "<p>http://c.example/?d&amp;e.</p>"),
        ("[http://a.example](http://b.example)", "<p>http://a.example (http://b.example)</p>"),
        ("<abbr title='<a href=\"x\">'>a</abbr>", None),
    ],
)
def test_it_writes_links_out(typed: str, shown: str | None) -> None:
    html = render(typed)
    assert unlink(html) == (html if shown is None else shown)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("a\r\nb\rc\u2028d\x85e", "a\nb\nc\nd\ne"),
        ("\n\n  a \t\n \nb \n", "  a\n\nb"),
        ("a\x00b\x08c\td\x1b[0m\x7f\x9f", "abc\td[0m"),
        ("e\u0301", "\u00e9"),
        ("a\ud800b", "a?b"),
        ("\u202ea\u2066b\u200dc", "\u202ea\u2066b\u200dc"),
        ("a" + "\u0316\u0300" * 50, "\u00e0\u0316" + "\u0316" * 14 + "\u0300" * 14),
    ],
)
def test_it_stores_a_normal_form(typed: str, stored: str) -> None:
    assert normalise(typed) == stored == normalise(stored)


@pytest.mark.parametrize(
    ("text", "length", "short"),
    [
        ("one two", 7, "one two"),
        ("one two three", 9, "one two…"),
        ("one two three", 8, "one two…"),
        ("one two, three", 9, "one two…"),
        ("one\n\ntwo", 20, "one two"),
        ("abcdefgh", 5, "abcd…"),
        ("", 5, ""),
    ],
)
def test_it_cuts_an_excerpt_at_a_word(text: str, length: int, short: str) -> None:
    assert excerpt(text, length) == short
    assert len(short) <= length


def test_it_reads_html_as_plain_text() -> None:
    html = render("a & **b**\nc\n\n> d http://e.example\n\n- f\n- <g>\n\n`h`")
    assert plain(html) == "a & b\nc\nd http://e.example\nf\n<g>\nh"


def test_it_tells_where_links_lead() -> None:
    html = render("http://a.example/?b&c [d](https://e.example) `http://f.example` g@h.example")
    assert links(html) == ["http://a.example/?b&c", "https://e.example"]


def test_it_counts_links() -> None:
    assert count_links(render("http://a.example [b](http://c.example) d@e.example f.py")) == 2
    assert count_links(render("<abbr title='<a href=\"x\">y</a>'>z</abbr>")) == 0


ADDRESSES = [
    ("write to bob@example.com.", ["bob@example.com"], "write to b…@…."),
    ("a.b+c@d-e.co.uk, f@g.museum", ["a.b+c@d-e.co.uk", "f@g.museum"], "a…@…, f…@…"),
    ("<bob@example.com>", ["bob@example.com"], "<b…@…>"),
    ('"b b"@example.com', ['"b b"@example.com'], "b…@…"),
    ("bob@[192.0.2.1]", ["bob@[192.0.2.1]"], "b…@…"),
    ("почта@пример.рф", ["почта@пример.рф"], "п…@…"),
    ("bob＠example。com", ["bob@example.com"], "b…@…"),
    ("bob\u200b@exam\u00adple.com", ["bob@example.com"], "b…@…"),
    ("bob&#64;example.com bob&commat;example.com", ["bob@example.com"], "b…@… b…@…"),
    ("mailto:bob%40example.com", ["bob@example.com"], "mailto:b…@…"),
    ('<a href="mailto:bob@example.com">x</a>', ["bob@example.com"], '<a href="mailto:b…@…">x</a>'),
    ("<b>bob</b>@example.com", ["bob@example.com"], None),
    ("@bob @bob.example (@bob.example) /@bob.example", [], None),
    ("bob @ home 3@4.50 a@b x@", [], None),
    ("Ｂob & ann", [], None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "found", "masked"), ADDRESSES)
def test_it_finds_and_masks_addresses(text: str, found: list[str], masked: str | None) -> None:
    assert addresses(text) == found
    assert mask_addresses(text) == (text if masked is None else masked)


PIECES = [
    "<b>", "</b>", "<i>", "</i>", "<a href='http://x.example'>", "</a>", "<blockquote>", "</blockquote>",
    "<ul>", "<li>", "</ol>", "<pre>", "</pre>", "<code>", "</code>", "<br>", "<p>", "</p>", "<div>",
    "<script>", "</script>", "<!--", "-->", "&lt;", "&", "<", ">", "'", '"', "`", "*", "**", "_", "~~",
    "[", "](http://y.example)", "> ", "- ", "1. ", "```", "\\", " ", "  ", "word ", "http://z.example/",
    "\n", "\n\n", "<abbr title='", "<svg>", "<table>", "<td>", "</table>", "&#10;", "&amp;", "\t", "\x00",
    "\u202e", "\xa0",
]  # fmt: skip
ODD = st.lists(st.sampled_from(PIECES) | st.characters()).map("".join)


@given(ODD)
@example("<abbr title='<abbr title='-->-->")
@settings(max_examples=60, deadline=None)
def test_it_has_nothing_to_add_to_its_own_output(odd: str) -> None:
    for way in (render, render_html):
        shown = way(odd)
        assert sanitise(shown) == shown
        again = html5lib.serialize(
            html5lib.parseFragment(shown), omit_optional_tags=False, escape_lt_in_attrs=True
        )
        assert re.findall(r"<[^\s>]*", again) == re.findall(r"<[^\s>]*", shown)
    assert normalise(normalise(odd)) == normalise(odd)


GROWING = [
    ">", "> a\n\n", "<b>", "</b>", "[", "[a](", "*", "*a_", "***a*** ", "- a\n", "1. a\n\n", "- *a*\n",
    "<p>", "<b>x\n\n", "<b></i>", "<a href='", "<!--", "<svg>", "<ul><li>", "`", "http://a.example ",
    "&amp;", "\u0300\u0316", "a@",
]  # fmt: skip


def seconds(way: Callable[[str], object], text: str) -> float:
    gc.disable()  # which takes the longer the more tests ran before
    try:
        began = time.process_time()
        way(text)
        return time.process_time() - began
    finally:
        gc.enable()


@pytest.mark.parametrize("unit", [*GROWING, "stairs"])
@pytest.mark.parametrize("way", [render, render_html])
def test_its_time_grows_with_the_length(way: Callable[[str], object], unit: str) -> None:
    """Five times the text may take twelve times as long; quadratic would be twenty-five."""
    long = unit * (10_000 // len(unit))
    if unit == "stairs":
        long = "".join(" " * depth + "- a\n" for depth in range(140))
    short = long[: len(long) // 5]
    few = max(min(seconds(way, short) for _ in range(3)), 0.004)
    assert seconds(way, long) < 12 * few or seconds(way, long) < 12 * few


def test_bleach_takes_time_by_the_length() -> None:
    """Six times as many siblings; as bleach comes, they would take fourteen times as long."""
    few, many = ("<p>" + "<b><i>a</i></b> " * count + "</p>" for count in (1_000, 6_000))
    short = min(seconds(sanitise, few) for _ in range(3))
    assert seconds(sanitise, many) < 10 * short or seconds(sanitise, many) < 10 * short


# What rules matched, highlighted

HIGHLIGHTED = [
    ("<p>A casino here.</p>", ["casino"], "<p>A <mark>casino</mark> here.</p>"),
    ("<p>CASINO Casino</p>", ["casino"], "<p><mark>CASINO</mark> <mark>Casino</mark></p>"),
    ("<p>nothing</p>", ["casino", "", "  "], "<p>nothing</p>"),
    # over tags, and never across what an attribute says
    (
        '<p>big <b>bo<i>nus</i></b> <a href="https://bonus.example">b</a></p>',
        ["bonus"],
        '<p>big <b><mark>bo</mark><i><mark>nus</mark></i></b> <a href="https://bonus.example">b</a></p>',
    ),
    ('<p><a href="https://a.example/?p>q" rel="x">q</a></p>', ["q"],
     '<p><a href="https://a.example/?p>q" rel="x"><mark>q</mark></a></p>'),
    # over lines, but not made of the ends of two paragraphs
    ("<p>free<br>money</p>", ["free money"], "<p><mark>free</mark><br><mark>money</mark></p>"),
    ("<p>free</p><p>money</p>", ["freemoney"], "<p>free</p><p>money</p>"),
    # overlapping, touching, one within the other
    ("<p>abcdef</p>", ["bcd", "cde", "c"], "<p>a<mark>bcde</mark>f</p>"),
    ("<p>abab</p>", ["ab"], "<p><mark>abab</mark></p>"),
    # entities are letters
    ("<p>R&amp;D &lt;b&gt;</p>", ["r&d", "<b>"], "<p><mark>R&amp;D</mark> <mark>&lt;b&gt;</mark></p>"),
    ("<p>R&amp;D</p>", ["amp", "&amp"], "<p>R&amp;D</p>"),
    ("<p>a&lt;</p>", ["<"], "<p>a<mark>&lt;</mark></p>"),
    ("<p>a.b a+b</p>", ["a+b"], "<p>a.b <mark>a+b</mark></p>"),
    ("<p>x</p>", ["<script>alert(1)</script>", "</p>", "<p>"], "<p>x</p>"),
]  # fmt: skip


@pytest.mark.parametrize(("html", "words", "shown"), HIGHLIGHTED)
def test_what_was_matched_is_marked_and_no_tag_is_broken(
    html: str, words: list[str], shown: str
) -> None:
    assert module.highlight(html, words) == shown


def test_marks_change_nothing_else_whatever_the_text(corpora: Path) -> None:
    """Taken away, by us or by a sanitiser that reads the page as browsers do, they leave what was."""
    rows = json.loads((corpora / "naughty_strings.json").read_text())
    naughty = [row["string"] for row in rows][::3]
    wanted = ["a", "e", "<", ">", "&", '"', "=", "mark", "amp", "lt", "script"]
    for typed in [*naughty, "<img src=x onerror=alert(1)>", "[a](javascript:b) `c` **d**"]:
        html = render(typed)
        for words in (wanted, [typed]):
            shown = module.highlight(html, words)
            assert re.sub("</?mark>", "", shown) == html
            assert sanitise(shown) == sanitise(html)


def test_no_more_places_are_marked_than_somebody_looks_at() -> None:
    assert (
        module.highlight("<p>" + "a " * 1_000 + "</p>", ["a"]).count("<mark>") == module.MOST_MARKED
    )


WORDS = st.lists(
    st.sampled_from(
        ["a", "<", ">", "&", "&amp;", "&lt;", "&copy;", '"', "'", "\n", "\n\n", " ", "\t", "é", "\xa0"]
        + ["\u200b", "\ufeff", "\U0001f600", "www", ".", "http", ":", "//", "p>", "br>", "<p>", "<br>", "`"]
    ),
    max_size=12,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(typed=WORDS | st.text(max_size=40))
@example(typed="a &amp; b < c\n\nd\ne")
@example(typed="&amp;lt;p&amp;gt;")
def test_what_is_plain_comes_out_as_both_sanitisers_give_it(typed):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "_is_plain", lambda html: False)
        slow = render(typed), render_html(typed)
    assert (render(typed), render_html(typed)) == slow


@pytest.mark.parametrize(
    ("html", "is_plain"),
    [
        ("<p>a<br>b &amp; &lt;c&gt;</p><p>d</p>", True),
        ("<p>a</p>b", False),
        ("<p>a<p>b</p>", False),
        ("<p>a < b</p>", False),
        ("<p title=x>a</p>", False),
        ("<p>a&#60;b</p>", False),
        ("<p>www.a.example</p>", False),
        ("<p>a\xa0b</p>", False),
        ("", False),
    ],
)
def test_only_our_own_paragraphs_are_plain(html, is_plain):
    assert module._is_plain(html) is is_plain
