"""Closing and holding: what readers can no longer do, what waits, and what is on record."""

import pytest
from cast import add_moderator, add_site
from sqlalchemy import select

from service import accounts, closing, database
from service.models import Article, Event, Site


@pytest.fixture
def said(app):
    """Does something as Mo to the article or its site, and gives both."""
    site_id, mo = add_site(app), add_moderator(app)
    with app.app_context(), database.writing() as session:
        session.add(Article(site_id=site_id, url="https://daily.example/a?by=rita@example.org"))

    def said(verb, *arguments):
        with app.app_context(), database.writing() as session:
            article = session.scalars(select(Article)).one()
            moderator = session.get_one(accounts.Moderator, mo)
            about = article.site if verb is closing.hold_site else article
            verb(session, about, *arguments, moderator)
        with app.app_context():
            article = database.session().scalars(select(Article)).one()
            return article, article.site

    return said


@pytest.fixture
def on_record(app):
    def on_record():
        with app.app_context():
            found = database.session().scalars(select(Event).order_by(Event.id))
            return [(event.what, event.by, event.about) for event in found]

    return on_record


def test_an_article_is_closed_and_opened_once_each_and_on_record(said, on_record):
    article, _ = said(closing.close, True)
    since = article.closed_at
    assert (since is not None, article.version) == (True, 2)
    article, _ = said(closing.close, True)
    assert (article.closed_at, article.version) == (since, 2)
    article, _ = said(closing.close, False)
    assert (article.closed_at, article.version) == (None, 3)
    masked = "https://daily.example/a…@…"
    assert on_record() == [("closed", "mo", masked), ("opened", "mo", masked)]


def test_holding_changes_nothing_that_readers_see(said, on_record):
    article, _ = said(closing.hold, True)
    assert (article.held_at is not None, article.version) == (True, 1)
    said(closing.hold, True)
    article, _ = said(closing.hold, False)
    assert article.held_at is None
    assert [what for what, *_ in on_record()] == ["held", "released"]


def test_a_whole_site_is_held_and_keeps_its_other_settings(app, said, on_record):
    with app.app_context(), database.writing() as session:
        session.scalars(select(Site)).one().settings = {"likes": True}
    assert said(closing.hold_site, True)[1].settings == {"likes": True, "hold_all": True}
    assert said(closing.hold_site, False)[1].settings == {"likes": True}
    said(closing.hold_site, False)
    assert on_record() == [
        ("held", "mo", "all of The Daily"),
        ("released", "mo", "all of The Daily"),
    ]
