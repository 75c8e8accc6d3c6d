import pytest
from cast import add_site, reply, stored
from sqlalchemy import select, update

from service import database, follows
from service.follows import Wish
from service.models import Comment, Follow
from service.status import Status


@pytest.fixture(autouse=True)
def site(app):
    return add_site(app)


def wishes(app):
    """What is followed: (author, article, comment, whether it is confirmed)."""
    with app.app_context():
        found = database.session().scalars(select(Follow).order_by(Follow.id))
        return [(f.author_id, f.article_id, f.comment_id, bool(f.confirmed_at)) for f in found]


@pytest.mark.parametrize(
    ("sent", "followed"),
    [("", []), ("replies", ["comment"]), ("article", ["article"]), ("everything", [])],
)
def test_the_form_stores_what_is_wished_unconfirmed(app, client, sent, followed):
    assert reply(app, client, follow=sent, lang="en").status_code == 303
    [comment] = stored(app)
    things = {
        "comment": (comment.author_id, None, comment.id, False),
        "article": (comment.author_id, comment.article_id, None, False),
    }
    assert wishes(app) == [things[name] for name in followed]


def test_the_same_form_twice_follows_once(app, client):
    for _ in range(2):
        reply(app, client, follow="article")
    reply(app, client, follow="article", comment="And another thing.")
    assert len(wishes(app)) == 1


def test_nothing_is_stored_for_spam(app, client):
    reply(app, client)
    with app.app_context(), database.writing() as session:
        session.execute(update(Comment).values(status=Status.SPAM))
        follows.add(session, session.scalars(select(Comment)).one(), Wish.REPLIES)
    assert wishes(app) == []


def test_letters_are_offered_only_where_mail_is_set_up(make_app):
    shown = {"url": "https://daily.example/2026/review"}
    plain = make_app().test_client().get("/embed/daily", query_string=shown).text
    mailing = make_app(MAIL_URL="smtp://localhost:25").test_client()
    assert "Email me" not in plain
    assert "Email me" in mailing.get("/embed/daily", query_string=shown).text
