"""Who follows what, who is asked whether an address is theirs, and how it ends."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import monotonic, sleep

import pytest
from cast import ARTICLE, RITA, add_site, reply, stored
from mailserver import mail_server
from sqlalchemy import delete, func, select, text, update

from service import database, follows, letters, moderation
from service.cli import mail as command
from service.follows import Wish
from service.models import (
    Asking,
    Author,
    Comment,
    Follow,
    Letter,
    Reason,
    Unwanted,
    now,
)
from service.status import FollowPace, LetterKind, LetterState, Status, Why
from service.tokens import AuthorTokens

MAILING = {"MAIL_URL": "smtp://127.0.0.1:1", "MAIL_FROM": "comments@service.example"}


@pytest.fixture
def app(make_app):
    """An application that sends letters, had it a worker."""
    return make_app(**MAILING)


@pytest.fixture(autouse=True)
def site(app):
    return add_site(app)


def wishes(app):
    """What is followed: (author, article, comment, whether it is confirmed)."""
    with app.app_context():
        found = database.session().scalars(select(Follow).order_by(Follow.id))
        return [(f.author_id, f.article_id, f.comment_id, bool(f.confirmed_at)) for f in found]


def questions(app):
    """The letters that ask, oldest first."""
    with app.app_context():
        asking = select(Letter).where(Letter.kind == LetterKind.CONFIRM).order_by(Letter.id)
        found = database.session().scalars(asking).all()
        database.session().expunge_all()
        return found


def post(app, comment="Hear, hear.", network=1, **fields):
    client = app.test_client()
    client.environ_base["REMOTE_ADDR"] = f"192.0.{network}.7"
    answer = reply(app, client, comment=comment, lang="en", **fields)
    assert answer.status_code == 303, answer.text
    return answer


def proof(app, address=RITA["email"]):
    index = app.extensions["vault"].index(address)
    return AuthorTokens(app.extensions["signer"], "daily").make(index)


def rita(session):
    return session.scalars(select(Author)).one()


@pytest.mark.parametrize(
    ("sent", "followed", "pace"),
    [
        ("", [], None),
        ("replies", ["comment"], FollowPace.AT_ONCE),
        ("article", ["article"], FollowPace.AT_ONCE),
        ("daily", ["article"], FollowPace.DAILY),
        ("weekly", ["article"], FollowPace.WEEKLY),
        ("everything", [], None),
    ],
)
def test_the_form_stores_what_is_wished_unconfirmed(app, sent, followed, pace):
    post(app, follow=sent)
    [comment] = stored(app)
    things = {
        "comment": (comment.author_id, None, comment.id, False),
        "article": (comment.author_id, comment.article_id, None, False),
    }
    assert wishes(app) == [things[name] for name in followed]
    with app.app_context():
        assert database.session().scalar(select(Follow.pace)) == pace
        assert rita(database.session()).confirmed_at is None


def test_the_same_form_twice_follows_and_asks_once(app):
    for _ in range(2):
        post(app, follow="article")
    post(app, "And another thing.", follow="article")
    assert len(wishes(app)) == len(questions(app)) == 1


def test_who_is_asked_is_asked_at_once_and_by_reference(app):
    post(app, follow="replies")
    [letter], [comment] = questions(app), stored(app)
    assert (letter.author_id, letter.comment_id) == (comment.author_id, comment.id)
    assert letter.follow_id is not None
    assert letter.language == "en"
    assert letter.due_at <= now()


def test_a_proved_comment_confirms_at_once_and_nobody_is_asked(app):
    post(app, follow="weekly", author=proof(app))
    assert [confirmed for *_, confirmed in wishes(app)] == [True]
    assert questions(app) == []
    with app.app_context():
        assert rita(database.session()).confirmed_at is not None


def test_the_proof_of_another_address_is_none(app):
    post(app, follow="article", author=proof(app, "ada@example.org"))
    assert [confirmed for *_, confirmed in wishes(app)] == [False]
    assert len(questions(app)) == 1


def test_a_typed_address_changes_nothing_of_its_owner_s(app):
    post(app, follow="weekly", author=proof(app))
    post(app, "A stranger types her address.", follow="article")
    assert [confirmed for *_, confirmed in wishes(app)] == [True]
    assert questions(app) == []
    with app.app_context():
        assert database.session().scalar(select(Follow.pace)) == FollowPace.WEEKLY
    post(app, "She chooses again.", follow="daily", author=proof(app))
    with app.app_context():
        assert database.session().scalar(select(Follow.pace)) == FollowPace.DAILY


def test_nothing_is_stored_for_spam(app):
    post(app)
    with app.app_context(), database.writing() as session:
        session.execute(update(Comment).values(status=Status.SPAM))
        follows.add(session, session.scalars(select(Comment)).one(), Wish.REPLIES)
    assert wishes(app) == []
    assert questions(app) == []


@pytest.mark.parametrize("rule", ["flood_address", "flood_network", "flood_article", "wave"])
def test_nobody_is_asked_because_of_what_came_with_many(app, rule):
    post(app)
    with app.app_context(), database.writing() as session:
        comment = session.scalars(select(Comment)).one()
        session.add(Reason(comment_id=comment.id, rule=rule))
        session.flush()
        session.refresh(comment)
        follows.add(session, comment, Wish.REPLIES)
    assert questions(app) == []
    assert len(wishes(app)) == 1


def test_what_waits_for_a_moderator_is_asked_about(app):
    post(app, follow="replies")
    assert stored(app)[0].status == Status.PENDING
    assert len(questions(app)) == 1


def test_a_question_that_nobody_answers_is_the_only_one_for_thirty_days(app):
    add_site(app, "weekly", "https://weekly.example")
    post(app, follow="article")
    post(app, "Another comment.", 2, follow="replies")
    post(
        app, "On another site.", 3, site="weekly", url="https://weekly.example/1", follow="replies"
    )
    assert len(questions(app)) == 1
    with app.app_context(), database.writing() as session:
        session.execute(update(Asking).values(at=now() - follows.ASKED + timedelta(hours=1)))
    post(app, "A month later, nearly.", 4, follow="replies")
    assert len(questions(app)) == 1
    with app.app_context(), database.writing() as session:
        session.execute(update(Asking).values(at=now() - follows.ASKED))
    post(app, "A month later.", 5, follow="replies")
    assert len(questions(app)) == 2


def test_it_outlives_the_author(app):
    post(app, follow="replies")
    with app.app_context(), database.writing() as session:
        moderation.withdraw(session, session.scalars(select(Comment)).one())
        assert session.scalar(select(func.count(Author.id))) == 0
    post(app, "She, or somebody, is back.", follow="replies")
    assert questions(app) == []


def many(app, number, network=None):
    for count in range(number):
        fields = {"email": f"victim{count}@example.org", "comment": f"Comment number {count}."}
        post(
            app, network=network or count + 1, follow="replies", url=f"{ARTICLE}/{count}", **fields
        )


def test_one_network_has_so_many_asked_in_an_hour(app):
    many(app, follows.AT_MOST_OF_NETWORK + 2, network=9)
    assert len(questions(app)) == follows.AT_MOST_OF_NETWORK
    post(app, "From elsewhere.", 10, email="else@example.org", follow="replies")
    assert len(questions(app)) == follows.AT_MOST_OF_NETWORK + 1
    with app.app_context(), database.writing() as session:
        session.execute(update(Asking).values(at=now() - timedelta(minutes=61)))
    post(app, "An hour later.", 9, email="later@example.org", follow="replies")
    assert len(questions(app)) == follows.AT_MOST_OF_NETWORK + 2
    with app.app_context():  # a network is not kept for longer than it counts
        kept = select(Asking.network).where(Asking.network != "")
        assert database.session().scalars(kept).all() == ["192.0.9.0/24"]


def test_one_site_asks_so_many_in_an_hour(app, monkeypatch):
    monkeypatch.setattr("service.follows.asking.AT_MOST_OF_SITE", 3)
    add_site(app, "weekly", "https://weekly.example")
    many(app, 5)
    assert len(questions(app)) == 3
    elsewhere = {"site": "weekly", "url": "https://weekly.example/1", "email": "w@example.org"}
    post(app, "On another site.", 77, follow="replies", **elsewhere)
    assert len(questions(app)) == 4


def test_who_refused_is_never_asked_and_nothing_is_stored(app):
    with app.app_context(), database.writing() as session:
        follows.refuse(session, app.extensions["vault"].index(RITA["email"]))
    post(app, follow="article")
    assert questions(app) == []
    assert wishes(app) == []


def test_the_answer_is_the_same_whatever_is_known_of_the_address(app):
    said = [post(app, follow="replies", email="first@example.org")]
    with app.app_context(), database.writing() as session:
        follows.refuse(session, app.extensions["vault"].index(RITA["email"]))
    said.append(post(app, "Who wants none.", follow="replies"))
    said.append(post(app, "Who is known.", follow="replies", email="ada@example.org", author="x"))
    told = set()
    for answer in said:
        path = answer.location.removeprefix("http://localhost")
        page = app.test_client().get(path).text
        told.add(page.partition('class="receipt-letters">')[2].partition("</p>")[0])
    assert len(told) == 1
    assert "a letter is on its way" in told.pop()
    headers = {"Accept": "application/json"}
    answer = reply(app, app.test_client(), comment="By script.", follow="weekly", headers=headers)
    assert "a letter is on its way" in answer.json["follow"]
    assert "follow" not in reply(app, app.test_client(), comment="No.", headers=headers).json


@pytest.mark.parametrize("missing", ["MAIL_URL", "MAIL_FROM", "BASE_URL"])
def test_letters_are_offered_only_where_they_leave(make_app, missing):
    shown = {"url": ARTICLE}
    page = make_app(**MAILING).test_client().get("/embed/daily", query_string=shown).text
    assert "Email me" in page
    for words in ("answers to it", "at once", "once a day", "once a week"):
        assert words in page
    silent = make_app(**(MAILING | {missing: ""}))
    assert "Email me" not in silent.test_client().get("/embed/daily", query_string=shown).text
    post(silent, follow="article")
    assert wishes(silent) == []


# The end


@pytest.fixture
def followed(app):
    """Rita follows the article and her own comment, confirmed; a letter about each waits."""
    post(app, follow="article", author=proof(app))
    post(app, "Another.", follow="replies", author=proof(app))
    with app.app_context(), database.writing() as session:
        for follow in session.scalars(select(Follow).order_by(Follow.id)):
            to = {"author_id": follow.author_id, "follow_id": follow.id}
            letters.write(session, LetterKind.ANSWERED, f"f {follow.id}", 1, **to)
    return [row[1:3] for row in wishes(app)]


def outcomes(app):
    with app.app_context():
        about = select(Letter.state, Letter.why).where(Letter.kind == LetterKind.ANSWERED)
        return [tuple(row) for row in database.session().execute(about.order_by(Letter.id))]


WAITS = (LetterState.QUEUED, None)
ENDED = (LetterState.DROPPED, Why.UNWANTED)


def test_what_is_ended_takes_its_letters_along_and_no_others(app, followed):
    for _again in range(2):
        with app.app_context(), database.writing() as session:
            follows.end(session, rita(session), article_id=followed[0][0])
        assert outcomes(app) == [ENDED, WAITS]
    assert [row[1:3] for row in wishes(app)] == followed[1:]


def test_nobody_ends_what_another_follows(app, followed):
    post(app, "A stranger's.", email="eve@example.org", follow="replies")
    with app.app_context(), database.writing() as session:
        eve = session.scalars(select(Author).order_by(Author.id.desc())).first()
        first = session.scalars(select(Follow.id).order_by(Follow.id)).first()
        assert not follows.end(session, eve, follow_id=first)
        assert not follows.end(session, eve)
        assert not follows.set_pace(session, eve, first, FollowPace.WEEKLY)
        assert not follows.start(session, eve, first)
    assert [row[1:3] for row in wishes(app)][:2] == followed


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_letter_that_is_being_written_meanwhile_is_dropped_too(app, followed):
    def leave():
        with app.app_context(), database.writing() as session:
            follows.end(session, rita(session), article_id=followed[0][0])

    waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with ThreadPoolExecutor(1) as threads:
        with app.app_context(), database.writing() as session:
            follow = session.scalars(select(Follow).order_by(Follow.id)).first()
            to = {"author_id": follow.author_id, "follow_id": follow.id}
            letters.write(session, LetterKind.ANSWERED, "at this moment", 1, **to)
            leaving, until = threads.submit(leave), monotonic() + 10
            while not session.scalar(waits) and monotonic() < until:
                sleep(0.01)
        leaving.result(10)
    assert outcomes(app) == [ENDED, WAITS, ENDED]


def test_the_end_of_all_is_one_for_this_site(app, followed):
    with app.app_context(), database.writing() as session:
        follows.end_all(session, rita(session))
        assert rita(session).confirmed_at is None
    assert outcomes(app) == [ENDED, ENDED]
    assert wishes(app) == []


def test_never_holds_everywhere_and_can_be_taken_back(app, followed):
    index = app.extensions["vault"].index(RITA["email"])
    post(app, "Not confirmed.", follow="replies")
    for _again in range(2):
        with app.app_context(), database.writing() as session:
            follows.refuse(session, index)
    assert outcomes(app) == [(LetterState.DROPPED, Why.NEVER)] * 2
    assert [row[1:3] for row in wishes(app)] == followed
    with app.app_context(), database.writing() as session:
        assert session.scalars(select(Unwanted.email_index)).all() == [index]
        follows.allow(session, index)
        assert not follows.is_unwanted(session, index)


def test_who_only_followed_is_gone_with_the_last_thing(app, followed):
    with app.app_context(), database.writing() as session:
        for comment in session.scalars(select(Comment)):
            moderation.withdraw(session, comment)
        author = rita(session)  # the article is a wish of its own
        follows.end(session, author, article_id=followed[0][0])
        assert session.scalars(select(Author)).all() == []


def test_to_take_back_a_comment_ends_what_was_about_it(app, followed):
    with app.app_context(), database.writing() as session:
        comment_id = followed[1][1]
        moderation.withdraw(session, session.get_one(Comment, comment_id))
    assert outcomes(app) == [WAITS, (LetterState.DROPPED, Why.GONE)]
    assert [row[1:3] for row in wishes(app)] == followed[:1]


def test_a_wish_that_nobody_confirmed_keeps_no_address(app):
    post(app, follow="article")
    with app.app_context(), database.writing() as session:
        moderation.withdraw(session, session.scalars(select(Comment)).one())
        assert session.scalars(select(Author)).all() == []
        assert session.scalars(select(Follow)).all() == []


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_of_those_who_type_one_address_at_once_one_asks(app):
    """Of an address only one question is open, whichever articles and sites it is typed on."""
    keys = [f"site{number}" for number in range(4)]
    for key in keys:
        add_site(app, key, f"https://{key}.example")
    ready = threading.Barrier(len(keys))

    def post_there(key):
        ready.wait(10)
        post(app, f"On {key}.", site=key, url=f"https://{key}.example/1", follow="replies")

    with ThreadPoolExecutor(len(keys)) as threads:
        list(threads.map(post_there, keys))
    assert len(questions(app)) == 1
    assert len(wishes(app)) == len(keys)


ALIASES = [
    "victim+1@gmail.com",
    "Victim+2@googlemail.com",
    "v.ict.im@gmail.com",
    "\uff56ictim@gmail.com",
]


def test_a_mailbox_is_asked_once_by_whatever_alias(app):
    """Whoever aims mail at a stranger adds +1, +2, … to the address, from as many networks."""
    for number, alias in enumerate(["victim@gmail.com", *ALIASES]):
        post(app, f"Number {number}.", number, follow="article", email=alias)
    assert len(questions(app)) == 1


def test_who_answered_by_an_alias_may_be_asked_again(app):
    post(app, follow="article", email="victim+1@gmail.com")
    press(app, "confirm")
    post(app, "Once more.", follow="article", email="victim+2@gmail.com")
    assert len(questions(app)) == 2


def test_never_holds_for_the_aliases_of_whoever_was_asked(app):
    post(app, follow="article", email="victim+1@gmail.com")
    never = press(app, "never")
    with app.app_context(), database.writing() as session:
        session.execute(delete(Asking))  # the days are over
    for number, alias in enumerate(["victim@gmail.com", *ALIASES]):
        post(app, f"Number {number}.", number, follow="article", email=alias)
    assert len(questions(app)) == 1
    app.test_client().post(never, data={"action": "again"})
    post(app, "Once more.", follow="article", email="victim+2@gmail.com")
    assert len(questions(app)) == 2


def press(app, door):
    """The button behind a link of the first letter that asks."""
    url = link(app, door)
    answer = app.test_client().post(url)
    assert answer.status_code in (200, 303), answer.text
    return url


def link(app, door):
    """The address of a link in the first letter that asks."""
    with app.app_context():
        made = command._made(database.session(), command.the_post(), questions(app)[0].id)
        return made[2].values[f"{door}_url"].removeprefix("http://localhost")


def test_what_ends_while_its_letter_is_put_into_words_is_not_sent(make_app, monkeypatch):
    with mail_server() as mailbox:
        app = make_app(**MAILING | {"MAIL_URL": f"smtp+plain://127.0.0.1:{mailbox.port}"})
        post(app, follow="article")
        build = command.message.build

        def built(*given):
            with database.writing() as session:
                follows.end_all(session, rita(session))
            return build(*given)

        monkeypatch.setattr(command.message, "build", built)
        with app.app_context():
            command.send_letters()
        assert mailbox.mails == []
