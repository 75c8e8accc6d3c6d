"""Letters are written with their cause: one for each cause, and none for what was undone."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from cast import add_moderator, add_site, reply, stored
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from service import accounts, database, letters, moderation, notices
from service.models import Author, Comment, Decision, Letter, Site, now
from service.status import LetterKind, LetterState, Pace, Status, Why

AT = datetime(2026, 3, 4, 10, 20, tzinfo=UTC)


@pytest.fixture
def mo(app):
    add_site(app)
    return add_moderator(app)


def outbox(app):
    with app.app_context():
        found = database.session().scalars(select(Letter).order_by(Letter.id)).all()
        database.session().expunge_all()
        return found


def post(app, comment="Hear, hear.", **fields):
    assert reply(app, app.test_client(), comment=comment, **fields).status_code == 303


def change(app, **columns):
    with app.app_context(), database.writing() as session:
        for letter in session.scalars(select(Letter)):
            for name, value in columns.items():
                setattr(letter, name, value)


def write(session, key="a cause", **more):
    site_id = session.scalar(select(Site.id))
    return letters.write(session, LetterKind.WAITING, key, site_id, **more)


def decide(app, status=Status.APPROVED):
    """Decides on the first comment, and writes a letter about that to its author."""
    with app.app_context(), database.writing() as session:
        comment = session.scalars(select(Comment)).first()
        moderator = session.scalars(select(accounts.Moderator)).first()
        decision = moderation.decide(session, comment, status, comment.version, moderator)
        write(session, author_id=comment.author_id, decision=decision, comment_id=comment.id)
        return decision.id


def of_key(app, key="a cause"):
    return next(letter for letter in outbox(app) if letter.cause_key == key)


def test_a_comment_that_waits_is_a_letter_to_each_moderator_of_its_site(app, mo):
    add_site(app, "weekly", "https://weekly.example")
    admin = add_moderator(app, "ada@daily.example", None, accounts.Role.ADMIN)
    add_moderator(app, "wim@weekly.example", "weekly")
    post(app)
    written = outbox(app)
    assert {letter.moderator_id for letter in written} == {mo, admin}
    assert {letter.comment_id for letter in written} == {stored(app)[0].id}
    assert {letter.state for letter in written} == {LetterState.QUEUED}
    assert len({letter.message_id for letter in written}) == 2
    assert all(letter.message_id.endswith("@daily.example>") for letter in written)


def test_a_letter_holds_no_address_and_no_word_of_the_comment(app, mo):
    post(app, "A word that is nowhere else: zyzzyva")
    spelt = repr({c.key: getattr(outbox(app)[0], c.key) for c in Letter.__table__.columns})
    for secret in ("zyzzyva", "rita", "mo@", "Rita"):
        assert secret not in spelt


def test_nothing_is_written_about_spam_or_to_who_wants_none(app, mo):
    with app.app_context(), database.writing() as session:
        session.get_one(accounts.Moderator, mo).letters = Pace.NONE
    post(app)
    assert outbox(app) == []
    with app.app_context(), database.writing() as session:
        session.get_one(accounts.Moderator, mo).letters = Pace.AT_ONCE
        comment = session.scalars(select(Comment)).first()
        moderation.decide(
            session, comment, Status.SPAM, comment.version, session.get(accounts.Moderator, mo)
        )
        notices.arrived(session, comment)
    assert outbox(app) == []


def test_a_comment_that_is_not_stored_leaves_no_letter(app, mo):
    with app.app_context(), suppress(ZeroDivisionError), database.writing() as session:
        write(session, moderator_id=mo)
        raise ZeroDivisionError
    assert outbox(app) == []


def test_while_a_letter_waits_it_tells_of_what_comes_after_it_too(app, mo):
    post(app)
    post(app, "Another one.")
    assert len(outbox(app)) == 1


def test_after_a_letter_the_next_one_waits_for_the_hour_to_end(app, mo):
    post(app)
    sent_at = now() - timedelta(minutes=20)
    change(app, state=LetterState.SENT, sent_at=sent_at)
    post(app, "Another one.")
    post(app, "And one more.")
    _first, second = outbox(app)
    assert second.due_at == sent_at + notices.moderators.HOUR


def test_what_comes_while_a_letter_is_on_its_way_gets_the_next_one(app, mo):
    post(app)
    change(app, claimed_by="a worker", claimed_until=now() + timedelta(minutes=3))
    post(app, "Another one.")
    assert len(outbox(app)) == 2


@pytest.mark.parametrize(
    ("pace", "told_at", "due_at"),
    [
        (Pace.AT_ONCE, None, AT + notices.moderators.GATHER),
        (Pace.AT_ONCE, AT - timedelta(minutes=50), AT + timedelta(minutes=10)),
        (Pace.AT_ONCE, AT - timedelta(hours=3), AT + notices.moderators.GATHER),
        (Pace.HOURLY, None, datetime(2026, 3, 4, 11, tzinfo=UTC)),
        (Pace.DAILY, None, datetime(2026, 3, 5, 6, tzinfo=UTC)),
    ],
)
def test_each_moderator_is_told_at_their_own_pace(pace, told_at, due_at):
    assert notices.due_at(pace, AT, told_at) == due_at


def test_one_cause_has_one_letter(app, mo):
    with app.app_context(), database.writing() as session:
        assert write(session, moderator_id=mo) is not None
        assert write(session, moderator_id=mo) is None
    assert len(outbox(app)) == 1


def test_a_letter_about_a_decision_is_not_due_before_the_undo_window_is_over(app, mo):
    post(app)
    decision_id = decide(app)
    with app.app_context():
        at = database.session().get_one(Decision, decision_id).at
    assert of_key(app).due_at == at + timedelta(minutes=10)


@pytest.mark.parametrize("minutes", [0, 30])
def test_each_site_has_its_own_window(app, minutes):
    add_site(app, undo_minutes=minutes)
    add_moderator(app)
    post(app)
    decide(app)
    waits = of_key(app).due_at - now()
    assert abs(waits - timedelta(minutes=minutes)) < timedelta(seconds=30)


def test_an_undo_takes_its_letters_along_and_no_others(app, mo):
    post(app)
    decision_id = decide(app)
    with app.app_context(), database.writing() as session:
        moderator = session.get_one(accounts.Moderator, mo)
        moderation.undo(session, session.get_one(Decision, decision_id), moderator)
    assert (of_key(app).state, of_key(app).why) == (LetterState.DROPPED, Why.UNDONE)
    assert outbox(app)[0].state == LetterState.QUEUED  # it still waits


def test_so_does_an_undo_of_many(app, mo):
    post(app)
    with app.app_context(), database.writing() as session:
        moderator = session.get_one(accounts.Moderator, mo)
        comment = session.scalars(select(Comment)).one()
        ids = {comment.id: comment.version}
        moderation.decide_many(session, ids, Status.REJECTED, moderator, None)
        decision = session.scalars(select(Decision)).one()
        decision_id = decision.id
        write(session, author_id=comment.author_id, decision=decision)
    with app.app_context(), database.writing() as session:
        moderator = session.get_one(accounts.Moderator, mo)
        assert moderation.undo_many(session, [decision_id], moderator, None) == 1
    assert of_key(app).why == Why.UNDONE


def test_an_undo_leaves_alone_what_has_gone(app, mo):
    post(app)
    decision_id = decide(app)
    change(app, state=LetterState.SENT, sent_at=now())
    with app.app_context(), database.writing() as session:
        moderator = session.get_one(accounts.Moderator, mo)
        moderation.undo(session, session.get_one(Decision, decision_id), moderator)
    assert of_key(app).state == LetterState.SENT


def test_an_author_who_is_erased_takes_their_letters_along(app, mo):
    post(app)
    decide(app)
    with app.app_context(), database.writing() as session:
        moderation.withdraw(session, session.scalars(select(Comment)).one())
        assert session.scalars(select(Author)).all() == []
    assert "a cause" not in {letter.cause_key for letter in outbox(app)}


def test_an_author_who_wants_no_more_gets_none_that_wait(app, mo):
    post(app)
    decide(app)
    with app.app_context(), database.writing() as session:
        author_id = session.scalar(select(Author.id))
        assert letters.drop(session, Why.UNWANTED, author_ids=[author_id]) == 1
    assert of_key(app).why == Why.UNWANTED


def test_the_database_refuses_a_letter_to_nobody_or_to_two(app, mo):
    post(app)
    for more in ({}, {"moderator_id": mo, "author_id": 1}):
        refused = pytest.raises(IntegrityError, match="one_recipient")
        with app.app_context(), refused, database.writing() as session:
            write(session, "another", **more)


def test_comments_that_come_at_the_same_moment_are_one_letter(app, mo):
    """Whoever is a moment faster writes it, on either database."""
    together = threading.Barrier(4)

    def send(number):
        together.wait()
        post(app, f"One of several, number {number}.", email=f"r{number}@example.org")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(4)))
    assert len(stored(app)) == 4
    assert len(outbox(app)) == 1
