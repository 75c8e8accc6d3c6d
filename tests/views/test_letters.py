"""Letters at the desk: which wait and why, which failed, and how often a moderator is written to."""

import re
from datetime import timedelta

import pytest
from cast import add_moderator, add_site, csrf, on_record, reply, sign_in, stored
from sqlalchemy import select, update

from service import accounts, database, letters
from service.models import Author, Letter, Site, now
from service.status import LetterKind, LetterState, Pace, Role, Why

PAGE = "/desk/letters/"
MAIL = {"MAIL_URL": "smtp://me:s3cret@mail.example", "MAIL_FROM": "comments@service.example"}


@pytest.fixture
def app(make_app):
    return make_app(**MAIL)


@pytest.fixture
def pia(another):
    """Pia, who publishes The Daily."""
    return another("pia", role=Role.PUBLISHER)


def change(app, **columns):
    with app.app_context(), database.writing() as session:
        for letter in session.scalars(select(Letter)):
            for name, value in columns.items():
                setattr(letter, name, value)


def states(app):
    with app.app_context():
        return [(one.state, one.why) for one in database.session().scalars(select(Letter))]


def again(client, letter_id=1):
    page = client.get("/desk/me/").text
    return client.post(f"{PAGE}{letter_id}/again", data={"csrf_token": csrf(page)})


def test_a_publisher_sees_what_waits_and_for_whom_it_is(pia, waiting):
    page = pia.get(PAGE).text
    assert "Comments wait" in page
    assert "p…@d…" in page
    assert "pia@daily.example" not in page
    assert "No mail leaves" not in page


@pytest.mark.parametrize("missing", ["MAIL_URL", "MAIL_FROM"])
def test_with_no_mail_the_desk_says_so(make_app, missing):
    app = make_app(**MAIL | {missing: ""})
    add_site(app)
    pia = sign_in(app, app.test_client(), add_moderator(app, role=Role.PUBLISHER))
    page = pia.get(PAGE).text
    assert f"No mail leaves this service: {missing} is not set." in page
    assert "No mail leaves this service" in pia.get("/desk/me/").text


def test_a_failed_one_is_shown_with_the_server_s_answer_and_can_be_tried_again(app, pia, waiting):
    failed = {"state": LetterState.FAILED, "why": Why.REFUSED, "attempts": 3}
    change(app, **failed, last_answer="550 no [address] here <b>")
    page = pia.get(PAGE).text
    for said in ("The mail server refused it.", "550 no [address] here &lt;b&gt;", "3 times"):
        assert said in page
    answer = again(pia)
    assert answer.status_code == 303
    assert "waits again" in pia.get(answer.location).text
    assert states(app) == [(LetterState.QUEUED, None)]
    assert again(pia).status_code == 409


def returned(app, model=Author, at=None):
    with app.app_context(), database.writing() as session:
        for one in session.scalars(select(model)):
            one.returned_at = at or now()


def is_returned(app, model=Author):
    with app.app_context():
        return [at is not None for at in database.session().scalars(select(model.returned_at))]


def test_a_failed_one_to_a_marked_address_says_what_to_do_and_trying_again_lifts_the_mark(
    app, pia, waiting
):
    change(app, state=LetterState.FAILED, why=Why.REFUSED)
    assert "Mail to this address comes back" not in pia.get(PAGE).text
    returned(app, accounts.Moderator)
    assert "Mail to this address comes back" in pia.get(PAGE).text
    assert again(pia).status_code == 303
    assert is_returned(app, accounts.Moderator) == [False]
    assert [(event.what, event.about) for event in on_record(app)] == [("mail_allowed", "letter 1")]


def write_again(client, public_id):
    page = client.get(f"/desk/comments/{public_id}").text
    path = f"/desk/comments/{public_id}/write-again"
    assert path in page or "came back" not in page
    return client.post(path, data={"csrf_token": csrf(page)})


def test_the_card_says_that_mail_comes_back_and_a_moderator_may_have_it_tried_again(
    app, mo, waiting
):
    for page in ("/desk/", f"/desk/comments/{waiting}"):
        assert "Mail to this address came back" not in mo.get(page).text
    returned(app, at=now() - timedelta(hours=2))
    for page in ("/desk/", f"/desk/comments/{waiting}"):
        shown = mo.get(page).text
        assert "Mail to this address came back" in shown
        assert "2 hours ago" in shown
        assert "rita.reader" not in shown
    assert write_again(mo, waiting).status_code == 303
    assert is_returned(app) == [False]
    assert "Mail to this address came back" not in mo.get("/desk/").text
    (event,) = on_record(app)
    assert (event.what, event.site_id, event.about) == ("mail_allowed", 1, f"comment {waiting}")
    assert "written to again" in mo.get("/desk/audit/").text
    write_again(mo, waiting)
    assert len(on_record(app)) == 1  # nothing was marked, and so nothing done


def test_on_another_site_nobody_has_it_tried_again(app, mo, waiting):
    add_site(app, "weekly", "https://weekly.example")
    returned(app)
    wim = add_moderator(app, "wim@weekly.example", "weekly")
    wims = sign_in(app, app.test_client(), wim)
    path = f"/desk/comments/{stored(app)[0].public_id}/write-again"
    assert wims.post(path, data={"csrf_token": csrf(wims.get("/desk/me/").text)}).status_code == 404
    assert mo.post(path).status_code == 400
    assert is_returned(app) == [True]


def test_each_reason_has_its_sentence(app, pia, waiting):
    for why in Why:
        change(app, state=LetterState.DROPPED, why=why)
        assert pia.get(PAGE).status_code == 200


def test_an_author_s_address_is_masked_too(app, pia, waiting):
    with app.app_context(), database.writing() as session:
        author = session.scalars(select(Author)).one()
        letters.write(session, LetterKind.WAITING, "x", author.site_id, author_id=author.id)
    page = pia.get(PAGE).text
    assert "r…@e…" in page
    assert "rita.reader" not in page


def test_no_link_and_no_secret_is_shown(app, pia, waiting):
    page = pia.get(PAGE).text
    with app.app_context():
        letter = database.session().scalars(select(Letter)).one()
    for secret in (letter.message_id, letter.cause_key, "s3cret"):
        assert secret not in page


def test_letters_of_another_site_are_none_of_theirs(app, pia, waiting):
    add_site(app, "weekly", "https://weekly.example")
    wim = add_moderator(app, "wim@weekly.example", "weekly", Role.PUBLISHER)
    wims = sign_in(app, app.test_client(), wim)
    change(app, state=LetterState.FAILED)
    assert "p…@d…" not in wims.get(PAGE).text
    assert again(wims).status_code == 404
    ada = add_moderator(app, "ada@service.example", None, Role.ADMIN)
    assert "p…@d…" in sign_in(app, app.test_client(), ada).get(PAGE).text


def test_a_moderator_is_not_shown_them(mo, waiting):
    assert mo.get(PAGE).status_code == 403
    assert again(mo).status_code == 403
    assert PAGE not in mo.get("/desk/me/").text


def test_nobody_is_sent_again_without_the_form(pia, waiting):
    assert pia.post(f"{PAGE}1/again").status_code == 400


def pace(client, chosen):
    page = client.get("/desk/me/").text
    return client.post("/desk/me/letters", data={"csrf_token": csrf(page), "pace": chosen})


def test_each_chooses_how_often_they_are_written_to(app, mo, daily):
    page = mo.get("/desk/me/").text
    assert 'value="at_once" checked' in page
    answer = pace(mo, "daily")
    assert answer.status_code == 303
    page = mo.get(answer.location).text
    assert 'value="daily" checked' in page
    with app.app_context():
        assert database.session().scalar(select(accounts.Moderator.letters)) == Pace.DAILY
    assert pace(mo, "often").status_code == 400


def test_what_waits_already_keeps_to_it(app, mo, waiting):
    change(app, due_at=now() + timedelta(days=1))
    pace(mo, "at_once")
    with app.app_context():
        assert database.session().scalar(select(Letter.due_at)) < now() + timedelta(minutes=2)
    pace(mo, "none")
    assert states(app) == [(LetterState.DROPPED, Why.UNWANTED)]
    assert reply(app, app.test_client(), comment="One more.").status_code == 303
    assert len(states(app)) == 1


def test_a_long_outbox_is_counted(app, pia, daily):
    with app.app_context(), database.writing() as session:
        site_id = session.scalar(select(Site.id))
        pias = session.scalar(select(accounts.Moderator.id))
        for number in range(60):
            kind, key = LetterKind.WAITING, f"test {number}"
            letters.write(session, kind, key, site_id, moderator_id=pias)
    assert "The next 50 of 60." in pia.get(PAGE).text


def test_what_was_sent_last_stands_first_whenever_it_was_written(app, pia, daily):
    with app.app_context(), database.writing() as session:
        site_id = session.scalar(select(Site.id))
        pias = session.scalar(select(accounts.Moderator.id))
        for minutes in (1, 5, 3):  # since it was sent
            kind, key = LetterKind.WAITING, f"test {minutes}"
            letters.write(session, kind, key, site_id, moderator_id=pias)
            session.execute(
                update(Letter)
                .where(Letter.cause_key == key)
                .values(state=LetterState.SENT, sent_at=now() - timedelta(days=minutes))
            )
    sent = pia.get(PAGE).text.partition("Sent lately")[2].partition("Not sent")[0]
    times = re.findall(r'datetime="([^"]+)"', sent)
    assert len(times) == 3
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("state", [LetterState.FAILED, LetterState.DROPPED])
def test_each_says_when_it_was(app, pia, waiting, state):
    change(app, state=state, why=Why.REFUSED)
    assert pia.get(PAGE).text.count("<time ") == 1


def choose_links(client, **sent):
    page = client.get("/desk/me/").text
    return client.post("/desk/me/mail-links", data={"csrf_token": csrf(page), **sent})


def test_links_to_decide_are_switched_off_and_on_again_on_the_record(app, mo):
    box = 'name="wanted" value="yes" aria-describedby="mail-links-hint"'
    assert f"{box} checked" in mo.get("/desk/me/").text
    answer = choose_links(mo)
    assert answer.location == "/desk/me/?said=links#letters"
    page = mo.get(answer.location).text
    assert "It is changed, for letters that you have already too." in page
    assert f"{box} checked" not in page
    choose_links(mo, wanted="yes")
    assert f"{box} checked" in mo.get("/desk/me/").text
    kept = [(event.what, event.about, event.by) for event in on_record(app)]
    assert kept == [("mail_links", "off", "mo"), ("mail_links", "on", "mo")]


def test_links_are_chosen_by_the_page_s_own_form(mo):
    assert mo.post("/desk/me/mail-links").status_code == 400
