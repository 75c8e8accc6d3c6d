import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from cast import ARTICLE, ORIGIN, add_site
from sqlalchemy import select, update

from service import database, moderation
from service.models import Article, Comment, Site
from service.rules import Verdict
from service.status import Mark, Status
from service.views import reader
from service.views.headers import SHARED

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
THREAD = {"url": ARTICLE}
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(autouse=True)
def site(app):
    return add_site(app)


@pytest.fixture
def write(app, site):
    """Puts comments under an article; gives their public ids."""

    def write(*names, status=Status.APPROVED, url=ARTICLE, answers="", **values):
        with app.app_context(), database.writing() as session:
            article = session.scalar(select(Article).where(Article.url == url))
            if article is None:
                session.add(article := Article(site_id=site, url=url))
                session.flush()
            parent = session.scalar(select(Comment).where(Comment.public_id == answers))
            start = session.query(Comment).count()
            made = [
                Comment(
                    site_id=site,
                    article_id=article.id,
                    parent_id=parent and parent.id,
                    root_id=parent and (parent.root_id or parent.id),
                    status=moderation.initial(Verdict(status)),
                    created_at=START + timedelta(minutes=start + n),
                    **{"name": name, "text": "", "html": f"<p>{name}</p>", "renderer": 1} | values,
                )
                for n, name in enumerate(names)
            ]
            session.add_all(made)
            session.flush()
            moderation.recount(session, article.id)
            return [comment.public_id for comment in made]

    return write


def feed(client, which="thread", **asked):
    paths = {"thread": "/feeds/daily/thread.atom", "site": "/feeds/daily.atom"}
    query = THREAD | asked if which == "thread" else asked
    return client.get(paths[which], query_string=query)


def one(element, name):
    found = element.findall(ATOM + name)
    assert len(found) == 1, name
    return found[0]


def check(answer):
    """What RFC 4287 requires of a feed and its entries; gives both."""
    assert answer.mimetype == "application/atom+xml"
    root = ElementTree.fromstring(answer.data)
    assert root.tag == ATOM + "feed"
    entries = root.findall(ATOM + "entry")
    for element in (root, *entries):
        assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", one(element, "id").text)
        assert one(element, "title").text
        assert datetime.fromisoformat(one(element, "updated").text).tzinfo
    assert len({one(element, "id").text for element in (root, *entries)}) == 1 + len(entries)
    links = {link.get("rel"): link.get("href") for link in root.findall(ATOM + "link")}
    assert links["self"].startswith("http://localhost/feeds/daily")
    for entry in entries:
        assert one(one(entry, "author"), "name").text
        assert datetime.fromisoformat(one(entry, "published").text).tzinfo
        assert one(entry, "content").get("type") == "html"
        assert one(entry, "link").get("rel") == "alternate"
    return root, entries


@pytest.mark.parametrize("which", ["thread", "site"])
def test_a_feed_tells_the_newest_approved_comments(client, write, which):
    ids = write(*(f"Reader {n}" for n in range(60)))
    write("Waiting", status=Status.PENDING)
    write("Spam", status=Status.SPAM)
    _, entries = check(feed(client, which))
    assert [one(e, "title").text for e in entries] == [f"Reader {n}" for n in range(59, 9, -1)]
    assert one(entries[0], "link").get("href") == f"http://localhost/comments/{ids[-1]}"
    assert one(entries[0], "content").text == "<p>Reader 59</p>"


def test_an_article_s_feed_has_no_other_article_s_comments(client, write):
    write("Here")
    write("There", url=f"{ORIGIN}/other")
    assert len(check(feed(client))[1]) == 1
    assert len(check(feed(client, "site"))[1]) == 2


def test_an_unknown_article_of_the_site_has_an_empty_feed_and_others_none(client, write):
    write("Elsewhere", url=f"{ORIGIN}/other")
    assert check(feed(client))[1] == []
    assert feed(client, url="https://other.example/").status_code == 403
    assert client.get("/feeds/nowhere.atom").status_code == 404


def test_a_title_is_told_once_somebody_vouched_for_it(app, client, write):
    write("Ada")
    for is_proved, said in ((False, "Ada"), (True, "Ada on The <review>")):
        with app.app_context(), database.writing() as session:
            session.execute(update(Article).values(title="The <review>", is_title_proved=is_proved))
        assert one(check(feed(client))[1][0], "title").text == said


def test_whatever_is_written_the_feed_is_xml_and_holds_no_address(client, write):
    write(
        "Bo\x0b\x1fb \ufffe&<]]>",
        "jane@example.org",
        html="<p>\x08 ]]> &amp; 🌊</p>",
        website="https://a.example/?a=1&b=2",
    )
    _, entries = check(feed(client))
    assert one(one(entries[1], "author"), "name").text == "Bob &<]]>"
    assert one(entries[1], "content").text == "<p> ]]> &amp; 🌊</p>"
    assert one(one(entries[1], "author"), "uri").text == "https://a.example/?a=1&b=2"
    assert "jane@example.org" not in feed(client).text


def test_a_feed_is_fetched_anew_only_when_something_changed(app, client, write):
    [public_id, _] = write("Ada", "Bea")
    first = feed(client)
    known = {"If-None-Match": first.headers["ETag"]}
    since = {"If-Modified-Since": first.headers["Last-Modified"]}
    assert first.headers["Cache-Control"] == SHARED
    assert parsedate_to_datetime(first.headers["Last-Modified"]) == START + timedelta(minutes=1)
    path = f"/feeds/daily/thread.atom?url={ARTICLE}"
    for headers in (known, since):
        assert client.get(path, headers=headers).status_code == 304
    with app.app_context(), database.writing() as session:
        comment = session.scalars(select(Comment).where(Comment.public_id == public_id)).one()
        moderation.retract(session, comment)
    for headers in (known, since):
        answer = client.get(path, headers=headers)
        assert answer.status_code == 200
        assert len(check(answer)[1]) == 1


# The thread page, as machines read it


class Microdata(HTMLParser):
    """Items of a page, as HTML's microdata algorithm finds them."""

    VOID = {"meta", "link", "br", "input", "img", "hr", "base"}

    def __init__(self, page):
        super().__init__()
        self.items, self.open = [], []  # open: (item begun here, names of the text property)
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        within = next((item for item, _, _ in reversed(self.open) if item is not None), None)
        item = (
            {"type": given["itemtype"], "id": given.get("itemid")} if "itemscope" in given else None
        )
        name = given.get("itemprop")
        assert not name or within is not None, f"a lonely {name}"
        value = item or given.get("href") or given.get("datetime")
        if name and value is not None:
            within.setdefault(name, []).append(value)
        elif item is not None:
            self.items.append(item)
        if tag not in self.VOID:
            said = [] if name and value is None else None
            self.open.append((item, said, (within, name)))

    def handle_data(self, text):
        for _, said, _ in self.open:
            if said is not None:
                said.append(text)

    def handle_endtag(self, tag):
        if tag in self.VOID:
            return
        _, said, (within, name) = self.open.pop()
        if said is not None:
            within.setdefault(name, []).append("".join(said).strip())


@pytest.mark.parametrize("path", ["/embed/daily", "/embed/daily/fragment"])
def test_comments_are_told_as_schema_org_has_them(client, write, path):
    [top] = write("Ada", website="https://ada.example/")
    [gone] = write("Gone", status=Status.DELETED, answers=top)
    [reply] = write("Bea", answers=gone)
    [item] = Microdata(client.get(path, query_string=THREAD).text).items
    assert (item["type"], item["id"]) == ("https://schema.org/CreativeWork", ARTICLE)
    [ada] = item["comment"]
    [bea] = ada["comment"]
    for comment, name, public_id in ((ada, "Ada", top), (bea, "Bea", reply)):
        assert comment["type"] == "https://schema.org/Comment"
        assert comment["text"] == [name]
        assert comment["author"][0]["type"] == "https://schema.org/Person"
        assert comment["author"][0]["name"] == [name]
        assert datetime.fromisoformat(comment["dateCreated"][0]).tzinfo
        assert comment["url"][0].endswith(f"/comments/{public_id}")
    assert ada["author"][0]["url"] == ["https://ada.example/"]


def test_the_page_names_its_feed_and_keeps_out_of_searches_unless_told(app, client):
    page = client.get("/embed/daily", query_string=THREAD).text
    link = re.search(r'<link rel="alternate" type="application/atom\+xml" href="([^"]+)"', page)
    check(client.get(link[1]))
    assert '<meta name="robots" content="noindex">' in page
    with app.app_context(), database.writing() as session:
        session.execute(update(Site).values(settings={"is_indexed": True}, version=2))
    assert "noindex" not in client.get("/embed/daily", query_string=THREAD).text


def test_who_speaks_and_what_was_edited_is_said_in_words(client, write):
    write("Ada", mark=Mark.AUTHOR, edited_at=START)
    write("Keeper", mark=Mark.STAFF)
    page = client.get("/embed/daily", query_string=THREAD).text
    assert '<span class="comment-mark" title="wrote the article">Author</span>' in page
    assert '<span class="comment-mark">Staff</span>' in page
    assert re.search(r"edited\s*<time[^>]*>1 Jan 2026, 12:00 UTC</time>", page)


def test_likes_are_shown_and_sorted_by_only_where_the_site_wants_them(app, client, write):
    write("Ada", like_count=3)
    write("Bea", like_count=7)
    page = client.get("/embed/daily", query_string=THREAD | {"sort": "liked"}).text
    assert "Most liked" not in page
    assert "Likes:" not in page
    assert page.index("Ada") < page.index("Bea")
    with app.app_context(), database.writing() as session:
        session.execute(update(Site).values(settings={"likes": True, "sort": "liked"}, version=2))
    page = client.get("/embed/daily", query_string=THREAD | {"sort": "nonsense"}).text
    assert re.search(r'aria-current="true">Most liked first', page)
    assert page.index("<b>7</b>") < page.index("<b>3</b>")


def test_likes_rename_a_page_at_most_twice_a_minute_and_in_the_end():
    liked_at = datetime.fromtimestamp(305, UTC)  # the half minute from 300
    names = [reader._likes(liked_at, now) for now in (305, 329, 330, 359, 100_000)]
    assert names == [10, 10, 11, 11, 11]
    assert reader._likes(None, 305) == 0


def test_a_like_reaches_those_who_have_the_page(app, client, write):
    write("Ada")
    tag = client.get("/embed/daily", query_string=THREAD).headers["ETag"]
    known = {"If-None-Match": tag}
    assert client.get("/embed/daily", query_string=THREAD, headers=known).status_code == 304
    with app.app_context(), database.writing() as session:
        session.execute(update(Article).values(liked_at=START))
    assert client.get("/embed/daily", query_string=THREAD, headers=known).status_code == 200
