import threading
import time
from datetime import UTC, datetime

import pytest
from cast import ARTICLE, ORIGIN, add_moderator, add_site, reply, stored, token
from sqlalchemy import select, text, update

from service import accounts, comments, database, moderation, reports
from service.models import Article, Comment, Decision, Note, Report, Site
from service.reports import Notice
from service.status import Act, Outcome, ReportReason, Status

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
THRESHOLD = 3


def network(number):
    return f"192.0.{number}.0/24"


@pytest.fixture
def mo(app):
    add_site(app)
    return add_moderator(app)


@pytest.fixture
def public_id(app, client, mo):
    """Rita's reply, published."""
    reply(app, client)
    public_id = stored(app)[0].public_id
    with app.app_context(), database.writing() as session:
        comment = comments.by_public_id(session, public_id)
        moderator = session.get_one(accounts.Moderator, mo)
        moderation.decide(session, comment, Status.APPROVED, 1, moderator)
    return public_id


@pytest.fixture
def report(app, public_id):
    """Reports it from a network; tells whether it asks for a moderator since."""

    def report(number=0, reason=ReportReason.SPAM, explanation=""):
        with app.app_context(), database.writing() as session:
            comment = comments.by_public_id(session, public_id)
            notice = Notice(reason, explanation, network(number))
            vault = app.extensions["vault"]
            return reports.submit(session, vault, comment, notice, THRESHOLD, AT)[1]

    return report


def all_of(app, table):
    with app.app_context():
        found = database.session().scalars(select(table).order_by(table.id)).all()
        database.session().expunge_all()
        return found


def test_a_network_reports_a_comment_once(app, report):
    report()
    report(reason=ReportReason.OFFENSIVE, explanation="Rude.")
    assert [(r.reason, r.explanation) for r in all_of(app, Report)] == [(ReportReason.SPAM, "")]


def test_enough_reports_ask_for_a_moderator_once_and_hide_nothing(app, report):
    assert [report(number) for number in range(THRESHOLD + 1)] == [False, False, True, False]
    [comment] = stored(app)
    assert (comment.reported_at, comment.status, comment.version) == (AT, Status.APPROVED, 2)


def test_what_may_be_illegal_asks_at_once_whatever_a_neighbour_said(app, report):
    assert not report(reason=ReportReason.OFF_TOPIC)
    assert report(reason=ReportReason.ILLEGAL, explanation="It threatens me.")
    assert len(all_of(app, Report)) == 2


def test_reports_that_were_closed_do_not_count_again(app, report, public_id):
    for number in range(THRESHOLD):
        report(number)
    with app.app_context(), database.writing() as session:
        reports.close(session, stored(app)[0].id, Outcome.KEPT, AT)
    assert not report(THRESHOLD)
    assert stored(app)[0].reported_at is None
    assert [r.outcome for r in all_of(app, Report)] == [Outcome.KEPT] * 3 + [None]


def test_a_moderator_keeps_it(app, mo, report, public_id):
    report(reason=ReportReason.ILLEGAL)
    with app.app_context(), database.writing() as session:
        comment = comments.by_public_id(session, public_id)
        moderator = session.get_one(accounts.Moderator, mo)
        # The decision that was made before the reports, sent once more, is no answer to them.
        moderation.decide(session, comment, Status.APPROVED, 1, moderator)
        assert comment.reported_at is not None
        decision = moderation.decide(session, comment, Status.APPROVED, 2, moderator, "Fair.")
        assert (decision.act, decision.version) == (Act.KEPT, 3)
    [comment] = stored(app)
    assert (comment.status, comment.reported_at) == (Status.APPROVED, None)
    assert all_of(app, Report)[0].outcome == Outcome.KEPT


def test_keeping_it_can_be_undone_and_that_too(app, mo, report, public_id):
    def open_ones():
        outcomes = [one.outcome for one in all_of(app, Report)]
        return outcomes.count(None), stored(app)[0].report_count, bool(stored(app)[0].reported_at)

    report(reason=ReportReason.ILLEGAL)
    with app.app_context(), database.writing() as session:
        comment = comments.by_public_id(session, public_id)
        moderator = session.get_one(accounts.Moderator, mo)
        moderation.decide(session, comment, Status.APPROVED, 2, moderator)
    for asks in (True, False, True):
        with app.app_context(), database.writing() as session:
            last = moderation.latest(session, stored(app)[0].id)
            moderator = session.get_one(accounts.Moderator, mo)
            undone = moderation.undo(session, last, moderator)
            assert (undone.act, undone.to_status) == (Act.UNDONE, Status.APPROVED)
            assert moderation.is_standing(undone) != asks
        assert open_ones() == (int(asks), int(asks), asks)


def test_a_held_comment_leaves_the_thread_and_waits(app, report, public_id):
    report(reason=ReportReason.ILLEGAL)
    with app.app_context(), database.writing() as session:
        moderation.hold(session, comments.by_public_id(session, public_id))
    [comment] = stored(app)
    last = all_of(app, Decision)[-1]
    assert (comment.status, comment.reported_at) == (Status.PENDING, AT)
    assert (last.act, last.by, last.moderator_id) == (Act.HELD, "readers’ reports", None)
    assert all_of(app, Article)[0].approved_count == 0


def test_only_open_reports_stand_on_a_card(app, report):
    report(0)
    report(1, ReportReason.OFFENSIVE)
    comment_id = stored(app)[0].id
    with app.app_context(), database.writing() as session:
        found = reports.open_of(session, [comment_id])[comment_id]
        assert [r.reason for r in found] == [ReportReason.SPAM, ReportReason.OFFENSIVE]
        reports.close(session, comment_id, Outcome.REMOVED)
        assert reports.open_of(session, [comment_id]) == {}


def test_the_public_reason_is_told_once_there_is_an_outcome(app, report, mo, public_id):
    report(reason=ReportReason.ILLEGAL)
    with app.app_context(), database.writing() as session:
        comment = comments.by_public_id(session, public_id)
        kept = Decision(
            comment_id=comment.id,
            by="mo",
            act=Act.KEPT,
            from_status=Status.APPROVED,
            to_status=Status.APPROVED,
            version=3,
            note=Note(text="for us", public_text="It is an opinion."),
        )
        session.add(kept)
        session.flush()
        found = session.scalars(select(Report)).one()
        assert reports.public_reason(session, found) == ""
        reports.close(session, comment.id, Outcome.KEPT)
        session.refresh(found)
        assert reports.public_reason(session, found) == "It is an opinion."
        assert session.scalars(select(Comment)).one().reported_at is None


def test_a_comment_knows_how_many_of_its_reports_are_open(app, mo, report):
    report(1)
    report(1)
    report(2)
    assert stored(app)[0].report_count == 2
    with app.app_context(), database.writing() as session:
        comment, moderator = session.get_one(Comment, 1), session.get_one(accounts.Moderator, mo)
        decision = moderation.decide(session, comment, Status.SPAM, 2, moderator)
        assert comments.by_public_id(session, comment.public_id).report_count == 0
        moderation.undo(session, decision, moderator)
    assert stored(app)[0].report_count == 2


@pytest.fixture
def folded(app, public_id):
    """It is in a fold: whoever changes it asks for the fold before any row."""
    with app.app_context(), database.writing() as session:
        session.execute(update(Comment).values(fold_key="tx"))


@pytest.fixture
def meanwhile(app, folded):
    """Begins to empty the comment in a transaction beside this one, and returns once that waits."""
    begun, failed = [], []

    def withdraw():
        try:
            with app.app_context(), database.writing() as session:
                moderation.withdraw(session, session.get_one(Comment, 1))
        except Exception as error:
            failed.append(error)

    def begin():
        begun.append(threading.Thread(target=withdraw))
        begun[0].start()
        waiting = text(
            "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE NOT granted AND datname = current_database()"
        )
        with app.extensions["database"].read_engine.connect() as connection:
            while begun[0].is_alive() and not connection.scalar(waiting):
                time.sleep(0.01)

    yield begin
    begun[0].join()
    assert failed == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_report_that_holds_stands_in_no_circle_with_who_decides(
    app, client, public_id, meanwhile, monkeypatch
):
    with app.app_context(), database.writing() as session:
        site = session.get_one(Site, 1)
        site.settings = {"reports_hold": True, "report_threshold": 1}
    hold = moderation.hold
    monkeypatch.setattr(moderation, "hold", lambda *what: meanwhile() or hold(*what))
    answer = client.post(
        f"/embed/daily/comments/{public_id}/report",
        data={"url": ARTICLE, "token": token(app), "reason": "spam", "explanation": ""},
        headers={"Origin": ORIGIN},
    )
    assert answer.status_code == 303


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_an_undo_that_opens_reports_stands_in_no_circle_with_who_decides(
    app, mo, report, meanwhile, monkeypatch
):
    report()
    with app.app_context(), database.writing() as session:
        moderator = session.get_one(accounts.Moderator, mo)
        decision = moderation.decide(session, session.get_one(Comment, 1), "spam", 2, moderator).id
    reopen = reports.reopen
    monkeypatch.setattr(reports, "reopen", lambda *what: reopen(*what) or meanwhile())
    with app.app_context(), database.writing() as session:
        moderator = session.get_one(accounts.Moderator, mo)
        moderation.undo(session, session.get_one(Decision, decision), moderator)
