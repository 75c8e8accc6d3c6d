"""The filter that learns: from decisions, in order, once each; and what is undone is unlearned."""

import multiprocessing
import os
import signal
import time

import pytest
from cast import add_moderator, add_site, reply, sign_in, stored
from pupils import teach_often
from sqlalchemy import func, select

from service import accounts, comments, database, features, lessons, moderation
from service import learning as learned
from service.cli import learning, worker
from service.models import Comment, Decision, Feature, Judgement, Knowledge, Lesson, Site
from service.screening import filter
from service.status import Occasion, Status

SPAM = "Cheap watches and casino bonus number {n}, click here: http://cheap{n}.example/buy"
HAM = "Thanks for this article, number {n}: I think the author is right about the city council."
BOTH = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def daily(app):
    return add_site(app)


@pytest.fixture
def mo(app, daily):
    return add_moderator(app)


@pytest.fixture
def post(app, daily):
    def post(text, **fields):
        sent = reply(app, app.test_client(), comment=text, **fields)
        assert sent.status_code == 303, sent.text
        return stored(app)[-1].id

    return post


@pytest.fixture
def decide(app, mo):
    def decide(comment_id, to):
        with app.app_context(), database.writing() as session:
            comment = session.get_one(Comment, comment_id)
            by = session.get_one(accounts.Moderator, mo)
            return moderation.decide(session, comment, to, comment.version, by).id

    return decide


@pytest.fixture
def undo(app, mo):
    def undo(decision_id):
        with app.app_context(), database.writing() as session:
            by = session.get_one(accounts.Moderator, mo)
            moderation.undo(session, session.get_one(Decision, decision_id), by)

    return undo


@pytest.fixture
def taught(app, post, decide):
    """Mo has decided on so many comments, half of them spam, and the worker has learned."""

    def taught(times, spam=SPAM, ham=HAM):
        for n in range(times):
            is_spam = n % 2 == 0
            comment_id = post((spam if is_spam else ham).format(n=n))
            decide(comment_id, Status.SPAM if is_spam else Status.APPROVED)
        work(app)

    return taught


def work(app):
    with app.app_context():
        while worker.run():
            pass


def score(app, site_id, text, name="Rita"):
    with app.app_context():
        vault = app.extensions["vault"]
        return filter.score(database.session(), vault, site_id, name, "", text)


def model(app):
    """All that is known: the totals, and each feature's row."""
    with app.app_context():
        session = database.session()
        known = session.scalars(select(Knowledge)).one()
        rows = session.scalars(select(Feature).order_by(Feature.hash))
        found = {r.hash: (r.spam, r.ham, r.weight, r.squares) for r in rows}
        return (known.spam, known.ham), found


def assert_same(one, other):
    assert one[0] == other[0]
    assert one[1].keys() == other[1].keys()
    for hash, numbers in one[1].items():
        assert other[1][hash] == pytest.approx(numbers, abs=1e-6)


def test_it_is_silent_before_twenty_decisions_and_speaks_from_then_on(app, daily, taught):
    taught(19)
    assert score(app, daily, "A casino bonus, click here") is None
    taught(1, spam="One more casino bonus {n}")
    assert score(app, daily, "A casino bonus, click here").chance > 0.7
    assert score(app, daily, "I think this article is right").chance < 0.3


def test_it_is_silent_where_all_decisions_were_the_same(app, daily, taught):
    taught(24, ham=SPAM.replace("number", "numbers"))
    with app.app_context(), database.writing() as session:
        known = session.scalars(select(Knowledge)).one()
        known.spam, known.ham = 24, 0
    assert score(app, daily, "A casino bonus, click here") is None


@pytest.mark.parametrize(
    ("spam", "ham", "like_spam", "like_ham", "word"),
    [
        (
            "최고의카지노사이트{n}보너스",
            "좋은기사감사합니다{n}",
            "온라인카지노보너스",
            "기사감사",
            "카지노",
        ),
        (
            "欢迎来到在线赌场{n}领取奖金",
            "这篇文章写得很好{n}",
            "最好的赌场奖金",
            "文章很好",
            "赌场",
        ),
        (
            "العب في كازينو {n} واربح المال",
            "شكرا على هذا المقال {n}",
            "كازينو المال",
            "شكرا المقال",
            "كازينو",
        ),
    ],
)
def test_it_works_in_any_writing(app, daily, taught, spam, ham, like_spam, like_ham, word):
    taught(20, spam, ham)
    found = score(app, daily, like_spam)
    assert found.chance > 0.7
    assert score(app, daily, like_ham).chance < 0.3
    assert any(told[1:] in word or word in told for told in found.telling if told[0] == "+")


def test_it_tells_which_of_the_comment_s_own_words_told_and_never_an_address(app, daily, taught):
    taught(20, spam=SPAM + " write to sales@cheap.example")
    found = score(app, daily, "Thanks, a casino: sales@cheap.example")
    assert any("casino" in word for word in found.telling if word[0] == "+")
    assert "-Thanks" in found.telling  # as it is typed there
    assert len(found.telling) <= 6
    assert not any("@" in word or "sales" in word for word in found.telling)


def test_what_stands_in_both_kinds_is_not_named_though_it_says_something():
    found = [features.Feature(1, 1.0, "and"), features.Feature(2, 1.0, "casino")]
    known = {1: learned.Known(10, 5, 2.0, 1.0), 2: learned.Known(10, 0, 2.0, 1.0)}
    said = filter.weigh(found, known, learned.Totals(10, 10), "A casino, and more")
    assert said.telling == ("+casino",)


def test_what_is_undone_is_unlearned_whatever_came_later(app, taught, post, decide, undo):
    taught(6)
    before = model(app)
    decision = decide(post("Buy gold and silver, casino"), Status.SPAM)
    work(app)
    assert model(app) != before
    undo(decision)
    work(app)
    assert_same(model(app), before)
    with app.app_context():
        assert database.session().scalar(select(func.count()).select_from(Lesson)) == 6


def test_an_earlier_decision_is_learned_again_when_a_later_one_is_undone(
    app, taught, post, decide, undo
):
    taught(2)
    comment_id = post("Is this gold?")
    decide(comment_id, Status.APPROVED)
    work(app)
    before = model(app)
    second = decide(comment_id, Status.SPAM)
    work(app)
    assert model(app)[0] == (2, 1)
    undo(second)
    work(app)
    assert_same(model(app), before)


@pytest.mark.parametrize("to", [Status.REJECTED, Status.DELETED])
def test_a_rejected_opinion_is_no_spam(app, post, decide, to):
    decide(post("I do not like this at all"), to)
    work(app)
    assert model(app) == ((0, 0), {})


def test_what_its_author_takes_back_is_unlearned_and_its_words_leave_the_ledger(
    app, taught, post, decide
):
    taught(20)
    before = model(app)
    comment_id = post("Thanks, I think the author is right")
    decide(comment_id, Status.APPROVED)
    work(app)
    with app.app_context(), database.writing() as session:
        of_it = select(Judgement).where(Judgement.comment_id == comment_id)
        assert session.scalars(of_it).one().telling
        moderation.withdraw(session, session.get_one(Comment, comment_id))
    work(app)
    assert_same(model(app), before)
    with app.app_context():
        assert database.session().scalars(of_it).one().telling == []


def test_a_staff_reply_teaches_nothing(app, mo, post):
    parent_id = post("A question")
    with app.app_context(), database.writing() as session:
        vault, parent = app.extensions["vault"], session.get_one(Comment, parent_id)
        by, wording = (
            session.get_one(accounts.Moderator, mo),
            moderation.Wording("Yes", "Yes", None),
        )
        comments.answer(session, vault, parent, by, "Staff", wording, "n", parent.version)
    work(app)
    assert model(app)[0] == (0, 1)  # the question, which was approved by it


def test_the_queue_is_ordered_after_the_first_twenty_and_no_status_changes(
    app, daily, taught, post, decide
):
    spam_id, ham_id = post(SPAM.format(n=77)), post(HAM.format(n=78))
    taught(20)
    by_id = {comment.id: comment for comment in stored(app)}
    assert by_id[spam_id].risk > 60 > 40 > by_id[ham_id].risk
    assert {by_id[spam_id].status, by_id[ham_id].status} == {Status.PENDING}
    with app.app_context():
        kept = select(Judgement).where(Judgement.comment_id == spam_id)
        posted, row = database.session().scalars(kept.order_by(Judgement.id))
        assert (posted.chance, posted.telling) == (None, [])  # what was said then stays
        assert row.occasion == Occasion.LEARNED
        assert row.chance > 60
    decide(post(SPAM.format(n=500)), Status.SPAM)
    work(app)
    with app.app_context():  # looked at again, and one row still
        assert len(database.session().scalars(kept).all()) == 2
        assert any("casino" in word for word in row.telling)


def test_it_marks_as_spam_only_where_the_site_says_so(app, daily, taught, post):
    taught(40)
    first = post(SPAM.format(n=300))
    with app.app_context(), database.writing() as session:
        site = session.get_one(Site, daily)
        site.screening = {"rules": {"learned": {"on": True, "percent": 80}}}
    second, third = post(SPAM.format(n=301)), post(HAM.format(n=302))
    found = {comment.id: comment.status for comment in stored(app)}
    assert [found[id] for id in (first, second, third)] == ["pending", "spam", "pending"]


def test_the_card_says_what_told(app, taught, post):
    taught(20)
    post("Thanks for the casino bonus, click here")
    client = sign_in(app, app.test_client(), add_moderator(app, "ann@daily.example"))
    page = client.get("/desk/").text
    assert "likely spam" in page
    assert "casino</q>" in page


@pytest.mark.long
@BOTH
def test_two_processes_that_teach_at_once_lose_no_count(app, database_url, daily):
    context = multiprocessing.get_context("spawn")
    faults = context.Queue()
    pupils = [
        context.Process(target=teach_often, args=(database_url, daily, n, 10, faults))
        for n in range(2)
    ]
    for pupil in pupils:
        pupil.start()
    for pupil in pupils:
        pupil.join(60)
    assert faults.empty()
    totals, rows = model(app)
    assert totals == (20, 20)
    assert max(row[:2] for row in rows.values()) == (20, 20)


@BOTH
def test_what_was_planned_twice_is_learned_once(app, daily, post, decide):
    decide(post("Buy gold"), Status.SPAM)
    with app.app_context():
        vault = app.extensions["vault"]
        planned = [lessons.plan(database.session(), vault, daily) for _ in range(2)]
        done = []
        for each in planned:
            with database.writing() as session:
                done.append(lessons.learn(session, each))
    assert done == [True, False]
    assert model(app)[0] == (1, 0)


@pytest.mark.long
def test_a_killed_process_leaves_nothing_half_learned(app, database_url, daily):
    context = multiprocessing.get_context("spawn")
    faults = context.Queue()
    pupil = context.Process(target=teach_often, args=(database_url, daily, 0, 5_000, faults))
    pupil.start()
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with app.app_context():
            known = database.session().get(Knowledge, daily)
            if known and known.spam > 3:
                break
        time.sleep(0.02)
    os.kill(pupil.pid, signal.SIGKILL)
    pupil.join(10)
    (spam, ham), rows = model(app)
    assert spam == ham > 3
    assert max(row[0] for row in rows.values()) == spam


def test_the_rarest_go_where_a_model_knows_too_much(app, daily, taught, post, decide, monkeypatch):
    taught(6)
    decide(post("Zebras jump over unknown, quiet fjords"), Status.APPROVED)
    work(app)
    often = {hash for hash, row in model(app)[1].items() if row[0] + row[1] > 1}
    monkeypatch.setattr(lessons, "MOST_KNOWN", len(often) + 20)
    monkeypatch.setattr(lessons, "KEPT_KNOWN", len(often) + 10)
    monkeypatch.setattr(lessons, "DROPPED", 50)
    with app.app_context():
        learning.tidy(daily)
    left = model(app)[1]
    assert len(left) == len(often) + 10
    assert often <= left.keys()


@pytest.mark.long
def test_old_lessons_stay_learned_and_take_no_room(app, daily, taught, monkeypatch):
    monkeypatch.setattr(lessons, "MOST_KEPT", 4)
    taught(10)
    with app.app_context():
        kept = select(Lesson.changes.is_not(None)).order_by(Lesson.comment_id)
        assert database.session().scalars(kept).all() == [False] * 6 + [True] * 4
    assert model(app)[0] == (5, 5)
