"""What moderators are told: that comments wait, of whatever sort; again, while they do; and of waves."""

from datetime import timedelta

import pytest
from cast import add_moderator, reply, stored
from sqlalchemy import event, select, update

from service import accounts, database, letters, moderation, notices, reports
from service.cli import mail as command
from service.cli import pruning, reminding
from service.models import Article, Comment, Letter, Site, Wave, now
from service.rules import Verdict
from service.status import LetterKind, LetterState, Pace, ReportReason, Status, Why

DAY = timedelta(days=1)


def post(app, **fields):
    assert reply(app, app.test_client(), **fields).status_code == 303
    return stored(app)[-1].id


def publish(app, mo, comment_id):
    with app.app_context(), database.writing() as session:
        comment = session.get_one(Comment, comment_id)
        moderator = session.get_one(accounts.Moderator, mo)
        moderation.decide(session, comment, Status.APPROVED, comment.version, moderator)
    settle(app)


def settle(app):
    """What was written so far is another story."""
    with app.app_context(), database.writing() as session:
        for letter in session.scalars(select(Letter)):
            session.delete(letter)


def edit(app, comment_id, text):
    """Its author changes a published comment, and the rules hold the change."""
    with app.app_context(), database.writing() as session:
        comment = session.get_one(Comment, comment_id)
        wording = moderation.Wording(text, f"<p>{text}</p>", None)
        moderation.edit(session, comment, comment.version, wording, Verdict(Status.PENDING))


def report(app, comment_id, reason=ReportReason.SPAM, network="192.0.2.0/24", threshold=1):
    with app.app_context(), database.writing() as session:
        comment = session.get_one(Comment, comment_id)
        notice = reports.Notice(reason, "rita@example.org sees through it", network)
        stored, is_due = reports.submit(
            session, app.extensions["vault"], comment, notice, threshold
        )
        notices.reported(session, stored, is_due)


def begin_wave(app, **columns):
    with app.app_context(), database.writing() as session:
        site_id = session.scalar(select(Site.id))
        wave = Wave(site_id=site_id, usual=3.2, peak=57, **columns)
        session.add(wave)
        session.flush()
        notices.wave_began(session, wave)
        return wave.id


def work(app):
    """Sends all that is written, as if it were due."""
    with app.app_context():
        with database.writing() as session:
            queued = update(Letter).where(Letter.state == LetterState.QUEUED)
            session.execute(queued.values(due_at=now() - timedelta(seconds=1)))
        command.send_letters()


def outbox(app):
    with app.app_context():
        found = database.session().scalars(select(Letter).order_by(Letter.id)).all()
        database.session().expunge_all()
        return found


def said(mail):
    plain = mail.get_body(["plain"]).get_content()
    html = mail.get_body(["html"]).get_content()
    return plain, " ".join(html.split())


def test_a_change_that_waits_is_told_with_what_is_public(app, mo, mailbox):
    comment_id = post(app, comment="It is blue.")
    publish(app, mo, comment_id)
    edit(app, comment_id, "It is green, ask ann@example.org.")
    work(app)
    (mail,) = mailbox.mails
    assert mail["Subject"] == "Rita changed a comment on daily.example/2026/review"
    for part in said(mail):
        assert "It is blue." in part
        assert "wants to change it to" in part
        assert "It is green" in part
        assert "ann@" not in part
        assert "Publish the change" in part


def test_what_readers_reported_is_told_with_their_reasons_and_without_them(app, mo, mailbox):
    comment_id = post(app)
    publish(app, mo, comment_id)
    report(app, comment_id, threshold=3)
    assert outbox(app) == []  # too few ask for a moderator
    report(app, comment_id, network="198.51.100.0/24", threshold=3)
    report(app, comment_id, ReportReason.PRIVATE, "203.0.113.0/24", threshold=3)
    work(app)
    (mail,) = mailbox.mails
    assert mail["Subject"].startswith("Readers reported what Rita wrote on")
    for part in said(mail):
        assert "reported by readers: spam or advertising × 2, something private × 1" in part
        assert "sees through it" not in part
        assert "192.0.2" not in part
        assert "Keep it" in part
    assert "/desk/?status=reported&" not in said(mail)[0]  # all of them are in the letter


def test_the_letter_counts_every_sort_and_names_the_newest(app, mo, mailbox):
    for number in range(6):
        last = post(app, comment=f"Comment {number}.", email=f"r{number}@example.org")
    publish(app, mo, last)
    edit(app, last, "Another one.")
    work(app)
    (mail,) = mailbox.mails
    assert mail["Subject"] == "6 comments wait on The Daily"
    plain = said(mail)[0]
    assert "Another one." in plain
    assert "Comment 0." not in plain
    assert "/desk/?status=pending&site=daily" in plain


@pytest.mark.parametrize("ask", [edit, lambda app, id, _: report(app, id)])
def test_what_is_answered_before_the_letter_is_sent_is_not_told(app, mo, mailbox, ask):
    comment_id = post(app)
    publish(app, mo, comment_id)
    ask(app, comment_id, "Another text.")
    with app.app_context(), database.writing() as session:
        comment = session.get_one(Comment, comment_id)
        moderator = session.get_one(accounts.Moderator, mo)
        assert moderation.decide(
            session,
            comment,
            Status.APPROVED,
            comment.version,
            moderator,
            vault=app.extensions["vault"],
        )
    work(app)
    assert mailbox.mails == []
    assert outbox(app)[0].why == Why.SETTLED


def test_a_comment_that_waits_is_not_told_again_when_its_author_changes_it(app, mo):
    comment_id = post(app)
    with app.app_context(), database.writing() as session:
        session.execute(update(Letter).values(state=LetterState.SENT, sent_at=now() - DAY / 2))
    edit(app, comment_id, "Another text.")
    assert len(outbox(app)) == 1


def told(app, ago, waits=None):
    """All was told so long ago; the oldest waits a little longer, or as long as is said."""
    with app.app_context(), database.writing() as session:
        session.execute(update(Comment).values(created_at=now() - (waits or ago + DAY / 24)))
        sent = {"state": LetterState.SENT, "sent_at": now() - ago, "due_at": now() - ago}
        session.execute(update(Letter).values(**sent))


def look(app, monkeypatch):
    monkeypatch.setitem(reminding._looked, "at", float("-inf"))
    with app.app_context():
        reminding.remind()


@pytest.mark.parametrize(
    ("days", "waits", "is_reminded"),
    [
        (0.9, 0.95, False),
        (1.1, 1.2, True),
        (1.1, 4, False),
        (2.1, 4, True),
        (3, 8, False),
        (5, 9, True),
    ],
)
def test_who_was_told_is_reminded_after_a_day_and_then_less_often(
    app, mo, monkeypatch, days, waits, is_reminded
):
    post(app)
    told(app, days * DAY, waits * DAY)
    look(app, monkeypatch)
    look(app, monkeypatch)  # another worker
    assert len(outbox(app)) == 1 + is_reminded


def test_a_reminder_says_since_when_and_is_one_of_the_hour_s_letters(app, mo, mailbox, monkeypatch):
    post(app)
    told(app, 3 * DAY)
    look(app, monkeypatch)
    post(app, comment="One more.")  # while it waits it tells of that too
    assert len(outbox(app)) == 2
    work(app)
    (mail,) = mailbox.mails
    assert mail["Subject"] == "Still waiting: 2 comments on The Daily"
    since = (now() - 3 * DAY - DAY / 24).strftime("%-d %B")
    for part in said(mail):
        assert f"The oldest has waited since {since}." in part
    assert mail["References"]


@pytest.mark.parametrize("state", [LetterState.FAILED, LetterState.DROPPED])
def test_a_letter_that_told_nobody_does_not_end_the_reminders(app, mo, monkeypatch, state):
    """The server would not take it; or its moderator wanted none for a while, or had lost the role."""
    post(app)
    with app.app_context(), database.writing() as session:
        session.execute(update(Comment).values(created_at=now() - 3 * DAY))
        session.execute(update(Letter).values(state=state, due_at=now() - 2 * DAY))
    look(app, monkeypatch)
    assert len(outbox(app)) == 2
    with app.app_context(), database.writing() as session:
        session.execute(update(Letter).values(state=state))
    look(app, monkeypatch)
    assert len(outbox(app)) == 2  # once a day at most, even if none ever goes


def test_who_lost_the_role_is_told_neither_what_was_written_nor_anew(app, mo, mailbox, monkeypatch):
    post(app)
    told(app, 3 * DAY)
    look(app, monkeypatch)
    begin_wave(app)
    with app.app_context(), database.writing() as session:
        for role in session.get_one(accounts.Moderator, mo).memberships:
            role.removed_at = now()
    work(app)
    assert mailbox.mails == []
    assert [letter.why for letter in outbox(app)[1:]] == [Why.FORBIDDEN, Why.FORBIDDEN]
    with app.app_context(), database.writing() as session:
        session.execute(update(Letter).values(due_at=now() - 2 * DAY))
    look(app, monkeypatch)
    assert len(outbox(app)) == 3


@pytest.mark.parametrize("pace", [Pace.NONE, None])
def test_nobody_is_reminded_who_wants_none_or_whose_mail_comes_back(app, mo, monkeypatch, pace):
    post(app)
    told(app, 3 * DAY)
    with app.app_context(), database.writing() as session:
        moderator = session.get_one(accounts.Moderator, mo)
        if pace:
            moderator.letters = pace
        else:
            moderator.returned_at = now()
    look(app, monkeypatch)
    assert len(outbox(app)) == 1


def test_nobody_is_reminded_of_what_they_were_never_told_or_what_is_decided(app, mo, monkeypatch):
    comment_id = post(app)
    told(app, 3 * DAY, 2 * DAY)  # the letter was about something else
    look(app, monkeypatch)
    assert len(outbox(app)) == 1
    told(app, 3 * DAY)
    publish(app, mo, comment_id)
    look(app, monkeypatch)
    assert outbox(app) == []


def test_a_wave_is_one_letter_to_each_at_once(app, mo, mailbox):
    add_moderator(app, "pia@daily.example", role=accounts.Role.PUBLISHER)
    with app.app_context(), database.writing() as session:
        session.get_one(accounts.Moderator, mo).letters = Pace.DAILY
    wave_id = begin_wave(app)
    assert {(letter.kind, letter.due_at <= now()) for letter in outbox(app)} == {
        (LetterKind.WAVE, True)
    }
    with app.app_context():
        command.send_letters()
    assert len(mailbox.mails) == 2
    mail = mailbox.mails[0]
    assert mail["Subject"] == "57 comments in a short time on The Daily"
    for part in said(mail):
        assert "57 came within" in part
        assert "Usual is 3 or fewer." in part
        assert f"https://comments.example/desk/waves/{wave_id}" in part


def test_a_wave_names_its_article_by_a_title_only_if_that_is_proved(app, mo, mailbox):
    post(app, title="Cheap pills")
    settle(app)
    with app.app_context():
        article = database.session().scalars(select(Article)).one()
        article_id, url = article.id, article.url
    begin_wave(app, article_id=article_id)
    work(app)
    for part in said(mailbox.mails[0]):
        assert url in part
        assert "pills" not in part


def test_a_wave_that_is_over_is_not_told(app, mo, mailbox):
    wave_id = begin_wave(app)
    with app.app_context(), database.writing() as session:
        session.get_one(Wave, wave_id).ended_at = now()
    work(app)
    assert mailbox.mails == []
    assert outbox(app)[0].why == Why.SETTLED


def test_who_wants_no_letters_any_more_is_not_told_of_a_wave_either(app, mo):
    begin_wave(app)
    with app.app_context(), database.writing() as session:
        notices.set_pace(session, mo, Pace.DAILY)
        due_at = session.scalars(select(Letter.due_at)).one()
        assert due_at <= now()  # a wave waits for no morning
        notices.set_pace(session, mo, Pace.NONE)
    assert outbox(app)[0].why == Why.UNWANTED


def add_old(session, mo):
    """Two of one chain; returns their site."""
    site_id = session.scalar(select(Site.id))
    for key in ("old", "the last"):
        letters.write(session, LetterKind.WAITING, key, site_id, moderator_id=mo)
    sent = {"state": LetterState.FAILED, "created_at": now() - 400 * DAY}
    session.execute(update(Letter).values(**sent))
    return site_id


@pytest.mark.parametrize(
    ("state", "days", "is_kept"),
    [
        (LetterState.SENT, 89, True),
        (LetterState.SENT, 91, False),
        (LetterState.DROPPED, 91, False),
        (LetterState.FAILED, 91, True),
        (LetterState.FAILED, 366, False),
        (LetterState.QUEUED, 400, True),
    ],
)
def test_old_letters_go_but_for_the_last_of_each_chain(app, mo, monkeypatch, state, days, is_kept):
    post(app)  # the last one
    with app.app_context(), database.writing() as session:
        site_id = session.scalar(select(Site.id))
        last = session.scalars(select(Letter)).one()
        session.delete(last)
        session.flush()
        for key in ("old", "the last"):
            letters.write(session, LetterKind.WAITING, key, site_id, moderator_id=mo)
        session.execute(update(Letter).values(state=state, created_at=now() - days * DAY))
    monkeypatch.setitem(pruning._looked, "letters", float("-inf"))
    with app.app_context():
        pruning.old_letters()
    kept = [letter.cause_key for letter in outbox(app)]
    assert kept == (["old", "the last"] if is_kept else ["the last"])


def test_a_letter_that_is_put_back_while_the_old_ones_are_removed_stays(app, mo):
    with app.app_context():
        with database.writing() as session:
            site_id = add_old(session, mo)
        ids = letters.old(database.session(), now())
        with database.writing() as session:
            session.execute(update(Letter).values(state=LetterState.QUEUED))
            letters.forget(session, ids)
    assert len(ids) == 1
    assert [letter.site_id for letter in outbox(app)] == [site_id, site_id]


def test_old_letters_are_found_by_their_index(app, mo):
    """A worker looks at each, again and again: it may not walk all that was ever sent."""
    with app.app_context():
        found = []
        connection = database.session().connection()
        event.listen(connection, "before_cursor_execute", lambda *told: found.append(told[2:4]))
        letters.old(database.session(), now())
        (statement, values) = found[0]
        if connection.dialect.name != "sqlite":
            return  # PostgreSQL plans by what is stored
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    said = " ".join(row[3] for row in plan)
    assert "ix_letters_created_at" in said
    assert "ix_letters_moderator" in said
    assert "SCAN" not in said
