"""The outbox is emptied: each letter once, or later, or never, and none is lost."""

import time
from collections import Counter
from datetime import timedelta

import pytest
from cast import add_moderator, add_site, reply, stored
from conftest import SETTINGS
from mailserver import WORKER
from sqlalchemy import select, update
from workers import share_work

from service import accounts, database, letters, moderation
from service.cli import mail as command
from service.mail import outbox
from service.models import Comment, Letter, Site, now
from service.status import LetterKind, LetterState, Pace, Status, Why


def post(app, comment="Hear, hear.", **fields):
    assert reply(app, app.test_client(), comment=comment, **fields).status_code == 303


def make_due(app):
    with app.app_context(), database.writing() as session:
        queued = update(Letter).where(Letter.state == LetterState.QUEUED)
        session.execute(queued.values(due_at=now() - timedelta(seconds=1)))


def work(app, is_due=True):
    """One turn of the worker's, after so long that all that waits is due."""
    if is_due:
        make_due(app)
    with app.app_context():
        return command.send_letters()


def all_letters(app):
    with app.app_context():
        found = database.session().scalars(select(Letter).order_by(Letter.id)).all()
        database.session().expunge_all()
        return found


def only(app):
    (letter,) = all_letters(app)
    return letter


def write(app, moderator_id, number):
    """So many letters to one moderator, due now."""
    with app.app_context(), database.writing() as session:
        site_id = session.scalar(select(Site.id))
        for count in range(number):
            kind, key = LetterKind.WAITING, f"test {moderator_id} {count}"
            letters.write(session, kind, key, site_id, moderator_id=moderator_id)


def test_a_comment_that_waits_reaches_its_moderator(app, mo, mailbox):
    post(app, "Tell rita@example.org what you think of it.")
    assert work(app, is_due=False) is False  # not before it is due
    assert work(app)
    (mail,) = mailbox.mails
    letter = only(app)
    assert (letter.state, letter.why, letter.attempts) == (LetterState.SENT, None, 1)
    assert "250" in letter.last_answer
    assert mailbox.envelopes == [("comments@service.example", ["mo@daily.example"])]
    assert mail["Message-ID"] == letter.message_id
    link = f"https://comments.example/desk/comments/{stored(app)[0].public_id}"
    for part in (mail.get_body(["plain"]), mail.get_body(["html"])):
        said = part.get_content()
        assert "Rita" in said
        assert "what you think of it" in said
        assert link in said
        assert "Every comment" in said or "waits" in said
        assert "@example.org" not in said
        assert "rita.reader" not in said
    assert work(app) is False
    assert len(mailbox.mails) == 1


def test_what_is_decided_before_it_is_due_is_not_told_of(app, mo, mailbox):
    post(app)
    with app.app_context(), database.writing() as session:
        comment = session.scalars(select(Comment)).one()
        moderator = session.get_one(accounts.Moderator, mo)
        moderation.decide(session, comment, Status.APPROVED, comment.version, moderator)
    work(app)
    assert (only(app).state, only(app).why) == (LetterState.DROPPED, Why.SETTLED)
    assert mailbox.mails == []


def test_a_letter_tells_of_all_that_wait_when_it_is_sent(app, mo, mailbox):
    for number in range(7):
        post(app, f"Comment number {number}.")
    work(app)
    (mail,) = mailbox.mails
    assert mail["Subject"] == "7 comments wait on The Daily"
    said = mail.get_body(["plain"]).get_content()
    assert "number 6" in said
    assert "number 0" not in said
    assert "https://comments.example/desk/?status=pending&site=daily" in said


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda m: setattr(m, "letters", Pace.NONE), Why.UNWANTED),
        (lambda m: setattr(m, "active", False), Why.FORBIDDEN),
        (lambda m: setattr(m.memberships[0], "removed_at", now()), Why.FORBIDDEN),
    ],
)
def test_who_may_or_wants_no_more_gets_none(app, mo, mailbox, change, why):
    post(app)
    with app.app_context(), database.writing() as session:
        change(session.get_one(accounts.Moderator, mo))
    work(app)
    assert (only(app).state, only(app).why) == (LetterState.DROPPED, why)
    assert mailbox.mails == []


def test_a_refusal_for_good_is_shown_and_not_tried_again(app, mo, mailbox):
    mailbox.refuses["mo@daily.example"] = "550 5.7.1 <mo@daily.example>: no mo here"
    post(app)
    work(app)
    letter = only(app)
    assert (letter.state, letter.why) == (LetterState.FAILED, Why.REFUSED)
    assert letter.last_answer == "550 5.7.1 [address]: no [address] here"
    assert work(app) is False
    mailbox.refuses.clear()
    with app.app_context(), database.writing() as session:
        assert outbox.try_again(session, letter.id, now())
    assert work(app)
    assert mailbox.ids == [letter.message_id]


def test_a_refusal_of_one_leaves_the_others_alone(app, mo, mailbox):
    add_moderator(app, "ann@daily.example")
    mailbox.refuses["mo@daily.example"] = "550 nobody"
    post(app)
    work(app)
    assert [letter.state for letter in all_letters(app)] == [LetterState.FAILED, LetterState.SENT]


def test_what_is_refused_for_now_is_tried_later_and_later_until_it_has_failed(app, mo, mailbox):
    mailbox.after = "451 come back later"
    post(app)
    waits = []
    for _ in range(outbox.MOST_ATTEMPTS):
        work(app)
        waits.append(only(app).due_at - now())
    assert only(app).state == LetterState.FAILED
    assert only(app).why == Why.LATER
    assert waits[0] < timedelta(minutes=1.3)
    assert waits[4] > timedelta(minutes=11)
    assert mailbox.mails == []


def test_a_wait_doubles_and_is_never_the_same():
    for attempts, minutes in ((1, 1), (2, 2), (5, 16), (9, 256), (12, 360), (40, 360)):
        waits = {outbox.back_off(attempts).total_seconds() / 60 for _ in range(50)}
        assert minutes * 0.75 <= min(waits) < max(waits) <= minutes * 1.25


def test_without_a_server_all_wait_and_none_of_them_is_to_blame(app, make_app, mo, mailbox):
    post(app)
    lost = make_app(**settings(app) | {"MAIL_URL": "smtp://127.0.0.1:1"})
    assert work(lost) is False
    letter = only(app)
    assert (letter.state, letter.why, letter.attempts) == (LetterState.QUEUED, Why.SERVER, 0)
    assert "127.0.0.1:1 does not answer" in letter.last_answer
    assert now() < letter.due_at < now() + timedelta(minutes=2)
    assert work(app)
    assert mailbox.ids == [letter.message_id]


def test_a_sender_that_is_refused_is_no_letter_s_fault(app, mo, mailbox):
    mailbox.refuses_sender = "553 not yours"
    post(app)
    work(app)
    assert (only(app).state, only(app).why) == (LetterState.QUEUED, Why.SERVER)
    assert "MAIL_FROM" in only(app).last_answer


@pytest.mark.parametrize("missing", ["MAIL_URL", "MAIL_FROM", "BASE_URL"])
def test_with_no_mail_letters_wait(app, make_app, mo, missing):
    silent = make_app(**settings(app) | {missing: ""})
    post(app)
    assert work(silent) is False
    assert only(app).state == LetterState.QUEUED


def test_an_address_gets_so_many_in_an_hour_and_the_others_wait(app, make_app, mo, mailbox):
    post(app)
    capped = make_app(**settings(app) | {"MAIL_PER_ADDRESS": 3})
    write(app, mo, 5)
    assert work(capped)
    waiting = [one for one in all_letters(app) if one.state == LetterState.QUEUED]
    assert (len(mailbox.mails), len(waiting)) == (3, 3)
    assert {one.why for one in waiting} == {Why.CAP}
    assert all(now() + timedelta(minutes=58) < one.due_at for one in waiting)
    assert {one.attempts for one in waiting} == {0}
    with app.app_context(), database.writing() as session:  # an hour later
        session.execute(update(Letter).values(sent_at=now() - timedelta(hours=1)))
    assert work(capped)
    assert len(mailbox.mails) == 6


def test_a_site_has_a_cap_too(app, make_app, mo, mailbox):
    post(app)
    ann = add_moderator(app, "ann@daily.example")
    capped = make_app(**settings(app) | {"MAIL_PER_SITE": 2})
    write(app, ann, 3)
    assert work(capped)
    assert len(mailbox.mails) == 2


def test_what_is_dropped_while_it_is_in_hand_is_not_sent(app, mo, mailbox):
    post(app)
    make_due(app)
    with app.app_context():
        with database.writing() as session:
            (letter_id,) = outbox.claim(session, "me", now())
        with database.writing() as session:
            session.get_one(Letter, letter_id).state = LetterState.DROPPED
        with database.writing() as session:
            assert not outbox.begin(session, letter_id, "me", now(), outbox.Caps(0, 0))


def test_a_lease_keeps_others_off_until_it_ends(app, mo):
    post(app)
    make_due(app)
    with app.app_context():
        at = now()
        with database.writing() as session:
            (letter_id,) = outbox.claim(session, "one", at)
        with database.writing() as session:
            assert outbox.claim(session, "two", at) == []
        # Renewed before the letter is sent: it lasts from then.
        later = at + outbox.LEASE - timedelta(seconds=1)
        with database.writing() as session:
            assert outbox.begin(session, letter_id, "one", later, outbox.Caps(0, 0))
        with database.writing() as session:
            assert outbox.claim(session, "two", at + outbox.LEASE) == []
        with database.writing() as session:
            assert outbox.claim(session, "two", later + outbox.LEASE) == [letter_id]
        with database.writing() as session:
            assert not outbox.begin(session, letter_id, "one", later, outbox.Caps(0, 0))


def test_the_lease_is_longer_than_a_server_may_take():
    assert outbox.LEASE.total_seconds() > outbox.MOST_SECONDS


def test_a_letter_that_cannot_be_written_is_tried_later_and_the_next_one_goes(
    app, mo, mailbox, monkeypatch, caplog
):
    add_moderator(app, "ann@daily.example")
    post(app)
    real = command.post_office.compose

    def broken(session, post, letter):
        if letter.moderator_id == mo:
            raise KeyError("of this test")
        return real(session, post, letter)

    monkeypatch.setattr(command.post_office, "compose", broken)
    work(app)
    mine, hers = all_letters(app)
    assert (mine.state, mine.why, hers.state) == (LetterState.QUEUED, Why.BROKEN, LetterState.SENT)


def settings(app):
    names = ("MAIL_URL", "MAIL_FROM", "BASE_URL", "DATABASE_URL")
    return {name: app.config[name] for name in names}


# --- Two workers, one of which is killed ---------------------------------------------------------

LETTERS = 60


@pytest.mark.long
@pytest.mark.parametrize("is_killed", [False, True], ids=["both live", "one is killed"])
def test_two_workers_share_the_work_and_none_is_lost(
    make_app, database_url, tmp_path, is_killed, mailbox
):
    given = SETTINGS | {
        "DATABASE_URL": database_url,
        "INSTANCE": str(tmp_path),
        "MAIL_URL": f"smtp://127.0.0.1:{mailbox.port}",
        "MAIL_FROM": "comments@service.example",
        "MAIL_PER_ADDRESS": 0,
        "MAIL_PER_SITE": 0,
    }
    app = make_app(**given)
    add_site(app)
    mo = add_moderator(app)
    post(app)
    write(app, mo, LETTERS)
    make_due(app)
    mailbox.waits = lambda: time.sleep(0.02)

    def states():
        return Counter(letter.state for letter in all_letters(app))

    share_work(
        WORKER,
        given,
        lambda: states()[LetterState.SENT] == LETTERS + 1,
        (lambda: len(mailbox.mails) >= LETTERS // 3) if is_killed else None,
    )
    assert states() == {LetterState.SENT: LETTERS + 1}
    times = Counter(mailbox.ids)
    assert len(times) == LETTERS + 1
    assert sum(times.values()) - len(times) <= is_killed  # the one in flight
    assert len(mailbox.peers) >= 2
