"""Articles closed or held, whole sites held: at the desk, and as a reader meets it."""

from datetime import timedelta

import pytest
from cast import ARTICLE, SITE, add_moderator, add_site, csrf, on_record, reply, sign_in, stored
from sqlalchemy import select

from service import database
from service.models import Article, Site, now
from service.status import Role

JSON = {"Accept": "application/json"}
THREAD = f"/embed/{SITE}?url={ARTICLE}"


@pytest.fixture(autouse=True)
def daily(app):
    return add_site(app)


@pytest.fixture
def mo(app, client):
    return sign_in(app, client, add_moderator(app))


@pytest.fixture
def pia(app):
    """The Daily's publisher."""
    moderator = add_moderator(app, "pia@daily.example", role=Role.PUBLISHER)
    return sign_in(app, app.test_client(), moderator)


@pytest.fixture
def article(app):
    """The path of the article's page, under which Rita has written."""
    reply(app, app.test_client())
    return f"/desk/articles/{stored(app)[0].article_id}"


def do(who, path, page="/desk/", **fields):
    headers = fields.pop("headers", {})
    return who.post(path, data={"csrf_token": csrf(who.get(page).text)} | fields, headers=headers)


def test_a_closed_article_says_so_kindly_and_takes_nothing(app, mo, article):
    reader = app.test_client()
    before = reader.get(THREAD).headers["ETag"]
    answer = do(mo, f"{article}/set", action="close", next="/desk/")
    assert (answer.status_code, answer.location) == (303, f"{article}?next=/desk/")
    assert "It has taken no new comments since" in mo.get(article).text
    for path in (THREAD, THREAD.replace("?", "/fragment?")):
        shown = reader.get(path)
        assert shown.headers["ETag"] != before
        assert "This article takes no new replies any more." in shown.text
        assert "<form" not in shown.text
        assert "Leave a reply" not in shown.text
        assert "another website" not in shown.text
    assert '<link rel="canonical"' in reader.get(THREAD).text
    refused = reply(app, reader, comment="Too late, but well put.")
    assert refused.status_code == 403
    assert "Too late, but well put." in refused.text
    assert "Your text is kept here for you to copy." in refused.text
    said = reply(app, reader, comment="Too late.", headers=JSON)
    assert (said.status_code, "no new replies" in said.json["error"]) == (403, True)
    assert len(stored(app)) == 1
    do(mo, f"{article}/set", action="open")
    assert "<form" in reader.get(THREAD).text
    assert reply(app, reader, comment="In time.").status_code == 303
    assert [(event.what, event.by) for event in on_record(app)] == [
        ("closed", "mo"),
        ("opened", "mo"),
    ]


def test_likes_go_on_where_replies_do_not(app, mo, article):
    with app.app_context(), database.writing() as session:
        session.scalars(select(Site)).one().settings = {"likes": True}
    path = f"/desk/comments/{stored(app)[0].public_id}/decide"
    do(mo, path, action="approve", version=1)
    do(mo, f"{article}/set", action="close")
    page = app.test_client().get(THREAD).text
    assert 'class="like"' in page
    assert "reply-link" not in page


def test_a_held_article_says_so_at_the_desk_alone(app, mo, article):
    answer = do(mo, f"{article}/set", action="hold", headers=JSON)
    assert answer.json == {"closed": False, "held": True}
    before = app.test_client().get(THREAD).text
    reply(app, app.test_client(), comment="Another.")
    assert "A moderator has every new comment under this article wait." in mo.get("/desk/").text
    assert "<form" in before
    do(mo, f"{article}/set", action="release")
    assert "Held, every one does" in mo.get(article).text
    assert do(mo, f"{article}/set", action="burn").status_code == 400


def test_a_publisher_holds_a_whole_site_and_a_moderator_does_not(app, mo, pia, article):
    assert "Hold all of a site" not in mo.get(article).text
    assert mo.get("/desk/sites/").status_code == 403
    assert do(mo, "/desk/sites/daily/hold", action="hold").status_code == 403
    assert do(mo, "/desk/sites/daily/settings", public_reasons="Mine.").status_code == 403
    assert do(pia, "/desk/sites/daily/hold", "/desk/sites/", action="hold").status_code == 303
    assert "A publisher holds every new comment of The Daily." in mo.get(article).text
    reply(app, app.test_client(), comment="Another.")
    assert "A publisher has every new comment of this site wait" in mo.get("/desk/").text
    do(pia, "/desk/sites/daily/hold", "/desk/sites/", action="release")
    assert "Hold every new comment" in pia.get("/desk/sites/daily/").text
    assert do(pia, "/desk/sites/daily/hold", action="burn").status_code == 400


def test_a_publisher_keeps_only_their_own_sites(app, pia):
    add_site(app, "stars", "https://stars.example")
    assert 'id="site-stars"' not in pia.get("/desk/sites/").text
    assert do(pia, "/desk/sites/stars/hold", action="hold").status_code == 403
    assert do(pia, "/desk/sites/nosuch/hold", action="hold").status_code == 404


def test_a_publisher_writes_the_public_reasons_that_moderators_choose_from(pia, mo, article):
    written = "Off topic.\r\n\r\n  <b>Rude</b>.  \r\n" + "x" * 300
    settings = "/desk/sites/daily/settings"
    sent = do(pia, settings, settings, version="1", public_reasons=written)
    assert sent.status_code == 303, sent.text
    page = mo.get("/desk/").text
    assert "<option>Off topic.</option>" in page
    assert "<option>&lt;b&gt;Rude&lt;/b&gt;.</option>" in page
    assert f"<option>{'x' * 300}</option>" in page
    assert "It advertises something." not in page


def test_an_article_closes_by_its_age_and_no_moderator_opens_it(app, mo, article):
    reader = app.test_client()
    with app.app_context(), database.writing() as session:
        session.scalars(select(Site)).one().settings = {"close_after_days": 7}
    assert "It closes by itself on" in mo.get(article).text
    before = reader.get(THREAD)
    assert "<form" in before.text
    with app.app_context(), database.writing() as session:
        session.scalars(select(Article)).one().created_at = now() - timedelta(days=7)
    assert "7 days after it began" in mo.get(article).text
    assert do(mo, f"{article}/set", action="open", next="/desk/").status_code == 303
    again = reader.get(THREAD, headers={"If-None-Match": before.headers["ETag"]})
    assert again.status_code == 200
    assert "This article takes no new replies any more." in again.text
    assert "<form" not in again.text
    refused = reply(app, reader, comment="Too late, but well put.")
    assert refused.status_code == 403
    assert "Too late, but well put." in refused.text
    assert len(stored(app)) == 1
