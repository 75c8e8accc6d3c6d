"""The pages that letters to readers lead to."""

import re
from datetime import timedelta

import pytest
from cast import ARTICLE, RITA, add_site, reply, stored
from sqlalchemy import select, update

from service import database, follows, letters, moderation
from service.mail.confirm import LASTS, Confirming
from service.mail.leaving import Leaving, Refusing
from service.models import (
    Article,
    Asking,
    Author,
    Comment,
    Follow,
    Letter,
    Site,
    Unwanted,
    now,
)
from service.status import FollowPace, LetterKind, LetterState, Status, Why
from service.tokens import AuthorTokens

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def app(make_app):
    return make_app(MAIL_URL="smtp://127.0.0.1:1", MAIL_FROM="comments@service.example")


@pytest.fixture(autouse=True)
def site(app):
    return add_site(app)


@pytest.fixture
def index(app):
    return app.extensions["vault"].index(RITA["email"])


def post(app, comment="Hear, hear.", follow="article", **fields):
    sent = {"comment": comment, "follow": follow, "lang": "en"} | fields
    assert reply(app, app.test_client(), **sent).status_code == 303


def everything(app, model):
    with app.app_context():
        found = (
            database.session().scalars(select(model).order_by(*model.__table__.primary_key)).all()
        )
        database.session().expunge_all()
        return found


def confirm_path(app, index, number=0, signed_at=None):
    follow, comment = everything(app, Follow)[number], stored(app)[number]
    key = Confirming(follow.id, index, comment.public_id, signed_at or now())
    return f"/letters/confirm/{key.sign(app.extensions['signer'])}"


def proof_on(page):
    found = re.search(r'data-author="([^"]+)"', page)
    return found and found[1]


def change(app, statement):
    with app.app_context(), database.writing() as session:
        session.execute(statement)


def test_opening_only_shows_and_the_button_confirms(app, client, index):
    post(app)
    path = confirm_path(app, index)
    page = client.get(path)
    assert "Hear, hear." in page.text
    assert "r…@e…" in page.text
    assert proof_on(page.text) is None
    assert everything(app, Follow)[0].confirmed_at is None
    done = client.post(path)
    assert done.status_code == 200
    [follow], [author], [comment] = (everything(app, m) for m in (Follow, Author, Comment))
    assert follow.confirmed_at
    assert author.confirmed_at
    assert comment.is_proved
    assert everything(app, Asking)[0].answered_at
    tokens = AuthorTokens(app.extensions["signer"], "daily")
    assert tokens.read(proof_on(done.text)) == index
    for answer in (page, done):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "noindex" in answer.headers["X-Robots-Tag"]
        assert "Set-Cookie" not in answer.headers
        assert RITA["email"] not in answer.text


def test_the_proof_makes_the_next_comment_known_and_asks_no_more(app, client, index):
    post(app)
    proof = proof_on(client.post(confirm_path(app, index)).text)
    post(app, "The next.", "replies", author=proof)
    assert stored(app)[1].is_proved
    assert everything(app, Follow)[1].confirmed_at
    assert [letter.kind for letter in everything(app, Letter)] == [LetterKind.CONFIRM]


def test_it_proves_that_one_comment_and_no_stranger_s(app, client, index):
    post(app)
    post(app, "A stranger's, under her address.", "replies")
    client.post(confirm_path(app, index))
    assert [comment.is_proved for comment in stored(app)] == [True, False]
    assert [bool(f.confirmed_at) for f in everything(app, Follow)] == [True, False]


@pytest.mark.parametrize("name", ["The Daily", ""])  # deleted a moment ago, and erased since
def test_of_a_deleted_site_nothing_is_confirmed_and_everything_can_be_ended(
    app, client, index, name
):
    post(app)
    path, signer = confirm_path(app, index), app.extensions["signer"]
    change(app, update(Site).values(deleted_at=now(), name=name))
    for answer in (client.get(path), client.post(path)):
        assert (answer.status_code, "The Daily" in answer.text) == (410, False)
    assert everything(app, Follow)[0].confirmed_at is None
    leaving = f"/letters/leave/{Leaving(index, 1).sign(signer)}"
    assert f"Your letters from {name or 'daily'}" in client.get(leaving).text
    assert client.post(leaving, data={"action": "all"}).status_code == 303
    assert everything(app, Follow) == []
    refusing = f"/letters/never/{Refusing(index, 1, 'en', b'').sign(signer)}"
    assert client.post(refusing, data={"action": "never"}).status_code == 303
    assert len(everything(app, Unwanted)) == 1


def test_a_bounced_address_is_good_again(app, client, index):
    post(app)
    change(app, update(Author).values(returned_at=now()))
    client.post(confirm_path(app, index))
    assert everything(app, Author)[0].returned_at is None


def test_pressed_twice_it_brings_the_proof_twice_and_later_says_that_it_is_used(app, client, index):
    post(app)
    path = confirm_path(app, index)
    assert proof_on(client.post(path).text)
    assert proof_on(client.post(path).text)
    change(app, update(Follow).values(confirmed_at=now() - timedelta(minutes=11)))
    for answer in (client.get(path), client.post(path)):
        assert answer.status_code == 200
        assert "confirmed already" in answer.text
        assert proof_on(answer.text) is None


def test_what_ended_or_is_too_old_says_so(app, client, index):
    post(app)
    old = confirm_path(app, index, signed_at=now() - LASTS)
    change(app, update(Follow).values(created_at=now() - LASTS))
    ended = confirm_path(app, index)
    another = confirm_path(app, app.extensions["vault"].index("eve@example.org"))
    for path in (old, another):
        for answer in (client.get(path), client.post(path)):
            assert answer.status_code == 410
            assert "good no more" in answer.text
    with app.app_context(), database.writing() as session:
        follows.end_all(session, session.scalars(select(Author)).one())
    assert client.post(ended).status_code == 410
    assert not stored(app)[0].is_proved
    post(app)  # the same form: a new row, perhaps with the number of the old one
    change(app, update(Follow).values(created_at=now() + timedelta(seconds=5)))
    assert client.post(ended).status_code == 410


def test_a_comment_that_was_taken_back_confirms_nothing(app, client, index):
    post(app)
    post(app, "Another, so that she is known still.", "")
    path = confirm_path(app, index)
    with app.app_context(), database.writing() as session:
        moderation.withdraw(session, session.scalars(select(Comment).order_by(Comment.id)).first())
    assert len(everything(app, Follow)) == 1
    assert client.get(path).status_code == client.post(path).status_code == 410
    assert everything(app, Follow)[0].confirmed_at is None


def test_the_page_speaks_the_letter_s_language(app, client, index, site):
    key = Leaving(index, site, language="de").sign(app.extensions["signer"])
    assert 'lang="de"' in client.get(f"/letters/leave/{key}").text
    post(app, lang="ar")
    path = confirm_path(app, index)
    assert 'dir="rtl"' in client.get(path).text
    back = re.search(r'href="(/embed/daily[^"]+)"', client.post(path).text)
    assert 'dir="rtl"' in client.get(back[1].replace("&amp;", "&")).text


def test_an_address_in_the_text_is_masked(app, client, index):
    post(app, "Write to ada@example.org, please.")
    page = client.get(confirm_path(app, index)).text
    assert "please." in page
    assert "ada@example.org" not in page


@pytest.mark.parametrize("path", ["confirm/torn", "never/torn", "leave/torn"])
def test_a_torn_link_is_no_key(client, path):
    for answer in (client.get(f"/letters/{path}"), client.post(f"/letters/{path}")):
        assert answer.status_code == 404
        assert "not complete" in answer.text


def test_a_stranger_who_was_asked_ends_it_for_good(app, client, index):
    post(app)
    path = re.search(
        r'href="([^"]*/letters/never/[^"]+)"', client.get(confirm_path(app, index)).text
    )
    path = path[1]
    assert "Never write to me" in client.get(path).text
    assert everything(app, Unwanted) == []
    page = client.post(path, follow_redirects=True).text
    assert "Write to me again" in page
    assert [one.email_index for one in everything(app, Unwanted)] == [index]
    [letter] = everything(app, Letter)
    assert (letter.state, letter.why) == (LetterState.DROPPED, Why.NEVER)
    page = client.post(path, data={"action": "again"}, follow_redirects=True).text
    assert "may write to this address again" in page
    assert everything(app, Unwanted) == []


# Leaving


@pytest.fixture
def leave(app, client, index, site):
    """Rita follows an article and her own comment; gives the path of her page."""
    proof = AuthorTokens(app.extensions["signer"], "daily").make(index)
    post(app, author=proof)
    post(app, "Another.", "replies", author=proof)
    article = everything(app, Article)[0]
    change(app, update(Article).values(is_title_proved=True, title="A review"))
    with app.app_context(), database.writing() as session:
        for follow in session.scalars(select(Follow)):
            to = {"author_id": follow.author_id, "follow_id": follow.id}
            letters.write(session, LetterKind.ANSWERED, f"f {follow.id}", site, **to)
    key = Leaving(index, site, article.id)
    return f"/letters/leave/{key.sign(app.extensions['signer'])}"


def followed(app):
    return [(bool(f.article_id), f.pace) for f in everything(app, Follow)]


def states(app):
    return [letter.state for letter in everything(app, Letter)]


HERS = [(True, FollowPace.AT_ONCE), (False, FollowPace.AT_ONCE)]


def test_a_mail_program_s_button_ends_what_the_letter_was_about(app, client, leave):
    for _again in range(2):
        answer = client.post(leave, data=ONE_CLICK)
        assert answer.status_code == 200
        assert len(answer.data) < 100
        assert "Set-Cookie" not in answer.headers
        assert followed(app) == HERS[1:]
        assert states(app) == [LetterState.DROPPED, LetterState.QUEUED]


def test_it_works_for_all_who_use_one_provider(make_app, site):
    app = make_app(RATE_LIMITS="on")
    path = f"/letters/leave/{Leaving(b'nobody', site).sign(app.extensions['signer'])}"
    client = app.test_client()
    assert {client.post(path, data=ONE_CLICK).status_code for _ in range(70)} == {200}


def test_one_click_in_a_letter_about_no_single_thing_ends_all(app, client, index, site, leave):
    path = f"/letters/leave/{Leaving(index, site).sign(app.extensions['signer'])}"
    assert client.post(path, data=ONE_CLICK).status_code == 200
    assert followed(app) == []
    assert set(states(app)) == {LetterState.DROPPED}


def test_it_wins_over_a_letter_in_a_worker_s_hand(app, client, leave):
    change(app, update(Letter).values(claimed_by="w", claimed_until=now() + timedelta(minutes=5)))
    client.post(leave, data=ONE_CLICK)
    assert states(app) == [LetterState.DROPPED, LetterState.QUEUED]


def test_the_page_shows_all_and_changes_nothing(app, client, leave):
    page = client.get(leave)
    assert page.headers["Cache-Control"] == "no-store"
    assert page.text.count("A review") >= 2
    assert "r…@e…" in page.text
    assert RITA["email"] not in page.text
    assert page.text.index("The letter that you come from") < page.text.index("your comment")
    assert followed(app) == HERS
    change(app, update(Article).values(is_title_proved=False))
    page = client.get(leave).text
    assert "A review" not in page
    assert ARTICLE in page


def press(client, path, action, **fields):
    return client.post(path, data={"action": action, **fields}, follow_redirects=True).text


def test_each_thing_has_a_button_that_ends_it(app, client, leave):
    own = everything(app, Follow)[1]
    assert "no more letters about this" in press(client, leave, "ended", follow=own.id)
    assert followed(app) == HERS[:1]
    assert states(app) == [LetterState.QUEUED, LetterState.DROPPED]
    press(client, leave, "ended", follow=own.id)
    assert followed(app) == HERS[:1]


def test_the_pace_of_an_article_can_be_changed(app, client, leave):
    article, own = everything(app, Follow)
    press(client, leave, "pace", follow=article.id, pace="weekly")
    press(client, leave, "pace", follow=article.id, pace="hourly")
    press(client, leave, "pace", follow=own.id, pace="weekly")
    assert followed(app) == [(True, FollowPace.WEEKLY), HERS[1]]


def test_all_of_the_site_ends_with_one_button(app, client, leave):
    page = press(client, leave, "all")
    assert "follows nothing" in page
    assert followed(app) == []
    assert set(states(app)) == {LetterState.DROPPED}
    press(client, leave, "all")


def test_never_is_said_and_taken_back_on_one_page(app, client, leave):
    assert "Write to me again" in press(client, leave, "never")
    assert len(everything(app, Unwanted)) == 1
    assert set(states(app)) == {LetterState.DROPPED}
    assert "Write to me again" not in press(client, leave, "again")
    assert everything(app, Unwanted) == []
    assert followed(app) == HERS


def test_what_is_not_confirmed_can_be_wished_for_there_but_proves_no_comment(app, client, leave):
    post(app, "Without proof.", "replies")
    assert "not confirmed yet" in client.get(leave).text
    press(client, leave, "start", follow=everything(app, Follow)[2].id)
    assert everything(app, Follow)[2].confirmed_at
    assert not stored(app)[2].is_proved


def test_what_another_follows_is_out_of_reach(app, client, leave):
    post(app, "Eve's.", "replies", email="eve@example.org")
    eve = everything(app, Follow)[2]
    assert client.get(leave).text.count('name="follow"') == 2
    for action in ("ended", "start", "nonsense"):
        press(client, leave, action, follow=eve.id)
    assert followed(app) == [*HERS, HERS[1]]
    assert everything(app, Follow)[2].confirmed_at is None


def test_who_is_gone_is_told_that_nothing_comes(app, client, site):
    key = Leaving(b"gone", site, 7).sign(app.extensions["signer"])
    page = client.get(f"/letters/leave/{key}").text
    assert "follows nothing" in page
    assert client.post(f"/letters/leave/{key}", data=ONE_CLICK).status_code == 200
    for action in ("ended", "all", "pace", "start"):
        assert client.post(f"/letters/leave/{key}", data={"action": action}).status_code == 303
    never = Refusing(b"gone", site, "de").sign(app.extensions["signer"])
    assert 'lang="de"' in client.get(f"/letters/never/{never}").text


def test_status_is_not_touched(app, client, index):
    post(app)
    before = stored(app)[0]
    client.post(confirm_path(app, index))
    after = stored(app)[0]
    assert (after.status, after.version) == (before.status, before.version)
    assert after.status == Status.PENDING


@pytest.mark.parametrize("door", ["confirm", "never", "leave"])
def test_whatever_a_key_s_page_answers_is_private(app, make_app, client, index, site, door):
    """A refusal and a redirect too: the key stands in their address."""
    post(app)
    signer = app.extensions["signer"]
    keys = {
        "confirm": confirm_path(app, index).rpartition("/")[2],
        "never": Refusing(index, site, "en").sign(signer),
        "leave": Leaving(index, site).sign(signer),
    }
    path = f"/letters/{door}/{keys[door]}"
    limited = make_app(RATE_LIMITS="on", MAIL_URL="smtp://127.0.0.1:1", MAIL_FROM="a@b.example")
    answers = [client.post(path), client.get(f"{path}x"), client.put(path)]
    answers += [limited.test_client().post(path, data={"action": "x"}) for _ in range(61)]
    assert {answer.status_code for answer in answers} & {200, 303}
    assert {404, 405, 429} <= {answer.status_code for answer in answers}
    for answer in answers:
        if answer.status_code != 405:
            assert answer.headers["Cache-Control"] == "no-store", answer.status
            assert answer.headers["Referrer-Policy"] == "no-referrer", answer.status


@pytest.mark.parametrize("number", ["-1", "0", str(2**63), "9" * 30])
@pytest.mark.parametrize("action", ["ended", "start", "pace"])
def test_a_number_that_no_row_has_ends_nothing(app, client, index, site, leave, action, number):
    key = Leaving(index, site).sign(app.extensions["signer"])
    sent = {"action": action, "follow": number, "pace": "daily"}
    assert client.post(f"/letters/leave/{key}", data=sent).status_code == 303
    assert everything(app, Follow)
