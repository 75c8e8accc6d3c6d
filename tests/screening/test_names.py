import pytest
from cast import RITA, add_moderator, add_site, reply, stored
from sqlalchemy import update

from service import accounts, comments, database
from service.models import Comment, Site, now
from service.rules import Policy
from service.screening import Arrival
from service.screening.names import resembled


@pytest.fixture
def site(app):
    return add_site(app)


@pytest.fixture
def look(app, site):
    def look(name, **known):
        with app.app_context():
            arrival = Arrival(site, None, name, "Hi", b"", now(), **known)
            return resembled(database.session(), arrival, Policy()).get("resembled")

    return look


def prove(app):
    with app.app_context(), database.writing() as session:
        session.execute(update(Comment).values(is_proved=True, status="approved"))


def test_staff_are_told_by_their_public_name_alone(app, look):
    mo = add_moderator(app, "edna@daily.example")
    assert look("Ednа") == "staff"
    with app.app_context(), database.writing() as session:
        session.get_one(accounts.Moderator, mo).staff_name = "Paula"
    assert look("Раula") == "“Paula” (staff)"
    assert look("The  Dаily") == "“The Daily” (the site)"
    assert look("Rita") is None


def test_a_proved_author_keeps_their_name(app, client, look):
    reply(app, client)
    assert look("Ritа") is None
    prove(app)
    assert look("Ritа") == "“Rita” (a proved author)"
    own = app.extensions["vault"].index(RITA["email"])
    assert look("Rita", email_index=own, is_proved=True) is None
    assert look("Rita", email_index=own) == "“Rita” (a proved author)"


def test_the_reason_is_stored_with_the_comment(app, client, site):
    add_moderator(app, "edna@daily.example")
    reply(app, client, name="Ednа")
    with app.app_context():
        comment = comments.by_public_id(database.session(), stored(app)[0].public_id)
        matched = {reason.rule: reason.matched for reason in comment.reasons}
    assert matched["lookalike_name"] == "staff"
    assert "odd_characters" in matched


def test_a_site_names_its_writing_and_languages(app, client, site):
    with app.app_context(), database.writing() as session:
        session.get_one(Site, site).screening = {"writing": ["Cyrillic"], "languages": ["ru"]}
    reply(app, client, lang="en")
    with app.app_context():
        comment = comments.by_public_id(database.session(), stored(app)[0].public_id)
        assert {"other_writing", "other_language"} <= {one.rule for one in comment.reasons}
