"""An address that takes no mail is marked for its site, and nothing more is sent to it."""

import pytest
from cast import reply
from letterbox import RITA, acquaint, is_marked, states, work, write
from sqlalchemy import select, update

from service import accounts, database, letters, people
from service.mail import undeliverable
from service.models import Letter, Site, Unwanted, now
from service.status import LetterKind, LetterState, Pace, Role, Why


@pytest.fixture
def rita(app, monkeypatch):
    acquaint(app, monkeypatch)


REFUSED = (LetterState.FAILED, Why.REFUSED)
DROPPED = (LetterState.DROPPED, Why.RETURNED)


def test_a_refusal_of_the_address_marks_it_for_that_site_and_ends_what_waits(app, rita, mailbox):
    mailbox.refuses[RITA] = "550 5.1.1 <rita.reader@example.org>: nobody"
    write(app, 3)
    work(app)
    assert states(app) == [REFUSED, DROPPED, DROPPED]
    assert is_marked(app) == [True, False]
    mailbox.refuses.clear()
    write(app, 1)
    write(app, 1, "weekly")
    work(app)
    assert states(app)[3:] == [DROPPED, (LetterState.SENT, None)]
    assert len(mailbox.mails) == 1


@pytest.mark.parametrize(
    "said", ["550 5.7.1 we do not like your server", "552 5.2.2 full", "450 4.1.1 not now"]
)
def test_a_refusal_for_another_reason_marks_nothing(app, rita, mailbox, said):
    mailbox.refuses[RITA] = said
    write(app, 1)
    work(app)
    assert is_marked(app) == [False, False]


def test_nor_does_a_refusal_of_the_mail_itself(app, rita, mailbox):
    mailbox.after = "550 5.1.1 no such user, says the filter"
    write(app, 1)
    work(app)
    assert (states(app), is_marked(app)) == ([REFUSED], [False, False])


def test_a_moderator_s_address_is_marked_too_but_the_way_back_in_stays_open(app, mo, mailbox):
    mailbox.refuses["mo@daily.example"] = "550 5.1.1 nobody"
    assert reply(app, app.test_client()).status_code == 303
    with app.app_context(), database.writing() as session:
        session.execute(update(Letter).values(due_at=now()))
        later = {"moderator_id": mo, "due_at": now().replace(year=2100)}
        letters.write(session, LetterKind.WAITING, "another", 1, **later)
        letters.write(session, LetterKind.RESET, "reset", None, **later)
    work(app)
    assert states(app) == [REFUSED, DROPPED, (LetterState.QUEUED, None)]
    with app.app_context():
        assert database.session().get(accounts.Moderator, mo).returned_at is not None


def test_somebody_may_say_that_it_takes_mail_again(app, rita, mailbox):
    mailbox.refuses[RITA] = "550 5.1.1 nobody"
    write(app, 1)
    work(app)
    with app.app_context(), database.writing() as session:
        assert undeliverable.clear(session, 1)
        assert not undeliverable.clear(session, 1)
        assert not undeliverable.clear(session, None, 1)
    mailbox.refuses.clear()
    write(app, 1)
    work(app)
    assert states(app)[1:] == [(LetterState.SENT, None)]


def complain(app, letter_id):
    with app.app_context(), database.writing() as session:
        letter = session.get_one(Letter, letter_id)
        undeliverable.never_again(session, app.extensions["vault"], letter, now())


def test_who_complains_is_written_to_by_no_site_any_more(app, rita, mailbox):
    write(app, 1)
    work(app)
    write(app, 1)
    write(app, 1, "weekly")
    complain(app, 1)
    write(app, 1, "weekly")
    work(app)
    never = (LetterState.DROPPED, Why.NEVER)
    assert states(app)[1:] == [never, never, never]
    with app.app_context():
        kept = database.session().scalars(select(Unwanted.email_index)).all()
        assert kept == [app.extensions["vault"].index(RITA)]


def test_a_moderator_who_complains_gets_no_letters_and_keeps_the_role(app, mo):
    assert reply(app, app.test_client()).status_code == 303
    complain(app, 1)
    with app.app_context():
        moderator = database.session().get(accounts.Moderator, mo)
        assert (moderator.letters, len(moderator.memberships)) == (Pace.NONE, 1)
        assert database.session().scalars(select(Unwanted)).all() == []
    assert states(app) == [(LetterState.DROPPED, Why.UNWANTED)]


def test_a_call_of_a_webhook_marks_nobody(app, mo):
    with app.app_context(), database.writing() as session:
        call = Letter(kind=LetterKind.HOOK, hook_id=1)
        assert not undeliverable.mark(session, call, now())
        undeliverable.never_again(session, app.extensions["vault"], call, now())
        assert session.scalars(select(Unwanted)).all() == []


def test_who_complains_of_an_invitation_gets_no_other(app, mo, mailbox):
    with app.app_context(), database.writing() as session:
        site = session.get_one(Site, 1)
        for count in range(2):
            people.invite(session, "the operator", "new@daily.example", Role.MODERATOR, site)
            letters.write(
                session, LetterKind.INVITATION, f"invite {count}", 1, invitation_id=count + 1
            )
    complain(app, 1)
    work(app)
    never = (LetterState.DROPPED, Why.NEVER)
    assert (states(app), mailbox.mails) == ([never, never], [])
