"""What an edit of imported HTML begins with: the same words, and HTML that looks the same."""

import pytest

from service import text
from service.typist import as_typed

SAME = [
    "<p>Plain words.</p>",
    "<p>One line<br>and another.</p><p>A second paragraph.</p>",
    "<p>5 * 3 is <em>fifteen</em>, and <strong>that</strong> is that.</p>",
    "<p>snake_case and _this_ and *that* and `code` stay as they are.</p>",
    "<p>1 &lt; 2 &amp;&amp; 3 &gt; 2, &lt;b&gt;no tag&lt;/b&gt;, &amp;amp; no entity</p>",
    "<p>A \\ and \\* stay.</p>",
    "<blockquote><p>Quoted<br>twice.</p><p>And more.</p></blockquote><p>An answer.</p>",
    "<ul><li>one</li><li>two</li></ul>",
    '<ol start="3"><li>three</li><li>four</li></ol>',
    "<p>- no list</p><p>1. none either</p><p>&gt; no quote</p>",
    "<pre><code>a  &lt;b&gt;\n  ```\n*c*\n</code></pre>",
    '<p><a href="https://a.example/x" rel="nofollow ugc noopener">a shop</a></p>',
    '<p><a href="https://a.example/x" rel="nofollow ugc noopener">https://a.example/x</a></p>',
    "<p>[a](https://no.example) ~~kept~~</p>",
]


@pytest.mark.parametrize("html", SAME)
def test_what_it_gives_renders_to_what_it_was_given(html):
    imported = text.render_html(html)
    assert text.plain(text.render(as_typed(imported))) == text.plain(imported)
    assert text.render(as_typed(imported)).replace("\n", "") == imported.replace("\n", "")


def test_it_is_a_text_that_somebody_could_have_typed():
    html = "<p>I <em>liked</em> it &amp; more.</p><blockquote><p>So did I.</p></blockquote>"
    assert as_typed(text.render_html(html)) == "I *liked* it & more.\n\n> So did I."
