"""What WordPress's importer is given."""

import io
import xml.etree.ElementTree as ET

import pytest
from cast import ARTICLE, add_moderator, add_site, reply, stored
from defusedxml.ElementTree import fromstring
from sqlalchemy import select

from service import database, moderation
from service.accounts import Moderator
from service.exchange import wordpress, wxr
from service.exchange.record import Addresses, Troubles
from service.models import Comment
from service.status import Status

# The elements and their order in WordPress 6.x, wp-admin/includes/export.php, export_wp(). What
# stands there only for some sites or posts (authors, terms, metadata, attachments) is left out.
NAMES = {
    "excerpt": "http://wordpress.org/export/1.2/excerpt/",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "wfw": "http://wellformedweb.org/CommentAPI/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "wp": "http://wordpress.org/export/1.2/",
}
CHANNEL = (
    *("title", "link", "description", "pubDate", "language"),
    *("wp:wxr_version", "wp:base_site_url", "wp:base_blog_url"),
)
ITEM = (
    *("title", "link", "pubDate", "dc:creator", "guid", "description", "content:encoded"),
    *("excerpt:encoded", "wp:post_id", "wp:post_date", "wp:post_date_gmt", "wp:post_modified"),
    *("wp:post_modified_gmt", "wp:comment_status", "wp:ping_status", "wp:post_name", "wp:status"),
    *("wp:post_parent", "wp:menu_order", "wp:post_type", "wp:post_password", "wp:is_sticky"),
)
COMMENT = [
    *("wp:comment_id", "wp:comment_author", "wp:comment_author_email", "wp:comment_author_url"),
    *("wp:comment_author_IP", "wp:comment_date", "wp:comment_date_gmt", "wp:comment_content"),
    *("wp:comment_approved", "wp:comment_type", "wp:comment_parent", "wp:comment_user_id"),
]
STATES = (Status.APPROVED, Status.DELETED, Status.SPAM, Status.REJECTED, Status.PENDING)
SECOND = "https://daily.example/Second-Page/?p=1&q=2"


@pytest.fixture
def daily(app):
    """Two articles, a comment of each status, replies to replies."""
    add_site(app)
    mo = add_moderator(app)
    client = app.test_client()
    words = "One ]]> & <b>two</b>\nthree"
    fields = {"name": "Zoë & <b>", "website": "https://zoe.example/?a=1&b=2"}

    def decide(number, to):
        with app.app_context(), database.writing() as session:
            comment = session.scalars(select(Comment).order_by(Comment.id).offset(number)).first()
            moderator = session.get_one(Moderator, mo)
            moderation.decide(session, comment, to, comment.version, moderator)

    for number, status in enumerate(STATES):
        parent = stored(app)[-1].public_id if number else ""
        sent = {"comment": f"{words}\n\n{status}", "parent": parent, "nonce": status}
        assert reply(app, client, **fields, **sent).status_code == 303
        decide(number, Status.APPROVED)
    reply(app, client, url=SECOND, title="Fish & <chips>", nonce="x")
    for number, status in enumerate(STATES):
        decide(number, status)
    return app


def taken(app, *words):
    done = app.test_cli_runner().invoke(
        args=["export", "wordpress", "-", "--site", "daily", *words]
    )
    assert done.exit_code == 0, done.output
    return done


def short(element):
    """An element's name with the usual prefix."""
    for prefix, address in NAMES.items():
        if element.tag.startswith(f"{{{address}}}"):
            return element.tag.replace(f"{{{address}}}", f"{prefix}:")
    return element.tag


def test_elements_and_their_order_are_those_of_wordpress(daily):
    content = taken(daily).stdout
    declared = dict(ns for _, ns in ET.iterparse(io.StringIO(content), ["start-ns"]))
    assert declared == NAMES
    rss = fromstring(content)
    (channel,) = rss
    items = channel.findall("item")
    assert [short(e) for e in channel] == [*CHANNEL, *["item"] * len(items)]
    assert len(items) == 2
    for item in items:
        comments = item.findall("wp:comment", NAMES)
        assert [short(e) for e in item] == [*ITEM, *["wp:comment"] * len(comments)]
        for comment in comments:
            assert [short(e) for e in comment] == COMMENT


def test_read_back_it_is_the_same(daily):
    content = taken(daily).stdout_bytes
    troubles = Troubles()
    found = {r.source_id: r for r in wordpress.read(io.BytesIO(content), Addresses(), troubles)}
    assert not list(troubles.lines())
    kept = stored(daily)
    assert len(found) == len(kept) == 6
    for comment in kept:
        back = found[str(comment.id)]
        gone = comment.status == Status.DELETED
        state = Status.REJECTED if gone else comment.status
        assert (back.author, back.state, back.kind) == (comment.name, state, comment.kind)
        assert back.website == ("" if gone else comment.website)
        assert back.created_at == comment.created_at.replace(microsecond=0)
        assert back.source_parent == (str(comment.parent_id) if comment.parent_id else None)
        assert (back.text == "") == gone
        assert back.email == ""
    assert {r.article_url for r in found.values()} == {ARTICLE, SECOND}
    assert [r.article_title for r in found.values()][-1] == "Fish & <chips>"


def test_parents_come_first_with_smaller_numbers(daily):
    seen = {0}
    for comment in fromstring(taken(daily).stdout).iter(f"{{{NAMES['wp']}}}comment"):
        assert int(comment.find("wp:comment_parent", NAMES).text) in seen
        seen.add(int(comment.find("wp:comment_id", NAMES).text))


def test_no_address_leaves_unless_it_is_asked_for(daily):
    assert "rita" not in taken(daily).stdout
    done = taken(daily, "--with-emails")
    assert done.stdout.count("rita.reader@example.org") == 6
    assert "6 comments" in done.stderr


def test_an_article_without_a_title_has_one_there(app):
    """WordPress inserts no post that has neither title nor text (wp_insert_post)."""
    add_site(app)
    reply(app, app.test_client())
    item = fromstring(taken(app).stdout).find("channel/item")
    assert item.find("title").text == ARTICLE
    assert item.find("wp:post_name", NAMES).text == "review"


def test_a_site_without_comments_is_a_file_all_the_same(app):
    add_site(app)
    done = taken(app)
    assert "0 comments" in done.stderr
    assert fromstring(done.stdout).find("channel/item") is None


@pytest.mark.parametrize(
    ("text", "section"),
    [
        ("a]]>b", "<![CDATA[a]]]]><![CDATA[>b]]>"),
        ("\x00a\x0b\ufffe\ud800b\U0001f44b\t\n", "<![CDATA[ab\U0001f44b\t\n]]>"),
    ],
)
def test_any_text_is_sound_xml(text, section):
    assert wxr.cdata(text) == section
    fromstring(f"<a>{section}</a>")


@pytest.mark.parametrize(
    ("html", "stored"),
    [
        ("<p>One<br>two</p><p>Three</p>", "One\ntwo\n\nThree"),
        ("<ul><li>a</li></ul><p>b</p>", "<ul><li>a</li></ul>b"),
        ("<p>a</p><pre><code>x\n\ny</code></pre>", "a\n\n<pre><code>x\n\ny</code></pre>"),
    ],
)
def test_paragraphs_are_blank_lines_as_in_wordpress(html, stored):
    assert wxr.paragraphs(html) == stored
