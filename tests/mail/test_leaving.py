"""The links by which readers leave."""

import pytest
from cast import RITA, add_site, reply, stored
from sqlalchemy import select

from service import database, letters
from service.cli.mail import the_post
from service.mail.leaving import Leaving, Refusing, leave_url
from service.models import Author, Follow, Letter, Site
from service.status import LetterKind


@pytest.fixture
def key_of(app):
    """What the link of a letter to Rita says, that is about this follow of hers."""
    add_site(app)
    reply(app, app.test_client(), follow="article", lang="en")

    def read(is_followed=True):
        with app.app_context(), database.writing() as session:
            author, site_id = session.scalars(select(Author)).one(), session.scalar(select(Site.id))
            follow_id = session.scalar(select(Follow.id)) if is_followed else None
            to = {"author_id": author.id, "follow_id": follow_id, "language": "de"}
            key = f"test {is_followed}"
            number = letters.write(session, LetterKind.FOLLOWED, key, site_id, **to)
            url = leave_url(the_post(), session.get_one(Letter, number))
        assert url.startswith("https://comments.example/letters/leave/")
        return Leaving.read(app.extensions["signer"], url.rpartition("/")[2])

    return read


def test_it_names_the_address_the_site_and_what_the_letter_is_about(app, key_of):
    [comment], index = stored(app), app.extensions["vault"].index(RITA["email"])
    assert key_of() == Leaving(index, comment.site_id, comment.article_id, language="de")
    assert key_of(is_followed=False) == Leaving(index, comment.site_id, language="de")


def test_a_letter_to_a_moderator_has_none(app, mo):
    with app.app_context(), database.writing() as session:
        site_id = session.scalar(select(Site.id))
        number = letters.write(session, LetterKind.WAITING, "key", site_id, moderator_id=mo)
        with pytest.raises(TypeError):
            leave_url(the_post(), session.get_one(Letter, number))


def test_keys_are_good_for_one_purpose(app):
    signer = app.extensions["signer"]
    leaving, refusing = Leaving(b"i", 1, None, 5), Refusing(b"i", 1, "de")
    assert Leaving.read(signer, leaving.sign(signer)) == leaving
    assert Refusing.read(signer, refusing.sign(signer)) == refusing
    assert Leaving.read(signer, refusing.sign(signer)) is None
    assert Refusing.read(signer, leaving.sign(signer)) is None
