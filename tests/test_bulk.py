"""Many comments at once: in batches, stoppable, undone whole, and never over a colleague's head."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cast import SITE, add_moderator, add_site
from flask import Flask
from sqlalchemy import event, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service import bulk, colleagues, database, moderation
from service.accounts import Moderator
from service.models import Article, Bulk, Comment, Decision, Event, Handover, Hook, Report, now
from service.status import Act, BulkState, HookShape, Outcome, ReportReason, Status

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
STARS = "stars"


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "BATCH", 4)


@pytest.fixture
def daily(app: Flask) -> Iterator[int]:
    """The Daily with ten pending comments on two articles; the last three answer the first."""
    site_id = add_site(app)
    with app.app_context():
        add(app, site_id, 10)
        yield site_id


@pytest.fixture
def mo(app: Flask, daily: int) -> int:
    return add_moderator(app)


@pytest.fixture
def ina(app: Flask, daily: int) -> int:
    return add_moderator(app, "ina@daily.example")


@pytest.fixture
def statements(app: Flask) -> Callable[[], list[str]]:
    """Notes from when it is called what the database is told by those who write."""

    def note() -> list[str]:
        said: list[str] = []
        engine = app.extensions["database"].write_engine
        event.listen(engine, "before_cursor_execute", lambda *what: said.append(what[2]))
        return said

    return note


def add(app: Flask, site_id: int, count: int, status: Status = Status.PENDING) -> list[int]:
    with database.writing() as session:
        articles = [Article(site_id=site_id, url=f"https://a.example/{n}-{now()}") for n in (1, 2)]
        session.add_all(articles)
        session.flush()
        first = session.scalar(select(func.max(Comment.id))) or 0
        ids = range(first + 1, first + count + 1)
        session.execute(
            insert(Comment),
            [
                {
                    "id": id,
                    "site_id": site_id,
                    "article_id": articles[0 if number >= count - 3 else number % 2].id,
                    "root_id": first + 1 if number >= count - 3 > 0 else None,
                    "parent_id": first + 1 if number >= count - 3 > 0 else None,
                    "name": f"N{id}",
                    "text": "Words.",
                    "html": "<p>Words.</p>",
                    "renderer": 1,
                    "status": status,
                    "created_at": START + timedelta(minutes=id),
                }
                for number, id in enumerate(ids)
            ],
        )
        for article in articles:
            moderation.recount(session, article.id)
        return list(ids)


def start(moderator_id: int, to: Status = Status.SPAM, **words: str) -> int:
    """A job on everything that matches, as its page shows it now."""
    with database.writing() as session:
        mo = session.get_one(Moderator, moderator_id)
        mo.came_from = "198.51.100.0/24"
        shown = bulk.preview(session, mo, words)
        return bulk.start_matching(session, mo, to, shown.matching, shown.count).id


def one(job_id: int) -> bool:
    """One batch of a job."""
    batch = bulk.ahead(database.session(), job_id)
    database.forget()
    with database.writing() as session:
        return bulk.step(session, job_id, batch)


def finish(job_id: int) -> Bulk:
    while one(job_id):
        pass
    return database.session().get_one(Bulk, job_id)


def undo(job_id: int, moderator_id: int) -> int:
    with database.writing() as session:
        undone = session.get_one(Bulk, job_id)
        return bulk.start_undo(session, session.get_one(Moderator, moderator_id), undone).id


def decide(comment_id: int, to: Status, moderator_id: int) -> None:
    with database.writing() as session:
        comment = session.get_one(Comment, comment_id)
        moderator = session.get_one(Moderator, moderator_id)
        moderation.decide(session, comment, to, comment.version, moderator)


def statuses() -> dict[int, Status]:
    rows = database.session().execute(select(Comment.id, Comment.status).order_by(Comment.id))
    return {row.id: row.status for row in rows}


def counters(session: Session) -> dict[str, list[int]]:
    return {
        "approved": list(session.scalars(select(Article.approved_count).order_by(Article.id))),
        "below": list(session.scalars(select(Comment.approved_below).order_by(Comment.id))),
    }


def expect_true_counters() -> None:
    """What the jobs counted is what a count from the start would find."""
    found = counters(database.session())
    with database.writing() as session:
        for article_id in session.scalars(select(Article.id)).all():
            moderation.recount(session, article_id)
    assert counters(database.session()) == found


def events() -> list[tuple[str, str, str]]:
    rows = database.session().scalars(select(Event).order_by(Event.id))
    return [(row.what, row.about, row.network) for row in rows]


def test_it_decides_on_all_that_match_in_batches(daily: int, mo: int) -> None:
    job = start(mo)
    assert one(job)
    assert list(statuses().values()).count(Status.SPAM) == 4
    ended = finish(job)
    assert (ended.done, ended.skipped, ended.total, ended.state) == (10, 0, 10, BulkState.DONE)
    assert set(statuses().values()) == {Status.SPAM}
    log = database.session().scalars(select(Decision).order_by(Decision.id)).all()
    assert [d.comment_id for d in log] == list(range(1, 11))
    assert {
        (d.act, d.from_status, d.to_status, d.version, d.by, d.bulk_id, d.network) for d in log
    } == {(Act.DECIDED, Status.PENDING, Status.SPAM, 2, "mo", job, "198.51.100.0/24")}
    assert set(database.session().scalars(select(Comment.version))) == {2}


def test_it_stands_on_record_once(daily: int, mo: int) -> None:
    job = start(mo)
    finish(job)
    network = "198.51.100.0/24"
    assert events() == [
        ("bulk", f"job {job}: spam, 10 comments", network),
        ("bulk_ended", f"job {job}: done, 10 decided, 0 skipped", network),
    ]


@pytest.mark.parametrize("to", [Status.APPROVED, Status.REJECTED])
def test_what_readers_see_is_counted(daily: int, mo: int, to: Status) -> None:
    finish(start(mo, to))
    expect_true_counters()
    assert sum(counters(database.session())["approved"]) == (10 if to == Status.APPROVED else 0)
    back = start(mo, Status.DELETED, status=to)
    finish(back)
    expect_true_counters()
    finish(undo(back, mo))
    expect_true_counters()
    assert set(statuses().values()) == {to}


def test_an_articles_version_follows_what_readers_see(daily: int, mo: int) -> None:
    versions = select(Article.version).order_by(Article.id)
    before = database.session().scalars(versions).all()
    finish(start(mo, Status.SPAM))
    assert database.session().scalars(versions).all() == before
    finish(start(mo, Status.APPROVED, status=Status.SPAM))
    assert all(
        new > old for new, old in zip(database.session().scalars(versions), before, strict=True)
    )


def test_what_comes_in_later_is_left_alone(app: Flask, daily: int, mo: int) -> None:
    job = start(mo)
    [late] = add(app, daily, 1)
    assert finish(job).done == 10
    assert statuses()[late] == Status.PENDING


def test_a_colleague_who_was_faster_is_not_overwritten(daily: int, mo: int, ina: int) -> None:
    job = start(mo)
    decide(2, Status.APPROVED, ina)  # before its batch is read
    batch = bulk.ahead(database.session(), job)
    database.forget()
    decide(3, Status.APPROVED, ina)  # between its reading and its turn
    with database.writing() as session:
        bulk.step(session, job, batch)
    ended = finish(job)
    assert (ended.done, ended.skipped) == (8, 2)
    assert [id for id, status in statuses().items() if status != Status.SPAM] == [2, 3]
    expect_true_counters()


def test_what_a_colleague_took_back_is_not_decided_again(daily: int, mo: int, ina: int) -> None:
    """It is pending, as it was when the job began, and yet not what was seen then."""
    job = start(mo)
    decide(9, Status.APPROVED, ina)
    with database.writing() as session:
        moderation.undo(session, moderation.latest(session, 9), session.get_one(Moderator, ina))
    ended = finish(job)
    assert (ended.done, ended.skipped, statuses()[9]) == (9, 1, Status.PENDING)


def test_picked_comments_are_decided_as_they_were_seen(daily: int, mo: int, ina: int) -> None:
    decide(2, Status.REJECTED, ina)
    with database.writing() as session:
        names = dict(session.execute(select(Comment.id, Comment.public_id)).all())
        picked = {names[id]: 1 for id in (1, 2, 3)}
        job = bulk.start_picked(session, session.get_one(Moderator, mo), Status.APPROVED, picked).id
    ended = finish(job)
    assert (ended.done, ended.skipped) == (2, 1)
    assert list(statuses().values())[:4] == ["approved", "rejected", "approved", "pending"]
    expect_true_counters()


def test_it_stops_between_batches_and_goes_on(daily: int, mo: int) -> None:
    job = start(mo)
    one(job)
    with database.writing() as session:
        bulk.ask_to_stop(session.get_one(Bulk, job))
    assert not one(job)
    stopped = database.session().get_one(Bulk, job)
    assert (stopped.state, stopped.done) == (BulkState.STOPPED, 4)
    with database.writing() as session:
        assert bulk.take_up(session, session.get_one(Bulk, job), session.get_one(Moderator, mo))
    assert finish(job).done == 10


def test_a_job_whose_process_died_is_taken_up_by_one(daily: int, mo: int, ina: int) -> None:
    job = start(mo)
    one(job)

    def take_up() -> bool:
        with database.writing() as session:
            found, who = session.get_one(Bulk, job), session.get_one(Moderator, ina)
            return bulk.take_up(session, found, who)

    assert not take_up()  # it is alive
    with database.writing() as session:
        session.execute(update(Bulk).values(seen_at=now() - timedelta(seconds=31)))
    assert bulk.is_dead(database.session().get_one(Bulk, job))
    assert [take_up(), take_up()] == [True, False]
    ended = finish(job)
    assert (ended.done, ended.skipped) == (10, 0)
    by = select(Event.by).where(Event.about.contains("taken up"))
    assert database.session().scalars(by).all() == ["ina"]


def test_two_who_run_one_job_do_nothing_twice(daily: int, mo: int) -> None:
    job = start(mo)
    batch = bulk.ahead(database.session(), job)
    for _ in range(2):
        with database.writing() as session:
            assert bulk.step(session, job, batch)
    found = database.session().get_one(Bulk, job)
    assert (found.done, found.skipped) == (4, 0)


def test_what_was_searched_for_is_forgotten_once_nobody_goes_on(daily: int, mo: int) -> None:
    searched = start(mo, status="pending", site="daily", name="N")
    assert finish(searched).about["words"] == {"site": "daily"}
    with database.writing() as session:
        picked = {
            comment.public_id: comment.version for comment in session.scalars(select(Comment))
        }
        who = session.get_one(Moderator, mo)
        job = bulk.start_picked(session, who, Status.REJECTED, picked).id
    assert finish(job).about.keys() == {"at"}  # not even what was picked
    stopped = start(mo, status="rejected", name="N")
    with database.writing() as session:
        bulk.ask_to_stop(session.get_one(Bulk, stopped))
    assert finish(stopped).about["words"]["name"] == "N"  # to go on with
    with database.writing() as session:
        bulk.start_undo(session, session.get_one(Moderator, mo), session.get_one(Bulk, stopped))
    database.forget()
    about = database.session().get_one(Bulk, stopped).about
    assert about == {"at": 0, "words": {"status": "rejected"}}


def test_it_is_undone_whole(daily: int, mo: int, ina: int) -> None:
    job = start(mo, Status.APPROVED)
    finish(job)
    undone = finish(undo(job, ina))
    assert (undone.done, undone.skipped, undone.by) == (10, 0, "ina")
    assert set(statuses().values()) == {Status.PENDING}
    expect_true_counters()
    with pytest.raises(IntegrityError):
        undo(job, mo)
    finish(undo(undone.id, mo))
    assert set(statuses().values()) == {Status.APPROVED}
    expect_true_counters()


def test_an_undo_skips_what_somebody_changed_since(daily: int, mo: int, ina: int) -> None:
    job = start(mo)
    finish(job)
    decide(5, Status.APPROVED, ina)
    undone = finish(undo(job, mo))
    assert (undone.done, undone.skipped) == (9, 1)
    assert statuses()[5] == Status.APPROVED
    expect_true_counters()


def test_half_a_job_can_be_undone(daily: int, mo: int) -> None:
    job = start(mo)
    one(job)
    undone = finish(undo(job, mo))
    assert undone.done == 4
    assert set(statuses().values()) == {Status.PENDING}
    assert not one(job)  # and does not go on
    with database.writing() as session:
        found, who = session.get_one(Bulk, job), session.get_one(Moderator, mo)
        assert not bulk.take_up(session, found, who)


def report(comment_id: int) -> None:
    with database.writing() as session:
        session.add(
            Report(
                comment_id=comment_id,
                reason=ReportReason.SPAM,
                network_digest=b"a network",
                created_at=START,
            )
        )
        comments = update(Comment).where(Comment.id == comment_id)
        session.execute(comments.values(reported_at=START))


def test_reports_get_their_outcome_and_are_opened_again(daily: int, mo: int) -> None:
    report(1)
    asks = select(Comment.id).where(Comment.reported_at.is_not(None))
    outcomes = select(Report.outcome)
    job = start(mo)
    finish(job)
    assert database.session().scalars(asks).all() == []
    assert database.session().scalars(outcomes).all() == [Outcome.REMOVED]
    finish(undo(job, mo))
    assert database.session().scalars(asks).all() == [1]
    assert database.session().scalars(outcomes).all() == [None]


def test_reported_ones_that_are_public_already_are_kept(daily: int, mo: int) -> None:
    finish(start(mo, Status.APPROVED))
    report(1)
    kept = finish(start(mo, Status.APPROVED, status="reported"))
    assert (kept.done, kept.skipped) == (1, 0)
    assert moderation.latest(database.session(), 1).act == Act.KEPT  # type: ignore[union-attr]
    assert database.session().scalars(select(Report.outcome)).all() == [Outcome.KEPT]
    expect_true_counters()


def test_a_waiting_change_and_an_emptied_comment_are_skipped(daily: int, mo: int) -> None:
    finish(start(mo, Status.APPROVED))
    with database.writing() as session:
        session.execute(update(Comment).where(Comment.id == 1).values(edit_at=now()))
        moderation.withdraw(session, session.get_one(Comment, 2))
        names = dict(session.execute(select(Comment.id, Comment.public_id)).all())
        versions = dict(session.execute(select(Comment.id, Comment.version)).all())
        picked = {names[id]: versions[id] for id in (1, 2, 3)}
        job = bulk.start_picked(session, session.get_one(Moderator, mo), Status.SPAM, picked).id
    assert (finish(job).done, finish(job).skipped) == (1, 2)
    assert list(statuses().values())[:3] == ["approved", "deleted", "spam"]


def test_what_was_left_to_a_colleague_is_settled(daily: int, mo: int) -> None:
    with database.writing() as session:
        comment, who = session.get_one(Comment, 3), session.get_one(Moderator, mo)
        asked = moderation.reveal(session, comment, who)
        session.add(Handover(comment_id=3, decision_id=asked.id))
    job = start(mo)
    finish(job)
    asked_still = select(Handover.comment_id).where(Handover.ended_at.is_(None))
    assert database.session().scalars(asked_still).all() == []
    with database.writing() as session:
        who, done = session.get_one(Moderator, mo), session.get_one(Bulk, job)
        undoing = bulk.start_undo(session, who, done).id
    finish(undoing)
    assert database.session().scalars(asked_still).all() == [3]


def test_it_never_reaches_another_site(app: Flask, daily: int, mo: int) -> None:
    other = add_site(app, STARS, "https://stars.example")
    foreign = add(app, other, 2)
    assert finish(start(mo)).total == 10
    with database.writing() as session:
        names = session.scalars(select(Comment.public_id).where(Comment.id.in_(foreign)))
        who = session.get_one(Moderator, mo)
        job = bulk.start_picked(session, who, Status.SPAM, dict.fromkeys(names, 1)).id
        assert bulk.find(session, who, job).total == 0  # type: ignore[union-attr]
        # Not even if a job says so.
        seen = dict.fromkeys(foreign, 1)
        assert moderation.decide_many(session, seen, Status.SPAM, who, job) == 0
    assert finish(start(mo, site=STARS)).done == 0
    assert {statuses()[id] for id in foreign} == {Status.PENDING}


def test_a_job_is_seen_by_its_maker_and_on_its_site(app: Flask, daily: int, mo: int) -> None:
    add_site(app, STARS, "https://stars.example")
    sam = add_moderator(app, "sam@stars.example", STARS)
    job, of_daily = start(mo), start(mo, site=SITE)
    ina = add_moderator(app, "ina@daily.example")
    session = database.session()
    found = {
        who: [
            bulk.find(session, session.get_one(Moderator, who), id) is not None
            for id in (job, of_daily)
        ]
        for who in (mo, ina, sam)
    }
    assert found == {mo: [True, True], ina: [False, True], sam: [False, False]}


def test_who_was_removed_decides_nothing_more(daily: int, mo: int) -> None:
    job = start(mo)
    one(job)
    with database.writing() as session:
        session.execute(update(Moderator).values(active=False))
    ended = finish(job)
    assert (ended.state, ended.done) == (BulkState.STOPPED, 4)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_it_waits_for_nobody_while_it_holds_others(
    app: Flask, daily: int, mo: int, ina: int
) -> None:
    """Somebody holds comment 3: the job gives way at once, and decides on it afterwards."""
    job = start(mo)
    is_held, may_go = threading.Event(), threading.Event()

    def hold() -> None:
        with app.app_context(), database.writing() as session:
            comment = session.get_one(Comment, 3)
            who = session.get_one(Moderator, ina)
            moderation.decide(session, comment, Status.APPROVED, 1, who)
            is_held.set()
            may_go.wait(10)

    colleague = threading.Thread(target=hold)
    colleague.start()
    is_held.wait(10)
    with pytest.raises(database.Busy):
        one(job)
    may_go.set()
    colleague.join()
    ended = finish(job)
    assert (ended.done, ended.skipped, statuses()[3]) == (9, 1, Status.APPROVED)
    expect_true_counters()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_decision_that_ends_after_a_later_one_was_not_seen(
    app: Flask, daily: int, mo: int, ina: int
) -> None:
    """Its id is the lower one, and no page shows it before it is there."""
    decide(3, Status.SPAM, ina)
    is_made, may_end = threading.Event(), threading.Event()

    def put_back() -> None:
        with app.app_context(), database.writing() as session:
            comment, who = session.get_one(Comment, 3), session.get_one(Moderator, ina)
            moderation.decide(session, comment, Status.PENDING, comment.version, who)
            is_made.set()
            may_end.wait(10)

    colleague = threading.Thread(target=put_back)
    colleague.start()
    is_made.wait(10)
    decide(5, Status.APPROVED, mo)
    reading = database.session()
    shown = bulk.preview(reading, reading.get_one(Moderator, mo), {})
    since = colleagues.Since(now(), colleagues.since(reading))
    database.forget()
    may_end.set()
    colleague.join()
    reading = database.session()
    who = reading.get_one(Moderator, mo)
    assert 3 in colleagues.arrived(reading, who, Status.PENDING, "", since)
    database.forget()
    with database.writing() as session:
        who = session.get_one(Moderator, mo)
        job = bulk.start_matching(session, who, Status.REJECTED, shown.matching, shown.count).id
    assert finish(job).done == 8
    assert (statuses()[3], statuses()[5]) == (Status.PENDING, Status.APPROVED)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_it_takes_comments_and_articles_by_id(
    app: Flask, daily: int, mo: int, statements: Callable[[], list[str]]
) -> None:
    job = start(mo, Status.APPROVED)
    ran = statements()
    one(job)
    locks = [said for said in ran if "FOR UPDATE NOWAIT" in said]
    assert ["comments.id" in said.rpartition("ORDER BY")[2] for said in locks] == [True, False]
    assert "articles.id" in locks[1].rpartition("ORDER BY")[2]


def test_batches_are_smaller_where_webhooks_are_told_of_each(
    app: Flask, daily: int, mo: int
) -> None:
    with app.app_context(), database.writing() as session:
        told = {"site_id": daily, "shape": HookShape.STANDARD, "sealed_url": "", "events": []}
        session.add_all(Hook(name=name, **told) for name in ("one", "off", "three"))
        session.flush()
        session.execute(update(Hook).where(Hook.name == "off").values(is_on=False))
        moderator = session.get_one(Moderator, mo)
        shown = bulk.preview(session, moderator, {})
        job = bulk.start_matching(session, moderator, Status.SPAM, shown.matching, 10)
        session.flush()
        batch = bulk.ahead(session, job.id)
        assert batch is not None
        assert len(batch.seen) == bulk.BATCH // 2
