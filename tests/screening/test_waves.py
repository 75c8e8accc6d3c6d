"""The watch for waves: when one begins, on what, that it is told once, and ends by itself."""

import multiprocessing
import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from wave import arrive, arrive_apart

import pytest
from cast import add_moderator, add_site, on_record, reply
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from service import database
from service.cli import worker
from service.models import Article, Comment, Import, Letter, Wave, now
from service.rules import Policy
from service.screening import sweep, waves
from service.screening.waves import Limits
from service.status import LetterKind, Mark, Status

AT = now()
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture
def daily(app: Flask) -> Iterator[int]:
    site_id = add_site(app)
    with app.app_context():
        with database.writing() as session:
            urls = (f"https://daily.example/{number}" for number in range(1, 5))
            session.add_all([Article(site_id=site_id, url=url) for url in urls])
        yield site_id


def come(
    site_id: int, number: int, articles: Sequence[int] = (1,), at: Any = AT, **said: Any
) -> list[tuple[str, int | None]]:
    """So many come in within as many seconds, on these articles by turns; what was told."""
    tuned: dict[str, Any] = said.pop("tuned", {})
    told = []
    with database.writing() as session:
        for n in range(number):
            article_id = articles[n % len(articles)]
            comment = arrive(session, site_id, article_id, at + n * SECOND, **said)
            if seen := waves.watch(session, comment, Policy(tuned={"wave": tuned})):
                told.append((seen[0], seen[1].article_id))
    return told


def all_waves() -> Sequence[Wave]:
    return database.session().scalars(select(Wave).order_by(Wave.id)).all()


@pytest.mark.parametrize(
    ("usual", "least", "times", "above"),
    [(0, 20, 5, 20), (3.9, 20, 5, 20), (4.1, 20, 5, 21), (40, 20, 2, 80), (1e6, 20, 5, 5_000)],
)
def test_what_is_far_above_the_usual(usual: float, least: int, times: int, above: int) -> None:
    assert Limits(least, times).above(usual) == above


@pytest.mark.parametrize(
    ("counts", "usual"),
    [([], 0), ([7], 7), ([0] * 9 + [100], 0), ([0] * 8 + [100] * 2, 100), (range(1, 11), 9)],
)
def test_what_is_usual(counts: Sequence[int], usual: int) -> None:
    assert waves.quantile(counts) == usual


@pytest.mark.parametrize(("articles", "place"), [([1, 1, 2, 3], 1), ([1, 1, 2, 2, 3], None)])
def test_where_a_wave_is(articles: Sequence[int], place: int | None) -> None:
    assert waves.place(articles) == place


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_it_begins_once_on_the_article(daily: int) -> None:
    assert come(daily, 19) == []
    assert come(daily, 6, at=AT + 19 * SECOND) == [(waves.BEGAN, 1)]
    [wave] = all_waves()
    assert (wave.began_at, wave.peak, wave.ended_at) == (AT, 20, None)
    assert waves.current(database.session(), daily, 1) is not None
    assert waves.current(database.session(), daily, 2) is None


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_one_over_many_articles_is_the_sites(daily: int) -> None:
    assert come(daily, 24, (1, 2, 3, 4)) == [(waves.BEGAN, None)]
    assert waves.current(database.session(), daily, 2) is not None


def test_what_comes_slowly_is_no_wave(daily: int) -> None:
    for number in range(60):
        assert come(daily, 1, at=AT + number * MINUTE) == []


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_a_busy_site_has_its_own_usual(daily: int) -> None:
    for number in range(1, waves.SAMPLES + 1):
        with database.writing() as session:
            for _ in range(6):
                before = AT - waves.WINDOW - waves.EVERY * number
                arrive(session, daily, 2, before + MINUTE, status=Status.APPROVED)
    assert waves.usual(database.session(), daily, AT) == 6
    assert come(daily, 29) == []
    assert come(daily, 1, at=AT + 30 * SECOND) == [(waves.BEGAN, 1)]
    assert all_waves()[0].usual == 6


def test_what_is_spam_counts_and_imports_and_staff_do_not(daily: int) -> None:
    with database.writing() as session:
        brought = Import(site_id=daily, format="x", file_name="x", file_digest="x")
        session.add(brought)
        session.flush()
        import_id = brought.id
    assert come(daily, 25, import_id=import_id) == []
    assert come(daily, 25, mark=Mark.STAFF, at=AT + MINUTE) == []
    assert come(daily, 20, status=Status.SPAM, at=AT + 2 * MINUTE) == [(waves.BEGAN, 1)]


def test_a_site_sets_its_numbers_or_switches_it_off(daily: int) -> None:
    assert come(daily, 30, tuned={"on": False}) == []
    assert come(daily, 1, at=AT + MINUTE, tuned={"least": 40}) == []
    assert come(daily, 1, at=AT + MINUTE, tuned={"least": 32}) == [(waves.BEGAN, 1)]


def test_one_article_s_wave_leaves_room_for_another(daily: int) -> None:
    assert come(daily, 25) == [(waves.BEGAN, 1)]
    assert come(daily, 19, (2,), at=AT + MINUTE) == []
    assert come(daily, 1, (2,), at=AT + 2 * MINUTE) == [(waves.BEGAN, 2)]


def test_it_ends_at_a_comment_long_after(daily: int) -> None:
    come(daily, 25)
    assert come(daily, 1, at=AT + 11 * MINUTE) == []  # still within half an hour
    assert come(daily, 25, at=AT + 20 * MINUTE) == []  # far above again: it goes on
    assert come(daily, 1, at=AT + 45 * MINUTE) == []
    assert come(daily, 1, at=AT + 52 * MINUTE) == [(waves.ENDED, 1)]
    [wave] = all_waves()
    assert not waves.is_called_off(wave)
    assert come(daily, 20, at=AT + 70 * MINUTE) == [(waves.BEGAN, 1)]


def test_while_it_is_on_few_comments_write_it(daily: int) -> None:
    come(daily, 25)
    come(daily, 30, at=AT + 30 * SECOND)
    assert all_waves()[0].peak == 20
    database.forget()
    come(daily, 1, at=AT + 2 * MINUTE)
    assert all_waves()[0].peak == 56


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_the_worker_ends_it_once(app: Flask, daily: int) -> None:
    come(daily, 25, at=now() - MINUTE)
    worker.run()
    assert all_waves()[0].ended_at is None
    with database.writing() as session:
        session.scalars(select(Wave)).one().seen_at -= waves.RELAXED
        for comment in session.scalars(select(Comment)):
            comment.created_at -= waves.RELAXED
    worker.run()
    worker.run()
    assert all_waves()[0].ended_at is not None
    assert [(event.what, event.by) for event in on_record(app)] == [("wave_ended", waves.BY)]


@pytest.mark.parametrize("articles", [(1,), (1, 2, 3, 4)])
def test_after_a_false_alarm_none_begins_for_an_hour(daily: int, articles: Sequence[int]) -> None:
    at = now()
    come(daily, 25, articles, at=at - MINUTE)
    with database.writing() as session:
        wave = waves.call_off(session, 1)
        assert wave is not None
        assert waves.is_called_off(wave)
        assert waves.call_off(session, 1) is None
    assert come(daily, 25, articles, at=at + 5 * MINUTE) == []
    assert come(daily, 25, articles, at=at + 40 * MINUTE) == []
    assert come(daily, 25, articles, at=at + 62 * MINUTE) != []


@pytest.mark.long
@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_two_processes_at_once_open_one(daily: int, database_url: str) -> None:
    come(daily, 19)
    context = multiprocessing.get_context("spawn")
    those = (database_url, daily, 1, AT + MINUTE)
    others = [context.Process(target=arrive_apart, args=those) for _ in range(2)]
    for other in others:
        other.start()
    for other in others:
        other.join(60)
        assert other.exitcode == 0
    assert len(all_waves()) == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_second_one_waits_and_sees_the_first(app: Flask, daily: int) -> None:
    come(daily, 25, tuned={"on": False})
    engine = app.extensions["database"].write_engine
    told = []

    def late() -> None:
        with Session(engine) as other:
            told.append(waves.watch(other, arrive(other, daily, 1, AT + MINUTE), Policy()))
            other.commit()

    with Session(engine) as one:
        assert waves.watch(one, arrive(one, daily, 1, AT + MINUTE), Policy())
        thread = threading.Thread(target=late)
        thread.start()
        thread.join(1)
        assert thread.is_alive()
        one.commit()
        thread.join(20)
    assert told == [None]
    assert len(all_waves()) == 1


def test_readers_who_post_set_it_off_and_it_is_told_once(
    app: Flask, client: FlaskClient, daily: int
) -> None:
    add_moderator(app)
    for number in range(23):
        sent = reply(app, client, comment=f"{number} words of {number}", name=f"R{number}")
        assert sent.status_code == 303
    assert [event.what for event in on_record(app)] == ["wave_began"]
    letters = select(Letter.kind).where(Letter.kind == LetterKind.WAVE)
    assert len(database.session().scalars(letters).all()) == 1
    last = database.session().scalars(select(Comment).order_by(Comment.id.desc())).first()
    assert last is not None
    assert "wave" in {reason.rule for reason in last.reasons}


@pytest.mark.parametrize(
    ("minutes", "most"),
    [([], 0), ([0], 1), ([0, 1, 2], 3), ([0, 9, 10, 11], 3), ([0, 20, 21, 40], 2)],
)
def test_its_height_is_the_most_that_came_within_ten_minutes(
    minutes: Sequence[int], most: int
) -> None:
    times = [AT + minute * MINUTE for minute in minutes]
    assert sweep.busiest(times, waves.WINDOW) == most
