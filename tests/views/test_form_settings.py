"""What readers meet of a site's settings: the form, the colours, and the list of recent articles."""

import re
from html import unescape
from urllib.parse import unquote

import pytest
from cast import ARTICLE, add_moderator, add_site, reply, sign_in, stored
from sqlalchemy import select, update

from service import database, moderation
from service.models import Article, Author, Comment, Reason, Site

CONSENT = "I agree that <i>The Daily</i> keeps this."


@pytest.fixture(autouse=True)
def site(app):
    return add_site(app)


@pytest.fixture
def setting(app):
    """Sets what The Daily chooses for itself, as a setting does at the desk."""

    def setting(**chosen):
        with app.app_context(), database.writing() as session:
            site = session.scalars(select(Site)).one()
            site.settings, site.version = site.settings | chosen, site.version + 1

    return setting


def publish(app, **counts):
    """As if a moderator had approved every comment; takes what its articles say then."""
    with app.app_context(), database.writing() as session:
        session.execute(update(Comment).values(status="approved"))
        known = {"approved_count": 1, "is_title_proved": True, "version": Article.version + 1}
        session.execute(update(Article).values(**(known | counts)))


def page_of(client, **asked):
    return client.get("/embed/daily", query_string={"url": ARTICLE, **asked}).text


def field_of(page, name):
    """The box of a field: its label, hint and input."""
    start = page.index(f'<label for="reply-{name}"')
    return page[start : page.index("</div>", start)]


@pytest.mark.parametrize("name", ["name", "email"])
def test_a_field_that_is_not_required_may_be_left_empty(app, client, setting, name):
    assert "(required)" in field_of(page_of(client), name)
    assert reply(app, client, **{name: " "}).status_code == 422
    setting(**{f"require_{name}": False})
    page = page_of(client)
    assert "(required)" not in field_of(page, name)
    assert "aria-required" not in field_of(page, name)
    assert "Required fields are marked *" in page  # the comment is
    assert reply(app, client, **{name: " "}).status_code == 303


def test_who_gives_no_name_is_anonymous_in_each_reader_s_language(
    app, client, setting, monkeypatch
):
    setting(require_name=False)
    reply(app, client, name="")
    assert stored(app)[0].name == "Anonymous"
    publish(app)
    assert ">Anonymous</bdi>" in page_of(client)
    monkeypatch.setattr("service.views.languages._", {"Anonymous": "Anonym"}.get)
    page = page_of(client, lang="de")
    assert ">Anonym</bdi>" in page
    assert ">Anonymous<" not in page


@pytest.mark.parametrize("letter", ["a", "😀"])
def test_a_comment_may_be_as_short_and_as_long_as_the_site_says(app, client, setting, letter):
    setting(comment_length=50_000)
    longest = f"Hear: {letter * 49_994}"
    assert reply(app, client, comment=longest).status_code == 303
    assert stored(app)[0].text == longest
    assert "Shorten your comment by 1 character" in reply(app, client, comment=longest + "x").text
    setting(comment_length=1)
    assert reply(app, client, comment="é").status_code == 303
    assert reply(app, client, comment="éh").status_code == 422


def test_nobody_is_banned_by_having_no_name(app, client, setting):
    setting(require_name=False)
    mo = sign_in(app, app.test_client(), add_moderator(app))
    for name, is_offered in (("Rita", True), ("", False)):
        reply(app, client, name=name, comment=f"By “{name}”.")
        page = mo.get(f"/desk/comments/{stored(app)[-1].public_id}/ban")
        assert page.status_code == 200
        assert ('value="name"' in page.text) is is_offered


def test_two_without_a_name_are_not_taken_for_each_other(app, client, setting):
    setting(require_name=False)
    reply(app, client, name="")
    with app.app_context(), database.writing() as session:
        session.execute(update(Comment).values(is_proved=True, status="approved"))
    reply(app, client, name="", email="ada@example.org", comment="Another.")
    with app.app_context():
        rules = set(database.session().scalars(select(Reason.rule)))
    assert rules
    assert "lookalike_name" not in rules


def test_without_an_address_there_is_no_author_and_nothing_to_reveal(app, client, setting):
    setting(require_email=False)
    for words in ("One.", "Two.", "Two."):
        assert reply(app, client, email="", comment=words).status_code == 303
    assert [(c.author_id, c.is_first) for c in stored(app)] == [(None, False)] * 2
    with app.app_context():
        assert database.session().scalars(select(Author)).all() == []
    mo = sign_in(app, app.test_client(), add_moderator(app))
    assert mo.get("/desk/").text.count("no email address") == 2


def test_what_is_typed_must_be_right_even_where_nothing_is_asked_for(app, client, setting):
    setting(require_email=False, require_name=False)
    answer = reply(app, client, email="rita@", name="rita@example.org")
    assert answer.status_code == 422
    assert "name@example.org" in answer.text
    assert "not an email address: names are published" in answer.text


def test_letters_need_an_address_and_say_so_beside_it(make_app, setting):
    setting(require_email=False)
    app = make_app(MAIL_URL="smtp://127.0.0.1:9", MAIL_FROM="r@replies.example")
    asked = {"email": "", "follow": "replies"}
    answer = reply(app, app.test_client(), **asked, headers={"Accept": "application/json"})
    assert answer.status_code == 422
    assert set(answer.json["errors"]) == {"email"}
    assert stored(app) == []


def test_a_website_that_is_not_asked_for_is_ignored(app, client, setting):
    setting(ask_website=False)
    page = page_of(client)
    assert 'name="website"' not in page
    assert "Save my name and email in this browser" in page
    assert reply(app, client, website="not one at all").status_code == 303
    assert stored(app)[0].website == ""


def test_the_site_s_words_take_the_place_of_ours(app, client, setting):
    names = ("name", "email", "website", "comment")
    own = {f"{name}_{kind}": f"My {name} {kind}" for name in names for kind in ("label", "hint")}
    setting(form_title="<b>Say it", form_note="شكرا", **own)
    for page in (page_of(client), client.get(f"/embed/daily/fragment?url={ARTICLE}").text):
        assert "&lt;b&gt;Say it</h" in page
        assert '<span dir="auto">شكرا</span><br>Required fields are marked *' in page
        assert "Leave a Reply" not in page
        assert "address will not be published" not in page
        assert [
            words for words in own.values() if f'<span dir="auto">{words}</span>' not in page
        ] == []
    assert "My comment label" in client.get(reply(app, client).location).text


def test_what_has_to_be_ticked_is_never_ticked_before_and_kept_when_it_was(app, client, setting):
    assert 'name="consent"' not in page_of(client)
    reply(app, client, consent="y", comment="Before there was a sentence.")
    setting(consent=CONSENT)
    page = page_of(client)
    box = re.search(r'<input[^>]*name="consent"[^>]*>', page)[0]
    assert "checked" not in box
    assert 'autocomplete="off"' in box
    assert "I agree that &lt;i&gt;The Daily&lt;/i&gt; keeps this." in page
    answer = reply(app, client)
    assert answer.status_code == 422
    assert 'href="#reply-consent"' in answer.text
    assert 'id="reply-consent-error"' in answer.text
    told = reply(app, client, headers={"Accept": "application/json"}).json["errors"]
    assert told == {"consent": ["Tick this box to post your reply."]}
    kept = reply(app, client, consent="y", comment="").text
    assert "checked" in re.search(r'<input[^>]*name="consent"[^>]*>', kept)[0]
    assert reply(app, client, consent="y").status_code == 303
    before, after = stored(app)
    assert before.consented_at is None
    assert after.consented_at == after.created_at


def test_the_privacy_policy_is_linked_under_the_form(client, setting):
    assert "Privacy policy" not in page_of(client)
    setting(privacy_url='https://daily.example/privacy?a="b"')
    href = 'href="https://daily.example/privacy?a=&#34;b&#34;" target="_blank" rel="noopener'
    assert href in page_of(client)


def test_colours_are_a_style_sheet_under_an_address_that_changes_with_the_site(client, setting):
    assert "colours.css" not in page_of(client)
    setting(ground_colour="#102030", link_colour="#ffd866")
    page = page_of(client)
    address = unescape(re.search(r'href="(/embed/daily/colours.css[^"]*)"', page)[1])
    css = client.get(address)
    assert css.mimetype == "text/css"
    assert "--rejoinder-ground: light-dark(#ffffff, #102030)" in css.text
    assert "immutable" in css.headers["Cache-Control"]
    assert client.get("/embed/daily/colours.css").headers["Cache-Control"] == "public, max-age=600"
    assert client.get("/embed/nobody/colours.css").status_code == 404
    assert 'data-ground="#102030"' in page
    setting(theme="dark")
    assert address not in unescape(page_of(client))


def test_without_an_article_the_site_s_recent_ones_are_listed(app, client):
    assert "No replies yet" in client.get("/embed/daily").text
    for place in ("one", "two", "three"):
        url = f"https://daily.example/{place}"
        reply(app, client, url=url, comment=f"On {place}.", title=f"Title of {place}")
    publish(app)
    with app.app_context(), database.writing() as session:
        hinted = update(Article).where(Article.url.endswith("/two"))
        session.execute(hinted.values(is_title_proved=False))
        held = update(Comment).where(Comment.text == "On three.")
        session.execute(held.values(status="pending"))
    listed = client.get("/embed/daily?lang=de")
    page = listed.text
    assert page.index("daily.example/two") < page.index("Title of one")  # the newer one first
    assert "Title of two" not in page
    assert "three" not in page
    assert "/embed/daily?url=https://daily.example/one&amp;lang=de" in unquote(page)
    assert 'lang="de"' in page
    assert listed.headers["Cache-Control"] == "public, max-age=0, s-maxage=10"
    etag = {"If-None-Match": listed.headers["ETag"]}
    assert client.get("/embed/daily?lang=de", headers=etag).status_code == 304
    publish(app, approved_count=7)
    assert client.get("/embed/daily?lang=de", headers=etag).status_code == 200
    no_address = client.get("/embed/daily?url=")  # the template had none to write
    assert "Title of one" in no_address.text
    for none in ("url=nonsense", "article=7"):
        assert client.get(f"/embed/daily?{none}").status_code == 400


def talk(app, client):
    """Seven comments; the first has a reply to a reply to a reply, and so on, nine levels deep."""
    for n in range(1, 8):
        reply(app, client, comment=f"Root {n}.")
    publish(app)
    parent = stored(app)[0].public_id
    for n in range(2, 10):
        assert reply(app, client, comment=f"Level {n}.", parent=parent).status_code == 303
        publish(app)
        parent = stored(app)[-1].public_id
    with app.app_context(), database.writing() as session:
        moderation.recount(session, stored(app)[0].article_id)


def depth_of(page):
    """How many comments stand within each other."""
    deepest = now = 0
    for tag in re.findall(r'<article id="comment-|</article>', page):
        now += 1 if tag.startswith("<article") else -1
        deepest = max(deepest, now)
    return deepest


def test_the_thread_is_laid_out_as_the_site_says_at_the_bounds_too(app, client, setting):
    talk(app, client)
    for depth in (1, 4, 8):
        setting(reply_depth=depth)
        assert depth_of(page_of(client)) == depth + 1
    for size, last in ((5, 5), (200, 7)):
        setting(page_size=size)
        page = page_of(client)
        assert (f"Root {last}." in page, f"Root {last + 1}." in page) == (True, False)
    for replies, last in ((1, 2), (200, 9)):
        setting(replies_shown=replies)
        page = page_of(client)
        assert (f"Level {last}." in page, f"Level {last + 1}." in page) == (True, False)
    setting(sort="newest")
    page = page_of(client)
    assert page.index("Root 7.") < page.index("Root 1.")
    assert "/report" in page
    setting(reports=False)
    assert "/report" not in page_of(client)
