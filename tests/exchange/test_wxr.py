"""What WordPress's importer is given."""

import io
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from xml.sax.saxutils import escape

import pytest
from cast import ARTICLE, add_moderator, add_site, reply, stored
from defusedxml.ElementTree import fromstring
from sqlalchemy import select, update
from wordpress_importer import PARSERS, brought, by_regex, by_simplexml, by_xml

from service import database, moderation
from service.accounts import Moderator
from service.exchange import windows, wordpress, wxr
from service.exchange.record import Addresses, Troubles
from service.models import Article, Comment
from service.status import Status

# The elements and their order in WordPress 6.x, wp-admin/includes/export.php, export_wp(). What
# stands there only for some sites or posts (terms, metadata, attachments) is left out.
NAMES = {
    "excerpt": "http://wordpress.org/export/1.2/excerpt/",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "wfw": "http://wellformedweb.org/CommentAPI/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "wp": "http://wordpress.org/export/1.2/",
}
CHANNEL = (
    *("title", "link", "description", "pubDate", "language"),
    *("wp:wxr_version", "wp:base_site_url", "wp:base_blog_url", "wp:author"),
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


def arrived(app, parser):
    """What WordPress has after importing our export, as one of the plug-in's parsers reads it."""
    return brought(parser(taken(app, "--with-emails").stdout_bytes))


def wanted(app):
    """The comments as WordPress should have them, in the order in which it stores them."""
    with app.app_context():
        titles = dict(database.session().execute(select(Article.id, Article.title)).all())
    numbers = {}
    for comment in sorted(stored(app), key=lambda c: (c.article_id, c.id)):
        is_gone = comment.status == Status.DELETED
        numbers[comment.id] = len(numbers) + 1
        moment = f"{comment.created_at:%Y-%m-%d %H:%M:%S}"
        yield {
            "id": str(comment.id),
            "author": escape(comment.name),
            "author_email": "rita.reader@example.org",
            "author_url": "" if is_gone else comment.website,
            "author_IP": "",
            "date": moment,
            "date_gmt": moment,
            "content": "" if is_gone else wxr.paragraphs(comment.html),
            "approved": wxr.APPROVED[comment.status],
            "type": comment.kind,
            "parent": numbers.get(comment.parent_id, 0),
            "user_id": "0",
            "post": escape(titles[comment.article_id] or ARTICLE),
        }


@pytest.mark.parametrize("parser", PARSERS)
def test_each_parser_of_the_importer_brings_every_comment(daily, parser):
    words = "👋🏽 ]]> <![CDATA[ אני מסכים </wp:comment> “two”\n\n<item>"
    assert reply(daily, daily.test_client(), comment=words, nonce="e").status_code == 303
    rows = list(wanted(daily))
    assert {row["approved"] for row in rows} == {"0", "1", "spam", "trash"}
    if parser is by_xml:  # it loses every zero, those of WordPress's own exports too
        rows = [{k: "" if v == "0" else v for k, v in row.items()} for row in rows]
    if parser is by_regex:  # it leaves out empty lines
        rows = [row | {"content": row["content"].replace("\n\n", "\n")} for row in rows]
    assert arrived(daily, parser) == rows


@pytest.mark.parametrize("parser", PARSERS)
def test_the_posts_have_an_author_of_whom_the_importer_can_ask_once(daily, parser):
    parsed = parser(taken(daily).stdout_bytes)
    (author,) = parsed["authors"]
    assert (author["login"], author["display_name"], author["email"]) == ("daily", "The Daily", "")
    assert {post["author"] for post in parsed["posts"]} == {"daily"}


def change(app, model, number, **values):
    with app.app_context(), database.writing() as session:
        session.execute(update(model).where(model.id == number).values(**values))


@pytest.mark.parametrize(
    ("values", "there"),
    [
        ({"name": "&" * 200}, {"author": "&amp;" * 49}),
        ({"name": "👋" * 200}, {"author": "👋" * 61}),
        ({"name": "x" * 200}, {"author": "x" * 200}),
        ({"website": f"https://long.example/{'x' * 200}"}, {"author_url": ""}),
        ({"html": f"<p>{'é' * 40_000}</p>"}, {"content": f"{'é' * 32_761}…"}),
        ({"html": f"<p><b>{'&amp;' * 20_000}</b></p>"}, {"content": f"{'&amp;' * 13_104}…"}),
    ],
)
def test_nothing_is_longer_than_wordpress_stores(app, values, there):
    """wpdb::process_fields() refuses the row: the comment would be lost, and its replies' places."""
    add_site(app)
    reply(app, app.test_client())
    change(app, Comment, 1, **values)
    (row,) = arrived(app, by_simplexml)
    assert row | there == row


def test_an_address_that_is_too_long_for_wordpress_stays_here(app):
    add_site(app)
    long = f"{'a' * 60}@{'b' * 50}.example.org"
    assert reply(app, app.test_client(), email=long).status_code == 303
    (row,) = arrived(app, by_simplexml)
    assert row["author_email"] == ""


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("2026/Review.html", "review-html"),
        ("2026/%E6%9B%B8%E8%A9%95", "%e6%9b%b8%e8%a9%95"),
        ("a/" + "%E6%9B%B8" * 70, "%e6%9b%b8" * 21),
        ("a/" + "x" * 300, "x" * 200),
        ("100%-sure_thing/", "100-sure-thing"),
        ("", ""),
    ],
)
def test_a_post_s_name_is_the_last_word_of_its_address(app, path, name):
    add_site(app)
    reply(app, app.test_client(), url=f"https://daily.example/{path}")
    (post,) = by_simplexml(taken(app).stdout_bytes)["posts"]
    assert post["name"] == name
    brought({"posts": [post]})


def test_no_article_is_taken_for_another_one(app):
    """The importer finds posts by title and date, and MySQL looks neither at case nor accents."""
    add_site(app)
    client = app.test_client()
    ids = (1, 2, 3, 4)
    for number, title in zip(ids, ("Résumé", "resume", "RESUME", "Other"), strict=True):
        reply(app, client, url=f"https://daily.example/{number}", title=title, nonce=str(number))
        change(app, Comment, number, created_at=datetime(1970, 1, 1, tzinfo=UTC))
    posts = by_simplexml(taken(app).stdout_bytes)["posts"]
    assert [post["date"] for post in posts] == [f"1970-01-01 00:00:0{n}" for n in range(4)]
    assert len(arrived(app, by_simplexml)) == 4


def test_a_post_is_never_of_tomorrow(app):
    """WordPress would keep it back until then (wp_insert_post, "future")."""
    add_site(app)
    reply(app, app.test_client())
    change(app, Comment, 1, created_at=datetime(2999, 1, 1, tzinfo=UTC))
    (post,) = by_simplexml(taken(app).stdout_bytes)["posts"]
    assert post["date"] < "2999"


def test_an_article_s_first_comment_is_looked_for_once(app, monkeypatch):
    add_site(app)
    client = app.test_client()
    for number in range(5):
        reply(app, client, nonce=str(number))
    monkeypatch.setattr(windows, "AT_A_TIME", 1)
    asked = []
    real = wxr._first_at
    monkeypatch.setattr(wxr, "_first_at", lambda s, ids: asked.append(set(ids)) or real(s, ids))
    assert len(arrived(app, by_simplexml)) == 5
    assert asked == [{1}, set(), set(), set(), set()]
