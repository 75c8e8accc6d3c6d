"""The letter that asks whether an address is somebody's: its way, and what it says."""

import re

import pytest
from cast import RITA, add_site, reply, stored
from sqlalchemy import delete, select, update

from service import database, follows, moderation
from service.cli.mail import send_letters
from service.mail.confirm import LASTS, Confirming
from service.models import Article, Author, Comment, Follow, Letter, Reason, now
from service.status import LetterKind, LetterState, Status, Why

TYPED = {"name": "Cheap Pills", "comment": "Buy at https://pills.example now", "title": "Pills!"}


@pytest.fixture(autouse=True)
def site(app):
    return add_site(app)


def post(app, **fields):
    answer = reply(app, app.test_client(), **({"follow": "replies", "lang": "en"} | TYPED | fields))
    assert answer.status_code == 303, answer.text


def work(app):
    with app.app_context():
        return send_letters()


def question(app):
    with app.app_context():
        asking = select(Letter).where(Letter.kind == LetterKind.CONFIRM)
        found = database.session().scalars(asking).one_or_none()
        database.session().expunge_all()
        return found


def change(app, act):
    with app.app_context(), database.writing() as session:
        act(session, session.scalars(select(Comment)).one())


def parts(mail):
    return [mail.get_body([kind]).get_content() for kind in ("plain", "html")]


def test_it_goes_at_once_to_the_typed_address(app, mailbox):
    post(app)
    work(app)
    assert mailbox.envelopes[-1][1] == [RITA["email"]]
    assert question(app).state == LetterState.SENT
    work(app)
    assert len(mailbox.mails) == 1


def test_it_quotes_nothing_that_was_typed(app, mailbox):
    post(app, url="https://daily.example/buy-pills", website="https://pills.example/")
    work(app)
    (mail,) = mailbox.mails
    whole = " ".join([str(mail["Subject"]), *parts(mail)]).lower()
    for typed in ("pills", "cheap", "buy", "daily.example/"):
        assert typed not in whole
    assert "The Daily" in mail["Subject"]
    assert "None" not in whole
    for part in parts(mail):
        assert "somebody wrote a comment on The Daily" in part
        assert "If it was not you, do nothing" in part
        links = re.findall(r"https?://[^\s\"<]+", part)
        assert {link.split("/")[4] for link in links} == {"confirm", "never"}
        assert all(link.startswith("https://comments.example/letters/") for link in links)
    assert mail["List-Unsubscribe"] is None  # there is nothing yet to leave
    assert mail["Auto-Submitted"] == "auto-generated"


def test_a_title_that_a_moderator_proved_is_named(app, mailbox):
    post(app, title="A review")
    change(app, lambda session, _: session.execute(update(Article).values(is_title_proved=True)))
    work(app)
    assert all("under “A review”" in part for part in parts(mailbox.mails[0]))


def test_it_speaks_the_comment_s_language(app, mailbox):
    post(app, lang="ar")
    work(app)
    assert mailbox.mails[0]["Content-Language"] == "ar"
    assert 'dir="rtl"' in parts(mailbox.mails[0])[1]


def spam(session, comment):
    moderation.decide(session, comment, Status.SPAM, comment.version, "the tests")


def withdraw(session, comment):
    moderation.withdraw(session, comment)


def join_a_wave(session, comment):
    session.add(Reason(comment_id=comment.id, rule="wave"))


def refuse(session, comment):
    follows.refuse(session, session.get_one(Author, comment.author_id).email_index)


def end(session, comment):
    follows.end(session, session.get_one(Author, comment.author_id), comment_id=comment.id)


def bounce(session, comment):
    session.get_one(Author, comment.author_id).returned_at = now()


def settle(session, comment):
    session.execute(update(Follow).values(confirmed_at=now()))


@pytest.mark.parametrize(
    ("between", "why"),
    [
        (spam, Why.SETTLED),
        (join_a_wave, Why.SETTLED),
        (settle, Why.SETTLED),
        (withdraw, None),
        (refuse, Why.NEVER),
        (end, Why.UNWANTED),
        (bounce, Why.RETURNED),
    ],
)
def test_what_happens_in_between_stops_it(app, mailbox, between, why):
    post(app)
    change(app, between)
    work(app)
    assert mailbox.mails == []
    letter = question(app)
    if why is None:  # the address went, and all that was for it
        assert letter is None
    else:
        assert (letter.state, letter.why) == (LetterState.DROPPED, why)


def test_an_address_that_was_erased_gets_none(app, mailbox):
    post(app)

    def erase(session, comment):
        session.execute(delete(Follow))
        session.execute(update(Comment).values(author_id=None))
        session.execute(delete(Author))

    change(app, erase)
    work(app)
    assert mailbox.mails == []
    assert question(app) is None


def test_a_key_is_good_for_a_week_and_for_its_purpose_alone(app):
    signer = app.extensions["signer"]
    key = Confirming(1, b"index", "abc", now().replace(microsecond=0))
    assert Confirming.read(signer, key.sign(signer)) == key
    assert not key.is_over
    assert Confirming(1, b"index", "abc", now() - LASTS).is_over
    assert Confirming.read(signer, signer.sign("leave letters", [1, "00", "abc", 0])) is None
    assert stored(app) == []
